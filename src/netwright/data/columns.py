"""Columns of examples: those in memory, and those whose rows are read from elsewhere when they are needed."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from netwright.codecs.numeric import arrayed
from netwright.codecs.table.rows import TableRows
from netwright.data.arrow import ArrowRows, is_arrow
from netwright.data.hub_tables import hub_column
from netwright.data.lazy import Lazy, Rows
from netwright.data.mapped import MappedRows, is_mapped
from netwright.data.reading import reading
from netwright.data.rows import RowPorts, row_kind, row_to_ports
from netwright.errors import DataError, NetwrightError


class DatasetRows(Rows):
    """A torch Dataset or one like it, which may draw each answer anew; `ports` is None where a row is one value."""

    drawn = True
    kind = "__getitem__"

    def __init__(self, data: Any, ports: RowPorts | None) -> None:
        self.data, self.ports = data, ports

    def __len__(self) -> int:
        return len(self.data)

    def read(self, rows: NDArray[np.int64], ports: Sequence[str]) -> dict[str, Sequence[Any]]:
        numbers: list[int] = rows.tolist()
        together: Any = getattr(self.data, "__getitems__", None)  # torch's own protocol for many at once
        found: Iterable[Any] = map(self._row, numbers)
        if together is not None and len(numbers) > 1:
            try:
                found = together(numbers)
            except Exception:
                found = [self._row(row) for row in numbers]  # one of them raises it again, with its number
        columns: dict[str, list[Any]] = {port: [] for port in ports}
        for place, row in enumerate(found):
            values = {"": row} if self.ports is None else row_to_ports(row, self.ports, f"row {place}")
            for port in ports:
                columns[port].append(values[port])
        return {port: _stacked(values) for port, values in columns.items()}

    def _row(self, row: int) -> Any:
        try:
            return reading("row", row, lambda: self.data[row])
        except Exception as error:
            if not isinstance(error, NetwrightError):
                error.add_note(f"raised by the data at row {row}, counted from 0")
            raise

    def same(self, other: Rows) -> bool:
        return isinstance(other, DatasetRows) and self.data is other.data and self.ports == other.ports


def _stacked(values: list[Any]) -> Sequence[Any]:
    """Arrays of one type and shape as one array, so that a codec takes all at once; other values as they are."""
    alike = set(map(type, values)) == {Tensor}
    if alike and len({(value.dtype, value.shape, value.device, value.layout) for value in values}) == 1:
        return cast(Sequence[Any], torch.stack(values))
    return stacked_arrays(values)


def stacked_arrays(values: list[Any]) -> Sequence[Any]:
    """Arrays of numpy of one type and shape as one array, so that a codec takes all at once; other values unchanged."""
    if set(map(type, values)) in ({np.ndarray}, {np.memmap}) and len({(x.dtype, x.shape) for x in values}) == 1:
        return cast(Sequence[Any], np.stack([np.asarray(value) for value in values]))
    return values


def lazy_columns(rows: Rows, ports: RowPorts) -> dict[str, Sequence[Any]]:
    """A column for each port of rows; the first row is read, to see that it fits."""
    rows.read(np.zeros(1, np.int64), ports.all)
    return {port: Lazy(rows, port) for port in ports.all}


def column(values: Any, port: str) -> Sequence[Any]:
    """A column as it is stored: an array, a tensor or a sequence, whose first axis counts the examples."""
    if is_arrow(values, "Array", "ChunkedArray"):
        return Lazy(ArrowRows.of_column(values), "")
    if (of_hub := hub_column(values)) is not None:
        return Lazy(*of_hub)
    found = values.detach() if isinstance(values, Tensor) else arrayed(values)
    if isinstance(found, np.ndarray | Tensor):
        if found.ndim > 0:
            return Lazy(MappedRows(found), "") if is_mapped(found) else cast(Sequence[Any], found)
    elif type(found) in (list, tuple, range) or isinstance(found, Lazy | TableRows):
        return cast(Sequence[Any], found)
    elif isinstance(found, Sequence) and not isinstance(found, str | bytes):
        return Lazy(DatasetRows(found, None), "")
    raise DataError(
        what=f"the column {port!r} is not a column",
        where="data",
        expected="an array, a tensor or a list with one value for each example",
        got=row_kind(values),
    )


def picked_columns(columns: Mapping[str, Sequence[Any]], indices: Tensor) -> dict[str, Sequence[Any]]:
    """The columns at these indices (k,), of the kind they were; what is not in memory is not read."""
    own: dict[int, Tensor] = {}  # so that the ports of one source share the numbers of their rows
    found: dict[str, Sequence[Any]] = {}
    for port, values in columns.items():
        if isinstance(values, Lazy):
            key = id(values.indices)
            own.setdefault(key, values.picked(indices).indices)  # pyright: ignore[reportArgumentType]
            found[port] = Lazy(values.rows, values.port, own[key])
        else:
            found[port] = values_at(values, indices)
    return found


def picked_rows(values: Sequence[Any], indices: Tensor) -> Sequence[Any]:
    """The values of a column at these indices (k,), of the kind they were; what is not in memory is not read."""
    return values.picked(indices) if isinstance(values, Lazy) else values_at(values, indices)


def values_at(values: Any, indices: Tensor) -> Sequence[Any]:
    """The values of a column in memory at these indices (k,), of the kind they were."""
    if isinstance(values, Tensor):
        return cast(Sequence[Any], values[indices.to(values.device)])
    if isinstance(values, np.ndarray):
        return cast(Sequence[Any], values[indices.numpy()])
    if isinstance(values, TableRows):
        return values.picked(indices)
    return [values[i] for i in indices.tolist()]


def rows_together(columns: Mapping[str, Sequence[Any]], indices: Sequence[int]) -> dict[str, Sequence[Any]]:
    """The values of all columns at these indices; what one row holds for several columns is read once."""
    wanted = torch.as_tensor(indices, dtype=torch.int64, device="cpu")
    found: dict[str, Sequence[Any]] = dict.fromkeys(columns, ())  # in the order of the columns
    waiting = {port: values for port, values in columns.items() if isinstance(values, Lazy)}
    for port, values in columns.items():
        if not isinstance(values, Lazy):
            found[port] = values_at(values, wanted)
        elif port in waiting:
            rows = values.numbers(wanted)
            group = {
                name: other
                for name, other in waiting.items()
                if other.rows.same(values.rows) and np.array_equal(other.numbers(wanted), rows)
            }
            ports = tuple(dict.fromkeys(other.port for other in group.values()))
            read = reading("row", int(rows[0]) if len(rows) else 0, values.rows.read, rows, ports)
            for name, other in group.items():
                found[name] = read[other.port]
                del waiting[name]
    return found
