"""Trial runs: two nets get the same random examples, of any kind of input, and differences are told."""

import pytest
import torch

import netwright as nw
from messages import message
from netwright.editing.trial_run import check_same_outputs, computed_at, differs, random_inputs
from netwright.errors import NetError


def test_examples_fit_the_inputs_and_are_the_same_each_time() -> None:
    net = nw.Chain(nw.Embedding(3), nw.Conv(2, (5,)), nw.Conv(2, (5,)), input="n <4>")
    found = random_inputs(net, "here")["input"]
    assert found.shape == (3, 12)  # seven would be too few
    assert int(found.max()) < 4
    assert torch.equal(found, random_inputs(net, "here")["input"])


def test_values_are_those_of_a_call() -> None:
    net = nw.initialize(nw.Chain(nw.Linear(4), nw.tanh, input=3))
    inputs = random_inputs(net, "here")
    (found,) = computed_at(net, inputs, [("linear1", "output")])
    torch.testing.assert_close(found.float(), net(nw.batch(inputs["input"].float()), at="linear1"))
    assert not differs(found, found + 1e-9)
    assert differs(found, found + 1e-3)
    assert differs(found, found[:, :2])


def test_nets_that_differ_are_refused() -> None:
    net = nw.Chain(nw.Linear(4), nw.tanh, input=3)
    check_same_outputs(nw.initialize(net), nw.initialize(net), "linear1")
    assert message(check_same_outputs, nw.initialize(net), nw.initialize(net, seed=1), "linear1") == (
        "the net would not stay the same function\n  where:    linear1 -> output"
    )
    with pytest.raises(NetError, match="sizes of the net are open"):
        random_inputs(nw.Chain(nw.relu), "here")
