"""Names how long examples are by the sizes of a net's ports, and refuses batches that do not fit these."""

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any, TypeAlias

import torch
from torch import Tensor

from netwright.codecs.ragged import Ragged
from netwright.errors import DataError, did_you_mean, with_article
from netwright.net.plan.plan import Plan, ranked, shape_text
from netwright.net.run.indices import checked_indices
from netwright.net.run.padding import inside
from netwright.once import once
from netwright.sizes.size import Expression, Name, Size, measured, names, unknowns
from netwright.sizes.unify import Row, Shape
from netwright.value import Value

Stored: TypeAlias = Tensor | Ragged  # encoded examples, of one length or of many
PaddedColumn: TypeAlias = tuple[Tensor, tuple[Tensor, ...]]
"""(b, N, …), and the lengths (b,), (b, N), … of its first axes."""


class SizePlace(Value):
    """Where a length is read: along an axis of a port, whose size is `factor` times the length plus `offset`."""

    port: str
    axis: int
    factor: int
    offset: int

    @property
    def plain(self) -> bool:
        """Whether the axis is the length itself."""
        return (self.factor, self.offset) == (1, 0)

    def length(self, found: Tensor | int) -> Tensor | int:
        """The length that makes the axis so long."""
        return (found - self.offset) // self.factor


