"""A fork begins where a kept epoch ended: without changes it is the same run, bit for bit."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

import netwright as nw
from netwright.errors import FileError, NetwrightError, TrainingError
from netwright.training.events import Callback, Status
from netwright.training.folder import fork, recorder
from netwright.training.folder.made_from import CHANGEABLE
from netwright.training.result import Run
from run_tools import XS, YS, Ends, assert_same, trained


@pytest.fixture(scope="module", autouse=True)
def every_epoch_is_kept() -> Iterator[None]:
    """However slow the machine is."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(recorder, "EPOCH_SHARE", 1e9)
        yield


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "digits"
    trained(folder)
    return folder


def on(folder: Path, **more: Any) -> Run:
    """The run goes on, with no setting given."""
    net = nw.Chain(8, nw.relu, nw.Dropout(0.2), nw.Linear(), input=nw.Vector(4), output=nw.Number())
    return nw.train(net, (XS, YS), folder=folder, progress=False, **more)


def choice(run: Run, name: str) -> nw.Choice:
    return next(choice for choice in run.choices if choice.name == name)


@pytest.mark.parametrize("epoch", [1, 2])
def test_without_changes_it_is_the_same_run(first: Path, tmp_path: Path, epoch: int) -> None:
    whole, run = nw.load_run(first), on(nw.fork(first, epoch=epoch, into=tmp_path / "b"))
    assert (run.net, run.last, run.losses, run.best) == (whole.net, whole.last, whole.losses, whole.best)
    assert [(e.loss, e.validation) for e in run.epochs] == [(e.loss, e.validation) for e in whole.epochs]
    forked = choice(run, "forked")
    assert (forked.value, forked.why) == (f"from epoch {epoch} of {first}", "with the same settings")
    assert_same(nw.load_run(tmp_path / "b"), run)


def test_changed_settings_hold_from_there(first: Path, tmp_path: Path) -> None:
    whole = nw.load_run(first)
    run = on(nw.fork(first, epoch=1, into=tmp_path / "b", learning_rate=1e-4, epochs=5, clip=0.5, schedule="constant"))
    assert run.losses[:4] == whole.losses[:4]
    assert run.losses[5:12] != whole.losses[5:12]
    assert [epoch.learning_rate for epoch in run.epochs[1:]] == [1e-4] * 4
    assert len(run.losses) == 20
    assert str(choice(run, "learning rate")) == "learning rate: 0.0001 (given)"
    assert choice(run, "forked").why == "epochs=5, learning_rate=0.0001, schedule=ConstantRate(), clip=0.5"


@pytest.mark.parametrize(("settings", "rate"), [({"clip": 9.0}, 0.005), ({"learning_rate": 0.02}, 0.02)])
def test_the_factor_of_callbacks_stays_where_the_rate_does(
    tmp_path: Path, settings: dict[str, float], rate: float
) -> None:
    class Halves(Callback):
        def on_step(self, status: Status) -> None:
            status.rate_factor = 0.5

    trained(tmp_path / "a", callbacks=[Halves()], learning_rate=0.01, schedule="constant")
    assert on(nw.fork(tmp_path / "a", epoch=1, **settings)).epochs[1].learning_rate == rate


def test_the_same_call_gives_the_same_folder(tmp_path: Path) -> None:
    first = tmp_path / "digits"
    trained(first)
    folder = nw.fork(first, epoch=2, learning_rate=1e-4)
    assert folder.parent == tmp_path
    assert folder.name.startswith("digits-epoch2-")
    run = on(folder)
    before = {path: path.stat().st_mtime_ns for path in folder.iterdir()}
    assert nw.fork(str(first), epoch=2, learning_rate=1e-4) == folder
    assert {path: path.stat().st_mtime_ns for path in folder.iterdir()} == before
    assert_same(on(nw.fork(first, epoch=2, learning_rate=1e-4)), run)
    assert nw.fork(first, epoch=2, learning_rate=1e-3) != folder
    assert nw.fork(first, epoch=2) == tmp_path / "digits-epoch2"
    best = nw.load_run(first).best
    assert nw.fork(first, epochs=9) == nw.fork(first, epoch=best, epochs=9)


def test_a_fork_that_was_killed_is_made_again(first: Path, tmp_path: Path) -> None:
    folder = nw.fork(first, epoch=1, into=tmp_path / "b")
    (folder / "run.json").unlink()  # it is written last
    assert nw.fork(first, epoch=1, into=tmp_path / "b") == folder
    assert on(folder).losses == nw.load_run(first).losses


