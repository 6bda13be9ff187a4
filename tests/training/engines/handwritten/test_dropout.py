"""The dropout kernel: by the same noise as the leaf, alone and behind ReLU."""

import pytest
import torch

import netwright as nw
from engine_pairs import assert_same_gradient, batch_of, engines
from netwright.training.engines.handwritten.engine import Written


@pytest.mark.parametrize("between", [(), (nw.relu,), (nw.tanh,), (nw.BatchNorm(), nw.relu6)], ids=repr)
@pytest.mark.parametrize("rate", [0.0, 1e-7, 0.4, 0.9])
@pytest.mark.parametrize("precision", [None, torch.bfloat16])
def test_as_autograd(between, rate, precision) -> None:
    net = nw.Chain(
        nw.Linear(70), *between, nw.Dropout(rate), nw.Linear(71), nw.relu, nw.Dropout(0.5), nw.Linear(2), input=4
    )
    one, other = engines(net, nw.MSE(), precision)
    assert isinstance(other, Written)
    torch.manual_seed(0)
    assert_same_gradient(
        one, other, batch_of(torch.randn(9, 4), torch.randn(9, 2)), 3e-6 if precision is None else 0.03
    )


def test_behind_a_convolution() -> None:
    net = nw.Chain(nw.Conv(5, 3), nw.relu, nw.Dropout(0.3), nw.Flatten(), nw.Linear(2), input=(6, 6, 2))
    torch.manual_seed(0)
    assert_same_gradient(*engines(net, nw.MSE()), batch_of(torch.randn(4, 6, 6, 2), torch.randn(4, 2)), 2e-6)


@pytest.mark.parametrize("unit", ["feature", "example"])
def test_what_drops_more_than_values_is_left_to_autograd(unit) -> None:
    net = nw.Chain(nw.Conv(5, 3), nw.relu, nw.Dropout(0.5, unit=unit), nw.Flatten(), nw.Linear(2), input=(6, 6, 2))
    torch.manual_seed(0)
    one, other = engines(net, nw.MSE())
    assert not isinstance(other, Written)
    assert_same_gradient(one, other, batch_of(torch.randn(4, 6, 6, 2), torch.randn(4, 2)), 2e-6)


def test_two_of_them_drop_different_values() -> None:
    net = nw.Chain(nw.Linear(400), nw.Dropout(0.5), nw.Dropout(0.5), nw.Linear(2), input=1)
    _, engine = engines(net, nw.MSE())
    engine.gradient(batch_of(torch.ones(1, 1), torch.ones(1, 2)), 0)
    kept = engine.flat.view(engine.flat.gradient, "net/linear1/weight")[:, 0] != 0
    assert 60 < int(kept.sum()) < 140  # a quarter of 400