class Axes(Value, eq=False):
    """The axes of a plan's input ports, and every size that follows from their lengths.

    Fields: `prefix` of the paths of the user's net, which messages leave out.
    """

    plan: Plan
    prefix: str = ""

    @cached_property
    def shapes(self) -> Mapping[str, Shape]:
        """The sizes of every input port."""
        return self.plan.inputs

    @cached_property
    def places(self) -> dict[str, SizePlace]:
        """Where each named length is read: where it stands alone, if it does anywhere."""
        found: dict[str, SizePlace] = {}
        for port, shape in self.shapes.items():
            for axis, size in enumerate(shape if ranked(shape) else ()):
                for name, factor, offset in _linear(size):
                    place = SizePlace(port, axis, factor, offset)
                    if name not in found or (place.plain and not found[name].plain):
                        found[name] = place
        return found

    def of_batch(self, padded: Mapping[str, PaddedColumn]) -> dict[str, Tensor | int]:
        """The lengths of a batch by name, numbers where all its examples share one; empty where nothing is padded."""
        found: dict[str, Tensor | int] = {}
        for name, place in self.places.items():
            values, lengths = padded[place.port]
            own = lengths[place.axis] if place.axis < len(lengths) else values.shape[place.axis + 1]
            if isinstance(own, Tensor) and own.ndim > 1 and name not in self.plan.solution.within:
                own = own[:, 0]  # all parts of an example are equally long
            if isinstance(own, Tensor) and bool((own == own.flatten()[0]).all()):
                own = int(own.flatten()[0])
            found[name] = place.length(own)
        return found if any(isinstance(length, Tensor) for length in found.values()) else {}

    def given(
        self, lengths: Mapping[str, Tensor], inputs: Mapping[str, Tensor]
    ) -> tuple[dict[str, Tensor | int], dict[str, Tensor]]:
        """The user's lengths of a padded batch and the batch itself, checked.

        There is a number for every length that is left out. Padding that is no index is 0.

        Raises: DataError for a size that the net does not have, lengths that the batch cannot have, and indices that
            the net does not have.
        """
        for port, x in inputs.items():
            self._check_rank(port, x)
        ends: dict[str, Tensor] = {}
        for name, length in lengths.items():
            place = self.places.get(name)
            if place is None or place.port not in inputs:
                raise DataError(
                    what=f"the net has no size {name!r} that varies",
                    where="lengths",
                    expected=", ".join(self.places) or "none: every size is a number",
                    got=repr(name),
                    mend=did_you_mean(name, self.places),
                )
            ends[name] = self._given(name, length, inputs[place.port], place)
        whole = {**self.of_all(inputs), **ends}
        traced = torch.jit.is_tracing()  # pyright: ignore[reportPrivateImportUsage]  # documented, not exported by name
        if not (traced or torch.compiler.is_compiling()):  # while tracing, sizes are not numbers
            self.check(inputs)  # what the batch has with its padding
            self._check_derived({name: self._shortest(name, whole) for name in whole}, None)
            inputs = {port: self._checked(port, x, whole if ends else {}) for port, x in inputs.items()}
        return whole if ends else {}, {**inputs}

    def _checked(self, port: str, x: Tensor, lengths: Mapping[str, Tensor | int]) -> Tensor:
        """A batch whose indices are checked, if it holds indices."""
        below = self._indices.get(port)
        return x if below is None else checked_indices(port, x, below, self._ends(port, lengths, x.ndim))

    @cached_property
    def _indices(self) -> dict[str, Size]:
        """The input ports that hold indices, with the size that these are below."""
        return {port: below for port in self.shapes if (below := self.plan.below(("", port))) is not None}

    def _ends(self, port: str, lengths: Mapping[str, Tensor | int], rank: int) -> list[Tensor | None]:
        """How long the examples are along each axis of a port; None where nothing is padded."""
        if not lengths or not ranked(self.shapes[port]):
            return [None] * (rank - 1)
        return [_length(size, lengths) for size in self.shapes[port]]

    def _check_rank(self, port: str, x: Tensor) -> None:
        shape = self.shapes[port]
        if ranked(shape) and x.ndim != len(shape) + 1:
            raise DataError(
                what="a batch has one axis more than an example of the net",
                where=f"input {port!r}",
                expected=f"(batch, {', '.join(map(str, shape))})" if shape else "(batch,)",
                got=shape_text(tuple(x.shape)),
            )

    def _given(self, name: str, length: Any, x: Tensor, place: SizePlace) -> Tensor:
        """The user's lengths, as int64."""
        shape, most = (len(x),), place.length(x.shape[place.axis + 1])
        if name in self.plan.solution.within:
            shape = (len(x), x.shape[place.axis])
        whole = isinstance(length, Tensor) and not (
            length.is_floating_point() or length.is_complex() or length.dtype == torch.bool
        )
        if whole and tuple(length.shape) == shape:
            ends = length.long()
            if torch.compiler.is_compiling() or bool(((ends >= 1) & (ends <= most)).all()):
                return ends
        raise DataError(
            what=f"these are not lengths of the batch along {name}",
            where=f"lengths, {name!r}",
            expected=f"whole numbers {shape_text(shape)} from 1 to {most}",
            got=_lengths_text(length),
        )

    def _shortest(self, name: str, lengths: Mapping[str, Tensor | int]) -> Tensor | int:
        """The least length of each example of a padded batch: over its elements, where these differ in length."""
        length, outer = lengths[name], lengths.get(self.plan.solution.within.get(name, ""))
        if not isinstance(length, Tensor) or length.ndim == 1:
            return length
        if isinstance(outer, Tensor):
            length = torch.where(inside(outer, length.shape[1]), length, length[:, :1])  # (b, N)
        return length.amin(1)  # (b, N) -> (b,)

    def of_all(self, columns: Mapping[str, Stored]) -> dict[str, Tensor | int]:
        """The lengths of many examples by name, int64 (examples,); of a size within another that of every part."""
        return {
            name: place.length(sizes_along(columns[place.port], place.axis))
            for name, place in self.places.items()
            if place.port in columns
        }

    def check(self, columns: Mapping[str, Stored], rows: Tensor | None = None) -> None:
        """Raise an error for examples whose lengths do not fit the ports, each other, or the arithmetic of the net.

        `rows` are the numbers of the examples where they are not 0, 1, 2 and so on.
        """
        self.check_ranks(columns)
        lengths = self.of_all(columns)
        places = self.places
        least = {
            name: _least(length, columns[places[name].port], places[name].axis) for name, length in lengths.items()
        }
        self._check_derived(least, rows)
        for port, column in columns.items():
            shape = self.shapes[port]
            if isinstance(column, Ragged) and not ranked(shape):
                raise _unnamed(port, column)
            for axis, size in enumerate(shape if ranked(shape) else ()):
                if not isinstance(size, Row) and not unknowns(size):
                    self._check_axis(columns, lengths, (port, axis, size), rows)

    def check_ranks(self, columns: Mapping[str, Stored]) -> None:
        """Raise an error if examples have another number of axes than the port: some encoders accept any depth."""
        for port, column in columns.items():
            shape, found = self.shapes[port], sizes_of(column)
            if not ranked(shape) or len(found) == len(shape):
                continue
            raise DataError(
                what="the examples have another number of axes than the net takes",
                where=f"port {port!r}",
                expected=shape_text(shape),
                got=f"({', '.join(found)})",
                mend="array[..., 0]: the encoder makes the last axis itself"
                if found[len(shape) - 1 :] == ["1", "1"]
                else "",
            )

    def _check_axis(
        self,
        columns: Mapping[str, Stored],
        lengths: Mapping[str, Tensor | int],
        where: tuple[str, int, Size],
        rows: Tensor | None,
    ) -> None:
        port, axis, size = where
        column, place = columns[port], {name: self.places[name] for name in names(size) if name in lengths}
        if len(place) < len(names(size)):
            return
        known = {name: _level(lengths[name], column, at.axis, axis) for name, at in place.items()}
        wanted, found = measured(size, known), sizes_along(column, axis)
        wrong = wanted != found
        if not (wrong.any() if isinstance(wrong, Tensor) else wrong):
            return
        part = int(wrong.nonzero()[0]) if isinstance(wrong, Tensor) else 0
        others = [f"{name} = {_at(known[name], part)} at port {at.port!r}" for name, at in place.items()]
        raise DataError(
            what=f"an example is not as long at port {port!r} as the net needs",
            where=f"row {_row(column, axis, part, rows)}",
            expected=f"{_at(wanted, part)}"
            + (f", which is {size}, with {' and '.join(others)}" if others else ", the net's size"),
            got=f"{_at(found, part)} at port {port!r}",
        )

    def _check_derived(self, least: Mapping[str, Tensor | int], rows: Tensor | None) -> None:
        """Raise an error for examples so short that a value would be empty; `least` has the least lengths by name."""
        for size, where, shape in self._varying:
            found = measured(size, least) if names(size) <= least.keys() else 1
            wrong = found < 1
            if not (wrong.any() if isinstance(wrong, Tensor) else wrong):
                continue
            row = int(found.argmin()) if isinstance(found, Tensor) else 0
            raise DataError(
                what="an example is too short for this net",
                where=f"row {row if rows is None else int(rows[row])}, {where}",
                expected=f"at least 1 position in {shape_text(shape)}",
                got=", ".join(f"{name} = {_at(least[name], row)}" for name in sorted(names(size))),
            )

    @cached_property
    def _varying(self) -> list[tuple[Expression, str, Shape]]:
        """Every distinct size that contains a name, with the first value that has this size."""
        seen = set[Size]()
        found: list[tuple[Expression, str, Shape]] = []
        made = [(slot, self.plan.shape(slot)) for slot in self.plan.solution.slots]
        asked = [  # sizes that only a leaf's arithmetic has
            ((step.path, ""), value if isinstance(value, tuple) else (value,))
            for step in self.plan.steps
            for value in step.sizes.values()
        ]
        for slot, shape in (*made, *asked):
            for size in shape:
                if isinstance(size, Expression) and size not in seen and names(size) and not unknowns(size):
                    seen.add(size)
                    found.append((size, slot[0].removeprefix(self.prefix) or f"port {slot[1]!r}", shape))
        return found


