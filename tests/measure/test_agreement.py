"""Kappa, Scott's pi and Matthews' correlation: scikit-learn's numbers, by hand, and intervals that hold the truth."""

import math

import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score, matthews_corrcoef

from measure.scored import asked, scored
from netwright.measure.classification import ClassCounts
from netwright.measure.positions import PositionCounts

NAMES = ("kappa", "scott_pi", "matthews")


def measured(p, t, seen=None):
    seen = seen or ClassCounts([*"abcdefghij"][: p.shape[1]])
    metrics = asked(seen, *NAMES)
    seen.update(p, t)
    return [metric(seen) for metric in metrics]


@pytest.mark.parametrize("k", [2, 3, 7])
def test_the_numbers_are_those_of_scikit_learn(k):
    p, t = scored(300, k, seed=k)
    kappa, _, matthews = measured(p, t)
    assert kappa.value == pytest.approx(cohen_kappa_score(t, p.argmax(axis=1)), abs=1e-12)
    assert matthews.value == pytest.approx(matthews_corrcoef(t, p.argmax(axis=1)), abs=1e-12)


def test_scott_pi_by_hand():
    p, t = np.eye(2)[[0, 0, 0, 1]], np.array([0, 0, 1, 1])  # said a a a b; right 3 of 4
    _, pi, _ = measured(p, t)
    expected = (5 / 8) ** 2 + (3 / 8) ** 2
    assert pi.value == pytest.approx((3 / 4 - expected) / (1 - expected))
    assert (pi.baseline, pi.n) == (0.0, 4)


def test_one_class_alone_has_no_kappa():
    kappa, pi, matthews = measured(np.eye(2)[[0, 0]], np.array([0, 0]))
    assert math.isnan(kappa.value) and math.isnan(pi.value) and matthews.value == 0.0
    assert str(kappa) == 'kappa undefined (-1.0 to 1.0, n=2), always "a": 0.0'


def test_all_right_is_not_surely_all_right():
    kappa = measured(np.eye(2)[[0, 1] * 5], np.array([0, 1] * 5))[0]
    assert kappa.value == 1.0 and 0.1 < kappa.low < 0.6 and kappa.high == 1.0


def test_positions_of_one_example_count_together():
    p, t = scored(300, 3)
    alone = measured(p, t)
    seen = PositionCounts(("a", "b", "c"))
    metrics = asked(seen, *NAMES)
    seen.update([p[i : i + 10] for i in range(0, 300, 10)] * 2, [t[i : i + 10] for i in range(0, 300, 10)] * 2)
    for one, metric in zip(alone, metrics, strict=True):
        assert metric(seen).value == pytest.approx(one.value, abs=1e-12)
    doubled = PositionCounts(("a", "b", "c"))
    metrics = asked(doubled, *NAMES)
    doubled.update([np.tile(row, (4, 1)) for row in p], [np.full(4, one) for one in t])
    for one, metric in zip(alone, metrics, strict=True):  # four equal positions say what one says
        found = metric(doubled)
        assert (found.low, found.high) == pytest.approx((one.low, one.high), abs=1e-3)


@pytest.mark.parametrize("n", [20, 100, 1000])
def test_intervals_hold_the_truth(n):
    confused = np.array([[0.85, 0.1, 0.05], [0.15, 0.75, 0.1], [0.1, 0.1, 0.8]]) / 3
    given = confused.sum(axis=0)
    chance = float(given.sum() / 3 * 1) / 1
    expected = float(given @ np.full(3, 1 / 3))
    kappa = (np.trace(confused) - expected) / (1 - expected)
    spread = math.sqrt((1 - given @ given) * (1 - 1 / 3))
    truths = (kappa, None, (np.trace(confused) - expected) / spread)
    random, held = np.random.default_rng(n), np.zeros(3)
    del chance
    for _ in range(150):
        cells = random.choice(9, n, p=confused.reshape(-1))
        for i, found in enumerate(measured(np.eye(3)[cells % 3], cells // 3)):
            held[i] += truths[i] is None or found.low <= truths[i] <= found.high
    assert (held / 150 >= 0.9).all()
