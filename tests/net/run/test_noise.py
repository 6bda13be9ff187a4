"""Noise is uniform, and depends on seed, step, part, example and position, never on the batch around."""

import math

import pytest
import torch

from netwright.net.run.noise import FEW, Noise


def noise(examples, seed=0, step=0, path="dropout1"):
    return Noise(seed, step, torch.tensor(examples), path)


def test_alone_is_batched_is_padded() -> None:
    batch = noise([5, 9, 2])((3, 7, 4))
    assert torch.equal(noise([9])((1, 7, 4))[0], batch[1])
    assert torch.equal(noise([2, 9])((2, 5, 4))[0], batch[2, :5])


def test_few_numbers_are_those_of_many() -> None:
    """Many are drawn by torch, few by NumPy."""
    ids = torch.arange(2000) * 0x1234567890123
    assert math.prod((len(ids), 40)) > FEW
    many = Noise(3, 7, ids, "x")((len(ids), 40))
    for first in (0, 777):
        assert torch.equal(Noise(3, 7, ids[first : first + 9], "x")((9, 40)), many[first : first + 9])
    assert torch.equal(Noise(3, 7, ids[::2], "x")((1000, 5)), many[::2, :5])


def test_every_key_draws_anew() -> None:
    base = noise([1, 2])((2, 1000))
    others = [noise([1, 2], seed=1), noise([1, 2], step=1), noise([1, 2], path="dropout2"), noise([1, 2]).at("x")]
    for other in others:
        assert abs(torch.corrcoef(torch.stack([base.flatten(), other((2, 1000)).flatten()]))[0, 1]) < 0.1
    assert not torch.equal(base[0], base[1])


def test_it_is_uniform() -> None:
    values = noise(list(range(200)))((200, 50, 20)).flatten()
    assert values.min() >= 0
    assert values.max() < 1
    counts = torch.histc(values, 20, 0, 1)
    expected = len(values) / 20
    assert ((counts - expected).square() / expected).sum() < 45  # chi-square with 19 degrees of freedom, p = 0.0007


def test_what_is_dropped_alone_is_dropped_in_a_batch() -> None:
    batch = noise([5, 9, 2]).kept((3, 7, 5), 0.4)
    assert torch.equal(noise([9]).kept((1, 7, 5), 0.4)[0], batch[1])
    assert torch.equal(noise([2, 9]).kept((2, 5, 3), 0.4)[0], batch[2, :5, :3])
    assert noise([5, 9]).kept((2,), 0.4).shape == (2,)


@pytest.mark.parametrize("rate", [0.0001, 0.1, 0.3, 0.5, 0.95])
def test_the_rate_of_what_is_dropped(rate) -> None:
    n, size = 400, 500
    kept = torch.stack([noise(list(range(n)), step=step).kept((n, size), rate) for step in range(10)]).double()
    each = rate * (1 - rate)
    for part in (kept, *(kept[..., lane::4] for lane in range(4))):  # halves of words lie side by side
        assert abs(1 - part.mean() - rate) < 5 * math.sqrt(each / part.numel()) + 2**-16
    for axes in ((0, 1), (0, 2)):
        means = 1 - kept.mean(axes)
        assert (means - rate).abs().max() < 6 * math.sqrt(each * len(means) / kept.numel()) + 2**-16


def test_the_ends_of_the_rate() -> None:
    assert noise([1, 2]).kept((2, 100), 0.0).all()
    assert noise(list(range(100))).kept((100, 100), 1 - 1e-9).float().mean() < 0.001


def test_no_two_columns_and_no_two_examples_are_dropped_together() -> None:
    n = 256
    values = torch.stack([noise(list(range(n)), step=step).kept((n, n), 0.5) for step in range(20)]).double() * 2 - 1
    for table in (values.flatten(0, 1), values.transpose(1, 2).flatten(0, 1)):
        together = table.T @ table / math.sqrt(len(table))
        assert together.fill_diagonal_(0).abs().max() < 6.5  # standard normal numbers, 32,640 of them


def test_neighbours_are_unrelated() -> None:
    values = noise(list(range(1000)))((1000, 2, 2))
    table = values.flatten(1).T
    off = torch.corrcoef(table) - torch.eye(4)
    assert off.abs().max() < 0.12
    along = torch.corrcoef(torch.stack([values[:-1, 0, 0], values[1:, 0, 0]]))[0, 1]
    assert abs(along) < 0.12


def test_code_that_draws_from_torch_can_be_governed() -> None:
    def drawn(one: Noise) -> torch.Tensor:
        with one.governing(torch.device("cpu")):
            return torch.rand(8)

    state = torch.get_rng_state()
    base = drawn(noise([1]))
    assert torch.get_rng_state().equal(state)
    assert base.equal(drawn(noise([1])))
    for other in (noise([1], seed=1), noise([1], step=1), noise([1], path="x")):
        assert not base.equal(drawn(other))
