"""A codec for every position of a sequence, a grid or any other nesting."""

import bisect
import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any, Self, cast

import numpy as np
import torch
from torch import Tensor

from netwright.codecs.codec import DECISION, Answer, Codec, by_row
from netwright.codecs.numeric import described, is_array
from netwright.codecs.pieces import pieces
from netwright.codecs.ragged import Ragged
from netwright.codecs.reading import Reading
from netwright.errors import DataError, NetError
from netwright.sizes.notation import port

RUN = "*each"  # the name of the axes before those of the codec


class Each(Codec):
    """A codec applied at every position: a class for every pixel, a number for every step, every frame of a film.

    Raw things come as lists, tuples or arrays, nested as deep as the net's axes before the codec's; decoding gives
    nested lists. `Each(Image(…))` takes a file with several pictures too, such as an animated GIF; `Each(Mask(…))` and
    `Each(Boxes(…))` answer in the pixels of each frame as it was given.

    Where lengths differ, between examples or inside one, `encode_all` gives a `Ragged`; `encode` refuses an example
    that one tensor cannot hold.

    Shapes:
        `encode` gives `*each` before what the codec gives; `decode` takes `*each` before what the codec takes. With an
        axis, this one is in the place of `*each`.

    Fields:
        codec: the codec of one position; what it learns, it learns from all positions of the training data.
        axis: the name of the only axis before those of the codec, such as "frames" of a film, for parts that must know
            the number of axes, such as a convolution in `nw.Map`. By default the axes are as many as the lists say.

    Raises:
        NetError: `Each` of `Each`, which is the same as one; a codec that varies in training; an axis that is no name.
        DataError: lists mixed with single items, an empty list, or a value that the codec refuses, with its position.

    Example:
        >>> from netwright.codecs.category import Category
        >>> Each(Category(range(10))).encode([[1, 2, 3], [4, 5, 6]])
        tensor([[1, 2, 3],
                [4, 5, 6]])
        >>> Each(Category(range(10))).encode_all([[1, 2, 3], [4]])
        Ragged(2 examples of 1 to 3, 4 elements of torch.int64)
        >>> import netwright as nw
        >>> nw.Map(nw.Conv(8, 3), input=nw.Each(nw.Image(64, 64), "frames")).plan.outputs
        {'output': (frames, 62, 62, 8)}
    """

    codec: Codec
    axis: str = ""

    def __post_init__(self) -> None:
        if self.axis and not self.axis.isidentifier():
            raise NetError(
                what="the axis of a sequence is a name", where="Each", expected='such as "frames"', got=repr(self.axis)
            )
        if isinstance(self.codec, Each):
            raise NetError(what="Each of Each is Each: it takes any depth", got=repr(self), mend=repr(self.codec))
        if self.codec.variation:
            raise NetError(
                what="the pictures of a sequence do not vary",
                where=f"Each({type(self.codec).__name__})",
                got=self.codec.variation,
                mend="leave vary=… out",
            )

    @property
    def scale(self) -> tuple[Any, Any] | None:
        return self.codec.scale

    @property
    def answer(self) -> Answer | None:
        return self.codec.answer

    @property
    def partial(self) -> bool:
        return self.codec.partial

    @property
    def has_places(self) -> bool:
        return self.codec.has_places

    @property
    def about_places(self) -> bool:
        return self.codec.about_places

    @property
    def names(self) -> tuple[Any, ...]:
        return self.codec.names

    @property
    def encoded(self) -> str:
        return _before(self.codec.encoded, self.axis)

    @property
    def decoded(self) -> str:
        return _before(self.codec.decoded, self.axis)

    @property
    def fitted(self) -> bool:
        return self.codec.fitted

    def encode(self, raw: Any) -> Tensor:
        levels, items = self._flat(raw)
        _check_even(levels)
        encoded = self._encoded([""], [levels], [items])
        if isinstance(encoded, Ragged):
            raise DataError(
                what="the positions have different lengths: one tensor cannot hold them",
                got=repr(encoded),
                mend="encode_all([…]), which gives a Ragged",
            )
        return encoded.reshape(*(counts[0] for counts in levels), *encoded.shape[1:])

    def encode_all(self, raws: Sequence[Any]) -> Tensor | Ragged:
        if not len(raws):
            raise DataError(what="there are no examples")
        if is_array(raws) and self.takes(raws[0]):
            try:
                return self.encode(raws)  # the batch is one more level of nesting, and all lengths are equal
            except DataError:
                pass  # try again row by row, to name the row
        nested: list[list[list[int]]] = []
        blocks: list[Sequence[Any]] = []
        for row, (levels, items) in enumerate(by_row(raws, self._flat)):
            _check_depth(row, levels, nested)
            nested.append(levels)
            blocks.append(items)
        encoded = self._encoded([f"row {row}, " for row in range(len(raws))], nested, blocks)
        levels = [list(itertools.chain(*counts)) for counts in zip(*nested, strict=True)]
        lengths = tuple(torch.tensor(counts, dtype=torch.int64, device="cpu") for counts in levels)
        if isinstance(encoded, Ragged):
            return Ragged(encoded.values, (*lengths, *encoded.lengths)).compact()
        return Ragged(encoded, lengths).compact()

    def prepare(self, stored: Tensor) -> Tensor:
        return self.codec.prepare(stored)

    def decode(self, output: Any, reading: Reading = DECISION) -> Any:
        if isinstance(output, list):  # the elements of an axis differ in length
            return [self.decode(part, reading.at(i)) for i, part in enumerate(cast(list[Any], output))]
        return super().decode(output, reading)

    def read(self, output: Tensor, reading: Reading) -> Any:
        axes = len(port(self.codec.decoded).axes)
        shape = output.shape[: output.ndim - axes]
        items = output.reshape(-1, *output.shape[output.ndim - axes :])
        found = [self.codec.read(item, reading.at(position)) for position, item in enumerate(items)]
        for size in reversed(shape[1:]):
            found = [found[start : start + size] for start in range(0, len(found), size)]
        return found

    def place_of(self, raw: Any) -> Any:
        """The place of all items, if they lie alike, as the frames of a film do; else of each, in lists as in `raw`."""
        if self.codec.several(raw) is not None:  # a file, whose pictures are all of one size
            return self.codec.place_of(raw)
        levels, items = self._flat(raw)
        if is_array(items):
            return self.codec.place_of(items[0])
        places = [self.codec.place_of(item) for item in items]
        return places[0] if all(place == places[0] for place in places) else _nest(places, levels)

    def expect_place(self, raw: Any, place: Any) -> None:
        levels, items = self._flat(raw)
        for at, item in zip(_places(levels), items, strict=True):
            try:
                self.codec.expect_place(item, _at(place, at))
            except DataError as error:
                raise error.within(_position(at)) from None

    def on_input(self, answer: Any, place: Any) -> Any:
        if self.codec.takes(answer):
            return self.codec.on_input(answer, place)
        places = cast(list[Any], place) if isinstance(place, list) else [place] * len(answer)
        if len(places) != len(answer):  # the net gives other positions than it takes, and nothing says whose they are
            return answer
        return [self.on_input(one, at) for one, at in zip(answer, places, strict=True)]

    def moved(self, prepared: Tensor, moves: Any) -> Tensor:
        if not self.about_places:
            return prepared
        run = prepared.ndim - len(port(self.codec.encoded).axes)  # the axes before those of the codec, with the batch
        flat = prepared.flatten(1, run - 1)  # (b, *each, …) -> (b, n, …)
        made = torch.stack([self.codec.moved(flat[:, place], moves) for place in range(flat.shape[1])], 1)
        return made.reshape(*prepared.shape[:run], *made.shape[2:])  # (b, n, …) -> (b, *each, …)

    def takes(self, raw: Any) -> bool:
        if self.codec.several(raw) is not None:
            return True
        return not self.codec.takes(raw) and (isinstance(raw, list | tuple) or is_array(raw))

    def fit(self, raws: Sequence[Any]) -> Self:
        if self.fitted:
            return self
        if is_array(raws) and len(raws) and self.takes(raws[0]):
            return replace(self, codec=self.codec.fit(self._flat_array([], raws)[1]))  # a view of the array
        return replace(self, codec=self.codec.fit(_Items(raws, self._flat_piece)))

    def _flat_piece(self, raws: Sequence[Any], first: int) -> Sequence[Any]:
        """The raw values of the codec in a piece of a column, whose first row has this number."""
        if is_array(raws) and self.takes(raws[0]):
            return self._flat_array([], raws)[1]
        return _joined([items for _, items in by_row(raws, self._flat, first)])

    def for_classes(self, count: int) -> Codec | None:
        codec = self.codec.for_classes(count)
        return None if codec is None else Each(codec, self.axis)

    def _flat(self, raw: Any) -> tuple[list[list[int]], Sequence[Any]]:
        """The number of items of every list, level by level, and all raw values of the codec in one flat list."""
        if not self.takes(raw):
            raise DataError(
                what=f"Each({type(self.codec).__name__}) takes a list, tuple or array, of one thing or more",
                got=described(raw),
                mend="[…] around it, if it is the only one",
            )
        levels: list[list[int]] = []
        if (film := self.codec.several(raw)) is not None:
            frames = list(film)
            return [[len(frames)]], frames
        items: Any = [raw]
        while not self.codec.takes(items[0]):
            if is_array(items[0]) and len(items) == 1:
                return self._flat_array(levels, items[0])
            counts = _counts(levels, items)
            levels, items = [*levels, counts], [part for item in items for part in item]
        self._check_axis(levels)
        return levels, items

    def _flat_array(self, levels: list[list[int]], array: Any) -> tuple[list[list[int]], Sequence[Any]]:
        axes, item = 0, array
        while not self.codec.takes(item):
            if not len(item):
                raise _empty(())
            axes, item = axes + 1, item[0]
        inner = [[size] * math.prod(array.shape[:axis]) for axis, size in enumerate(array.shape[:axes])]
        self._check_axis([*levels, *inner])
        return [*levels, *inner], array.reshape(-1, *array.shape[axes:])

    def _check_axis(self, levels: list[list[int]]) -> None:
        """Raise an error for another nesting than one list, where the axis has a name."""
        if self.axis and len(levels) != 1:
            raise DataError(
                what=f"the axis {self.axis!r} is one list, and this is nested {len(levels)} deep",
                expected=f"a list, tuple or array of what {type(self.codec).__name__} takes",
                mend="leave the name of the axis out, for any nesting",
            )

    def _encoded(self, rows: list[str], nested: list[list[list[int]]], blocks: list[Sequence[Any]]) -> Tensor | Ragged:
        """All raw values of the examples, one after the other; an error names the position in the nesting."""
        try:
            return self.codec.encode_all(_joined(blocks))
        except DataError:
            for row, levels, items in zip(rows, nested, blocks, strict=True):
                self._check_items(row, levels, items)
            raise

    def _check_items(self, row: str, levels: list[list[int]], items: Sequence[Any]) -> None:
        """Raises the codec's error with the position in the nesting."""
        for place, item in zip(_places(levels), items, strict=True):
            try:
                self.codec.encode(item)
            except DataError as error:
                raise error.within(row + _position(place)) from None


