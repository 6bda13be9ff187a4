"""What kernels share: ReLU's derivative by bits."""

import pytest
import torch

from netwright.training.engines.handwritten.kernel import Gate


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_the_gate_is_relu_s_derivative(dtype) -> None:
    torch.manual_seed(0)
    y, dy = torch.randn(7, 5).to(dtype).relu(), torch.randn(7, 5).to(dtype)
    assert torch.equal(Gate((7, 5), dtype)(dy, y), torch.where(y > 0, dy, 0.0))
