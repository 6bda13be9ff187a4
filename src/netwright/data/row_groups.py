"""Reads row groups of Parquet files: a small one as a whole, a large one in slices, so that memory is bounded."""

import os
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from netwright.data.arrow import arrow_package

ROOM = 32 << 20  # bytes of row groups that are open at once
MOST = 32  # row groups that are open at once: each batch takes some rows of each
WHOLE = 4 << 20  # bytes of a row group that is read as a whole; a larger one is read in slices
SLICE = 2 << 20  # bytes of a slice: what reads it holds several times as many
SIDE = 8  # slices that are open at once
PARTS = 4  # a file of one large row group has as many parts, so that rows of several places mix
BUFFER = 1 << 20  # bytes of a column that are read from the file at once
WIDTHS = {"BOOLEAN": 1, "INT32": 4, "INT64": 8, "INT96": 12, "FLOAT": 4, "DOUBLE": 8}  # bytes of a value
SHORT = {"INT_8": 1, "UINT_8": 1, "INT_16": 2, "UINT_16": 2}  # of types that lie in the file as INT32
POINTER = 8  # bytes of a text or of bytes besides what they hold


class GroupSlice(NamedTuple):
    """Rows that are read at once: a row group, or some of a large one.

    Fields: the number of the row group; its `first` row here; `rows` and `bytes` are how many; the number of the part,
    whose slices are read one after the other; and whether it is a row group as a whole.
    """

    group: int
    first: int
    rows: int
    bytes: int
    part: int
    whole: bool


