"""A share of the time of a run, so that what is written along the way does not slow the run down."""

import time
from collections.abc import Callable, Generator

from netwright.around import around


class TimeShare:
    """Lets one kind of writing take at most a share of the time.

    After each writing it waits so long that the writing was that share of the time since.

    Fields:
        share: of the time.
        free: seconds of writing that wait for nothing, so that a short run keeps something too.
        clock: seconds, ascending.
    """

    def __init__(self, share: float, free: float = 0.0, clock: Callable[[], float] = time.perf_counter) -> None:
        self.share, self.free, self.clock = share, free, clock
        self.written, self.cost, self.spent = clock(), 0.0, 0.0

    @property
    def due(self) -> bool:
        """Whether it is time to write again; at first it is."""
        wait = 0.0 if self.spent + self.cost <= self.free else self.cost / self.share
        return self.clock() - self.written >= wait

    @around
    def measured(self) -> Generator[None]:
        """Measure what a writing costs."""
        start = self.clock()
        try:
            yield
        finally:
            self.written = self.clock()
            self.cost = self.written - start
            self.spent += self.cost
