"""What a written kernel is, and what it is made from: both ways of one leaf, or of a few that are faster as one."""

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from netwright.net.leaf import LeafNode
from netwright.value import Value

RAMPS = {"relu": math.inf, "relu6": 6.0}  # functions of max(0, min(x, most)), with what is most
INTEGER = {torch.bfloat16: torch.int16, torch.float32: torch.int32}  # of the same width


@dataclass(slots=True)
class StepState:
    """What kernels know about the current step."""

    step: int = 0
    examples: Tensor | None = None


class KernelSite(Value, eq=False):
    """Where a kernel stands: what comes in, and the leaf's arrays.

    Fields:
        paths: of the leaves, one after another.
        shape: of the input, the batch first.
        dtype: of activations.
        working, master, gradients: the leaf's arrays by name: in the precision of the run, in float32, and where
            their gradients go.
        running: the arrays that follow the batches, by name.
        others: the shapes of further inputs, of a join.
        first: whether nothing before has arrays, so that the gradient of the input is not needed.
        last: whether the loss is next, which takes float32.
        seed: of the run.
        now: what changes from step to step.
    """

    paths: tuple[str, ...]
    shape: tuple[int, ...]
    dtype: torch.dtype
    working: Mapping[str, Tensor] = field(default_factory=dict[str, Tensor])
    master: Mapping[str, Tensor] = field(default_factory=dict[str, Tensor])
    gradients: Mapping[str, Tensor] = field(default_factory=dict[str, Tensor])
    running: Mapping[str, Tensor] = field(default_factory=dict[str, Tensor])
    others: tuple[tuple[int, ...], ...] = ()
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

    def settle(self) -> None:  # noqa: B027  # most kernels have nothing to do
        """Let running arrays follow this batch. It is called if the step is made, after the backward."""


class Join(ABC):
    """As a kernel, of leaves that bring several values together."""

    shape: tuple[int, ...]  # of the output, the batch first
    dtype: torch.dtype  # of the output

    @abstractmethod
    def forward(self, x: Sequence[Tensor]) -> Tensor:
        """The output."""

    @abstractmethod
    def backward(self, dy: Tensor) -> Sequence[Tensor]:
        """The gradient of each input; the gradients of the arrays go into the site's buffers."""

    def settle(self) -> None:  # noqa: B027  # most joins have nothing to do
        """Let running arrays follow this batch. It is called if the step is made, after the backward."""


class Gate:
    """The derivative of ReLU, or of ReLU6, from its output."""

    def __init__(self, shape: tuple[int, ...], dtype: torch.dtype, most: float = math.inf) -> None:
        self.dx, self.most = torch.empty(shape, dtype=dtype, device="cpu"), most

    def __call__(self, dy: Tensor, y: Tensor) -> Tensor:
        """The gradient of what went into the function that gave y."""
        if self.most < math.inf:
            return torch.ops.aten.hardtanh_backward.grad_input(dy, y, 0, self.most, grad_input=self.dx)
        bits = INTEGER[self.dx.dtype]
        relu_gradient(dy.view(bits), y.view(bits), self.dx.view(bits))
        return self.dx


def cut(y: Tensor, most: float) -> None:
    """ReLU in place, or ReLU6, on the bits: negative floats are negative integers, others are ordered as theirs."""
    bits = INTEGER[y.dtype]
    if most < math.inf:
        y.view(bits).clamp_(0, int(torch.tensor(most, dtype=y.dtype, device="cpu").view(bits)))
    else:
        y.view(bits).clamp_min_(0)


def ramp(leaves: Sequence[LeafNode]) -> float | None:
    """The most that the ReLU, or ReLU6, gives that these leaves begin with; None where there is none."""
    return RAMPS[str(getattr(leaves[0], "function", ""))] if leaves else None


def relu_gradient(dy: Tensor, y: Tensor, out: Tensor) -> Tensor:
    """`dy` where y > 0, else 0. Done on the bits as integers, which is faster than bf16 and gives the same."""
    return torch.ops.aten.threshold_backward.grad_input(dy, y, 0, grad_input=out)
