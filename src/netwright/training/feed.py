"""Encoded examples in memory, given out as prepared batches."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from netwright.codecs.codec import Codec, at_place
from netwright.data.sources import Source, Stream
from netwright.errors import DataError
from netwright.machine import free_memory


@dataclass(frozen=True, eq=False)
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
            inputs[port] = codec.prepare(stored.to(self.device, non_blocking=True))
        weights = None if self.weights is None else self.weights[indices].to(self.device)
        return Batch(inputs, indices.to(self.device), weights)


def feed(source: Source, codecs: Mapping[str, Codec], device: torch.device) -> Feed:
    """Encode every column, as far as a quarter of the free memory goes; beyond, batches are encoded as they come."""
    columns: dict[str, Tensor | Sequence[Any]] = {}
    room = free_memory(torch.device("cpu")) / 4
    for port, raws in source.columns.items():
        try:
            first = codecs[port].encode(_row(source, port))
            needed = first.numel() * first.element_size() * len(source)
            if needed > room:
                columns[port] = raws
                continue
            room -= needed
            columns[port] = codecs[port].encode_all(raws).contiguous()
        except DataError as error:
            raise at_place(error, f"port {port!r}") from None
    weights = None if source.weights is None else torch.as_tensor(source.weights, dtype=torch.float32)
    return Feed(columns, codecs, weights, device)


def collected(stream: Stream, codecs: Mapping[str, Codec | None]) -> Source:
    """A stream read once into memory, refused where it is larger than a quarter of what is free."""
    columns: dict[str, list[Any]] = {}
    room = free_memory(torch.device("cpu")) / 4
    for item in stream:
        batched = stream.batched
        if batched is None:
            port, value = next(iter(item.items()))
            codec = codecs.get(port)
            batched = codec is not None and not codec.takes(value)
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


def _row(source: Source, port: str) -> Any:
    return source.row(0)[port]


def _bytes(value: Any) -> int:
    return int(getattr(value, "nbytes", 64))
