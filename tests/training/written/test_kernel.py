"""What kernels share: ReLU's derivative by bits, and the test of torch's private operators."""

import pytest
import torch
import torch.nn.functional as F

import netwright as nw
from engine_pairs import assert_same_gradient, batch_of, engines
from netwright.training.written.kernel import Gate, fused


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_the_gate_is_relu_s_derivative(dtype) -> None:
    torch.manual_seed(0)
    y, dy = torch.randn(7, 5).to(dtype).relu(), torch.randn(7, 5).to(dtype)
    assert torch.equal(Gate((7, 5), dtype)(dy, y), torch.where(y > 0, dy, 0.0))


@pytest.mark.parametrize("module", ["conv", "kernel"])
@pytest.mark.parametrize("precision", [None, torch.bfloat16])
def test_without_private_operators_the_plain_ones_do_the_same(monkeypatch, module, precision) -> None:
    monkeypatch.setattr(f"netwright.training.written.{module}.fused", lambda: False)
    net = nw.Chain(
        nw.Conv(4, 3), nw.relu, nw.Flatten(), nw.Linear(80), nw.relu, nw.Linear(3), nw.softmax, input=(6, 6, 1)
    )
    torch.manual_seed(0)
    batch = batch_of(torch.rand(4, 6, 6, 1), torch.randint(3, (4,)))
    assert_same_gradient(*engines(net, nw.CrossEntropy(), precision), batch, 1e-5 if precision is None else 0.03)


def test_the_private_operators_are_tested_by_what_they_do() -> None:
    x, w, b = torch.randn(2, 4), torch.randn(3, 4), torch.randn(3)
    if fused():
        torch.testing.assert_close(
            torch.ops.mkldnn._linear_pointwise.default(x, w, b, "relu", [], ""), F.linear(x, w, b).relu()
        )
    assert isinstance(fused(), bool)
