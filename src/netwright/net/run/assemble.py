"""Makes the program of a plan for a question: what is needed, in which registers, and what is dead after what."""

import inspect
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeAlias

from netwright.net.node import keyword_arguments
from netwright.net.plan.each import AXIS, Entry, Exit, exit_path
from netwright.net.plan.level import Each, output_names
from netwright.net.plan.plan import Plan, Step
from netwright.net.plan.rewrite import rewritten
from netwright.net.plan.wiring import Slot
from netwright.net.run.elements import Elements, Piece, State
from netwright.net.run.execute import Instruction, Program
from netwright.sizes.notation import ports
from netwright.sizes.size import Expression, Size, names
from netwright.sizes.unify import Row
from netwright.value import Value


def program(plan: Plan, wanted: Iterable[Slot], keep: Collection[Slot] = ()) -> Program:
    """The instructions that compute the wanted values, and nothing that nobody reads.

    `keep` names values that must exist on the way because somebody will intervene there.
    """
    outputs = tuple(wanted)
    asked = {*outputs, *keep}
    steps = rewritten(_needed(plan.steps, outputs), asked)
    inputs = tuple((name, ("", name)) for name in plan.wiring.inputs)
    return _assemble(plan, _units(steps, asked), inputs, outputs)


class Split(Value):
    """A program apart: what need not be done again; and of the rest, what may be done for the last element alone.

    Fields: `once` gives `kept`. `each` takes inputs that move, by name, and `kept`, by slot; it gives the wanted values
        and then the states. So do two that follow each other: `whole` takes the same, and gives `ends` and the states;
        `last` takes `kept` and `ends`, of all elements or of the last, and gives the wanted values of them.
    """

    once: Program
    kept: tuple[Slot, ...]
    each: Program
    whole: Program
    ends: tuple[Slot, ...]
    last: Program


def split(
    plan: Plan, wanted: Iterable[Slot], states: Iterable[Slot], moving: Collection[str], apart: Callable[[Step], bool]
) -> Split:
    """The program of wanted values and of states, split by what no input that moves can change and by who sees whom.

    Fields:
        moving: the names of the inputs that change from run to run.
        apart: says of a step whether every element goes through it by itself.
    """
    own, states = tuple(wanted), tuple(states)
    outputs = (*own, *states)
    steps = rewritten(_needed(plan.steps, outputs), {*outputs})
    changing: set[Slot] = {("", name) for name in moving}
    once: list[Unit] = []
    each: list[Unit] = []
    for unit in _lifted_all(_units(steps, {*outputs}), outputs):
        stays = unit_reads(unit) and not unit_reads(unit) & changing
        changing |= set() if stays else unit_writes(unit)
        (once if stays else each).append(unit)
    whole, last = _behind(each, states, apart)
    inputs: list[tuple[Any, Slot]] = [(name, ("", name)) for name in plan.wiring.inputs]
    made = {slot for unit in once for slot in _outside(unit, outputs)}
    made |= {slot for name, slot in inputs if name not in moving}
    kept = tuple(sorted(made & ({*outputs} | _read(each))))
    ends = tuple(sorted(({*own} | _read(last)) - _made(last) - {*kept}))
    still = [(slot, slot) for slot in kept]
    given = [*(pair for pair in inputs if pair[0] in moving), *still]
    return Split(
        _assemble(plan, once, inputs, kept),
        kept,
        _assemble(plan, each, given, outputs),
        _assemble(plan, whole, given, (*ends, *states)),
        ends,
        _assemble(plan, last, [*still, *((slot, slot) for slot in ends)], own),
    )


def _behind(units: Sequence["Unit"], states: Iterable[Slot], apart: Callable[[Step], bool]) -> tuple[list["Unit"], ...]:
    """Units that must see all elements, and those after which nothing does."""
    needed = {*states}
    whole: list[Unit] = []
    last: list[Unit] = []
    for unit in reversed(units):
        free = not isinstance(unit, Group) and needed.isdisjoint(unit_writes(unit)) and apart(unit)
        needed |= set() if free else unit_reads(unit)
        (last if free else whole).append(unit)
    return whole[::-1], last[::-1]


