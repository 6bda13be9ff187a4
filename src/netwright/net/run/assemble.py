"""Makes the program of a plan for a question: in which registers values are, and what is dead after what."""

import inspect
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import cache
from typing import Any

from netwright.net.leaf import LeafNode, declared_keywords
from netwright.net.plan.each import AXIS
from netwright.net.plan.plan import Plan, PlanStep
from netwright.net.plan.symbol import output_names
from netwright.net.plan.wiring import Slot
from netwright.net.run.execute import Instruction, Program
from netwright.net.run.groups import (
    LeafGroup,
    Unit,
    each_of,
    exit_ports,
    found,
    lifted,
    made_by,
    outside,
    read_by,
    unit_reads,
    unit_writes,
    units_of,
)
from netwright.net.run.per_element import ElementLoop, InnerProgram, State
from netwright.once import once
from netwright.sizes.size import Expression, Size, names
from netwright.sizes.unify import Row


def program_of(plan: Plan, wanted: Iterable[Slot], keep: Collection[Slot] = ()) -> Program:
    """The instructions that compute the wanted values and nothing else. Made once for each question.

    `keep` names inner values that must exist because an intervention will change them.
    """
    outputs = tuple(wanted)
    asked = {*outputs, *keep}
    inputs = [(name, ("", name)) for name in plan.wiring.inputs]

    def made() -> Program:
        return assemble(plan, units_of(plan.steps, outputs, asked), inputs, outputs)

    return once(plan, "program", made, (outputs, frozenset(asked)))


def assemble(plan: Plan, units: Sequence[Unit], inputs: Sequence[tuple[Any, Slot]], outputs: Sequence[Slot]) -> Program:
    """The program that runs these units. Each input is given with the name under which the program reads it."""
    units = lifted(units, outputs)
    register = {slot: i for i, (_, slot) in enumerate(inputs)}
    for unit in units:
        for slot in outside(unit, outputs):
            register.setdefault(slot, len(register))
    last = {slot: i for i, unit in enumerate(units) for slot in unit_reads(unit)}
    read = {*outputs, *last}
    instructions: list[Instruction | ElementLoop] = []
    for i, unit in enumerate(units):
        written = outside(unit, outputs)
        gone = {slot for slot in (*unit_reads(unit), *written) if last.get(slot, i) == i} - {*outputs}
        dead = tuple(sorted(register[slot] for slot in gone))
        if isinstance(unit, LeafGroup):
            instructions.append(_elements(plan, unit, register, dead, outputs, read))
        else:
            instructions.append(_instruction(plan, unit, register, dead, read))
    pairs = tuple((name, register[slot]) for name, slot in inputs)
    return Program(tuple(instructions), pairs, tuple(register[slot] for slot in outputs), len(register))


def _elements(
    plan: Plan,
    group: LeafGroup,
    register: Mapping[Slot, int],
    dead: tuple[int, ...],
    outputs: Sequence[Slot],
    read: Collection[Slot],
) -> ElementLoop:
    entry, far = group.entry, group.exit
    each = each_of(entry)
    sources = dict(zip((*each.over, *(name for name, _ in each.carry)), entry.reads, strict=True))
    ends = {} if far is None else dict(zip(exit_ports(far), far.reads, strict=True))
    gives = {(far.path, name): ends[f"gives_{name}"] for name, _ in each.gives} if far is not None else {}
    finals = {(far.path, name): (entry.path, name) for name, _ in each.carry} if far is not None else {}
    asked = {slot: slot for slot in outside(group, outputs) if slot not in gives and slot not in finals}
    gives = {slot: inner for slot, inner in gives.items() if slot in read and inner is not None} | asked
    states = tuple(
        State((entry.path, name), -1 if source is None else register[source], found(ends[f"next_{name}"]),
              plan.shape((entry.path, name)))
        for name, _ in each.carry
        for source in [sources[name]]
    )  # fmt: skip
    wanted = {*gives.values()}
    before, loop, after = _parts(group, states)
    nexts = {state.next for state in states}  # a next state may be the same at every element
    whole = (read_by(group.inner) | wanted | nexts) - made_by(group.inner) - {*entry.writes}
    read_finals = {slot: inner for slot, inner in finals.items() if slot in read}
    written = (*gives, *read_finals)
    size = plan.solution.scopes[entry.path].names[AXIS]
    assert not isinstance(size, tuple)
    return ElementLoop(
        path=entry.path,
        axis=plan.solution.solver.size(size),
        over=tuple(((entry.path, name), register[found(sources[name])]) for name in each.over),
        whole=tuple((slot, register[slot]) for slot in whole),
        states=states,
        before=_piece(plan, before, _handed_on(made_by(before), (*loop, *after), states, wanted)),
        loop=_piece(plan, loop, _handed_on(made_by(loop) | {state.slot for state in states}, after, states, wanted)),
        after=_piece(plan, after, sorted(wanted & made_by(after))),
        gives=tuple((inner, register[slot]) for slot, inner in gives.items()),
        finals=tuple((inner, register[slot]) for slot, inner in read_finals.items()),
        slots=written,
        writes=tuple(register[slot] for slot in written),
        dead=dead,
    )