def test_a_run_is_forked_while_it_goes_on(tmp_path: Path) -> None:
    class Forks(Callback):
        def on_epoch(self, status: Status) -> None:
            if len(status.done) == 2:
                nw.fork(tmp_path / "a", epoch=1, into=tmp_path / "b")

    whole = trained(tmp_path / "a", callbacks=[Forks()])
    assert on(tmp_path / "b").losses == whole.losses


@pytest.mark.parametrize(
    ("before", "after", "new"),
    [
        ({}, {"optimizer": "adamw"}, False),  # it has the state of Adam
        ({}, {"optimizer": "sgd"}, True),
        ({"optimizer": "sgd"}, {"optimizer": nw.SGD(momentum=0.5)}, False),
        ({"optimizer": torch.optim.NAdam}, {"learning_rate": 0.1}, False),
        ({"optimizer": torch.optim.NAdam}, {"optimizer": torch.optim.RAdam}, True),
        ({}, {"learning_rate": {"linear1": 0.1}}, True),
        (
            {"learning_rate": {"linear1": 0.1, "linear2": 0.01}},
            {"learning_rate": {"linear1": 0.01, "linear2": 0.1}},
            True,
        ),
        (
            {"learning_rate": {"linear1": 0.1, "linear2": 0.01}},
            {"learning_rate": {"linear1": 0.2, "linear2": 0.02}},
            False,
        ),
    ],
)
def test_the_optimizer_goes_on_with_its_state_where_that_fits(
    tmp_path: Path, before: dict[str, Any], after: dict[str, Any], new: bool
) -> None:
    trained(tmp_path / "a", **before)
    again = {"optimizer": {**before, **after}["optimizer"]} if "torch" in str({**before, **after}) else {}
    run = on(nw.fork(tmp_path / "a", epoch=1, **after), **again)
    assert len(run.losses) == 12
    said = [str(choice) for choice in run.choices if choice.name == "state of the optimizer"]
    why = "the state before does not fit the optimizer, or the groups of arrays with one learning rate"
    assert said == [f"state of the optimizer: new ({why})"] * new


def test_another_batch_size_changes_the_steps_that_are_left(first: Path, tmp_path: Path) -> None:
    planned: list[int] = []

    class Sees(Callback):
        def on_step(self, status: Status) -> None:
            planned.append(status.steps)

    run = on(nw.fork(first, epoch=1, into=tmp_path / "b", batch_size=18), callbacks=[Sees()])  # of 36 examples
    assert planned == [4 + 2 * 2] * 4
    assert [epoch.step for epoch in run.epochs] == [4, 6, 8]
    with pytest.raises(ValueError, match="no more"):
        on(nw.fork(first, epoch=1, into=tmp_path / "c", batch_size=18), callbacks=[Ends(5, ValueError("no more"))])
    assert on(tmp_path / "c").losses == run.losses


def refused(**more: Any) -> str:
    with pytest.raises(NetwrightError) as caught:
        nw.fork(**more)
    return str(caught.value)


def test_an_epoch_that_is_not_kept(first: Path) -> None:
    assert refused(folder=first, epoch=7, epochs=20) == (
        "the state after epoch 7 is not kept\n"
        f"  where:    {first}\n"
        "  expected: one of 1, 2, 3\n"
        "  got:      epoch 7\n"
        "  mend:     epoch=3"
    )


def test_a_state_that_is_damaged(tmp_path: Path) -> None:
    trained(tmp_path / "a")
    (path,) = (tmp_path / "a").glob("*-epoch-0001.run")
    path.write_bytes(path.read_bytes()[:-1])
    assert refused(folder=tmp_path / "a", epoch=1) == (
        "the state after epoch 1 is damaged: the file is cut off\n"
        f"  where:    {tmp_path / 'a'}\n"
        "  expected: one of 1, 2, 3\n"
        "  got:      epoch 1\n"
        "  mend:     epoch=2"
    )


