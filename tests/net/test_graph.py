"""Graphs: nodes that say what they read, calls on inputs, parts used again, and the text that gives a graph back."""

from collections.abc import Callable
from typing import Any

import pytest

import netwright as nw
from netwright.errors import NetError
from netwright.net.part import Net

TEXTS: list[Net] = [
    nw.Graph(dense=(nw.Linear(3), "input")),
    nw.Graph(a=(3, "x"), b=(4, "y"), input={"x": 2, "y": None}),
    nw.Graph(sum=(nw.Add(), "left", "right"), input={"left": 2, "right": 2}, output=2),
    nw.Graph(a=(3, "input"), b=(4, "input"), output={"b": nw.Category(["p", "q", "r", "s"])}, input=2),
    nw.Graph(a=(3, "input"), b=(4, "a"), outputs=["a", "b"]),
    nw.Graph(a=(3, "input"), b=(4, "a"), outputs={"middle": "a", "end": "b", "start": "input"}),
    nw.Graph(a=(3, "input"), b=("a", "a"), c=("a", "b"), input=3),
    nw.Graph(shift=(nw.Parameter(2), {}), sum=(nw.Add(), "input", "shift"), input=2),
    nw.Graph(pick=(nw.where, "input", {"a": "input", "b": "other"}), other=(nw.tanh, "input"), input=2),
    nw.Graph(pick=(nw.where, {"b": "input", "a": "input", "condition": "input"}), input=2),
    nw.Graph(both=(nw.Parallel(one=3, two=3), "input"), sum=(nw.Add(), "both.two", "both.one"), input=2),
    nw.Graph(**{"1": (3, "input"), "class": (nw.relu, "1")}),
    nw.Graph(a=(nw.Shared("s", nw.Linear(3)), "input"), b=(nw.Shared("s", nw.Linear(3)), "a"), input=3),
    nw.Graph(nw.relu(nw.Input("x", 3)) + nw.tanh(nw.Input("y", 3))),
    nw.Graph({"sum": nw.relu(nw.Input("x", 3)), "same": nw.Input("y", 2)}),
    nw.Shared("whole", nw.Graph(dense=(nw.Linear(3), "x"), input={"x": 2})),
]


@pytest.mark.parametrize("net", TEXTS, ids=repr)
def test_a_graph_is_its_text(net: Net) -> None:
    again = eval(repr(net), dict(vars(nw)))
    assert again == net
    assert repr(again) == repr(net)
    assert nw.digest(again) == nw.digest(net)
    assert (again.input_names, again.output_names, again.paths) == (net.input_names, net.output_names, net.paths)


def test_nodes_may_stand_in_any_order() -> None:
    one = nw.Graph(b=(nw.relu, "a"), a=(3, "input"))
    assert one.paths == ("a", "b")
    assert one == nw.Chain(a=3, b=nw.relu)


def test_a_part_once_more_has_the_same_arrays() -> None:
    net = nw.initialize(nw.Graph(one=(3, "input"), two=("one", "one"), input=3))
    assert sorted(net.arrays) == ["one/bias", "one/weight"]
    assert net["two"] == net["one"].with_input(None).with_output(None)


def test_calls_on_inputs_may_say_names_and_ports() -> None:
    x, y = nw.Input("x", 2), nw.Input("y", 2)
    net = nw.Graph(nw.where(y, b=y, a=x, name="choice"))
    assert net == nw.Graph(choice=(nw.where, {"condition": "y", "a": "x", "b": "y"}), input={"x": 2, "y": 2})
    assert nw.Graph((x >> 3 >> nw.relu) + (y >> nw.Linear(3))).paths == ("linear1", "relu1", "linear2", "add1")


