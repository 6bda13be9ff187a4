"""Losses: value and gradient are autograd's, with weights too; what is not known is declined."""

import pytest
import torch

from netwright.layers.losses import MSE, CrossEntropy
from netwright.training.engines.engine import mean_loss
from netwright.training.engines.handwritten.kernel import KernelSite
from netwright.training.engines.handwritten.losses import LOSSES

CASES = {
    "mse": (MSE(), (5, 3), lambda: torch.randn(5, 3)),
    "mse of pictures": (MSE(), (5, 2, 4), lambda: torch.randn(5, 2, 4)),
    "cross entropy": (CrossEntropy(logits=True), (5, 3), lambda: torch.randint(3, (5,))),
    "many classes": (CrossEntropy(logits=True), (5, 20), lambda: torch.randint(20, (5,))),
    "many, smoothed": (CrossEntropy(logits=True, smoothing=0.2), (5, 20), lambda: torch.randint(20, (5,))),
    "chances": (CrossEntropy("probabilities", logits=True), (5, 3), lambda: torch.rand(5, 3).softmax(1)),
    "smoothed chances": (
        CrossEntropy("probabilities", logits=True, smoothing=0.2),
        (5, 3),
        lambda: torch.rand(5, 3).softmax(1),
    ),
    "smoothed": (CrossEntropy(logits=True, smoothing=0.2), (5, 3), lambda: torch.randint(3, (5,))),
    "positions": (CrossEntropy(logits=True), (5, 4, 3), lambda: torch.randint(3, (5, 4))),
    "many classes of pixels": (
        CrossEntropy(logits=True, smoothing=0.2),
        (5, 2, 4, 20),
        lambda: torch.randint(20, (5, 2, 4)),
    ),
    "partial": (CrossEntropy(logits=True, partial=True), (5, 2, 4, 3), lambda: torch.randint(-1, 3, (5, 2, 4))),
    "partial, one an example": (
        CrossEntropy(logits=True, partial=True),
        (5, 3),
        lambda: torch.tensor([0, -1, 2, -1, 1]),
    ),
    "partial, many classes": (
        CrossEntropy(logits=True, partial=True, smoothing=0.1),
        (5, 2, 20),
        lambda: torch.randint(-1, 20, (5, 2)),
    ),
    "nothing is known": (CrossEntropy(logits=True, partial=True), (5, 2, 3), lambda: torch.full((5, 2), -1)),
}


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("weighted", [False, True])
def test_as_autograd(name, weighted) -> None:
    torch.manual_seed(0)
    leaf, shape, draw = CASES[name]
    y, target, weights = torch.randn(shape, requires_grad=True), draw(), torch.rand(5) if weighted else None
    expected = mean_loss(leaf.forward({}, y, target), weights)
    expected.backward()
    loss = LOSSES[type(leaf)](KernelSite((), shape, torch.float32), leaf, tuple(target.shape[1:]))
    value, dy = loss(y.detach(), target, weights)
    assert value == pytest.approx(expected.item(), rel=1e-6)
    torch.testing.assert_close(dy, y.grad, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("leaf", [CrossEntropy(), CrossEntropy("binary", logits=True), CrossEntropy("probabilities")])
def test_what_is_declined(leaf) -> None:
    assert LOSSES[CrossEntropy](KernelSite((), (5, 3), torch.float32), leaf, ()) is None


def test_probabilities_at_positions_are_declined() -> None:
    leaf = CrossEntropy("probabilities", logits=True)
    assert LOSSES[CrossEntropy](KernelSite((), (5, 2, 3), torch.float32), leaf, (2, 3)) is None
