"""Verdicts of the pages: a difference is measured with its 95% interval, and the words are made from the interval."""

import math
from collections.abc import Sequence

import numpy as np

T = (math.nan, 12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262)
"""Student's t at 97.5%, by degrees of freedom, from a table: so few runs need more than two decimals of it."""


def over_runs(values: Sequence[float] | np.ndarray) -> tuple[float, float]:
    """The mean over 2 to 10 runs, and half of the width of Student's 95% interval."""
    found = np.asarray(values, dtype=float)
    return float(found.mean()), float(T[len(found) - 1] * found.std(ddof=1) / math.sqrt(len(found)))


def resampled(
    difference: Sequence[float] | np.ndarray, size: Sequence[float] | np.ndarray | None = None
) -> tuple[float, float, float]:
    """The mean difference and its 95% interval by the bootstrap.

    `difference` holds, for each example, by how much the first method exceeds the second on that example. With `size`,
    the number of parts of each example, the mean is over all parts. The examples are drawn anew 2,000 times.

    Source: Efron, Bootstrap methods: another look at the jackknife, 1979.
    """
    apart = np.asarray(difference, dtype=float)
    parts = np.ones(len(apart)) if size is None else np.asarray(size, dtype=float)
    drawn = np.random.default_rng(0)
    picks = (drawn.integers(0, len(apart), len(apart)) for _ in range(2_000))
    means = [apart[pick].sum() / parts[pick].sum() for pick in picks]
    low, high = np.quantile(means, [0.025, 0.975])
    return float(apart.sum() / parts.sum()), float(low), float(high)


def verdict(low: float, high: float, below: str, above: str) -> str:
    """`below` if the whole interval of a difference is below 0, `above` if it is above 0, else "not decided"."""
    return below if high < 0 else above if low > 0 else "not decided"
