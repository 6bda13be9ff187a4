"""A codec for every position of a sequence, a grid or any other nesting."""

import itertools
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Self

from torch import Tensor

from netwright.codecs.codec import Codec, at_place
from netwright.codecs.numeric import described, is_array
from netwright.codecs.reading import Reading
from netwright.errors import DataError, NetError
from netwright.sizes.notation import port

RUN = "*each"  # the name of the axes before those of the codec


class Each(Codec):
    """A codec applied at every position: a class for every pixel, a number for every step.

    Raw things come as lists, tuples or arrays of one length at each depth, nested as deep as the net's axes before
    the codec's; decoding gives nested lists.

    Shapes:
        `encode` gives `*each` before what the codec gives; `decode` takes `*each` before what the codec takes.

    Fields:
        codec: the codec of one position; what it learns, it learns from all positions of the training data.

    Raises:
        NetError: `Each` of `Each`, which is the same as one.
        DataError: rows of different lengths, nothing at all, or what the codec refuses, with its position.

    Example:
        >>> from netwright.codecs.category import Category
        >>> Each(Category(range(10))).encode([[1, 2, 3], [4, 5, 6]])
        tensor([[1, 2, 3],
                [4, 5, 6]])
    """

    codec: Codec

    def __post_init__(self) -> None:
        if isinstance(self.codec, Each):
            raise NetError(what="Each of Each is Each: it takes any depth", got=repr(self), mend=repr(self.codec))

    @property
    def encoded(self) -> str:
        return _before(self.codec.encoded)

    @property
    def decoded(self) -> str:
        return _before(self.codec.decoded)

    @property
    def fitted(self) -> bool:
        return self.codec.fitted

    def encode(self, raw: Any) -> Tensor:
        shape, items = self._flat(raw)
        try:
            encoded = self.codec.encode_all(items)
        except DataError:
            self._check_items(shape, items)
            raise
        return encoded.reshape(*shape, *encoded.shape[1:])

    def prepare(self, stored: Tensor) -> Tensor:
        return self.codec.prepare(stored)

    def read(self, output: Tensor, reading: Reading) -> Any:
        axes = len(port(self.codec.decoded).axes)
        shape = output.shape[: output.ndim - axes]
        items = output.reshape(-1, *output.shape[output.ndim - axes :])
        found = [self.codec.read(item, reading.at(position)) for position, item in enumerate(items)]
        for size in reversed(shape[1:]):
            found = [found[start : start + size] for start in range(0, len(found), size)]
        return found

    def takes(self, raw: Any) -> bool:
        return not self.codec.takes(raw) and (isinstance(raw, list | tuple) or is_array(raw))

    def fit(self, raws: Sequence[Any]) -> Self:
        if self.fitted:
            return self
        items: list[Any] = []
        for row, raw in enumerate(raws):
            try:
                items.extend(self._flat(raw)[1])
            except DataError as error:
                raise at_place(error, f"row {row}") from None
        return replace(self, codec=self.codec.fit(items))

    def _flat(self, raw: Any) -> tuple[tuple[int, ...], Sequence[Any]]:
        """The sizes of the axes before those of the codec, and all its raw things in one row."""
        if not self.takes(raw):
            raise DataError(
                what=f"Each({type(self.codec).__name__}) takes a list, tuple or array, of one thing or more",
                got=described(raw),
                mend="[…] around it, if it is the only one",
            )
        shape: tuple[int, ...] = ()
        items: Any = [raw]
        while not self.codec.takes(items[0]):
            if is_array(items[0]) and len(items) == 1:
                return self._flat_array(shape, items[0])
            shape, items = self._deeper(shape, items)
        return shape, items

    def _flat_array(self, shape: tuple[int, ...], array: Any) -> tuple[tuple[int, ...], Sequence[Any]]:
        axes, item = 0, array
        while not self.codec.takes(item):
            if not len(item):
                raise _empty(())
            axes, item = axes + 1, item[0]
        return (*shape, *array.shape[:axes]), array.reshape(-1, *array.shape[axes:])

    def _deeper(self, shape: tuple[int, ...], items: list[Any]) -> tuple[tuple[int, ...], list[Any]]:
        """One level of nesting less."""
        first = len(items[0]) if _nested(items[0]) else -1
        for place, item in zip(_places(shape), items, strict=True):
            if first < 0 or not _nested(item) or len(item) != first:
                raise DataError(
                    what="the lists are not nested evenly",
                    where=_position(place),
                    expected="a list" if first < 0 else f"{first} items, as in the first",
                    got=f"{len(item)} items" if _nested(item) else described(item),
                )
            if not first:
                raise _empty(place)
        return (*shape, first), [part for item in items for part in item]

    def _check_items(self, shape: tuple[int, ...], items: Sequence[Any]) -> None:
        """Raises the codec's error with the position in the nesting."""
        for place, item in zip(_places(shape), items, strict=True):
            try:
                self.codec.encode(item)
            except DataError as error:
                raise at_place(error, _position(place)) from None


def _before(sizes: str) -> str:
    return RUN if sizes == "()" else f"{RUN} {sizes}"


def _nested(item: Any) -> bool:
    return isinstance(item, list | tuple) or (is_array(item) and item.ndim > 0)


def _places(shape: tuple[int, ...]) -> "itertools.product[tuple[int, ...]]":
    return itertools.product(*map(range, shape))


def _position(place: tuple[int, ...]) -> str:
    return f"position {place[0] if len(place) == 1 else place}" if place else ""


def _empty(place: tuple[int, ...]) -> DataError:
    return DataError(what="an empty list has no positions", where=_position(place))
