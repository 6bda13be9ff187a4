"""Sizes follow in both directions: from the input, the decoder, the arrays that are there, and from each other."""

from collections.abc import Mapping
from typing import Any

import pytest
import torch
from hypothesis import given
from torch import Tensor

import netwright as nw
from netwright.errors import NetError, SizeError
from netwright.net.plan import solve
from netwright.net.plan.plan import Plan, shape_text
from random_nets import nets
from steps import steps


class Recurrent(nw.Leaf):
    """Enough of a recurrent leaf: a state port that nothing need feed."""

    out: Any = nw.FREE
    ports = "x: n in, hidden?: out -> y: n out, hidden: out"
    ignores_padding = True

    def forward(self, w: Mapping[str, Tensor], x: Tensor, hidden: Tensor | None = None) -> tuple[Tensor, Tensor]:
        return x, x[:, -1]


class Pairs(nw.Leaf):
    """A size that varies within another, and a product that is known in either direction."""

    ports = "n m[n] -> n m[n] pair"
    ignores_padding = True

    def forward(self, w: Mapping[str, Tensor], x: Tensor) -> Tensor:
        return x


class Double(nw.Leaf):
    """Says its output from its input, and its input from its output."""

    ports = "in -> out"

    def relate(self, known: Mapping[str, Any]) -> dict[str, Any]:
        if known["in"] is not None:
            return {"out": 2 * known["in"]}
        return {} if known["out"] is None else {"in": known["out"] // 2}

    def forward(self, w: Mapping[str, Tensor], x: Tensor) -> Tensor:
        return torch.cat([x, x], -1)


def shapes(net: nw.Net) -> dict[str, str]:
    """The sizes of every array, and of the ports."""
    plan = net.plan
    ports = {f"in:{k}": v for k, v in plan.inputs.items()} | {f"out:{k}": v for k, v in plan.outputs.items()}
    arrays = {path: spec.shape for path, spec in plan.arrays.items()}
    return {name: shape_text(shape) for name, shape in {**ports, **arrays}.items()}


def test_a_width_comes_from_the_decoder() -> None:
    net = nw.Chain(4, nw.relu, nw.Linear(), nw.softmax, input=3, output=nw.Category(["a", "b"]))
    assert shapes(net)["linear2/weight"] == "(2, 4)"


def test_a_width_comes_from_a_kept_array() -> None:
    head = nw.Linear(10).with_arrays({"weight": torch.zeros(10, 500)})
    net = nw.Chain(nw.Linear(), nw.relu, head, input=20)
    assert shapes(net)["linear1/weight"] == "(500, 20)"


def test_the_input_comes_from_a_kept_array() -> None:
    first = nw.Linear().with_arrays({"weight": torch.zeros(7, 5)})
    net = nw.Chain(first, nw.relu)
    assert shapes(net)["in:input"] == "(..., 5)"
    assert shapes(net)["out:output"] == "(..., 7)"


def test_a_decoder_reaches_back_through_a_convolution_of_stride_one() -> None:
    net = nw.Chain(nw.Conv(3, (5, 5)), nw.relu, nw.Conv(3, 3, padding="same"), output=(8, 8, 3))
    assert shapes(net)["in:input"] == "(12, 12, ?)"


def test_lengths_follow_through_windows() -> None:
    net = nw.Chain(nw.Conv(8, 4), nw.MaxPool(2), nw.Conv(8, 3, padding="same"), input=("n", 2))
    assert shapes(net)["out:output"] == "((n + 1)//2 - 2, 8)"
    strided = nw.Chain(nw.Conv(8, 4, stride=2), input=("n", 2))
    assert shapes(strided)["out:output"] == "(n//2 - 1, 8)"


def test_concatenated_lengths_are_added() -> None:
    x = nw.Input("x", ("n", 3))
    net = nw.Graph(nw.Concatenate(axis=0)(nw.Conv(4, 3)(x), nw.Conv(4, 2)(x)))
    assert shapes(net)["out:output"] == "(2*n - 3, 4)"


def test_concatenated_widths_are_found_forwards_and_backwards() -> None:
    x = nw.Input("x", 3)
    forward = nw.Graph(nw.Concatenate()(nw.Linear(4)(x), nw.Linear(5)(x)))
    assert shapes(forward)["out:output"] == "(9,)"
    back = nw.Graph(nw.Concatenate()(nw.Linear(4)(x), nw.Linear()(x)), output=9)
    assert shapes(back)["linear2/weight"] == "(5, 3)"


def test_what_a_leaf_relates_goes_both_ways() -> None:
    assert shapes(nw.Chain(Double(), Double(), input=3))["out:output"] == "(12,)"
    assert shapes(nw.Chain(Double(), Double(), output=12))["in:input"] == "(3,)"


def test_a_relation_that_cannot_hold_is_said() -> None:
    with pytest.raises(SizeError) as caught:
        nw.Chain(Double(), nw.relu, input=3, output=8)
    assert caught.value.faults[0].where == "relu1 -> output"


def test_shared_parts_teach_each_other() -> None:
    layer = nw.Shared("layer", nw.Linear())
    net = nw.Chain(layer, nw.relu, layer, input=6)
    assert shapes(net) == {
        "in:input": "(6,)",
        "out:output": "(6,)",
        "@layer/weight": "(6, 6)",
        "@layer/bias": "(6,)",
    }


def test_a_branch_learns_its_width_from_the_other() -> None:
    net = nw.Chain(nw.Residual([nw.Linear(16), nw.relu, nw.Linear()]), input=8)
    assert shapes(net)["residual1/body/linear2/weight"] == "(8, 16)"


def test_optional_and_state_ports() -> None:
    x = nw.Input("x", ("n", 3))
    net = nw.Graph(Recurrent(5)(x))
    assert shapes(net) == {"in:x": "(n, 3)", "out:y": "(n, 5)", "out:hidden": "(5,)"}
    start = nw.Input("start")
    fed = nw.Graph(Recurrent(5)(x, start))
    assert shapes(fed)["in:start"] == "(5,)"
    taught = nw.Graph(Recurrent()(x, nw.Input("start", 4)))
    assert shapes(taught)["out:y"] == "(n, 4)"


def test_a_size_that_varies_within_another() -> None:
    net = nw.Chain(Pairs(), input=("n", "m"))
    assert shapes(net)["out:output"] == "(n, m, ?)"


def test_an_index_is_below_the_vocabulary_that_it_meets() -> None:
    net = nw.Chain(nw.Embedding(8), nw.relu, input=nw.Array("n <50>"))
    assert shapes(net)["embedding1/weight"] == "(50, 8)"
    assert net.plan.below(("", "input")) == 50


def test_all_faults_are_found_at_once() -> None:
    with pytest.raises(SizeError) as caught:
        nw.Chain(nw.Conv(8, 9), nw.relu, nw.Flatten(), 12, input=(6, 6, 1), output=10)
    assert [fault.where for fault in caught.value.faults] == ["input -> conv1", "linear1 -> output"]


def test_a_size_below_one_is_refused() -> None:
    with pytest.raises(NetError) as caught:
        nw.Chain(0, input=3)
    assert str(caught.value) == "out must be a whole number of at least 1\n  where:    linear1\n  got:      0"


@pytest.mark.parametrize(
    ("layer", "ends"),
    [(nw.Linear(4), {"input": 4}), (nw.Conv(4, (3, 3)), {"output": (9, 9, 4)})],
    ids=["forwards", "backwards"],
)
def test_solving_is_not_quadratic(layer: nw.Net, ends: dict[str, Any]) -> None:
    def solving(count: int) -> int:
        return steps(lambda: nw.Chain(*[part for _ in range(count) for part in (layer, nw.relu)], **ends))

    solving(1)
    assert solving(200) < 11 * solving(20)


def test_a_size_that_is_too_long_to_write_says_where() -> None:
    axes = " ".join(f"n{i}" for i in range(12))
    with pytest.raises(NetError) as caught:
        nw.Chain(nw.Pad(*[(1, 1)] * 12), nw.Flatten(), input=nw.Array(axes))
    assert str(caught.value).splitlines()[:2] == [
        "a size of this net is a product of too many sums",
        "  where:    flatten1",
    ]


def sizes_of(plan: Plan) -> dict[Any, str]:
    """Every size that a plan says, as text: unknown ones are other objects in every plan."""
    slots = {slot: str(plan.shape(slot)) for slot in plan.solution.slots}
    names = {(step.path, name): str(size) for step in plan.steps for name, size in step.sizes.items()}
    return {**slots, **names, **{path: str(spec.shape) for path, spec in plan.arrays.items()}}


def by_equations(net: nw.Net, monkeypatch: pytest.MonkeyPatch) -> Plan:
    """The plan of a net in which no leaf takes a known size without an equation."""
    with monkeypatch.context() as patch:
        patch.setattr(solve, "take", lambda *_: False)
        return eval(repr(net), vars(nw) | {"nw": nw}).plan


@given(nets())
def test_sizes_that_are_taken_are_those_that_equations_find(net: nw.Net) -> None:
    with pytest.MonkeyPatch.context() as monkeypatch:
        assert sizes_of(net.plan) == sizes_of(by_equations(net, monkeypatch))


@pytest.mark.parametrize(
    "make",
    [
        lambda: nw.Chain(nw.Conv(2, (3, 3)), nw.MaxPool((2, 2)), nw.Flatten(), 5, input=(9, 8, 1)),
        lambda: nw.Chain(nw.Linear(), nw.GRU(3), nw.Map(nw.Linear(2)), input=("n", 4), output=nw.Array("n 2")),
        lambda: nw.Chain(nw.Residual(nw.self_attention(6, 2)), nw.Linear(4), nw.GlobalMaxPool(), input=("n", 6)),
        lambda: nw.Chain(
            nw.Embedding(4), nw.Last(), nw.Linear(), nw.softmax, input="n <9>", output=nw.Category(["a", "b"])
        ),
    ],
)
def test_and_so_they_are_in_these_nets(make: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    net = make()
    assert sizes_of(net.plan) == sizes_of(by_equations(net, monkeypatch))


def test_a_size_of_nothing_is_never_taken() -> None:
    with pytest.raises(SizeError, match="linear1 expects in values, but the input gives 0"):
        nw.Chain(nw.Linear(2), input=nw.Array("0"))
