"""Which positions an output sees, as a leaf says and as perturbation shows; and stepping = all at once."""

import math

import pytest
import torch
from torch import Tensor

import netwright as nw
from layers.padded import Case
from layers.padded import Row as Padded
from netwright.layers.position import Positions, SinePositions
from netwright.layers.sequence import Delay, DropFirst, DropLast, First, Last, Reverse

ALL = (-math.inf, math.inf)
SAYING = [
    (nw.Conv(4, 3), "n 4", (0, 2)),
    (nw.Conv(4, 3, padding=1), "n 4", (-1, 1)),
    (nw.Conv(4, 4, padding="same"), "n 4", (-1, 2)),
    (nw.Conv(4, 5, padding="causal"), "n 4", (-4, 0)),
    (nw.Conv(4, 3, padding="causal", dilation=2), "n 4", (-4, 0)),
    (nw.Conv(4, 1), "n 4", (0, 0)),
    (nw.Conv(4, (3, 2), padding=(1, 1)), "n m 4", (-1, 1)),
    (nw.Conv(4, 3, stride=2), "n 4", ALL),
    (nw.ConvTranspose(4, 3), "n 4", (-2, 0)),
    (nw.ConvTranspose(4, 3, padding=2, dilation=2), "n 4", (-2, 2)),
    (nw.ConvTranspose(4, 3, padding="same"), "n 4", (-1, 1)),
    (nw.ConvTranspose(4, 2, stride=2), "n 4", ALL),
    (nw.ConvTranspose(4, (3, 1), stride=(1, 2)), "n m 4", (-2, 0)),
    (nw.Resize(factor=2), "n 4", ALL),
    (nw.Resize(factor=(1, 2)), "n m 4", (0, 0)),
    (nw.MaxPool(3, stride=1, padding=1), "n 4", (-1, 1)),
    (nw.MaxPool((3, 1), stride=1), "n m 4", (0, 2)),
    (nw.AvgPool(3, stride=1), "n 4", (0, 2)),
    (nw.AvgPool(2), "n 4", ALL),
    (nw.AvgPool(4, stride=1, padding="same"), "n 4", (-1, 2)),
    (nw.Conv(4, 3, stride=2, padding="same"), "n 4", ALL),
    (nw.Pad((2, 1), mode="reflect"), "n 4", (-4, 2)),
    (nw.Pad((2, 1), mode="replicate"), "n 4", (-3, 0)),
    (nw.Pad((2, 1), mode="circular"), "n 4", ALL),
    (nw.Pad((0, 0), (1, 1), mode="reflect"), "n m 4", (0, 0)),
    (nw.PixelShuffle(2), "n 4", ALL),
    (nw.BatchNorm(), "n 4", (0, 0)),
    (nw.Slice(2), "n 4", (0, 0)),
    (nw.Slice((None, 3)), "n 4", (0, 0)),
    (nw.Slice((2, None), axis=0), "n 4", (2, 2)),
    (nw.Slice((-2, None), axis=0), "n 4", ALL),
    (nw.Slice((2, None)), "n 4", (0, 0)),
    (nw.Slice((-2, None)), "n 4", (0, 0)),
    (nw.Slice((2, None), axis=-2), "n 4", (2, 2)),
    (nw.Slice((2, None), axis=1), "n m 4", (0, 0)),
    (nw.Slice((-2, None), axis=-2), "n 4", ALL),
    (nw.Pad((2, 1)), "n 4", (-2, -2)),
    (nw.Pad((0, 0), (2, 1)), "n 4", (0, 0)),
    (nw.Conv(4, (1, 3), padding=(0, 1)), "n m 4", (0, 0)),
    (nw.Conv(4, (3, 1), stride=(1, 2)), "n m 4", (0, 2)),
    (nw.AvgPool((1, 2)), "n m 4", (0, 0)),
    (nw.Mean(-1), "n 4", (0, 0)),
    (nw.Sum(1), "n m 4", (0, 0)),
    (nw.Max((1, 2)), "n m 4", (0, 0)),
    (nw.Variance(-1), "n 4", (0, 0)),
    (nw.Softmax(0), "n 4", ALL),
    (nw.LogSoftmax(-2), "n 4", ALL),
    (DropLast(), "n 4", (0, 0)),
    (DropFirst(), "n 4", (1, 1)),
    (Delay(), "n 4", (-1, -1)),
    (Delay(-2), "n 4", (2, 2)),
    (Reverse(), "n 4", ALL),
    (Last(), "n 4", ALL),
    (First(), "n 4", ALL),
    (Positions(12), "n 4", (0, 0)),
    (SinePositions(), "n 4", (0, 0)),
    (nw.Segments(), "n 4", (0, 0)),
]
STEPPING = [
    (nw.Conv(5, 3, padding="causal"), "n 4"),
    (nw.Conv(5, 3, padding="causal", dilation=2, bias=False), "n 4"),
    (nw.Conv(4, 2, padding="causal", groups=2), "n 4"),
    (nw.Conv(5, 1), "n 4"),
    (Delay(), "n 4"),
    (Delay(3, fill=1.5), "n 4"),
    (Delay(2, fill=6), "n <7>"),
    (Positions(12), "n 4"),
    (SinePositions(), "n 4"),
    (nw.Indices(), "n 4"),
]


