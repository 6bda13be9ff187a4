"""Reads one row or one column of what a user gave, and says which one does not fit."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, cast

import numpy as np
import torch

from netwright.codecs.numeric import arrayed
from netwright.errors import DataError, did_you_mean
from netwright.value import Value


class RowPorts(Value):
    """The names of the values an example has: what goes in, and what the loss compares with."""

    inputs: tuple[str, ...]
    targets: tuple[str, ...]

    @property
    def all(self) -> tuple[str, ...]:
        return self.inputs + self.targets

    @property
    def paired(self) -> bool:
        """Whether a pair is a whole row: one input, one target."""
        return len(self.inputs) == len(self.targets) == 1

    def check(self, given: Iterable[Any], where: str) -> None:
        """Raises `DataError` unless exactly these ports are given."""
        names = list(given)
        for name in names:
            if name not in self.all:
                missing = [port for port in self.all if port not in names]
                raise DataError(
                    what=f"the net has no port {name!r}",
                    where=where,
                    expected=f"the ports {self}",
                    mend=did_you_mean(str(name), missing or self.all) or f"leave {name!r} out",
                )
        for port in self.all:
            if port not in names:
                raise DataError(
                    what=f"the port {port!r} is missing",
                    where=where,
                    expected=f"the ports {self}",
                    got=", ".join(map(repr, names)) or "none",
                )

    def __str__(self) -> str:
        return ", ".join(map(repr, self.all))


def row_to_ports(row: Any, ports: RowPorts, where: str) -> dict[str, Any]:
    """One row by port: a dict of them, a pair, or, where there is one port, the value itself."""
    if isinstance(row, Mapping) and (len(ports.all) > 1 or set(row) == set(ports.all)):
        ports.check(row.keys(), where)
        return {port: row[port] for port in ports.all}
    if len(ports.all) == 1:
        return {ports.all[0]: row}
    if ports.paired and isinstance(row, tuple | list) and len(row) == 2:
        return dict(zip(ports.all, row, strict=True))
    mend = () if ports.paired else (f"{{{', '.join(f'{port!r}: …' for port in ports.all)}}}",)
    if ports.paired and isinstance(row, np.ndarray | torch.Tensor):
        mend = ("a tuple, if these are columns: (inputs, targets)",)
    raise DataError(
        what="a row is not a pair (input, target)" if ports.paired else "a row does not name its ports",
        where=where,
        expected=f"a pair, or a dict with {ports}" if ports.paired else f"a dict with {ports}",
        got=row_kind(row),
        mend=mend,
    )


def column(values: Any, port: str) -> Sequence[Any]:
    """A column as it is stored: an array, a tensor or a sequence, whose first axis counts the examples."""
    found = values.detach() if isinstance(values, torch.Tensor) else arrayed(values)
    if isinstance(found, np.ndarray | torch.Tensor):
        if found.ndim > 0:
            return cast(Sequence[Any], found)
    elif type(found) in (list, tuple, range):
        return cast(Sequence[Any], found)
    elif isinstance(found, Sequence) and not isinstance(found, str | bytes):
        drawn = cast(Sequence[Any], found)
        return drawn if isinstance(drawn, Lazy) else Lazy(Rows(drawn, None), "", range(len(drawn)))
    raise DataError(
        what=f"the column {port!r} is not a column",
        where="data",
        expected="an array, a tensor or a list with one value for each example",
        got=row_kind(values),
    )


def picked_rows(values: Any, indices: torch.Tensor) -> Sequence[Any]:
    """The values at these indices (k,), of the kind they were."""
    if isinstance(values, torch.Tensor):
        return cast(Sequence[Any], values[indices.to(values.device)])
    if isinstance(values, np.ndarray):
        return cast(Sequence[Any], values[indices.numpy()])
    if isinstance(values, Lazy):
        return values.picked(indices.tolist())
    return [values[i] for i in indices.tolist()]


def row_kind(value: Any) -> str:
    """What a value is, in a few words for a message."""
    if isinstance(value, np.ndarray):
        return f"array {value.shape} {value.dtype}"
    if isinstance(value, torch.Tensor):
        return f"tensor {tuple(value.shape)} {str(value.dtype).removeprefix('torch.')}"
    if isinstance(value, list | tuple):
        return f"{type(value).__name__} of {len(value)}"
    return type(value).__name__


class Rows(Value, eq=False):
    """Something that is asked for one row at a time, and may draw each answer anew.

    Fields: `data`, a Dataset, or a sequence that is one column; `ports` of a row, None where a row is one value.
    """

    data: Any
    ports: RowPorts | None

    def at(self, index: int, where: str) -> dict[str, Any]:
        """One row by port, read once; `where` is its place in an error."""
        row = self.data[index]
        return {"": row} if self.ports is None else row_to_ports(row, self.ports, where)


class Lazy(Sequence[Any]):
    """One port of what is read row by row, each time it is asked for; `together` reads all ports of a row at once."""

    def __init__(self, rows: Rows, port: str, indices: Sequence[int]) -> None:
        self.rows, self.port, self.indices = rows, port, indices

    @classmethod
    def columns(cls, dataset: Any, n: int, ports: RowPorts) -> dict[str, Sequence[Any]]:
        """A column for each port of a dataset of n rows; the first row is read, to see that it fits."""
        rows = Rows(dataset, ports)
        rows.at(0, "row 0")
        return {port: cls(rows, port, range(n)) for port in ports.all}

    def picked(self, indices: Sequence[int]) -> "Lazy":
        """The same column with these rows only."""
        return Lazy(self.rows, self.port, [self.indices[i] for i in indices])

    def __len__(self) -> int:
        return len(self.indices)

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return Lazy(self.rows, self.port, self.indices[index])
        return self.rows.at(self.indices[index], f"row {index}")[self.port]

    def __iter__(self) -> Iterator[Any]:
        # not the inherited iteration, which reads on until an IndexError that a Dataset need not raise
        return (self[i] for i in range(len(self)))


def rows_together(columns: Mapping[str, Sequence[Any]], indices: Sequence[int]) -> dict[str, list[Any]]:
    """The values of all columns at these indices; what one row holds for several columns is read once."""
    found: dict[str, list[Any]] = {port: [] for port in columns}
    for place, index in enumerate(indices):
        read: dict[tuple[int, int], dict[str, Any]] = {}
        for port, values in columns.items():
            if not isinstance(values, Lazy):
                found[port].append(values[index])
                continue
            key = (id(values.rows.data), values.indices[index])
            if key not in read:
                read[key] = values.rows.at(values.indices[index], f"row {place}")
            found[port].append(read[key][values.port])
    return found


def at_rows(error: DataError, rows: Sequence[int] | torch.Tensor) -> DataError:
    """The same error with its row as the user counts: row i of these examples is `rows[i]` of what was given."""
    where = re.sub(r"(\brow \(?)(\d+)", lambda found: f"{found[1]}{int(rows[int(found[2])])}", error.where, count=1)
    return error.changed(where=where)