def slices_of(groups: Sequence[Any]) -> list[GroupSlice]:
    """The slices of all row groups, in the order of their rows."""
    found: list[GroupSlice] = []
    part = 0
    for number, group in enumerate(groups):
        rows, size = rows_of(group), _bytes(group)
        if size <= WHOLE or not getattr(group, "row_groups", None):
            found.append(GroupSlice(number, 0, rows, size, part, whole=True))
            part += 1
            continue
        step = max(rows * SLICE // size, 1)
        firsts = range(0, rows, step)
        parts = min(-(-PARTS // len(groups)), len(firsts))
        for i, first in enumerate(firsts):
            count = min(step, rows - first)
            found.append(
                GroupSlice(number, first, count, size * count // rows, part + i * parts // len(firsts), whole=False)
            )
        part += parts
    return found


def open_at_once(slices: Sequence[GroupSlice]) -> int:
    """How many slices are open at once: so many that an epoch mixes rows of many places, in bounded memory."""
    largest = max((part.bytes for part in slices), default=ROOM)
    most = MOST if all(part.whole for part in slices) else SIDE
    parts = len({part.part for part in slices})  # of each part one slice is open
    return max(min(ROOM // max(largest, 1), most, parts), 1)


class Opened:
    """What is open of the row groups: the slices that were read last, and the places up to which large ones are read.

    A large row group can only be read from its beginning on, so a slice is fast after the one before it.

    Fields: `most` slices stay in memory.
    """

    def __init__(self, groups: Sequence[Any], slices: Sequence[GroupSlice], schema: Any, most: int) -> None:
        self.groups, self.slices, self.schema, self.most = groups, slices, schema, most
        self._open: OrderedDict[int, dict[str, Any]] = OrderedDict()  # columns by the number of their slice
        self._readers: list[_Reader] = []  # the last one was used last

    def __contains__(self, number: int) -> bool:
        return number in self._open

    def columns(self, number: int, names: Sequence[str]) -> list[Any]:
        """The columns of a slice, read if they are not open."""
        known = self._open.setdefault(number, {})
        self._open.move_to_end(number)
        missing = [name for name in names if name not in known]
        if missing:
            while len(self._open) > self.most:
                self._open.popitem(last=False)
            known.update(self._read(self.slices[number], missing))
        return [known[name] for name in names]

    def _read(self, part: GroupSlice, names: list[str]) -> dict[str, Any]:
        group = self.groups[part.group]
        if part.whole:
            table = group.to_table(schema=self.schema, columns=names, use_threads=False)
            return {name: table.column(name) for name in names}
        inside = [name for name in names if name in group.physical_schema.names]
        found: dict[str, Any] = {}
        if inside:
            table = self._reader(part, inside).rows(part.first, part.rows)
            found = {name: _as_type(table.column(name), self.schema.field(name).type) for name in inside}
        if len(inside) < len(names):  # the folder of the file says them: all rows have the same value
            others = [name for name in names if name not in inside]
            row = group.scanner(schema=self.schema, columns=others, use_threads=False).head(1)
            same = row.take(arrow_package("Parquet").array([0] * part.rows))
            found.update((name, same.column(name)) for name in others)
        return found

    def _reader(self, part: GroupSlice, names: list[str]) -> "_Reader":
        """The one that reads on with the least to skip."""
        able = [
            reader
            for reader in self._readers
            if (reader.number, reader.names) == (part.group, names) and reader.place <= part.first
        ]
        if able:
            reader = max(able, key=lambda reader: reader.place)
            self._readers.remove(reader)
        else:
            reader = _Reader(self.groups[part.group], part.group, names, part.rows)
        self._readers = [*self._readers, reader][-self.most - 1 :]
        return reader


class _Reader:
    """Reads columns of a row group, on and on from its first row.

    Fields: the number of the row group; the names of the columns; `place` is the row that comes next.
    """

    def __init__(self, group: Any, number: int, names: list[str], step: int) -> None:
        self.number, self.names, self.place = number, names, 0
        file = arrow_package("Parquet").parquet.ParquetFile(group.open(), buffer_size=BUFFER, pre_buffer=False)
        self._batches: Iterator[Any] = file.iter_batches(
            step, row_groups=[group.row_groups[0].id], columns=names, use_threads=False
        )
        self._rest: Any = None  # of a batch, from `place` on

    def rows(self, first: int, count: int) -> Any:
        """So many rows from this one on, which is not before `place`."""
        parts: list[Any] = []
        while self.place < first + count:
            batch = next(self._batches) if self._rest is None else self._rest
            skipped = max(first - self.place, 0)
            taken = batch.slice(skipped, first + count - self.place - skipped)
            if len(taken):
                parts.append(taken)
            used = min(skipped + len(taken), len(batch))
            self._rest = batch.slice(used) if used < len(batch) else None
            self.place += used
        return arrow_package("Parquet").Table.from_batches(parts)


def row_groups_of(file: Any) -> list[Any]:
    """The parts of a file that are read by themselves: of Parquet its row groups, of another format the whole file."""
    return list(file.split_by_row_group()) if hasattr(file, "split_by_row_group") else [file]


def rows_of(group: Any) -> int:
    """How many rows a row group has; of another format the file."""
    groups = getattr(group, "row_groups", None)
    return groups[0].num_rows if groups else group.count_rows()


def _bytes(group: Any) -> int:
    """The bytes of a row group in memory, about; of another format the file's.

    The bytes that Parquet itself says do not serve: a column that repeats one value is a few bytes in the file.
    """
    if not getattr(group, "row_groups", None):
        return os.path.getsize(group.path) if os.path.exists(getattr(group, "path", "")) else ROOM
    info = group.row_groups[0]
    schema, chunks, size = group.metadata.schema, None, 0
    for i in range(len(schema)):
        column = schema.column(i)
        width = SHORT.get(column.converted_type) or WIDTHS.get(column.physical_type, POINTER)
        if column.max_repetition_level == 0 and column.physical_type in WIDTHS:
            size += info.num_rows * width
            continue
        chunks = group.metadata.row_group(info.id) if chunks is None else chunks
        chunk = chunks.column(i)
        held = 0 if column.physical_type in WIDTHS else chunk.total_uncompressed_size
        size += chunk.num_values * width + held
    return size


def _as_type(column: Any, kind: Any) -> Any:
    """A column as the schema of all files has it."""
    return column if column.type == kind else column.cast(kind)
