"""The ends of what is done for every element: an axis goes and comes back, states keep their sizes."""

import pytest

import netwright as nw
from netwright.errors import SizeError
from netwright.net.node import PARTS
from netwright.net.plan.each import EachEntry, EachExit, exit_path, passed
from netwright.net.plan.level import PerElement

EACH = PerElement(("input", "other"), (("output", "y"),), (("state", "next"),))


def test_the_ports_of_both_ends() -> None:
    assert EachEntry(EACH).ports == (
        "input: n *input, other: n *other, state?: *state -> input: *input, other: *other, state: *state"
    )
    assert EachExit(EACH).ports == (
        "like: n *like, gives_output: *gives_output, next_state: *state, first_state: *state"
        " -> output: n *gives_output, state: *state"
    )


def test_what_passes_through_an_end() -> None:
    assert passed(EachEntry(EACH), "input") == "input"
    assert (passed(EachExit(EACH), "output"), passed(EachExit(EACH), "state")) == ("gives_output", "next_state")


def test_no_file_and_no_net_holds_an_end() -> None:
    assert not {"Entry", "EachExit", "End"} & {*PARTS}


def test_the_ends_stand_around_the_leaves() -> None:
    net = nw.Chain(nw.Map([nw.Linear(4), nw.tanh]), nw.relu, input=("n", 3))
    assert [op.path for op in net.plan.wiring.ops] == [
        "map1", "map1/body/linear1", "map1/body/tanh1", exit_path("map1"), "relu1",
    ]  # fmt: skip
    assert [op.within for op in net.plan.wiring.ops] == [(), ("map1",), ("map1",), (), ()]
    assert [op.path for op in net.plan.wiring.leaves] == ["map1/body/linear1", "map1/body/tanh1", "relu1"]


def test_an_index_stays_one_inside() -> None:
    net = nw.Map([nw.Embedding(4), nw.Mean(0)], input=nw.Array("n m[n] <9>"))
    assert net.plan.arrays["body/embedding1/weight"].shape == (9, 4)


def test_sizes_are_solved_through_the_ends_from_both_sides() -> None:
    core = nw.Graph(
        join=(nw.Concatenate(), "input", "state"), linear=(nw.Linear(), "join"), tanh=(nw.tanh, "linear"),
        input={"input": None, "state": None},
    )  # fmt: skip
    net = nw.Chain(nw.Linear(3), nw.Fold(core), nw.Last(), input=("n", 2), output=5)
    assert net.plan.arrays["fold1/body/linear/weight"].shape == (5, 8)


def test_an_axis_that_is_not_there() -> None:
    with pytest.raises(SizeError, match="map1"):
        nw.Chain(nw.Mean(0), nw.Mean(0), nw.Map(nw.tanh), input=(4, 3))
