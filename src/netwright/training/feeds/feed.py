"""Keeps encoded examples in memory and makes prepared batches of them, padded if lengths differ."""

from collections.abc import Generator, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from netwright.codecs.codec import Codec, prepared_on
from netwright.codecs.numeric import plain_number
from netwright.codecs.ragged import Ragged
from netwright.data.lazy import Lazy, RowBlocks
from netwright.data.order import batch_sizes, blocked_order, bucketed_order, epoch_order, padded
from netwright.data.sources import Source
from netwright.errors import DataError
from netwright.machine import free_memory
from netwright.net.part import Net
from netwright.net.plan.plan import fixed, plan_of, ranked
from netwright.net.run.examples import padded_batch, selected
from netwright.net.run.lengths import Axes, Stored, extents
from netwright.once import once
from netwright.training.batch import Batch
from netwright.training.feeds.batches import Batches
from netwright.value import Value

BLOCK = 1 << 20  # bytes that are gathered at once: small batches share the cost of a call, large ones stay in the cache
SAMPLE = 16  # examples that tell how much memory all of them take


class Feed(Value, Batches, eq=False):
    """Examples that are encoded already: bytes stay bytes, and a batch is an index into contiguous tensors.

    Fields:
        source: the raw examples.
        columns: the stored examples by port; raw if they are read anew, or if the encoded ones would not fit in memory.
        encoded: the ports whose columns are not raw.
        prepared: the ports whose columns are stored as the net sees them, since that takes no more memory.
        axes: the names of the lengths that examples have.
        typical: the mean of each length by its name, over all examples, or over some where columns are raw.
    """

    source: Source
    columns: Mapping[str, Stored | Sequence[Any]]
    codecs: Mapping[str, Codec]
    encoded: frozenset[str]
    prepared: frozenset[str]
    weights: Tensor | None
    device: torch.device
    axes: Axes
    typical: Mapping[str, int]

    def __len__(self) -> int:
        return len(next(iter(self.columns.values())))

    def epoch(self, number: int, size: int, seed: int, least: int = 1, skip: int = 0) -> Generator[Batch]:
        done = sum(batch_sizes(len(self), size, least)[:skip])
        return self.batches(self.order(size, seed, number)[done:], size, least)

    def first(self, count: int) -> Batch:
        return self.batch(torch.arange(min(len(self), count), device="cpu"))

    def every(self, size: int) -> Iterator[Batch]:
        return map(self.batch, self.by_length().split(size))

    @property
    def stored(self) -> Mapping[str, Stored]:
        return {port: cast(Stored, self.columns[port]) for port in self.columns if port in self.encoded}

    @property
    def raws(self) -> Mapping[str, Sequence[Any]]:
        """The columns whose examples are read or encoded batch by batch, by port."""
        return {port: cast(Sequence[Any], self.columns[port]) for port in self.columns if port not in self.encoded}

    def digests(self) -> Mapping[str, str]:
        found = {port: column.rows.digest() for port, column in self.columns.items() if isinstance(column, Lazy)}
        return {port: text for port, text in found.items() if text}

    def composition(self, size: int, seed: int) -> tuple[str, str] | None:
        if self._blocks is not None:
            return self._blocks[1].order
        if self.raw and self.typical:
            return "in random order", "the data does not fit in memory, so its lengths are not known"
        if not self._sorted_by:
            return None
        like = self.padding(self.order(size, seed, epoch=1), size)
        mixed = self.padding(epoch_order(len(self), seed, epoch=1), size)
        return f"by length: {like:.1%} padding", f"a random order would have {mixed:.0%} padding"

    @property
    def raw(self) -> bool:
        """Whether some columns are read or encoded batch by batch."""
        return len(self.encoded) < len(self.columns)

    @cached_property
    def ragged(self) -> tuple[Ragged, ...]:
        """The columns whose examples differ in length."""
        return tuple(column for column in self.columns.values() if isinstance(column, Ragged))

    def order(self, size: int, seed: int, epoch: int) -> Tensor:
        """The order of an epoch: random, or in batches of similar length if lengths differ and are known."""
        if self._blocks is not None:
            return blocked_order(*self._places, self._blocks[1].opened, seed, epoch)
        if self.raw or not self._sorted_by:
            return epoch_order(len(self), seed, epoch)
        return bucketed_order(self._length, size, seed, epoch)

    @cached_property
    def _blocks(self) -> tuple[Lazy, RowBlocks] | None:
        """The column whose examples lie in blocks, and the blocks; None if examples lie in no blocks."""
        for column in self.columns.values():
            if isinstance(column, Lazy) and (blocks := column.rows.blocks) is not None:
                return column, blocks
        return None

    @cached_property
    def _places(self) -> tuple[Tensor, Tensor]:
        """Of each example the part of the data in which it lies, and the number of its block in the part."""
        assert self._blocks is not None
        column, blocks = self._blocks
        return blocks.places(torch.from_numpy(column.numbers(torch.arange(len(column), device="cpu"))))

    def by_length(self) -> Tensor:
        """All examples, the shortest first; in their own order if lengths do not differ or are not known."""
        if self.raw or not self._sorted_by:
            return torch.arange(len(self), device="cpu")
        return self._length.argsort(stable=True)

    def padding(self, order: Tensor, size: int) -> float:
        """The share of padding in batches of `size` that are cut from an order."""
        held = sum(padded(extents(column), order, size) for column in self._sorted_by)
        return 1 - sum(len(column.values) for column in self._sorted_by) / held

    @cached_property
    def _length(self) -> Tensor:
        """The length of every example: the number of its elements in all columns by which batches are sorted."""
        return torch.stack([extents(column).prod(1) for column in self._sorted_by]).sum(0)  # (examples,)

    @cached_property
    def _sorted_by(self) -> tuple[Ragged, ...]:
        """The columns whose padding costs time, so that batches are of similar length; five numbers of a box do not.

        A batch of pictures with equally many things would also have other means in `BatchNorm` than the next one.
        """
        sized = {port: column for port, column in self.columns.items() if isinstance(column, Ragged)}
        return tuple(column for port, column in sized.items() if self.codecs[port].answer != "boxes")

    def batch(self, indices: Tensor, read: Mapping[str, Stored] | None = None, to_vary: bool = False) -> Batch:
        """The examples at these indices, as the net sees them.

        Args:
            read: those that are not in memory, if they were read and encoded before.
            to_vary: whether the ports that vary in training stay as they are stored, for the step to vary them.
        """
        columns = self._gathered(indices, read)
        if self.raw:
            with self.source.errors():
                self.axes.check(columns, indices)
        padded = padded_batch(columns, self.axes)
        inputs: dict[str, Tensor] = {}
        for port, stored in padded.inputs.items():
            if port in self.prepared or (to_vary and self.codecs[port].variation):
                inputs[port] = stored.to(self.device, non_blocking=True)
            else:
                inputs[port] = prepared_on(self.device, self.codecs[port], stored)
        weights = None if self.weights is None else self.weights[indices].to(self.device)
        placed = {name: n.to(self.device) if isinstance(n, Tensor) else n for name, n in padded.lengths.items()}
        examples = indices if self.source.rows is None else self.source.rows[indices]
        return Batch(inputs, examples.to(self.device), weights, placed)

    def _gathered(self, indices: Tensor, read: Mapping[str, Stored] | None) -> dict[str, Stored]:
        """The stored examples by port; raw ones are read together, then encoded."""
        stored = self.stored
        raw = {port: self.codecs[port] for port in self.raws}
        read = encoded_rows(self.source, raw, indices) if read is None and raw else read or {}
        return {port: read[port] if port in raw else selected(stored[port], indices) for port in self.columns}

    def _is_even(self, port: str) -> bool:
        """Whether reading a row twice changes nothing, and all examples at the port have one size."""
        column, shape = self.columns[port], self.axes.shapes[port]
        return (port in self.encoded and isinstance(column, Tensor)) or (
            isinstance(column, Lazy) and not column.rows.drawn and ranked(shape) and fixed(shape)
        )

    def opened(self, source: Source) -> "Feed":
        """Other examples for the same net."""
        return _fed(source, self.codecs, self.axes, self.device)

    def batches(self, order: Tensor, size: int, least: int = 1) -> Generator[Batch]:
        """The examples in an order, to be varied, `size` at a time; the last may be short, but not below `least`."""
        for block in order.split(batch_sizes(len(order), size * self._at_once(size), least)):
            whole, sizes = self.batch(block, to_vary=True), batch_sizes(len(block), size, least)
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
        if any(isinstance(column, Ragged) or not self._is_even(port) for port, column in self.columns.items()):
            return 1
        one = self.batch(torch.zeros(1, dtype=torch.long, device="cpu"))
        return max(BLOCK // (size * sum(value.nbytes for value in one.inputs.values())), 1)


def feed(source: Source, net: Net, device: torch.device, prefix: str = "") -> Feed:
    """Encode every column that fits in a quarter of the free memory; the others are encoded batch by batch.

    Data that is read row by row, such as a torch Dataset, is never kept, since it may give random examples.

    Fields: `net` ends in its losses; its ports say how to encode, and what the lengths are called; `prefix` is that of
        the paths of the user's net in it.
    """
    return _fed(source, net.held.inputs, Axes(plan_of(net), prefix), device)


class Encoded(Value, eq=False):
    """The columns of a source for some codecs; the fields are those of `Feed`, and `known` has some examples of each.

    They are kept with the source, so that they are encoded once for several runs on it.
    """

    columns: Mapping[str, Stored | Sequence[Any]]
    encoded: frozenset[str]
    prepared: frozenset[str]
    known: Mapping[str, Stored]


def _fed(source: Source, codecs: Mapping[str, Codec], axes: Axes, device: torch.device) -> Feed:
    key = tuple((port, repr(codecs[port].code()), repr(axes.shapes[port])) for port in source.columns)
    stored = once(source, "encoded", lambda: _columns(source, codecs, axes), key)
    weights = None if source.weights is None else _relative(source.weights)
    typical = {
        name: round(float(torch.as_tensor(n, device="cpu").double().mean()))
        for name, n in axes.of_all(stored.known).items()
    }
    return Feed(source, stored.columns, codecs, stored.encoded, stored.prepared, weights, device, axes, typical)


def _relative(weights: NDArray[np.float64]) -> Tensor:
    """Weights of the mean 1, so that a batch needs no others.

    A power of two first brings the largest of them near 1, which changes no digit: 1e300 is beyond float32.
    """
    near = np.ldexp(weights, -np.frexp(weights.max())[1])
    found = torch.as_tensor(near, dtype=torch.float32, device="cpu")
    return found / found.mean()


def _columns(source: Source, codecs: Mapping[str, Codec], axes: Axes) -> Encoded:
    columns: dict[str, Stored | Sequence[Any]] = {}
    known: dict[str, Stored] = {}  # the columns, or some of their examples
    prepared: set[str] = set()
    room = free_memory(torch.device("cpu")) / 4
    samples = _samples(source, codecs, axes)
    for port, raws in source.columns.items():
        sample = samples[port]
        needed = sample.nbytes / len(sample) * len(source)
        if isinstance(raws, Lazy) or needed > room:
            columns[port], known[port] = raws, sample
            continue
        room -= needed
        with source.errors():
            column = _encoded(raws, port, codecs[port])
        if isinstance(column, Tensor):
            column = column.contiguous()
            if not codecs[port].variation and codecs[port].prepare(column[:1]).nbytes <= column[:1].nbytes:
                column = codecs[port].prepare(column).contiguous()
                prepared.add(port)
        columns[port] = known[port] = column
    if all(columns[port] is column for port, column in known.items()):
        with source.errors():
            axes.check(known)
    encoded = frozenset(port for port, column in known.items() if columns[port] is column)
    return Encoded(columns, encoded, frozenset(prepared), known)


def _samples(source: Source, codecs: Mapping[str, Codec], axes: Axes) -> dict[str, Stored]:
    """By port the first example, or, where examples may differ in length, some from all over the data."""
    even = all(ranked(axes.shapes[port]) and fixed(axes.shapes[port]) for port in source.columns)
    count = 1 if even else min(SAMPLE, len(source))
    indices = torch.linspace(0, len(source) - 1, count, dtype=torch.float32, device="cpu").long().tolist()
    found: dict[str, Stored] = {}
    for port, raws in source.read(indices).items():
        with source.errors(indices):
            found[port] = _encoded([plain_number(raw) for raw in raws], port, codecs[port])
    return found


def encoded_rows(source: Source, codecs: Mapping[str, Codec], indices: Tensor) -> dict[str, Stored]:
    """The examples of a source at these indices (k,), encoded, by the ports of the codecs."""
    rows = indices.tolist()
    read = source.read(rows, codecs)
    with source.errors(rows):
        return {port: _encoded(read[port], port, codec) for port, codec in codecs.items()}


def _encoded(raws: Sequence[Any], port: str, codec: Codec) -> Stored:
    """Raw examples, encoded."""
    try:
        return codec.encode_all(raws)
    except DataError as error:
        raise error.within(f"port {port!r}") from None
