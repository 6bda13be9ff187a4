"""The processes of a run, as the rest of training sees them: one alone, which shares nothing and waits for none."""

from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

import torch
from torch import Tensor

from netwright.training.batch import Batch
from netwright.value import Value

T = TypeVar("T")
OverProcesses = Callable[[Tensor], Tensor]


class Part(Value, eq=False):
    """What one process computes of a batch.

    Fields:
        batch: its examples.
        share: of the whole batch; the gradients of all processes, times their shares, add up to that of the batch.
        over_processes: the sum of an array over all processes, with its derivative; None where the process has all
            examples.
    """

    batch: Batch
    share: float = 1.0
    over_processes: OverProcesses | None = None


class Group:
    """The processes that train together; this one is alone.

    Every process calls the methods in the same order, since each of them waits for the others.

    Fields:
        rank: which process this is, from 0; the first one speaks and writes.
        size: how many there are.
        on_machine: how many of them are on this machine.
    """

    rank, size, on_machine = 0, 1, 1

    @property
    def leads(self) -> bool:
        """Whether this process speaks and writes."""
        return self.rank == 0

    def placed(self, device: torch.device) -> torch.device:
        """The device of this process: one of several where several processes are on a machine."""
        return device

    def part(self, batch: Batch) -> Part:
        """What this process computes of a batch."""
        return Part(batch)

    def add(self, *arrays: Tensor) -> None:
        """Make each array the sum of those of all processes, in place."""

    def whole(self, share: Tensor) -> Tensor:
        """The shares of all processes, one after the other; they are equally long."""
        return share

    def spread(self, arrays: Iterable[Tensor]) -> None:
        """Make each array that of the first process, in place."""

    def agreed(self, value: T) -> T:
        """The value of the first process; it is one that JSON holds."""
        return value

    def highest(self, number: int) -> int:
        """The highest of the numbers of all processes."""
        return number

    def gathered(self, value: T) -> Sequence[T]:
        """The values of all processes, by rank; each is one that JSON holds."""
        return [value]
