"""Keeps every answer with its target, for the metrics that cannot be computed from sums, such as a ROC curve."""

import numpy as np


class KeptAnswers:
    """Columns with a row for each unit, which is an example or one of its positions; they grow batch by batch.

    Fields:
        n: examples so far.

    Example:
        >>> kept = KeptAnswers()
        >>> kept.add(None, said=np.array([0, 1]))
        >>> kept.add(np.array([2, 1]), said=np.array([1, 1, 0]))
        >>> kept["said"], kept.example
        (array([0, 1, 1, 1, 0]), array([0, 1, 2, 2, 3]))
    """

    def __init__(self) -> None:
        self.n = 0
        self._parts: dict[str, list[np.ndarray]] = {}
        self._examples: list[np.ndarray] = []

    def add(self, lengths: np.ndarray | None, **columns: np.ndarray) -> None:
        """Add units, (units, …) in each column; `lengths` (b,) are the units of each example, None where it is one."""
        units = len(next(iter(columns.values())))
        lengths = np.ones(units, np.int64) if lengths is None else lengths
        self._examples.append(np.repeat(np.arange(self.n, self.n + len(lengths)), lengths))
        for name, values in columns.items():
            self._parts.setdefault(name, []).append(values)
        self.n += len(lengths)

    def __getitem__(self, name: str) -> np.ndarray:
        """A column."""
        parts = self._parts[name]
        if len(parts) > 1:
            self._parts[name] = parts = [np.concatenate(parts)]
        return parts[0]

    @property
    def example(self) -> np.ndarray:
        """(units,) the example of each unit."""
        return np.concatenate(self._examples)

    def variance(self, effect: np.ndarray) -> float:
        """The variance of a figure that a unit moves by its effect, (units,): the infinitesimal jackknife.

        The effect of a unit is the derivative of the figure by the unit's weight. Units of one example move together,
        so their effects are added up first: g/(g - 1) Σ (Σ effect)² over the g examples.

        Source: Efron, The jackknife, the bootstrap and other resampling plans, 1982.
        """
        sums = np.bincount(self.example, weights=effect, minlength=self.n)
        return float((sums**2).sum()) * self.n / (self.n - 1) if self.n > 1 else float("inf")
