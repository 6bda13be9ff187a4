"""Sums and concatenations with their backward written out."""

from collections.abc import Sequence

import torch
from torch import Tensor

from netwright.layers.join import Concatenate
from netwright.net.leaf import LeafNode
from netwright.training.engines.handwritten.kernel import Gate, Join, KernelSite, cut, ramp


class SumOfTwo(Join):
    """x₁ + x₂, and the ReLU or ReLU6 after it where there is one."""

    def __init__(self, site: KernelSite, most: float | None) -> None:
        self.shape, self.dtype, self.most = site.shape, site.dtype, most
        self.y = torch.empty(site.shape, dtype=site.dtype, device="cpu")
        self.gate = None if most is None else Gate(site.shape, site.dtype, most)

    def forward(self, x: Sequence[Tensor]) -> Tensor:
        torch.add(*x, out=self.y)
        if self.most is not None:
            cut(self.y, self.most)
        return self.y

    def backward(self, dy: Tensor) -> Sequence[Tensor]:
        dy = dy if self.gate is None else self.gate(dy, self.y)
        return dy, dy


class SideBySide(Join):
    """Values joined along the features."""

    def __init__(self, site: KernelSite) -> None:
        shapes = (site.shape, *site.others)
        self.shape, self.dtype = (*site.shape[:-1], sum(shape[-1] for shape in shapes)), site.dtype
        self.y = torch.empty(self.shape, dtype=site.dtype, device="cpu")
        self.dx = [torch.empty(shape, dtype=site.dtype, device="cpu") for shape in shapes]
        self.widths = [shape[-1] for shape in shapes]

    def forward(self, x: Sequence[Tensor]) -> Tensor:
        return torch.cat([*x], -1, out=self.y)  # (b, ..., aᵢ) -> (b, ..., Σ aᵢ)

    def backward(self, dy: Tensor) -> Sequence[Tensor]:
        for dx, part in zip(self.dx, dy.split(self.widths, -1), strict=True):
            dx.copy_(part)  # what reads a part of every row is slow
        return self.dx


def sum_of_two(site: KernelSite, leaves: Sequence[LeafNode]) -> Join | None:
    """The sum of two values of one shape, and the ReLU or ReLU6 after it if there is one."""
    return SumOfTwo(site, ramp(leaves[1:])) if site.others == (site.shape,) else None


def side_by_side(site: KernelSite, leaves: Sequence[LeafNode]) -> Join | None:
    """Values joined along the features, of one shape but for them."""
    assert isinstance(leaves[0], Concatenate)
    alike = all(shape[:-1] == site.shape[:-1] for shape in site.others)
    return SideBySide(site) if leaves[0].axis in (-1, len(site.shape) - 2) and alike else None
