"""A seed is made of parts: the same everywhere, and unrelated to that of its neighbours."""

import torch

from netwright.seeds import generator_of, seed_of


def test_other_parts_have_another_seed() -> None:
    keys = [(1, 23), (12, 3), (123,), (1, 24), (2, 23), (1, 23, "epoch"), (1, "23/weight")]
    assert len({seed_of(*key) for key in keys}) == len(keys)
    assert seed_of(1, "23") == seed_of(1, 23) == seed_of("1 23")  # a part counts by its text


def test_torch_takes_a_seed_and_gives_it_back() -> None:
    assert all(0 <= seed_of(number) < 1 << 63 for number in range(100))
    assert generator_of(0, "linear1/weight").initial_seed() == seed_of(0, "linear1/weight")


def test_neighbours_have_unrelated_streams() -> None:
    draws = torch.stack([torch.rand(1000, generator=generator_of(0, number)) for number in range(8)])
    assert float((draws.corrcoef() - torch.eye(8)).abs().max()) < 0.2
