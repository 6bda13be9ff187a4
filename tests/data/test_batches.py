"""The order of data is a function of seed and epoch, and every example comes once an epoch."""

import doctest
import importlib

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from netwright.data.batches import batches, epoch_order, generator
from netwright.errors import DataError

module = importlib.import_module("netwright.data.batches")


@given(n=st.integers(1, 200), size=st.integers(1, 250), seed=st.integers(-5, 2**65), epoch=st.integers(0, 99))
def test_each_example_comes_once(n: int, size: int, seed: int, epoch: int) -> None:
    drawn = list(batches(n, size, seed, epoch))
    assert sorted(torch.cat(drawn).tolist()) == list(range(n))
    assert all(len(batch) == size for batch in drawn[:-1])
    assert 1 <= len(drawn[-1]) <= size


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


@pytest.mark.parametrize(
    ("n", "size", "text"),
    [
        (0, 4, "there are no examples to batch\n  expected: at least 1\n  got:      0"),
        (3, 0, "a batch holds no example\n  expected: a size of at least 1\n  got:      0"),
    ],
)
def test_what_cannot_be_batched(n: int, size: int, text: str) -> None:
    with pytest.raises(DataError) as caught:
        batches(n, size, seed=0, epoch=0)
    assert str(caught.value) == text


def test_examples_in_docstrings() -> None:
    assert doctest.testmod(module).failed == 0
