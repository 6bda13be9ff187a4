"""The flat wiring of nested containers: paths, reads, places."""

import netwright as nw
from netwright.net.plan.wiring import wire


def test_containers_dissolve_into_leaf_uses() -> None:
    block = nw.Shared("block", nw.Chain(3, nw.relu))
    net = nw.Graph(a=(block, "x"), b=(nw.Residual(nw.tanh), "a"), c=(block, "b"), d=("b", "c"), input={"x": 3})
    wiring = wire(net)
    assert wiring.inputs == ("x",)
    assert [(op.path, [slot[0] or slot[1] for _, slot in op.reads]) for op in wiring.ops] == [
        ("a/linear1", ["x"]),
        ("a/relu1", ["a/linear1"]),
        ("b/body", ["a/relu1"]),
        ("b/add", ["a/relu1", "b/body"]),
        ("c/linear1", ["b/add"]),
        ("c/relu1", ["c/linear1"]),
        ("d/body", ["c/relu1"]),
        ("d/add", ["c/relu1", "d/body"]),
    ]
    places = {op.path: op.place for op in wiring.ops}
    assert places["a/linear1"] == places["c/linear1"] == "@block/linear1"
    assert places["d/body"] == "b/body"
    assert wiring.outputs == (("output", ("d/add", "output")),)
    assert wiring.values["a"] == (("output", ("a/relu1", "output")),)


def test_who_reads_each_value() -> None:
    readers = wire(nw.Residual([2, nw.relu])).slots
    assert [(op.path, port) for op, port in readers["", "input"]] == [("body/linear1", "input"), ("add", "x1")]
    assert [op.path for op, _ in readers["body/relu1", "output"]] == ["add"]


def test_a_net_may_be_one_leaf_or_pass_its_input_on() -> None:
    assert wire(nw.relu).outputs == (("output", ("relu", "output")),)
    net = nw.Graph({"same": nw.Input("x"), "new": nw.relu(nw.Input("y"))})
    assert wire(net).outputs == (("same", ("", "x")), ("new", ("relu1", "output")))
