"""Runs with a logger, whole, cut and killed; and all numbers that its tool has to give back."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import netwright as nw
from netwright.training.events import Callback, Status
from netwright.training.folder import recorder
from netwright.training.loggers.logger import Logger
from netwright.training.result import Run
from run_tools import Ends, trained

Numbers = dict[str, list[tuple[int, float]]]
SPEED = "epoch/examples_per_second"  # of an epoch that is made twice, there are two


def run_of(folder: Path | None, callbacks: list[Callback]) -> Run:
    """A run with another learning rate in each step."""
    return trained(folder, callbacks=callbacks, schedule=nw.CosineDecay())


class Rates(Callback):
    """Keeps the learning rate of every step."""

    def __init__(self) -> None:
        self.rates: list[float] = []

    def on_step(self, status: Status) -> None:
        self.rates = [*status.learning_rates]


class Kills(Callback):
    """Kills the program after a step."""

    def __init__(self, step: int) -> None:
        self.step = step

    def on_step(self, status: Status) -> None:
        if status.step == self.step:
            os.kill(os.getpid(), signal.SIGKILL)


def numbers_of(run: Run, rates: list[float]) -> Numbers:
    """The numbers of a run by name, each with its step."""
    found: Numbers = {"step/loss": [*enumerate(run.losses, 1)], "step/learning_rate": [*enumerate(rates, 1)]}
    for epoch in run.epochs:
        measured = {f"validation_{name}": value for name, value in epoch.validation.items()}
        speed = epoch.examples_per_second
        values = {"loss": epoch.loss, "learning_rate": epoch.learning_rate, "examples_per_second": speed, **measured}
        for name, value in values.items():
            found.setdefault(f"epoch/{name}", []).append((epoch.step, value))
    assert len(found["step/loss"]) == 12
    assert len(set(rates)) > 6
    assert len(found["epoch/validation_loss"]) == 3
    return found


def assert_whole_run_is_kept(make: Callable[[], Logger], read: Callable[[], Numbers]) -> None:
    rates = Rates()
    run = run_of(None, callbacks=[make(), rates])
    assert [choice for choice in run.choices if choice.name.startswith("logger")] == []
    assert read() == numbers_of(run, rates.rates)


def assert_cut_run_is_kept(make: Callable[[], Logger], read: Callable[[], Numbers], folder: Path) -> None:
    """It is cut twice: within an epoch, and after the last step of one."""
    rates = Rates()
    run_of(None, callbacks=[rates])
    for step in (5, 8):
        with pytest.raises(RuntimeError):
            run_of(folder, callbacks=[make(), Ends(step, RuntimeError("cut"))])
    assert_goes_on(make, read, folder, rates.rates)


def assert_fork_is_another_run(make: Callable[[], Logger], read: Callable[[], Numbers], folder: Path) -> None:
    """The fork has the same name in the tool as the first run; it is cut, too, and goes on."""
    rates = Rates()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(recorder, "EPOCH_SHARE", 1e9)
        run_of(folder / "a", callbacks=[make()])
        first = read()
        forked = nw.fork(folder / "a", epoch=1, learning_rate=0.1)
        with pytest.raises(RuntimeError):
            run_of(forked, callbacks=[make(), Ends(6, RuntimeError("cut"))])
        run = run_of(forked, callbacks=[make(), rates])
    found, expected = read(), numbers_of(run, rates.rates)
    assert [step for step, _ in found.pop(SPEED)] == [step for step, _ in expected.pop(SPEED)]
    assert found == expected
    assert found["step/loss"][:4] == first["step/loss"][:4]
    assert found["step/loss"][5:] != first["step/loss"][5:]


def assert_killed_run_is_kept(
    code: str, make: Callable[[], Logger], read: Callable[[], Numbers], folder: Path, step: int
) -> None:
    """`code` makes the logger in the program that is killed."""
    rates = Rates()
    run_of(None, callbacks=[rates])
    code = f"import netwright as nw\nimport logger_tools as tools\ntools.killed({code}, {str(folder)!r}, {step})"
    ended = subprocess.run([sys.executable, "-c", code], cwd=Path(__file__).parent, timeout=300, capture_output=True)
    assert ended.returncode == -signal.SIGKILL, ended.stderr.decode()
    assert_goes_on(make, read, folder, rates.rates)


def killed(logger: Logger, folder: str, step: int) -> None:
    """Train, with a checkpoint after every step, until the program is killed."""
    recorder.CHECKPOINT_SHARE = 1e9
    run_of(Path(folder), callbacks=[logger, Kills(step)])


def assert_goes_on(make: Callable[[], Logger], read: Callable[[], Numbers], folder: Path, rates: list[float]) -> None:
    run = run_of(folder, callbacks=[make()])
    assert [choice for choice in run.choices if choice.name.startswith("logger")] == []
    found, expected = read(), numbers_of(run, rates)
    assert [step for step, _ in found.pop(SPEED)] == [step for step, _ in expected.pop(SPEED)]
    assert found == expected