class _Items(Sequence[Any]):
    """The items of all rows of a column, one after the other; a piece of the column is in memory at a time."""

    def __init__(self, raws: Sequence[Any], flat: Callable[[Sequence[Any], int], Sequence[Any]]) -> None:
        self._raws, self._flat = raws, flat
        self._rows: list[tuple[int, int]] = []  # of each piece
        self._ends = [0]  # how many items there are up to each piece
        self._number, self._items = -1, cast(Sequence[Any], ())  # the piece that was read last
        for first, piece in pieces(raws):
            self._rows.append((first, first + len(piece)))
            self._items = flat(piece, first) if len(piece) else ()
            self._number += 1
            self._ends.append(self._ends[-1] + len(self._items))

    def __len__(self) -> int:
        return self._ends[-1]

    def __iter__(self) -> Iterator[Any]:
        for number in range(len(self._rows)):
            yield from self._piece(number)

    def __getitem__(self, index: Any) -> Any:
        if not isinstance(index, slice):
            return self[index : index + 1][0]
        start, stop, _ = index.indices(len(self))
        found: list[Sequence[Any]] = []
        for number in range(bisect.bisect_right(self._ends, start) - 1, len(self._rows)):
            before = self._ends[number]
            if before >= stop:
                break
            found.append(self._piece(number)[max(start - before, 0) : stop - before])
        return _joined(found) if found else []

    def _piece(self, number: int) -> Sequence[Any]:
        if number != self._number:
            first, stop = self._rows[number]
            self._number, self._items = number, self._flat(self._raws[first:stop], first)
        return self._items


