"""A run in a folder goes on exactly: after errors, signals, kills, and disks that fail."""

import contextlib
import json
import math
import os
from pathlib import Path
from types import SimpleNamespace

import pytest

import netwright as nw
from netwright.errors import TrainingError
from netwright.training.batch import Batch
from netwright.training.events import Callback, Status
from netwright.training.folder import pages, recorder
from netwright.training.folder.recorder import Recorder
from netwright.training.folder.run_folder import RunFolder
from netwright.training.loop import Loop
from netwright.training.result import Run
from run_tools import Ends, assert_same, trained


@pytest.mark.parametrize("step", range(1, 13))
def test_the_same_call_goes_on_where_the_run_was(tmp_path: Path, step: int) -> None:
    whole = trained(None)
    with pytest.raises(ValueError, match="no more"):
        trained(tmp_path / "run", callbacks=[Ends(step, ValueError("no more"))])
    seen: list[int] = []

    class Sees(Callback):
        def on_step(self, status: Status) -> None:
            seen.append(status.step)

    assert_same(trained(tmp_path / "run", callbacks=[Sees()]), whole)
    assert seen == [*range(step + 1, 13)]


def test_a_run_that_was_killed_before_its_first_checkpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def killed(loop: object, folder: object) -> None:
        raise SystemExit

    with monkeypatch.context() as patched, pytest.raises(SystemExit):
        patched.setattr("netwright.training.folder.recorder.resume", killed)
        trained(tmp_path)
    assert not list(tmp_path.glob("checkpoint-*"))
    assert_same(trained(tmp_path), trained(None))


def test_a_run_that_has_ended_is_given_back(tmp_path: Path) -> None:
    whole = trained(tmp_path)
    assert_same(trained(tmp_path, callbacks=[Ends(1, ValueError("a step was made"))]), whole)
    assert nw.load(tmp_path / "best.net") == whole.net
    assert nw.load(tmp_path / "last.net") == whole.last


def test_the_log_has_every_epoch_once(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no more"):
        trained(tmp_path, callbacks=[Ends(7, ValueError("no more"))])
    with open(tmp_path / "log.jsonl", "a", encoding="utf-8") as file:
        file.write('{"step": 9, "loss": 1}\n{"step": 8, "lo')  # of a program that was killed later
    run = trained(tmp_path)
    lines = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [line["number"] for line in lines if "number" in line] == [1, 2, 3]
    assert [line["loss"] for line in lines if "number" not in line] == list(run.losses)


@pytest.mark.parametrize(
    ("number", "reason"),
    [(28, "the disk is full"), (30, "the disk may not be written"), (13, "the folder may not be written")],
)
def test_a_disk_that_fails_does_not_stop_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, reason: str
) -> None:
    from netwright.file import array_file

    def full(file: object, piece: bytes) -> None:
        raise OSError(number, os.strerror(number))

    with pytest.raises(ValueError, match="no more"):
        trained(tmp_path, callbacks=[Ends(7, ValueError("no more"))])
    before = {path.name: path.read_bytes() for path in tmp_path.glob("checkpoint-*")}
    monkeypatch.setattr(array_file, "write_all", full)
    run = trained(tmp_path)
    assert_same_numbers(run)
    (said,) = [choice for choice in run.choices if choice.value == "not written"]
    assert said.name == "folder"
    assert said.why.endswith(f"the checkpoint could not be saved: {reason}")
    assert {path.name: path.read_bytes() for path in tmp_path.glob("checkpoint-*")} == before


def test_the_nets_and_the_page_are_there_while_the_run_goes_on(tmp_path: Path) -> None:
    seen: list[tuple[bool, str]] = []

    class Looks(Callback):
        def on_epoch(self, status: Status) -> None:
            page = (tmp_path / "report.html").read_text(encoding="utf-8")
            seen.append((nw.load(tmp_path / "last.net") == nw.load(tmp_path / "best.net"), page))

    run = trained(tmp_path, callbacks=[Looks()])
    equal, first = seen[0]
    assert equal
    assert "The run goes on. 1 of 3 epochs and 4 of 12 steps are done; after epoch 1: loss " in first
    last = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "12 steps in 3 epochs (all epochs done)" in last
    assert "The run goes on" not in last
    assert nw.load(tmp_path / "best.net") == run.net