class Group(Value):
    """What is done for every element of an axis: its two ends and what stands between them."""

    entry: Step
    inner: "tuple[Unit, ...]"
    exit: Step | None  # None where only values inside are wanted, of what carries nothing

    @property
    def steps(self) -> list[Step]:
        """All steps, the ends too."""
        inside = [step for unit in self.inner for step in unit_steps(unit)]
        return [self.entry, *inside, *([] if self.exit is None else [self.exit])]


Unit: TypeAlias = Step | Group


def unit_steps(unit: Unit) -> list[Step]:
    """The steps of a unit."""
    return unit.steps if isinstance(unit, Group) else [unit]


def unit_writes(unit: Unit) -> set[Slot]:
    """What a unit makes."""
    return {slot for step in unit_steps(unit) for slot in step.writes}


def unit_reads(unit: Unit) -> set[Slot]:
    """What a unit takes from outside."""
    return {slot for step in unit_steps(unit) for slot in step.reads if slot is not None} - unit_writes(unit)


def _needed(steps: Sequence[Step], outputs: Sequence[Slot]) -> list[Step]:
    makers = {slot: step for step in steps for slot in step.writes}
    wanted = set(outputs)
    around = {exit_path(path) for slot in outputs if slot in makers for path in makers[slot].within}
    kept = list[Step]()
    for step in reversed(steps):
        carries = step.path in around and isinstance(step.leaf, Exit) and bool(step.leaf.each.carry)
        if wanted.isdisjoint(step.writes) and not carries:
            continue
        if isinstance(step.leaf, Exit):
            step = _wanted_of(step, wanted)
        wanted.update(slot for slot in step.reads if slot is not None)
        kept.append(step)
    return kept[::-1]


def _wanted_of(step: Step, wanted: Collection[Slot]) -> Step:
    """A far end that reads nothing for those of its outputs that nobody wants; states are carried in any case."""
    unread = {f"gives_{name}" for path, name in step.writes if (path, name) not in wanted}
    ports = zip(_exit_ports(step), step.reads, strict=True)
    return replace(step, reads=tuple(None if port in unread else slot for port, slot in ports))


def _units(steps: Sequence[Step], asked: Collection[Slot]) -> tuple[Unit, ...]:
    """Steps with those between two ends taken together."""
    units: list[Unit] = []
    at = 0
    while at < len(steps):
        step = steps[at]
        at += 1
        if not isinstance(step.leaf, Entry):
            units.append(step)
            continue
        far, inside = exit_path(step.path), list[Step]()
        while at < len(steps) and step.path in steps[at].within:
            inside.append(steps[at])
            at += 1
        last = steps[at] if at < len(steps) and steps[at].path == far else None
        at += last is not None
        units.append(_at_once(Group(step, _units(inside, asked), last), asked))
    return tuple(units)


def _at_once(group: Group, asked: Collection[Slot]) -> Unit:
    """One step for all of a group, where the leaf that stands in it alone has another that does all its steps."""
    entry, far, step = group.entry, group.exit, group.inner[0] if len(group.inner) == 1 else None
    if far is None or not isinstance(step, Step):
        return group
    leaf = step.leaf.folded()
    if leaf is None or not {*entry.writes, *step.writes}.isdisjoint(asked):
        return group
    cell, ends = ports(step.leaf.ports), dict(zip(_exit_ports(far), far.reads, strict=True))
    reads = dict(zip((port.name for port in cell.inputs), step.reads, strict=True))
    made = dict(zip((port.name for port in cell.outputs), step.writes, strict=True))
    each = _each(entry)
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
    first = next(iter(gives), (step.path, ""))  # nobody may read it
    finals = [(far.path, _found(reads[port.name])[1]) for port in ports(leaf.ports).outputs[1:]]
    return replace(
        step,
        leaf=leaf,
        reads=tuple(outside[reads[port.name]] for port in ports(leaf.ports).inputs),
        writes=(first, *finals),
        within=entry.within,
        sizes={**step.sizes, AXIS: entry.sizes[AXIS]},
    )