def _nest(items: list[Any], levels: list[list[int]]) -> list[Any]:
    """The items in lists of lists, whose lengths are given level by level."""
    for counts in reversed(levels[1:]):
        items = [items[end - count : end] for count, end in zip(counts, itertools.accumulate(counts), strict=True)]
    return items


def _at(nested: Any, place: tuple[int, ...]) -> Any:
    """The item at a place of lists of lists; what is no list stands at every place, and None where there is none."""
    for number in place:
        if isinstance(nested, list):
            nested = cast(list[Any], nested)[number] if number < len(cast(list[Any], nested)) else None
    return nested


def _before(sizes: str, axis: str) -> str:
    return axis or RUN if sizes == "()" else f"{axis or RUN} {sizes}"


def _nested(item: Any) -> bool:
    return isinstance(item, list | tuple) or (is_array(item) and item.ndim > 0)


def _counts(levels: list[list[int]], items: list[Any]) -> list[int]:
    """The number of items in each of these lists: one level of nesting less."""
    counts: list[int] = []
    for number, item in enumerate(items):
        if not _nested(item) or not _nested(items[0]):
            place = next(itertools.islice(_places(levels), number, None))
            expected = "a list, as the first" if number else "a list"
            raise DataError(
                what="the lists are not nested evenly",
                where=_position(place),
                expected=expected,
                got=described(item),
            )
        if not len(item):
            raise _empty(next(itertools.islice(_places(levels), number, None)))
        counts.append(len(item))
    return counts


