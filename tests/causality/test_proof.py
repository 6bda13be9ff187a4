"""What the proof says of every value, and that perturbation never shows more: for every layer, and for random nets."""

import itertools
import random
from collections.abc import Iterator
from math import inf

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import netwright as nw
from causality.causal_nets import INPUT, Masked, attention, core
from layers.table import ROWS, Row
from netwright.causality import probe as probing
from netwright.causality.causality import offsets_of, sight_of
from netwright.causality.proof import ALL, SAME, Span, Visibility, displaced, union
from netwright.errors import NetwrightError
from netwright.layers.recurrent.gru import GRU, GRUCell
from netwright.layers.sequence import Delay, DropFirst, DropLast, Reverse
from netwright.net.plan.rewrite import rewritten

LOOSE = {"Slice", "Pad", "Concatenate", "MatMul", "Transpose", "Conv", "AvgPool", "Delay", "Attention"}
"""Layers whose reach is wider than need be: one answer for all axes, or none where axes only change their place."""


def span(net: nw.Net, along: str = "n", training: bool = False) -> Span:
    """What the first output may see of the only input."""
    sight = sight_of(net, along, training)
    (found,) = sight.of(net.plan.wiring.outputs[0][1]).values()
    return found


def chain(*parts: object) -> Span:
    return span(nw.Chain(*parts, input=INPUT))


def test_reaches_add_up_along_a_way_and_unite_where_ways_meet() -> None:
    assert chain(nw.Conv(2, 3, padding="causal"), Delay(2), nw.Conv(2, 3)) == (-4, 0)
    assert chain(nw.Residual([Delay(), nw.Conv(2, 3, padding="same")])) == (-2, 0)
    assert chain(nw.Parallel(Delay(3), Delay(-2)), nw.Add()) == (-3, 2)
    assert chain(GRU(3), Delay(-1)) == (-inf, 1)
    assert chain(Delay(-4), GRU(3), Delay(3)) == (-inf, 1)
    assert chain(nw.tanh, nw.Linear(3), nw.LayerNorm()) == SAME


def test_sizes_that_follow_from_the_size_count_too() -> None:
    assert chain(DropLast(), DropFirst(), nw.Conv(2, 3)) == (1, 3)
    assert chain(nw.Pad((2, 0)), nw.Conv(2, 3)) == (-2, 0)
    assert chain(nw.MaxPool(2)) == ALL  # the rate changes
    assert chain(nw.Conv(2, 3, stride=2, padding=1), Delay()) == ALL


def test_a_reach_is_not_believed_where_the_rate_changes() -> None:
    x = nw.Input("input", INPUT)
    assert span(nw.Graph(nw.Concatenate(axis=0)(x, x))) == ALL
    twice = nw.Graph(nw.Concatenate(axis=0)(nw.Parameter(4, 2)(), x))
    assert span(twice) == (-inf, 0)


def test_what_has_no_positions_has_seen_all_and_so_has_what_reads_it() -> None:
    x = nw.Input("input", INPUT)
    assert span(nw.Graph(nw.Add()(x, nw.Mean(0)(x)))) == ALL
    assert span(nw.Graph(nw.Add()(x, nw.Parameter(2)()))) == SAME
    assert span(nw.Graph(GRU(3)(x, nw.Linear(3)(nw.Mean(0)(x)))["output"])) == ALL


def test_two_axes_of_one_size_are_everything() -> None:
    assert span(attention()) == ALL
    assert span(attention(Masked(-inf))) == ALL
    net = nw.Chain(nw.Transpose(1, 0), input=nw.Array("n n"))
    assert Visibility(net.plan, "n", False).carriers(("", "input")) == (0, 1)
    assert Visibility(net.plan, "n", False).of(("", "input")) == {("", "input"): ALL}
    assert span(nw.Chain(nw.tanh, input=nw.Array("n n"))) == ALL


def test_inputs_without_the_size_are_no_sources() -> None:
    net = nw.Graph(nw.Add()(nw.Input("x", ("n", 2)), nw.Input("y", 2)))
    sight = sight_of(net, "n", False)
    assert sight.sources == (("", "x"),)
    assert sight.of(net.plan.wiring.outputs[0][1]) == {("", "x"): SAME}


def delay(parts: int) -> nw.Net:
    """A `Fold` that hands its element on from state to state."""
    names = ["input", *(f"s{i}" for i in range(parts))]
    values = [nw.Input(name, 2) for name in names]
    handed = {f"s{i}": nw.Multiply()(value, nw.Constant((2.0, 3.0))()) for i, value in enumerate(values[:-1])}
    return nw.Fold(nw.Graph({"output": nw.tanh(values[-1]), **handed}), input=INPUT)


