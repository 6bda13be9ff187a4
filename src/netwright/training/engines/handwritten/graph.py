"""A whole net as a graph of written kernels that ends in a loss."""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from netwright.net.leaf import LeafNode
from netwright.training.engines.flat import Flat
from netwright.training.engines.handwritten.body import Body
from netwright.training.engines.handwritten.kernel import Join, Kernel, KernelSite, StepState
from netwright.training.engines.handwritten.losses import LOSSES, Loss
from netwright.training.engines.handwritten.pointwise import Cast
from netwright.training.engines.handwritten.table import JOINS, KERNELS
from netwright.value import Value

BEFORE_LOSS = -1  # the register of the last value in float32


class Stage(Value, eq=False):
    """A join, if several values are read, and kernels one after another: from the registers it reads to the one it
    writes.

    Fields: `wanted`, the numbers of the inputs whose gradient something needs.
    """

    reads: tuple[int, ...]
    join: Join | None
    kernels: tuple[Kernel, ...]
    write: int
    wanted: tuple[int, ...]


class KernelGraph(Value, eq=False):
    """Stages in order and the loss they end in, bound to one batch size.

    Fields: `sums`, where the gradients of a value that several stages read are added up, by register.
    """

    stages: tuple[Stage, ...]
    last: int
    loss: Loss
    now: StepState
    inputs: Mapping[int, str]
    sums: dict[int, Tensor]

    def gradient(self, inputs: Mapping[str, Tensor], target: Tensor, weights: Tensor | None) -> float:
        """The mean loss; the gradients go where the sites said."""
        values = {register: inputs[name] for register, name in self.inputs.items()}
        for stage in self.stages:
            reads, join = stage.reads, stage.join
            x = values[reads[0]] if join is None else join.forward([values[register] for register in reads])
            for kernel in stage.kernels:
                x = kernel.forward(x)
            values[stage.write] = x
        loss, dy = self.loss(values[self.last], target, weights)
        self._back(dy)
        return loss

    def settle(self) -> None:
        """Let running arrays follow the batch of the last gradient."""
        for stage in self.stages:
            if stage.join is not None:
                stage.join.settle()
            for kernel in stage.kernels:
                kernel.settle()

    def _back(self, dy: Tensor) -> None:
        gradients = {self.last: dy}
        for stage in reversed(self.stages):
            back = gradients.pop(stage.write, None)
            if back is None:  # nothing before has arrays, or nothing behind reads it
                continue
            for kernel in reversed(stage.kernels):
                back = kernel.backward(back)
                if back is None:
                    break
            if back is None:
                continue
            each = (back,) if stage.join is None else stage.join.backward(back)
            for number in stage.wanted:
                register, dx = stage.reads[number], each[number]
                before = gradients.get(register)
                gradients[register] = dx if before is None else self._sum(register, before, dx)

    def _sum(self, register: int, one: Tensor, other: Tensor) -> Tensor:
        """A sum in memory of its own, since a kernel may still need the gradient that it gave."""
        if register not in self.sums:
            self.sums[register] = torch.empty_like(one)
        return torch.add(one, other, out=self.sums[register])


