"""The median of each of several numbers, and how far the numbers are from it, from any amount of them in little memory.

What lies on one side of the median adds to the sum of distances as its mean does, so numbers that are close are put
together: only those that are put together around the median cost exactness.
"""

import numpy as np

HELD = 2**20  # numbers that are held at most, of all columns: 16 MB with their weights
FEWEST = 64  # rows that a column needs
MOST_COLUMNS = HELD // FEWEST


class Medians:
    """The medians of d columns of numbers, which are added row by row.

    They are exact until 2²⁰ numbers were added. From then on close numbers of a column are put together into half as
    many groups of about equal weight, each with its mean.

    Fields: `known` is whether there are medians: not of more than 16,384 columns, and not before the first row.

    Example:
        >>> seen = Medians(1)
        >>> seen.add(np.array([[1.0], [5.0], [2.0]]))
        >>> seen.median, seen.deviation
        (array([2.]), array([1.33333333]))
    """

    def __init__(self, columns: int) -> None:
        self.columns = columns
        self._most = HELD // max(columns, 1)  # rows
        self._parts: list[tuple[np.ndarray, np.ndarray]] = []  # values and weights, (rows, d) each
        self._rows = 0

    @property
    def known(self) -> bool:
        return self._rows > 0

    def add(self, rows: np.ndarray) -> None:
        """Add rows (n, d)."""
        if self.columns > MOST_COLUMNS:
            return
        for start in range(0, len(rows), self._most):
            piece = rows[start : start + self._most].astype(np.float64)  # a copy: the caller's array may change
            self._parts.append((piece, np.ones_like(piece)))
            self._rows += len(piece)
            if self._rows > self._most:
                self._parts = [self._grouped(self._most // 2)]
                self._rows = self._most // 2

    @property
    def median(self) -> np.ndarray:
        """(d,) the median of each column: the mean of the lower and the upper one."""
        values, weights = self._sorted()
        up_to, half = weights.cumsum(axis=0), weights.sum(axis=0) / 2  # (rows, d), (d,)
        ends = [np.take_along_axis(values, side.argmax(axis=0)[None], 0)[0] for side in (up_to >= half, up_to > half)]
        return (ends[0] + ends[1]) / 2

    @property
    def deviation(self) -> np.ndarray:
        """(d,) the mean distance of each column's numbers from their median."""
        values, weights = self._sorted()
        return (weights * np.abs(values - self.median)).sum(axis=0) / weights.sum(axis=0)

    def _sorted(self) -> tuple[np.ndarray, np.ndarray]:
        """Values and weights, (rows, d), each column in the order of its values."""
        values, weights = (np.concatenate(each) for each in zip(*self._parts, strict=True))
        order = values.argsort(axis=0, kind="stable")
        ordered = np.take_along_axis(values, order, 0), np.take_along_axis(weights, order, 0)
        self._parts = [ordered]
        return ordered

    def _grouped(self, count: int) -> tuple[np.ndarray, np.ndarray]:
        """The values in so many groups of about equal weight: their means and weights, (count, d) each."""
        values, weights = self._sorted()
        middle = (weights.cumsum(axis=0) - weights / 2) / weights.sum(axis=0)  # in 0..1
        group = np.minimum((middle * count).astype(np.int64), count - 1)
        place = (group * self.columns + np.arange(self.columns)).ravel()
        heavy, sums = (
            np.bincount(place, each.ravel(), count * self.columns).reshape(count, self.columns)
            for each in (weights, weights * values)
        )
        return np.divide(sums, heavy, out=np.zeros_like(sums), where=heavy > 0), heavy
