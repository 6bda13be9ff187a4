"""Examples that come one after another, in unknown number, and may say how many they are and where they are."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from typing import Any, NamedTuple, TypeAlias, TypeGuard, cast

import numpy as np
import torch
from torch.utils.data import DataLoader, IterableDataset, RandomSampler

from netwright.data.reading import reading
from netwright.data.rows import RowPorts, row_kind, row_to_ports
from netwright.errors import DataError
from netwright.value import Value

Example: TypeAlias = dict[str, Any]  # raw values by port


class Stream(Value, eq=False):
    """Examples that come one after another, in unknown number.

    Iterating gives one dict by port for each item; each iteration is one pass over the data.

    Fields: `open` starts a pass; `ports` the names and which of them are inputs; `batched` says whether an item is a
    batch (True), one example (False), or, where the form of an item fits both, None, and the codecs decide;
    `single` whether it is an iterator, of which there is one pass; `length` how many examples a pass has by its own
    word, None where it does not say; `placed` the user's object where it can say its place, with `state_dict`, and
    begin the next pass at one, with `load_state_dict`; `shuffles` whether it says itself that passes differ in order.
    """

    open: Callable[[], Iterator[Any]]
    ports: RowPorts
    batched: bool | None
    single: bool = False
    length: int | None = None
    placed: Any = None
    shuffles: bool = False

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return self.items()

    def items(self, done: int = 0) -> Iterator[dict[str, Any]]:
        """The items of a pass, of which so many were read before."""
        number = done
        opened = self.open()
        while True:
            try:
                item = _item(opened, number)
            except StopIteration:
                break
            yield row_to_ports(item, self.ports, f"item {number}")
            number += 1
        if number == 0:
            raise no_data("a stream that ends at once")


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


class StreamBlock(NamedTuple):
    """Examples of a stream that are shuffled together, with their numbers in their pass.

    Fields: `place` is where the block begins, and `beyond` where the next one does; `end`, how many examples of the
    pass are before what follows the block.
    """

    place: Place
    numbers: list[int]
    rows: list[Example]
    end: int
    beyond: Place

    @property
    def last(self) -> bool:
        """Whether the pass ends with it."""
        return self.beyond.sweep > self.place.sweep


def stream_of(data: Any, ports: RowPorts) -> Stream:
    """Data that comes one after another, as a stream; its first item is read."""
    if isinstance(data, DataLoader):
        whole = data.batch_sampler is not None
        opened = (lambda: map(_bare, data)) if len(ports.all) == 1 else (lambda: iter(data))
        sampler = cast(Any, data.sampler)
        return Stream(opened, ports, whole, length=_length(data), shuffles=isinstance(sampler, RandomSampler))
    placed = data if callable(getattr(data, "state_dict", None)) and callable(data.load_state_dict) else None
    opened = _pass_over(data)
    try:
        first = _item(opened, 0)
    except StopIteration:
        raise no_data(row_kind(data)) from None
    batched = _batched(row_to_ports(first, ports, "item 0").values())
    if opened is data:
        return Stream(_once(first, opened), ports, batched, single=True)
    length = _length(data) if batched is False else None
    return Stream(lambda: _pass_over(data), ports, batched, length=length, placed=placed)


def _item(opened: Iterator[Any], number: int) -> Any:
    """The next item of a pass; an error of the user's own names it."""
    try:
        return reading("item", number, opened.__next__)
    except StopIteration:
        raise
    except Exception as error:
        with suppress(Exception):  # an error that is a frozen dataclass takes no note
            error.add_note(f"raised by the data at item {number}, counted from 0")
        raise


def _length(data: Any) -> int | None:
    """How many examples a pass has, where a loader or a data set says so."""
    try:
        if not isinstance(data, DataLoader):
            return len(data)
        loader = cast("DataLoader[Any]", data)
        if isinstance(loader.dataset, IterableDataset):
            return None if loader.drop_last else len(cast(Any, loader.dataset))
        if loader.batch_sampler is None or loader.batch_size is not None:  # else the batches are the user's own
            count, size = len(cast(Any, loader.sampler)), loader.batch_size or 1
            return count // size * size if loader.drop_last else count
    except (TypeError, NotImplementedError):
        pass
    return None


def _bare(item: Any) -> Any:
    """The value itself, which a loader of single tensors gives as a list of one."""
    return cast(Sequence[Any], item)[0] if isinstance(item, list | tuple) and len(item) == 1 else item


def _pass_over(data: Any) -> Iterator[Any]:
    made = data() if callable(data) else data
    if not isinstance(made, Iterable):
        raise not_data(f"a function that returns {row_kind(made)}" if callable(data) else row_kind(data))
    return iter(cast(Iterable[Any], made))


def _once(first: Any, rest: Iterator[Any]) -> Callable[[], Iterator[Any]]:
    """Opens an iterator that was already started, for its only pass."""
    unread = [first]

    def items() -> Iterator[Any]:
        if not unread:
            raise DataError(
                what="the generator has run out: it gives its examples once",
                where="data",
                mend=("give the function that makes it, without calling it", "list(…), if memory holds it"),
            )
        yield unread.pop()
        yield from rest

    return items


def _batched(values: Iterable[Any]) -> bool | None:
    """False if an item of this form is one example for certain; None if it may be a batch."""
    lengths: set[int] = set()
    for value in values:
        if not _has_axis(value):
            return False
        lengths.add(len(value))
    return None if len(lengths) == 1 else False


def _has_axis(value: Any) -> TypeGuard[Sequence[Any]]:
    if isinstance(value, np.ndarray | torch.Tensor):
        return value.ndim > 0
    return isinstance(value, list | tuple)


def not_data(got: str, mend: str = "") -> DataError:
    """The error for what is no form of data."""
    wanted = "columns (inputs, targets), a list of rows, a dict of named ports, a Dataset, or an iterable"
    return DataError(what="this is not data", where="data", expected=wanted, got=got, mend=mend)


def no_data(got: str) -> DataError:
    """The error for data without examples."""
    return DataError(what="there is no data", where="data", expected="at least one example", got=got)
