"""Reads a stream in blocks of bounded size, from any place in it, and shuffles each block: memory holds one of them."""

import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from typing import Any, TypeAlias, overload

import torch

from netwright.codecs.codec import Codec
from netwright.codecs.pieces import bytes_of
from netwright.data.order import generator
from netwright.data.sources import Blocks, Source
from netwright.data.streams import Stream
from netwright.errors import DataError
from netwright.machine import give_back_freed_memory
from netwright.value import Value

MOST = 10_000  # examples of a block
BYTES = 48 << 20  # of raw values, from which on a block is full
LEARNED = 24 << 20  # bytes of what codecs learn from that are kept while a pass is counted
Example: TypeAlias = dict[str, Any]  # raw values by port


class Place(Value):
    """The beginning of a block in a stream.

    Fields: the number of the pass, from 1; the number of the block in it, from 0; how many items and examples of the
    pass are before it; and the stream's own word for this place, None where it has none that JSON can hold.
    """

    sweep: int = 1
    block: int = 0
    items: int = 0
    examples: int = 0
    own: Any = None


def examples_of_items(
    items: Iterator[Example], batched: bool | None, codecs: Mapping[str, Codec | None]
) -> Iterator[list[Example]]:
    """Of each item the examples in it: one, or those of a batch."""
    for item in items:
        whole = batched
        if whole is None:
            port, value = next(iter(item.items()))
            codec = codecs.get(port)
            if codec is None:
                raise _ambiguous_item(port, value)
            whole = not codec.takes(value)
        if not whole:
            yield [item]
            continue
        columns = [list(value) for value in item.values()]
        yield [dict(zip(item, row, strict=True)) for row in zip(*columns, strict=True)]


def blocks_of(
    stream: Stream, codecs: Mapping[str, Codec | None], place: Place
) -> Iterator[tuple[Place, list[Example]]]:
    """The blocks from a place on, each with its own place; pass follows pass without end."""
    while True:
        items = examples_of_items(_items_from(stream, place), stream.batched, codecs)
        given, rows, size = 0, list[Example](), 0
        for found in items:
            given += 1
            rows += found
            size += sum(map(bytes_of, found))
            if len(rows) >= MOST or size >= BYTES:
                after = None if stream.placed is None else _own_place(stream.placed)
                beyond = Place(place.sweep, place.block + 1, place.items + given, place.examples + len(rows), after)
                yield place, rows
                full = size >= BYTES
                place, given, rows, size = beyond, 0, list[Example](), 0
                del found
                if full:
                    give_back_freed_memory()
        if rows:
            yield place, rows
        place = Place(place.sweep + 1)


def a_pass(blocks: Blocks) -> Iterator[Example]:
    """The examples of a pass, in the stream's own order."""
    items = _items_from(blocks.stream, Place())
    return chain.from_iterable(examples_of_items(items, blocks.stream.batched, blocks.codecs))


def _items_from(stream: Stream, place: Place) -> Iterator[Example]:
    """The items of a pass from a place on; where the stream cannot say its place, those before are read and left."""
    if callable(getattr(stream.placed, "set_epoch", None)):  # by which data sets shuffle anew in each pass
        stream.placed.set_epoch(place.sweep - 1)
    if place.own is not None:
        stream.placed.load_state_dict(place.own)
        return stream.items(place.items)
    items = stream.items()
    for _ in zip(range(place.items), items, strict=False):
        pass
    return items


def _own_place(placed: Any) -> Any:
    """A copy of the state of a stream; None where a checkpoint cannot hold it, since it is more than JSON says."""
    state = placed.state_dict()
    try:
        copy = json.loads(json.dumps(state))
        return copy if copy == state else None
    except (TypeError, ValueError, RuntimeError):  # a tensor, for one
        return None