def _parts(group: LeafGroup, states: Sequence[State]) -> tuple[list[Unit], list[Unit], list[Unit]]:
    """The units in three lists: those that read no state, those that the next state needs, and the others."""
    seen = {state.slot for state in states}
    needed = {state.next for state in states}
    for unit in reversed(group.inner):
        if unit_writes(unit) & needed:
            needed |= unit_reads(unit)
    before: list[Unit] = []
    loop: list[Unit] = []
    after: list[Unit] = []
    for unit in group.inner:
        writes = unit_writes(unit)
        if not unit_reads(unit) & seen:
            before.append(unit)
            continue
        seen |= writes
        (loop if writes & needed else after).append(unit)
    return before, loop, after


def _handed_on(
    makes: Collection[Slot], later: Sequence[Unit], states: Sequence[State], wanted: Collection[Slot]
) -> list[Slot]:
    """Those of these values that are read later: by later units, as the next state, or outside the group."""
    read = read_by(later) | {state.next for state in states} | {*wanted}
    return sorted(read & {*makes})


def _piece(plan: Plan, units: Sequence[Unit], gives: Sequence[Slot]) -> InnerProgram:
    """The program of some units of a group; its inputs are named by their slots."""
    takes = sorted((read_by(units) | {*gives}) - made_by(units))
    built = assemble(plan, units, [(slot, slot) for slot in takes], gives)
    return InnerProgram(built, tuple(takes), tuple(gives))


def _instruction(
    plan: Plan, step: PlanStep, register: Mapping[Slot, int], dead: tuple[int, ...], read: Collection[Slot]
) -> Instruction:
    leaf, forward = step.leaf, step.leaf.forward
    keywords = declared_keywords(type(leaf))
    if "lengths" in keywords and not _varies(step) and not _requires_lengths(type(leaf)):
        keywords -= {"lengths"}  # no example is padded: the quick way
    return Instruction(
        path=step.path,
        leaf=leaf,
        forward=forward,
        arrays=tuple(step.arrays.items()),
        reads=tuple(-1 if slot is None else register[slot] for slot in step.reads),
        writes=tuple(register[slot] for slot in step.writes),
        slots=step.writes,
        dead=dead,
        keywords=keywords,
        needs_float32=leaf.needs_float32,
        running=any(weight.kind == "running" for weight in leaf.weights().values()),
        wanted=frozenset(
            name for name, slot in zip(output_names(leaf, len(step.reads)), step.writes, strict=True) if slot in read
        ),
        sizes=step.sizes,
        promised=tuple(plan.shape(slot) for slot in step.writes) if leaf.code() is not None else (),
    )


def _varies(step: PlanStep) -> bool:
    """Whether any size of a leaf differs from example to example."""
    sizes: list[Size | Row] = []
    for value in step.sizes.values():
        sizes += value if isinstance(value, tuple) else (value,)
    return any(isinstance(size, Expression) and names(size) for size in sizes)


@cache
def _requires_lengths(kind: type[LeafNode]) -> bool:
    return inspect.signature(kind.forward).parameters["lengths"].default is inspect.Parameter.empty
