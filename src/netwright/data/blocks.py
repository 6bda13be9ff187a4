"""Reads a stream in blocks of bounded size, from any place in it, and shuffles each block: memory holds one or two."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, overload

import torch

from netwright.codecs.codec import Codec
from netwright.codecs.pieces import bytes_of
from netwright.data.held_out import StreamPart, stream_parts
from netwright.data.order import generator
from netwright.data.rows import same_value
from netwright.data.sources import Blocks, Source
from netwright.data.streams import Example, Place, Stream, StreamBlock
from netwright.errors import DataError
from netwright.machine import give_back_freed_memory

MOST = 10_000  # examples of a block
BYTES = 24 << 20  # of raw values, from which on a block is full
LEARNED = 24 << 20  # bytes of what codecs learn from that are kept while a pass is counted


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


def blocks_of(blocks: Blocks, place: Place) -> Iterator[StreamBlock | None]:
    """The blocks from a place on; pass follows pass without end. The last block of a pass may be empty.

    Every item of the stream that does not fill a block gives None, so that a block can be read little by little.

    Raises: DataError for a pass without an example of the part that is read.
    """
    while True:
        some, given, numbers, rows, size, end = place.block > 0, 0, list[int](), list[Example](), 0, place.examples
        for inside, found, end in _numbered(blocks, place):
            given += 1
            numbers += inside
            rows += found
            size += sum(map(bytes_of, found))
            if len(rows) < MOST and size < BYTES:
                yield None
            else:
                placed = blocks.stream.placed
                after = None if placed is None else _own_place(placed)
                beyond = Place(place.sweep, place.block + 1, place.items + given, end, after)
                yield StreamBlock(place, numbers, rows, end, beyond)
                full, some = size >= BYTES, True
                place, given, numbers, rows, size = beyond, 0, list[int](), list[Example](), 0
                del found
                if full:
                    give_back_freed_memory()
        if not rows and not some:
            raise _empty_part(blocks.part)
        beyond = Place(place.sweep + 1)
        yield StreamBlock(place, numbers, rows, end, beyond)
        place = beyond


def _first_of(blocks: Blocks) -> StreamBlock:
    return next(block for block in blocks_of(blocks, Place()) if block is not None)


def a_pass(blocks: Blocks) -> Iterator[tuple[int, Example]]:
    """The examples of a pass with their numbers, in the stream's own order.

    Raises: DataError for a pass without an example of the part that is read.
    """
    some = False
    for inside, found, _ in _numbered(blocks, Place()):
        some = some or bool(found)
        yield from zip(inside, found, strict=True)
    if not some:
        raise _empty_part(blocks.part)


def _numbered(blocks: Blocks, place: Place) -> Iterator[tuple[Sequence[int], list[Example], int]]:
    """For each item of a pass from a place on its examples, their numbers, and how many are read with it."""
    part, start = blocks.part, place.examples
    items = _items_from(blocks.stream, place)
    for found in examples_of_items(items, blocks.stream.batched, blocks.codecs):
        places = range(start, start + len(found))
        start = places.stop
        if part is None:
            yield places, found, start
        else:
            inside = [number for number in places if number in part]
            yield inside, [found[number - places.start] for number in inside], start


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

    The first block, which is known, is not read again if it is the whole pass or if the stream can begin after it: a
    pass that is opened anew may have another order.

    Fields: `state` is the place after the last example that was taken.
    """

    def __init__(self, blocks: Blocks, seed: int, state: Mapping[str, Any]) -> None:
        self.seed = seed
        place = Place(**{name: state[name] for name in Place.__dataclass_fields__}) if state else Place()
        self.place, self.position = place, int(state.get("position", 0))
        self.ended: list[tuple[int, int]] = []  # passes that ended, with their number of examples
        self._block: StreamBlock | None = None
        first = blocks.first if place == Place() else None
        self._coming = first if first is not None and (first.last or first.beyond.own is not None) else None
        rest = replace(blocks, first=None)  # which is freed when it was used
        self._blocks = blocks_of(rest, place if self._coming is None else self._coming.beyond)
        self._error: Exception | None = None  # of the block that comes; it is raised when that block is needed
        self._order: list[int] = []

    @property
    def state(self) -> dict[str, Any]:
        place = {name: getattr(self.place, name) for name in Place.__dataclass_fields__}
        return {**place, "position": self.position}

    def take(self, wanted: int) -> tuple[list[int], list[Example]]:
        """The next examples, with their numbers in their pass."""
        numbers, rows = list[int](), list[Example]()
        while len(rows) < wanted:
            if self._block is None or self.position >= len(self._order):
                self._block = self._next_block()
            stop = min(self.position + wanted - len(rows), len(self._order))
            chosen = self._order[self.position : stop]
            rows += [self._block.rows[i] for i in chosen]
            numbers += [self._block.numbers[i] for i in chosen]
            self.position = stop
        return numbers, rows

    def read_on(self, passes: bool) -> bool:
        """Read one more item of the block after this one; False where there is nothing to read.

        Args: `passes`: whether the next pass is read too.
        """
        block = self._block
        if block is None or self._coming is not None or self._error is not None or (block.last and not passes):
            return False
        try:
            self._coming = next(self._blocks)
        except Exception as error:
            self._error = error
        return True

    def _next_block(self) -> StreamBlock:
        before, self._block = self._block, None  # so that memory does not hold three
        end = None if before is None else before.end  # at first the run is in the middle of a block, perhaps
        del before
        block, self._coming = self._coming, None
        error, self._error = self._error, None
        if error is not None:
            raise error
        while block is None:
            block = next(self._blocks)
        if end is not None:
            self.position = 0
            if block.place.sweep > self.place.sweep:
                self.ended.append((self.place.sweep, end))
        self.place = block.place
        draw = generator(self.seed, "block", self.place.sweep, self.place.block)
        self._order = torch.randperm(len(block.rows), generator=draw, device="cpu").tolist()
        return block


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
        return (row[self.port] for _, row in a_pass(self.blocks))

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
    for _, row in a_pass(blocks):
        number += 1
        for port, column in kept.items():
            column.append(row[port])
            sizes[port] += bytes_of(row[port])
        while kept and sum(sizes[port] for port in kept) > LEARNED:
            del kept[max(kept, key=sizes.__getitem__)]
    return number, {port: kept[port] if port in kept else StreamColumn(blocks, port, number) for port in ports}


