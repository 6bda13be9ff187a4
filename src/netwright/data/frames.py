"""Frames as data of nets that read a row of a table: which column is the target, and which are read."""

from collections.abc import Mapping, Sequence
from typing import Any

from netwright.codecs.codec import Codec
from netwright.codecs.table.features import missing_of
from netwright.codecs.table.record import Record
from netwright.codecs.table.rows import TableRows, is_frame, rows_of_frame
from netwright.data.datasets import Split
from netwright.data.rows import RowPorts
from netwright.errors import DataError


def with_rows(data: Any, ports: RowPorts, codecs: Mapping[str, Codec]) -> Any:
    """Data in which a frame that a `Record` reads stands as its rows, and its target as a column of its own.

    Any other data comes back unchanged.
    """
    port = next((name for name in ports.inputs if isinstance(codecs.get(name), Record)), None)
    if port is None:
        return data
    record = codecs[port]
    assert isinstance(record, Record)
    if is_frame(data):
        return _whole_frame(record, port, rows_of_frame(data), ports)
    if isinstance(data, Split):
        data = (data.inputs, data.targets)
    if isinstance(data, tuple) and ports.paired and len(data) == 2:
        return (record.collected(data[0]), data[1])
    if isinstance(data, Mapping) and port in data:
        return {**data, port: record.collected(data[port])}
    return data


def columns_not_used(rows: Sequence[Any], codec: Codec | None) -> tuple[str, ...]:
    """The columns of a frame that a net does not read."""
    if not isinstance(rows, TableRows) or not isinstance(codec, Record):
        return ()
    return tuple(name for name in rows.columns if name not in codec.codecs and name != codec.target)


def _whole_frame(record: Record, port: str, rows: TableRows, ports: RowPorts) -> dict[str, Any]:
    """The columns by port of a frame that has the target too."""
    record.check_columns([*rows.columns])
    if not ports.targets:
        return {port: rows}
    if len(ports.targets) > 1 or not record.target:
        raise DataError(
            what="the net does not know which column of the frame is the target",
            where="data",
            mend=("nw.Record({…}, target=…) as the encoder", "(frame, targets)"),
        )
    record.check_target([*rows.columns])
    missing = missing_of(targets := rows.columns[record.target])
    if missing.any():
        raise DataError(
            what="the target is missing",
            where=f"row {int(missing.argmax())}, column {record.target!r}",
            got=f"{int(missing.sum()):,} of {len(rows):,} rows without a target",
            mend=(
                f"frame.dropna(subset=[{record.target!r}])",
                f"frame.drop_nulls({record.target!r}), of a frame of polars",
            ),
        )
    return {port: rows, next(iter(ports.targets)): targets}
