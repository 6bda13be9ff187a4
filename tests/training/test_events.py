"""The status: pace and time left follow from what was done; callbacks get the net and change the rate."""

import math
import threading
from typing import Any

import pytest

import netwright as nw
from messages import message
from netwright.training.events import Callback, Choice, Epoch, Status
from netwright.training.schedules import ConstantRate
from run_tools import trained


def test_pace_and_time_left() -> None:
    status = Status(epochs=2, steps=20, batch_size=8, examples=80, choices=())
    assert math.isnan(status.seconds_left)
    assert status.examples_per_second == 0
    status.step, status.seconds = 5, 2.0
    assert (status.epoch, status.seconds_left, status.examples_per_second) == (1, 6.0, 20.0)
    status.done.append(Epoch(1, 0.5, {}, 0.1, 1.0, 80.0, 10))
    assert (status.epoch, status.examples_per_second) == (2, 80.0)
    status.done.append(Epoch(2, 0.5, {}, 0.1, 1.0, 90.0, 20))
    assert status.epoch == 2
    status.stop()
    assert status.stopping


def test_a_choice_says_its_reason() -> None:
    assert str(Choice("device", "cpu", "no accelerator found")) == "device: cpu (no accelerator found)"


def train(callback: Callback, **more: Any) -> nw.Run:
    return trained(None, callbacks=[callback], **more)


class Keeps(Callback):
    """Keeps the net of every step, of every epoch and of the end."""

    def __init__(self) -> None:
        self.steps, self.epochs, self.ends = list[nw.Net](), list[nw.Net](), list[nw.Net]()

    def on_step(self, status: Status) -> None:
        self.steps.append(status.net())

    def on_epoch(self, status: Status) -> None:
        self.epochs.append(status.net())

    def on_end(self, status: Status) -> None:
        self.ends.append(status.net())


@pytest.mark.parametrize("more", [{}, {"ema": 0.5}, {"precision": "float64"}, {"loss": nw.Huber()}])
def test_a_callback_gets_the_net(more: dict[str, Any]) -> None:
    seen = Keeps()
    run = train(seen, **more)
    assert len(seen.steps) == 12
    assert seen.steps[3] == seen.epochs[0] != seen.steps[4]  # later steps have not changed it
    assert seen.epochs[run.best - 1] == run.net
    assert seen.epochs[2] == seen.ends[0] == run.last
    assert seen.steps[0].inputs == run.net.inputs  # fitted
    assert run.losses == trained(None, **more).losses
    assert seen.steps[4].history[-1].text == "so far, 5 steps; seed 0"
    assert seen.steps[0].history[-1].text == "so far, 1 step; seed 0"


def test_the_net_before_the_first_step_is_that_of_the_user() -> None:
    net = nw.initialize(nw.Chain(nw.Linear(1), input=2, output=nw.Number(0, 1)), seed=5)
    seen, data = Keeps(), ([[1.0, 2.0]], [3.0])
    with pytest.raises(nw.TrainingError, match="the loss is not finite"):
        nw.train(net, data, loss=lambda output, target: (output - target).log().sum(), callbacks=[seen], progress=False)
    assert seen.ends == [net]


def test_the_net_is_not_given_elsewhere() -> None:
    said = list[str]()

    class Late(Callback):
        def on_step(self, status: Status) -> None:
            self.status = status
            if status.step == 1:
                other = threading.Thread(target=lambda: said.append(message(status.net)))
                other.start()
                other.join()

    late = Late()
    train(late)
    said.append(message(late.status.net))
    assert said == 2 * [
        "the net of a run is given within its callbacks only\n  where:    status.net()\n"
        "  expected: a call in on_step, on_epoch or on_end, in the thread that calls them\n"
        "  mend:     keep what status.net() gave there\n  or:       run.net, when the run has ended"
    ]


class Halves(Callback):
    """Halves the rate after a step, and after an epoch."""

    def on_step(self, status: Status) -> None:
        if status.step == 2:
            status.rate_factor = 0.5

    def on_epoch(self, status: Status) -> None:
        if len(status.done) == 2:
            status.rate_factor /= 2


def test_a_callback_changes_the_rate() -> None:
    rates, more = list[float](), {"learning_rate": 0.01, "optimizer": "sgd"}

    class Reads(Callback):
        def on_end(self, status: Status) -> None:
            rates.extend(status.learning_rates)

    run = trained(None, callbacks=[Halves(), Reads()], schedule="cosine", **more)
    expected = [0.01 * (1 + math.cos(math.pi * step / 11)) / 2 for step in range(12)]
    expected = [rate * (1.0 if i < 2 else 0.5 if i < 8 else 0.25) for i, rate in enumerate(expected)]
    assert rates == pytest.approx(expected)
    assert str(run.choices[-1]) == "rate factor: set by callbacks (0.5 from step 3 on)"
    same = train(Callback(), schedule=Steps((2, 8)), **more)
    assert train(Halves(), schedule="constant", **more).losses == same.losses


class Steps(ConstantRate):
    """Halves the rate at some steps, as a callback may do."""

    at: tuple[int, ...] = ()

    def factor(self, step: int, steps: int) -> float:
        return 0.5 ** sum(step >= at for at in self.at)
