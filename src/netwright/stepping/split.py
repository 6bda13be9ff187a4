"""Splits a program: steps that no moving input can change, and steps needed for the last element only."""

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
    """A program in parts: one to run once, one to run at each chunk, and the latter also split in two.

    Fields: `once` gives `kept`. `each` takes moving inputs, by name, and `kept`, by slot; it gives the wanted values
        and then the states. `whole` and then `last` do the same in two programs: `whole` takes the inputs of `each`,
        and gives `ends` and the states; `last` takes `kept` and `ends`, of all elements or of the last alone, and gives
        their wanted values. For a single element `each` is faster than the two: by a tenth in a small net.
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
    is_positionwise: Callable[[PlanStep], bool],
    keep: Collection[Slot] = (),
) -> StepPrograms:
    """The program of wanted values and of states, split into steps that run once and steps that run at each chunk.

    Fields:
        moving: the names of the inputs that change from run to run.
        is_positionwise: whether a step treats every element by itself.
        keep: inner values that must exist because an intervention will change them.
    """
    own, states = tuple(wanted), tuple(states)
    outputs = (*own, *states)
    changing: set[Slot] = {("", name) for name in moving}
    once: list[Unit] = []
    each: list[Unit] = []
    for unit in lifted(units_of(plan.steps, outputs, {*outputs, *keep}), outputs):
        stays = unit_reads(unit) and not unit_reads(unit) & changing
        changing |= set() if stays else unit_writes(unit)
        (once if stays else each).append(unit)
    whole, last = mixing_and_rest(each, states, is_positionwise)
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


def mixing_and_rest(
    units: Sequence[Unit], states: Iterable[Slot], is_positionwise: Callable[[PlanStep], bool]
) -> tuple[list[Unit], ...]:
    """The units that all elements must go through, and those that are needed for the last element only."""
    needed = {*states}
    whole: list[Unit] = []
    last: list[Unit] = []
    for unit in reversed(units):
        free = not isinstance(unit, LeafGroup) and needed.isdisjoint(unit_writes(unit)) and is_positionwise(unit)
        needed |= set() if free else unit_reads(unit)
        (last if free else whole).append(unit)
    return whole[::-1], last[::-1]