def _check_even(levels: list[list[int]]) -> None:
    """Raise an error if one tensor cannot hold the nesting."""
    for level, counts in enumerate(levels):
        for place, count in zip(_places(levels[:level]), counts, strict=True):
            if count != counts[0]:
                raise DataError(
                    what="the lists are not nested evenly",
                    where=_position(place),
                    expected=f"{counts[0]} items, as in the first",
                    got=f"{count} items",
                    mend="encode_all([…]), which gives a Ragged",
                )


def _check_depth(row: int, levels: list[list[int]], nested: list[list[list[int]]]) -> None:
    if nested and len(levels) != len(nested[0]):
        raise DataError(
            what="this example is nested to another depth than the first one",
            where=f"row {row}",
            expected=f"{len(nested[0])} deep",
            got=f"{len(levels)} deep",
        )


def _joined(blocks: list[Sequence[Any]]) -> Sequence[Any]:
    """The items of all blocks; blocks that are arrays of equal shapes stay one array, which codecs read faster."""
    if len(blocks) == 1:
        return blocks[0]
    if is_array(blocks[0]):
        kinds = {(type(block), getattr(block, "dtype", None), np.shape(block)[1:]) for block in blocks}
        if len(kinds) == 1:
            arrays: Any = blocks
            return cast(Any, torch.cat(arrays) if isinstance(blocks[0], Tensor) else np.concatenate(arrays))
    return [item for block in blocks for item in block]


def _places(levels: list[list[int]]) -> Iterator[tuple[int, ...]]:
    """The position of every item of the last level in the nesting."""
    places: list[tuple[int, ...]] = [()]
    for counts in levels:
        places = [(*place, number) for place, count in zip(places, counts, strict=True) for number in range(count)]
    return iter(places)


def _position(place: tuple[int, ...]) -> str:
    return f"position {place[0] if len(place) == 1 else place}" if place else ""


def _empty(place: tuple[int, ...]) -> DataError:
    return DataError(what="an empty list has no positions", where=_position(place))