def window(parts: int) -> nw.Net:
    """The same, but every state takes the element in as well."""
    names = ["input", *(f"s{i}" for i in range(parts))]
    first, *states = (nw.Input(name, 2) for name in names)
    handed = {"s0": nw.abs(first), **{f"s{i + 1}": nw.Add()(first, state) for i, state in enumerate(states[:-1])}}
    return nw.Fold(nw.Graph({"output": nw.tanh(states[-1]), **handed}), input=INPUT)


def test_a_state_is_that_of_the_element_before() -> None:
    assert (span(window(1)), span(window(4))) == ((-1, -1), (-4, -1))
    assert span(delay(1)) == (-1, -1)
    assert span(delay(3)) == (-3, -3)
    assert span(delay(12)) == (-12, -12)  # more than the rounds after which a span is taken to grow without end
    assert chain(nw.Fold(core())) == (-inf, 0)
    assert chain(Delay(-3), nw.Fold(core()), Delay()) == (-inf, 2)


def test_a_state_that_has_positions_of_its_own() -> None:
    """Along n, where m is folded: every step looks one position farther."""
    x, state = nw.Input("x", ("n", 2)), nw.Input("state", ("n", 2))
    for conv, expected in (
        (nw.Conv(2, 3, padding="same"), ALL),
        (nw.Conv(2, 3, padding="causal"), (-inf, 0)),
        (nw.Linear(2), SAME),
    ):
        body = nw.Graph({"state": nw.Add()(x, conv(state))})
        net = nw.Fold(body, input={"x": nw.Array("m n 2"), "state": nw.Array("n 2")})
        sight = sight_of(net, "n", False)
        slots = dict(net.plan.wiring.outputs)
        assert sight.of(slots["output"]) == sight.of(slots["state"]) == {("", "x"): expected, ("", "state"): expected}
        along = sight_of(net, "m", False)
        assert along.of(slots["output"]) == {("", "x"): (-inf, 0)}


def test_what_is_held_whole_is_seen_whole() -> None:
    def spans(size: str) -> dict[str, Span]:
        x, memory = nw.Input("x", 3), nw.Input("memory", (size, 3))
        body = nw.Graph(nw.MatMul()(nw.softmax(nw.MatMul()(memory, x)), memory))
        inputs = {"x": nw.Array("n 3"), "memory": nw.Array(f"{size} 3")}
        net = nw.Map(body, whole=("memory",), input=inputs)
        found = {name: sight_of(net, name, False).of(net.plan.wiring.outputs[0][1]) for name in {"n", size}}
        return {port: one for of_one in found.values() for (_, port), one in of_one.items()}

    assert spans("m") == {"x": SAME, "memory": ALL}
    assert spans("n") == {"x": ALL, "memory": ALL}  # every element has scores for all: two axes of one size


def test_maps_within_maps_and_folds() -> None:
    net = nw.Chain(nw.Map(nw.Map([nw.Linear(3), nw.tanh])), input=nw.Array("n m[n] 2"))
    assert (span(net), span(net, "m")) == (SAME, SAME)
    net = nw.Chain(nw.Map(nw.Fold(GRUCell(3))), input=nw.Array("n m[n] 2"))
    assert (span(net), span(net, "m")) == (SAME, (-inf, 0))
    net = nw.Chain(nw.Map([nw.Conv(3, 3, padding="same"), nw.Mean(0)]), Delay(), input=nw.Array("n m[n] 2"))
    assert (span(net), span(net, "m")) == ((-1, -1), ALL)


def test_elements_are_rows_whose_statistics_a_norm_takes_in_training() -> None:
    net = nw.Chain(nw.Map([nw.Linear(3), nw.BatchNorm()]), input=INPUT)
    assert (span(net), span(net, training=True)) == (SAME, ALL)


def test_the_way_is_the_shortest_that_sees_as_far() -> None:
    x = nw.Input("input", INPUT)
    far = nw.Conv(2, 5, padding="same")(nw.tanh(Delay()(x)))
    net = nw.Graph(nw.Add()(nw.relu(x), far))
    sight = sight_of(net, "n", False)
    edges = sight.path(("", "input"), net.plan.wiring.outputs[0][1])
    assert [(edge.made[0], edge.span) for edge in edges] == [
        ("delay1", (-1, -1)),
        ("tanh1", (0, 0)),
        ("conv1", (-2, 2)),
        ("add1", (0, 0)),
    ]
    assert sight.lookahead == 2
    assert sight.path(("", "input"), ("", "input")) == ()
    assert sight_of(nw.Chain(nw.Fold(core()), input=INPUT), "n", False).path(("", "input"), ("fold1/", "output"))


