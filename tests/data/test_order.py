"""The order of data is a function of seed and epoch, and every example comes once an epoch."""

import doctest
import importlib

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from netwright.data.order import batch_sizes, blocked_order, bucketed_order, epoch_order, generator, padded

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


def sentences(n: int, spread: float = 0.5) -> torch.Tensor:
    """Lengths as those of sentences: log-normal."""
    draws = torch.randn(n, generator=torch.Generator().manual_seed(0))
    return (draws * spread + 3).exp().ceil().long()


@given(lengths=st.lists(st.integers(1, 40), min_size=1, max_size=90), size=st.integers(1, 20), epoch=st.integers(0, 9))
def test_batches_of_like_length_hold_each_example_once(lengths: list[int], size: int, epoch: int) -> None:
    order = bucketed_order(torch.tensor(lengths), size, seed=3, epoch=epoch)
    assert sorted(order.tolist()) == list(range(len(lengths)))
    assert torch.equal(order, bucketed_order(torch.tensor(lengths), size, seed=3, epoch=epoch))


def test_lengths_in_a_batch_are_alike_and_batches_come_in_any_order() -> None:
    lengths = sentences(1000)
    pieces = lengths[bucketed_order(lengths, 16, seed=0, epoch=1)].split(16)
    assert [len(piece) for piece in pieces] == [16] * 62 + [8]
    medians = torch.stack([piece.median() for piece in pieces]).double()
    ranks = medians.argsort().argsort().double()
    assert abs(float(torch.corrcoef(torch.stack([ranks, torch.arange(63).double()]))[0, 1])) < 0.3


def test_epochs_and_seeds_mix_examples_anew() -> None:
    lengths = sentences(1000)

    def batches(seed: int, epoch: int) -> set[frozenset[int]]:
        order = bucketed_order(lengths, 16, seed, epoch)
        return {frozenset(batch.tolist()) for batch in order.split(16)}

    assert len(batches(0, 1) & batches(0, 2)) < 5
    assert len(batches(0, 1) & batches(1, 1)) < 5
    same = torch.full((64,), 7)
    assert len({tuple(bucketed_order(same, 8, 0, epoch).tolist()) for epoch in range(9)}) == 9


@pytest.mark.parametrize("size", [32, 64, 128])
def test_sentences_are_padded_little(size: int) -> None:
    lengths, n = sentences(18_000), 18_000
    waste = 1 - int(lengths.sum()) / padded(lengths, bucketed_order(lengths, size, 0, 1), size)
    assert 0.02 < waste < 0.1
    assert 1 - int(lengths.sum()) / padded(lengths, epoch_order(n, 0, 1), size) > 0.5


@given(data=st.data(), size=st.integers(1, 5))
def test_padded_counts_what_a_batch_holds(data: st.DataObject, size: int) -> None:
    row = st.tuples(st.integers(1, 6), st.integers(1, 6))
    rows = torch.tensor(data.draw(st.lists(row, min_size=1, max_size=12)))
    order = epoch_order(len(rows), seed=0, epoch=0)
    counted = 0
    for start in range(0, len(rows), size):
        batch = rows[order[start : start + size]].tolist()
        counted += len(batch) * max(n for n, _ in batch) * max(m for _, m in batch)
    assert padded(rows, order, size) == counted


def test_examples_in_docstrings() -> None:
    assert doctest.testmod(module).failed == 0


@pytest.mark.parametrize("least", [1, 2, 3])
def test_batches_are_cut_so_that_none_has_fewer_than_the_least(least) -> None:
    for count in range(1, 30):
        for size in range(least, 9):
            sizes = batch_sizes(count, size, least)
            assert sum(sizes) == count
            assert all(least <= each < size + least for each in sizes) or sizes == [count]
            assert sizes[:-1] == [size] * (len(sizes) - 1)


def test_blocks_that_are_not_open_do_not_mix() -> None:
    blocks = torch.arange(10).repeat_interleave(7)
    once = torch.zeros_like(blocks)
    order = blocked_order(blocks, once, 3, seed=1, epoch=2)
    assert order.sort().values.equal(torch.arange(70))
    groups = [set(part.tolist()) for part in blocks[order].split(21)]
    assert [len(group) for group in groups] == [3, 3, 3, 1]
    assert order.equal(blocked_order(blocks, once, 3, seed=1, epoch=2))
    assert not order.equal(blocked_order(blocks, once, 3, seed=1, epoch=3))


def test_the_blocks_of_parts_that_are_open_come_side_by_side_one_after_the_other() -> None:
    parts = torch.arange(4).repeat_interleave(6)
    blocks = torch.tensor([0, 0, 1, 1, 2, 2]).repeat(4)
    order = blocked_order(parts, blocks, 2, seed=1, epoch=2)
    assert blocks[order].tolist() == [0] * 4 + [1] * 4 + [2] * 4 + [0] * 4 + [1] * 4 + [2] * 4
    first, second = parts[order].split(12)
    assert len(first.unique()) == 2 and not set(first.tolist()) & set(second.tolist())
    assert order.sort().values.equal(torch.arange(24))
    assert not order[:4].equal(order[:4].sort().values) or not order[4:8].equal(order[4:8].sort().values)
