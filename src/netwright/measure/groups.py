"""The figures of each group of examples beside those of all: which example is in which group, and their tallies."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, cast

from torch import Tensor

from netwright.codecs.numeric import plain_number
from netwright.errors import DataError, shortened
from netwright.measure.output import Chunk, OutputTally, Tensors
from netwright.measure.report import Report

LONGEST = 80  # characters of a list of groups in a note


class Groups:
    """The tallies of each group, one for each output; a group begins with its first example.

    Args:
        by: the column of the data that names the group of each example, or the groups themselves in its order.
        ends: the tallies of all examples, before any example but after the naive guesses were read.

    Raises: DataError for groups of another number than the examples.
    """

    def __init__(self, by: str | Sequence[Any], ends: Sequence[OutputTally]) -> None:
        self.column = by if isinstance(by, str) else None
        self._names = None if isinstance(by, str) else [plain_number(name) for name in by]
        self._templates = [end.emptied() for end in ends]
        self._tallies: dict[Any, list[OutputTally]] = {}

    def expect(self, n: int) -> None:
        """Refuse groups of another number than the examples."""
        if self._names is not None and len(self._names) != n:
            raise DataError(
                what="by= has another length than the data",
                where="by",
                expected=f"{n:,}, a group for each example",
                got=f"{len(self._names):,}",
            )

    def of(self, chunk: Chunk, seen: int) -> list[Any]:
        """The group of each example of a chunk, after so many other examples."""
        n = len(next(iter(chunk.values())))
        if self._names is None:
            names = [plain_number(name) for name in chunk[cast(str, self.column)]]
        elif len(self._names) >= seen + n:
            names = self._names[seen : seen + n]
        else:
            raise DataError(
                what="by= has fewer groups than the data has examples",
                where="by",
                expected="a group for each example",
                got=f"{len(self._names):,}, and at least {seen + n:,} examples",
            )
        for row, name in enumerate(names, seen):
            try:
                hash(name)
            except TypeError:
                raise DataError(
                    what="a group is named by a text, a number or another value that can be a key",
                    where=f"by, row {row}",
                    got=type(name).__name__,
                ) from None
        return [None if name != name else name for name in names]  # a number that is missing is no number

    def update(
        self, names: Sequence[Any], place: int, raws: Chunk, targets: Sequence[Any], given: Tensors, wanted: Tensors
    ) -> None:
        """Add examples of these groups to the tallies of output `place`."""
        rows: dict[Any, list[int]] = {}
        for row, name in enumerate(names):
            rows.setdefault(name, []).append(row)
        for name, at in rows.items():
            if name not in self._tallies:
                self._tallies[name] = [template.emptied() for template in self._templates]
            inputs = {port: [column[row] for row in at] for port, column in raws.items()}
            picked = [targets[row] for row in at]
            self._tallies[name][place].update(inputs, picked, _picked(given, at), _picked(wanted, at))

    def added(self, report: Report, place: int) -> Report:
        """The report of output `place` with that of each group, in the order of their names.

        A group of which nothing counts has no report, and a note names it.
        """
        try:
            names = sorted(self._tallies)
        except TypeError:  # such as texts beside None
            names = sorted(self._tallies, key=str)
        found = {name: self._tallies[name][place] for name in names}
        bare = [str(name) for name, end in found.items() if not end.tally.n]
        note = (f"groups without a position that counts: {shortened(', '.join(bare), LONGEST)}",) if bare else ()
        groups = {name: end.report() for name, end in found.items() if end.tally.n}
        return replace(report, groups=groups, notes=(*report.notes, *note))


def _picked(rows: Tensors, at: Sequence[int]) -> Tensors:
    return rows[[*at]] if isinstance(rows, Tensor) else [rows[row] for row in at]
