"""Chains: names, shorthand, joining, look-up, and the text that gives a chain back."""

import pytest
import torch

import netwright as nw
from netwright.errors import NetError
from netwright.net.part import Net

TEXTS: list[Net] = [
    nw.Chain(3),
    nw.Chain(4, nw.relu, 3, nw.softmax, input=("n", 2), output=nw.Each(nw.Category(["a", "b", "c"]))),
    nw.Chain(dense=4, act=nw.relu),
    nw.Chain(4, act=nw.relu),
    nw.Chain([4, nw.relu], nw.Residual([4, nw.tanh]), nw.Repeat(3, nw.Linear(4)), input=4),
    nw.Chain(nw.Parallel(2, 3), nw.Concatenate(), input=4),
    nw.Chain(**{"1": nw.Linear(3), "in": nw.relu}),
    nw.Shared("all", nw.Chain(nw.Shared("one", 3), nw.Shared("one", 3), input=3)),
]


@pytest.mark.parametrize("net", TEXTS, ids=repr)
def test_a_chain_is_its_text(net: Net) -> None:
    again = eval(repr(net), dict(vars(nw)))
    assert again == net
    assert repr(again) == repr(net)
    assert again.paths == net.paths


def test_shorthand() -> None:
    assert nw.Chain(3, torch.tanh, [4, nw.relu]) == nw.Chain(nw.Linear(3), nw.tanh, nw.Chain(nw.Linear(4), nw.relu))
    assert (nw.Linear(3) >> nw.relu >> 2) == nw.Chain(3, nw.relu, 2)
    assert (3 >> nw.relu) == nw.Chain(3, nw.relu)


def test_joining_numbers_names_that_are_taken() -> None:
    left, right = nw.Chain(3, nw.relu), nw.Chain(4, nw.relu, head=2)
    assert (left >> right).paths == ("linear1", "relu1", "linear2", "relu2", "head")
    assert (left >> nw.Residual(3)).paths == ("linear1", "relu1", "residual1/body", "residual1/add", "residual1")


def test_a_trained_beginning_keeps_its_arrays() -> None:
    net = nw.initialize(nw.Chain(nw.Flatten(), 6, nw.relu, 2, input=(2, 2)))
    begun = nw.Chain(net[:"linear2"], nw.Linear(3))
    assert sorted(begun.arrays) == ["chain1/linear1/bias", "chain1/linear1/weight"]
    assert begun.inputs == {"input": nw.Array("2 2")}
    assert begun.plan.arrays["linear1/weight"].known == (3, 6)
    assert begun.held.arrays["chain1/linear1/bias"].data_ptr() == net.held.arrays["linear1/bias"].data_ptr()


def test_look_up() -> None:
    net = nw.Chain(4, nw.relu, nw.Residual([4, nw.tanh]))
    assert net[0] == net["linear1"] == net[-3] == nw.Linear(4)
    assert net["residual1/body/tanh1"] == nw.tanh
    assert net[-1]["body"][1] == nw.tanh
    assert net[1:] == nw.Chain(nw.relu, nw.Residual([4, nw.tanh]))
    assert net["relu1":] == net[-2:] == net[1:10]
    assert len(net) == 3
    assert bool(net) and bool(nw.relu)


def test_a_part_of_any_number_of_inputs_takes_all_outputs() -> None:
    assert nw.Chain(nw.Parallel(a=nw.relu, b=nw.tanh), nw.Concatenate(), input=3).plan.outputs == {"output": (6,)}


def test_refusals() -> None:
    with pytest.raises(NetError) as caught:
        nw.Chain()
    assert str(caught.value) == ("a chain needs at least one part\n  mend:     nw.Chain(nw.Linear(10), nw.softmax)")
    with pytest.raises(NetError) as caught:
        nw.Chain("relu")
    assert str(caught.value) == (
        "this cannot be a part of a net\n"
        "  expected: a part, an integer (a Linear that wide), a function of torch, or a list of parts (a Chain)\n"
        "  got:      'relu'"
    )
    with pytest.raises(NetError) as caught:
        nw.Chain(3, outputs=nw.relu)
    assert str(caught.value) == (
        "a part cannot have the name 'outputs': that is an argument of nw.Chain and nw.Graph\n"
        "  where:    a named part\n  mend:     outputs_1"
    )
