"""Losses as parts of a net: ports, names, and what does not go together."""

import pytest
import torch
import torch.nn.functional as F

import netwright as nw
from messages import message
from netwright.errors import NetError
from netwright.training.prepare.goal import ends_in_losses
from netwright.training.prepare.with_loss import with_weights


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
    assert (one.input_names, one.output_names) == (("input", "mean_target"), ("loss",))


def two_losses() -> nw.Net:
    """A net with two outputs."""
    x = nw.Input("x", 3)
    return nw.Graph(
        {"kind": nw.Chain(nw.Linear(3), nw.softmax)(x), "size": nw.Linear(1)(x)},
        output={"kind": nw.Category(list("abc")), "size": nw.Number(0, 1)},
    )


LOSSES = {"kind": nw.CrossEntropy(), "size": nw.MSE()}


def test_losses_times_their_weights() -> None:
    net = nw.initialize(two_losses(), seed=0)
    example = {"x": (0.5, -1.0, 2.0), "kind_target": "b", "size_target": 3.0}
    plain = nw.with_loss(net, LOSSES)
    for graph in (nw.with_loss(net, LOSSES, {"kind": 0.25}), with_weights(plain, {"kind_loss": 0.25})):
        assert graph.output_names == ("kind_loss", "size_loss")
        assert ends_in_losses(graph)
        got, before = graph(example, nw.raw), plain(example, nw.raw)
        torch.testing.assert_close(got["kind_loss"], 0.25 * before["kind_loss"])
        torch.testing.assert_close(got["size_loss"], before["size_loss"])


def weighted_sum(w: dict[str, torch.Tensor], batch: tuple[torch.Tensor, ...]) -> torch.Tensor:
    """The same losses in torch, the first one at weight 0.3."""
    x, kinds, sizes = batch
    values = [x @ w[f"{path}/weight"].T + w[f"{path}/bias"] for path in ("chain1/linear1", "linear1")]
    return 0.3 * F.cross_entropy(values[0], kinds) + F.mse_loss(values[1].squeeze(-1), sizes)


def test_a_run_minimizes_the_weighted_sum() -> None:
    draw = torch.Generator().manual_seed(0)
    x, kinds = torch.randn(20, 3, generator=draw), torch.arange(20) % 3
    batch = (x.double(), kinds, x.sum(1).double())
    net = nw.initialize(two_losses(), seed=0)
    data = {"x": x, "kind_target": ["abc"[i] for i in kinds], "size_target": x.sum(1).tolist()}
    options = {"epochs": 4, "batch_size": 20, "optimizer": nw.SGD(momentum=0), "learning_rate": 0.1}
    options |= {"schedule": "constant", "precision": "float64", "progress": False, "validation": data}
    own = nw.with_loss(net, LOSSES)
    for one, name in ((net, "kind"), (own, "kind_loss")):
        run = nw.train(one, data, loss_weights={name: 0.3}, **options)
        prefix = "" if one is net else "net/"
        w = {path: array.double().requires_grad_() for path, array in net.arrays.items()}
        for step in range(4):
            loss = weighted_sum(w, batch)
            assert run.losses[step] == pytest.approx(loss.item(), abs=1e-6)
            for array, gradient in zip(w.values(), torch.autograd.grad(loss, [*w.values()]), strict=True):
                array.data -= 0.1 * gradient
            assert run.epochs[step].validation["loss"] == pytest.approx(weighted_sum(w, batch).item(), abs=1e-6)
        for path, array in w.items():
            torch.testing.assert_close(run.last.arrays[prefix + path], array.detach(), rtol=0, atol=1e-6)
        assert f"loss weights: {{'{name}': 0.3}} (given)" in map(str, run.choices)
    low = nw.train(net, data, loss_weights={"kind": 0.3}, **{**options, "precision": "bf16"})
    assert low.losses[0] == pytest.approx(
        weighted_sum({p: a.double() for p, a in net.arrays.items()}, batch).item(), rel=0.01
    )


def test_weights_of_losses_that_are_not_there_are_refused() -> None:
    net, data = two_losses(), {"x": [(0, 1, 2)], "kind_target": ["a"], "size_target": [1]}
    for refused in (
        lambda: nw.with_loss(net, LOSSES, {"kidn": 2.0}),
        lambda: nw.train(net, data, loss_weights={"kidn": 2.0}),
    ):
        assert message(refused) == (
            "no loss belongs to an output 'kidn'\n  where:    weights of the losses\n"
            "  expected: some of 'kind', 'size'\n  mend:     did you mean 'kind'?"
        )
    one, data = nw.Chain(1, input=2, output=nw.Number(0, 1)), ([(0, 1)], [1])
    for refused in (
        lambda: nw.with_loss(one, nw.MSE(), {"output": 2.0}),
        lambda: nw.train(one, data, loss_weights={"output": 2.0}),
        lambda: nw.train(nw.with_loss(one, nw.MSE()), data, loss_weights={"output": 2.0}),
    ):
        assert message(refused) == (
            "weights weigh several losses against each other, and this net has one\n  where:    weights of the losses\n"
            "  got:      {'output': 2.0}\n"
            "  mend:     leave them out; learning_rate=… says how large the steps of a run are"
        )


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
