"""Losses as parts of a net: ports, names, and what does not go together."""

import pytest
import torch

import netwright as nw
from netwright.errors import NetError


def test_the_target_is_encoded_by_the_nets_decoder() -> None:
    net = nw.initialize(nw.Chain(3, nw.softmax, input=2, output=nw.Category(["a", "b", "c"])))
    graph = nw.with_loss(net, nw.CrossEntropy())
    assert graph.inputs == {"input": nw.Array("2"), "target": nw.Category(["a", "b", "c"])}
    assert graph.paths == ("net/linear1", "net/softmax1", "net", "loss")
    assert graph.plan.outputs == {"loss": ()}
    assert graph["net"].arrays.keys() == net.arrays.keys()
    got = graph({"input": (1.0, 2.0), "target": "b"})
    expected = -torch.log(net((1.0, 2.0), nw.raw)[1])
    torch.testing.assert_close(got, expected)


def test_several_outputs_each_with_a_loss_or_none() -> None:
    net = nw.Parallel(
        mean=3, kind=[2, nw.softmax], rest=1, input=4, output={"mean": 3, "kind": nw.Category(["a", "b"])}
    )
    graph = nw.with_loss(net, {"mean": nw.MSE(), "kind": nw.CrossEntropy()})
    assert graph.input_names == ("input", "mean_target", "kind_target")
    assert graph.output_names == ("mean_loss", "kind_loss")
    one = nw.with_loss(net, {"mean": nw.MSE()})
    assert (one.input_names, one.output_names) == (("input", "target"), ("loss",))


def test_refusals() -> None:
    net = nw.Parallel(mean=3, kind=2, input=4)
    with pytest.raises(NetError) as caught:
        nw.with_loss(net, nw.MSE())
    assert str(caught.value) == (
        "this net has 2 outputs: each that counts needs a loss\n  expected: {'mean': …, 'kind': …}\n  got:      MSE()"
    )
    with pytest.raises(NetError) as caught:
        nw.with_loss(net, {"meen": nw.MSE()})
    assert str(caught.value) == (
        "this net has no output 'meen'\n  expected: mean, kind\n  mend:     did you mean 'mean'?"
    )
    with pytest.raises(NetError) as caught:
        nw.with_loss(net, {})
    assert str(caught.value) == "a net with a loss has at least one loss\n  expected: mean, kind"