def axes_of(plan: Plan) -> Axes:
    """The axes of a plan, made once."""
    return once(plan, "axes", lambda: Axes(plan))


def sizes_along(column: Stored, axis: int) -> Tensor | int:
    """How long examples are along one of their axes: one number, or int64 (examples,); inside lists, of every part."""
    if isinstance(column, Tensor):
        return column.shape[axis + 1]
    depth = len(column.lengths)
    return column.lengths[axis] if axis < depth else column.values.shape[axis - depth + 1]


def sizes_of(column: Stored) -> list[str]:
    """The sizes of the examples; `?` where they differ."""
    if isinstance(column, Tensor):
        return list(map(str, column.shape[1:]))
    return [*"?" * len(column.lengths), *map(str, column.values.shape[1:])]


def extents(column: Ragged) -> Tensor:
    """How long every example is along each axis that varies, (examples, axes); inside lists, the longest part."""
    found = [column.lengths[0]]
    for level in range(1, len(column.lengths)):
        owner = _owners(column, level)
        found.append(torch.zeros_like(found[0]).scatter_reduce(0, owner, column.lengths[level], "amax"))
    return torch.stack(found, 1)


def _owners(column: Ragged, level: int) -> Tensor:
    """Which example each part at a level belongs to."""
    owner = torch.arange(len(column), device="cpu")
    for lengths in column.lengths[:level]:
        owner = owner.repeat_interleave(lengths)
    return owner


