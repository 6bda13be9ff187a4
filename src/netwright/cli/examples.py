"""Examples for the command line: the columns of a file by the ports of a net, pictures in folders, named data sets."""

import csv
import io
import shlex
from collections import Counter
from collections.abc import Mapping, Sequence
from glob import escape
from pathlib import Path
from typing import Any, Literal

from netwright.codecs.codec import Codec
from netwright.codecs.text.elements import Elements
from netwright.data.datasets import dataset, dataset_names
from netwright.data.jsonl import jsonl
from netwright.data.parquet import ParquetFiles, parquet
from netwright.data.sources import image_folder
from netwright.errors import DataError, FileError, close_names, did_you_mean
from netwright.net.part import Net
from netwright.net.ports import target_name
from netwright.regular import opened

TABLES = (".csv", ".jsonl", ".jsonl.gz", ".parquet")
TARGET = "target"  # the column with the answers where no other is named
TRUTHS = {"true": True, "false": False}

Columns = Mapping[str, Sequence[Any]]


def examples_at(place: str, net: Net, target: str | None, part: Literal["train", "test"], by: str | None = None) -> Any:
    """Examples in a form that `nw.train` and `nw.measure` take.

    Fields:
        place: a folder of pictures, a file, or the name of a data set.
        net: says which columns it needs.
        target: the column with the answers; None, the one of that name.
        part: of a named data set.
        by: a column of a table that is no input, and is read beside them under its own name: the groups of `measure`.

    Raises: FileError for a place where nothing is; DataError for columns that do not fit the net.
    """
    path = Path(place)
    if by is not None and (path.is_dir() or (place in dataset_names() and not path.is_file())):
        raise DataError(
            what="the groups are a column of a table, and these examples are none",
            where=f"--by {shlex.quote(by)}",
            expected=f"a file {', '.join(TABLES)}",
            got=place,
        )
    if path.is_dir():
        return image_folder(path)
    if not path.is_file():
        if place in dataset_names():
            return getattr(dataset(place), part)
        beside = [entry.name for entry in path.parent.iterdir()] if path.parent.is_dir() else []
        raise FileError(
            what="there is no such file, folder or data set",
            where=place,
            mend=did_you_mean(path.name, [*beside, *dataset_names()]),
        )
    columns = _table(path)
    if by is None:
        return _by_port(columns, net, target, place)
    return _with_groups(columns, net, target, place, by)


def _table(path: Path) -> Columns:
    """The columns of a file by their names."""
    ending = next((ending for ending in TABLES if path.name.lower().endswith(ending)), "")
    if ending == ".csv":
        return csv_columns(path)
    if ending.startswith(".jsonl"):
        return _from_lines(path)
    if ending:
        files: ParquetFiles = parquet(escape(str(path)))
        return {name: files[name] for name in files.names}
    raise FileError(
        what="the ending does not say what kind of file this is",
        where=str(path),
        expected=", ".join(TABLES),
        got=path.suffix or "no ending",
    )


def csv_columns(path: Path) -> dict[str, list[str]]:
    """The columns of a CSV file with a header, as texts.

    Raises: DataError for a file without rows, for a row of another length than the header, and for a name that two
        columns have.
    """
    with opened(path) as raw:
        whole = raw.read()
    try:
        rows = [row for row in csv.reader(io.StringIO(whole.decode("utf-8-sig"), newline=""), strict=True) if row]
    except (UnicodeDecodeError, csv.Error) as error:
        raise FileError(
            what="this file cannot be read as a table", where=str(path), expected="CSV in UTF-8", got=str(error)
        ) from None
    if len(rows) < 2:
        raise DataError(what="the file has no rows", where=str(path), expected="a header and a row for each example")
    names, *values = rows
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise DataError(
            what="two columns have the same name",
            where=str(path),
            expected="a name of its own for each column",
            got=", ".join(map(repr, twice)),
        )
    for number, row in enumerate(values, 1):
        if len(row) != len(names):
            raise DataError(
                what="a row is not as long as the header",
                where=f"{path}, row {number}",
                expected=f"{len(names)} cells: {', '.join(names)}",
                got=f"{len(row)}",
            )
    return {name: [row[i] for row in values] for i, name in enumerate(names)}


