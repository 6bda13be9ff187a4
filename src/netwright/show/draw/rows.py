"""Breaks a chain of layers into rows, as a line breaker breaks words: rows of like length, cut where few edges pass.

All breaks are chosen together, so that the last row is no lone box, and no row is left half empty that could be fuller.

Source: Knuth and Plass 1981, "Breaking paragraphs into lines"
"""

import math
from collections.abc import Sequence
from collections.abc import Set as AbstractSet

from netwright.show.draw.items import TRACK, TURN
from netwright.value import Value

CUT = 0.5  # the cost of one more edge that goes round the end of a row; a row that is empty costs 1
HALF_EMPTY, LONE = 10.0, 3.0  # the costs of a row that could be fuller, and of a last row of one layer


class RowParts(Value):
    """What the breaker knows of each layer: its length, the gap after it, and how many values pass that gap."""

    lengths: Sequence[float]
    gaps: Sequence[float]
    cuts: Sequence[int]
    glued: AbstractSet[int]  # layers after which no row ends


def turn(cut: int) -> float:
    """How far edges reach that turn beside a row."""
    return TURN + TRACK * max(1, cut)


def broken(chain: RowParts, length: float) -> list[tuple[int, int]]:
    """The first layer of each row and the one after its last."""
    n = len(chain.lengths)
    best: list[tuple[float, int]] = [(0.0, 0)]  # for each number of layers: the cost, and where the last row begins
    for end in range(1, n + 1):
        costs: list[tuple[float, int]] = []
        for start in range(end - 1, -1, -1) if end - 1 not in chain.glued else ():
            fits = _used(chain, start, end) <= _room(chain, start, end, length)
            if not fits and any(i not in chain.glued for i in range(start, end - 1)):
                break
            costs.append((best[start][0] + _cost(chain, start, end, length), start))
        best.append(min(costs, default=(math.inf, 0)))
    rows: list[tuple[int, int]] = []
    end = n
    while end > 0:
        start = best[end][1]
        rows.append((start, end))
        end = start
    return rows[::-1]


def _used(chain: RowParts, start: int, end: int) -> float:
    return sum(chain.lengths[start:end]) + sum(chain.gaps[start : end - 1])


def _room(chain: RowParts, start: int, end: int, length: float) -> float:
    left = turn(chain.cuts[start - 1]) if start else 0.0
    return length - left - (turn(chain.cuts[end - 1]) if end < len(chain.lengths) else 0.0)


def _cost(chain: RowParts, start: int, end: int, length: float) -> float:
    used, room, n = _used(chain, start, end), _room(chain, start, end, length), len(chain.lengths)
    cost = max(0.0, 1 - used / room) ** 2 + (1.0 if used > room else 0.0)
    if end == n:
        return cost / 2 + (LONE if start and sum(size > 0 for size in chain.lengths[start:end]) == 1 else 0.0)
    fuller = _used(chain, start, end + 1) <= _room(chain, start, end + 1, length)
    return cost + CUT * (chain.cuts[end - 1] - 1) + (HALF_EMPTY if used < room / 2 and fuller else 0.0)
