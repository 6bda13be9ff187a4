"""Encoded examples given out as padded batches, and what a batch gives as one value an example again."""

from collections.abc import Mapping, Sequence
from functools import cached_property

import torch
from torch import Tensor

from netwright.codecs.ragged import Ragged
from netwright.net.plan.plan import Plan
from netwright.net.plan.wiring import Slot
from netwright.net.run.axes import Stored, axes_of
from netwright.net.run.context import Circumstances
from netwright.sizes.size import Size
from netwright.sizes.unify import Row
from netwright.value import Value


class Padded(Value):
    """A batch by port, and how long its examples are by the names of sizes; no names where nothing is padded."""

    inputs: Mapping[str, Tensor]
    lengths: Mapping[str, Tensor | int]


class Examples(Value):
    """Encoded examples of a plan, given out as batches.

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
        """All examples, those of one length together."""
        ragged = next((column for column in self.columns.values() if isinstance(column, Ragged)), None)
        return torch.arange(len(self), device="cpu") if ragged is None else ragged.lengths[0].argsort(stable=True)

    def batch(self, which: Tensor) -> Padded:
        """These examples, padded."""
        padded = {
            port: column.index_select(which).padded()
            if isinstance(column, Ragged)
            else (column.index_select(0, which), ())
            for port, column in self.columns.items()
        }
        inputs = {port: values for port, (values, _) in padded.items()}
        ragged = any(lengths for _, lengths in padded.values())
        return Padded(inputs, axes_of(self.plan).of_batch(padded) if ragged else {})


def own(plan: Plan, slot: Slot, batch: Tensor, told: Circumstances) -> Sequence[Tensor]:
    """A padded value as one tensor an example, each of its own sizes."""
    sizes: list[Size | Row] = list(plan.whole_shape(slot))
    ends = [None if isinstance(size, Row) else told.length(size) for size in sizes]
    if not any(end is not None for end in ends):
        return list(batch)
    cut: list[Tensor] = []
    for i, row in enumerate(batch):
        for axis, end in enumerate(ends):
            if end is not None:
                most = end[i] if end.ndim == 1 else end[i].max()
                row = row.narrow(axis, 0, int(most))
        cut.append(row)
    return cut
