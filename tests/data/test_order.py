"""The order of data is a function of seed and epoch, and every example comes once an epoch."""

import doctest
import importlib

import torch
from hypothesis import given
from hypothesis import strategies as st

from netwright.data.order import epoch_order, generator

module = importlib.import_module("netwright.data.order")


@given(n=st.integers(1, 200), seed=st.integers(-5, 2**65), epoch=st.integers(0, 99))
def test_each_example_comes_once(n: int, seed: int, epoch: int) -> None:
    assert sorted(epoch_order(n, seed, epoch).tolist()) == list(range(n))


def test_the_order_needs_no_history() -> None:
    torch.manual_seed(5)
    later = epoch_order(50, seed=1, epoch=7)
    for epoch in range(7):
        epoch_order(50, seed=1, epoch=epoch)
    assert torch.equal(epoch_order(50, seed=1, epoch=7), later)
    assert later.dtype == torch.int64


def test_seeds_and_epochs_have_orders_of_their_own() -> None:
    orders = {tuple(epoch_order(30, seed, epoch).tolist()) for seed in range(8) for epoch in range(8)}
    assert len(orders) == 64


def test_the_order_is_the_same_in_every_process() -> None:
    assert epoch_order(8, seed=0, epoch=0).tolist() == [2, 3, 1, 6, 5, 4, 0, 7]


def test_drawing_leaves_the_global_generator_alone() -> None:
    before = torch.get_rng_state()
    epoch_order(10, 0, 0)
    assert torch.equal(torch.get_rng_state(), before)


def test_keys_do_not_run_together() -> None:
    seeds = {generator(*key).initial_seed() for key in ((1, 23), (12, 3), ("1", 23), (123,), (1, 23, "epoch"))}
    assert len(seeds) == 5


def test_examples_in_docstrings() -> None:
    assert doctest.testmod(module).failed == 0
