"""Pooling behind ReLU: torch's values exactly, torch's gradients where no values tie, one winner where they do."""

import pytest
import torch
import torch.nn.functional as F

from netwright.training.engines.handwritten.kernel import KernelSite
from netwright.training.engines.handwritten.pool import PoolOfRelu


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_as_torch_where_nothing_ties(dtype, channels) -> None:
    torch.manual_seed(0)
    values = torch.stack([torch.randperm(36) for _ in range(3 * channels)]).view(3, channels, 6, 6) - 18
    before = values.permute(0, 2, 3, 1).to(dtype).contiguous()  # (b, h, w, c), no two alike in a plane
    dy = torch.randn(3, 3, 3, channels).to(dtype)
    x = before.permute(0, 3, 1, 2).clone().requires_grad_()
    y = F.max_pool2d(x.relu(), 2)
    y.backward(dy.permute(0, 3, 1, 2))
    sums = torch.zeros(channels)
    kernel = PoolOfRelu(KernelSite((), (3, 6, 6, channels), dtype, gradients={"bias": sums}))
    assert torch.equal(kernel.forward(before.relu()), y.permute(0, 2, 3, 1))
    assert torch.equal(kernel.backward(dy), x.grad.permute(0, 2, 3, 1))
    near = {torch.float32: 1e-5, torch.bfloat16: 1e-2}[dtype]
    torch.testing.assert_close(sums, x.grad.float().sum((0, 2, 3)), atol=near, rtol=near)


def test_among_equals_one_wins() -> None:
    kernel = PoolOfRelu(KernelSite((), (1, 2, 2, 1), torch.bfloat16))
    kernel.forward(torch.ones(1, 2, 2, 1, dtype=torch.bfloat16))
    dx = kernel.backward(torch.full((1, 1, 1, 1), 3.0, dtype=torch.bfloat16))
    assert dx.flatten().tolist() == [3, 0, 0, 0]
