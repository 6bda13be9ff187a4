"""A fixed piece of plain Python, by which goals in milliseconds follow the speed of a machine."""

import gc
import statistics
import time
from dataclasses import dataclass

GOALS_MS = 19.4
"""The yardstick on the machine for which the goals were set. It was not measured there, but follows: a chain of 1,000
parts took 102 ms there to build and 356 ms to edit at commit fde8c85, and 407 ms and 1,456 ms beside a yardstick of
78.3 ms."""


class _Record:
    """What the yardstick makes: most of the time of a verb goes into small objects."""

    def __init__(self, name: str, sizes: tuple[int, int], names: dict[str, int]) -> None:
        self.name, self.sizes, self.names = name, sizes, names


@dataclass(frozen=True)
class Yardstick:
    """Milliseconds of the yardstick in rounds between which something else was measured."""

    rounds: tuple[float, ...]

    @property
    def median(self) -> float:
        """Milliseconds of the median round."""
        return statistics.median(self.rounds)

    @property
    def slower(self) -> float:
        """How many times longer this machine takes for it than the one for which the goals were set."""
        return self.median / GOALS_MS

    def __str__(self) -> str:
        return (
            f"The yardstick, a piece of plain Python, took {self.median:.1f} ms ({min(self.rounds):.1f}-"
            f"{max(self.rounds):.1f}).\nGoals in units of time were set for a machine on which it takes {GOALS_MS} ms; "
            f"here they are {self.slower:.2f} times as long."
        )


def yardstick(rounds: int) -> Yardstick:
    """Measure it: texts, objects, tables and loops, of which the verbs of a net consist."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        return Yardstick(tuple(_round() for _ in range(rounds)))
    finally:
        if collecting:
            gc.enable()


def _round() -> float:
    start = time.process_time()
    seen: dict[str, _Record] = {}
    total = 0
    for number in range(30_000):
        record = _Record(f"part{number}", (number, number + 1), {"in": number})
        seen[record.name] = record
        total += sum(size for size in record.sizes if isinstance(size, int)) + len(record.name)
    return 1000 * (time.process_time() - start)
