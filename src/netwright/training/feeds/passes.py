"""A stream that is kept in memory one pass at a time: each epoch has the examples of its own pass."""

import itertools
from collections.abc import Generator, Iterator, Mapping
from typing import Any

import torch

from netwright.codecs.codec import Codec
from netwright.codecs.pieces import bytes_of
from netwright.data.blocks import examples_of_items
from netwright.data.sources import Source
from netwright.data.streams import Stream
from netwright.errors import DataError
from netwright.machine import free_memory
from netwright.net.part import Net
from netwright.net.run.lengths import Stored
from netwright.training.batch import Batch
from netwright.training.feeds.batches import Batches
from netwright.training.feeds.feed import Feed, feed
from netwright.training.feeds.streamed import streamed


class Passes(Batches):
    """A pass over a stream as a feed, and in each further epoch the next pass.

    Fields: `feed` holds the pass with this `number`, from 1 on.
    """

    def __init__(self, feed: Feed) -> None:
        self.feed, self.number = feed, 1
        self.codecs, self.device, self.typical = feed.codecs, feed.device, feed.typical

    def __len__(self) -> int:
        return len(self.feed)

    @property
    def raw(self) -> bool:
        return self.feed.raw

    def epoch(self, number: int, size: int, seed: int, least: int = 1, skip: int = 0) -> Generator[Batch]:
        while self.number < number:
            again = self.feed.source.again
            assert again is not None
            self.feed, self.number = self.feed.opened(again()), self.number + 1
        yield from self.feed.epoch(number, size, seed, least, skip)

    def first(self, count: int) -> Batch:
        return self.feed.first(count)

    def every(self, size: int) -> Iterator[Batch]:
        return self.feed.every(size)

    @property
    def stored(self) -> Mapping[str, Stored]:
        return {}

    def composition(self, size: int, seed: int) -> tuple[str, str] | None:
        return self.feed.composition(size, seed)


def batches_of(source: Source, net: Net, device: torch.device, prefix: str = "") -> Batches:
    """The examples of a source as batches; the arguments are those of `feed`."""
    if source.blocks is not None:
        return streamed(source, source.blocks, net, device, prefix)
    made = feed(source, net, device, prefix)
    return made if source.again is None else Passes(made)


def collected(stream: Stream, codecs: Mapping[str, Codec | None]) -> Source:
    """One pass over a stream in memory, which opens the next ones; an epoch has as many examples as the first pass.

    Where a later pass is longer, the rest of it begins the epoch after; where it is shorter, the next one is opened.

    Raises: DataError for a pass that is larger than a quarter of the free memory.
    """
    first = _kept(_examples(stream, codecs))
    if stream.single:
        return Source(first, once="an iterator gives its examples once")
    count = len(next(iter(first.values())))
    endless = itertools.chain.from_iterable(_examples(stream, codecs) for _ in itertools.count())

    def again() -> Source:
        return Source(_kept(itertools.islice(endless, count)), again=again)

    return Source(first, again=again)


def _examples(stream: Stream, codecs: Mapping[str, Codec | None]) -> Iterator[dict[str, Any]]:
    """The examples of a pass, by port, one after the other."""
    return itertools.chain.from_iterable(examples_of_items(iter(stream), stream.batched, codecs))


def _kept(examples: Iterator[dict[str, Any]]) -> dict[str, list[Any]]:
    """Examples as columns, refused where they are larger than a quarter of what is free."""
    columns: dict[str, list[Any]] = {}
    room = free_memory(torch.device("cpu")) / 4
    for example in examples:
        for port, value in example.items():
            columns.setdefault(port, []).append(value)
            room -= bytes_of(value)
        if room < 0:
            raise DataError(
                what="the stream is larger than a quarter of the free memory",
                where=f"after {len(next(iter(columns.values()))):,} examples",
                mend="a torch Dataset with __len__ and __getitem__, or nw.image_folder: these are read as needed",
            )
    return columns
