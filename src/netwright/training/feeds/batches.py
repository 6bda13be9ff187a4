"""The interface through which a run gets its examples, whatever they come from: epochs of prepared batches."""

from abc import ABC, abstractmethod
from collections.abc import Generator, Iterator, Mapping
from typing import Any

import torch

from netwright.codecs.codec import Codec
from netwright.net.run.lengths import Stored
from netwright.training.batch import Batch
from netwright.training.events import Status


class Batches(ABC):
    """The examples of a run, or those that validate it, as batches that a net takes.

    The same seed gives the same batches in every run, so that a run can go on from any of them.

    Fields:
        codecs: which encode the examples, by port.
        device: where the batches are.
        typical: the mean of each length by its name, as far as it is known.
    """

    codecs: Mapping[str, Codec]
    device: torch.device
    typical: Mapping[str, int]

    @abstractmethod
    def __len__(self) -> int:
        """How many examples an epoch has."""

    @property
    @abstractmethod
    def raw(self) -> bool:
        """Whether batches are read or encoded one by one, so that it saves time to do so ahead."""

    @abstractmethod
    def epoch(self, number: int, size: int, seed: int, least: int = 1, skip: int = 0) -> Generator[Batch]:
        """The batches of an epoch, from 1 on, in its order; ports that vary are stored as encoded, for the step.

        Args:
            number: of the epoch; epochs are asked for in ascending order, and begin where the one before ended.
            size: examples in a batch.
            seed: of the order.
            least: the last batch may be short, but not below this.
            skip: batches that are done already.
        """

    def trial(self, size: int, seed: int, least: int = 1) -> Generator[Batch]:
        """Batches to try something with, without end; the epochs stay as they are. The arguments are those of `epoch`.

        They are those of the first epoch again and again, so this is for the time before it has begun.
        """
        while True:
            yield from self.epoch(1, size, seed, least)

    @abstractmethod
    def first(self, count: int) -> Batch:
        """So many examples, or all, to try something with; the epochs stay as they are."""

    @abstractmethod
    def every(self, size: int) -> Iterator[Batch]:
        """Each example once, in batches that are padded little: the shortest first, where lengths are known."""

    @property
    @abstractmethod
    def stored(self) -> Mapping[str, Stored]:
        """The columns in memory that are the same in every epoch, by port."""

    def digests(self) -> Mapping[str, str]:
        """Texts that change when examples do that are not in memory, by port; none for what may be drawn anew."""
        return {}

    @abstractmethod
    def composition(self, size: int, seed: int) -> tuple[str, str] | None:
        """How batches are composed, and why, where examples differ in length; else None."""

    def read_on(self) -> bool:
        """Read a little of what comes after the last batch, to use spare time; False where nothing is to read."""
        return False

    def state(self) -> Mapping[str, Any]:
        """The place in the data after the last batch that was given, as JSON holds it; empty where `skip` says all."""
        return {}

    def restore(self, state: Mapping[str, Any]) -> None:  # noqa: B027 - a place that `skip` says needs nothing
        """Go on at the place that `state` gave."""

    def heard_by(self, status: Status, waits: bool = False) -> None:  # noqa: B027 - data in memory has nothing to say
        """Say there, as choices, what happens to the data in the run.

        A run that is stopping does not wait for its data, unless `waits` says so.
        """