def _assemble(
    plan: Plan,
    units: Sequence[Unit],
    inputs: Sequence[tuple[Any, Slot]],
    outputs: Sequence[Slot],
) -> Program:
    units = _lifted_all(units, outputs)
    register = {slot: i for i, (_, slot) in enumerate(inputs)}
    for unit in units:
        for slot in _outside(unit, outputs):
            register.setdefault(slot, len(register))
    last = {slot: i for i, unit in enumerate(units) for slot in unit_reads(unit)}
    read = {*outputs, *last}
    instructions: list[Instruction | Elements] = []
    for i, unit in enumerate(units):
        written = _outside(unit, outputs)
        gone = {slot for slot in (*unit_reads(unit), *written) if last.get(slot, i) == i} - {*outputs}
        dead = tuple(sorted(register[slot] for slot in gone))
        if isinstance(unit, Group):
            instructions.append(_elements(plan, unit, register, dead, outputs, read))
        else:
            instructions.append(_instruction(plan, unit, register, dead, read))
    pairs = tuple((name, register[slot]) for name, slot in inputs)
    return Program(tuple(instructions), pairs, tuple(register[slot] for slot in outputs), len(register))


def _outside(unit: Unit, outputs: Sequence[Slot]) -> list[Slot]:
    """What a unit makes that others may see: of a group its far end, and values inside that somebody asked for."""
    if not isinstance(unit, Group):
        return list(unit.writes)
    inside = unit_writes(unit)
    far = [] if unit.exit is None else list(unit.exit.writes)
    return [*far, *(slot for slot in outputs if slot in inside and slot not in far)]


def _lifted_all(units: Sequence[Unit], outputs: Sequence[Slot]) -> list[Unit]:
    return [part for unit in units for part in (_lifted(unit, outputs) if isinstance(unit, Group) else [unit])]


def _lifted(group: Group, outputs: Sequence[Slot]) -> list[Unit]:
    """What sees no element and no state, before the group: it is the same for all."""
    moving = {*group.entry.writes}
    before: list[Unit] = []
    inner: list[Unit] = []
    for unit in group.inner:
        writes = unit_writes(unit)
        if unit_reads(unit) & moving or writes & {*outputs} or isinstance(unit, Group):
            moving |= writes
            inner.append(unit)
        else:
            before.append(unit)
    return [*before, Group(group.entry, tuple(inner), group.exit)]


def _elements(
    plan: Plan,
    group: Group,
    register: Mapping[Slot, int],
    dead: tuple[int, ...],
    outputs: Sequence[Slot],
    read: Collection[Slot],
) -> Elements:
    entry, far = group.entry, group.exit
    each = _each(entry)
    sources = dict(zip((*each.over, *(name for name, _ in each.carry)), entry.reads, strict=True))
    ends = {} if far is None else dict(zip(_exit_ports(far), far.reads, strict=True))
    gives = {(far.path, name): ends[f"gives_{name}"] for name, _ in each.gives} if far is not None else {}
    finals = {(far.path, name): (entry.path, name) for name, _ in each.carry} if far is not None else {}
    asked = {slot: slot for slot in _outside(group, outputs) if slot not in gives and slot not in finals}
    gives = {slot: inner for slot, inner in gives.items() if slot in read and inner is not None} | asked
    states = tuple(
        State((entry.path, name), -1 if source is None else register[source], _found(ends[f"next_{name}"]),
              plan.shape((entry.path, name)))
        for name, _ in each.carry
        for source in [sources[name]]
    )  # fmt: skip
    wanted = {*gives.values()}
    before, loop, after = _parts(group, states)
    whole = (_read(group.inner) | wanted) - _made(group.inner) - {*entry.writes}
    read_finals = {slot: inner for slot, inner in finals.items() if slot in read}
    written = (*gives, *read_finals)
    size = plan.solution.scopes[entry.path].names[AXIS]
    assert not isinstance(size, tuple)
    return Elements(
        path=entry.path,
        axis=plan.solution.solver.size(size),
        over=tuple(((entry.path, name), register[_found(sources[name])]) for name in each.over),
        whole=tuple((slot, register[slot]) for slot in whole),
        states=states,
        before=_piece(plan, before, _handed_on(_made(before), (*loop, *after), states, wanted)),
        loop=_piece(plan, loop, _handed_on(_made(loop) | {state.slot for state in states}, after, states, wanted)),
        after=_piece(plan, after, sorted(wanted & _made(after))),
        gives=tuple((inner, register[slot]) for slot, inner in gives.items()),
        finals=tuple((inner, register[slot]) for slot, inner in read_finals.items()),
        slots=written,
        writes=tuple(register[slot] for slot in written),
        dead=dead,
    )