def first_block(stream: Stream, codecs: Mapping[str, Codec | None]) -> Source:
    """The examples of the first block, which carry the whole stream with them."""
    whole = Blocks(stream, codecs, lambda source: source)
    block = _first_of(whole)
    known = stream.length or (len(block.rows) if block.last else None)
    return Source(_columns(block.rows), blocks=replace(whole, examples=known, first=block))


def held_out_of(whole: Source, validation: float | int, seed: int) -> tuple[Source, Source] | None:
    """The training part and the validation part of a stream that was counted, each as its first block.

    Each part reads the stream and leaves out the examples of the other, so no more of it is in memory than without
    parts. Passes are read in one order.

    Returns: None where another pass has other examples at the same places, so that a place does not tell an example.
    """
    blocks = whole.blocks
    assert blocks is not None
    assert blocks.examples is not None
    found: list[Source] = []
    for part in stream_parts(blocks.examples, validation, seed):
        own = replace(blocks, examples=len(part), part=part, first=None)
        block = _first_of(own)
        for number, row in zip(block.numbers, block.rows, strict=True):
            if number < len(whole) and not same_value(row, {port: whole.columns[port][number] for port in row}):
                return None
        columns = {port: _of_part(column, own, port) for port, column in blocks.columns.items()}
        own = replace(own, columns=columns, first=None if part.validates else block)
        numbers = torch.tensor(block.numbers, dtype=torch.int64, device="cpu")
        found.append(Source(_columns(block.rows), rows=numbers, blocks=own))
    return found[0], found[1]


def _of_part(column: Sequence[Any], blocks: Blocks, port: str) -> Sequence[Any]:
    """Of a column of the whole stream the examples of a part."""
    part = blocks.part
    assert part is not None
    if isinstance(column, StreamColumn):
        return StreamColumn(blocks, port, len(part))
    return [value for number, value in enumerate(column) if number in part]


def _columns(rows: Sequence[Example]) -> dict[str, Sequence[Any]]:
    return {port: [row[port] for row in rows] for port in rows[0]}


def _empty_part(part: StreamPart | None) -> DataError:
    validates = part is not None and part.validates
    return DataError(
        what=f"a pass over the stream has no example that {'validates' if validates else 'trains'}",
        where="data",
        expected="" if part is None else f"{part.examples:,} examples, as in the pass that was counted",
        mend="keep=True, if passes have to differ in length",
    )


def _ambiguous_item(port: str, value: Any) -> DataError:
    shape = tuple(getattr(value, "shape", (len(value),)))
    return DataError(
        what="an item of this stream could be one example or a batch",
        where=f"port {port!r}",
        expected=f"one example {shape}, or a batch of {shape[0]}",
        got="a net that does not say the sizes of its input",
        mend="net.with_input(…), the sizes of one example or an encoder",
    )
