"""What can be written out, and which leaves are taken together."""

import pytest
import torch

import netwright as nw
from engine_pairs import batch_of, engines
from netwright.layers.linear import Linear
from netwright.training.engines.handwritten.engine import Written
from netwright.training.engines.handwritten.table import RELU

SHARED = nw.Shared("s", nw.Linear(4))


@pytest.mark.parametrize(
    "net",
    [
        nw.Chain(SHARED, nw.relu, SHARED, input=4),
        nw.Chain(nw.Conv(4, 3), nw.GlobalAvgPool(), input=("n", 2)),
        nw.Chain(nw.GRU(4), nw.Last(), input=(3, 2)),
        nw.Chain(nw.Map(nw.Linear(4)), nw.Mean(0), input=(3, 2)),
    ],
    ids=["arrays read twice", "sizes that vary", "a leaf without a kernel", "a map"],
)
def test_what_is_for_autograd(net) -> None:
    assert not isinstance(engines(net, nw.MSE())[1], Written)


def test_only_one_reader_is_taken_together() -> None:
    x = nw.Input("input", 4)
    a = nw.Linear(4)(x)
    net = nw.Graph(nw.Add()(nw.relu(a), a))
    _, engine = engines(net, nw.MSE())
    assert isinstance(engine, Written)
    assert engine.body.follow(0, (Linear, RELU)) is None
    _, engine = engines(nw.Chain(nw.Linear(4), nw.relu, input=4), nw.MSE())
    assert isinstance(engine, Written)
    assert engine.body.follow(0, (Linear, RELU)) == [0, 1]


def test_nothing_needs_a_gradient_before_the_first_arrays() -> None:
    net = nw.Chain(nw.tanh, nw.Residual([nw.Linear(4), nw.relu]), input=4)
    _, engine = engines(net, nw.MSE())
    assert isinstance(engine, Written)
    engine.gradient(_batch(), 0)
    wanted = [stage.wanted for stage in engine.graphs[3].stages]
    assert wanted[0] == ()
    assert wanted[-1] == (1,) or wanted[-1] == (0,)


def _batch():
    return batch_of(torch.randn(3, 4), torch.randn(3, 4))
