"""Runs a program: binds arrays to instructions once, then runs each, and drops every value after its last use."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property, partial
from typing import Any, TypeAlias, cast

import torch
from torch import Tensor

from netwright.errors import NetError, NetwrightError, SizeError, shortened
from netwright.net.leaf import LeafNode
from netwright.net.plan.plan import ranked, shape_text
from netwright.net.plan.wiring import Slot
from netwright.net.run.context import USUAL, RunContext
from netwright.net.run.per_element import ElementLoop, InnerProgram
from netwright.sizes.size import Size
from netwright.sizes.unify import Shape
from netwright.value import Value


class Instruction(Value):
    """A step on registers: the forward function, the registers it reads and writes, and those not used after it."""

    path: str
    leaf: LeafNode
    forward: Callable[..., Any]
    arrays: tuple[tuple[str, str], ...]
    reads: tuple[int, ...]  # -1 for an optional port that is not connected
    writes: tuple[int, ...]
    slots: tuple[Slot, ...]  # what it writes
    dead: tuple[int, ...]
    keywords: frozenset[str]
    needs_float32: bool
    running: bool
    wanted: frozenset[str]  # the output ports that are read
    sizes: Mapping[str, Size | Shape]  # what the names of its ports stand for
    promised: tuple[Shape, ...] = ()  # the shapes that opaque code must give, as far as they are known

    def ready(self, padded: bool) -> Callable[..., Any] | None:
        """The function to call with arrays and values alone; None if the leaf needs more, such as noise."""
        known: dict[str, Any] = {"wanted": self.wanted}
        if not padded:
            known["lengths"] = USUAL.lengths_of(self.sizes)
        if self.running or self.promised or not self.keywords <= known.keys():
            return None
        keywords = {name: known[name] for name in self.keywords}
        return partial(self.forward, **keywords) if keywords else self.forward


Settled: TypeAlias = dict[tuple[type, tuple[tuple[str, str], ...]], Mapping[str, Any]]  # by kind and arrays of a leaf
Quick: TypeAlias = tuple[
    Callable[..., Any], tuple[int, ...], tuple[int, ...], tuple[int, ...], Instruction | ElementLoop | None
]


class Program(Value):
    """A plan for one question: which outputs are wanted. Bind it to arrays and run it any number of times.

    Fields: `inputs` pair each port (in an inner program each slot) with its register.
    """

    instructions: tuple[Instruction | ElementLoop, ...]
    inputs: tuple[tuple[Any, int], ...]
    outputs: tuple[int, ...]
    registers: int

    @cached_property
    def padded(self) -> tuple[Quick, ...]:
        """Every instruction in the short form of a plain run, or in full if the short form is not enough."""
        return tuple(_quick(instruction, padded=True) for instruction in self.instructions)

    @cached_property
    def unpadded(self) -> tuple[Quick, ...]:
        """The same for batches without padding, where more instructions have the short form."""
        return tuple(_quick(instruction, padded=False) for instruction in self.instructions)

    @cached_property
    def makes(self) -> bool:
        """Whether some instruction makes a value without reading any."""
        return any(isinstance(i, ElementLoop) or "like" in i.keywords for i in self.instructions)

    def bind(self, arrays: Mapping[str, Tensor], settled: Settled | None = None) -> "Bound":
        """The program with its arrays in place.

        `settled` is a store for arrays that leaves have prepared. Programs with the same arrays share it. It is given
        only if the arrays will not change, the run is not one of training, and no inner value is watched.
        """
        weights = [_bound(i, arrays, settled) for i in self.instructions]
        return Bound(self, tuple(weights)) if settled is None else _joined(self, weights)


def _quick(instruction: Instruction | ElementLoop, padded: bool) -> Quick:
    ready = None if isinstance(instruction, ElementLoop) else instruction.ready(padded)
    if ready is None or isinstance(instruction, ElementLoop):
        return _never, (), (), instruction.dead, instruction
    return ready, instruction.reads, instruction.writes, instruction.dead, None


def _bound(instruction: Instruction | ElementLoop, arrays: Mapping[str, Tensor], settled: Settled | None) -> Any:
    """What an instruction needs besides registers: its arrays by name, or the bound programs inside a loop."""
    if isinstance(instruction, Instruction):
        own = {name: arrays[path] for name, path in instruction.arrays}
        if settled is None:
            return own
        key = (type(instruction.leaf), instruction.arrays)
        if key not in settled:
            settled[key] = instruction.leaf.prepared(own)
        return settled[key]
    pieces: tuple[InnerProgram, ...] = (instruction.before, instruction.loop, instruction.after)
    return tuple(piece.program.bind(arrays, settled) for piece in pieces)


def _never(*_: Any) -> None:
    raise AssertionError("what is not plain is not called by itself")


def _joined(program: Program, weights: Sequence[Any]) -> "Bound":
    """The program without the instructions that the instruction before them can absorb."""
    instructions: list[Instruction | ElementLoop] = []
    settled: list[Any] = []
    for instruction, w in zip(program.instructions, weights, strict=True):
        before = instructions[-1] if instructions else None
        both = _both(before, settled[-1], instruction, w) if before is not None else None
        if both is None:
            instructions.append(instruction)
            settled.append(w)
        else:
            instructions[-1], settled[-1] = both
    return Bound(replace(program, instructions=tuple(instructions)), tuple(settled))


def _both(
    before: Instruction | ElementLoop, held: Any, step: Instruction | ElementLoop, w: Any
) -> tuple[Instruction, Any] | None:
    """Two instructions as one, if only the second reads the value that the first makes."""
    if isinstance(before, ElementLoop) or isinstance(step, ElementLoop) or before.promised:  # opaque code has its name
        return None
    if step.reads != before.writes or not {*step.reads} <= {*step.dead}:
        return None
    joined = step.leaf.absorbed_by(held, w)
    if joined is None:
        return None
    dead = (*before.dead, *(register for register in step.dead if register not in before.writes))
    return replace(before, path=step.path, writes=step.writes, slots=step.slots, dead=dead), joined


class Placement(Value):
    """Where the arrays of a net are, and the type of their numbers: None for a net without such arrays."""

    device: torch.device
    dtype: torch.dtype | None

    def moved(self, x: Tensor) -> Tensor:
        """An input beside the arrays; numbers in their type."""
        return x.to(self.device, self.dtype if x.is_floating_point() else None)


def placement_of(arrays: Iterable[Tensor]) -> Placement:
    """The device and the type of the first array that holds numbers; without one the processor."""
    first = next((array for array in arrays if array.is_floating_point()), None)
    return Placement(torch.device("cpu"), None) if first is None else Placement(first.device, first.dtype)


class Bound(Value):
    """A program with its arrays: it takes inputs and gives the wanted outputs."""

    program: Program
    weights: tuple[Any, ...]

    def arrays(self) -> list[Tensor]:
        """All arrays, including those of inner programs."""
        return [array for _, array in self.arrays_of_parts()]

    def arrays_of_parts(self) -> Iterator[tuple[str, Tensor]]:
        """All arrays, each with the path of the part that reads it."""
        for step, held in zip(self.program.instructions, self.weights, strict=True):
            if isinstance(held, Mapping):
                arrays = cast(Mapping[str, Any], held).values()
                yield from ((step.path, array) for array in arrays if isinstance(array, Tensor))
            else:
                for inner in held:
                    yield from inner.arrays_of_parts()

    @cached_property
    def placement(self) -> Placement:
        """Where the arrays are, and of which type."""
        return placement_of(self.arrays())

    def __call__(self, inputs: Mapping[Any, Tensor], context: RunContext = USUAL) -> tuple[Tensor, ...]:
        """Run on a batch."""
        registers, context = self._started(inputs, context)
        if context.precision is None and not context.set and context.watch is None:
            try:
                self._run_plain(registers, context)
            except RuntimeError as error:
                self._explain(error)
                raise
        else:
            for _ in self._run_watched(registers, context):
                pass
        return tuple([registers[i] for i in self.program.outputs])

    def steps(
        self, inputs: Mapping[Any, Tensor], context: RunContext = USUAL
    ) -> Iterator[tuple[Instruction | ElementLoop, list[Any]]]:
        """Run on a batch one instruction at a time: each as soon as it is done, with all registers."""
        registers, context = self._started(inputs, context)
        return ((instruction, registers) for instruction in self._run_watched(registers, context))

    def _started(self, inputs: Mapping[Any, Tensor], context: RunContext) -> tuple[list[Any], RunContext]:
        """The registers with the inputs, and the context with all it needs."""
        program = self.program
        registers: list[Any] = [None] * (program.registers + 1)  # the last stays None: for ports that are not connected
        for name, register in program.inputs:
            registers[register] = inputs.get(name)  # None where a state is left out
        if program.makes and context.like is None:
            floats = (array for array in (*self.arrays(), *inputs.values()) if array.is_floating_point())
            context = replace(context, like=next(floats, next(iter(inputs.values()), None)))
        return registers, context

    def _run_plain(self, registers: list[Any], context: RunContext) -> None:
        """The arithmetic alone: at batch size 1, each attribute lookup here takes a measurable time."""
        quick = self.program.padded if context.lengths else self.program.unpadded
        for (forward, reads, writes, dead, instruction), w in zip(quick, self.weights, strict=True):
            if instruction is not None:
                _do(instruction, w, registers, context)
            elif len(writes) != 1:
                for register, value in zip(writes, forward(w, *[registers[i] for i in reads]), strict=True):
                    registers[register] = value
            elif len(reads) == 1:
                registers[writes[0]] = forward(w, registers[reads[0]])
            else:
                registers[writes[0]] = forward(w, *[registers[i] for i in reads])
            for register in dead:
                registers[register] = None

    def _run_watched(self, registers: list[Any], context: RunContext) -> Iterator[Instruction | ElementLoop]:
        """Run with precisions, interventions, and a callback that sees every value; each instruction that is done."""
        for name, register in self.program.inputs:
            if (
                isinstance(name, str) and ("", name) in context.set and registers[register] is not None
            ):  # inside an element loop they are changed already
                registers[register] = context.set["", name](registers[register])
        for instruction, w in zip(self.program.instructions, self.weights, strict=True):
            try:
                _do(instruction, w, registers, context)
            except RuntimeError as error:
                self._explain(error)
                raise
            _look(instruction, registers, context)
            yield instruction
            for register in instruction.dead:
                registers[register] = None

    def _explain(self, error: RuntimeError) -> None:
        """Raise what is wrong in place of torch's error, where arrays of several types of numbers meet."""
        parts: dict[torch.dtype, list[str]] = {}
        for path, array in self.arrays_of_parts():
            if array.is_floating_point():
                parts.setdefault(array.dtype, []).append(path)
        if isinstance(error, NetwrightError) or len(parts) < 2:
            return
        given = [(str(kind).removeprefix("torch."), [*dict.fromkeys(paths)]) for kind, paths in parts.items()]
        more = {name: f" and {len(paths) - 1} more" if len(paths) > 1 else "" for name, paths in given}
        raise NetError(
            what="the arrays of this net are of several types of numbers, which a part cannot compute with at once",
            expected="one type",
            got=", ".join(f"{name} in {paths[0]}{more[name]}" for name, paths in given),
            mend="net.to(dtype=torch.float32)",
        ) from error