def _parts(group: Group, states: Sequence[State]) -> tuple[list[Unit], list[Unit], list[Unit]]:
    """What sees no state; what the next state needs; the rest."""
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
    """What of these values is read after they are made: by units that come later, as the next state, from outside."""
    read = {slot for unit in later for slot in unit_reads(unit)} | {state.next for state in states} | {*wanted}
    return sorted(read & {*makes})


def _made(units: Sequence[Unit]) -> set[Slot]:
    return {slot for unit in units for slot in unit_writes(unit)}


def _read(units: Sequence[Unit]) -> set[Slot]:
    return {slot for unit in units for slot in unit_reads(unit)}


def _piece(plan: Plan, units: Sequence[Unit], gives: Sequence[Slot]) -> Piece:
    """A program inside, whose inputs are slots."""
    takes = sorted((_read(units) | {*gives}) - _made(units))
    built = _assemble(plan, units, [(slot, slot) for slot in takes], gives)
    return Piece(built, tuple(takes), tuple(gives))


def _found(slot: Slot | None) -> Slot:
    assert slot is not None
    return slot


def _each(step: Step) -> Each:
    assert isinstance(step.leaf, Entry | Exit)
    return step.leaf.each


def _exit_ports(step: Step) -> list[str]:
    each = _each(step)
    states = [f"{side}_{name}" for name, _ in each.carry for side in ("next", "first")]
    return ["like", *(f"gives_{name}" for name, _ in each.gives), *states]


def _instruction(
    plan: Plan, step: Step, register: Mapping[Slot, int], dead: tuple[int, ...], read: Collection[Slot]
) -> Instruction:
    leaf = step.leaf
    keywords = keyword_arguments(leaf.forward)
    if "lengths" in keywords and not _varies(step) and not _required(leaf.forward, "lengths"):
        keywords -= {"lengths"}  # nothing ends early: the quick way
    return Instruction(
        path=step.path,
        leaf=leaf,
        forward=leaf.forward,
        arrays=tuple(step.arrays.items()),
        reads=tuple(-1 if slot is None else register[slot] for slot in step.reads),
        writes=tuple(register[slot] for slot in step.writes),
        slots=step.writes,
        dead=dead,
        keywords=keywords,
        precise=leaf.precise,
        running=any(weight.kind == "running" for weight in leaf.weights().values()),
        wanted=frozenset(
            name for name, slot in zip(output_names(leaf, len(step.reads)), step.writes, strict=True) if slot in read
        ),
        sizes=step.sizes,
        promised=tuple(plan.shape(slot) for slot in step.writes) if leaf.opaque else (),
    )


def _varies(step: Step) -> bool:
    """Whether any size of a leaf differs from example to example."""
    sizes: list[Size | Row] = []
    for value in step.sizes.values():
        sizes += value if isinstance(value, tuple) else (value,)
    return any(isinstance(size, Expression) and names(size) for size in sizes)


def _required(forward: Callable[..., Any], name: str) -> bool:
    return inspect.signature(forward).parameters[name].default is inspect.Parameter.empty
