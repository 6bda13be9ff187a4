"""The autograd engine: gradients are autograd's own, in float32 exactly; running arrays and culprits are found."""

import math

import pytest
import torch

import netwright as nw
from netwright.net.apply import whole_program
from netwright.net.run.context import RunContext
from netwright.net.run.noise import Noise
from netwright.training.batch import Batch
from netwright.training.culprit import Culprit
from netwright.training.engines.autograd import Autograd
from netwright.training.engines.flat import Flat

CPU = torch.device("cpu")


def made(precision=None):
    net = nw.Chain(
        nw.Conv(4, 3), nw.relu, nw.MaxPool(2), nw.BatchNorm(), nw.Flatten(), nw.Dropout(0.2), nw.Linear(), nw.softmax,
        input=(8, 8, 1), output=nw.Category(range(3)),
    )  # fmt: skip
    net = nw.initialize(nw.with_loss(net, nw.CrossEntropy()))
    learned = {path: a for path, a in net.held.arrays.items() if net.plan.arrays[path].weight.kind == "learned"}
    rest = {path: a.clone() for path, a in net.held.arrays.items() if path not in learned}
    flat = Flat.of(learned, precision, CPU)
    torch.manual_seed(0)
    batch = Batch({"input": torch.rand(6, 8, 8, 1), "target": torch.tensor([0, 1, 2, 0, 1, 2])}, torch.arange(6), None)
    return net, flat, Autograd.of(net.plan, flat, rest, precision, seed=1), batch


def reference(net, batch):
    arrays = {path: array.clone().requires_grad_(array.is_floating_point()) for path, array in net.held.arrays.items()}
    bound = whole_program(net).bind(arrays)
    context = RunContext(training=True, noise=Noise(1, 0, batch.examples), batch=6)
    bound(batch.inputs, context)[0].mean().backward()
    return arrays


def test_gradients_are_autograd_s() -> None:
    net, flat, engine, batch = made()
    engine.gradient(batch, 0)
    for path, array in reference(net, batch).items():
        if path in flat.spans:
            torch.testing.assert_close(flat.view(flat.gradient, path), array.grad)


def test_bf16_gradients_point_the_same_way() -> None:
    net, flat, engine, batch = made(torch.bfloat16)
    engine.gradient(batch, 0)
    for path, array in reference(net, batch).items():
        if path in flat.spans and array.grad.norm() > 1e-4:
            ours = flat.view(flat.gradient, path).flatten()
            assert torch.cosine_similarity(ours, array.grad.flatten(), dim=0) > 0.99


def test_running_arrays_are_written_after_the_step() -> None:
    _, _, engine, batch = made()
    before = {path: array.clone() for path, array in engine.running.items()}
    engine.gradient(batch, 0)
    assert before
    assert all(not torch.equal(before[path], array) for path, array in engine.running.items())


def test_the_culprit_is_the_first_part_that_is_not_finite() -> None:
    _, _, engine, batch = made()
    batch.inputs["input"][4, 0, 0, 0] = float("inf")
    assert engine.culprit(batch, 0) == Culprit("loss", "net/conv1", 4)
    assert engine.culprit(made()[3], 0) is None


def test_a_step_that_is_not_finite_leaves_running_arrays_as_they_are() -> None:
    _, _, engine, batch = made()
    before = {path: array.clone() for path, array in engine.running.items()}
    batch.inputs["input"][4, 0, 0, 0] = float("nan")
    assert not math.isfinite(engine.gradient(batch, 0))
    assert all(torch.equal(before[path], array) for path, array in engine.running.items())


def test_weights_and_running_arrays_are_broken_where_a_number_is_not_finite() -> None:
    _, flat, engine, batch = made()
    assert engine.broken() is None
    engine.running["net/batchnorm1/variance"][0] = math.inf
    assert engine.broken() == "net/batchnorm1/variance"
    flat.view(flat.master, "net/linear1/bias")[0] = math.nan
    assert engine.broken() == "net/linear1/bias"
    assert engine.culprit(batch, 0) == Culprit("weights", "net/linear1/bias")


@pytest.mark.parametrize(("precision", "close"), [("float32", 1e-6), ("float64", 1e-6), ("bf16", 0.02)])
def test_a_frozen_batch_norm_computes_as_in_use_in_any_precision(precision, close):
    net = nw.Chain(nw.Linear(4), nw.BatchNorm(), nw.Linear(), nw.softmax, input=3, output=nw.Category(["a", "b"]))
    net = nw.initialize(net, seed=0)
    far = {"batchnorm1/mean": torch.full((4,), 3.0), "batchnorm1/variance": torch.full((4,), 0.5)}
    net = net.with_arrays({**net.arrays, **far})
    xs = torch.randn(16, 3, generator=torch.Generator().manual_seed(0))
    in_use = -net(xs, nw.raw).log()[:, 1].mean().item()
    given = {"batch_size": 16, "epochs": 2, "precision": precision, "threads": 1, "progress": False}
    run = nw.train(net, (xs, 16 * ["b"]), learning_rate={"batchnorm1/*": 0}, **given)
    learning = nw.train(net, (xs, 16 * ["b"]), **given)
    assert abs(run.losses[0] - in_use) < close * in_use and abs(learning.losses[0] - in_use) > 0.1 * in_use
    for name in ("mean", "variance", "weight", "bias"):
        assert torch.equal(run.net.arrays[f"batchnorm1/{name}"].float(), net.arrays[f"batchnorm1/{name}"])
