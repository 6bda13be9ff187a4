"""Turns every form of data that a user may give into one of two: a `Source` of columns by port, or a `Stream`."""

from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from dataclasses import field
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.data import DataLoader, IterableDataset, TensorDataset
from torch.utils.data import Dataset as TorchDataset

from netwright.around import around
from netwright.codecs.codec import Codec
from netwright.codecs.numeric import number_table, plain_number
from netwright.data.arrow import ArrowRows, is_arrow
from netwright.data.columns import DatasetRows, column, lazy_columns, picked_columns, rows_together
from netwright.data.datasets import Split
from netwright.data.frames import with_rows
from netwright.data.held_out import StreamPart
from netwright.data.hub_tables import hub_table
from netwright.data.lazy import Lazy
from netwright.data.parquet import ParquetFiles
from netwright.data.rows import RowPorts, at_rows, row_kind, row_to_ports
from netwright.data.streams import Stream, StreamBlock, no_data, not_data, stream_of
from netwright.errors import DataError, FileError, did_you_mean, shortened
from netwright.value import Value

PICTURES = frozenset((".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".pgm", ".ppm"))


SHOWN = 8  # names of a table's columns that a message shows


class Source(Value, eq=False):
    """Examples that can be counted and looked up, as one column of raw values for each port.

    Fields:
        columns: by port, each a sequence (array, tensor, list, or a view of what is read row by row) of one length.
        weights: how much each example counts, or None when all count alike.
        rows: (n,), the number of each example in what the user gave, or None where it is its index here.
        again: makes the source of the next pass over a stream, or None where the examples here are all there are.
        blocks: the whole stream of which the examples here are the first, or None where they are all there are.
        once: why the examples are read once, where they could have been drawn anew; else the empty text.
        name: what errors call these examples, beside the training data; else the empty text.
    """

    columns: Mapping[str, Sequence[Any]]
    weights: NDArray[np.float64] | None = None
    rows: torch.Tensor | None = None
    again: "Callable[[], Source] | None" = None
    blocks: "Blocks | None" = None
    once: str = ""
    name: str = ""

    def __len__(self) -> int:
        return len(next(iter(self.columns.values())))

    @property
    def lazy(self) -> list[Lazy]:
        """The columns that are not in memory."""
        return [values for values in self.columns.values() if isinstance(values, Lazy)]

    @property
    def drawn(self) -> bool:
        """Whether some of it may be another each time it is read."""
        return any(values.rows.drawn for values in self.lazy)

    def row(self, index: int) -> dict[str, Any]:
        """Example `index` by port; a number out of an array becomes Python's own."""
        return {port: plain_number(value) for port, (value,) in self.read([index]).items()}

    def read(self, indices: Sequence[int], ports: Iterable[str] | None = None) -> dict[str, Sequence[Any]]:
        """The examples at these indices, by port, or some ports of them; one read of an example gives all its ports."""
        with self.errors(indices):
            return rows_together({port: self.columns[port] for port in ports or self.columns}, indices)

    def learned_from(self, port: str) -> Sequence[Any]:
        """The column from which a codec learns: of a stream that of a whole pass, where it was read."""
        return self.columns[port] if self.blocks is None else self.blocks.columns.get(port, self.columns[port])

    def take(self, indices: torch.Tensor) -> "Source":
        """The examples at these indices (k,), in this order; of a stream those of the pass that was read."""
        columns = picked_columns(self.columns, indices)
        weights = None if self.weights is None else self.weights[indices.numpy()]
        rows = indices if self.rows is None else self.rows[indices]
        once = self.once or ("a part of a stream is held out of one pass" if self.again is not None else "")
        return Source(columns, weights, rows, once=once, name=self.name)

    @around
    def errors(self, rows: Sequence[int] | None = None) -> Generator[None, None, None]:
        """Within, an error that names a row of these examples names it by the user's count.

        `rows` are the indices here of the examples that the error counts, where they are some of them.
        """
        try:
            yield
        except DataError as error:
            own = error if rows is None else at_rows(error, rows)
            part = None if self.blocks is None else self.blocks.part
            numbers = self.rows if part is None else part  # a part's column for learning is longer than its first block
            own = own if numbers is None else at_rows(own, numbers)
            raise (own.within(self.name) if self.name else own) from None

    def __repr__(self) -> str:
        ports = ", ".join(f"{port}: {row_kind(values)}" for port, values in self.columns.items())
        return f"Source of {len(self):,} example{'' if len(self) == 1 else 's'} ({ports})"


class Blocks(Value, eq=False):
    """A stream that is not kept: it is read a block at a time, again in every epoch.

    Fields:
        codecs: tell an item that is a batch from one example, where its form does not.
        form: makes the examples that a net takes out of those that the stream gives.
        examples: how many a pass has; None where they are not counted.
        first: the first block of the first pass, where it was read and may be trained on.
        columns: what codecs learn from by port, where that is more than the first block.
        part: which examples of a pass are read; None where it is all of them.
    """

    stream: Stream
    codecs: Mapping[str, Codec | None]
    form: Callable[[Source], Source]
    examples: int | None = None
    first: StreamBlock | None = None
    columns: Mapping[str, Sequence[Any]] = field(default_factory=dict[str, Sequence[Any]])
    part: StreamPart | None = None


def source(
    data: Any,
    inputs: tuple[str, ...] = ("input",),
    targets: tuple[str, ...] = ("target",),
    weights: Sequence[float] | NDArray[Any] | torch.Tensor | None = None,
    codecs: Mapping[str, Codec] = MappingProxyType({}),
    spare: tuple[str, ...] = (),
) -> Source | Stream:
    """The user's data as a `Source` or a `Stream`.

    - a tuple of two is two columns, inputs and targets; a dict of named ports is a column for each;
    - a list is rows: pairs, or dicts of named ports;
    - a `Split`, as data sets and `folder` give; a torch Dataset;
    - a torch DataLoader, a generator function, or any iterable: a `Stream` of rows or batches.

    A net with a single port takes its column (an array or a list) as it is.

    Args:
        data: any of these.
        inputs: the names of the net's input ports.
        targets: the names of the ports that the loss compares with; () when the net ends in its losses.
        weights: how much each example counts; only with data whose number is known.
        codecs: those of input ports, of which a `Record` reads a frame as it is.
        spare: ports that the data may have besides, and that are not read.

    Raises:
        DataError: no data, columns of different lengths, a row that does not fit, a port that is missing or unknown.

    Example:
        >>> source([("a.png", "cat"), ("b.png", "dog")]).columns
        {'input': ['a.png', 'b.png'], 'target': ['cat', 'dog']}
    """
    ports = RowPorts(inputs, targets, spare)
    found = _counted(with_rows(data, ports, codecs), ports)
    if found is None:
        if weights is not None:
            raise DataError(
                what="weights need data whose examples can be counted",
                where="weights",
                got=row_kind(data),
                mend="let each column, list or Dataset be whole in memory",
            )
        return stream_of(data, ports)
    lengths = {port: len(values) for port, values in found.items()}
    if len(set(lengths.values())) > 1:
        raise DataError(
            what="the columns have different lengths",
            where="data",
            got="\n".join(f"{port}: {length:,}" for port, length in lengths.items()),
            mend="give every example one value in each column",
        )
    n = next(iter(lengths.values()))
    if n == 0:
        raise no_data(row_kind(data))
    return Source(found, None if weights is None else _checked_weights(weights, n))


def image_folder(path: str | Path) -> Split:
    """Pictures sorted into subfolders: the name of the subfolder is the label.

    Only the paths are read; a picture is opened when it is encoded. Files in deeper folders count for the subfolder at
    the top; hidden files and folders, and files without a picture's ending, are left out.

    Args:
        path: the folder that holds `cat/`, `dog/` and so on.

    Returns:
        A `Split` with paths as inputs and labels as targets, ordered by label, then by path, the same on any system.

    Raises:
        FileError: no such folder.
        DataError: no subfolders, or a subfolder without pictures.

    Example:
        >>> pets = folder("pets/")  # doctest: +SKIP
        >>> pets[0]                 # doctest: +SKIP
        (PosixPath('pets/cat/1.png'), 'cat')
    """
    top = Path(path)
    if not top.is_dir():
        beside = [entry.name for entry in top.parent.iterdir() if entry.is_dir()] if top.parent.is_dir() else []
        raise FileError(
            what="the path is a file, not a folder" if top.exists() else "there is no such folder",
            where=str(top),
            mend=did_you_mean(top.name, beside),
        )
    labels = sorted(entry.name for entry in top.iterdir() if entry.is_dir() and not entry.name.startswith("."))
    if not labels:
        raise DataError(
            what="the folder has no subfolders, so its pictures have no labels",
            where=str(top),
            expected="a subfolder for each label, such as cat/ and dog/",
            got=f"{sum(entry.suffix.lower() in PICTURES for entry in top.iterdir())} pictures at the top",
        )
    found = {label: _pictures(top / label) for label in labels}
    empty = [label for label, files in found.items() if not files]
    if empty:
        raise DataError(
            what="subfolders without a picture",
            where=str(top),
            expected=f"files that end in {', '.join(sorted(PICTURES))}",
            got=", ".join(f"{label}/" for label in empty),
            mend="move these subfolders elsewhere",
        )
    return Split(
        [file for files in found.values() for file in files],
        [label for label, files in found.items() for _ in files],
    )


def _pictures(below: Path) -> list[Path]:
    files = (file for file in below.rglob("*") if file.suffix.lower() in PICTURES and file.is_file())
    seen = (file for file in files if not any(part.startswith(".") for part in file.relative_to(below).parts))
    return sorted(seen, key=lambda file: file.as_posix())


def _reader(path: str) -> str:
    """The call that reads the files of this name, by its ending."""
    if Path(path).is_dir():
        return f"nw.image_folder({path!r})"
    endings = {".parquet": "nw.parquet", ".jsonl": "nw.jsonl", ".jsonl.gz": "nw.jsonl"}
    return next((f"{call}({path!r})" for ending, call in endings.items() if path.endswith(ending)), "")


def _counted(data: Any, ports: RowPorts) -> dict[str, Sequence[Any]] | None:
    """The columns of data that is whole; None for a stream."""
    if data is None or isinstance(data, str | bytes | Path | int | float):
        raise not_data(repr(data), _reader(str(data)) if isinstance(data, str | Path) else "")
    if isinstance(data, Split):
        if len(ports.all) == 1:
            raise DataError(
                what="a data set has inputs and targets, and one column is wanted",
                where="data",
                got=f"{data!r}",
                mend=("data.inputs", "data.targets"),
            )
        return _two_columns((data.inputs, data.targets), ports)
    if isinstance(data, tuple):
        return _two_columns(data, ports)
    if isinstance(data, Mapping):
        ports.check(data.keys(), "data")
        return {port: column(data[port], port) for port in ports.all}
    if isinstance(data, list):
        return _from_rows(data, ports)
    if is_arrow(data, "Dataset"):
        data = ParquetFiles(data)
    table = ArrowRows(data) if is_arrow(data, "Table") else data if isinstance(data, ParquetFiles) else hub_table(data)
    if table is not None:
        return _from_table({name: Lazy(table, name) for name in table.names}, ports, frame=False)
    if (named := number_table(data)) is not None and len(ports.all) > 1:
        return _from_table(named, ports)
    if isinstance(data, torch.Tensor) or hasattr(data, "__array__"):
        return _one_column(data, ports)
    if isinstance(data, TensorDataset):
        return _one_column(data.tensors[0], ports) if len(data.tensors) == 1 else _two_columns(data.tensors, ports)
    if isinstance(data, DataLoader | IterableDataset):
        return None
    if isinstance(data, TorchDataset) or (hasattr(data, "__len__") and hasattr(data, "__getitem__")):
        return _from_dataset(data, ports)
    return None


def _two_columns(data: Sequence[Any], ports: RowPorts) -> dict[str, Sequence[Any]]:
    if not ports.paired:
        raise DataError(
            what="a tuple of two columns fits a net with one input and one target",
            where="data",
            expected=f"a dict with the ports {ports}",
            got=f"a tuple of {len(data)}",
            mend=f"{{{', '.join(f'{port!r}: …' for port in ports.all)}}}",
        )
    if len(data) != 2:
        raise DataError(
            what="a tuple of columns has two of them, inputs and targets",
            where="data",
            expected="(inputs, targets)",
            got=f"a tuple of {len(data)}",
            mend="a list, if these are rows: [(input, target), …]",
        )
    return {port: column(values, port) for port, values in zip(ports.all, data, strict=True)}


def _one_column(data: Any, ports: RowPorts) -> dict[str, Sequence[Any]]:
    if len(ports.all) != 1:
        raise DataError(
            what="one column is given, but the net needs more",
            where="data",
            expected=f"the ports {ports}",
            got=row_kind(data),
            mend="a tuple of two columns: (inputs, targets)" if ports.paired else "a dict of named ports",
        )
    return {ports.all[0]: column(data, ports.all[0])}


def _from_table(named: dict[Any, Any], ports: RowPorts, frame: bool = True) -> dict[str, Sequence[Any]]:
    """The columns of a table whose names are those of the ports; `frame` if it is like one of pandas."""
    if set(ports.all) <= set(named) <= {*ports.all, *ports.spare}:
        return {port: column(named[port], port) for port in ports.all}
    names, last = list(map(str, named)), next(reversed(named), None)
    first = f"data.drop(columns={last!r})" if frame else f"data[{names[0]!r}]"
    raise DataError(
        what="the net does not know which columns of the table are its ports",
        where="data",
        expected=f"the columns {ports}",
        got=f"the columns {', '.join(map(repr, names[:SHOWN]))}" + (", …" if len(names) > SHOWN else ""),
        mend=f"({first}, data[{last!r}]), if {last!r} is the target"
        if ports.paired and len(names) > 1
        else f"{{{', '.join(f'{port!r}: data[…]' for port in ports.all)}}}",
    )


def _from_rows(rows: Sequence[Any], ports: RowPorts) -> dict[str, Sequence[Any]]:
    columns: dict[str, list[Any]] = {port: [] for port in ports.all}
    for number, row in enumerate(rows):
        for port, value in row_to_ports(row, ports, f"row {number}").items():
            columns[port].append(value)
    return dict(columns)


def _from_dataset(data: Any, ports: RowPorts) -> dict[str, Sequence[Any]]:
    try:
        n = len(data)
    except (TypeError, NotImplementedError):
        raise DataError(
            what="the Dataset has no length",
            where="data",
            got=row_kind(data),
            mend=("give it a __len__", "make it an IterableDataset, if its examples only come in order"),
        ) from None
    if n == 0:
        raise no_data(row_kind(data))
    return lazy_columns(DatasetRows(data, ports), ports)


def _checked_weights(weights: Sequence[float] | NDArray[Any] | torch.Tensor, n: int) -> NDArray[np.float64]:
    try:
        array = np.asarray(weights, dtype=np.float64)
    except (TypeError, ValueError, OverflowError):
        raise DataError(
            what="weights are numbers, one for each example", where="weights", got=shortened(repr(weights), 80)
        ) from None
    if array.shape != (n,):
        raise DataError(
            what="there is not one weight for each example",
            where="weights",
            expected=f"({n:,},)",
            got=str(array.shape),
        )
    bad = np.flatnonzero(~np.isfinite(array) | (array < 0))
    if len(bad):
        raise DataError(
            what="a weight is negative or not finite",
            where=f"weights, row {bad[0]}",
            expected="a number that is 0 or more",
            got=str(array[bad[0]]),
        )
    if not array.any():
        raise DataError(what="every weight is 0, so no example counts", where="weights")
    return array
