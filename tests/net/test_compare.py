"""Equality, likeness and digests: the same net however it is written, and different wherever it differs."""

import copy
import pickle
import subprocess
import sys
from typing import Any

import pytest
import torch
from hypothesis import given, settings

import netwright as nw
from netwright.errors import NetError
from netwright.net.part import Net
from random_nets import nets


def four_ways() -> dict[str, Net]:
    @nw.program(input=2, output=3)
    def program(x: Any) -> Any:
        hidden = nw.relu(nw.Linear(4)(x))
        return nw.Linear()(hidden)

    x = nw.Input("x", 2)
    return {
        "chain": nw.Chain(nw.Linear(4), nw.relu, nw.Linear(), input=2, output=3),
        "graph": nw.Graph(
            linear2=(nw.Linear(), "relu1"),
            linear1=(nw.Linear(4), "input"),
            relu1=(nw.relu, "linear1"),
            input=2,
            output=3,
        ),
        "program": nw.Graph(nw.Linear()(nw.relu(nw.Linear(4)(nw.Input()))), input=2, output=3),
        "x": program,
        "calls on x": nw.Graph(nw.Linear()(nw.relu(nw.Linear(4)(x))), output=3),
    }


def test_one_net_written_three_ways_is_one_net() -> None:
    ways = four_ways()
    assert ways["chain"] == ways["graph"] == ways["program"]
    assert len({hash(ways[way]) for way in ("chain", "graph", "program")}) == 1
    assert len({nw.digest(ways[way]) for way in ("chain", "graph", "program")}) == 1
    assert ways["x"] == ways["calls on x"]
    assert ways["x"] != ways["chain"]  # its input has another name
    assert nw.alike(ways["x"], ways["chain"])


def test_a_residual_is_the_graph_that_says_the_same() -> None:
    graph = nw.Graph(body=(nw.Linear(3), "input"), add=(nw.Add(), "input", "body"), input=3)
    assert nw.Residual(3, input=3) == graph
    assert nw.Residual(3, input=3) != nw.Graph(body=(3, "input"), add=(nw.Add(), "body", "input"), input=3)


@pytest.mark.parametrize(
    "other",
    [
        nw.Chain(nw.Linear(3), nw.tanh, input=2),
        nw.Chain(nw.Linear(3, bias=False), nw.relu, input=2),
        nw.Chain(dense=nw.Linear(3), relu1=nw.relu, input=2),
        nw.Chain(nw.Linear(3), nw.relu, input=4),
        nw.Chain(nw.Linear(3), nw.relu),
        nw.Chain(nw.Linear(3), nw.relu, input=2, output=nw.Category(["a", "b", "c"])),
        nw.Chain(nw.Shared("s", nw.Linear(3)), nw.relu, input=2),
        nw.Chain([nw.Linear(3), nw.relu], input=2),
        nw.initialize(nw.Chain(nw.Linear(3), nw.relu, input=2)),
    ],
    ids=repr,
)
def test_what_differs_is_not_equal(other: Net) -> None:
    net = nw.Chain(nw.Linear(3), nw.relu, input=2)
    assert net != other
    assert nw.digest(net) != nw.digest(other)


def test_alike_ignores_names_and_arrays_and_nothing_else() -> None:
    net = nw.Chain(nw.Linear(3), nw.relu, nw.Linear(3))
    sized = net.with_input(2)
    assert nw.alike(sized, nw.initialize(nw.Chain(a=3, b=nw.relu, c=3, input=2)))
    assert not nw.alike(sized, net)
    assert not nw.alike(sized, net.with_input(4))
    assert not nw.alike(sized, sized.with_output(nw.Category(["a", "b", "c"])))
    assert nw.alike(nw.Graph(d=(nw.Linear(3), "x"), input={"x": 2}), nw.Graph(e=(nw.Linear(3), "y"), input={"y": 2}))
    assert not nw.alike(net, nw.Chain(nw.Linear(3), nw.tanh, nw.Linear(3)))
    assert not nw.alike(net, nw.Chain(nw.Shared("s", 3), nw.relu, nw.Shared("s", 3)))
    assert nw.alike(nw.Chain(nw.Shared("s", 3), nw.Shared("s", 3)), nw.Chain(nw.Shared("t", 3), nw.Shared("t", 3)))


def test_arrays_are_compared_by_their_bits() -> None:
    net = nw.initialize(nw.Chain(nw.Linear(2, bias=False), input=2))
    nan = net.with_arrays({"linear1/weight": torch.full((2, 2), torch.nan)})
    assert nan == nan.with_arrays(nan.arrays)
    zero, minus = (net.with_arrays({"linear1/weight": torch.full((2, 2), value)}) for value in (0.0, -0.0))
    assert zero != minus
    square = torch.tensor([[1.0, 2.0], [3.0, 4.0]])
    left = net.holding(arrays={"linear1/weight": square})
    assert left != net.holding(arrays={"linear1/weight": square.T})  # one piece of memory, read another way
    assert net.with_arrays({"linear1/weight": square.double()}) != left


def test_the_digest_is_the_same_in_another_process() -> None:
    code = (
        "import netwright as nw\n"
        "net = nw.initialize(nw.Chain(nw.Conv(2, 3), nw.relu, nw.Flatten(), nw.Linear(), "
        "input=(5, 5, 1), output=nw.Category(['a', 'b'])), seed=3)\n"
        "print(nw.digest(net), nw.digest(net, arrays=False))"
    )
    digests = {
        subprocess.run([sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, check=True).stdout
        for _ in range(2)
    }
    assert len(digests) == 1
    whole, bare = digests.pop().split()
    assert len(whole) == len(bare) == 64
    assert whole != bare


@settings(max_examples=15, deadline=None)
@given(nets())
def test_copies_and_pickles_are_the_net(net: Net) -> None:
    assert copy.copy(net) is net
    assert copy.deepcopy(net) is net
    again = pickle.loads(pickle.dumps(net))
    assert again == net
    assert again.paths == net.paths
    assert nw.digest(again) == nw.digest(net)


def test_a_net_cannot_be_changed_behind_its_back() -> None:
    given_in = torch.ones(2, 2)
    net = nw.Chain(nw.Linear(2, bias=False), input=2).with_arrays({"linear1/weight": given_in})
    before = nw.digest(net)
    given_in.zero_()
    net.arrays["linear1/weight"].zero_()
    net["linear1"].arrays["weight"].zero_()
    assert nw.digest(net) == before
    with pytest.raises(AttributeError):
        net.parts = ()  # type: ignore[attr-defined]
    with pytest.raises(AttributeError):
        nw.relu.function = "tanh"  # type: ignore[misc]


def test_a_finished_layer_cannot_be_subclassed() -> None:
    with pytest.raises(NetError) as caught:
        type("Mine", (nw.Linear,), {})
    assert str(caught.value) == (
        "Linear is finished and cannot be subclassed\n"
        "  where:    Mine\n"
        "  mend:     subclass nw.Leaf or nw.Container and use it as a part"
    )
