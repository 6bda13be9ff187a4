"""Elementwise functions, other shapes and casts, with their backward written out."""

import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from netwright.layers.pointwise import Elementwise
from netwright.machine import ready_for_directions
from netwright.net.leaf import LeafNode
from netwright.training.engines.handwritten.kernel import RAMPS, Gate, Kernel, KernelSite


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


class FromInput(Kernel):
    """A function whose derivative follows from its input."""

    def __init__(self, site: KernelSite, function: Callable[..., Tensor], derivative: Callable[..., Tensor]) -> None:
        self.shape, self.dtype = site.shape, site.dtype
        self.function, self.derivative = function, derivative
        self.y, self.dx = (torch.empty(site.shape, dtype=site.dtype, device="cpu") for _ in range(2))

    def forward(self, x: Tensor) -> Tensor:
        self.x = x
        return self.function(x, out=self.y)

    def backward(self, dy: Tensor) -> Tensor:
        return self.derivative(dy, self.x, grad_input=self.dx)


class Relu(Kernel):
    """y = max(x, 0), or ReLU6."""

    def __init__(self, site: KernelSite, most: float) -> None:
        self.shape, self.dtype, self.most = site.shape, site.dtype, None if most == math.inf else most
        self.y, self.gate = torch.empty(site.shape, dtype=site.dtype, device="cpu"), Gate(site.shape, site.dtype, most)

    def forward(self, x: Tensor) -> Tensor:
        return torch.clamp(x, 0, self.most, out=self.y)

    def backward(self, dy: Tensor) -> Tensor:
        return self.gate(dy, self.y)


class Reshaped(Kernel):
    """The same numbers in another shape."""

    def __init__(self, before: tuple[int, ...], after: tuple[int, ...], dtype: torch.dtype) -> None:
        self.before, self.shape, self.dtype = before, after, dtype

    def forward(self, x: Tensor) -> Tensor:
        return x.reshape(self.shape)

    def backward(self, dy: Tensor) -> Tensor:
        return dy.reshape(self.before)


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


FROM_OUTPUT: dict[str, tuple[Callable[..., Tensor], Callable[..., Tensor]]] = {
    "tanh": (torch.tanh, torch.ops.aten.tanh_backward.grad_input),
    "sigmoid": (torch.sigmoid, torch.ops.aten.sigmoid_backward.grad_input),
}
FROM_INPUT: dict[str, tuple[Callable[..., Tensor], Callable[..., Tensor]]] = {
    "gelu": (torch.ops.aten.gelu.out, torch.ops.aten.gelu_backward.grad_input),
    "silu": (torch.ops.aten.silu.out, torch.ops.aten.silu_backward.grad_input),
}


def elementwise(site: KernelSite, leaves: Sequence[LeafNode]) -> list[Kernel]:
    """Any function of single values."""
    assert isinstance(leaves[0], Elementwise)
    function = str(leaves[0].function)
    if function in RAMPS:
        return [Relu(site, RAMPS[function])]
    if function in FROM_OUTPUT:
        return [FromOutput(site, *FROM_OUTPUT[function])]
    if function in FROM_INPUT:
        return [FromInput(site, *FROM_INPUT[function])]
    return by_autograd(site, leaves)


def reshape(site: KernelSite, leaves: Sequence[LeafNode]) -> list[Kernel]:
    """Flatten, and what gives any other shape."""
    with torch.no_grad():
        shape = leaves[0].forward({}, torch.empty(site.shape, dtype=site.dtype, device="cpu")).shape
    return [Reshaped(site.shape, tuple(shape), site.dtype)]


def by_autograd(site: KernelSite, leaves: Sequence[LeafNode]) -> list[Kernel]:
    """A leaf that autograd differentiates."""
    return [ByAutograd(site, leaves[0])]