class Builder:
    """Makes the kernels of a body for a batch size."""

    def __init__(
        self,
        body: Body,
        flat: Flat,
        running: Mapping[str, Tensor],
        precision: torch.dtype | None,
        seed: int,
        batch: int,
    ) -> None:
        self.body, self.flat, self.running = body, flat, running
        self.precision, self.seed, self.batch = precision or torch.float32, seed, batch
        self.now = StepState()
        self.shapes: dict[int, tuple[int, ...]] = {register: (batch, *sizes) for register, sizes in body.sizes.items()}
        self.dtypes: dict[int, torch.dtype] = {}
        self.taken: set[int] = set()
        self.stages: list[Stage] = []

    def graph(self) -> KernelGraph | None:
        """The kernels; None where a leaf has none."""
        body = self.body
        self._cast_inputs()
        for number in sorted(range(len(body.instructions)), key=self._turn):
            if number not in self.taken and not (self._join(number) or self._kernels(number)):
                return None
        last, make = body.loss.reads[0], LOSSES.get(type(body.loss.leaf))
        shape = self.shapes[last]
        site = KernelSite((), shape, torch.float32)
        loss = make(site, body.loss.leaf, body.target_sizes) if make is not None else None
        if loss is None:
            return None
        if self.dtypes[last] != torch.float32:
            cast = Cast(shape, self.dtypes[last], torch.float32)
            self.stages.append(Stage((last,), None, (cast,), BEFORE_LOSS, (0,)))
            last = BEFORE_LOSS
        return KernelGraph(tuple(self.stages), last, loss, self.now, body.inputs, {})

    def _cast_inputs(self) -> None:
        """Bring the inputs to the precision of the run."""
        for register in {*self.body.inputs} - self.body.indices if self.precision != torch.float32 else ():
            cast = Cast(self.shapes[register], torch.float32, self.precision)
            self.stages.append(Stage((register,), None, (cast,), register, ()))

    def _turn(self, number: int) -> int:
        """When an instruction is taken: where it may be part of a join, when all that the join reads is there."""
        ends = (self.body.follow(number, pattern) for pattern, _ in JOINS)
        return next((numbers[-1] for numbers in ends if numbers), number)

    def _kernels(self, first: int) -> bool:
        """Take an instruction, and others behind it if they are faster as one, as kernels."""
        reads = self.body.instructions[first].reads
        for pattern, make in KERNELS if len(reads) == 1 else ():
            numbers = self.body.follow(first, pattern)
            made = make(self._site(numbers, reads), self._leaves(numbers)) if numbers else None
            if numbers and made is not None:
                shape, dtype = (made[-1].shape, made[-1].dtype) if made else (self.shapes[reads[0]], self.precision)
                self._add(numbers, reads, None, made, shape, dtype)
                return True
        return False

    def _join(self, first: int) -> bool:
        """Take an instruction, and others behind it, as a join."""
        for pattern, make in JOINS:
            numbers = self.body.follow(first, pattern)
            reads = self.body.outside(numbers) if numbers else ()
            if not all(register in self.shapes for register in reads):  # of two norms that are added, the first waits
                continue
            made = make(self._site(numbers, reads), self._leaves(numbers)) if numbers else None
            if numbers and made is not None:
                self._add(numbers, reads, made, [], made.shape, made.dtype)
                return True
        return False

    def _leaves(self, numbers: Sequence[int]) -> list[LeafNode]:
        return [self.body.instructions[number].leaf for number in numbers]

    def _add(
        self, numbers: Sequence[int], reads: tuple[int, ...], join: Join | None, kernels: Sequence[Kernel],
        shape: tuple[int, ...], dtype: torch.dtype,
    ) -> None:  # fmt: skip
        write = self.body.instructions[numbers[-1]].writes[0]
        wanted = tuple(i for i, register in enumerate(reads) if register in self.body.moved)
        self.stages.append(Stage(reads, join, tuple(kernels), write, wanted))
        self.shapes[write], self.dtypes[write] = shape, dtype
        self.taken.update(numbers)

    def _site(self, numbers: Sequence[int], reads: tuple[int, ...]) -> KernelSite:
        body, flat = self.body, self.flat
        here = body.instructions[numbers[0]]
        shape, *others = (self.shapes[register] for register in reads)
        learned = [(name, path) for name, path in here.arrays if path in body.learned]
        working, master, gradients = (
            {name: flat.view(buffer, path) for name, path in learned}
            for buffer in (flat.working, flat.master, flat.gradient)
        )
        return KernelSite(
            tuple(body.instructions[number].path for number in numbers),
            shape,
            self.precision,
            working,
            master,
            gradients,
            {name: self.running[path] for name, path in here.arrays if path in self.running},
            tuple(others),
            first=reads[0] not in body.moved,
            last=body.loss.reads[0] == body.instructions[numbers[-1]].writes[0],
            seed=self.seed,
            now=self.now,
        )