REFUSED: list[tuple[Callable[[], Any], str]] = [
    (lambda: nw.Graph(), 'a graph needs at least one node\n  mend:     nw.Graph(dense=(nw.Linear(3), "input"))'),
    (
        lambda: nw.Graph(a=nw.Linear(3)),
        'a does not say what it reads\n  where:    a\n  expected: (part, "what it reads", …)\n'
        "  got:      Linear(3)\n  mend:     a=(Linear(3), 'input')",
    ),
    (
        lambda: nw.Graph(a=(3, "b"), b=(3, "a")),
        "the net reads its own output: a cycle\n  where:    a -> b -> a\n"
        "  mend:     let a read something that comes before it, such as 'input'",
    ),
    (
        lambda: nw.Graph(dense=(3, "input"), act=(nw.relu, "dens")),
        "act reads 'dens', but no node or input has this name\n  where:    act\n"
        "  expected: a node or an input: input, dense, act\n  mend:     did you mean 'dense'?",
    ),
    (
        lambda: nw.Graph(dense=(3, "input"), outputs=["q"]),
        "an output reads 'q', but no node or input has this name\n  where:    an output\n"
        "  expected: a node or an input: input, dense\n"
        "  mend:     input={'input': …, 'q': …} to make it an input",
    ),
    (
        lambda: nw.Graph(x=(3, "x"), input={"x": 2}),
        "'x' is the name of an input and of a node\n  where:    x\n  mend:     rename one",
    ),
    (
        lambda: nw.Graph(a=("b", "input"), b=("a", "input")),
        "a is 'b' once more, but no node of that name has a part\n  where:    a\n"
        "  expected: a part, or the name of a node that has one\n  got:      'b'",
    ),
    (
        lambda: nw.Graph(a=(3, "input"), b=(nw.relu, "a.hidden")),
        "a has no output port 'hidden'\n  where:    a\n  expected: output",
    ),
    (
        lambda: nw.Graph(a=(nw.relu, "input", "input")),
        "a reads more values than it has input ports\n  where:    a\n  expected: 1: input\n"
        "  got:      2: input, input\n"
        ""
        "  mend:     a=(nw.Chain(nw.Concatenate(), relu), 'input', 'input')",
    ),
    (
        lambda: nw.Graph(a=(nw.where, "input")),
        "an input port of a is not connected\n  where:    a, port 'a'\n  expected: 3 values: condition, a, b\n"
        "  got:      1\n  mend:     say what 'a' reads: one value for each of condition, a, b",
    ),
    (
        lambda: nw.Graph(a=(3, "x"), b=(3, "y"), input={"x": 2, "y": 3}, output=3),
        "a net with 2 ports needs a codec for each\n  expected: {'a': …, 'b': …}\n  got:      3",
    ),
    (
        lambda: nw.Graph(nw.Input("x") + nw.Input("x")),
        "two inputs have the same name\n  got:      x, x\n  mend:     nw.Input('another')",
    ),
    (
        lambda: nw.Graph(nw.relu(nw.relu(nw.Input(), name="a"), name="a")),
        "two parts have the name 'a'\n  where:    a\n  mend:     give one of them another name",
    ),
    (
        lambda: nw.Graph(nw.relu(nw.Input("x"), name="x")),
        "'x' is the name of an input and of a part\n  where:    x\n  mend:     rename one of them",
    ),
]


@pytest.mark.parametrize("row", range(len(REFUSED)))
def test_what_is_no_graph(row: int) -> None:
    build, text = REFUSED[row]
    with pytest.raises(NetError) as caught:
        build()
    assert str(caught.value) == text


def test_a_value_is_no_node() -> None:
    with pytest.raises(nw.NetError) as caught:
        nw.Graph(a=nw.Linear(2)(nw.Input("x", 3)))
    assert str(caught.value) == (
        "a is a value already, and a node is a part with what it reads\n"
        "  where:    a\n"
        "  mend:     nw.Graph({'a': value})"
    )
    assert nw.Graph({"a": nw.Linear(2)(nw.Input("x", 3))}).plan.outputs == {"a": (2,)}
