"""A stream that is not kept: its examples are read and shuffled block by block, and encoded batch by batch."""

from collections.abc import Generator, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from typing import Any

import torch

from netwright.codecs.pieces import bytes_of
from netwright.data.blocks import BYTES, MOST, Example, Shuffled, a_pass
from netwright.data.columns import stacked_arrays
from netwright.data.order import batch_sizes
from netwright.data.sources import Blocks, Source
from netwright.net.part import Net
from netwright.net.run.lengths import Stored
from netwright.training.batch import Batch
from netwright.training.events import Choice, Status
from netwright.training.feeds.batches import Batches
from netwright.training.feeds.feed import Feed, feed

FEW = 512  # examples that are kept to try something with, at most
FEW_BYTES = 8 << 20  # of raw values of these


class Streamed(Batches):
    """The batches of a stream in epochs of equal length. A pass that is longer goes on in the next epoch.

    Fields:
        blocks: the stream; its columns for learning are not kept.
        few: some examples from its beginning.
        count: the examples of an epoch; 0 where that is not known, as of a stream that validates.
    """

    def __init__(self, blocks: Blocks, few: Feed, count: int) -> None:
        self.blocks, self.few, self.count = replace(blocks, columns={}), few, count
        self.codecs, self.device, self.typical = few.codecs, few.device, few.typical
        self._shuffled: Shuffled | None = None
        self._place: Mapping[str, Any] = {}
        self._status: Status | None = None
        self._goes_on = False  # whether another epoch follows

    def __len__(self) -> int:
        return self.count

    @property
    def raw(self) -> bool:
        return True

    def epoch(self, number: int, size: int, seed: int, least: int = 1, skip: int = 0) -> Generator[Batch]:
        self._goes_on = self._status is not None and number < self._status.epochs
        if self._shuffled is None:
            self._shuffled = Shuffled(self.blocks, seed, self._place)
            self.blocks = replace(self.blocks, first=None)  # it is trained on, and then freed
        for wanted in batch_sizes(len(self), size, least)[skip:]:
            batch = self._batch(*self._shuffled.take(wanted), to_vary=True)
            self._place = self._shuffled.state
            self._say_what_ended_early(self._shuffled)
            yield batch

    def trial(self, size: int, seed: int, least: int = 1) -> Generator[Batch]:
        return self.few.trial(size, seed, least)

    def read_on(self) -> bool:
        return self._shuffled is not None and self._shuffled.read_on(passes=self._goes_on)

    def first(self, count: int) -> Batch:
        return self.few.first(count)

    def every(self, size: int) -> Generator[Batch]:
        examples = a_pass(self.blocks)
        while taken := list(islice(examples, size)):
            yield self._batch([number for number, _ in taken], [row for _, row in taken])

    @property
    def stored(self) -> Mapping[str, Stored]:
        return {}

    def composition(self, size: int, seed: int) -> tuple[str, str] | None:
        if not self.typical:
            return None
        return "in random order", "the data is read in blocks, so its lengths are not known before"

    def state(self) -> Mapping[str, Any]:
        return dict(self._place)

    def restore(self, state: Mapping[str, Any]) -> None:
        self._place, self._shuffled = dict(state), None

    def heard_by(self, status: Status, waits: bool = False) -> None:
        self._status = status

    def _batch(self, numbers: Sequence[int], rows: Sequence[Example], to_vary: bool = False) -> Batch:
        """These examples, encoded; an error names them by their numbers in the pass."""
        columns = {port: stacked_arrays([row[port] for row in rows]) for port in rows[0]}
        named = torch.tensor(numbers, dtype=torch.int64, device="cpu")
        source = self.blocks.form(Source(columns, rows=named, name=self.few.source.name))
        none = frozenset[str]()
        read = replace(self.few, source=source, columns=source.columns, encoded=none, prepared=none)
        return read.batch(torch.arange(len(rows), device="cpu"), to_vary=to_vary)

    def _say_what_ended_early(self, shuffled: Shuffled) -> None:
        """Say once, as a choice, that a pass had fewer examples than the data said."""
        expected, ended = self.blocks.stream.length, shuffled.ended
        shuffled.ended = []
        for number, examples in ended:
            known = self._status is None or any(choice.name == "data" for choice in self._status.choices)
            if expected is not None and examples < expected and self._status is not None and not known:
                why = f"its length says {expected:,}; the next pass was opened to fill the epoch"
                self._status.choices += (Choice("data", f"pass {number} ended after {examples:,} examples", why),)


def streamed(source: Source, blocks: Blocks, net: Net, device: torch.device, prefix: str) -> Streamed:
    """The batches of a stream of which a source has the first block."""
    size, count = 0, 0
    while count < min(len(source), FEW) and size < FEW_BYTES:
        size, count = size + sum(bytes_of(column[count]) for column in source.columns.values()), count + 1
    few = feed(source.take(torch.arange(count, device="cpu")), net, device, prefix)
    return Streamed(blocks, few, blocks.examples or 0)


def with_steps(batches: Batches, steps: int | None, size: int) -> Batches:
    """The same batches, of a stream with so many of this size in an epoch; None leaves the epochs as they are."""
    if steps is None or not isinstance(batches, Streamed):
        return batches
    return Streamed(batches.blocks, batches.few, steps * size)


def order_of_blocks() -> tuple[str, str]:
    """How the examples of a stream are shuffled, and why."""
    value = f"shuffled within blocks of {MOST:,} examples; a block ends earlier where it reaches {BYTES >> 20} MB"
    return value, "the stream is not kept in memory; keep=True keeps a pass and shuffles all of it"
