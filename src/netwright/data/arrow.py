"""Arrow tables and columns: rows are taken when they are needed, and values have the form that codecs read."""

import hashlib
import importlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from netwright.data.lazy import Rows
from netwright.errors import DataError, missing_extra

SAMPLE = 1000  # rows that a digest looks at: data that was written anew differs in one of them
PICTURE = {"bytes", "path"}  # the fields in which the package datasets keeps a picture


class ArrowRows(Rows):
    """The rows of an Arrow table; a single column is a table with one column, whose name is empty."""

    kind = "an Arrow table"

    def __init__(self, table: Any) -> None:
        self.table = table
        self.names: tuple[str, ...] = tuple(table.column_names)

    @classmethod
    def of_column(cls, column: Any) -> "ArrowRows":
        """The rows of an Array or a ChunkedArray."""
        return cls(arrow_package("an Arrow column").table({"": column}))

    def __len__(self) -> int:
        return self.table.num_rows

    def read(self, rows: NDArray[np.int64], ports: Sequence[str]) -> Mapping[str, Sequence[Any]]:
        found = self.table.select(list(ports)).take(arrow_package("an Arrow table").array(rows))
        return {port: arrow_values(found.column(port), port) for port in ports}

    def digest(self) -> str:
        # the columns, the number of rows, and the contents of rows all over the table: reading all would take too long
        rows = np.unique(np.linspace(0, len(self) - 1, min(len(self), SAMPLE)).astype(np.int64))
        return digest_of_table(self.table.column_names, len(self), [self.table.take(rows)])

    def same(self, other: Rows) -> bool:
        return isinstance(other, ArrowRows) and self.table is other.table


def digest_of_table(names: Sequence[str], count: int, parts: Sequence[Any]) -> str:
    """A short text of a table's columns and length, and of the contents of some parts of it."""
    state = hashlib.sha256(repr([*names]).encode())
    for part in parts:
        for column in part.columns:
            state.update(_content(column))
    return f"{count} {state.hexdigest()}"


def _content(column: Any) -> bytes:
    """The values of a column as bytes: numbers of one shape as they are in memory, others as Python prints them."""
    try:
        values = arrow_values(column, "")
    except DataError:  # a null
        values = []
    if isinstance(values, np.ndarray):
        return f"{values.dtype} {values.shape} ".encode() + np.ascontiguousarray(values).tobytes()
    return repr(column.to_pylist()).encode()


def is_arrow(value: object, *kinds: str) -> bool:
    """Whether it is of the package pyarrow, of one of these classes or a subclass."""
    return any(kind.__module__.split(".")[0] == "pyarrow" and kind.__name__ in kinds for kind in type(value).__mro__)


def arrow_values(column: Any, name: str) -> Sequence[Any]:
    """The values of an Arrow column: an array of numbers of one shape, or a list of arrays, texts, bytes and others.

    Raises: DataError for a null, with its row.
    """
    whole = column.combine_chunks() if hasattr(column, "combine_chunks") else column
    if hasattr(whole, "chunks"):  # too long for one piece
        raise DataError(what="too many rows are read at once", where=name, got=f"{len(whole):,}")
    if whole.null_count:
        row = int(np.flatnonzero(whole.is_null().to_numpy(zero_copy_only=False))[0])
        raise DataError(
            what="the value is null",
            where=f"row {row}" + (f", column {name!r}" if name else ""),
            expected=f"a value of type {whole.type}",
            mend=("leave such rows out: table.drop_null()", "fill in a value: pyarrow.compute.fill_null(column, …)"),
        )
    return _values(whole, name)


def _values(array: Any, name: str) -> Any:
    types, kind = arrow_package("an Arrow column").types, array.type
    if hasattr(array, "to_numpy_ndarray"):  # tensors of one shape
        return array.to_numpy_ndarray()
    if hasattr(array, "storage"):
        return _values(array.storage, name)
    if types.is_dictionary(kind):
        return _values(array.dictionary_decode(), name)
    if types.is_boolean(kind) or types.is_integer(kind) or types.is_floating(kind):
        return array.to_numpy(zero_copy_only=False)
    if types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind):
        return _lists(array, name)
    if types.is_struct(kind) and {field.name for field in kind} == PICTURE:
        return array.field("bytes").to_pylist()
    return array.to_pylist()


def _lists(array: Any, name: str) -> Any:
    """Lists: rows of one array where all are equally long, else each by itself."""
    inner = array.flatten()
    lengths = arrow_package("an Arrow column").compute.list_value_length(array).to_numpy(zero_copy_only=False)
    ends = np.cumsum(lengths)
    if inner.null_count:
        place = int(np.flatnonzero(inner.is_null().to_numpy(zero_copy_only=False))[0])
        row = int(np.searchsorted(ends, place, side="right"))
        where = f"row {row}" + (f", column {name!r}" if name else "")
        raise DataError(
            what="a list holds null", where=where, expected=f"values of type {inner.type}", mend="fill in a value"
        )
    values = _values(inner, name)
    if isinstance(values, np.ndarray) and len(lengths) and (lengths == lengths[0]).all():
        return values.reshape(len(lengths), int(lengths[0]), *values.shape[1:])
    return [values[end - length : end] for end, length in zip(ends.tolist(), lengths.tolist(), strict=True)]


def arrow_package(why: str) -> Any:
    """The package pyarrow, which is loaded when it is needed."""
    try:
        for part in ("compute", "dataset", "parquet"):
            importlib.import_module(f"pyarrow.{part}")
        return importlib.import_module("pyarrow")
    except ImportError:
        missing_extra("pyarrow", "arrow", why)
