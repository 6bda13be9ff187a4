"""How long the examples of a batch are: from what was padded to sizes by name, and back to examples of their own."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import torch
from torch import Tensor

from netwright.codecs.ragged import Ragged
from netwright.errors import DataError, SizeError
from netwright.net.plan.plan import Plan, shape_text
from netwright.net.plan.wiring import Slot
from netwright.net.run.told import Circumstances
from netwright.sizes.size import Expression, Name, Size, evaluate, names, unknowns
from netwright.sizes.unify import Row

Columns = Mapping[str, Tensor | Ragged]


@dataclass(frozen=True)
class Padded:
    """A batch by port, and how long its examples are along every size with a name; nothing is padded along others."""

    inputs: Mapping[str, Tensor]
    lengths: Mapping[str, Tensor]


@dataclass(frozen=True)
class Examples:
    """Encoded examples of a plan, given out as batches."""

    plan: Plan
    columns: Columns

    def __len__(self) -> int:
        return len(next(iter(self.columns.values())))

    @cached_property
    def order(self) -> Tensor:
        """All examples, those of one length together."""
        ragged = next((column for column in self.columns.values() if isinstance(column, Ragged)), None)
        return torch.arange(len(self)) if ragged is None else ragged.lengths[0].argsort(stable=True)

    def batch(self, which: Tensor) -> Padded:
        """These examples, padded."""
        inputs: dict[str, Tensor] = {}
        found: dict[str, tuple[Tensor, ...]] = {}
        for port, column in self.columns.items():
            if isinstance(column, Ragged):
                inputs[port], found[port] = column.index_select(which).padded()
            else:
                inputs[port], found[port] = column.index_select(0, which), ()
        return Padded(inputs, named(self.plan, inputs, found))


def named(plan: Plan, inputs: Mapping[str, Tensor], found: Mapping[str, tuple[Tensor, ...]]) -> dict[str, Tensor]:
    """The lengths of a padded batch by the names of sizes; those along which nothing is padded are left out.

    `found` has for every port the lengths along its first axes.

    Raises: DataError where two ports share a name and an example has two lengths.
    """
    lengths: dict[str, Tensor] = {}
    said: dict[str, str] = {}
    for port, tensor in inputs.items():
        for axis, size in enumerate(plan.inputs[port]):
            atom = size.single if isinstance(size, Expression) else None
            if not isinstance(atom, Name) or axis + 1 >= tensor.ndim + 1:
                continue
            given = found[port][axis] if axis < len(found[port]) else None
            if given is None:
                given = torch.full((len(tensor),), tensor.shape[axis + 1], device=tensor.device)
            if given.ndim > 1 and atom.text not in plan.solution.within:
                given = given[:, 0]
            if atom.text in lengths and not torch.equal(lengths[atom.text], given):
                _differ(atom.text, said[atom.text], lengths[atom.text], port, given)
            lengths[atom.text] = given
            said.setdefault(atom.text, port)
    return {name: length for name, length in lengths.items() if bool((length != length.max()).any())}


def _differ(name: str, port: str, length: Tensor, other: str, given: Tensor) -> None:
    wrong = (length != given).nonzero()
    row = int(wrong[0, 0]) if len(length) == len(given) else 0
    raise DataError(
        what=f"two inputs have the size {name}, and an example has two lengths",
        where=f"row {row}",
        expected=f"one length {name} at {port!r} and {other!r}",
        got=f"{length[row].tolist()} and {given[row].tolist()}",
        mend=f"another name for the size at {other!r}",
    )


def check_shortest(plan: Plan, columns: Columns) -> None:
    """Refuse lengths for which a value inside would have no positions left, such as a window beyond the end."""
    shortest: dict[str, int] = {}
    for port, column in columns.items():
        for axis, size in enumerate(plan.inputs[port]):
            atom = size.single if isinstance(size, Expression) else None
            if not isinstance(atom, Name):
                continue
            if isinstance(column, Ragged) and axis < len(column.lengths):
                least = int(column.lengths[axis].min())
            else:
                shape = column.values.shape if isinstance(column, Ragged) else column.shape
                skipped = len(column.lengths) - 1 if isinstance(column, Ragged) else 0
                least = shape[axis + 1 - skipped] if axis + 1 - skipped < len(shape) else 1
            shortest[atom.text] = min(least, shortest.get(atom.text, least))
    if not shortest:
        return
    for slot in plan.solution.slots:
        shape = plan.shape(slot)
        sizes = [size for size in shape if isinstance(size, Expression) and names(size) <= shortest.keys()]
        short = next((size for size in sizes if not unknowns(size) and evaluate(size, shortest) < 1), None)
        if short is not None:
            raise SizeError(
                what="the input is too short for this net",
                where=slot[0] or f"input {slot[1]!r}",
                expected=f"at least 1 position in {shape_text(shape)}",
                got=", ".join(f"{text} = {length}" for text, length in shortest.items()),
            )


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


def complete(told: Circumstances, plan: Plan, inputs: Mapping[str, Tensor]) -> Circumstances:
    """With a number for every size along which nothing is padded."""
    sizes = {
        atom.text: inputs[port].shape[axis + 1]
        for port in inputs
        for axis, size in enumerate(plan.inputs[port])
        if isinstance(size, Expression) and isinstance(atom := size.single, Name)
    }
    return replace(told, lengths={**sizes, **told.lengths}, known={})
