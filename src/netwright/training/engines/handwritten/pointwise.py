"""Elementwise functions, dropout, flattening and casts, with their backward written out."""

import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from netwright.layers.dropout import Dropout, kept_mask
from netwright.layers.pointwise import Elementwise
from netwright.machine import ready_for_directions
from netwright.net.leaf import LeafNode
from netwright.net.run.noise import Noise
from netwright.training.engines.handwritten.kernel import Gate, Kernel, KernelSite


class FromOutput(Kernel):
    """A function whose derivative follows from its output."""

    def __init__(self, site: KernelSite, function: Callable[..., Tensor], derivative: Callable[..., Tensor]) -> None:
        self.shape, self.dtype = site.shape, site.dtype
        self.function, self.derivative = function, derivative
        self.y, self.dx = (torch.empty(site.shape, dtype=site.dtype, device="cpu") for _ in range(2))

    def forward(self, x: Tensor) -> Tensor:
        return self.function(x, out=self.y)

    def backward(self, dy: Tensor) -> Tensor:
        return self.derivative(dy, self.y, grad_input=self.dx)


class Relu(Kernel):
    """y = max(x, 0)."""

    def __init__(self, site: KernelSite) -> None:
        self.shape, self.dtype = site.shape, site.dtype
        self.y, self.gate = torch.empty(site.shape, dtype=site.dtype, device="cpu"), Gate(site.shape, site.dtype)

    def forward(self, x: Tensor) -> Tensor:
        return torch.clamp_min(x, 0, out=self.y)

    def backward(self, dy: Tensor) -> Tensor:
        return self.gate(dy, self.y)


class Drop(Kernel):
    """Dropout by the noise of the step."""

    def __init__(self, site: KernelSite, rate: float) -> None:
        self.shape, self.dtype, self.site, self.rate = site.shape, site.dtype, site, rate

    def forward(self, x: Tensor) -> Tensor:
        site, examples = self.site, self.site.now.examples
        assert examples is not None
        self.stays = kept_mask(Noise(site.seed, site.now.step, examples, site.path), self.rate, x)
        return torch.where(self.stays, x / (1 - self.rate), 0.0)

    def backward(self, dy: Tensor) -> Tensor:
        return torch.where(self.stays, dy / (1 - self.rate), 0.0)


class FlattenKernel(Kernel):
    """All axes of an example as one."""

    def __init__(self, site: KernelSite) -> None:
        self.into, self.dtype = site.shape, site.dtype
        self.shape = (site.shape[0], math.prod(site.shape[1:]))

    def forward(self, x: Tensor) -> Tensor:
        return x.reshape(self.shape)  # (b, *s) -> (b, ∏ s)

    def backward(self, dy: Tensor) -> Tensor:
        return dy.reshape(self.into)  # (b, ∏ s) -> (b, *s)


class Cast(Kernel):
    """Another precision, and back."""

    def __init__(self, shape: tuple[int, ...], before: torch.dtype, after: torch.dtype) -> None:
        self.shape, self.dtype = shape, after
        self.y, self.dx = torch.empty(shape, dtype=after, device="cpu"), torch.empty(shape, dtype=before, device="cpu")

    def forward(self, x: Tensor) -> Tensor:
        return self.y.copy_(x)

    def backward(self, dy: Tensor) -> Tensor:
        return self.dx.copy_(dy)


class ByAutograd(Kernel):
    """A leaf without arrays and noise that has no kernel of its own: autograd computes its gradient."""

    def __init__(self, site: KernelSite, leaf: LeafNode) -> None:
        ready_for_directions()
        self.leaf, self.dtype = leaf, site.dtype
        with torch.no_grad():
            self.shape = tuple(leaf.forward({}, torch.zeros(site.shape, dtype=site.dtype, device="cpu")).shape)

    def forward(self, x: Tensor) -> Tensor:
        with torch.enable_grad():
            self.x = x.detach().requires_grad_()
            self.y = self.leaf.forward({}, self.x)
        return self.y.detach()

    def backward(self, dy: Tensor) -> Tensor:
        return torch.autograd.grad(self.y, self.x, dy)[0]


KNOWN: dict[str, tuple[Callable[..., Tensor], Callable[..., Tensor]]] = {
    "tanh": (torch.tanh, torch.ops.aten.tanh_backward.grad_input),
    "sigmoid": (torch.sigmoid, torch.ops.aten.sigmoid_backward.grad_input),
}


def elementwise(site: KernelSite, leaves: Sequence[LeafNode]) -> list[Kernel]:
    """Any function of single values."""
    leaf = leaves[0]
    assert isinstance(leaf, Elementwise)
    if leaf.function == "relu":
        return [Relu(site)]
    known = KNOWN.get(str(leaf.function))
    return by_autograd(site, leaves) if known is None else [FromOutput(site, *known)]


def dropout(site: KernelSite, leaves: Sequence[LeafNode]) -> list[Kernel]:
    """Dropout; no kernel where the rate is 0."""
    assert isinstance(leaves[0], Dropout)
    return [Drop(site, leaves[0].rate)] if leaves[0].rate else []


def flatten_kernels(site: KernelSite, leaves: Sequence[LeafNode]) -> list[Kernel]:
    """Flatten."""
    return [FlattenKernel(site)]


def by_autograd(site: KernelSite, leaves: Sequence[LeafNode]) -> list[Kernel]:
    """A leaf that autograd differentiates."""
    return [ByAutograd(site, leaves[0])]
