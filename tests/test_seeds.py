"""A seed is made of parts: the same everywhere, and unrelated to that of its neighbours."""

import random
from collections.abc import Callable

import numpy as np
import pytest
import torch

import netwright as nw
from netwright.seeds import drawing_from, generator_of, seed_of


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


def drawn() -> tuple[float, ...]:
    """Numbers of all the generators of the process."""
    return (torch.randn(1).item(), np.random.randn(), random.gauss(), torch.rand(1).item(), np.random.rand())


def started() -> None:
    torch.manual_seed(7)
    np.random.seed(7)
    random.seed(7)
    drawn()


def test_code_that_draws_starts_at_a_seed_and_the_generators_are_left_as_they_were() -> None:
    started()
    wanted = drawn()
    started()
    with drawing_from(3):
        first = drawn()
    with pytest.raises(KeyError), drawing_from(3):
        assert drawn() == first
        raise KeyError
    with drawing_from(4):
        assert not set(drawn()) & set(first)
    assert drawn() == wanted


def noisy(x: torch.Tensor) -> torch.Tensor:
    return x + 0 * sum(drawn())


class Draws(torch.nn.Module):
    """Draws where its sizes are tried, where it is run, and where its arrays are filled."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = torch.nn.LazyLinear(3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return noisy(self.linear(x))


def by_function() -> nw.Net:
    return nw.initialize(nw.Chain(nw.Linear(3), nw.Function(noisy, "... -> ..."), input=("n", 2)))


def by_module() -> nw.Net:
    return nw.Chain(nw.Module(Draws()), nw.relu, input=("n", 2))


ENTRIES: dict[str, Callable[[], object]] = {
    "check": lambda: nw.check(by_function()),
    "check a module": lambda: nw.check(by_module()),
    "causality": lambda: nw.causality(by_function(), "n"),
    "trial": lambda: by_module().plan,
    "initialize": lambda: nw.initialize(by_module()),
    "summary": lambda: str(nw.summary(by_module())),
}


@pytest.mark.parametrize("entry", ENTRIES)
def test_looking_at_a_net_that_draws_leaves_the_generators_as_they_were(entry) -> None:
    started()
    wanted = drawn()
    started()
    ENTRIES[entry]()
    assert drawn() == wanted


def test_a_net_that_draws_is_saved_with_an_example_and_the_generators_stay(tmp_path) -> None:
    coin = nw.Function(toss, "... -> ...")
    net = nw.initialize(nw.Chain(nw.Linear(3), coin, input=nw.Vector(2, mean=0.0, deviation=1.0)))
    started()
    wanted = drawn()
    started()
    nw.save(net, tmp_path / "coin.net", examples=[[1.0, 2.0]])
    assert nw.load(tmp_path / "coin.net", functions={coin.import_name: toss}) == net  # it gives the example's output
    assert drawn() == wanted


def toss(x: torch.Tensor) -> torch.Tensor:
    return x + torch.rand(1)
