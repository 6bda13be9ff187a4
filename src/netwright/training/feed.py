"""Encoded examples in memory, given out as prepared batches, padded where their lengths differ."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from netwright.codecs.codec import Codec, at_place
from netwright.codecs.ragged import Ragged
from netwright.data.order import bucketed_order, cut, epoch_order, padded
from netwright.data.sources import Source, Stream
from netwright.errors import DataError
from netwright.machine import free_memory
from netwright.net.part import Net
from netwright.net.plan.plan import fixed, plan_of, ranked
from netwright.net.run.axes import Axes, Padded, Stored, extents
from netwright.value import Value

BLOCK = 1 << 20  # bytes that are gathered at once: small batches share the cost of a call, large ones stay in the cache
SAMPLE = 16  # examples that tell how much memory all of them take


@dataclass(eq=False, slots=True)
class Batch:
    """Prepared inputs by port, the identities of the examples, how much each counts, and where each ends.

    Fields: `lengths`, by the name of the size, one for each example, or a number where all share it; empty where
    nothing is padded.
    """

    inputs: Mapping[str, Tensor]
    examples: Tensor
    weights: Tensor | None
    lengths: Mapping[str, Tensor | int] = field(default_factory=dict[str, Tensor | int])

    @property
    def size(self) -> int:
        """How many examples it holds."""
        return len(self.examples)

    @property
    def positions(self) -> int:
        """How many values an example has in it, padding counted: what the time of a step grows with."""
        return max(value.numel() for value in self.inputs.values()) // self.size


class Feed(Value, eq=False):
    """Examples that are encoded already: bytes stay bytes, and a batch is an index into contiguous tensors.

    Fields:
        columns: what is stored, by port; raw where all of it would not fit in memory.
        prepared: the ports whose columns are as the net sees them, since that takes no more memory.
        axes: the names of the lengths that examples have.
        typical: the mean of each length by its name, over all examples, or over some where columns are raw.
    """

    columns: Mapping[str, Stored | Sequence[Any]]
    codecs: Mapping[str, Codec]
    prepared: frozenset[str]
    weights: Tensor | None
    device: torch.device
    axes: Axes
    typical: Mapping[str, int]

    def __len__(self) -> int:
        return len(next(iter(self.columns.values())))

    @cached_property
    def raw(self) -> bool:
        """Whether some columns are encoded as they come."""
        return not all(isinstance(column, Tensor | Ragged) for column in self.columns.values())

    @cached_property
    def ragged(self) -> tuple[Ragged, ...]:
        """The columns whose examples differ in length."""
        return tuple(column for column in self.columns.values() if isinstance(column, Ragged))

    def order(self, size: int, seed: int, epoch: int) -> Tensor:
        """The order of an epoch: by chance, or in batches of like length where lengths differ and are known."""
        if self.raw or not self.ragged:
            return epoch_order(len(self), seed, epoch)
        return bucketed_order(self._length, size, seed, epoch)

    def by_length(self) -> Tensor:
        """All examples, the shortest first; as they are where lengths do not differ or are not known."""
        return (
            torch.arange(len(self), device="cpu") if self.raw or not self.ragged else self._length.argsort(stable=True)
        )

    def padding(self, order: Tensor, size: int) -> float:
        """The share of padding in batches of `size` that are cut from an order."""
        held = sum(padded(extents(column), order, size) for column in self.ragged)
        return 1 - sum(len(column.values) for column in self.ragged) / held

    @cached_property
    def _length(self) -> Tensor:
        """How long every example is, all that varies in it taken together."""
        return torch.stack([extents(column).prod(1) for column in self.ragged]).sum(0)  # (examples,)

    def batch(self, indices: Tensor) -> Batch:
        """The examples at these indices, as the net sees them."""
        columns = {port: self._stored(port, indices) for port in self.columns}
        if self.raw:
            self.axes.check(columns, indices)
        found: dict[str, Padded] = {
            port: column.padded() if isinstance(column, Ragged) else (column, ()) for port, column in columns.items()
        }
        lengths = self.axes.of_batch(found) if any(lengths for _, lengths in found.values()) else {}
        inputs: dict[str, Tensor] = {}
        for port, (stored, _) in found.items():
            stored = stored.to(self.device, non_blocking=True)
            inputs[port] = stored if port in self.prepared else self.codecs[port].prepare(stored)
        weights = None if self.weights is None else self.weights[indices].to(self.device)
        placed = {name: n.to(self.device) if isinstance(n, Tensor) else n for name, n in lengths.items()}
        return Batch(inputs, indices.to(self.device), weights, placed)

    def _stored(self, port: str, indices: Tensor) -> Stored:
        column = self.columns[port]
        if isinstance(column, Tensor):
            return column.index_select(0, indices.to(column.device))
        if isinstance(column, Ragged):
            return column.index_select(indices)
        return _encoded([column[i] for i in indices.tolist()], port, self.codecs[port], indices.tolist())

    def batches(self, order: Tensor, size: int, least: int = 1) -> Iterator[Batch]:
        """The examples in an order, `size` at a time; the last batch may be short, but not below `least`."""
        for block in order.split(cut(len(order), size * self._at_once(size), least)):
            whole, sizes = self.batch(block), cut(len(block), size, least)
            if len(sizes) == 1:
                yield whole
                continue
            ports = [*whole.inputs]
            pieces = zip(*(value.split(sizes) for value in whole.inputs.values()), strict=True)
            weights = [None] * len(sizes) if whole.weights is None else whole.weights.split(sizes)
            for values, examples, weight in zip(pieces, whole.examples.split(sizes), weights, strict=True):
                yield Batch(dict(zip(ports, values, strict=True)), examples, weight)

    def _at_once(self, size: int) -> int:
        """How many batches are gathered at once."""
        if not all(isinstance(column, Tensor) for column in self.columns.values()):
            return 1
        one = self.batch(torch.zeros(1, dtype=torch.long, device="cpu"))
        return max(BLOCK // (size * sum(value.nbytes for value in one.inputs.values())), 1)


def feed(source: Source, net: Net, device: torch.device, prefix: str = "") -> Feed:
    """Encode every column, as far as a quarter of the free memory goes; beyond, batches are encoded as they come.

    Fields: `net` ends in its losses; its ports say how to encode, and what the lengths are called; `prefix` is that of
        the paths of the user's net in it.
    """
    codecs, axes = net.held.inputs, Axes(plan_of(net), prefix)
    columns: dict[str, Stored | Sequence[Any]] = {}
    known: dict[str, Stored] = {}  # the columns, or some of their examples
    prepared: set[str] = set()
    room = free_memory(torch.device("cpu")) / 4
    for port, raws in source.columns.items():
        sample = _sample(source, port, codecs[port], axes)
        needed = sample.nbytes / len(sample) * len(source)
        if needed > room:
            columns[port], known[port] = raws, sample
            continue
        room -= needed
        column = _encoded(raws, port, codecs[port])
        if isinstance(column, Tensor):
            column = column.contiguous()
            if codecs[port].prepare(column[:1]).nbytes <= column[:1].nbytes:
                column = codecs[port].prepare(column).contiguous()
                prepared.add(port)
        columns[port] = known[port] = column
    if all(columns[port] is column for port, column in known.items()):
        axes.check(known)
    weights = None if source.weights is None else torch.as_tensor(source.weights, dtype=torch.float32, device="cpu")
    weights = None if weights is None else weights / weights.mean()  # so that no batch has to know the others
    typical = {
        name: round(float(torch.as_tensor(n, device="cpu").double().mean())) for name, n in axes.of_all(known).items()
    }
    return Feed(columns, codecs, frozenset(prepared), weights, device, axes, typical)


def collected(stream: Stream, codecs: Mapping[str, Codec | None]) -> Source:
    """A stream read once into memory, refused where it is larger than a quarter of what is free."""
    columns: dict[str, list[Any]] = {}
    room = free_memory(torch.device("cpu")) / 4
    for item in stream:
        batched = stream.batched
        if batched is None:
            port, value = next(iter(item.items()))
            codec = codecs.get(port)
            if codec is None:
                raise _both_ways(port, value)
            batched = not codec.takes(value)
        for port, value in item.items():
            rows = list(value) if batched else [value]
            columns.setdefault(port, []).extend(rows)
            room -= sum(_bytes(row) for row in rows)
        if room < 0:
            raise DataError(
                what="the stream is larger than a quarter of the free memory",
                where=f"after {len(next(iter(columns.values()))):,} examples",
                mend="a torch Dataset with __len__ and __getitem__, or nw.folder: these are read as needed",
            )
    return Source(columns)


def _both_ways(port: str, value: Any) -> DataError:
    shape = tuple(getattr(value, "shape", (len(value),)))
    return DataError(
        what="an item of this stream can be read both ways",
        where=f"port {port!r}",
        expected=f"one example {shape}, or a batch of {shape[0]}",
        got="a net that does not say the sizes of its input",
        mend="net.with_input(…), the sizes of one example or an encoder",
    )


def _sample(source: Source, port: str, codec: Codec, axes: Axes) -> Stored:
    """The first example, or, where examples may differ in length, some from all over the data."""
    shape = axes.shapes[port]
    count = 1 if ranked(shape) and fixed(shape) else min(SAMPLE, len(source))
    places = torch.linspace(0, len(source) - 1, count, dtype=torch.float32, device="cpu").long()
    raws = [source.row(i)[port] for i in places.tolist()]
    try:
        return codec.encode_all(raws)
    except DataError:
        return _encoded(source.columns[port], port, codec)  # it fails too, and names the row


def _encoded(raws: Sequence[Any], port: str, codec: Codec, rows: Sequence[int] | None = None) -> Stored:
    """Raw things encoded; `rows` are their numbers where they are some out of many."""
    try:
        return codec.encode_all(raws)
    except DataError as error:
        found = error if rows is None else _numbered(raws, codec, rows) or error
        raise at_place(found, f"port {port!r}") from None


def _numbered(raws: Sequence[Any], codec: Codec, rows: Sequence[int]) -> DataError | None:
    """The error of the first raw thing that has one by itself, with its number."""
    for row, raw in zip(rows, raws, strict=True):
        try:
            codec.encode_all([raw])
        except DataError as error:
            place = error.where.replace("row 0", f"row {row}", 1)
            return DataError(what=error.what, where=place, expected=error.expected, got=error.got, mend=error.mend)
    return None


def _bytes(value: Any) -> int:
    return int(getattr(value, "nbytes", 64 + (len(value) if isinstance(value, str | bytes) else 0)))
