"""The ways to a convolution's weight gradient: all of them give torch's."""

import pytest
import torch
import torch.nn.functional as F

from netwright.training.engines.handwritten.weights import ImageRows, WindowRows


@pytest.mark.parametrize("way", [ImageRows, WindowRows])
@pytest.mark.parametrize(("count", "kernel", "into"), [(4, (3, 3), 1), (3, (2, 5), 3), (2, (1, 1), 2)])
def test_as_torch(way, count, kernel, into) -> None:
    torch.manual_seed(0)
    high, wide = 6 + kernel[0] - 1, 4 + kernel[1] - 1
    x, dy = torch.randn(count, high, wide, into), torch.randn(count, 6, 4, 5)
    w, b = torch.zeros(5, into, *kernel, requires_grad=True), torch.zeros(5, requires_grad=True)
    F.conv2d(x.permute(0, 3, 1, 2), w, b).backward(dy.permute(0, 3, 1, 2))
    weight, bias = torch.empty(5, *kernel, into), torch.empty(5)
    way(tuple(x.shape), tuple(dy.shape), weight, bias, torch.float32)(x, dy)
    torch.testing.assert_close(weight.permute(0, 3, 1, 2), w.grad, rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(bias, b.grad, rtol=1e-5, atol=1e-5)
