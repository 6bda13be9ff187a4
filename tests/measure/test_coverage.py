"""Draws data whose truth is known, again and again: the interval of every figure holds it as often as it says."""

from collections.abc import Callable, Iterator

import numpy as np
import pytest

from measure.figures import figures
from netwright.measure.classification import ClassCounts
from netwright.measure.positions import PositionCounts
from netwright.measure.regression import NumberSums
from netwright.measure.sequences import ElementCounts

SIZES = (5, 20, 100, 1000)
ERRORS: dict[str, Callable[..., np.ndarray]] = {  # of mean 0 and variance 1
    "normal": lambda random, n: random.normal(size=n),
    "Laplace": lambda random, n: random.laplace(size=n) / np.sqrt(2),
    "exponential": lambda random, n: random.exponential(size=n) - 1,
}
ABSOLUTE = {"normal": np.sqrt(2 / np.pi), "Laplace": 1 / np.sqrt(2), "exponential": 2 / np.e}
NOISE = 0.5
RIGHT = np.array([0.85, 0.75, 0.8])  # of three classes, equally frequent
CONFUSED = np.array([[0.85, 0.1, 0.05], [0.15, 0.75, 0.1], [0.1, 0.1, 0.8]])  # by actual and predicted class

# name of the figure, whether the interval holds the truth
Held = Iterator[tuple[str, bool]]


def regression(random: np.random.Generator, n: int) -> Held:
    for kind, errors in ERRORS.items():
        target = random.normal(3.0, 2.0, n)
        metric = NumberSums(1)
        metric.update(target + NOISE * errors(random, n), target)
        report = figures(metric)
        truths = {"mse": NOISE**2, "rmse": NOISE, "mae": NOISE * ABSOLUTE[kind], "r2": 1 - NOISE**2 / 4}
        for name, truth in truths.items():
            made = getattr(report, name)
            yield f"{name}, {kind} errors", made.low <= truth <= made.high


def classification(random: np.random.Generator, n: int) -> Held:
    """Three classes; the probability of what is said is drawn, so that the log loss varies."""
    actual = random.integers(0, 3, n)
    said = (random.random((n, 1)) > CONFUSED.cumsum(axis=1)[actual]).sum(axis=1)
    sure = random.uniform(0.5, 1.0, n)
    p = np.full((n, 3), (1 - sure)[:, None] / 2)
    p[np.arange(n), said] = sure
    metric = ClassCounts(("a", "b", "c"))
    metric.update(p, actual)
    report = figures(metric)
    right, given = float(RIGHT.mean()), CONFUSED.sum(axis=0)
    when_right = 1 - np.log(2)  # the mean of -ln p, p uniform in 0.5..1
    when_wrong = 1 + 2 * np.log(2)  # the mean of -ln (1 - p)/2
    truths = {
        "accuracy": right,
        "log_loss": right * when_right + (1 - right) * when_wrong,
        "macro_precision": float((RIGHT / given).mean()),
        "macro_recall": right,
        "macro_f1": float((2 * RIGHT / (1 + given)).mean()),
    }
    for name, truth in truths.items():
        made = getattr(report, name)
        yield name, made.low <= truth <= made.high


def sequences(random: np.random.Generator, n: int) -> Held:
    """Sequences of 20 elements which are easy or hard together: the probability of what is right is one for all."""
    p = np.exp(-random.gamma(2.0, 0.4, n))  # -ln p has a mean of 0.8
    metric = ElementCounts(("a", "b"))
    metric.update([np.tile([q, 1 - q], (20, 1)) for q in p], [np.zeros(20, np.int64)] * n)
    report = figures(metric)
    yield "bits", report.bits_per_element.low <= 0.8 / np.log(2) <= report.bits_per_element.high
    yield "perplexity", report.perplexity.low <= np.exp(0.8) <= report.perplexity.high


def positions(random: np.random.Generator, n: int) -> Held:
    rates = random.beta(9, 3, n)  # of an example's 30 positions, so many are right
    metric = PositionCounts(("a", "b"))
    given = [(random.random(30) < rate).astype(float) for rate in rates]
    metric.update([np.stack([1 - one, one], axis=1) for one in given], [np.ones(30, np.int64)] * n)
    report = figures(metric)
    yield "accuracy of positions", report.accuracy.low <= 0.75 <= report.accuracy.high


def coverage(n: int, times: int) -> dict[str, float]:
    random = np.random.default_rng(n)
    held: dict[str, int] = {}
    for _ in range(times):
        for drawn in (regression, classification, sequences, positions):
            for name, inside in drawn(random, n):
                held[name] = held.get(name, 0) + inside
    return {name: count / times for name, count in held.items()}


def check(n: int, times: int) -> None:
    chance = 3 * np.sqrt(0.08 * 0.92 / times)  # of so many draws
    found = coverage(n, times)
    assert len(found) == 20
    off = {name: share for name, share in found.items() if not 0.92 - chance <= share <= 0.98 + chance}
    assert not off, off


@pytest.mark.parametrize("n", [5, 20])
def test_intervals_hold_the_truth(n: int) -> None:
    check(n, 200)


@pytest.mark.slow
@pytest.mark.parametrize("n", SIZES)
def test_intervals_hold_the_truth_in_many_draws(n: int) -> None:
    check(n, 3000 if n < 1000 else 500)  # a draw of 1,000 takes as long as ten of 100
