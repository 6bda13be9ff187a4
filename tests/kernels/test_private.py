"""Torch's private operators are used where they give what is known, and do as the public ones elsewhere."""

import pytest
import torch
import torch.nn.functional as F

import netwright as nw
from engine_pairs import assert_same_gradient, batch_of, engines
from netwright.kernels import private

TRIALS = ("packs_linear", "packs_convolution", "_fuses_linear", "_fuses_convolution")


pytestmark = pytest.mark.usefixtures("asked_anew")


@pytest.mark.parametrize("precision", [None, torch.bfloat16])
@pytest.mark.parametrize("missing", [None, "_linear_pointwise", "_convolution_pointwise"])
def test_a_net_learns_the_same_with_and_without_them(monkeypatch, missing, precision) -> None:
    if missing is not None:
        monkeypatch.setattr(torch.ops.mkldnn, missing, None, raising=False)
    net = nw.Chain(
        nw.Conv(4, 3), nw.relu, nw.Flatten(), nw.Linear(80), nw.relu, nw.Linear(3), nw.softmax, input=(6, 6, 1)
    )
    torch.manual_seed(0)
    batch = batch_of(torch.rand(4, 6, 6, 1), torch.randint(3, (4,)))
    assert_same_gradient(*engines(net, nw.CrossEntropy(), precision), batch, 1e-5 if precision is None else 0.03)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_they_do_as_the_public_ones(dtype: torch.dtype) -> None:
    torch.manual_seed(0)
    near = {"atol": 1e-5, "rtol": 1e-5} if dtype == torch.float32 else {"atol": 0.05, "rtol": 0.02}
    x, w, b = torch.randn(2, 4).to(dtype), torch.randn(3, 4).to(dtype), torch.randn(3).to(dtype)
    product = private.fused_linear(dtype)(x, w, b, "relu", [], "")
    torch.testing.assert_close(product.float(), F.linear(x.float(), w.float(), b.float()).relu(), **near)
    image, kernel = torch.randn(2, 3, 5, 5).to(dtype), torch.randn(3, 3, 2, 2).to(dtype)
    convolved = private.fused_convolution(dtype)(image, kernel, b, [0, 0], [1, 1], [1, 1], 1, "none", [], "")
    torch.testing.assert_close(convolved.float(), F.conv2d(image.float(), kernel.float(), b.float()), **near)


def test_a_processor_that_refuses_bf16_is_believed(monkeypatch) -> None:
    monkeypatch.setattr(torch.ops.mkldnn, "_is_mkldnn_bf16_supported", lambda: False)
    assert not any(getattr(private, name)(torch.bfloat16) for name in TRIALS)


def test_an_operator_with_other_numbers_is_not_used(monkeypatch) -> None:
    monkeypatch.setattr(torch.ops.mkldnn, "_convolution_pointwise", lambda *_: torch.zeros(2, 4, 1, 1))
    assert not private._fuses_convolution(torch.float32)
    assert not private.packs_convolution(torch.float32)


def test_other_types_have_none() -> None:
    assert not any(getattr(private, name)(torch.float64) for name in TRIALS)
