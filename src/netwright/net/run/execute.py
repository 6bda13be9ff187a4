"""Runs a plan: binds arrays to steps once, then goes through the steps, dropping every value as soon as it is dead."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeAlias

import torch
from torch import Tensor

from netwright.errors import SizeError
from netwright.net.node import LeafNode, keyword_arguments
from netwright.net.plan.plan import Plan, Step, ranked, shape_text
from netwright.net.plan.rewrite import rewritten
from netwright.net.plan.wiring import Slot
from netwright.net.run.noise import Noise
from netwright.sizes.unify import Shape

Intervention: TypeAlias = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class Instruction:
    """A step in numbers: the forward function, the registers it reads and writes, the ones that are dead after it."""

    path: str
    leaf: LeafNode
    forward: Callable[..., Any]
    arrays: tuple[tuple[str, str], ...]
    reads: tuple[int, ...]  # -1 for an optional port that nothing feeds
    writes: tuple[int, ...]
    dead: tuple[int, ...]
    keywords: frozenset[str]
    precise: bool
    running: bool
    promised: tuple[Shape, ...] = ()  # what opaque code must give at each output, as far as sizes say

    @property
    def plain(self) -> bool:
        """Whether it is a call on values that are there, with one result."""
        simple = not (self.keywords or self.running or self.promised)
        return simple and len(self.writes) == 1 and min(self.reads, default=0) >= 0


Quick: TypeAlias = tuple[Callable[..., Any], tuple[int, ...], tuple[int, ...], tuple[int, ...], Instruction | None]


@dataclass(frozen=True)
class Program:
    """A plan for one question: which outputs are wanted. Bind it to arrays and run it any number of times."""

    instructions: tuple[Instruction, ...]
    inputs: tuple[tuple[str, int], ...]
    outputs: tuple[int, ...]
    registers: int

    @cached_property
    def quick(self) -> tuple[Quick, ...]:
        """What a plain run needs of every instruction, as tuples; the whole of it only where it is not plain."""
        return tuple((i.forward, i.reads, i.writes, i.dead, None if i.plain else i) for i in self.instructions)

    def bind(self, arrays: Mapping[str, Tensor]) -> "Bound":
        """The program with its arrays in place."""
        weights = tuple({name: arrays[path] for name, path in i.arrays} for i in self.instructions)
        return Bound(self, weights)


@dataclass
class Circumstances:
    """What a run is told beside its inputs, and what it tells beside its outputs."""

    training: bool = False
    noise: Noise | None = None
    batch: int = 1  # for leaves without inputs
    precision: torch.dtype | None = None  # of the activations; None leaves them as they come
    set: Mapping[int, Intervention] = field(default_factory=dict[int, Intervention])
    updates: dict[str, Tensor] = field(default_factory=dict[str, Tensor])  # new values of running arrays, by path
    watch: Callable[[str, Sequence[Tensor]], None] | None = None  # called after every step


USUAL = Circumstances()


@dataclass(frozen=True)
class Bound:
    """A program with its arrays: inputs in, wanted outputs out."""

    program: Program
    weights: tuple[Mapping[str, Tensor], ...]

    def __call__(self, inputs: Mapping[str, Tensor], told: Circumstances = USUAL) -> tuple[Tensor, ...]:
        """Run on a batch."""
        program = self.program
        registers: list[Any] = [None] * program.registers
        for name, register in program.inputs:
            registers[register] = inputs[name]
        if told.precision is None and not told.set and told.watch is None:
            self._run_plain(registers, told)
        else:
            self._run_watched(registers, told)
        return tuple([registers[i] for i in program.outputs])

    def _run_plain(self, registers: list[Any], told: Circumstances) -> None:
        """Nothing but the arithmetic: at batch one, every attribute looked up here would show."""
        for (forward, reads, writes, dead, instruction), w in zip(self.program.quick, self.weights, strict=True):
            if instruction is not None:
                _store(instruction, registers, told, _result(instruction, w, _values(reads, registers), told))
            elif len(reads) == 1:
                registers[writes[0]] = forward(w, registers[reads[0]])
            else:
                registers[writes[0]] = forward(w, *[registers[i] for i in reads])
            for register in dead:
                registers[register] = None

    def _run_watched(self, registers: list[Any], told: Circumstances) -> None:
        """With precisions, interventions and somebody who looks at every value."""
        for register, change in told.set.items():
            if registers[register] is not None:
                registers[register] = change(registers[register])
        for instruction, w in zip(self.program.instructions, self.weights, strict=True):
            x = _in_precision(_values(instruction.reads, registers), instruction, told.precision)
            _store(instruction, registers, told, _result(instruction, w, x, told))
            _look(instruction, registers, told)
            for register in instruction.dead:
                registers[register] = None


def _values(reads: Sequence[int], registers: Sequence[Any]) -> list[Any]:
    return [registers[i] if i >= 0 else None for i in reads]


def _result(instruction: Instruction, w: Mapping[str, Tensor], x: Sequence[Any], told: Circumstances) -> Any:
    if instruction.keywords:
        return instruction.forward(w, *x, **_keywords(instruction, told))
    return instruction.forward(w, *x)


def _store(instruction: Instruction, registers: list[Any], told: Circumstances, result: Any) -> None:
    if instruction.running:
        result, new = result
        told.updates.update({path: new[name] for name, path in instruction.arrays if name in new})
    writes = instruction.writes
    if instruction.promised:
        _check(instruction, result)
    if len(writes) == 1:
        registers[writes[0]] = result
        return
    for register, value in zip(writes, result, strict=True):
        registers[register] = value


def _check(instruction: Instruction, result: Any) -> None:
    """Refuse what opaque code gives where it is not what its ports promise."""
    promised = instruction.promised
    given: Any = result if isinstance(result, tuple | list) else (result,)
    alone = isinstance(result, Tensor) == (len(promised) == 1)  # one value stands by itself, several in a tuple
    if alone and len(given) == len(promised) and all(map(_kept, promised, given)):
        return
    texts = [
        f"{shape_text(tuple(v.shape[1:]))} in a batch of {len(v)}"
        if isinstance(v, Tensor) and v.ndim
        else f"{type(v).__name__} {v!r}"[:80]
        for v in given
    ]
    raise SizeError(
        what=f"{instruction.path} gives something else than its ports promise",
        where=instruction.path,
        expected=", ".join(f"{shape_text(shape)} for every example" for shape in promised),
        got=", ".join(texts),
        mend=f"let the ports of {instruction.leaf!r} say what its code does, the batch axis first and not in them",
    )


def _kept(promised: Shape, value: Any) -> bool:
    """Whether a batch of values has the axes that were promised; sizes that are not numbers may be any."""
    if not isinstance(value, Tensor) or value.ndim == 0:
        return False
    if not ranked(promised):
        return True
    sizes = value.shape[1:]
    known = zip(promised, sizes, strict=False)
    return len(sizes) == len(promised) and all(a == b or not isinstance(a, int) for a, b in known)


def program(plan: Plan, wanted: Iterable[Slot], keep: Collection[Slot] = ()) -> Program:
    """The instructions that compute the wanted values, and nothing that nobody reads.

    `keep` names values that must exist on the way because somebody will intervene there.
    """
    outputs = tuple(wanted)
    steps = rewritten(_needed(plan.steps, outputs), {*outputs, *keep})
    register: dict[Slot, int] = {("", name): i for i, name in enumerate(plan.wiring.inputs)}
    for step in steps:
        for slot in step.writes:
            register.setdefault(slot, len(register))
    last = {slot: i for i, step in enumerate(steps) for slot in step.reads if slot is not None}
    instructions: list[Instruction] = []
    for i, step in enumerate(steps):
        dead = {s for s in (*step.reads, *step.writes) if s is not None and last.get(s, i) == i} - set(outputs)
        promised = tuple(plan.shape(slot) for slot in step.writes) if step.leaf.opaque else ()
        instructions.append(_instruction(step, register, dead, promised))
    inputs = tuple((name, register["", name]) for name in plan.wiring.inputs)
    return Program(tuple(instructions), inputs, tuple(register[slot] for slot in outputs), len(register))


def registers_of(plan: Plan, built: Program, slots: Iterable[Slot]) -> dict[Slot, int]:
    """Where the program keeps these values."""
    found: dict[Slot, int] = {("", name): register for name, register in built.inputs}
    writes = {step.path: step.writes for step in plan.steps}
    for instruction in built.instructions:
        found |= dict(zip(writes[instruction.path], instruction.writes, strict=True))
    return {slot: found[slot] for slot in slots if slot in found}


def _needed(steps: Sequence[Step], outputs: Sequence[Slot]) -> list[Step]:
    wanted, kept = set(outputs), list[Step]()
    for step in reversed(steps):
        if not wanted.isdisjoint(step.writes):
            wanted.update(slot for slot in step.reads if slot is not None)
            kept.append(step)
    return kept[::-1]


def _instruction(
    step: Step, register: Mapping[Slot, int], dead: Collection[Slot], promised: tuple[Shape, ...]
) -> Instruction:
    leaf = step.leaf
    return Instruction(
        path=step.path,
        leaf=leaf,
        forward=leaf.forward,
        arrays=tuple(step.arrays.items()),
        reads=tuple(-1 if slot is None else register[slot] for slot in step.reads),
        writes=tuple(register[slot] for slot in step.writes),
        dead=tuple(sorted(register[slot] for slot in dead)),
        keywords=keyword_arguments(leaf.forward),
        precise=leaf.precise,
        running=any(weight.kind == "running" for weight in leaf.weights().values()),
        promised=promised,
    )


def _keywords(instruction: Instruction, told: Circumstances) -> dict[str, Any]:
    values: dict[str, Any] = {}
    if "batch" in instruction.keywords:
        values["batch"] = told.batch
    if "training" in instruction.keywords:
        values["training"] = told.training
    if "random" in instruction.keywords:
        values["random"] = told.noise.at(instruction.path) if told.noise is not None else None
    return values


def _in_precision(x: Sequence[Any], instruction: Instruction, precision: torch.dtype | None) -> Sequence[Any]:
    """Values in the precision of the run, but in float32 where the leaf says that it needs it."""
    if precision is None:
        return x
    dtype = torch.float32 if instruction.precise else precision
    return [v.to(dtype) if v is not None and v.is_floating_point() and v.dtype != dtype else v for v in x]


def _look(instruction: Instruction, registers: list[Any], told: Circumstances) -> None:
    for register in instruction.writes:
        if register in told.set:
            registers[register] = told.set[register](registers[register])
    if told.watch is not None:
        told.watch(instruction.path, [registers[register] for register in instruction.writes])
