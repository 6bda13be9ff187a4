"""Holds what a run needs beside its examples, and how many of these fit."""

import pytest

from netwright.training.optimizers import SGD, Adam, Lion, Optimizer
from netwright.training.room import examples_that_fit, held_bytes


@pytest.mark.parametrize(("optimizer", "times"), [(Adam(), 6), (SGD(), 5), (Lion(), 5)], ids=["Adam", "SGD", "Lion"])
def test_a_run_holds_weights_gradients_and_the_numbers_of_its_optimizer(optimizer: Optimizer, times: int) -> None:
    assert held_bytes(1000, optimizer, 4) == 1000 * times * 4


def test_examples_fit_in_what_is_left() -> None:
    assert examples_that_fit(1000, 100, 90) == 10
    assert examples_that_fit(1000, 101, 90) == 9
    assert examples_that_fit(1000, 2000, 90) == 0
    assert examples_that_fit(1000, 0, 0) == 1000