def test_spans() -> None:
    assert union((-1, 0), (0, 3)) == (-1, 3)
    assert displaced((-1, 2), (-2, -2)) == (-3, 0)
    assert displaced(ALL, (1, 1)) == ALL


@pytest.fixture(autouse=True, scope="module")
def short() -> Iterator[None]:
    """Perturbation at one length alone: here it need not be thorough, but quick."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(probing, "ENOUGH", 1)
        yield


def named(row: Row) -> list[nw.Net]:
    """The row's layer with every axis of its inputs in turn as one that varies, where it takes that."""
    nets: list[nw.Net] = []
    for size in sorted({size for port in row.inputs for size in port.split() if size.isdigit() and size != "1"}):
        texts = [" ".join("n" if one == size else one for one in port.split()) for port in row.inputs]
        try:
            nets.append(nw.Graph(row.layer(*(nw.Input(f"x{i}", nw.Array(text)) for i, text in enumerate(texts)))))
        except NetwrightError:
            continue
    return nets


def compare(net: nw.Net, training: bool) -> list[tuple[Span, Span]]:
    """For every input, what the first output may see, and what perturbation shows; where there are positions."""
    sight = sight_of(net, "n", training)
    slot = net.plan.wiring.outputs[0][1]
    pairs: list[tuple[Span, Span]] = []
    for source, (low, high) in sight.of(slot).items():
        found = offsets_of(net, sight, source, slot)
        if found is None:
            assert len(sight.carriers(slot) or ()) != 1 or len(sight.carriers(source) or ()) != 1
        elif found[slot]:
            pairs.append(((low, high), (min(found[slot]), max(found[slot]))))
    return pairs


@pytest.mark.parametrize(
    "row", [row for row in ROWS if not getattr(row.layer, "is_loss", False)], ids=lambda row: row.name
)
def test_a_layer_sees_no_more_than_it_says(row: Row) -> None:
    for net, training in itertools.product(named(row), (False, True)):
        if training and not any(op.leaf.reach(True) != op.leaf.reach(False) for op in net.plan.wiring.leaves):
            continue  # nothing new
        for (low, high), (first, last) in compare(net, training):
            assert low <= first
            assert last <= high
            exact = (low, high) == (first, last) or high == inf or low == -inf
            assert exact or type(row.layer).__name__ in LOOSE


def part(r: random.Random, deep: bool = True) -> nw.Net:
    """A part that takes positions of four numbers, and gives as many numbers."""
    plain = (
        lambda: nw.Conv(4, r.randint(1, 4), padding=r.choice(["same", "causal"]), dilation=r.randint(1, 2)),
        lambda: Delay(r.choice([-2, -1, 1, 2])),
        lambda: nw.Linear(4),
        lambda: GRU(4),
        lambda: nw.Map([nw.Linear(4), r.choice([nw.BatchNorm(), nw.tanh])]),
        lambda: nw.Fold(GRUCell(4)),
        lambda: r.choice([nw.BatchNorm(), nw.LayerNorm(), nw.Dropout(0.2)]),
        lambda: r.choice([Reverse(), DropLast(), DropFirst(), nw.AvgPool(3, stride=1)]),
    )
    if deep and r.random() < 0.3:
        return r.choice([nw.Residual, nw.Bidirectional])(nw.Chain(*(part(r, False) for _ in range(2))))
    return r.choice(plain)()


@settings(max_examples=16)
@given(st.integers(0, 2**32))
def test_perturbation_shows_no_more_than_the_proof_allows(seed: int) -> None:
    r = random.Random(seed)
    try:
        net = nw.Chain(*(part(r) for _ in range(r.randint(1, 4))), nw.Linear(2), input=("n", 4))
    except NetwrightError:  # a sum of sequences of different lengths
        assume(False)
    for training in (False, True):
        for (low, high), (first, last) in compare(net, training):
            assert low <= first
            assert last <= high


def test_steps_through_which_every_position_goes_by_itself() -> None:
    net = nw.Chain(
        nw.Linear(4), nw.Conv(4, 3, padding="causal"), nw.LayerNorm(), nw.softmax, nw.log, nw.GRU(2), input=("n", 3)
    )  # fmt: skip
    sight, steps = Visibility(net.plan, "n", training=False), rewritten(net.plan.steps, set())
    apart = {step.path: sight.is_positionwise(step) for step in steps}
    assert apart == {"linear1": True, "conv1": False, "layernorm1": True, "log1": True, "gru1": False}

    turned = nw.Chain(nw.Transpose(1, 0), nw.softmax, nw.log, nw.Transpose(1, 0), input=("n", 3))
    sight, steps = Visibility(turned.plan, "n", training=False), rewritten(turned.plan.steps, set())
    both = next(step for step in steps if step.path == "log1")  # which does the work of two steps
    assert not sight.is_positionwise(both)
