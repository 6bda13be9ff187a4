"""Kernels of single values: as autograd."""

import pytest
import torch

import netwright as nw
from engine_pairs import assert_same_gradient, batch_of, engines
from netwright.layers.pointwise import tanh
from netwright.training.engines.handwritten.kernel import KernelSite
from netwright.training.engines.handwritten.pointwise import ByAutograd, Cast, FromInput, FromOutput, Relu, elementwise


@pytest.mark.parametrize("between", [nw.relu, nw.relu6, nw.tanh, nw.sigmoid, nw.gelu, nw.silu, nw.elu], ids=repr)
@pytest.mark.parametrize("precision", [None, torch.bfloat16])
def test_as_autograd(between, precision) -> None:
    net = nw.Chain(nw.Linear(70), between, nw.Linear(70), nw.Linear(2), input=4)
    torch.manual_seed(0)
    batch = batch_of(torch.randn(5, 4), torch.randn(5, 2))
    assert_same_gradient(*engines(net, nw.MSE(), precision), batch, 1e-6 if precision is None else 0.02)


def test_which_kernel() -> None:
    site = KernelSite((), (2, 3), torch.float32)
    kinds = [type(elementwise(site, [leaf])[0]) for leaf in (nw.relu, nw.relu6, tanh, nw.gelu, nw.elu)]
    assert kinds == [Relu, Relu, FromOutput, FromInput, ByAutograd]


def test_a_cast_goes_both_ways() -> None:
    cast = Cast((2,), torch.float32, torch.bfloat16)
    assert cast.forward(torch.ones(2)).dtype == torch.bfloat16
    assert cast.backward(torch.ones(2, dtype=torch.bfloat16)).dtype == torch.float32
