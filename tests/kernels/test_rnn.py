"""The plain recurrent kernel: torch's values and gradients in every precision, padding that changes nothing."""

import pytest
import torch

from kernels.scan_laws import ScanLaws
from layers.recurrent.cases import PADDINGS, hold_alone, hold_to_torch
from netwright.kernels import rnn


class TestScanRNN(ScanLaws):
    kind = "tanh"

    def kernel(self, x, states, arrays, length):
        return rnn.rnn_scan(x, states[0], arrays, length, "tanh")


def relu(x, states, arrays, length):
    return rnn.rnn_scan(x, states[0], arrays, length, "relu")


@pytest.mark.parametrize("sizes", [(3, 7, 4, 5), (4, 40, 6, 16)])
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])  # bf16 falls on other sides of the kink
def test_relu_too(dtype, sizes) -> None:
    hold_to_torch(relu, "relu", dtype, sizes)


@pytest.mark.parametrize("padding", PADDINGS)
def test_relu_alone_is_relu_padded(padding) -> None:
    hold_alone(relu, "relu", padding)


def test_relu_does_not_grow_behind_the_end() -> None:
    arrays = [torch.full(shape, 4.0).requires_grad_() for shape in ((2, 1), (2, 2), (2,), (2,))]
    y, last = relu(torch.ones(1, 200, 1), [torch.zeros(1, 2)], arrays, torch.tensor([3]))
    assert y.isfinite().all()
    assert all(one.isfinite().all() for one in torch.autograd.grad(last.sum(), arrays))
