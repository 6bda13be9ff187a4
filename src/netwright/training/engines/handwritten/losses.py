"""Losses with their gradient written out."""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable

import torch
from torch import Tensor

from netwright.layers.losses import MSE, CrossEntropy
from netwright.net.leaf import LeafNode
from netwright.training.engines.handwritten.kernel import KernelSite

VECTOR = 16  # numbers in the widest vectors


class Loss(ABC):
    """The mean loss of a batch, bound to one batch size."""

    @abstractmethod
    def __call__(self, y: Tensor, target: Tensor, weights: Tensor | None) -> tuple[float, Tensor]:
        """The mean loss and its gradient by y; `weights` (b,) says how much each example counts."""


class SquaredError(Loss):
    """Mean of (y − t)²."""

    def __init__(self, site: KernelSite) -> None:
        self.error, self.dy = (torch.empty(site.shape, dtype=torch.float32, device="cpu") for _ in range(2))
        self.each = 1 / self.error.numel()
        self.flat = self.error.view(-1)
        self.column = (-1, *(1 for _ in site.shape[1:]))

    def __call__(self, y: Tensor, target: Tensor, weights: Tensor | None) -> tuple[float, Tensor]:
        torch.sub(y, target, out=self.error)
        if weights is None:
            torch.mul(self.error, 2 * self.each, out=self.dy)
            return torch.dot(self.flat, self.flat).item() * self.each, self.dy
        share = (_shares(weights) * (len(weights) * self.each)).view(self.column)
        torch.mul(self.error, share * 2, out=self.dy)
        return (self.error.square() * share).sum().item(), self.dy


class SoftmaxOfChances(Loss):
    """Mean of −Σ t log softmax(y), for targets t that add up to 1; the gradient is softmax minus the target."""

    def __init__(self, site: KernelSite, smoothing: float = 0.0) -> None:
        rows, classes = site.shape
        self.smoothing, self.spread, self.each = smoothing, smoothing / classes, 1 / rows
        self.logs, self.dy = (torch.empty(site.shape, dtype=torch.float32, device="cpu") for _ in range(2))

    def __call__(self, y: Tensor, target: Tensor, weights: Tensor | None) -> tuple[float, Tensor]:
        wanted = target * (1 - self.smoothing) + self.spread if self.smoothing else target  # (b, k)
        torch.log_softmax(y, 1, out=self.logs)
        torch.exp(self.logs, out=self.dy)
        self.dy.sub_(wanted)
        gained = (self.logs * wanted).sum(1, keepdim=True)  # (b, k) -> (b, 1)
        if weights is None:
            self.dy.mul_(self.each)
            return gained.sum().item() * -self.each, self.dy
        share = _shares(weights).unsqueeze(1)  # (b,) -> (b, 1)
        self.dy.mul_(share)
        return -(gained * share).sum().item(), self.dy


