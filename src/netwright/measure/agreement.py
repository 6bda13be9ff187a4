"""How much answers and targets agree beyond chance: Cohen's kappa, Scott's pi, Matthews' correlation."""

import math
from collections.abc import Callable
from typing import TypeAlias

import numpy as np

from netwright.measure.estimate import Estimate, equal_coins, wilson
from netwright.measure.named_metric import NamedMetric
from netwright.measure.tally import Choices

Sums: TypeAlias = tuple[float, np.ndarray, np.ndarray, float]
"""What is right, how often each class is given (k,), how often it is the target (k,), and the number of all units."""
Agreement: TypeAlias = Callable[[float, np.ndarray, np.ndarray, float], float]
STEP = 1e-4  # of a difference quotient, in units


def _kappa(right: float, given: np.ndarray, actual: np.ndarray, n: float) -> float:
    """(po - pe) / (1 - pe), where pe is the agreement of two who answer independently with these frequencies."""
    return _beyond_chance(right / n, float(given @ actual) / n**2)


def _scott_pi(right: float, given: np.ndarray, actual: np.ndarray, n: float) -> float:
    """(po - pe) / (1 - pe), where pe is the agreement of two who both answer with the mean frequencies."""
    both = (given + actual) / (2 * n)
    return _beyond_chance(right / n, float(both @ both))


def _beyond_chance(observed: float, expected: float) -> float:
    return (observed - expected) / (1 - expected) if expected < 1 else math.nan


def _correlation(right: float, given: np.ndarray, actual: np.ndarray, n: float) -> float:
    """(c n - g·a) / √((n² - g·g) (n² - a·a)), the correlation of answers and targets; 0 where one never varies."""
    spread = (n**2 - float(given @ given)) * (n**2 - float(actual @ actual))
    return (right * n - float(given @ actual)) / math.sqrt(spread) if spread > 0 else 0.0


def _estimate(name: str, of: Agreement, seen: Choices) -> Estimate:
    """An agreement with its interval: the delta method, on Wilson's scale since it ends at -1 and 1.

    The naive guess agrees by chance alone, which is 0 by definition.
    """
    kept, k = seen.kept, len(seen.labels)
    assert kept is not None
    said, target = kept["said"], kept["target"]
    given, actual = (np.bincount(one, minlength=k).astype(np.float64) for one in (said, target))
    sums: Sums = (float((said == target).sum()), given, actual, float(len(said)))
    value = of(*sums)
    if math.isnan(value):
        return Estimate(name=name, value=value, low=-1.0, high=1.0, n=seen.n, baseline=0.0, baseline_name=seen.always)
    effect = _slope(of, sums, 0) * (said == target) + _slope(of, sums, 3)
    effect += np.array([_slope(of, sums, 1, i) for i in range(k)])[said]
    effect += np.array([_slope(of, sums, 2, i) for i in range(k)])[target]
    share, variance = (value + 1) / 2, kept.variance(effect) / 4
    known = variance > 0 and 0 < share < 1 and seen.n > 1
    coins = equal_coins(share, variance, 2.0 * len(said), seen.n - 1) if known else float(seen.n)
    low, high = (2 * end - 1 for end in wilson(share * coins, coins))
    return Estimate(name=name, value=value, low=low, high=high, n=seen.n, baseline=0.0, baseline_name=seen.always)


def _slope(of: Agreement, sums: Sums, place: int, index: int | None = None) -> float:
    """The derivative of an agreement by one of its sums."""
    ends: list[float] = []
    for step in (STEP, -STEP):
        right, given, actual, n = sums[0], sums[1].copy(), sums[2].copy(), sums[3]
        if index is not None:
            (given if place == 1 else actual)[index] += step
        moved = (right + step * (place == 0), given, actual, n + step * (place == 3))
        ends.append(of(*moved))
    return (ends[0] - ends[1]) / (2 * STEP)


AGREEMENTS = (
    NamedMetric("kappa", lambda seen: _estimate("kappa", _kappa, seen)),
    NamedMetric("Scott pi", lambda seen: _estimate("Scott pi", _scott_pi, seen)),
    NamedMetric("Matthews", lambda seen: _estimate("Matthews", _correlation, seen)),
)
"""For classes and for classes at each position.

Sources: Cohen, A coefficient of agreement for nominal scales, 1960; Scott, Reliability of content analysis, 1955;
Gorodkin, Comparing two K-category assignments by a K-category correlation coefficient, 2004.
"""
