"""The rows of a table: read from a frame of pandas, polars or pyarrow, or from rows that are mappings."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast, overload

import numpy as np
from torch import Tensor

from netwright.codecs.table.features import is_missing
from netwright.errors import DataError, missing_extra

FRAMES = ("pandas", "polars", "pyarrow", "modin", "cudf")  # the packages whose frames are read


class TableRows(Sequence[Mapping[str, Any]]):
    """The rows of a table, kept by column; a missing value is None, and NaN in a column of numbers.

    Example:
        >>> rows = TableRows({"age": [22, 38], "sex": ["male", "female"]})
        >>> rows[1]
        {'age': 38, 'sex': 'female'}
        >>> len(rows[:1])
        1
    """

    def __init__(self, columns: Mapping[str, Sequence[Any]]) -> None:
        self.columns = columns

    def __len__(self) -> int:
        return len(next(iter(self.columns.values()), ()))

    @overload
    def __getitem__(self, index: int) -> Mapping[str, Any]: ...
    @overload
    def __getitem__(self, index: slice) -> "TableRows": ...
    def __getitem__(self, index: int | slice) -> "Mapping[str, Any] | TableRows":
        picked = {name: values[index] for name, values in self.columns.items()}
        return TableRows(picked) if isinstance(index, slice) else picked

    def __iter__(self) -> Iterator[Mapping[str, Any]]:
        names = [*self.columns]
        return (dict(zip(names, row, strict=True)) for row in zip(*self.columns.values(), strict=True))

    def picked(self, indices: Tensor) -> "TableRows":
        """The rows at these indices (k,)."""
        numbers = indices.tolist()

        def of(values: Any) -> Sequence[Any]:
            if isinstance(values, np.ndarray):
                return cast(Sequence[Any], values[indices.numpy()])
            return [values[place] for place in numbers]

        return TableRows({name: of(values) for name, values in self.columns.items()})

    def __repr__(self) -> str:
        return f"TableRows of {len(self):,} ({', '.join(self.columns)})"


def is_frame(value: object) -> bool:
    """Whether it is a frame of one of these packages: it has columns with names."""
    packages = (kind.__module__.split(".")[0] for kind in type(value).__mro__)
    return hasattr(value, "columns") and any(package in FRAMES for package in packages)


def rows_of_frame(frame: Any) -> TableRows:
    """The rows of a frame, with all columns that it has.

    Raises: MissingExtraError without narwhals; DataError for a frame that is not in memory, or columns without
        different texts as names.
    """
    try:
        import narwhals as nw
    except ImportError:
        missing_extra("narwhals", "table", "reading a frame")
    if hasattr(frame, "collect"):
        raise DataError(
            what="the frame is not in memory", where="data", got=type(frame).__name__, mend="frame.collect()"
        )
    names: list[Any] = [*(frame.column_names if hasattr(frame, "column_names") else frame.columns)]
    odd = next((name for name in names if not isinstance(name, str) or names.count(name) > 1), None)
    if odd is not None:
        twice = isinstance(odd, str)
        raise DataError(
            what="two columns of the frame have the same name" if twice else "the name of a column is not a text",
            where="data",
            got=repr(odd),
            mend="give each another name" if twice else "frame.columns = [str(name) for name in frame.columns]",
        )
    read: Any = nw.from_native(frame, eager_only=True)
    return TableRows({name: _values(read[name], nw) for name in names})


def rows_of_mappings(rows: Sequence[Any]) -> TableRows | None:
    """The rows of a list of mappings that all have the columns of the first; None for anything else."""
    first = rows[0] if len(rows) else None
    if not isinstance(first, Mapping):
        return None
    names = first.keys()
    if not all(isinstance(row, Mapping) and row.keys() == names for row in rows):
        return None
    return TableRows({name: [row[name] for row in rows] for name in cast(Mapping[str, Any], first)})


def _values(series: Any, nw: Any) -> Sequence[Any]:
    """The values of a column: an array of numbers, or a list in which None is missing."""
    kind = series.dtype
    if kind.is_numeric() and not kind.is_decimal():
        if series.is_null().any():
            series = series.cast(nw.Float64)
        found = series.to_numpy()
        return cast(Any, found if found.dtype.kind in "iuf" else np.asarray(found, dtype=np.float64))
    values = series.to_list()
    return [None if is_missing(value) else value for value in values]
