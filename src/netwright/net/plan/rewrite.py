"""Rewrites a list of steps into a faster one with the same values, by exact rules that the leaves declare."""

from collections.abc import Collection, Sequence
from dataclasses import replace

from netwright.net.plan.plan import PlanStep
from netwright.net.plan.wiring import Slot


def rewritten(steps: Sequence[PlanStep], wanted: Collection[Slot]) -> tuple[PlanStep, ...]:
    """The steps after every leaf was asked to merge with the one before it.

    A leaf's `after(before)` gives the leaves that do exactly what `before` and then itself would do, or `None`.
    A requested value is never removed, nor one that a second leaf reads.
    """
    result = list(steps)
    readers: dict[Slot, int] = dict.fromkeys(wanted, 2)
    for step in result:
        for slot in step.reads:
            if slot is not None:
                readers[slot] = readers.get(slot, 0) + 1
    makers = {slot: step for step in result for slot in step.writes}
    for step in tuple(result):
        before = makers.get(step.reads[0]) if step.reads and step.reads[0] is not None else None
        if before is None or len(before.writes) != 1 or readers[before.writes[0]] != 1 or before.arrays or step.arrays:
            continue
        leaves = step.leaf.merged_with(before.leaf)
        if leaves is None:
            continue
        at = result.index(step)
        chained = _chained(leaves, before, step)
        result[at : at + 1] = chained
        result.remove(before)
        makers |= {slot: made for made in chained for slot in made.writes}
    return tuple(result)


def _chained(leaves: Sequence[object], before: PlanStep, step: PlanStep) -> list[PlanStep]:
    """The leaves one after another between the slots that the two steps stood between."""
    chained: list[PlanStep] = []
    for i, leaf in enumerate(leaves):
        first, last = i == 0, i == len(leaves) - 1
        reads = before.reads if first else (before.writes[0],)
        # what the second step reads beside the first one's value goes to the last leaf
        reads = (*reads, *step.reads[1:]) if last else reads
        writes = step.writes if last else before.writes
        sizes = step.sizes if type(leaf) is type(step.leaf) else before.sizes  # of the leaf's own names
        chained.append(replace(step if last else before, leaf=leaf, reads=reads, writes=writes, sizes=sizes))
    return chained
