"""What of a plan can be written out: leaves of fixed sizes that end in one loss, and where each value comes from."""

from collections.abc import Collection, Mapping, Sequence
from functools import cached_property

from netwright.net.plan.plan import Plan, fixed
from netwright.net.run.execute import Instruction, Program
from netwright.training.engines.handwritten.table import Pattern, fits_pattern
from netwright.value import Value


class Body(Value, eq=False):
    """Instructions in order, and the loss they end in.

    Fields:
        inputs: the name of each port, by its register.
        instructions: all but the loss, each with one output.
        loss: what reads the last value and a target.
        sizes: of an example, by register, of the inputs.
        target: the port of the target.
        learned: the paths of the arrays that are trained.
        indices: the inputs that hold indices.
    """

    inputs: Mapping[int, str]
    instructions: tuple[Instruction, ...]
    loss: Instruction
    sizes: Mapping[int, tuple[int, ...]]
    target: str
    target_sizes: tuple[object, ...]
    learned: frozenset[str]
    indices: frozenset[int]

    @cached_property
    def moved(self) -> frozenset[int]:
        """The registers whose values change when arrays are trained, so that they need a gradient."""
        found: set[int] = set()
        for instruction in self.instructions:
            if self.trains(instruction) or found.intersection(instruction.reads):
                found.add(instruction.writes[0])
        return frozenset(found)

    @cached_property
    def readers(self) -> Mapping[int, Sequence[int]]:
        """The instructions that read each register, by their numbers; the loss comes after all of them."""
        found: dict[int, list[int]] = {}
        for i, instruction in enumerate((*self.instructions, self.loss)):
            for register in instruction.reads:
                found.setdefault(register, []).append(i)
        return found

    def trains(self, instruction: Instruction) -> bool:
        """Whether an instruction has arrays that are trained."""
        return any(path in self.learned for _, path in instruction.arrays)

    def follow(self, first: int, pattern: Pattern) -> list[int] | None:
        """The instructions from this one on that are as a pattern says, each the only reader of the one before."""
        found: list[int] = []
        for wanted in pattern:
            here = first if not found else self._only_reader(found[-1])
            if here is None or not fits_pattern(self.instructions[here].leaf, wanted):
                return None
            found.append(here)
        return found

    def outside(self, numbers: Sequence[int]) -> tuple[int, ...]:
        """What instructions one after another read, but for what they hand on to each other."""
        written = {self.instructions[number].writes[0] for number in numbers}
        reads = [register for number in numbers for register in self.instructions[number].reads]
        return tuple(register for register in reads if register not in written)

    def _only_reader(self, number: int) -> int | None:
        readers = self.readers.get(self.instructions[number].writes[0], ())
        return readers[0] if len(readers) == 1 and readers[0] < len(self.instructions) else None


def body_of(plan: Plan, program: Program, learned: Collection[str], running: Collection[str]) -> Body | None:
    """The plan as instructions that can be written out; None if it has others.

    Fields: `learned`, the paths of the arrays that are trained; `running`, of those that follow the batches. Every
        array is one of them, and is read once.
    """
    leaves = [instruction for instruction in program.instructions if isinstance(instruction, Instruction)]
    if len(leaves) < len(program.instructions) or len(program.outputs) != 1:  # a loop over the elements of an axis
        return None
    *instructions, loss = leaves
    names = {register: name for name, register in program.inputs}
    sizes = {register: plan.shape(("", name)) for register, name in names.items()}
    sizes |= {i.writes[0]: plan.shape(i.slots[0]) for i in instructions}
    paths = [path for instruction in instructions for _, path in instruction.arrays]
    known = {*learned, *running}
    if not (
        instructions
        and len(loss.reads) == 2
        and loss.reads[1] in names
        and loss.reads[0] not in names
        and all(len(i.writes) == 1 and i.reads and min(i.reads) >= 0 for i in instructions)
        and all(fixed(sizes[register]) for i in instructions for register in (*i.reads, *i.writes))
        and len(paths) == len({*paths})
        and {*paths} <= known
        and {*learned} <= {*paths}
    ):
        return None
    read = {register for i in instructions for register in i.reads if register in names}
    indices = frozenset(register for register in read if plan.below(("", names[register])) is not None)
    plain = {register: tuple(n for n in sizes[register] if isinstance(n, int)) for register in read}
    inputs, target = {register: names[register] for register in read}, names[loss.reads[1]]
    return Body(inputs, tuple(instructions), loss, plain, target, plan.shape(("", target)), frozenset(learned), indices)
