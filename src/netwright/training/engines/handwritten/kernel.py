"""What a written kernel is, and what it is made from: both ways of one leaf, or of a few that are faster as one."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor

from netwright.value import Value

INTEGER = {torch.bfloat16: torch.int16, torch.float32: torch.int32}  # of the same width


@dataclass(slots=True)
class StepState:
    """What kernels know about the current step."""

    step: int = 0
    examples: Tensor | None = None


class KernelSite(Value, eq=False):
    """Where a kernel stands: what comes in, and the leaf's arrays.

    Fields:
        path: of the leaf; of the first, where they are several.
        shape: of the input, the batch first.
        dtype: of activations.
        working, master, gradients: the leaf's arrays by name: in the precision of the run, in float32, and where
            their gradients go.
        first: whether it is the first kernel, so that the gradient of its input is not needed.
        last: whether the loss is next, which takes float32.
        seed: of the run.
        now: what changes from step to step.
    """

    path: str
    shape: tuple[int, ...]
    dtype: torch.dtype
    working: Mapping[str, Tensor] = field(default_factory=dict[str, Tensor])
    master: Mapping[str, Tensor] = field(default_factory=dict[str, Tensor])
    gradients: Mapping[str, Tensor] = field(default_factory=dict[str, Tensor])
    first: bool = False
    last: bool = False
    seed: int = 0
    now: StepState = field(default_factory=StepState)


class Kernel(ABC):
    """Forward and backward of one or more leaves, bound to one batch size. The forward keeps what the backward needs.

    Its next call overwrites the tensors that it returned.
    """

    shape: tuple[int, ...]  # of the output, the batch first
    dtype: torch.dtype  # of the output

    @abstractmethod
    def forward(self, x: Tensor) -> Tensor:
        """The output."""

    @abstractmethod
    def backward(self, dy: Tensor) -> Tensor | None:
        """The gradient of the input, if it is needed; the gradients of the arrays go into the site's buffers."""


class Gate:
    """The derivative of ReLU, from its output."""

    def __init__(self, shape: tuple[int, ...], dtype: torch.dtype) -> None:
        self.dx = torch.empty(shape, dtype=dtype, device="cpu")

    def __call__(self, dy: Tensor, y: Tensor) -> Tensor:
        """The gradient of what went into the ReLU that gave y."""
        bits = INTEGER[self.dx.dtype]
        relu_gradient(dy.view(bits), y.view(bits), self.dx.view(bits))
        return self.dx


def relu_gradient(dy: Tensor, y: Tensor, out: Tensor) -> Tensor:
    """`dy` where y > 0, else 0. Done on the bits as integers, which is faster than bf16 and gives the same."""
    return torch.ops.aten.threshold_backward.grad_input(dy, y, 0, grad_input=out)