def test_what_cannot_change(first: Path) -> None:
    assert refused(folder=first, seed=3) == (
        "seed cannot change in a run that has begun\n"
        "  where:    fork\n"
        "  got:      it decides which examples validate, and the epochs so far trained on others"
    )
    for name in ("validation", "loss", "weights", "objective"):
        assert refused(folder=first, **{name: 1}).startswith(f"{name} cannot change in a run that has begun\n")
    assert refused(folder=first, lerning_rate=3) == (
        "lerning_rate is not a setting that nw.fork can change\n"
        "  where:    fork\n"
        "  expected: epochs, batch_size, accumulate, optimizer, learning_rate, schedule, clip, clip_value, penalties, "
        "ema, patience, minutes, precision, device, threads\n"
        "  mend:     did you mean 'learning_rate'?"
    )
    assert "nw.train(…, folder=nw.fork(…), callbacks=…)" in refused(folder=first, callbacks=[])
    with pytest.raises(TrainingError, match="epochs is a whole number"):
        nw.fork(first, epochs=0)


def test_nothing_left_to_do(first: Path) -> None:
    assert refused(folder=first, epoch=3) == (
        "after epoch 3 the run would have nothing left to do\n"
        "  where:    fork\n"
        "  expected: more than 3 epochs, counted from the first one\n"
        "  got:      epochs=3\n"
        "  mend:     epochs=6"
    )


def test_a_folder_with_something_else(first: Path, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine", encoding="utf-8")
    assert refused(folder=first, epoch=1, into=tmp_path) == (
        "the folder is not empty\n"
        f"  where:    {tmp_path}\n"
        "  expected: an empty folder, or a name that does not exist\n"
        "  mend:     into=, another folder"
    )
    other = nw.fork(first, epoch=1, into=tmp_path / "other")
    assert refused(folder=first, epoch=2, into=other).startswith("the folder is not empty\n")
    with pytest.raises(FileError, match="no run is in this folder"):
        nw.fork(tmp_path / "none")


def test_no_epoch_is_done(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no more"):
        trained(tmp_path, callbacks=[Ends(2, ValueError("no more"))])
    assert refused(folder=tmp_path) == f"no epoch of the run is done yet\n  where:    {tmp_path}"


@pytest.mark.parametrize("name", ["log.jsonl", "start.net"])
@pytest.mark.parametrize("damage", [False, True])
def test_a_log_or_a_first_net_that_is_damaged_or_removed(tmp_path: Path, name: str, damage: bool) -> None:
    whole = trained(tmp_path / "a")
    (tmp_path / "a" / name).unlink()
    if damage:
        (tmp_path / "a" / name).write_bytes(b"\xff\xfe\x00")
    folder = nw.fork(tmp_path / "a", epoch=1)
    assert on(folder).losses == whole.losses
    assert nw.load_run(folder).net == whole.net


def test_clipping_ends_and_the_fork_of_a_fork_says_where_it_is_from(tmp_path: Path) -> None:
    plain = trained(tmp_path / "plain")
    trained(tmp_path / "a", clip=0.01)
    folder = nw.fork(tmp_path / "a", epoch=1, clip=None)
    run = on(folder)
    assert "clip" not in json.loads((folder / "run.json").read_text(encoding="utf-8"))["settings"]
    assert run.losses[:4] == nw.load_run(tmp_path / "a").losses[:4] != plain.losses[:4]
    assert run.losses[5:] != nw.load_run(tmp_path / "a").losses[5:]
    assert on(folder, clip=None).losses == run.losses
    with pytest.raises(TrainingError, match="this call differs from the run in the folder in clip"):
        on(folder, clip=0.01)
    again = on(nw.fork(folder, epoch=2, epochs=4))
    first, second = (nw.load_run(path).start for path in (tmp_path / "a", folder))
    assert first is not None and second is not None
    entry = again.net.history[-1]
    assert re.sub("run [0-9a-f]{8}", "run R", entry["forked"]) == (
        "from epoch 2 of the run R (epochs=3), which was forked from epoch 1 of the run R (clip=0.01)"
    )
    assert f"epoch 4 kept; forked {entry['forked']}; 36 examples, seed 0" in entry.text


def test_an_epoch_beyond_the_end_is_not_kept(first: Path) -> None:
    assert refused(folder=first, epoch=7).startswith("the state after epoch 7 is not kept\n")


def test_none_is_no_value(first: Path) -> None:
    assert refused(folder=first, learning_rate=None) == (
        "learning_rate=None is no setting that a fork can have\n"
        "  where:    fork\n"
        "  expected: a value\n"
        "  mend:     leave learning_rate out, and it stays as it was"
    )


def test_every_setting_that_can_change_is_checked() -> None:
    assert tuple(fork.CHECKS) == CHANGEABLE
