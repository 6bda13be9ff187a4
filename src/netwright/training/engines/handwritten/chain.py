"""A whole net as a chain of written kernels that end in a loss; the table says which leaves have one."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeAlias

import torch
from torch import Tensor

from netwright.layers.conv import Conv
from netwright.layers.dropout import Dropout
from netwright.layers.linear import Linear
from netwright.layers.pointwise import Elementwise, is_relu
from netwright.layers.pool import AvgPool, GlobalAvgPool, GlobalMaxPool, MaxPool
from netwright.layers.reshape import Flatten
from netwright.net.leaf import LeafNode
from netwright.net.plan.plan import Plan, fixed
from netwright.net.run.execute import Instruction, Program
from netwright.training.engines.flat import Flat
from netwright.training.engines.handwritten.conv import convolution_kernels
from netwright.training.engines.handwritten.kernel import Kernel, KernelSite, StepState
from netwright.training.engines.handwritten.linear import linear_kernels
from netwright.training.engines.handwritten.losses import LOSSES, Loss
from netwright.training.engines.handwritten.pointwise import Cast, by_autograd, dropout, elementwise, flatten_kernels
from netwright.training.engines.handwritten.pool import convolution_and_pool
from netwright.value import Value

Maker: TypeAlias = Callable[[KernelSite, Sequence[LeafNode]], list[Kernel] | None]
RELU = "relu"

KERNELS: tuple[tuple[tuple[type[LeafNode] | str, ...], Maker], ...] = (
    ((Conv, MaxPool, RELU), convolution_and_pool),
    ((Conv, RELU), convolution_kernels),
    ((Conv,), convolution_kernels),
    ((Linear, RELU), linear_kernels),
    ((Linear,), linear_kernels),
    ((Elementwise,), elementwise),
    ((Flatten,), flatten_kernels),
    ((Dropout,), dropout),
    ((MaxPool,), by_autograd),
    ((AvgPool,), by_autograd),
    ((GlobalMaxPool,), by_autograd),
    ((GlobalAvgPool,), by_autograd),
)
"""The table of kernels: leaves one after another, and what writes them out, or declines. The first that does is it."""


class StraightPlan(Value):
    """A plan in which each leaf reads the one before: input, instructions, loss, and the target's name."""

    input: str
    sizes: tuple[int, ...]
    body: tuple[Instruction, ...]
    loss: Instruction
    target: str
    target_sizes: tuple[object, ...]


class KernelChain(Value, eq=False):
    """Kernels in order and the loss they end in, bound to one batch size."""

    kernels: tuple[Kernel, ...]
    loss: Loss
    now: StepState

    def gradient(self, x: Tensor, target: Tensor, weights: Tensor | None) -> float:
        """The mean loss; the gradients go where the sites said."""
        for kernel in self.kernels:
            x = kernel.forward(x)
        loss, dy = self.loss(x, target, weights)
        for kernel in reversed(self.kernels):
            back = kernel.backward(dy)
            if back is None:  # nothing before has arrays
                break
            dy = back
        return loss


def line_of(plan: Plan, program: Program, flat: Flat) -> StraightPlan | None:
    """The plan as one line, if every leaf reads the one before and every array is trained and read once; else None."""
    leaves = [instruction for instruction in program.instructions if isinstance(instruction, Instruction)]
    if len(leaves) < len(program.instructions):  # something is done for every element of an axis
        return None
    *body, loss = leaves
    names = {register: name for name, register in program.inputs}
    if not body or len(program.outputs) != 1 or len(loss.reads) != 2 or len(names) != 2:
        return None
    reads = [instruction.reads for instruction in body]
    first, target = next(iter(reads[0]), -1), loss.reads[1]  # a net may begin with a value that reads nothing
    before = [first, *(instruction.writes[0] for instruction in body)]
    single = all(r == (b,) for r, b in zip([*reads, loss.reads[:1]], before, strict=True))
    paths = [path for instruction in body for _, path in instruction.arrays]
    sizes = plan.shape(("", names[first])) if first in names else ()
    numbers = first in names and fixed(sizes) and plan.below(("", names[first])) is None
    if not (single and numbers and target in names) or sorted(paths) != sorted(flat.spans):
        return None
    known = tuple(size for size in sizes if isinstance(size, int))
    return StraightPlan(names[first], known, tuple(body), loss, names[target], tuple(plan.shape(("", names[target]))))


def chain(line: StraightPlan, flat: Flat, precision: torch.dtype | None, seed: int, batch: int) -> KernelChain | None:
    """The kernels of a line for a batch size; None where a leaf has none."""
    wanted, now = precision or torch.float32, StepState()
    shape, dtype = (batch, *line.sizes), torch.float32
    kernels: list[Kernel] = []
    at = 0
    while at < len(line.body):
        if dtype != wanted:
            kernels.append(Cast(shape, dtype, wanted))
            dtype = wanted
        found = _found(line, at, KernelSite("", shape, dtype, seed=seed, now=now), flat)
        if found is None:
            return None
        made, count = found
        kernels += made
        at += count
        if made:
            shape, dtype = made[-1].shape, made[-1].dtype
    if dtype != torch.float32:
        kernels.append(Cast(shape, dtype, torch.float32))
    make = LOSSES.get(type(line.loss.leaf))
    loss = make(KernelSite("", shape, torch.float32), line.loss.leaf, line.target_sizes) if make is not None else None
    if loss is None:
        return None
    return KernelChain(tuple(kernels), loss, now)


def _found(line: StraightPlan, at: int, site: KernelSite, flat: Flat) -> tuple[list[Kernel], int] | None:
    """The kernels of the leaves from here on that the table knows, and how many leaves they stand for."""
    here = line.body[at]
    working, master, gradients = (
        {name: flat.view(buffer, path) for name, path in here.arrays}
        for buffer in (flat.working, flat.master, flat.gradient)
    )
    for classes, make in KERNELS:
        leaves = [instruction.leaf for instruction in line.body[at : at + len(classes)]]
        if len(leaves) == len(classes) and all(map(_is, leaves, classes)):
            made = make(
                replace(
                    site,
                    path=here.path,
                    working=working,
                    master=master,
                    gradients=gradients,
                    first=not any(instruction.arrays for instruction in line.body[:at]),
                    last=at + len(classes) == len(line.body),
                ),
                leaves,
            )
            if made is not None:
                return made, len(classes)
    return None


def _is(leaf: LeafNode, wanted: type[LeafNode] | str) -> bool:
    return is_relu(leaf) if isinstance(wanted, str) else isinstance(leaf, wanted)
