"""A run ends when its validation loss gets no better, or when its time is over; the best net is kept."""

from dataclasses import replace

import pytest

import netwright as nw
from messages import message
from netwright.training.events import Epoch, Status
from netwright.training.limits import Limits
from run_tools import XS, YS, trained

EPOCH = Epoch(1, 0.0, {}, 0.0, 0.0, 0.0, 0)


def status(done: int, best: int, seconds: float = 0.0) -> Status:
    found = Status(epochs=99, steps=99, batch_size=1, examples=1, choices=(), seconds=seconds, best=best)
    found.done = [replace(EPOCH, number=number + 1) for number in range(done)]
    return found


@pytest.mark.parametrize(
    ("limits", "at", "why"),
    [
        (Limits(), (50, 1, 1e9), ""),
        (Limits(patience=2), (4, 3), ""),
        (Limits(patience=2), (5, 3), "no better validation loss in 2 epochs"),
        (Limits(patience=1), (5, 4), "no better validation loss in 1 epoch"),
        (Limits(patience=3), (0, 0), ""),
        (Limits(minutes=0.5), (1, 1, 29.9), ""),
        (Limits(minutes=0.5), (1, 1, 30.0), "the 0.5 minutes are over"),
    ],
)
def test_when_it_ends(limits: Limits, at: tuple, why: str) -> None:
    assert limits.reached(status(*at)) == why


def test_patience_ends_a_run_and_keeps_the_best_net() -> None:
    run = trained(None, epochs=500, patience=4, learning_rate=0.05, schedule="constant")
    assert run.ended == "no better validation loss in 4 epochs"
    assert len(run.epochs) == run.best + 4 < 500
    assert min(epoch.validation["loss"] for epoch in run.epochs) == run.epochs[run.best - 1].validation["loss"]
    assert "patience: 4 (given)" in map(str, run.choices)
    enough = trained(None, epochs=run.best, patience=4, learning_rate=0.05, schedule="constant")
    assert enough.ended == "all epochs done"


def test_time_ends_a_run_within_an_epoch() -> None:
    run = trained(None, epochs=10**6, minutes=0.01)
    assert run.ended == "the 0.01 minutes are over"
    assert 0.6 <= run.seconds < 60
    assert "minutes: 0.01 (given)" in map(str, run.choices)


def test_a_run_that_a_limit_has_ended_goes_on_in_a_fork(tmp_path) -> None:
    folder, options = tmp_path / "a", {"learning_rate": 0.05, "schedule": "constant", "epochs": 60}
    run = trained(folder, patience=2, **options)
    assert run.ended.startswith("no better")
    assert trained(folder, patience=2, **options).epochs == run.epochs
    more = trained(nw.fork(folder, epoch=1, patience=None), **options)
    assert more.ended == "all epochs done"
    assert more.losses == trained(None, **options).losses


def test_a_limit_that_cannot_be_reached_is_refused() -> None:
    net = nw.Chain(nw.Linear(), input=nw.Vector(4), output=nw.Number())
    assert message(lambda: nw.train(net, (XS, YS), patience=3, progress=False)) == (
        "patience waits for a better validation loss, and nothing is validated\n"
        "  where:    patience\n  got:      3\n"
        "  mend:     validation=0.1, a part of the data\n  or:       leave patience out"
    )
    assert message(lambda: nw.train(net, (XS, YS), minutes=0)) == (
        "minutes is a finite number above 0\n  where:    minutes\n  got:      0"
    )
    assert message(lambda: nw.train(net, (XS, YS), patience=0)) == (
        "patience is a whole number of at least 1\n  where:    patience\n  got:      0 (int)"
    )
