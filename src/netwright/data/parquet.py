"""Files of Parquet, or another format that Arrow reads: rows are read a row group at a time, since they lie so."""

import glob
import os
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from threading import Lock
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from netwright.data.arrow import arrow_package, arrow_values, digest_of_table
from netwright.data.lazy import Lazy, Rows
from netwright.errors import DataError, FileError

ROOM = 32 << 20  # bytes of row groups that are open at once
MOST = 32  # row groups that are open at once: each batch takes some rows of each
SAMPLE = 100  # rows of a row group that a digest looks at


class ParquetFiles(Rows):
    """The rows of files, and their columns by name: `(files["x"], files["y"])` is data.

    A few row groups are open at once. In an epoch the row groups come in a random order, and the rows of those that
    are open in a random order.

    Fields:
        dataset: of Arrow, which says which files and columns there are.
        names: of the columns.
    """

    kind = "a set of files"

    def __init__(self, dataset: Any) -> None:
        self.dataset, self.names = dataset, tuple(dataset.schema.names)
        groups = [group for file in dataset.get_fragments() for group in _row_groups(file)]
        counted = [(group, _rows(group)) for group in groups]
        self._groups = [group for group, count in counted if count]
        self._counts = np.array([count for _, count in counted if count], np.int64)
        self._ends = np.cumsum(self._counts)
        self._most = max(min(ROOM // max(map(_bytes, self._groups), default=ROOM), MOST), 1)
        self._open: OrderedDict[int, dict[str, Any]] = OrderedDict()  # the columns of the groups that were read last
        self._lock = Lock()  # a thread that reads ahead and one that validates may read at once

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
        groups = np.searchsorted(self._ends, rows, side="right")
        found: dict[str, list[Any]] = {port: [] for port in ports}
        places: list[NDArray[np.int64]] = []
        for group in np.unique(groups).tolist():
            places.append(np.flatnonzero(groups == group))
            inside = arrow_package("Parquet").array(rows[places[-1]] - (self._ends[group] - self._counts[group]))
            for port, column in zip(ports, self._columns(group, ports), strict=True):
                try:
                    found[port].append(arrow_values(column.take(inside), port))
                except DataError as error:
                    row = int(error.where.removeprefix("row ").split(",")[0])
                    where = error.where.replace(f"row {row}", f"row {int(places[-1][row])}", 1)
                    raise error.changed(where=where) from None
        return {port: _placed(parts, places) for port, parts in found.items()}

    def digest(self) -> str:
        # the columns, the sizes of all row groups, and rows of the first, the middle and the last one: reading all rows
        # would take as long as an epoch
        some = sorted({0, len(self._groups) // 2, len(self._groups) - 1})
        parts = [self._groups[group].to_table(use_threads=False).slice(0, SAMPLE) for group in some]
        return digest_of_table(self.names, len(self), parts) + f" {self._counts.tolist()}"

    @property
    def blocks(self) -> Tensor:
        return torch.from_numpy(self._counts)

    @property
    def opened(self) -> int:
        return self._most

    def _columns(self, group: int, names: Sequence[str]) -> list[Any]:
        """The columns of a row group, read if they are not open."""
        with self._lock:
            known = self._open.setdefault(group, {})
            self._open.move_to_end(group)
            missing = [name for name in names if name not in known]
            if missing:
                table = self._groups[group].to_table(schema=self.dataset.schema, columns=missing, use_threads=False)
                known.update((name, table.column(name)) for name in missing)
            while len(self._open) > self._most + 1:  # one more, for a batch that reaches into the next ones
                self._open.popitem(last=False)
            return [known[name] for name in names]


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


def _row_groups(file: Any) -> list[Any]:
    """The parts of a file that are read at once: of Parquet its row groups."""
    return list(file.split_by_row_group()) if hasattr(file, "split_by_row_group") else [file]


def _rows(group: Any) -> int:
    """How many rows a row group has; of another format the file."""
    groups = getattr(group, "row_groups", None)
    return groups[0].num_rows if groups else group.count_rows()


def _bytes(group: Any) -> int:
    """The bytes of a row group before it is compressed; of another format the file's."""
    groups = getattr(group, "row_groups", None)
    if groups:
        return groups[0].total_byte_size
    return os.path.getsize(group.path) if os.path.exists(getattr(group, "path", "")) else ROOM


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
