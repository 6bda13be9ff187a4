"""Reads the curves of a run: whether its loss rose, when it fell, and since when only the training loss falls."""

import statistics
from collections.abc import Sequence

from netwright.training.events import Epoch

NEAR = 5  # steps whose median stands for one of them, so that a single odd batch counts little


def beginning(losses: Sequence[float]) -> float:
    """The training loss with which a run begins, as far as its curve tells: the median of its first steps."""
    return statistics.median(losses[:NEAR])


def rise(losses: Sequence[float], first: float) -> float:
    """The highest training loss, as the median of 5 steps, by the one with which the run begins.

    Example:
        >>> rise([2.0] * 5 + [8.0] * 10 + [1.0] * 5, 2.0)
        4.0
    """
    smooth = [statistics.median(losses[i : i + NEAR]) for i in range(max(1, len(losses) - NEAR + 1))]
    return max(smooth) / first if first > 0 else 1.0


def late_fall(losses: Sequence[float]) -> float:
    """The share of the fall of the training loss that comes in the second half of the run; 0 if it does not fall.

    Example:
        >>> round(late_fall([float(100 - i) for i in range(100)]), 1)
        0.5
    """
    count = len(losses)
    if count < 2 * NEAR:
        return 0.0
    width = max(NEAR, count // 10)
    first = statistics.fmean(losses[: max(1, count // 50)])
    middle = statistics.fmean(losses[(count - width) // 2 : (count + width) // 2])
    last = statistics.fmean(losses[-width:])
    return (middle - last) / (first - last) if first > last else 0.0


def fallen(losses: Sequence[float], first: float) -> float:
    """The training loss at the end by the one with which the run begins.

    Example:
        >>> fallen([4.0] * 20 + [1.0] * 20, 4.0)
        0.25
    """
    last = statistics.fmean(losses[-max(NEAR, len(losses) // 10) :])
    return last / first if first > 0 else 1.0


def overfitting(epochs: Sequence[Epoch]) -> tuple[int, float, float]:
    """The epoch after which the validation loss rises while the training loss falls; by which part, and by how much.

    The rise is that of the median of the last three epochs, so one odd epoch is none. Where classes are decided, the
    error must not have become lower either: a loss that rises while fewer decisions are wrong is no reason to stop.
    (0, 0) if there is none.
    """
    losses = [epoch.validation["loss"] for epoch in epochs if "loss" in epoch.validation]
    if len(losses) < len(epochs) or len(losses) < 3:
        return 0, 0.0, 0.0
    best = min(range(len(losses)), key=losses.__getitem__)
    end = statistics.median(losses[-3:])
    errors = [epoch.validation.get("error", 0.0) for epoch in epochs]
    better = statistics.median(errors[-3:]) < errors[best]
    falls = epochs[-1].loss < epochs[best].loss
    if not falls or better or not end > losses[best] > 0:
        return 0, 0.0, 0.0
    return best + 1, end / losses[best] - 1, end - losses[best]
