"""Keeps a run fast if its threads cannot all run at once: compares one thread with all, and watches the step times.

If two threads of a parallel operation run on one processor, each waits for the other for whole time slices, and a step
takes ten to eighty times as long. One thread alone never waits. No other choice of a run depends on a clock.
"""

import time
from collections import deque
from collections.abc import Callable, Generator, Iterable

import torch

from netwright.around import around

ROUNDS = 3  # each number of threads has so many turns: the machine may be busy during one, and threads warm up slowly
TRIES = 5  # steps timed in a turn
LONG = 1.0  # seconds of steps with a number of threads after which no further one is timed: long steps need few
GAIN = 1.05  # how much faster all threads must be than one: less may be noise, and one thread cannot slow down later
WINDOW = 10  # steps whose median is the pace
SLOW = 5.0  # if steps become so many times slower than the best so far, the run continues with one thread


@around
def using(threads: int) -> Generator[None]:
    """Compute on so many threads; afterwards on as many as before."""
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def fastest_thread_count(step: Callable[[], object], clock: Callable[[], float] = time.perf_counter) -> int:
    """The faster number of threads for this step, all or one; the step is repeated and must not change anything."""
    most = torch.get_num_threads()
    seconds: dict[int, list[float]] = {1: [], most: []}
    for count in seconds:
        with using(count):
            step()  # the first one compiles and allocates
    for count in [*seconds] * ROUNDS:
        with using(count):
            _time(step, clock, seconds[count])
    return most if upper_median(seconds[1]) > GAIN * upper_median(seconds[most]) else 1


def _time(step: Callable[[], object], clock: Callable[[], float], seconds: list[float]) -> None:
    """Append the times of a few steps; of none where enough is known."""
    for _ in range(TRIES):
        if sum(seconds) >= LONG:
            return
        start = clock()
        step()
        seconds.append(clock() - start)


class Pace:
    """Watches the time that steps take for each position in them."""

    def __init__(self) -> None:
        self._last: deque[float] = deque(maxlen=WINDOW)
        self._best = float("inf")

    def is_slow(self, seconds: float) -> bool:
        """Whether steps have become much slower; `seconds` is the time of the last step for each of its positions."""
        self._last.append(seconds)
        if len(self._last) < WINDOW:
            return False
        median = upper_median(self._last)
        self._best = min(self._best, median)
        return median > SLOW * self._best


def upper_median(values: Iterable[float]) -> float:
    """The median; of an even number the upper one."""
    ordered = sorted(values)
    return ordered[len(ordered) // 2]
