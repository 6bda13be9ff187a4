"""Every leaf on padded batches: alone = padded in values and gradients, whatever is behind the ends."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

import netwright as nw
from layers.padded import FILLS, ROWS, TOLD, UNTOLD, Case, Row, cut
from netwright.layers.position import SinePositions
from netwright.layers.sequence import Delay, DropFirst, DropLast, First, Last, Reverse
from netwright.net.apply import whole_program
from netwright.net.leaf import LeafNode
from netwright.net.node import PARTS
from netwright.net.run.context import RunContext
from netwright.net.run.padding import Lengths

torch.set_num_threads(1)

# with tests of their own, or without inputs
ELSEWHERE = (
    "netwright.layers.recurrent",
    "netwright.layers.source",
    "netwright.layers.function",
    "netwright.layers.module",
)
REFUSED = {"Flatten", "TotalLoss", "WeightedLoss"}  # on sizes that vary; the last two take single numbers
CLOSE = {"rtol": 1e-10, "atol": 1e-10}


def row(values: list[Row]):
    return pytest.mark.parametrize("row", values, ids=lambda row: row.name)


class Alone:
    """The outputs of the examples one by one, and the gradients of all their inputs and of the arrays."""

    def __init__(self, case: Case, training: bool) -> None:
        inputs = [[wanting(x) for x in example] for example in case.examples]
        self.y = [
            case.run([x.unsqueeze(0) for x in example], [i], lengths_given=False, training=training)[0]
            for i, example in enumerate(inputs)
        ]
        assert [tuple(y.shape) for y in self.y] == [case.shape(i) for i in range(3)]
        self.grads = gradients(case, self.y, [x for example in inputs for x in example])


def wanting(x: Tensor) -> Tensor:
    return x.clone().requires_grad_(x.is_floating_point())


def gradients(case: Case, y: list[Tensor], inputs: list[Tensor]) -> list[Tensor | None]:
    of = [*(x for x in inputs if x.requires_grad), *(case.arrays[path] for path in case.learned)]
    if not of or not any(value.requires_grad for value in y):
        return []
    total = torch.stack([(value * case.along(i)).sum() for i, value in enumerate(y)]).sum()
    return list(torch.autograd.grad(total, of, allow_unused=True))


def check(case: Case, alone: Alone, fill: str, lengths_given: bool, training: bool) -> None:
    """Hold a padded batch against the examples alone; AssertionError where it differs."""
    batch = [wanting(x) for x in case.padded(fill)]
    y = case.run(batch, [0, 1, 2], lengths_given, training)
    own = [cut(y[i], case.shape(i)) for i in range(3)]
    for ours, theirs in zip(own, alone.y, strict=True):
        torch.testing.assert_close(ours, theirs, **CLOSE)
    assert y.isfinite().all()
    found = gradients(case, own, batch)
    arrays = len(case.learned)
    inputs, weights = found[: len(found) - arrays], found[len(found) - arrays :]
    for ours, theirs in zip(weights, alone.grads[len(alone.grads) - arrays :], strict=True):
        torch.testing.assert_close(ours, theirs, **CLOSE)
    floats = [k for k, x in enumerate(batch) if x.requires_grad]
    for place, (k, grad) in enumerate(zip(floats, inputs, strict=False)):
        for i in range(3):
            theirs = alone.grads[i * len(floats) + place]
            if grad is None or theirs is None:
                assert grad is theirs
                continue
            shape = case.examples[i][k].shape
            torch.testing.assert_close(cut(grad[i], shape), theirs, **CLOSE)
            rest = grad[i].clone()
            cut(rest, shape).zero_()
            assert not rest.any()  # nothing flows into what is behind the end, and it is a number


@row(ROWS)
def test_alone_is_as_padded(row):
    case = Case(row)
    alone = Alone(case, training=False)
    for fill in FILLS:
        check(case, alone, fill, lengths_given=True, training=False)


@row([row for row in ROWS if isinstance(row.leaf, nw.Dropout | nw.AlphaDropout)])
def test_alone_is_as_padded_in_training(row):
    case = Case(row)
    alone = Alone(case, training=True)
    for fill in FILLS:
        check(case, alone, fill, lengths_given=True, training=True)


@row(TOLD)
def test_without_lengths_it_would_be_wrong(row):
    case = Case(row)
    alone = Alone(case, False)
    wrong = 0
    for fill in FILLS:
        try:
            check(case, alone, fill, lengths_given=False, training=False)
        except AssertionError:
            wrong += 1
    assert wrong


@row(UNTOLD)
def test_without_lengths_it_is_right_too(row):
    case = Case(row)
    alone = Alone(case, False)
    for fill in FILLS:
        check(case, alone, fill, lengths_given=False, training=False)


@row(TOLD)
def test_compiles_in_one_graph(row):
    case = Case(row)
    inputs, lengths, w = case.padded("last"), case.own_lengths(), case.weights()

    def step(lengths: Lengths, *x: Tensor) -> Tensor:
        return row.leaf.forward(w, *x, lengths=lengths)

    expected = step(lengths, *inputs)  # once before: what a leaf keeps of its options is made outside of a compiler
    torch._dynamo.reset()
    # CTC reads its lengths as numbers, where a compiler ends one graph and begins another
    compiled = torch.compile(step, fullgraph=not isinstance(row.leaf, nw.CTCLoss), backend="eager")
    torch.testing.assert_close(compiled(lengths, *inputs), expected, **CLOSE)


KEEPING = [  # (n, 4) -> (m, 4), from 40 or more four of them leave 2 or more
    *(
        nw.Conv(4, 3),
        nw.Conv(4, 5, stride=2, padding=2),
        nw.Conv(4, 4, padding="same"),
        nw.Conv(4, 2, padding="causal"),
    ),
    *(nw.MaxPool(3, stride=2, padding=1), nw.MaxPool(2, stride=1), nw.AvgPool(3, stride=1, padding=1)),
    *(nw.Slice((1, -1), axis=0), nw.Pad((1, 2)), nw.Residual([nw.Linear(), nw.relu])),
    *(nw.LayerNorm(), nw.exp, DropLast(), DropFirst(), Reverse(), Delay(), Delay(-2), SinePositions()),
]
ENDING = [nw.Mean(0), nw.Max(0), nw.GlobalAvgPool(), Last(), First(), nw.Slice(-2, axis=0)]


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.sampled_from(KEEPING), min_size=1, max_size=4),
    st.sampled_from(ENDING),
    st.lists(st.integers(40, 50), min_size=2, max_size=4),
    st.integers(0, 6),
)
def test_whatever_stands_in_a_chain(parts, end, lengths, more):
    net = nw.Chain(*parts, end, input=("n", 4))
    arrays = {path: array.double() for path, array in nw.initialize(net).arrays.items()}
    bound = whole_program(net).bind(arrays)
    generator = torch.Generator().manual_seed(0)
    x = torch.rand(len(lengths), max(lengths) + more, 4, generator=generator, dtype=torch.float64)
    (padded,) = bound({"input": x}, RunContext(lengths={"n": torch.tensor(lengths)}))
    for i, length in enumerate(lengths):
        (alone,) = bound({"input": x[i : i + 1, :length]}, RunContext())
        torch.testing.assert_close(padded[i], alone[0], rtol=1e-9, atol=1e-10)


def test_every_leaf_has_a_row():
    ours = {name: cls for name, cls in PARTS.items() if cls.__module__.startswith("netwright.layers.")}
    leaves = {n for n, cls in ours.items() if issubclass(cls, LeafNode) and not cls.__module__.startswith(ELSEWHERE)}
    assert leaves - REFUSED == {type(row.leaf).__name__ for row in ROWS}


@pytest.mark.parametrize("cls", [cls for cls in PARTS.values() if issubclass(cls, LeafNode)], ids=lambda c: c.__name__)
def test_exact_leaves_stand_among_those_that_are_not_told(cls):
    if (
        cls.ignores_padding
        and cls.__module__.startswith("netwright.layers.")
        and not cls.__module__.startswith(ELSEWHERE)
    ):
        assert cls in {type(row.leaf) for row in UNTOLD}
        assert cls not in {type(row.leaf) for row in TOLD}