def _do(instruction: Instruction | ElementLoop, w: Any, registers: list[Any], context: RunContext) -> None:
    if isinstance(instruction, ElementLoop):
        instruction.run(w, registers, context)
        return
    x: Sequence[Any] = [registers[i] for i in instruction.reads]
    if context.precision is not None:
        x = _in_precision(x, instruction, context.precision)
    _store(instruction, registers, context, _result(instruction, w, x, context))


def _result(instruction: Instruction, w: Mapping[str, Tensor], x: Sequence[Any], context: RunContext) -> Any:
    keywords = _keywords(instruction, context) if instruction.keywords else {}
    if not instruction.promised:
        return instruction.forward(w, *x, **keywords)
    try:
        return instruction.forward(w, *x, **keywords)
    except NetwrightError:
        raise
    except Exception as error:  # a user's code may raise anything
        raise _raised(instruction, x, error) from error


def _raised(instruction: Instruction, x: Sequence[Any], error: Exception) -> NetError:
    given = [shape_text(tuple(v.shape)) if isinstance(v, Tensor) else "nothing" for v in x]
    return NetError(
        what=f"{instruction.path or type(instruction.leaf).__name__} raised {type(error).__name__}",
        where=instruction.path,
        got=f"{str(error) or type(error).__name__} (in {instruction.leaf!r}, given {', '.join(given)})",
    )


