"""Finds sizes from each other: equations between sizes and between shapes, solved in both directions."""

import itertools
from collections.abc import Generator, Iterator
from dataclasses import field
from typing import TypeAlias

from netwright.around import around
from netwright.sizes.size import Expression, Name, Size, Unknown, of, same, substitute, unknowns
from netwright.value import Value


class Row(Value, eq=False):
    """A run of axes still to be found; `owner` and `text` say where it stands, such as `conv1` and `s`."""

    owner: str
    text: str
    serial: int = field(default_factory=itertools.count().__next__)

    def __str__(self) -> str:
        return "..."


Shape: TypeAlias = tuple[Size | Row, ...]


class Clash(Exception):
    """Two sizes, or two shapes, that cannot be equal."""


class Binding(Value):
    """The value that was found for an unknown, and the equation's owner."""

    value: Size
    cause: str


class Solver:
    """The equations found so far.

    All effects of an equation are undone when it clashes, so one fault never causes another.
    """

    def __init__(self) -> None:
        self.values: dict[Unknown, Binding] = {}
        self.rows: dict[Row, Shape] = {}
        self._pending: list[tuple[Size, Size, str]] = []
        self._trail: list[Unknown | Row] = []

    def size(self, size: Size) -> Size:
        """The size as far as it is known."""
        while isinstance(size, Expression):
            atom = size.single
            if isinstance(atom, Unknown):  # most sizes are plain numbers, which need no work
                if atom not in self.values:
                    return size
                size = self.values[atom].value
                continue
            found = substitute(size, self._value)
            if found is size:
                return size
            size = found
        return size

    def shape(self, shape: Shape) -> Shape:
        """The shape as far as it is known."""
        for item in shape:
            if type(item) is not int:
                return tuple(self._flat(shape))
        return shape  # as most are

    def known(self, shape: Shape) -> Shape | None:
        """The shape where every size of it is known; None otherwise."""
        found = self.shape(shape)
        for item in found:
            if type(item) is not int and (isinstance(item, Row) or unknowns(item)):
                return None
        return found

    def equate(self, left: Size, right: Size, cause: str) -> None:
        """Make two sizes equal. Raises: Clash, with nothing changed."""
        with self._undone_on_clash():
            self._equate(left, right, cause)

    def match(self, left: Shape, right: Shape, cause: str) -> None:
        """Make two shapes equal, runs included. Raises: Clash, with nothing changed."""
        with self._undone_on_clash():
            self._match(self.shape(left), self.shape(right), cause)

    def fits(self, left: Shape, right: Shape, cause: str) -> bool:
        """Whether two shapes can be equal: then they are from now on, else nothing has changed."""
        try:
            self.match(left, right, cause)
        except Clash:
            return False
        return True

    def settle(self) -> list[str]:
        """Try the waiting equations again; gives the causes of those that turned out false."""
        waiting, self._pending = self._pending, []
        false: list[str] = []
        for left, right, cause in waiting:
            try:
                self.equate(left, right, cause)
            except Clash:
                false.append(cause)
        return false

    def cause(self, size: Size) -> str:
        """The owner that fixed a size: the end of the chain of unknowns that led to its value."""
        last = ""
        while isinstance(size, Expression) and isinstance(atom := size.single, Unknown) and atom in self.values:
            binding = self.values[atom]
            last, size = binding.cause, binding.value
        return last

    def _value(self, atom: Name | Unknown) -> Size | None:
        binding = self.values.get(atom) if isinstance(atom, Unknown) else None
        return binding.value if binding else None

    def _flat(self, shape: Shape) -> Iterator[Size | Row]:
        for item in shape:
            if not isinstance(item, Row):
                yield self.size(item)
            elif item in self.rows:
                yield from self._flat(self.rows[item])
            else:
                yield item

    def _equate(self, left: Size, right: Size, cause: str) -> None:
        left, right = self.size(left), self.size(right)
        for one, other in ((left, right), (right, left)):
            unknown = one.single if isinstance(one, Expression) else None
            if isinstance(unknown, Unknown) and unknown not in unknowns(other):
                return self._bind(unknown, other, cause)
        difference = left - right
        if isinstance(difference, int):
            if difference:
                raise Clash
            return None
        if not unknowns(difference):
            if not same(left, right):
                raise Clash
            return None
        self._isolate(difference, left, right, cause)

    def _isolate(self, difference: Expression, left: Size, right: Size, cause: str) -> None:
        """Solve an equation that is linear in one unknown; what cannot be solved yet waits."""
        for monomial, factor in difference.terms:
            unknown = monomial[0] if len(monomial) == 1 else None
            if not isinstance(unknown, Unknown):
                continue
            rest = difference - of(unknown) * factor
            if unknown in unknowns(rest):
                continue
            found = -rest // factor if factor > 0 else rest // -factor
            if found * -factor == rest or same(found * -factor, rest):
                return self._bind(unknown, found, cause)
            if not unknowns(rest):  # 16*k = n, or 16*k = 225: no k for every n
                raise Clash
        self._pending.append((left, right, cause))
        return None

    def _bind(self, unknown: Unknown, value: Size, cause: str) -> None:
        if isinstance(value, int) and value < 1:
            raise Clash
        self.values[unknown] = Binding(value, cause)
        self._trail.append(unknown)

    def _match(self, left: Shape, right: Shape, cause: str) -> None:
        start = 0
        while start < min(len(left), len(right)) and not _either_row(left[start], right[start]):
            start += 1
        left, left_start = left[start:], left[:start]
        right, right_start = right[start:], right[:start]
        end = 0
        while end < min(len(left), len(right)) and not _either_row(left[-1 - end], right[-1 - end]):
            end += 1
        pairs = [*zip(left_start, right_start, strict=True)]
        if end:
            pairs += zip(left[-end:], right[-end:], strict=True)
            left, right = left[:-end], right[:-end]
        self._bind_rows(left, right)
        for a, b in pairs:
            assert not isinstance(a, Row)
            assert not isinstance(b, Row)
            self._equate(a, b, cause)

    def _bind_rows(self, left: Shape, right: Shape) -> None:
        """What is left between the ends that matched: nothing, or a run on a side that takes the other side whole."""
        if left == right:
            return
        for one, other in ((left, right), (right, left)):
            if len(one) == 1 and isinstance(one[0], Row) and one[0] not in other:
                return self._bind_row(one[0], other)
        first, last = (left, right) if right and isinstance(right[0], Row) else (right, left)
        if not first or not last or not isinstance(last[0], Row) or not isinstance(first[-1], Row):
            raise Clash
        if last[0] is first[-1]:
            raise Clash
        # `a R` meets `S b`: S begins with a, R ends with b, and a run of their own lies between
        middle = Row(last[0].owner, last[0].text)
        self._bind_row(last[0], (*first[:-1], middle))
        return self._bind_row(first[-1], (middle, *last[1:]))

    def _bind_row(self, row: Row, shape: Shape) -> None:
        self.rows[row] = shape
        self._trail.append(row)

    @around
    def _undone_on_clash(self) -> Generator[None, None, None]:
        trail, pending = len(self._trail), len(self._pending)
        try:
            yield
        except Clash:
            for bound in self._trail[trail:]:
                if isinstance(bound, Row):
                    del self.rows[bound]
                else:
                    del self.values[bound]
            del self._trail[trail:]
            del self._pending[pending:]
            raise


def _either_row(left: Size | Row, right: Size | Row) -> bool:
    return isinstance(left, Row) or isinstance(right, Row)
