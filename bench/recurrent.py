"""What recurrence costs beside the best: a folded cell beside its leaf, a late character beside an early one."""

import itertools
import time
from collections.abc import Callable

import torch
from bench.interleave import Row, interleave, timed
from bench.peers.netwright_fit import ALPHABET
from torch import Tensor

import netwright as nw
from netwright.net.apply import whole_program

SIZES = (32, 64, 128)  # batch, steps, length of the state
PASSES = 4  # a tenth of a second
PLACES = {"base": 200, "late": 2000}  # characters before those that are timed
CHARACTERS = 100


def race_fold(repeats: int) -> list[Row]:
    """A GRU cell in a fold, and the leaf: forward and backward; the ratio is the leaf's seconds over the fold's."""
    nets = {"base": nw.GRU(SIZES[2]), "fold": nw.Fold(nw.GRUCell(SIZES[2]))}
    return interleave({name: _passes(nw.Chain(part, input=("n", SIZES[2]))) for name, part in nets.items()}, repeats)


def _passes(net: nw.Net) -> Callable[[], float]:
    net = nw.initialize(net, seed=0)
    arrays = {path: array.clone().requires_grad_() for path, array in net.arrays.items()}
    bound, x = whole_program(net).bind(arrays), torch.randn(SIZES)

    def step() -> tuple[Tensor, ...]:
        return torch.autograd.grad(bound({"input": x})[0].square().mean(), [*arrays.values()])

    return timed(step, PASSES)


def race_generation(repeats: int) -> list[Row]:
    """Characters made after 200 others and after 2,000; the ratio is the early ones' seconds over the late ones'."""
    net = nw.Chain(
        nw.Embedding(64), nw.GRU(512), nw.GRU(512), nw.Linear(), nw.softmax,
        input=nw.Characters(ALPHABET, mark_start=True), output=nw.Characters(ALPHABET),
    )  # fmt: skip
    net = nw.initialize(net, seed=0)
    return interleave({name: _made(net, place) for name, place in PLACES.items()}, repeats)


def _made(net: nw.Net, place: int) -> Callable[[], float]:
    start = "".join(itertools.islice(itertools.cycle(ALPHABET), place))

    def turn() -> float:
        pieces = nw.stream(net, start, strategy=nw.Sample(seed=0), max_elements=CHARACTERS + 1)
        next(pieces)  # reads the start
        begin = time.perf_counter()
        assert len(list(pieces)) == CHARACTERS
        return time.perf_counter() - begin

    turn()
    return turn
