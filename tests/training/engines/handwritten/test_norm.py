"""Norm kernels: as autograd, their running arrays too, and in bf16 as near to float32 as it is."""

import math

import pytest
import torch

import netwright as nw
from engine_pairs import assert_same_gradient, batch_of, engines
from netwright.training.engines.autograd import Autograd
from netwright.training.engines.handwritten.engine import Written
from netwright.training.engines.handwritten.norm import NormalizedSum

RESIDUAL = nw.Chain(
    nw.Conv(6, 3, padding=1, bias=False), nw.BatchNorm(), nw.relu,
    nw.Residual([
        nw.Conv(6, 3, padding=1), nw.BatchNorm(momentum=0.3), nw.relu, nw.Conv(6, 3, padding=1), nw.BatchNorm()
    ]),
    nw.relu,
    nw.Residual([nw.Conv(8, 3, stride=2), nw.BatchNorm()], [nw.Conv(8, 3, stride=2), nw.BatchNorm(eps=0.01)]), nw.relu6,
    nw.GlobalAvgPool(), nw.Linear(3), nw.softmax, input=(9, 9, 2),
)  # fmt: skip


def pictures(count=6):
    torch.manual_seed(count)
    return batch_of(torch.randn(count, 9, 9, 2), torch.randint(3, (count,)))


@pytest.mark.parametrize("after", [(), (nw.relu,), (nw.relu6,), (nw.tanh,), (nw.relu, nw.Dropout(0.3))], ids=repr)
@pytest.mark.parametrize("norm", [nw.BatchNorm(), nw.BatchNorm(momentum=0.5, eps=0.1), nw.LayerNorm()], ids=repr)
def test_as_autograd(norm, after) -> None:
    net = nw.Chain(nw.Linear(7), norm, *after, nw.Linear(2), input=4)
    one, other = engines(net, nw.MSE())
    assert isinstance(other, Written)
    torch.manual_seed(0)
    for _ in range(3):
        assert_same_gradient(one, other, batch_of(torch.randn(8, 4), torch.randn(8, 2)), 5e-6)
        assert_same_running(one, other)


def assert_same_running(one: Autograd, other: Written) -> None:
    """The running arrays of two engines agree."""
    assert one.running.keys() == other.autograd.running.keys()
    for path, array in one.running.items():
        torch.testing.assert_close(other.autograd.running[path], array, rtol=1e-5, atol=1e-6)


def test_a_resnet() -> None:
    one, other = engines(RESIDUAL, nw.CrossEntropy())
    assert isinstance(other, Written)
    for _ in range(3):
        assert_same_gradient(one, other, pictures(), 2e-5)
        assert_same_running(one, other)
    kinds = [type(stage.join) for stage in other.graphs[6].stages if stage.join is not None]
    assert kinds == [NormalizedSum, NormalizedSum]


def test_a_resnet_in_bf16_is_as_near_to_float32_as_autograd_is() -> None:
    exact, _ = engines(RESIDUAL, nw.CrossEntropy())
    one, other = engines(RESIDUAL, nw.CrossEntropy(), torch.bfloat16)
    for engine in (exact, one, other):
        engine.gradient(pictures(64), 0)
    errors = [(e.flat.gradient - exact.flat.gradient).norm() / exact.flat.gradient.norm() for e in (one, other)]
    assert errors[1] < 1.5 * errors[0] + 0.01


def test_sequences_share_their_statistics() -> None:
    net = nw.Chain(nw.Linear(5), nw.BatchNorm(), nw.Linear(2), input=(3, 4))
    torch.manual_seed(0)
    one, other = engines(net, nw.MSE())
    assert isinstance(other, Written)
    assert_same_gradient(one, other, batch_of(torch.randn(6, 3, 4), torch.randn(6, 3, 2)), 5e-6)
    assert_same_running(one, other)


def test_running_arrays_do_not_follow_a_step_that_is_not_made() -> None:
    _, engine = engines(RESIDUAL, nw.CrossEntropy())
    engine.gradient(pictures(), 0)
    before = {path: array.clone() for path, array in engine.autograd.running.items()}
    broken = pictures()
    broken.inputs["input"][2, 3, 3, 1] = math.nan
    assert not math.isfinite(engine.gradient(broken, 1))
    assert all(torch.equal(array, before[path]) for path, array in engine.autograd.running.items())
    assert math.isfinite(engine.gradient(pictures(), 2))
    assert all(array.isfinite().all() for array in engine.autograd.running.values())
