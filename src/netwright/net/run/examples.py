"""Makes padded batches of encoded examples, and splits a padded value into one value for each example."""

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TypeAlias

import torch
from torch import Tensor

from netwright.codecs.ragged import Ragged
from netwright.net.plan.plan import Plan
from netwright.net.plan.wiring import Slot
from netwright.net.run.context import RunContext
from netwright.net.run.lengths import Axes, Stored, axes_of
from netwright.net.run.padding import own_elements
from netwright.sizes.size import Size, names
from netwright.sizes.unify import Row, Shape
from netwright.value import Value

Own: TypeAlias = "Tensor | list[Own]"  # a value of one example: a list where the elements of an axis differ in length


class Padded(Value):
    """A batch by port, and how long its examples are by the names of sizes; no names where nothing is padded."""

    inputs: Mapping[str, Tensor]
    lengths: Mapping[str, Tensor | int]


def selected(column: Stored, which: Tensor) -> Stored:
    """Some of the encoded examples."""
    if isinstance(column, Ragged):
        return column.index_select(which)
    return column.index_select(0, which.to(column.device))


def padded_batch(columns: Mapping[str, Stored], axes: Axes) -> Padded:
    """Encoded examples by port as one batch: those that differ in length are padded, and the lengths are kept."""
    padded = {port: column.padded() if isinstance(column, Ragged) else (column, ()) for port, column in columns.items()}
    inputs = {port: values for port, (values, _) in padded.items()}
    ragged = any(lengths for _, lengths in padded.values())
    return Padded(inputs, axes.of_batch(padded) if ragged else {})


class Examples(Value):
    """Encoded examples of a plan, from which batches are made.

    Raises: DataError, before anything runs, for lengths that do not fit.
    """

    plan: Plan
    columns: Mapping[str, Stored]

    def __post_init__(self) -> None:
        axes = axes_of(self.plan)
        (axes.check if axes.places else axes.check_ranks)(self.columns)

    def __len__(self) -> int:
        return len(next(iter(self.columns.values())))

    @cached_property
    def order(self) -> Tensor:
        """The order in which examples of one length stand together."""
        ragged = next((column for column in self.columns.values() if isinstance(column, Ragged)), None)
        return torch.arange(len(self), device="cpu") if ragged is None else ragged.lengths[0].argsort(stable=True)

    def batch(self, which: Tensor) -> Padded:
        """These examples, padded."""
        found = {port: selected(column, which) for port, column in self.columns.items()}
        return padded_batch(found, axes_of(self.plan))


def own_lengths(plan: Plan, slot: Slot, batch: Tensor, context: RunContext) -> Sequence[Own]:
    """A padded value as one value for each example, without padding; a list where elements differ in length."""
    sizes: list[Size | Row] = list(plan.whole_shape(slot))
    ends = [None if isinstance(size, Row) else context.length(size) for size in sizes]
    if not any(end is not None for end in ends):
        return list(batch)
    around = [_around(plan, sizes, axis) for axis in range(len(sizes))]
    return [_cut(row, [None if end is None else end[i] for end in ends], around) for i, row in enumerate(batch)]


def real_positions(plan: Plan, shape: Shape, x: Tensor, context: RunContext) -> Tensor | None:
    """Which numbers of a padded value belong to its examples, in a shape that broadcasts to x's; None: all do.

    Args:
        plan: says which sizes vary within which.
        shape: the value's sizes.
        x: the value, (b, *shape).
        context: has the lengths of the batch.
    """
    lengths = [None if isinstance(size, Row) else context.length(size) for size in shape]
    around = [_around(plan, shape, axis) for axis in range(len(shape))]
    for axis, length in enumerate(lengths):
        if length is not None and length.ndim > 1 and around[axis] < 0:
            lengths[axis] = length.amax(1)  # the value has no elements that differ: (b, N) -> (b,)
    axes = range(1, len(shape) + 1)
    return own_elements(x, lengths, axes, dict(zip(axes, (axis + 1 for axis in around), strict=True)))


def ragged_together(rows: Sequence[Own]) -> Own:
    """One tensor if all values have the same sizes, else a list."""
    whole = [row for row in rows if isinstance(row, Tensor)]
    if len(whole) == len(rows) and len({tuple(row.shape) for row in whole}) == 1:
        return torch.stack(whole)
    return list(rows)


def _around(plan: Plan, sizes: Sequence[Size | Row], axis: int) -> int:
    """The outer axis whose elements may differ in length along this axis; -1 if there is none."""
    within = plan.solution.within
    own_names, *before = (
        frozenset[str]() if isinstance(size, Row) else names(size) for size in (sizes[axis], *sizes[:axis])
    )
    outer = {within[name] for name in own_names & within.keys()}
    return next((i for i, found in enumerate(before) if outer & found), -1)


def _cut(row: Tensor, ends: Sequence[Tensor | None], around: Sequence[int]) -> Own:
    """A value of one example without padding. An axis has one length, or one for each element of an outer axis."""
    for axis, end in enumerate(ends):
        if end is not None and end.ndim == 0:
            row = row.narrow(axis, 0, int(end))
    ends = [end if end is not None and end.ndim else None for end in ends]
    if not any(end is not None for end in ends):
        return row
    parts: list[Own] = []
    for i, part in enumerate(row.unbind(0)):
        inner = [end[i] if end is not None and at == 0 else end for end, at in zip(ends, around, strict=True)]
        parts.append(_cut(part, inner[1:], [at - 1 for at in around[1:]]))
    return ragged_together(parts)