class Shuffled:
    """The examples of a stream, pass after pass, each block in an order that its place and the seed say.

    Fields: `state` is the place after the last example that was taken.
    """

    def __init__(self, blocks: Blocks, seed: int, state: Mapping[str, Any]) -> None:
        self.seed = seed
        place = Place(**{name: state[name] for name in Place.__dataclass_fields__}) if state else Place()
        self.place, self.position = place, int(state.get("position", 0))
        self.ended: list[tuple[int, int]] = []  # passes that ended, with their number of examples
        self._blocks = blocks_of(blocks.stream, blocks.codecs, place)
        self._rows: list[Example] = []
        self._order: list[int] = []

    @property
    def state(self) -> dict[str, Any]:
        place = {name: getattr(self.place, name) for name in Place.__dataclass_fields__}
        return {**place, "position": self.position}

    def take(self, wanted: int) -> tuple[list[int], list[Example]]:
        """The next examples, with their numbers in their pass."""
        numbers, rows = list[int](), list[Example]()
        while len(rows) < wanted:
            if self.position >= len(self._rows):
                self._next_block()
            stop = min(self.position + wanted - len(rows), len(self._rows))
            chosen = self._order[self.position : stop]
            rows += [self._rows[i] for i in chosen]
            numbers += [self.place.examples + i for i in chosen]
            self.position = stop
        return numbers, rows

    def _next_block(self) -> None:
        first = not self._rows  # of this run: it is in the middle of this block, perhaps
        before = (self.place.sweep, self.place.examples + len(self._rows))
        self._rows = []  # so that memory holds one block
        self.place, self._rows = next(self._blocks)
        if not first:
            self.position = 0
            if self.place.sweep > before[0]:
                self.ended.append(before)
        draw = generator(self.seed, "block", self.place.sweep, self.place.block)
        self._order = torch.randperm(len(self._rows), generator=draw, device="cpu").tolist()


class StreamColumn(Sequence[Any]):
    """One port of a pass over a stream, to be read from its beginning on; the stream is opened again where it must be.

    Slices are read on from the one before, so that a column is read once from its first piece to its last.
    """

    def __init__(self, blocks: Blocks, port: str, length: int) -> None:
        self.blocks, self.port, self.length = blocks, port, length
        self._next, self._rest = 0, iter(())

    def __len__(self) -> int:
        return self.length

    def __iter__(self) -> Iterator[Any]:
        return (row[self.port] for row in a_pass(self.blocks))

    @overload
    def __getitem__(self, index: int) -> Any: ...
    @overload
    def __getitem__(self, index: slice) -> list[Any]: ...
    def __getitem__(self, index: int | slice) -> Any:
        if isinstance(index, int):
            return self[index : index + 1][0]
        start, stop, _ = index.indices(self.length)
        if start < self._next or not self._next:
            self._next, self._rest = 0, iter(self)
        for _ in range(start - self._next):
            next(self._rest)
        found = [value for _, value in zip(range(stop - start), self._rest, strict=False)]
        self._next = stop
        return found


def count_pass(blocks: Blocks, ports: Sequence[str]) -> tuple[int, dict[str, Sequence[Any]]]:
    """How many examples a pass has, and the columns of these ports, from which codecs learn.

    One pass is read. The columns are kept where they are small; one that is not will be read in a pass of its own.
    """
    kept: dict[str, list[Any]] = {port: [] for port in ports}
    sizes = dict.fromkeys(ports, 0)
    number = 0
    for row in a_pass(blocks):
        number += 1
        for port, column in kept.items():
            column.append(row[port])
            sizes[port] += bytes_of(row[port])
        while kept and sum(sizes[port] for port in kept) > LEARNED:
            del kept[max(kept, key=sizes.__getitem__)]
    return number, {port: kept[port] if port in kept else StreamColumn(blocks, port, number) for port in ports}


def first_block(stream: Stream, codecs: Mapping[str, Codec | None]) -> Source:
    """The examples of the first block, which carry the whole stream with them."""
    rows = next(blocks_of(stream, codecs, Place()))[1]
    ended = len(rows) < MOST and sum(map(bytes_of, rows)) < BYTES  # a full block is not the end of a pass
    whole = Blocks(stream, codecs, lambda source: source, stream.length or (len(rows) if ended else None), ended)
    return Source({port: [row[port] for row in rows] for port in rows[0]}, blocks=whole)


def _ambiguous_item(port: str, value: Any) -> DataError:
    shape = tuple(getattr(value, "shape", (len(value),)))
    return DataError(
        what="an item of this stream could be one example or a batch",
        where=f"port {port!r}",
        expected=f"one example {shape}, or a batch of {shape[0]}",
        got="a net that does not say the sizes of its input",
        mend="net.with_input(…), the sizes of one example or an encoder",
    )
