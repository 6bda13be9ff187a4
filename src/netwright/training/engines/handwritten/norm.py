"""Norms with their backward written out, and batch norm with the sum and the ReLU that follow it in a ResNet."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from netwright.layers.norm import BatchNorm, LayerNorm
from netwright.net.leaf import LeafNode
from netwright.training.engines.handwritten.kernel import Gate, Join, Kernel, KernelSite, cut, ramp


class Statistics:
    """y = weight · (x − mean) / √(variance + eps) + bias, with the mean and the variance of the batch.

    Values are in the precision of the run. Statistics and arrays are float32, so nothing is copied to float32 first.
    """

    def __init__(self, site: KernelSite, leaf: BatchNorm) -> None:
        self.shape, self.flat = site.shape, (math.prod(site.shape[:-1]), site.shape[-1])
        self.w, self.b = site.master["weight"], site.master["bias"]
        self.gw, self.gb = site.gradients["weight"], site.gradients["bias"]
        self.running = [site.running[name] for name in ("mean", "variance")]
        self.eps, self.momentum = leaf.eps, leaf.momentum
        self.y = torch.empty(self.flat, dtype=site.dtype, device="cpu")
        self.now = torch.zeros(2, len(self.w), dtype=self.w.dtype, device="cpu")
        self.mean, self.variance = self.now
        self.saved_mean, self.saved_scale = torch.empty_like(self.now)

    def forward(self, x: Tensor) -> Tensor:
        self.x = x.reshape(self.flat)  # (b, *s, c) -> (b ∏ s, c)
        self.now.zero_()  # torch adds 0 times what is here, and 0 times NaN is NaN
        torch.ops.aten.native_batch_norm.out(
            self.x, self.w, self.b, self.mean, self.variance, True, 1.0, self.eps,
            out=self.y, save_mean=self.saved_mean, save_invstd=self.saved_scale,
        )  # fmt: skip
        return self.y

    def backward(self, dy: Tensor) -> Tensor:
        dx, gw, gb = torch.ops.aten.native_batch_norm_backward.default(
            dy, self.x, self.w, self.mean, self.variance, self.saved_mean, self.saved_scale, True, self.eps, [True] * 3
        )
        self.gw.copy_(gw)
        self.gb.copy_(gb)
        return dx.view(self.shape)  # (b ∏ s, c) -> (b, *s, c)

    def settle(self) -> None:
        """Let the running mean and variance follow those of the batch."""
        for running, now in zip(self.running, self.now, strict=True):
            running.lerp_(now.to(running.dtype), self.momentum)


class BatchNormalized(Kernel):
    """Batch norm, and the ReLU or ReLU6 after it where there is one."""

    def __init__(self, site: KernelSite, leaf: BatchNorm, most: float | None) -> None:
        self.shape, self.dtype, self.most = site.shape, site.dtype, most
        self.norm = Statistics(site, leaf)
        self.settle = self.norm.settle
        self.given = self.norm.y.view(self.shape)
        self.gate = None if most is None else Gate(self.norm.flat, site.dtype, most)

    def forward(self, x: Tensor) -> Tensor:
        self.norm.forward(x)
        if self.most is not None:
            cut(self.norm.y, self.most)
        return self.given

    def backward(self, dy: Tensor) -> Tensor:
        dy = dy.reshape(self.norm.flat)  # (b, *s, c) -> (b ∏ s, c)
        return self.norm.backward(dy if self.gate is None else self.gate(dy, self.norm.y))


class NormalizedSum(Join):
    """Batch norm of the first value, the second added, then ReLU where there is one: the end of a residual block."""

    def __init__(self, site: KernelSite, leaf: BatchNorm, most: float | None) -> None:
        self.shape, self.dtype, self.most = site.shape, site.dtype, most
        self.norm = Statistics(site, leaf)
        self.settle = self.norm.settle
        self.given = self.norm.y.view(self.shape)
        self.gate = None if most is None else Gate(self.norm.flat, site.dtype, most)

    def forward(self, x: Sequence[Tensor]) -> Tensor:
        first, second = x
        self.norm.forward(first)
        self.given.add_(second)
        if self.most is not None:
            cut(self.norm.y, self.most)
        return self.given

    def backward(self, dy: Tensor) -> Sequence[Tensor]:
        dy = dy.reshape(self.norm.flat)  # (b, *s, c) -> (b ∏ s, c)
        dy = dy if self.gate is None else self.gate(dy, self.norm.y)
        return self.norm.backward(dy), dy.view(self.shape)


class LayerNormalized(Kernel):
    """Layer norm of values in the precision of the run, with statistics and arrays in float32."""

    def __init__(self, site: KernelSite, leaf: LayerNorm) -> None:
        self.shape, self.dtype, self.eps = site.shape, site.dtype, leaf.eps
        self.w, self.b = site.master["weight"], site.master["bias"]
        self.gw, self.gb = site.gradients["weight"], site.gradients["bias"]
        self.last, self.wanted = [site.shape[-1]], [not site.first, True, True]

    def forward(self, x: Tensor) -> Tensor:
        y, self.mean, self.scale = torch.native_layer_norm(x, self.last, self.w, self.b, self.eps)
        self.x = x
        return y  # (b, ..., c)

    def backward(self, dy: Tensor) -> Tensor | None:
        dx, gw, gb = torch.ops.aten.native_layer_norm_backward.default(
            dy.contiguous(), self.x, self.last, self.mean, self.scale, self.w, self.b, self.wanted
        )
        self.gw.copy_(gw)
        self.gb.copy_(gb)
        return dx


def layer_norm(site: KernelSite, leaves: Sequence[LeafNode]) -> list[Kernel]:
    """Layer norm."""
    assert isinstance(leaves[0], LayerNorm)
    return [LayerNormalized(site, leaves[0])]


def batch_norm(site: KernelSite, leaves: Sequence[LeafNode]) -> list[Kernel]:
    """Batch norm, and the ReLU or ReLU6 after it if there is one."""
    assert isinstance(leaves[0], BatchNorm)
    return [BatchNormalized(site, leaves[0], ramp(leaves[1:]))]


def batch_norm_and_sum(site: KernelSite, leaves: Sequence[LeafNode]) -> Join | None:
    """Batch norm, the sum with another value of the same shape, and ReLU or ReLU6 if there is one."""
    assert isinstance(leaves[0], BatchNorm)
    return NormalizedSum(site, leaves[0], ramp(leaves[2:])) if site.others == (site.shape,) else None