@pytest.mark.parametrize("error", [ValueError("no more"), KeyboardInterrupt()])
def test_the_page_says_how_a_run_ended(tmp_path: Path, error: BaseException) -> None:
    ended: list[str] = []

    class Tells(Callback):
        def on_end(self, status: Status) -> None:
            ended.append(status.ended)

    with contextlib.suppress(ValueError):
        trained(tmp_path, callbacks=[Ends(7, error), Tells()])
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert f"The run ended early ({ended[0]}). 1 of 3 epochs and 7 of 12 steps are done; after epoch 1: loss " in page


def test_a_page_that_fails_does_not_stop_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(run: Run, path: Path, so_far: str) -> None:
        raise ZeroDivisionError("cannot be drawn")

    monkeypatch.setattr(pages, "_drawing", [fails])
    run = trained(tmp_path)
    assert_same_numbers(run)
    said = [(c.name, c.value, c.why) for c in run.choices if c.value == "not written"]
    assert said == [("page", "not written", "from step 4 on: ZeroDivisionError: cannot be drawn")]


def test_a_run_that_had_ended_is_not_written_again(tmp_path: Path) -> None:
    trained(tmp_path)
    before = {path.name: path.stat().st_mtime_ns for path in tmp_path.iterdir() if path.name != "log.jsonl"}
    trained(tmp_path)
    assert {path.name: path.stat().st_mtime_ns for path in tmp_path.iterdir() if path.name != "log.jsonl"} == before


