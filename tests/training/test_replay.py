"""A run made again is the same run, bit for bit; what is not the run's is refused before the first step."""

from pathlib import Path
from typing import Any

import pytest
import torch

import netwright as nw
from messages import message
from netwright.errors import DataError, TrainingError
from netwright.net.history import History
from netwright.training.replay import Comparison
from run_tools import XS, YS, Ends, trained
from training.test_resume import SETTINGS, Made

FAST = ("optimizer adam", "validation", "running arrays, dropout", "bucketing")
SLOW = tuple(name for name in SETTINGS if name not in FAST)


def settings_of(name: str) -> tuple[nw.Net, Any, dict[str, Any]]:
    net, data, more = SETTINGS[name]
    data = data.make() if isinstance(data, Made) else data
    return net(), data, {"epochs": 3, "batch_size": 10, "threads": 1, "seed": 1, "progress": False, **more}


def assert_replays(name: str) -> None:
    net, data, more = settings_of(name)
    run = nw.train(net, data, **more)
    given = {k: v for k, v in more.items() if k == "weights" or (k == "validation" and not isinstance(v, int | float))}
    again = nw.replay(run, data, progress=False, **given)
    assert again.equal, repr(again)
    assert (again.run.net, again.run.last, again.run.losses) == (run.net, run.last, run.losses)
    assert again.run.net.history == run.net.history
    assert repr(again).splitlines()[0] == "Replay: the same came out, bit for bit"


@pytest.mark.parametrize("name", FAST)
def test_it_is_the_same_run(name: str) -> None:
    assert_replays(name)


@pytest.mark.slow
@pytest.mark.parametrize("name", SLOW)
def test_it_is_the_same_run_with_every_setting(name: str) -> None:
    assert_replays(name)


def test_a_run_from_its_folder(tmp_path: Path) -> None:
    run = trained(tmp_path)
    read = nw.load_run(tmp_path)
    again = nw.replay(read, (XS, YS), progress=False)
    assert again.equal, repr(again)
    assert again.run.net == run.net
    assert read.net.history == run.net.history == nw.load(tmp_path / "best.net").history
    assert read.last.history == run.last.history
    assert trained(tmp_path).net.history == run.net.history


def test_one_that_chose_for_itself() -> None:
    net = nw.Chain(4, nw.tanh, nw.Linear(), input=nw.Number(), output=nw.Number())
    data = ([0, 1, 2, 3], [0, 1, 4, 9])
    run = nw.train(net, data, threads=1, epochs=2, progress=False)
    assert nw.replay(run, data, progress=False).equal


def test_one_that_ended_early() -> None:
    with pytest.raises(ValueError, match="no more") as caught:
        trained(None, callbacks=[Ends(6, ValueError("no more"))])
    run = caught.value.run  # type: ignore[attr-defined]
    again = nw.replay(run, (XS, YS), progress=False)
    assert again.equal, repr(again)
    assert len(again.run.losses) == 6


def test_other_data_are_refused_before_the_first_step() -> None:
    run = trained(None)
    other = XS.clone()
    other[3, 1] += 1
    with pytest.raises(DataError) as caught:
        nw.replay(run, (other, YS), progress=False)
    then = run.net.history[-1]["data"]
    lines = str(caught.value).splitlines()
    assert lines[0].startswith("the data") and lines[0].endswith("of this call are not those of the run")
    assert lines[1].startswith(f"  expected: data: {then}")
    assert lines[2].startswith("  got:      data: 36 examples, ")
    assert not lines[2].startswith(f"  got:      data: {then}")
    assert lines[-1] == "  mend:     the data and settings that the run was made with"


def test_what_a_run_does_not_hold_is_given_again() -> None:
    held_out = (XS[:9], YS[:9])
    weights = [1.0 + i % 3 for i in range(40)]
    run = trained(None, validation=held_out, weights=weights)
    with pytest.raises(TrainingError) as caught:
        nw.replay(run, (XS, YS), progress=False)
    assert str(caught.value) == (
        "the run was made with validation and weights, which it does not hold\n"
        "  expected: validation=… as in the call that made the run, weights=… as in the call that made the run\n"
        "  mend:     nw.replay(run, data, validation=…, weights=…)"
    )
    assert nw.replay(run, (XS, YS), validation=held_out, weights=weights, progress=False).equal


