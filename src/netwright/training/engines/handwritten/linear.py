"""Affine maps with their backward written out."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from netwright.kernels import private
from netwright.layers.linear import Linear
from netwright.net.leaf import LeafNode
from netwright.training.engines.handwritten.kernel import Gate, Kernel, KernelSite

NARROW = 64  # outputs below which a bf16 product costs more than a float32 one


class Affine(Kernel):
    """y = x Wᵀ + b in the precision of the run, ReLU with it where one follows."""

    def __init__(self, site: KernelSite, relu: bool) -> None:
        self.w, self.b = site.working["weight"], site.working.get("bias")
        self.gw, self.gb = site.gradients["weight"], site.gradients.get("bias")
        out, into = self.w.shape
        self.into, self.out = site.shape, (math.prod(site.shape[:-1]), out)
        self.shape, self.dtype, self.first = (*site.shape[:-1], out), site.dtype, site.first
        self.low = torch.empty(out, into, dtype=site.dtype, device="cpu")  # the gradient in the run's precision
        self.dx = torch.empty(self.out[0], into, dtype=site.dtype, device="cpu")
        self.gate = Gate(self.out, site.dtype) if relu else None
        self.product = private.fused_linear(site.dtype)
        self.after = "relu" if relu else "none"

    def forward(self, x: Tensor) -> Tensor:
        self.x = x.reshape(-1, x.shape[-1])  # (..., in) -> (n, in)
        self.y = self.product(self.x, self.w, self.b, self.after, [], "")
        return self.y.view(self.shape)  # (n, out) -> (..., out)

    def backward(self, dy: Tensor) -> Tensor | None:
        dy = dy.reshape(self.out)  # (..., out) -> (n, out)
        if self.gate is not None:
            dy = self.gate(dy, self.y)
        torch.mm(dy.t(), self.x, out=self.low)
        self.gw.copy_(self.low)
        if self.gb is not None:
            self.gb.copy_(dy.sum(0))
        return None if self.first else torch.mm(dy, self.w, out=self.dx).view(self.into)


class Float32Linear(Kernel):
    """y = x Wᵀ + b in float32 on the master weights, for inputs of any precision; ReLU with it where one follows."""

    def __init__(self, site: KernelSite, relu: bool) -> None:
        self.w, self.b = site.master["weight"], site.master.get("bias")
        self.gw, self.gb = site.gradients["weight"], site.gradients.get("bias")
        out, into = self.w.shape
        rows = math.prod(site.shape[:-1])
        self.into, self.out, self.flat = site.shape, (rows, out), len(site.shape) == 2
        self.shape, self.dtype, self.first = (*site.shape[:-1], out), torch.float32, site.first
        self.wt, self.ones = self.w.t(), torch.ones(rows, dtype=torch.float32, device="cpu")
        self.y, self.dx = (
            torch.empty(rows, out, dtype=torch.float32, device="cpu"),
            torch.empty(rows, into, dtype=torch.float32, device="cpu"),
        )
        self.given = self.y.view(self.shape)
        self.dy, self.dy_t = self.y, self.y.t()
        low = site.dtype != torch.float32
        self.wide = torch.empty(rows, into, dtype=torch.float32, device="cpu") if low else None
        self.low = torch.empty(rows, into, dtype=site.dtype, device="cpu") if low else None
        self.back = (self.dx if self.low is None else self.low).view(self.into)
        self.gate = Gate(self.out, torch.float32) if relu else None

    def forward(self, x: Tensor) -> Tensor:
        if not self.flat:
            x = x.reshape(-1, x.shape[-1])  # (..., in) -> (n, in)
        self.x = x if self.wide is None else self.wide.copy_(x)
        if self.b is None:
            torch.mm(self.x, self.wt, out=self.y)
        else:
            torch.addmm(self.b, self.x, self.wt, out=self.y)
        if self.gate is not None:
            self.y.clamp_min_(0)
        return self.given  # (n, out) -> (..., out)

    def backward(self, dy: Tensor) -> Tensor | None:
        if not self.flat:
            dy = dy.reshape(self.out)  # (..., out) -> (n, out)
        if self.gate is not None:
            dy = self.gate(dy, self.y)
        if dy is not self.dy:  # a buffer that the next step uses again
            self.dy, self.dy_t = dy, dy.t()
        torch.mm(self.dy_t, self.x, out=self.gw)
        if self.gb is not None:
            torch.mv(self.dy_t, self.ones, out=self.gb)  # a sum of columns, faster than `sum` where they are short
        if self.first:
            return None
        torch.mm(dy, self.w, out=self.dx)
        if self.low is not None:
            self.low.copy_(self.dx)
        return self.back


def linear_kernels(site: KernelSite, leaves: Sequence[LeafNode]) -> list[Kernel]:
    """Linear, and the ReLU after it if there is one."""
    assert isinstance(leaves[0], Linear)
    relu = len(leaves) > 1
    exact = site.dtype == torch.float32 or (site.last and len(site.working["weight"]) < NARROW)
    return [Float32Linear(site, relu) if exact else Affine(site, relu)]
