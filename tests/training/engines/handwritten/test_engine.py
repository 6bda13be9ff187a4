"""The written engine: short last batches, NaN, culprits, the same bits twice."""

import math

import numpy as np
import pytest
import torch

import netwright as nw
from engine_pairs import assert_same_gradient, batch_of, engines
from netwright.errors import TrainingError
from netwright.training.culprit import Culprit
from netwright.training.engines.handwritten.engine import Written

NET = nw.Chain(
    nw.Conv(4, 3), nw.relu, nw.MaxPool(2), nw.Conv(6, 3, padding=1), nw.relu, nw.Flatten(), nw.Linear(8), nw.relu,
    nw.Linear(3), nw.softmax, input=(10, 10, 1),
)  # fmt: skip


def pictures(count):
    torch.manual_seed(count)
    return batch_of(torch.rand(count, 10, 10, 1), torch.randint(3, (count,)))


def test_every_batch_size_has_its_own_chain() -> None:
    one, other = engines(NET, nw.CrossEntropy())
    for count in (8, 3, 8, 1):
        assert_same_gradient(one, other, pictures(count), 1e-5)
    assert sorted(other.graphs) == [1, 3, 8]


@pytest.mark.parametrize("precision", [None, torch.bfloat16])
@pytest.mark.parametrize("value", [math.nan, -math.nan, math.inf])
def test_what_is_not_finite_is_noticed(precision, value) -> None:
    _, engine = engines(NET, nw.CrossEntropy(), precision)
    batch = pictures(8)
    batch.inputs["input"][5, 4, 4, 0] = value
    assert not math.isfinite(engine.gradient(batch, 0))
    assert engine.culprit(batch, 0) == Culprit("loss", "net/conv1", 5)


def test_weights_that_are_not_finite_are_noticed() -> None:
    _, engine = engines(NET, nw.CrossEntropy())
    assert engine.broken() is None
    engine.flat.view(engine.flat.master, "net/conv1/weight")[0, 0, 0, 0] = math.nan
    assert engine.broken() == "net/conv1/weight"
    assert engine.culprit(pictures(8), 0) == Culprit("weights", "net/conv1/weight")


def test_a_gradient_that_is_not_finite_behind_a_finite_loss_is_noticed() -> None:
    net = nw.Chain(nw.Linear(4, bias=False), nw.square, nw.sqrt, nw.Linear(2), nw.softmax, input=3)
    _, engine = engines(net, nw.CrossEntropy())
    assert isinstance(engine, Written)
    batch = batch_of(torch.ones(6, 3), torch.arange(6) % 2)
    batch.inputs["input"][4] = 0
    assert not math.isfinite(engine.gradient(batch, 0))
    assert engine.culprit(batch, 0) == Culprit("gradient", "net/sqrt1", 4)


def test_the_same_bits_twice() -> None:
    gradients = []
    for _ in range(2):
        _, engine = engines(NET, nw.CrossEntropy(), torch.bfloat16)
        engine.gradient(pictures(8), 0)
        gradients.append(engine.flat.gradient)
    assert torch.equal(*gradients)


def test_training_names_the_example_that_is_not_finite() -> None:
    xs = np.ones((40, 2), dtype=np.float32)
    xs[17] = 3e38
    net = nw.Chain(4, nw.relu, nw.Linear(), input=2, output=nw.Number(0.0, 1.0))
    with pytest.raises(TrainingError) as caught:
        nw.train(net, (xs, np.ones(40)), progress=False, batch_size=8)
    assert "example 17" in caught.value.where