def _store(instruction: Instruction, registers: list[Any], context: RunContext, result: Any) -> None:
    if instruction.running:
        result, new = result
        context.updates.update({path: new[name] for name, path in instruction.arrays if name in new})
    writes = instruction.writes
    if instruction.promised:
        _check(instruction, result)
    if len(writes) == 1:
        registers[writes[0]] = result
        return
    for register, value in zip(writes, result, strict=True):
        registers[register] = value


def _check(instruction: Instruction, result: Any) -> None:
    """Raise an error if opaque code gives values of other shapes than its ports promise."""
    promised = instruction.promised
    given: Any = result if isinstance(result, tuple | list) else (result,)
    alone = isinstance(result, Tensor) == (len(promised) == 1)  # one value stands by itself, several in a tuple
    if alone and len(given) == len(promised) and all(map(_kept, promised, given)):
        return
    texts = [
        f"{shape_text(tuple(v.shape[1:]))} in a batch of {len(v)}"
        if isinstance(v, Tensor) and v.ndim
        else shortened(f"{type(v).__name__} {v!r}", 80)
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
    """Whether a batch of values has the promised axes; a size that is not a number fits any."""
    if not isinstance(value, Tensor) or value.ndim == 0:
        return False
    if not ranked(promised):
        return True
    sizes = value.shape[1:]
    known = zip(promised, sizes, strict=False)
    return len(sizes) == len(promised) and all(a == b or not isinstance(a, int) for a, b in known)


def _keywords(instruction: Instruction, context: RunContext) -> dict[str, Any]:
    values: dict[str, Any] = {}
    if "lengths" in instruction.keywords:
        values["lengths"] = context.lengths_of(instruction.sizes)
    if "wanted" in instruction.keywords:
        values["wanted"] = instruction.wanted
    if "batch" in instruction.keywords:
        values["batch"] = context.batch
    if "like" in instruction.keywords:
        values["like"] = context.like
    if "training" in instruction.keywords:
        values["training"] = context.training and instruction.path not in context.steady
    if "over_processes" in instruction.keywords:
        values["over_processes"] = context.over_processes
    if "random" in instruction.keywords:
        values["random"] = context.noise.at(instruction.path) if context.noise is not None else None
    return values


def _in_precision(x: Sequence[Any], instruction: Instruction, precision: torch.dtype) -> Sequence[Any]:
    """Values in the precision of the run, or in float32 if the leaf needs at least that."""
    dtype = torch.promote_types(precision, torch.float32) if instruction.needs_float32 else precision
    return [v.to(dtype) if v is not None and v.is_floating_point() and v.dtype != dtype else v for v in x]


def _look(instruction: Instruction | ElementLoop, registers: list[Any], context: RunContext) -> None:
    inside = isinstance(instruction, ElementLoop)  # its inner values were changed where they were made
    for slot, register in zip(instruction.slots, instruction.writes, strict=True):
        if slot in context.set and registers[register] is not None and not (inside and slot[0] != instruction.end):
            registers[register] = context.set[slot](registers[register])
    if context.watch is not None and isinstance(instruction, Instruction):
        given = [registers[register] for register in instruction.writes if registers[register] is not None]
        context.watch(instruction.path, given, context.rows)
