"""Every form of data of which parts can be taken: how many examples it has, its columns, its rows, and a part of it."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, IterableDataset, Subset, TensorDataset
from torch.utils.data import Dataset as TorchDataset

from netwright.codecs.numeric import plain_number
from netwright.data.columns import column, picked_rows
from netwright.data.datasets import Dataset, Split
from netwright.data.rows import row_kind
from netwright.errors import DataError, did_you_mean
from netwright.value import Value

PAIR = ("input", "target")


class Splittable(Value, eq=False):
    """Data of which parts can be taken.

    Fields:
        n: examples there are.
        names: of the columns; empty where a row is one value.
        column: the values of a column, by its name.
        row: an example, by its number.
        part: the examples at these indices (k,), in the form of the data, without the columns of these names.
    """

    n: int
    names: Sequence[str]
    column: Callable[[str], Sequence[Any]]
    row: Callable[[int], Any]
    part: Callable[[Tensor, Sequence[str]], Any]

    def values(self, said: Any, name: str) -> list[Any]:
        """One value for each example: of the column of that name, of a sequence, or of a function of a row.

        `name` is the argument of the user. Raises: DataError.
        """
        if isinstance(said, str):
            found = self._named(said, name)
        elif callable(said):
            found = [said(self.row(i)) for i in range(self.n)]
        else:
            found = column(said, name)
        if len(found) != self.n:
            raise DataError(
                what="there is not one value for each example",
                where=name,
                expected=f"{self.n:,} values",
                got=f"{len(found):,}",
            )
        values = found.tolist() if isinstance(found, np.ndarray | Tensor) and _plain(found) else found
        return [_hashable(value, f"{name}, row {i}") for i, value in enumerate(values)]

    def _named(self, said: str, name: str) -> Sequence[Any]:
        if said in self.names:
            return self.column(said)
        raise DataError(
            what=f"the data has no column {said!r}",
            where=name,
            expected=f"one of the columns {', '.join(map(repr, self.names))}" if self.names else "data with columns",
            mend=did_you_mean(said, self.names) or (f"{name}=…, a sequence with one value for each example",
                                                    f"{name}=…, a function of a row"),
        )  # fmt: skip


def splittable(data: Any) -> Splittable:
    """Data that can be counted, seen so that parts of it can be taken.

    Raises: DataError for a stream, for columns of different lengths, and for what is no data.
    """
    if isinstance(data, Split):
        columns = (data.inputs, data.targets)
        return _of_columns(dict(zip(PAIR, columns, strict=True)), lambda parts: Split(*parts.values()), tuple)
    if isinstance(data, Dataset):
        raise DataError(what="a data set has parts already", where="data", got=data.name, mend="data.train")
    if isinstance(data, tuple):
        columns = cast("tuple[Any, ...]", data)
        names = PAIR if len(columns) == 2 else [f"column {i}" for i in range(len(columns))]
        return _of_columns(dict(zip(names, columns, strict=True)), lambda parts: tuple(parts.values()), tuple)
    if isinstance(data, TensorDataset):
        names = PAIR if len(data.tensors) == 2 else [f"column {i}" for i in range(len(data.tensors))]
        columns = dict(zip(names, data.tensors, strict=True))
        return _of_columns(columns, lambda parts: TensorDataset(*parts.values()), tuple)
    if isinstance(data, Mapping):
        return _of_columns(dict(cast("Mapping[str, Any]", data)), lambda parts: parts, None)
    if isinstance(data, list):
        return _of_rows(cast("list[Any]", data))
    if isinstance(data, str | bytes | Path | int | float) or data is None:
        raise _no_examples(repr(data), "columns (inputs, targets), a list of rows, a dict of columns, or a Dataset")
    if isinstance(data, DataLoader | IterableDataset) or not hasattr(data, "__len__"):
        raise _no_examples(
            row_kind(data),
            "data whose examples can be counted",
            "list(…), if memory holds it",
            "validation=…, examples of its own for nw.train",
        )
    return _of_table(data) or _of_dataset(data)


def _no_examples(got: str, expected: str, *mend: str) -> DataError:
    what = "a stream has no known number of examples, so it cannot be split" if mend else "this is not data"
    return DataError(what=what, where="data", expected=expected, got=got, mend=mend)


def _of_columns(
    columns: Mapping[str, Any], joined: Callable[[dict[str, Any]], Any], row: Callable[[Iterable[Any]], Any] | None
) -> Splittable:
    """Columns by name; `joined` makes data of them again, `row` a row of its values, which is a dict if it is None."""
    found = {name: column(values, name) for name, values in columns.items()}
    lengths = {name: len(values) for name, values in found.items()}
    if len(set(lengths.values())) > 1:
        raise DataError(
            what="the columns have different lengths",
            where="data",
            got="\n".join(f"{name}: {length:,}" for name, length in lengths.items()),
            mend="give every example one value in each column",
        )

    def row_at(index: int) -> Any:
        values = {name: plain_number(values[index]) for name, values in found.items()}
        return values if row is None else row(values.values())

    def part(indices: Tensor, without: Sequence[str]) -> Any:
        kept = {name: values for name, values in columns.items() if row is not None or name not in without}
        return joined({name: _picked(values, indices) for name, values in kept.items()})

    return Splittable(next(iter(lengths.values()), 0), list(columns), found.__getitem__, row_at, part)


def _of_rows(rows: list[Any]) -> Splittable:
    first = rows[0] if rows else None
    names = list(cast("Mapping[str, Any]", first)) if isinstance(first, Mapping) else _pair_names(first)

    def part(indices: Tensor, without: Sequence[str]) -> list[Any]:
        return [_without(rows[i], without) for i in indices.tolist()]

    return Splittable(len(rows), names, _column_of(rows, len(rows), names), rows.__getitem__, part)


def _of_dataset(data: Any) -> Splittable:
    """Something that is asked for one row at a time; its parts are views, which read a row when they are asked."""
    n = len(data)
    first = data[0] if n else None
    names = list(cast("Mapping[str, Any]", first)) if isinstance(first, Mapping) else _pair_names(first)

    def part(indices: Tensor, without: Sequence[str]) -> Any:
        fewer = [name for name in without if name in names] if isinstance(first, Mapping) else []
        return Subset(RowsWithout(data, fewer) if fewer else data, indices.tolist())

    return Splittable(n, names, _column_of(data, n, names), data.__getitem__, part)


def _of_table(data: Any) -> Splittable | None:
    """A table or one column: of pandas, of Arrow, of the package datasets, or an array; None for anything else."""
    if hasattr(data, "column_names") and hasattr(data, "select") and hasattr(data, "remove_columns"):  # datasets
        return Splittable(
            len(data), data.column_names, lambda name: data[name][:], data.__getitem__,
            lambda indices, without: data.remove_columns(
                [name for name in without if name in data.column_names]
            ).select(indices.tolist()),
        )  # fmt: skip
    if hasattr(data, "column_names") and hasattr(data, "take"):  # Arrow
        return Splittable(
            len(data), data.column_names, lambda name: data[name].to_pylist(),
            lambda i: data.slice(i, 1).to_pylist()[0],
            lambda indices, without: data.drop_columns(
                [name for name in without if name in data.column_names]
            ).take(indices.numpy()),
        )  # fmt: skip
    if hasattr(data, "iloc") and hasattr(data, "columns"):  # pandas
        return Splittable(
            len(data), [name for name in data.columns if isinstance(name, str)], lambda name: data[name].tolist(),
            lambda i: dict(data.iloc[i]),
            lambda indices, without: data.drop(columns=list(without)).iloc[indices.numpy()],
        )  # fmt: skip
    if isinstance(data, Tensor) or hasattr(data, "__array__"):
        found = column(data, "data")
        return Splittable(
            len(found), (), found.__getitem__, lambda i: plain_number(found[i]),  # pyright: ignore[reportArgumentType]
            lambda indices, without: _picked(data, indices),
        )  # fmt: skip
    return None


class RowsWithout(TorchDataset[Any]):
    """A Dataset whose rows, which are dicts, lack some ports."""

    def __init__(self, rows: Any, names: Sequence[str]) -> None:
        self.rows, self.names = rows, names

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: int) -> Any:
        return _without(self.rows[index], self.names)


def _pair_names(row: Any) -> Sequence[str]:
    return PAIR if isinstance(row, tuple | list) and len(cast("Sequence[Any]", row)) == 2 else ()


def _without(row: Any, names: Sequence[str]) -> Any:
    if not isinstance(row, Mapping) or not names:
        return row
    return {name: value for name, value in cast("Mapping[str, Any]", row).items() if name not in names}


def _column_of(rows: Any, n: int, names: Sequence[str]) -> Callable[[str], Sequence[Any]]:
    """How a column is read out of rows, which are dicts or pairs."""

    def values(name: str) -> list[Any]:
        found: list[Any] = []
        for i in range(n):
            row = rows[i]
            try:
                found.append(row[name] if isinstance(row, Mapping) else row[names.index(name)])
            except (KeyError, IndexError, TypeError):
                raise DataError(what=f"a row lacks {name!r}", where=f"row {i}", got=row_kind(row)) from None
        return found

    return values


def _picked(values: Any, indices: Tensor) -> Any:
    """The values at these indices, of the kind they were; of a memory map a view, which is read when needed."""
    if hasattr(values, "iloc"):  # pandas
        return values.iloc[indices.numpy()]
    if hasattr(values, "take") and hasattr(values, "to_pylist"):  # Arrow
        return values.take(indices.numpy())
    found = picked_rows(column(values, "data"), indices)
    return tuple(found) if isinstance(values, tuple) else found


def _plain(values: Any) -> bool:
    """Whether an array has one number of Python's own kinds in each row; numpy's times keep their kind."""
    return values.ndim == 1 and (isinstance(values, torch.Tensor) or values.dtype.kind in "biufUO")


def _hashable(value: Any, where: str) -> Any:
    """A value that can be a key of a dict; one that is not a number is equal to others of its kind."""
    found = plain_number(value)
    try:
        hash(found)
        return None if isinstance(found, float) and found != found else found
    except TypeError:
        pass
    if isinstance(found, list):
        return tuple(_hashable(one, where) for one in cast("list[Any]", found))
    raise DataError(
        what="this value cannot name a group, a class or a time",
        where=where,
        expected="a number, a text, a date, or a tuple of these",
        got=row_kind(found),
    )
