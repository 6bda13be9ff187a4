"""Finds examples that validate although nearly the same example trains: their loss says nothing about new examples."""

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from netwright.data.nearly_equal import MIX, Keys, Plain, Texts, comparison
from netwright.data.sources import Source
from netwright.value import Value

MOST = 1 << 25  # numbers that are read of all examples of a part; where there are more, some examples are looked at
COMPARED = 100_000  # pairs with equal keys that are compared, at most
TELLING = 64  # bits; examples that say less, such as rows of a few small numbers, are often equal by chance
REPEATED = 10  # times; where each training example comes so often in the mean, the data has few different ones
MOVES = [(0, 0), *((y, x) for y in (-1, 0, 1) for x in (-1, 0, 1) if (y, x) != (0, 0))]


class Duplicates(Value):
    """The examples that validate and train.

    Fields:
        pairs: the index of an example that validates, and of the first one that trains and is nearly equal.
        texts, pictures: whether there were texts or pictures, which may differ a little.
        trained, validated: how many examples of each part were looked at.
    """

    pairs: tuple[tuple[int, int], ...]
    texts: bool
    pictures: bool
    trained: int
    validated: int


def duplicates(training: Source, held_out: Source, ports: Iterable[str]) -> Duplicates | None:
    """The examples of `held_out` that are nearly equal to one of `training` in each of these ports.

    Two texts of several words are nearly equal if they differ in case, spacing and punctuation only; two pictures if
    one is the other, moved by at most one pixel. Other values have to be equal, a text of one word too: it may be the
    path of a file, and `1-2.png` is another file than `1_2.png`. A picture that is given as the path of a file is not
    read: its path is compared. The time is proportional to the number of examples, and bounded: of more than fit into
    the bound, some that are spread evenly are looked at.

    Returns: None where values are not in memory, or where equal examples are natural for the data.

    Example:
        >>> training = Source({"input": ["The cat sat on the mat.", "A dog barked at the moon."]})
        >>> held_out = Source({"input": ["Birds sing in the morning.", "the cat  sat on the mat"]})
        >>> duplicates(training, held_out, ["input"]).pairs
        ((1, 0),)
    """
    if training.again is not None:
        return None
    columns: list[Plain] = []
    for port in ports:
        column = comparison(training.columns[port], held_out.columns[port])
        if column is None:
            return None
        columns.append(column)
    pictures = any(column.moves for column in columns)
    moves, cost = MOVES if pictures else MOVES[:1], sum(column.cost for column in columns)
    rows, others = _spread(len(training), cost), _spread(len(held_out), cost * len(moves))
    keys = _joined([column.keys(column.training, rows, MOVES[0]) for column in columns])  # (rows,)
    if len(np.unique(keys)) * REPEATED < len(rows):
        return None
    moved = np.stack([_joined([column.keys(column.held_out, others, move) for column in columns]) for move in moves])
    found = _compared(columns, (keys, rows), (moved, others))
    texts = any(isinstance(column, Texts) for column in columns)
    return Duplicates(tuple(sorted(found.items())), texts, pictures, len(rows), len(others))


def _compared(
    columns: Sequence[Plain], trains: tuple[Keys, NDArray[np.int64]], validates: tuple[Keys, NDArray[np.int64]]
) -> dict[int, int]:
    """Those examples of equal keys that are nearly equal, and not so by chance."""
    (keys, rows), (moved, others) = trains, validates  # (rows,) and (moves, others)
    waiting: dict[int, list[tuple[int, int]]] = {}  # by key: examples that validate, and how they moved
    equal = np.isin(moved, keys)
    for place in np.flatnonzero(equal.any(0)).tolist():
        if sum(column.bits(int(others[place])) for column in columns) >= TELLING:
            for move in np.flatnonzero(equal[:, place]).tolist():
                waiting.setdefault(int(moved[move, place]), []).append((int(others[place]), move))
    found: dict[int, int] = {}
    compared = 0
    hits = np.flatnonzero(np.isin(keys, np.array([*waiting], dtype=np.uint64)))
    for key, row in zip(keys[hits].tolist(), rows[hits].tolist(), strict=True):
        open_ones = [(other, move) for other, move in waiting[key] if other not in found]
        for other, move in open_ones:
            if all(column.same(row, other, MOVES[move]) for column in columns):
                found[other] = row
        waiting[key], compared = open_ones, compared + len(open_ones)
        if compared > COMPARED:
            break
    return found


def _spread(n: int, cost: int) -> NDArray[np.int64]:
    """The examples that are looked at: all, or as many as the bound allows."""
    most = max(MOST // cost, 1)
    return np.arange(n) if n <= most else np.linspace(0, n - 1, most).astype(np.int64)


def _joined(keys: Sequence[Keys]) -> Keys:
    """One key for the values of several ports."""
    found = keys[0]
    for more in keys[1:]:
        found = found * MIX + more
    return found
