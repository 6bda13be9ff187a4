"""Which engine a net gets: the written one where every leaf has a kernel, autograd for all others."""

import pytest
import torch

import netwright as nw
from engine_pairs import engines
from netwright.training.engines.autograd import Autograd
from netwright.training.engines.handwritten.engine import Written

CLASSES = nw.Category(range(3))
PICTURE = {"input": (8, 8, 1), "output": CLASSES}
ENDS = (nw.Linear(), nw.softmax)

WRITTEN = {
    "convolutions": nw.Chain(nw.Conv(4, 3), nw.relu, nw.MaxPool(2), nw.Flatten(), *ENDS, **PICTURE),
    "other options": nw.Chain(
        nw.Conv(4, 3, stride=2, padding=1), nw.gelu, nw.MaxPool(3), nw.Flatten(), nw.Dropout(), *ENDS, **PICTURE
    ),
    "a fixed length": nw.Chain(4, nw.relu, nw.GlobalMaxPool(), *ENDS, input=(9, 2), output=CLASSES),
    "running arrays": nw.Chain(nw.Conv(4, 3, padding="same"), nw.BatchNorm(), nw.Flatten(), *ENDS, **PICTURE),
    "a way around": nw.Chain(nw.Residual(nw.Linear(2)), *ENDS, input=2, output=CLASSES),
    "perceptron": nw.Chain(8, nw.tanh, *ENDS, input=2, output=CLASSES),
}
OTHERS = {
    "a leaf without a kernel": nw.Chain(8, nw.RMSNorm(), *ENDS, input=2, output=CLASSES),
    "unequal padding": nw.Chain(nw.Conv(4, 2, padding="same"), nw.Flatten(), *ENDS, **PICTURE),
    "a length that varies": nw.Chain(4, nw.relu, nw.GlobalMaxPool(), *ENDS, input=("n", 2), output=CLASSES),
    "three that are added": nw.Chain(nw.Parallel(2, 2, 2), nw.Add(), *ENDS, input=2, output=CLASSES),
}


@pytest.mark.parametrize("name", WRITTEN)
def test_nets_of_known_leaves_are_written_out(name) -> None:
    assert isinstance(engines(WRITTEN[name], nw.CrossEntropy())[1], Written)


@pytest.mark.parametrize("name", OTHERS)
def test_all_others_go_by_autograd(name) -> None:
    assert isinstance(engines(OTHERS[name], nw.CrossEntropy())[1], Autograd)


def test_other_losses_go_by_autograd() -> None:
    net = nw.Chain(nw.Linear(), input=2, output=nw.Number())
    assert isinstance(engines(net, nw.Huber())[1], Autograd)
    assert isinstance(engines(net, nw.MSE())[1], Written)


def test_frozen_arrays_go_by_autograd() -> None:
    torch.manual_seed(0)
    net = nw.initialize(nw.Chain(4, nw.relu, nw.Linear(), input=2, output=nw.Number(0.0, 1.0)))
    run = nw.train(net, (torch.rand(8, 2).numpy(), [1.0] * 8), learning_rate={"linear1": 0}, epochs=2, progress=False)
    assert nw.diff(net, run.net).of("changed") == ("linear2/weight", "linear2/bias")
