"""The steps that a question needs; those done for every element of an axis are grouped."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import TypeAlias

from netwright.net.plan.each import AXIS, EachEntry, EachExit, exit_path
from netwright.net.plan.level import PerElement
from netwright.net.plan.plan import PlanStep
from netwright.net.plan.rewrite import rewritten
from netwright.net.plan.wiring import Slot
from netwright.sizes.notation import ports
from netwright.value import Value


class LeafGroup(Value):
    """The steps of a `Map` or `Fold`: its two ends and the steps between them."""

    entry: PlanStep
    inner: "tuple[Unit, ...]"
    exit: PlanStep | None  # None if only inner values are wanted and no state is carried

    @property
    def steps(self) -> list[PlanStep]:
        """All steps, including the ends."""
        inside = [step for unit in self.inner for step in unit_steps(unit)]
        return [self.entry, *inside, *([] if self.exit is None else [self.exit])]


Unit: TypeAlias = PlanStep | LeafGroup


def units_of(steps: Sequence[PlanStep], outputs: Sequence[Slot], asked: Collection[Slot]) -> tuple[Unit, ...]:
    """The steps that the outputs need, rewritten where all requested values survive."""
    return _grouped(rewritten(_needed(steps, outputs), asked), asked)


def unit_steps(unit: Unit) -> list[PlanStep]:
    """The steps of a unit."""
    return unit.steps if isinstance(unit, LeafGroup) else [unit]


def unit_writes(unit: Unit) -> set[Slot]:
    """The slots that a unit writes."""
    return {slot for step in unit_steps(unit) for slot in step.writes}


def unit_reads(unit: Unit) -> set[Slot]:
    """The slots that a unit reads from outside."""
    return {slot for step in unit_steps(unit) for slot in step.reads if slot is not None} - unit_writes(unit)


def made_by(units: Sequence[Unit]) -> set[Slot]:
    """The slots that units write."""
    return {slot for unit in units for slot in unit_writes(unit)}


def read_by(units: Sequence[Unit]) -> set[Slot]:
    """The slots that units read, each from outside itself."""
    return {slot for unit in units for slot in unit_reads(unit)}


def outside(unit: Unit, outputs: Sequence[Slot]) -> list[Slot]:
    """The outputs of a unit that others may read: of a group, those of its exit and the requested inner values."""
    if not isinstance(unit, LeafGroup):
        return list(unit.writes)
    inside = unit_writes(unit)
    far = [] if unit.exit is None else list(unit.exit.writes)
    return [*far, *(slot for slot in outputs if slot in inside and slot not in far)]


def _needed(steps: Sequence[PlanStep], outputs: Sequence[Slot]) -> list[PlanStep]:
    makers = {slot: step for step in steps for slot in step.writes}
    wanted = set(outputs)
    around = {exit_path(path) for slot in outputs if slot in makers for path in makers[slot].within}
    kept = list[PlanStep]()
    for step in reversed(steps):
        carries = step.path in around and isinstance(step.leaf, EachExit) and bool(step.leaf.each.carry)
        if wanted.isdisjoint(step.writes) and not carries:
            continue
        if isinstance(step.leaf, EachExit):
            step = _wanted_of(step, wanted)
        wanted.update(slot for slot in step.reads if slot is not None)
        kept.append(step)
    return kept[::-1]


def _wanted_of(step: PlanStep, wanted: Collection[Slot]) -> PlanStep:
    """The exit of a group without inputs for the outputs that are not wanted; states are always carried."""
    unread = {f"gives_{name}" for path, name in step.writes if (path, name) not in wanted}
    ports = zip(exit_ports(step), step.reads, strict=True)
    return replace(step, reads=tuple(None if port in unread else slot for port, slot in ports))


def _grouped(steps: Sequence[PlanStep], asked: Collection[Slot]) -> tuple[Unit, ...]:
    """The steps as units: those between the two ends of a `Map` or `Fold` become one group."""
    units: list[Unit] = []
    at = 0
    while at < len(steps):
        step = steps[at]
        at += 1
        if not isinstance(step.leaf, EachEntry):
            units.append(step)
            continue
        far, inside = exit_path(step.path), list[PlanStep]()
        while at < len(steps) and step.path in steps[at].within:
            inside.append(steps[at])
            at += 1
        last = steps[at] if at < len(steps) and steps[at].path == far else None
        at += last is not None
        units.append(_at_once(LeafGroup(step, _grouped(inside, asked), last), asked))
    return tuple(units)


def _at_once(group: LeafGroup, asked: Collection[Slot]) -> Unit:
    """One step for a whole group, if it holds a single leaf that has a form for a whole sequence."""
    entry, far, step = group.entry, group.exit, group.inner[0] if len(group.inner) == 1 else None
    if far is None or not isinstance(step, PlanStep):
        return group
    leaf = step.leaf.over_sequence()
    if leaf is None or not {*entry.writes, *step.writes}.isdisjoint(asked):
        return group
    cell, ends = ports(step.leaf.ports), dict(zip(exit_ports(far), far.reads, strict=True))
    reads = dict(zip((port.name for port in cell.inputs), step.reads, strict=True))
    made = dict(zip((port.name for port in cell.outputs), step.writes, strict=True))
    each = each_of(entry)
    states = {(entry.path, name): ends[f"next_{name}"] for name, _ in each.carry}
    over = {(entry.path, name) for name in each.over}
    gives = {(far.path, name): ends[f"gives_{name}"] for name, _ in each.gives if ends[f"gives_{name}"] is not None}
    if (
        states != {reads[name]: made[name] for name in cell.states}
        or not {slot for name, slot in reads.items() if name not in cell.states} <= over
        or [*gives.values()] not in ([], [step.writes[0]])
    ):
        return group
    outside: dict[Slot | None, Slot | None] = dict(zip(entry.writes, entry.reads, strict=True))
    first = next(iter(gives), (step.path, ""))  # it may be unread
    finals = [(far.path, found(reads[port.name])[1]) for port in ports(leaf.ports).outputs[1:]]
    return replace(
        step,
        leaf=leaf,
        reads=tuple(outside[reads[port.name]] for port in ports(leaf.ports).inputs),
        writes=(first, *finals),
        within=entry.within,
        sizes={**step.sizes, AXIS: entry.sizes[AXIS]},
    )


def lifted(units: Sequence[Unit], outputs: Sequence[Slot]) -> list[Unit]:
    """The units, where steps that are the same for every element are moved before their group."""
    return [part for unit in units for part in (_lifted_out(unit, outputs) if isinstance(unit, LeafGroup) else [unit])]


def _lifted_out(group: LeafGroup, outputs: Sequence[Slot]) -> list[Unit]:
    """The group after the steps that read no element and no state: their values are the same for all elements."""
    moving = {*group.entry.writes}
    before: list[Unit] = []
    inner: list[Unit] = []
    for unit in group.inner:
        writes = unit_writes(unit)
        if unit_reads(unit) & moving or writes & {*outputs} or isinstance(unit, LeafGroup):
            moving |= writes
            inner.append(unit)
        else:
            before.append(unit)
    return [*before, LeafGroup(group.entry, tuple(inner), group.exit)]


def found(slot: Slot | None) -> Slot:
    """A slot that must not be None."""
    assert slot is not None
    return slot


def each_of(step: PlanStep) -> PerElement:
    """The `Each` of a group, from the step of one of its ends."""
    assert isinstance(step.leaf, EachEntry | EachExit)
    return step.leaf.each


def exit_ports(step: PlanStep) -> list[str]:
    """The input ports of an exit, in the order in which it reads them."""
    each = each_of(step)
    states = [f"{side}_{name}" for name, _ in each.carry for side in ("next", "first")]
    return ["like", *(f"gives_{name}" for name, _ in each.gives), *states]