def test_a_state_from_which_no_run_goes_on_is_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An update may break the weights: with the checkpoint before, the same call makes that step again."""
    step, broken = Loop._step, True

    def breaks(self: Loop, batch: Batch) -> float:
        loss = step(self, batch)
        if broken and self.status.step == 6:
            self.prepared.engine.flat.master[3] = math.inf
        return loss

    monkeypatch.setattr(Loop, "_step", breaks)
    monkeypatch.setattr(recorder, "CHECKPOINT_SHARE", 1e9)  # a checkpoint after every step
    for _ in range(2):
        with pytest.raises(TrainingError, match=r"^the weights are not finite\n  where:    after step 6,"):
            trained(tmp_path)
        assert [int(path.stem.split("-")[1]) for path in sorted(tmp_path.glob("checkpoint-*"))][-1] == 5
    assert len(nw.load_run(tmp_path).losses) == 5
    broken = False  # as if the machine had done it
    assert_same_numbers(trained(tmp_path))


def test_a_figure_that_is_not_finite_is_null_in_the_log(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    folder.log([{"step": 1, "validation": {"loss": 0.5, "mse": math.inf}}])
    assert (tmp_path / "log.jsonl").read_text(encoding="utf-8") == (
        '{"step": 1, "validation": {"loss": 0.5, "mse": null}}\n'
    )


def assert_same_numbers(run: Run) -> None:
    whole = trained(None)
    assert (run.losses, run.net, run.last) == (whole.losses, whole.net, whole.last)


def test_checkpoints_take_a_small_share_of_the_time(tmp_path: Path) -> None:
    time_now = 0.0
    folder = RunFolder(tmp_path)
    loop = SimpleNamespace(status=SimpleNamespace(steps=2000), whole=True, broken=lambda: None, snapshot=lambda: None)

    def save(snapshot: object, step: int, epoch: int) -> None:
        nonlocal time_now
        time_now += 0.5

    folder.save = save  # type: ignore[method-assign]
    writer = Recorder(folder, loop, clock=lambda: time_now)  # type: ignore[arg-type]
    status = SimpleNamespace(step=0, losses=[1.0], learning_rate=0.1, seconds=0.0)
    for step in range(1, 2001):
        time_now += 0.1
        status.step = step
        writer.on_step(status)  # type: ignore[arg-type]
        writer.step_done(status)  # type: ignore[arg-type]
    checkpoints = round((time_now - 200) / 0.5)
    assert checkpoints >= 3
    assert (time_now - 200) / 200 <= 0.03


@pytest.mark.parametrize("name", ["runs/größer 1", "~/a"])
def test_a_program_may_change_its_working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    class Moves(Callback):
        def on_step(self, status: Status) -> None:
            os.chdir(tmp_path / "elsewhere")

    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("USERPROFILE", str(tmp_path / "home"))
    for place in ("here", "elsewhere", "home"):
        (tmp_path / place).mkdir()
    monkeypatch.chdir(tmp_path / "here")
    whole = trained(name, callbacks=[Moves()])  # type: ignore[arg-type]
    assert "not written" not in {choice.value for choice in whole.choices}
    assert [*(tmp_path / "elsewhere").iterdir()] == []
    folder = tmp_path / "home" / "a" if name.startswith("~") else tmp_path / "here" / name
    assert_same(nw.load_run(folder), whole)
    monkeypatch.chdir(tmp_path / "here")
    assert_same(nw.load_run(name), whole)
    assert nw.fork(name, epoch=1) == folder.with_name(f"{folder.name}-epoch1")


@pytest.mark.parametrize("name", ["report.html", "best.net", "last.net"])
def test_what_was_removed_of_a_run_that_ended_is_written_again(tmp_path: Path, name: str) -> None:
    run = trained(tmp_path)
    before = (tmp_path / name).read_bytes()
    (tmp_path / name).unlink()
    assert_same(trained(tmp_path), run)
    assert len((tmp_path / name).read_bytes()) == len(before)


def test_the_page_of_a_run_that_was_stopped(tmp_path: Path) -> None:
    class Stops(Callback):
        def on_epoch(self, status: Status) -> None:
            status.stop()

    trained(tmp_path, callbacks=[Stops()])
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "A callback stopped the run. 1 of 3 epochs and 4 of 12 steps are done" in page
    assert "nw.fork goes on from a kept epoch in another folder." in page


class Slows(Callback):
    """Changes the rate after some steps and epochs, as they say."""

    def on_step(self, status: Status) -> None:
        status.rate_factor = 1 / (1 + status.step % 5)

    def on_epoch(self, status: Status) -> None:
        status.rate_factor *= 3


@pytest.mark.parametrize("step", range(1, 13))
@pytest.mark.parametrize("share", [1e9, 0.007])
def test_a_rate_that_callbacks_change_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: int, share: float
) -> None:
    monkeypatch.setattr(recorder, "CHECKPOINT_SHARE", share)  # a checkpoint after every step, or few
    whole = trained(None, callbacks=[Slows()])
    with pytest.raises(ValueError, match="no more"):
        trained(tmp_path, callbacks=[Slows(), Ends(step, ValueError("no more"))])
    assert_same(trained(tmp_path, callbacks=[Slows()]), whole)
    assert_same(nw.load_run(tmp_path), whole)


@pytest.mark.parametrize("step", [1, 4, 5, 8])
def test_a_checkpoint_has_what_the_callbacks_have_changed_after_its_step(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    """As if the program were killed after the checkpoint of a step: the end of the run writes nothing."""

    class OnceSlows(Slows):
        def on_step(self, status: Status) -> None:
            if status.step == step:
                super().on_step(status)

        def on_epoch(self, status: Status) -> None:
            if status.step == step:
                super().on_epoch(status)

    def killed(self: Recorder, status: Status) -> None:
        raise SystemExit

    whole = trained(None, callbacks=[OnceSlows()])
    monkeypatch.setattr(recorder, "CHECKPOINT_SHARE", 1e9)
    with monkeypatch.context() as patched, pytest.raises(SystemExit):
        patched.setattr(Recorder, "on_end", killed)
        trained(tmp_path, callbacks=[OnceSlows(), Ends(step + 1, SystemExit())])
    seen: list[int] = []

    class Sees(OnceSlows):
        def on_step(self, status: Status) -> None:
            seen.append(status.step)
            super().on_step(status)

    assert_same(trained(tmp_path, callbacks=[Sees()]), whole)
    assert seen == [*range(step + 1, 13)]
