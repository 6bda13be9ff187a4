"""Cuts a program apart: what no input that moves can change, and what may be done for the last element alone."""

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any

from netwright.net.plan.plan import Plan, PlanStep
from netwright.net.plan.wiring import Slot
from netwright.net.run.assemble import assemble
from netwright.net.run.execute import Program
from netwright.net.run.groups import (
    LeafGroup,
    Unit,
    lifted,
    made_by,
    outside,
    read_by,
    unit_reads,
    unit_writes,
    units_of,
)
from netwright.value import Value


class StepPrograms(Value):
    """A program apart: what need not be done again; and of the rest, what may be done for the last element alone.

    Fields: `once` gives `kept`. `each` takes inputs that move, by name, and `kept`, by slot; it gives the wanted values
        and then the states. So do two that follow each other: `whole` takes the same, and gives `ends` and the states;
        `last` takes `kept` and `ends`, of all elements or of the last, and gives the wanted values of them. Of a single
        element, `each` is faster than the two: by a tenth in a small net.
    """

    once: Program
    kept: tuple[Slot, ...]
    each: Program
    whole: Program
    ends: tuple[Slot, ...]
    last: Program


def step_programs(
    plan: Plan,
    wanted: Iterable[Slot],
    states: Iterable[Slot],
    moving: Collection[str],
    apart: Callable[[PlanStep], bool],
) -> StepPrograms:
    """The program of wanted values and of states, split by what no input that moves can change and by who sees whom.

    Fields:
        moving: the names of the inputs that change from run to run.
        apart: says of a step whether every element goes through it by itself.
    """
    own, states = tuple(wanted), tuple(states)
    outputs = (*own, *states)
    changing: set[Slot] = {("", name) for name in moving}
    once: list[Unit] = []
    each: list[Unit] = []
    for unit in lifted(units_of(plan.steps, outputs, {*outputs}), outputs):
        stays = unit_reads(unit) and not unit_reads(unit) & changing
        changing |= set() if stays else unit_writes(unit)
        (once if stays else each).append(unit)
    whole, last = _behind(each, states, apart)
    inputs: list[tuple[Any, Slot]] = [(name, ("", name)) for name in plan.wiring.inputs]
    made = {slot for unit in once for slot in outside(unit, outputs)}
    made |= {slot for name, slot in inputs if name not in moving}
    kept = tuple(sorted(made & ({*outputs} | read_by(each))))
    ends = tuple(sorted(({*own} | read_by(last)) - made_by(last) - {*kept}))
    still = [(slot, slot) for slot in kept]
    given = [*(pair for pair in inputs if pair[0] in moving), *still]
    return StepPrograms(
        assemble(plan, once, inputs, kept),
        kept,
        assemble(plan, each, given, outputs),
        assemble(plan, whole, given, (*ends, *states)),
        ends,
        assemble(plan, last, [*still, *((slot, slot) for slot in ends)], own),
    )


def _behind(units: Sequence[Unit], states: Iterable[Slot], apart: Callable[[PlanStep], bool]) -> tuple[list[Unit], ...]:
    """Units that must see all elements, and those after which nothing does."""
    needed = {*states}
    whole: list[Unit] = []
    last: list[Unit] = []
    for unit in reversed(units):
        free = not isinstance(unit, LeafGroup) and needed.isdisjoint(unit_writes(unit)) and apart(unit)
        needed |= set() if free else unit_reads(unit)
        (last if free else whole).append(unit)
    return whole[::-1], last[::-1]
