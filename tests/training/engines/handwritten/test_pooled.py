"""Convolution, pooling and ReLU as one kernel: what the three give apart, values and gradients."""

import pytest
import torch
import torch.nn.functional as F

from netwright.layers.conv import Conv
from netwright.training.engines.handwritten.kernel import KernelSite
from netwright.training.engines.handwritten.pooled import PooledConvolution, pooling_pays

BF16 = torch.bfloat16


def site(x: tuple[int, ...], out: int, kernel: int, bias: bool = True, first: bool = False) -> KernelSite:
    """A kernel's place with weights drawn and room for their gradients."""
    weight = torch.randn(out, kernel, kernel, x[-1]).to(BF16).movedim(-1, 1)
    arrays = {"weight": weight, **({"bias": torch.randn(out).to(BF16)} if bias else {})}
    room = {name: torch.zeros(value.shape) for name, value in arrays.items()}
    room["weight"] = torch.zeros(out, kernel, kernel, x[-1]).movedim(-1, 1)
    return KernelSite((), x, BF16, working=arrays, master={}, gradients=room, first=first)


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize(("channels", "out", "kernel"), [(1, 3, 5), (3, 4, 3), (6, 50, 3), (2, 5, 2)])
def test_as_the_three_apart(channels: int, out: int, kernel: int, bias: bool) -> None:
    torch.manual_seed(0)
    size = 7 + kernel  # 8 outputs an axis
    at = site((2, size, size, channels), out, kernel, bias)
    x = torch.randn(2, size, size, channels).to(BF16)
    dy = torch.randn(2, 4, 4, out).to(BF16)
    kernel_ = PooledConvolution(at, (2, 8, 8, out))
    y, dx = kernel_.forward(x).clone(), kernel_.backward(dy)
    exact = x.double().permute(0, 3, 1, 2).requires_grad_()
    w = at.working["weight"].double().requires_grad_()
    b = at.working["bias"].double().requires_grad_() if bias else None
    convolved = F.conv2d(exact, w, b)
    rounded = convolved + (convolved.detach().to(BF16).double() - convolved.detach())  # the winner by what bf16 sees
    expected = F.max_pool2d(rounded, 2).relu()
    expected.backward(dy.double().permute(0, 3, 1, 2))
    assert torch.allclose(y.double(), expected.detach().permute(0, 2, 3, 1), atol=0.05, rtol=0.02)
    assert dx is not None
    for found, wanted in (
        (dx, exact.grad.permute(0, 2, 3, 1)),
        (at.gradients["weight"], w.grad),
        *([(at.gradients["bias"], b.grad)] if b is not None else []),
    ):
        assert ((found.double() - wanted).norm() / wanted.norm()).item() < 0.02


def test_the_first_of_a_net_gives_no_gradient_back() -> None:
    kernel = PooledConvolution(site((1, 4, 4, 1), 2, 3, first=True), (1, 2, 2, 2))
    kernel.forward(torch.randn(1, 4, 4, 1).to(BF16))
    assert kernel.backward(torch.ones(1, 1, 1, 2, dtype=BF16)) is None


@pytest.mark.parametrize(
    ("units", "channels", "pays"), [(True, 20, True), (True, 40, False), (False, 20, False), (False, 1, True)]
)
def test_when_it_pays(monkeypatch, units: bool, channels: int, pays: bool) -> None:
    """Channels are filled up to the width of a matrix unit, where there is one."""
    monkeypatch.setattr("netwright.training.engines.handwritten.pooled.has_matrix_units", lambda: units)
    assert pooling_pays(site((2, 12, 12, channels), 50, 5), Conv(50, 5), (2, 8, 8, 50)) == pays
