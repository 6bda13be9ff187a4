"""The status: pace and time left follow from what was done."""

import math

from netwright.training.events import Choice, Epoch, Status


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
