"""A logger gets every number once, also of a run that goes on; one that fails or has no package does not harm a run."""

import importlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

import netwright as nw
from netwright.errors import MissingExtraError
from netwright.training.loggers import logger
from netwright.training.loggers.logger import Logger
from run_tools import Ends, trained


class Kept(Logger):
    """Keeps what it gets."""

    def __init__(self, fails: str = "") -> None:
        super().__init__("json", "json", "json")
        self.fails, self.texts, self.numbers, self.ends = fails, {}, [], 0
        self.begins: list[bool] = []

    def begin(self, texts: Mapping[str, str], goes_on: bool) -> None:
        self.texts = dict(texts)
        self.begins.append(goes_on)
        self._fail("begin")

    def log(self, numbers: Mapping[str, float], step: int) -> None:
        self._fail(f"step {step}")
        self.numbers += [(step, name, value) for name, value in numbers.items()]

    def end(self) -> None:
        self.ends += 1
        self._fail("end")

    def _fail(self, place: str) -> None:
        if place == self.fails:
            raise RuntimeError(f"no room at {place}")


def test_a_logger_gets_choices_steps_and_epochs() -> None:
    kept = Kept()
    run = trained(None, callbacks=[kept])
    assert [value for _, name, value in kept.numbers if name == "step/loss"] == [*run.losses]
    assert [value for _, name, value in kept.numbers if name == "epoch/loss"] == [epoch.loss for epoch in run.epochs]
    assert [value for _, name, value in kept.numbers if name == "epoch/validation_loss"] == [
        epoch.validation["loss"] for epoch in run.epochs
    ]
    assert kept.texts == {choice.name: f"{choice.value} ({choice.why})" for choice in run.choices}
    assert kept.ends == 1


def test_of_many_steps_about_a_thousand_are_logged() -> None:
    kept = Kept()
    run = trained(None, callbacks=[kept], epochs=300, batch_size=4)
    steps = [step for step, name, _ in kept.numbers if name == "step/loss"]
    assert len(run.losses) == 2700
    assert steps == list(range(2, 2701, 2))


def test_a_run_that_goes_on_gives_every_number_from_the_first_step(tmp_path: Path) -> None:
    whole, kept = Kept(), Kept()
    trained(None, callbacks=[whole])
    for step in (5, 8):  # within an epoch, and after the last step of one
        with pytest.raises(RuntimeError):
            trained(tmp_path / "run", callbacks=[kept, Ends(step, RuntimeError("cut"))])
    kept.numbers = []
    trained(tmp_path / "run", callbacks=[kept])
    named = [(step, name, value) for step, name, value in kept.numbers if not name.endswith("per_second")]
    assert named == [(step, name, value) for step, name, value in whole.numbers if not name.endswith("per_second")]
    assert kept.begins == [False, True, True]
    assert kept.ends == 3


@pytest.mark.parametrize(("place", "step"), [("begin", 1), ("step 3", 3), ("end", 12)])
def test_a_logger_that_fails_does_not_stop_the_run(place: str, step: int) -> None:
    fails, other = Kept(place), Kept()
    run, without = trained(None, callbacks=[fails, other]), trained(None)
    assert run.net == without.net
    assert fails.ends == (2 if place == "end" else 1)  # what it has open is closed
    assert [str(choice) for choice in run.choices if choice.name == "logger Kept"] == [
        f"logger Kept: stopped (from step {step} on: RuntimeError: no room at {place})"
    ]
    assert len(other.numbers) == 12 * 2 + 3 * 4


@pytest.mark.parametrize(
    ("make", "name", "package"),
    [
        (lambda: nw.TensorBoard("logs"), "TensorBoard", "tensorboard"),
        (lambda: nw.WandB("logs", "digits", "a"), "WandB", "wandb"),
        (lambda: nw.MLflow("logs", "a"), "MLflow", "mlflow"),
        (lambda: nw.Trackio("digits", "a"), "Trackio", "trackio"),
    ],
    ids=["tensorboard", "wandb", "mlflow", "trackio"],
)
def test_without_its_package_a_logger_is_a_plain_error(
    make: Callable[[], Logger], name: str, package: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(name: str, package: Any = None) -> Any:
        raise ImportError(name)

    monkeypatch.setattr(importlib, "import_module", missing)
    monkeypatch.setenv("WANDB_ERROR_REPORTING", "false")  # so that the variables are as they were after the test
    monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
    with pytest.raises(MissingExtraError) as caught:
        make()
    on_pypi = "mlflow-skinny" if package == "mlflow" else package
    assert str(caught.value) == (
        f'nw.{name} needs the package {on_pypi}, which is not installed\n  mend:     pip install "netwright[{package}]"'
    )


@pytest.mark.parametrize("tool", ["tensorboard", "wandb", "mlflow", "trackio"])
def test_a_tool_takes_at_most_forty_lines(tool: str) -> None:
    path = Path(logger.__file__).with_name(f"{tool}.py")
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 40
