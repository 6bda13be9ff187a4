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


def test_a_function_of_one_example_is_a_loss() -> None:
    net = nw.initialize(nw.Chain(3, input=2, output=3))
    for function in (lambda y, t: (y - t).square().mean(), lambda y, t: (y - t).square().mean(-1)):
        graph = nw.with_loss(net, function)
        examples = {"input": nw.batch([[1.0, 2.0], [3.0, 4.0]]), "target": nw.batch([[0.0, 1.0, 2.0], [1.0, 1.0, 1.0]])}
        torch.testing.assert_close(graph(examples), nw.with_loss(net, nw.MSE())(examples))


def test_functions_that_are_no_loss() -> None:
    net = nw.initialize(nw.Chain(3, input=2, output=3))
    examples = {"input": nw.batch([[1.0, 2.0]]), "target": nw.batch([[0.0, 1.0, 2.0]])}
    with pytest.raises(NetError) as caught:
        nw.with_loss(net, lambda y, t: y - t)(examples)
    assert str(caught.value) == (
        "a loss gives one number for each example\n"
        "  where:    <lambda>\n  expected: ()\n  got:      (3,)\n  mend:     its mean: (…).mean()"
    )
    with pytest.raises(NetError, match="the loss cannot be computed of one example"):
        nw.with_loss(net, lambda y, t: (y - t).sum(1))(examples)
    with pytest.raises(NetError) as caught:
        nw.with_loss(net, torch.nn.functional.cross_entropy)
    assert caught.value.what == "a loss of torch is not a part"
    assert caught.value.mend == ("nw.CrossEntropy(), behind a net that ends in nw.softmax",)
    with pytest.raises(NetError, match="this is not a loss"):
        nw.with_loss(net, 3)


class Distance(nw.Leaf):
    """A loss of one's own whose output has no name."""

    ports = "input: *s, target: *s -> ()"

    def forward(self, w, x, target):
        return (x - target).abs().flatten(1).sum(1)  # (b,)


def test_the_output_of_a_loss_of_ones_own_is_called_loss_and_trains() -> None:
    graph = nw.with_loss(nw.Chain(1, input=2), Distance())
    assert graph.plan.outputs == {"loss": ()}
    run = nw.train(graph, ([[0.0, 1.0], [1.0, 0.0]] * 4, [[1.0], [2.0]] * 4), epochs=1, progress=False)
    assert len(run.epochs) == 1
