"""Affine kernels: narrow last ones are float32 on the master weights, others in the precision of the run."""

import pytest
import torch

from netwright.layers.linear import Linear
from netwright.layers.pointwise import relu
from netwright.training.engines.handwritten.kernel import KernelSite
from netwright.training.engines.handwritten.linear import Affine, Float32Linear, linear_kernels


def site(dtype, out=5, last=False):
    torch.manual_seed(0)
    weight, bias = torch.randn(out, 7), torch.randn(out)
    arrays = {"weight": weight, "bias": bias}
    low = {name: array.to(dtype) for name, array in arrays.items()}
    gradients = {name: torch.empty_like(array) for name, array in arrays.items()}
    return KernelSite((), (4, 3, 7), dtype, low, arrays, gradients, last=last)


@pytest.mark.parametrize(
    ("dtype", "out", "last", "kernel"),
    [
        (torch.float32, 99, False, Float32Linear),
        (torch.bfloat16, 99, True, Affine),
        (torch.bfloat16, 5, False, Affine),
        (torch.bfloat16, 5, True, Float32Linear),
    ],
)
def test_which_kernel(dtype, out, last, kernel) -> None:
    assert [type(made) for made in linear_kernels(site(dtype, out, last), [Linear(out)])] == [kernel]


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("last", [False, True])
@pytest.mark.parametrize("with_relu", [False, True])
def test_as_autograd(dtype, last, with_relu) -> None:
    where = site(dtype, last=last)
    (kernel,) = linear_kernels(where, [Linear(5), relu][: 1 + with_relu])
    x = torch.randn(4, 3, 7).to(dtype).requires_grad_()
    w, b = (where.working[name].float().clone().requires_grad_() for name in ("weight", "bias"))
    y = torch.nn.functional.linear(x.float(), w, b)
    y = y.relu() if with_relu else y
    tolerance = {"rtol": 0.05, "atol": 0.1} if dtype == torch.bfloat16 else {}
    torch.testing.assert_close(kernel.forward(x.detach()).float(), y.detach(), **tolerance)
    dy = torch.randn(4, 3, 5).to(kernel.dtype)
    y.backward(dy.float())
    torch.testing.assert_close(kernel.backward(dy).float(), x.grad.float(), **tolerance)
    torch.testing.assert_close(where.gradients["weight"], w.grad, **tolerance)
    torch.testing.assert_close(where.gradients["bias"], b.grad, **tolerance)
