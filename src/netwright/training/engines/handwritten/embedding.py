"""Embeddings with their backward written out: only the vectors that a batch reads get a gradient."""

from collections.abc import Sequence

import torch
from torch import Tensor

from netwright.net.leaf import LeafNode
from netwright.training.engines.handwritten.kernel import Kernel, KernelSite


class Lookup(Kernel):
    """y = weight[x]. The gradient is float32 in any precision, since a vector that is read often sums many numbers."""

    def __init__(self, site: KernelSite) -> None:
        self.w, self.gw = site.working["weight"], site.gradients["weight"]
        self.shape, self.dtype = (*site.shape, self.w.shape[1]), site.dtype
        self.y = torch.empty(self.shape, dtype=site.dtype, device="cpu")
        self.rows = self.y.view(-1, self.w.shape[1])
        low = site.dtype != self.gw.dtype
        self.wide = torch.empty(self.rows.shape, dtype=self.gw.dtype, device="cpu") if low else None

    def forward(self, x: Tensor) -> Tensor:
        self.index = x.reshape(-1).long()  # (b, ...) -> (n,)
        torch.index_select(self.w, 0, self.index, out=self.rows)
        return self.y

    def backward(self, dy: Tensor) -> None:
        rows = dy.reshape(self.rows.shape)  # (b, ..., out) -> (n, out)
        self.gw.zero_()
        self.gw.index_add_(0, self.index, rows if self.wide is None else self.wide.copy_(rows))


def embedding(site: KernelSite, leaves: Sequence[LeafNode]) -> list[Kernel]:
    """A vector for each index."""
    return [Lookup(site)]