def test_what_a_folder_cannot_hold_is_given_again(tmp_path: Path) -> None:
    trained(tmp_path, optimizer=torch.optim.NAdam)
    read = nw.load_run(tmp_path)
    with pytest.raises(TrainingError, match="the run was made with optimizer, which it does not hold"):
        nw.replay(read, (XS, YS), progress=False)
    assert nw.replay(read, (XS, YS), optimizer=torch.optim.NAdam, progress=False).equal


def test_a_forked_run_is_refused(tmp_path: Path) -> None:
    trained(tmp_path / "a")
    run = trained(nw.fork(tmp_path / "a", epoch=1, threads=1))
    assert run.net.history[-1]["forked"].startswith("from epoch 1 of the run ")
    with pytest.raises(TrainingError, match="a run that was forked begins with the weights and the optimizer of"):
        nw.replay(run, (XS, YS), progress=False)


def test_another_setting_is_refused() -> None:
    run = trained(None, optimizer="sgd")
    with pytest.raises(TrainingError) as caught:
        nw.replay(run, (XS, YS), optimizer="adam", progress=False)
    assert str(caught.value).splitlines()[0].startswith("the optimizer")


def test_what_differs_is_said_line_by_line(monkeypatch: pytest.MonkeyPatch) -> None:
    run = trained(None)
    monkeypatch.setattr("netwright.training.folder.made_from.versions", lambda device: {"netwright": "9"})
    monkeypatch.setattr("netwright.training.schedules.ConstantRate.factor", lambda self, step, steps: 1 + (step > 4))
    again = nw.replay(run, (XS, YS), progress=False)
    assert not again.equal
    lines = repr(again).splitlines()
    assert lines[0] == "Replay: something else came out, and the versions or the processor differ"
    by_name = {one.name: one for one in again.comparisons}
    assert [one.equal for one in again.comparisons] == [True, True, False, False, False, False]
    assert by_name["losses"].said.startswith("from step 7 of 12 steps on: ")
    assert " then, " in by_name["best net"].said
    assert by_name["versions"].said.startswith(f"netwright {run.start.versions['netwright']} then, 9 now; torch ")  # type: ignore[union-attr]


def test_a_line() -> None:
    assert str(Comparison("losses", True, "at all 12 steps")) == "losses      equal    at all 12 steps"


def test_a_run_without_steps() -> None:
    net = nw.initialize(nw.Chain(1, input=1))
    with pytest.raises(TrainingError) as caught:
        nw.replay(nw.Run(net, net, (), (), (), 0, 0.0, "interrupted"), (XS, YS))
    assert str(caught.value) == (
        "this run has no step that could be made again\n"
        "  expected: a run of at least one step, from nw.train or nw.load_run"
    )
    assert net.history != History()


def test_a_folder_is_no_run() -> None:
    with pytest.raises(TrainingError) as caught:
        nw.replay("runs/a", ([0], [0]), progress=False)  # type: ignore[arg-type]
    assert str(caught.value) == (
        "this is not a run\n"
        "  expected: what nw.train or nw.load_run gave\n"
        "  got:      'runs/a'\n"
        "  mend:     nw.replay(nw.load_run('runs/a'), data)"
    )


def test_a_run_whose_rate_callbacks_changed_is_refused() -> None:
    class Halves(nw.Callback):
        def on_step(self, status: nw.Status) -> None:
            status.rate_factor = 0.5

    run = trained(None, callbacks=[Halves()])
    assert message(nw.replay, run, (XS, YS)) == (
        "callbacks changed the learning rate of this run, and a run does not hold its callbacks\n"
        "  expected: a run whose rate is that of its schedule"
    )
