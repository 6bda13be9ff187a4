"""Whether a probability means what it says: calibration curve, calibration error and Brier score."""

import math

import numpy as np

from netwright.measure.curve import Curve
from netwright.measure.estimate import Estimate, equal_coins, mean_estimate, wilson
from netwright.measure.named_metric import NamedMetric
from netwright.measure.tally import Choices

BINS = 10  # of equal width, as in most publications


def _stated(seen: Choices) -> tuple[np.ndarray, np.ndarray]:
    """What the net states and whether it is so: of yes and no the probability of yes, else that of the chosen class."""
    assert seen.kept is not None
    p, said, target = seen.kept["p"].astype(np.float64), seen.kept["said"], seen.kept["target"]
    if seen.yes is not None:
        return p[:, seen.yes], target == seen.yes
    return p[np.arange(len(p)), said], said == target


def _bins(stated: np.ndarray) -> np.ndarray:
    """The bin of each probability: [0, 0.1], (0.1, 0.2], …, (0.9, 1], as scikit-learn cuts them."""
    return np.searchsorted(np.linspace(0, 1, BINS + 1)[1:-1], stated)


def _calibration_error(seen: Choices) -> Estimate:
    """Σ over bins of the share of units × |mean stated probability - share that is so|.

    The naive guess states the frequencies of the classes: it is well calibrated where the data are as those it knows.
    """
    kept = seen.kept
    assert kept is not None
    stated, true = _stated(seen)
    bins, gap = _bins(stated), true - stated
    sums = np.bincount(bins, weights=gap, minlength=BINS)
    value = float(np.abs(sums).sum()) / len(gap)
    variance = kept.variance((np.sign(sums)[bins] * gap - value) / len(gap))
    place = seen.commonest[0] if seen.yes is None else seen.yes
    guess = abs(float(seen.known[place] / seen.known.sum() - seen.share[place]))
    known = 0 < variance < math.inf and 0 < value < 1
    coins = equal_coins(value, variance, float(len(gap)), kept.n - 1) if known else float(kept.n)
    low, high = wilson(min(value, 1.0) * coins, coins)
    return Estimate(
        name="calibration error",
        value=value,
        low=low,
        high=high,
        n=kept.n,
        baseline=guess,
        baseline_name="class frequencies",
        percent=True,
        less_is_better=True,
    )


def _calibration_curve(seen: Choices) -> tuple[Curve, ...]:
    stated, true = _stated(seen)
    bins = _bins(stated)
    units = np.bincount(bins, minlength=BINS)
    live = units > 0
    x, hits = (np.bincount(bins, weights=one, minlength=BINS)[live] for one in (stated, true))
    n = units[live].astype(np.float64)
    ends = np.array([wilson(float(h), float(m)) for h, m in zip(hits, n, strict=True)])
    return (
        Curve(
            kind="calibration",
            label=None if seen.yes is None else seen.labels[seen.yes],
            x_name="stated probability",
            y_name="share that is so",
            x=x / n,
            y=hits / n,
            thresholds=n,
            low=ends[:, 0],
            high=ends[:, 1],
            figure=_calibration_error(seen),
        ),
    )


def _brier_score(seen: Choices) -> Estimate:
    """The mean over units of Σ (p - y)² over the classes, y being 1 for the target; of yes and no that of yes alone."""
    kept = seen.kept
    assert kept is not None
    p, target = kept["p"].astype(np.float64), kept["target"]
    chances = seen.known / seen.known.sum()  # (k,)
    if seen.yes is not None:
        p, truth, chances = p[:, [seen.yes]], (target == seen.yes)[:, None], chances[[seen.yes]]
    else:
        truth = target[:, None] == np.arange(p.shape[1])
    losses, naive = (((one - truth) ** 2).sum(axis=1) for one in (p, chances))  # (units,)
    value = float(losses.mean())
    low, high = mean_estimate(value, math.sqrt(kept.variance((losses - value) / len(losses))), kept.n)
    return Estimate(
        name="Brier score",
        value=value,
        low=low,
        high=high,
        n=kept.n,
        baseline=float(naive.mean()),
        baseline_name="class frequencies",
        less_is_better=True,
    )


CALIBRATIONS = (
    NamedMetric("calibration error", _calibration_error, curves=_calibration_curve),
    NamedMetric("Brier score", _brier_score),
)
"""For classes and for classes at each position.

Sources: Guo et al., On calibration of modern neural networks, 2017, arXiv 1706.04599; Brier, Verification of forecasts
expressed in terms of probability, 1950.
"""