def _from_lines(path: Path) -> dict[str, list[Any]]:
    """The columns of a file of JSON lines, all of whose rows have the names of the first."""
    rows = [*jsonl([path])]
    names = [*rows[0]] if rows else []
    for number, row in enumerate(rows, 1):
        if row.keys() != {*names}:
            raise DataError(
                what="a row has other names than the first",
                where=f"{path}, row {number}",
                expected=", ".join(names),
                got=", ".join(row),
            )
    return {name: [row[name] for row in rows] for name in names}


def _by_port(columns: Columns, net: Net, target: str | None, place: str) -> dict[str, Sequence[Any]]:
    """The columns that a net needs, by the names of its ports and targets."""
    outputs, several = net.output_names, len(net.output_names) > 1
    answers = {target_name(net, name): name for name in outputs}
    named = {port: port for port in answers} if several else dict.fromkeys(answers, target or TARGET)
    for column in named.values():
        if column not in columns:
            raise DataError(
                what=f"there is no column {column!r}, which holds the answers",
                where=place,
                expected=", ".join(map(repr, columns)),
                mend=tuple(f"--target {shlex.quote(name)}" for name in [*columns][-1:]) if not several else (),
            )
    decoders = net.held.outputs
    found = {port: _typed(columns[column], decoders.get(answers[port])) for port, column in named.items()}
    rest = {name: values for name, values in columns.items() if name not in named.values()}
    ports = net.required_names
    if len(ports) == 1 and ports[0] not in rest and rest:
        return {ports[0]: _together(rest, net.held.inputs.get(ports[0]), place), **found}
    return {**{name: _typed(values, net.held.inputs.get(name)) for name, values in rest.items()}, **found}


def _with_groups(columns: Columns, net: Net, target: str | None, place: str, by: str) -> dict[str, Sequence[Any]]:
    """The columns that a net needs, and beside them the column of the groups."""
    found = _by_port({name: values for name, values in columns.items() if name != by}, net, target, place)
    if by not in columns:
        near = close_names(by, columns)
        raise DataError(
            what=f"there is no column {by!r}, which holds the groups",
            where=place,
            expected=", ".join(map(repr, columns)),
            mend=tuple(f"--by {shlex.quote(name)}" for name in near),
        )
    return {**found, by: _typed(columns[by], None)}


def wants_texts(codec: Codec | None) -> bool:
    """Whether a codec reads texts, so that "3" is no number."""
    labels: Sequence[object] = getattr(codec, "labels", None) or ()
    return isinstance(codec, Elements) or any(isinstance(label, str) for label in labels)


def _together(columns: Columns, codec: Codec | None, place: str) -> Sequence[Any]:
    """The only column, or several columns of numbers as one vector for each example."""
    if len(columns) == 1:
        (values,) = columns.values()
        return _typed(values, codec)
    numbers = {name: _typed(values, None) for name, values in columns.items()}
    for name, values in columns.items():
        if all(type(value) in (int, float) for value in numbers[name]):
            continue
        for row, value in enumerate(values):
            if not _is_number(value):
                raise DataError(
                    what="the columns together are one vector, and a cell is no number",
                    where=f"{place}, row {row + 1}, column {name!r}",
                    expected="a number",
                    got=repr(value),
                )
    return [[float(value) for value in row] for row in zip(*numbers.values(), strict=True)]


def _is_number(cell: Any) -> bool:
    """Whether a cell is a number, or a text that reads as one."""
    if not isinstance(cell, str):
        return type(cell) in (int, float)
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _typed(values: Sequence[Any], codec: Codec | None) -> Sequence[Any]:
    """The texts of a file as numbers or truths, where all are such and the codec does not want texts."""
    if not values or not isinstance(values[0], str):
        return values
    if wants_texts(codec):
        return values
    if all(value.lower() in TRUTHS for value in values):
        return [TRUTHS[value.lower()] for value in values]
    for kind in (int, float):
        try:
            return [kind(value) for value in values]
        except ValueError:
            continue
    return values