def name(value: object) -> str:
    return repr(value)


def seen(case: Case) -> set[tuple[int, int]]:
    """Pairs (output position, input position) along the first axis of the first example, where the slope is not 0."""
    x = case.examples[0][0].unsqueeze(0).requires_grad_()

    def at(x: Tensor) -> Tensor:
        y = case.run([x], [0], lengths_given=False)
        return y[0] if y.ndim == 2 else y[0].flatten(1).sum(1)

    slope = torch.autograd.functional.jacobian(at, x)  # (outputs, 1, n, ...)
    return {(i, j) for i, j in (slope[:, 0].flatten(2).abs().sum(2) > 1e-12).nonzero().tolist()}


@pytest.mark.parametrize(("leaf", "sizes", "expected"), SAYING, ids=name)
def test_what_a_leaf_sees(leaf, sizes, expected):
    low, high = leaf.span("input", 0, len(sizes.split()), training=False) or ALL
    assert (low, high) == expected
    apart = {j - i for i, j in seen(Case(Padded(leaf, (sizes,), False)))}
    assert all(low <= d <= high for d in apart)
    if expected != ALL:
        assert (min(apart), max(apart)) == expected


def test_what_batch_norm_sees_in_training():
    assert nw.BatchNorm().reach(True) == {}


@pytest.mark.parametrize("leaf", [nw.Add(), nw.Multiply()], ids=name)
def test_what_sums_and_products_see(leaf):
    assert leaf.reach(False) == {"*": (0, 0)}


def test_what_concatenation_sees():
    assert nw.Concatenate().reach(False) == {}
    assert nw.Concatenate(axis=0).reach(False) == {"x1": (0, 0), "*": (-math.inf, 0)}


@pytest.mark.parametrize(("leaf", "sizes"), STEPPING, ids=name)
@pytest.mark.parametrize("chunks", [(1,) * 9, (4, 1, 3, 1), (9,)])
def test_steps_give_what_all_at_once_gives(leaf, sizes, chunks):
    case = Case(Padded(leaf, (sizes,), False))
    example = case.examples[2][0]
    w, x = case.weights(), torch.stack([example, example.flip(0)])
    whole = leaf.forward(w, x)
    pieces, memory = [], None
    for chunk in x.split(chunks, 1):
        y, memory = leaf.step(w, memory, chunk)
        assert memory.keys() == leaf.memory().keys()
        assert all(len(value) == len(x) for value in memory.values())
        pieces.append(y)
    torch.testing.assert_close(torch.cat(pieces, 1), whole, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize(
    "leaf",
    [
        *(nw.Conv(4, 3), nw.Conv(4, 3, padding="same"), nw.Conv(4, 3, padding="causal", stride=2)),
        *(nw.Conv(4, (3, 3), padding="causal"), nw.Conv(4, 1, stride=2), nw.Conv(4, 1, padding=1)),
        *(Delay(-1), DropLast(), DropFirst(), Reverse(), Last(), nw.MaxPool(3, stride=1)),
    ],
    ids=name,
)
def test_what_cannot_step(leaf):
    assert leaf.memory() is None


def test_what_is_remembered_has_sizes():
    assert nw.Conv(4, 3, padding="causal", dilation=2).memory() == {"past": "before in"}
    known = {"s": (9,), "t": None, "in": 4, "out": 5}
    assert nw.Conv(5, 3, padding="causal", dilation=2).relate(known)["before"] == 4
    assert "before" not in nw.Conv(5, 3).relate(known)
    assert nw.Conv(5, 1).memory() == {}
    assert Delay(3).memory() == {"past": "before ..."}
    assert Delay(3).relate({"n": 9})["before"] == 3
    assert Positions(4).memory() == SinePositions().memory() == {"place": ""}


def test_attention_with_a_window_sees_what_is_near() -> None:
    assert nw.Attention(window=3).reach(False)["key"] == (-2, 2)
    assert nw.Attention(causal=True, window=3).reach(False)["value"] == (-2, 0)


@pytest.mark.parametrize("chunks", [(1,) * 9, (4, 1, 3, 1), (2, 7)])
def test_attention_with_a_window_steps_with_so_many_keys(chunks) -> None:
    leaf = nw.Attention(2, causal=True, window=3)
    torch.manual_seed(0)
    q, k, v = (torch.randn(2, 9, 4, dtype=torch.float64) for _ in range(3))
    memory, found = None, []
    for one in zip(*(x.split(chunks, 1) for x in (q, k, v)), strict=True):
        (y, _), memory = leaf.step({}, memory, *one, None, None)
        found.append(y)
        assert memory["keys"].shape[1] <= 2
    torch.testing.assert_close(torch.cat(found, 1), leaf.forward({}, q, k, v)[0])
