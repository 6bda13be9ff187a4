"""Files of Parquet, or another format that Arrow reads: rows are read a row group at a time, since they lie so."""

import glob
import os
from collections.abc import Mapping, Sequence
from threading import Lock, Thread, current_thread
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from netwright.data.arrow import arrow_package, arrow_values, digest_of_table
from netwright.data.lazy import Lazy, RowBlocks, Rows
from netwright.data.row_groups import WHOLE, Opened, open_at_once, row_groups_of, rows_of, slices_of
from netwright.errors import DataError, FileError

SAMPLE = 100  # rows of what is read at once that a digest looks at


class ParquetFiles(Rows):
    """The rows of files, and their columns by name: `(files["x"], files["y"])` is data.

    A few row groups are open at once. In an epoch the row groups come in a random order, and the rows of those that
    are open in a random order. A row group above 4 MB is read in slices, from its first row on: then the rows of the
    slices that are open come in a random order. Where there are fewer than 4 row groups, and large ones, several parts
    of each are read side by side.

    Fields:
        dataset: of Arrow, which says which files and columns there are.
        names: of the columns.
    """

    kind = "a set of files"

    def __init__(self, dataset: Any) -> None:
        self.dataset, self.names = dataset, tuple(dataset.schema.names)
        groups = [group for file in dataset.get_fragments() for group in row_groups_of(file)]
        self._groups = [group for group in groups if rows_of(group)]
        self._slices = slices_of(self._groups)
        self._counts = np.array([part.rows for part in self._slices], np.int64)
        self._ends = np.cumsum(self._counts)
        self._most = open_at_once(self._slices)
        self._opened: dict[Thread, Opened] = {}  # by the thread that reads
        self._lock = Lock()

    def __reduce__(self) -> tuple[Any, ...]:
        return ParquetFiles, (self.dataset,)

    def __len__(self) -> int:
        return int(self._counts.sum())

    def __repr__(self) -> str:
        return f"ParquetFiles of {len(self):,} rows ({', '.join(self.names)})"

    def __getitem__(self, name: str) -> Lazy:
        if name not in self.names:
            raise DataError(
                what=f"there is no column {name!r}",
                where=repr(self),
                expected=", ".join(map(repr, self.names)),
            )
        return Lazy(self, name)

    def read(self, rows: NDArray[np.int64], ports: Sequence[str]) -> Mapping[str, Sequence[Any]]:
        numbers = np.searchsorted(self._ends, rows, side="right")
        found: dict[str, list[Any]] = {port: [] for port in ports}
        places: list[NDArray[np.int64]] = []
        opened = self._open()
        # those that are open already come first: opening the others may close them
        for number in sorted(np.unique(numbers).tolist(), key=lambda number: (number not in opened, number)):
            places.append(np.flatnonzero(numbers == number))
            inside = arrow_package("Parquet").array(rows[places[-1]] - (self._ends[number] - self._counts[number]))
            for port, column in zip(ports, opened.columns(number, ports), strict=True):
                try:
                    found[port].append(arrow_values(column.take(inside), port))
                except DataError as error:
                    row = int(error.where.removeprefix("row ").split(",")[0])
                    where = error.where.replace(f"row {row}", f"row {int(places[-1][row])}", 1)
                    raise error.changed(where=where) from None
        return {port: _placed(parts, places) for port, parts in found.items()}

    def digest(self) -> str:
        # the columns, the sizes of all that is read at once, and rows of the first, the middle and the last of it:
        # reading all rows would take as long as an epoch
        package, opened = arrow_package("Parquet"), self._open()
        some = sorted({0, len(self._slices) // 2, len(self._slices) - 1})
        parts = [package.table(opened.columns(i, self.names), [*self.names]).slice(0, SAMPLE) for i in some]
        return digest_of_table(self.names, len(self), parts) + f" {self._counts.tolist()}"

    @property
    def blocks(self) -> RowBlocks:
        parts = torch.tensor([part.part for part in self._slices], dtype=torch.int64, device="cpu")
        whole = all(part.whole for part in self._slices)
        count, groups = len(parts.unique()), len(self._groups)
        split = count != groups
        what = f"parts of the {groups} row group{'s' * (groups > 1)}" if split else "row groups"
        how = "the rows of a row group are read at once"
        if not whole:
            how = f"row groups above {WHOLE >> 20} MB are read in slices, from the first row on"
        value = f"from {self._most} of {count} {what} at a time"
        why = f"{how}; {'parts' if split else 'row groups'} come in a random order"
        return RowBlocks(torch.from_numpy(self._counts), parts, self._most, (value, why))

    def _open(self) -> Opened:
        """What the thread that calls has open: threads that train and validate at once do not close each other's."""
        thread = current_thread()
        with self._lock:
            if thread not in self._opened:
                # the next epoch, whose thread is another one, goes on where the one before it ended
                left = next((other for other in self._opened if not other.is_alive()), None)
                self._opened[thread] = (
                    Opened(self._groups, self._slices, self.dataset.schema, self._most + 1)
                    if left is None
                    else self._opened.pop(left)
                )
            return self._opened[thread]


def parquet(pattern: str | os.PathLike[str]) -> ParquetFiles:
    """Parquet files as data: a row group is read when its rows are needed, and all files are never in memory at once.

    The columns are data by their names, `(files["pixels"], files["digit"])`; the files themselves are data where their
    columns have the names of the net's ports. Needs the package pyarrow, `pip install "netwright[arrow]"`.

    Args:
        pattern: a file, or a pattern such as `"digits/*.parquet"`; the files come in the order of their names.

    Raises:
        FileError: no such file, or one that is not Parquet.
        ImportError: the package is missing.

    Example:
        >>> import pyarrow.parquet
        >>> table = pyarrow.table({"x": [0.0, 1.0], "y": [1.0, 3.0]})
        >>> pyarrow.parquet.write_table(table, "line.parquet")
        >>> files = parquet("line.parquet")
        >>> files
        ParquetFiles of 2 rows (x, y)
        >>> data = (files["x"], files["y"])
    """
    package = arrow_package("reading Parquet files")
    paths = sorted(glob.glob(os.fspath(pattern), recursive=True))
    if not paths:
        raise FileError(what="there is no such file", where=os.fspath(pattern), expected="files of Parquet")
    try:
        files = ParquetFiles(package.dataset.dataset(paths, format="parquet"))
    except (OSError, package.ArrowInvalid) as error:
        raise FileError(
            what="these files cannot be read as Parquet", where=os.fspath(pattern), got=str(error).splitlines()[0]
        ) from None
    return files


def _placed(parts: list[Any], places: list[NDArray[np.int64]]) -> Sequence[Any]:
    """The values of the row groups in the order in which they were asked for."""
    order = np.concatenate(places) if places else np.zeros(0, np.int64)
    if all(isinstance(part, np.ndarray) for part in parts):
        kinds = {(part.dtype, part.shape[1:]) for part in parts}
        if len(kinds) == 1:
            whole = np.concatenate(parts)
            found = np.empty_like(whole)
            found[order] = whole
            return found  # pyright: ignore[reportReturnType]
    values: list[Any] = [None] * len(order)
    for place, value in zip(order.tolist(), (value for part in parts for value in part), strict=True):
        values[place] = value
    return values
