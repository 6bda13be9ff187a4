"""Encoded examples in memory, given out as prepared batches."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from netwright.codecs.codec import Codec, at_place
from netwright.data.sources import Source, Stream
from netwright.errors import DataError
from netwright.machine import free_memory

BLOCK = 1 << 20  # bytes that are gathered at once: small batches share the cost of a call, large ones stay in the cache


@dataclass(eq=False, slots=True)
class Batch:
    """Prepared inputs by port, the identities of the examples, and how much each counts."""

    inputs: Mapping[str, Tensor]
    examples: Tensor
    weights: Tensor | None

    @property
    def size(self) -> int:
        """How many examples it holds."""
        return len(self.examples)


@dataclass(frozen=True, eq=False)
class Feed:
    """Examples that are encoded already: bytes stay bytes, and a batch is an index into contiguous tensors."""

    columns: Mapping[str, Tensor | Sequence[Any]]  # raw where all of it would not fit in memory
    codecs: Mapping[str, Codec]
    prepared: frozenset[str]  # the ports whose columns are as the net sees them, since that takes no more memory
    weights: Tensor | None
    device: torch.device

    def __len__(self) -> int:
        return len(next(iter(self.columns.values())))

    def batch(self, indices: Tensor) -> Batch:
        """The examples at these indices, as the net sees them."""
        inputs: dict[str, Tensor] = {}
        for port, column in self.columns.items():
            codec = self.codecs[port]
            if isinstance(column, Tensor):
                stored = column.index_select(0, indices.to(column.device))
            else:
                stored = codec.encode_all([column[i] for i in indices.tolist()])
            stored = stored.to(self.device, non_blocking=True)
            inputs[port] = stored if port in self.prepared else codec.prepare(stored)
        weights = None if self.weights is None else self.weights[indices].to(self.device)
        return Batch(inputs, indices.to(self.device), weights)

    def batches(self, order: Tensor, size: int) -> Iterator[Batch]:
        """The examples in an order, `size` at a time; the last batch may be short."""
        for block in order.split(size * self._at_once(size)):
            whole = self.batch(block)
            if len(block) <= size:
                yield whole
                continue
            ports = [*whole.inputs]
            pieces = zip(*(value.split(size) for value in whole.inputs.values()), strict=True)
            weights = [None] * -(-len(block) // size) if whole.weights is None else whole.weights.split(size)
            for values, examples, weight in zip(pieces, whole.examples.split(size), weights, strict=True):
                yield Batch(dict(zip(ports, values, strict=True)), examples, weight)

    def _at_once(self, size: int) -> int:
        """How many batches are gathered at once."""
        if not all(isinstance(column, Tensor) for column in self.columns.values()):
            return 1
        one = self.batch(torch.zeros(1, dtype=torch.long))
        return max(BLOCK // (size * sum(value.nbytes for value in one.inputs.values())), 1)


def feed(source: Source, codecs: Mapping[str, Codec], device: torch.device) -> Feed:
    """Encode every column, as far as a quarter of the free memory goes; beyond, batches are encoded as they come."""
    columns: dict[str, Tensor | Sequence[Any]] = {}
    prepared: set[str] = set()
    room = free_memory(torch.device("cpu")) / 4
    for port, raws in source.columns.items():
        first: Tensor | None = None
        try:
            first = codecs[port].encode(_row(source, port))
            needed = first.numel() * first.element_size() * len(source)
            if needed > room:
                columns[port] = raws
                continue
            room -= needed
            column = columns[port] = codecs[port].encode_all(raws).contiguous()
        except DataError as error:
            at_first = first is None and "row" not in error.where
            raise at_place(at_place(error, "row 0") if at_first else error, f"port {port!r}") from None
        if codecs[port].prepare(column[:1]).nbytes <= column[:1].nbytes:
            columns[port] = codecs[port].prepare(column).contiguous()
            prepared.add(port)
    weights = None if source.weights is None else torch.as_tensor(source.weights, dtype=torch.float32)
    weights = None if weights is None else weights / weights.mean()  # so that no batch has to know the others
    return Feed(columns, codecs, frozenset(prepared), weights, device)


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


def _row(source: Source, port: str) -> Any:
    return source.row(0)[port]


def _bytes(value: Any) -> int:
    return int(getattr(value, "nbytes", 64))