class SoftmaxCrossEntropy(Loss):
    """Mean of −log softmax(y)[t]; the gradient is softmax minus one in the right place, or minus a smoothed target.

    An example has one row of k logits, or one at each of its positions. Of a partial target the index −1 is not known:
    the loss of an example is the mean over what is known. Rows that are shorter than a vector of the processor are
    slow: then the positions lie in the rows.
    """

    def __init__(self, site: KernelSite, smoothing: float = 0.0, *, partial: bool = False) -> None:
        self.shape, self.examples, self.positions = site.shape, site.shape[0], math.prod(site.shape[1:-1])
        rows, classes = self.examples * self.positions, site.shape[-1]
        self.smoothing, self.spread, self.partial = smoothing, smoothing / classes, partial
        self.axis = 0 if classes < VECTOR else 1  # of the classes
        shape, column = ((classes, rows), (1, rows)) if self.axis == 0 else ((rows, classes), (rows, 1))
        self.turned = torch.empty(shape, dtype=torch.float32, device="cpu") if self.axis == 0 else None
        self.logs, self.slope = (torch.empty(shape, dtype=torch.float32, device="cpu") for _ in range(2))
        self.dy = torch.empty(site.shape, dtype=torch.float32, device="cpu") if self.axis == 0 else self.slope
        self.each = 1 / rows
        self.minus = torch.full(column, smoothing - 1.0, dtype=torch.float32, device="cpu")

    def __call__(self, y: Tensor, target: Tensor, weights: Tensor | None) -> tuple[float, Tensor]:
        axis, slope = self.axis, self.slope
        y = y.view(-1, y.shape[-1])  # (b, *s, k) -> (b ∏ s, k)
        if self.turned is not None:
            y = self.turned.copy_(y.t())  # (b ∏ s, k) -> (k, b ∏ s)
        share = self._share(target, weights)
        index = (target.long().clamp_min(0) if self.partial else target.long()).view(-1).unsqueeze(axis)  # (b ∏ s, 1)
        torch.log_softmax(y, axis, out=self.logs)
        torch.exp(self.logs, out=slope)
        slope.scatter_add_(axis, index, self.minus)  # before any factor: near 1 the difference is then exact
        gained = self.logs.gather(axis, index)  # (b ∏ s, k) -> (b ∏ s, 1)
        if self.smoothing:
            slope.sub_(self.spread)
            gained = gained * (1 - self.smoothing) + self.logs.sum(axis, keepdim=True) * self.spread  # (b ∏ s, 1)
        if share is None:
            slope.mul_(self.each)
            loss = gained.sum().item() * -self.each
        else:
            share = share.unsqueeze(axis)  # (b ∏ s,) -> (b ∏ s, 1)
            slope.mul_(share)
            loss = -(gained * share).sum().item()
        if self.turned is not None:
            self.dy.view(-1, len(slope)).copy_(slope.t())  # (k, b ∏ s) -> (b ∏ s, k)
        return loss, self.dy.view(self.shape)  # (b ∏ s, k) -> (b, *s, k)

    def _share(self, target: Tensor, weights: Tensor | None) -> Tensor | None:
        """How much each row counts in the mean, (b ∏ s,); None if all count as much."""
        if weights is None and not self.partial:
            return None
        given = torch.ones(self.examples, dtype=torch.float32, device="cpu") if weights is None else weights
        each = _shares(given).unsqueeze(1)  # (b,) -> (b, 1)
        if not self.partial:
            return (each / self.positions).expand(-1, self.positions).reshape(-1)  # (b, 1) -> (b ∏ s,)
        known = target.view(self.examples, -1) >= 0  # (b, *s) -> (b, ∏ s)
        return (each * known / known.sum(1, keepdim=True).clamp_min(1)).view(-1)  # (b, ∏ s) -> (b ∏ s,)


def squared_error(site: KernelSite, leaf: LeafNode, target: tuple[object, ...]) -> Loss | None:
    """Mean squared error."""
    return SquaredError(site) if target == site.shape[1:] else None


def cross_entropy(site: KernelSite, leaf: LeafNode, target: tuple[object, ...]) -> Loss | None:
    """Cross entropy of logits: the index of a class at every position, or the probabilities of all for an example."""
    assert isinstance(leaf, CrossEntropy)
    if not leaf.logits or len(site.shape) < 2:
        return None
    if leaf.form == "probabilities" and len(site.shape) == 2 and target == site.shape[1:]:
        return SoftmaxOfChances(site, leaf.smoothing)
    if leaf.form != "index" or target != site.shape[1:-1]:
        return None
    return SoftmaxCrossEntropy(site, leaf.smoothing, partial=leaf.partial)


LOSSES: dict[type[LeafNode], Callable[[KernelSite, LeafNode, tuple[object, ...]], Loss | None]] = {
    MSE: squared_error,
    CrossEntropy: cross_entropy,
}
"""The table of losses: a class of leaves to what writes it out, or declines."""


def _shares(weights: Tensor) -> Tensor:
    """The share of each example in the mean."""
    return weights / len(weights)