def _level(length: Tensor | int, column: Stored, have: int, want: int) -> Tensor | int:
    """The lengths of parts at one level of nested lists, repeated for the parts at a deeper level."""
    if isinstance(column, Ragged) and isinstance(length, Tensor):
        for counts in column.lengths[have:want]:
            length = length.repeat_interleave(counts)
    return length


def _least(length: Tensor | int, column: Stored, axis: int) -> Tensor | int:
    """The least length of each example."""
    if not isinstance(length, Tensor) or not isinstance(column, Ragged) or axis == 0:
        return length
    start = torch.zeros_like(column.lengths[0])
    return start.scatter_reduce(0, _owners(column, axis), length, "amin", include_self=False)


def _lengths_text(length: Any) -> str:
    """The given lengths, as text for an error."""
    if not isinstance(length, Tensor):
        return with_article(type(length).__name__)
    ends = f" from {length.min().item()} to {length.max().item()}" if length.numel() else ""
    return f"{str(length.dtype).removeprefix('torch.')} {shape_text(tuple(length.shape))}{ends}"


def _length(size: Size | Row, lengths: Mapping[str, Tensor | int]) -> Tensor | None:
    """How long each example is along an axis of this size, where that differs."""
    if isinstance(size, Row) or unknowns(size) or not names(size) <= lengths.keys():
        return None
    found = measured(size, lengths)
    return found if isinstance(found, Tensor) else None


def _row(column: Stored, axis: int, part: int, rows: Tensor | None) -> int:
    if isinstance(column, Ragged) and 0 < axis < len(column.lengths):
        part = int(_owners(column, axis)[part])
    return part if rows is None else int(rows[part])


def _at(length: Tensor | int, part: int) -> int:
    return int(length[part]) if isinstance(length, Tensor) else length


def _linear(size: Size | Row) -> Iterator[tuple[str, int, int]]:
    """Name, factor and offset of a size such as 2*n + 1; nothing for other sizes."""
    if not isinstance(size, Expression):
        return
    terms = dict(size.terms)
    offset = terms.pop((), 0)
    if len(terms) == 1:
        (monomial, factor), *_ = terms.items()
        if len(monomial) == 1 and isinstance(monomial[0], Name):
            yield monomial[0].text, factor, offset


def _unnamed(port: str, column: Ragged) -> DataError:
    shortest, longest = int(column.lengths[0].min()), int(column.lengths[0].max())
    return DataError(
        what="the examples differ in length, and the net does not say along which size",
        where=f"port {port!r}",
        expected='a size with a name, as in input=("n", 3)',
        got=f"examples of {shortest:,} to {longest:,}",
    )
