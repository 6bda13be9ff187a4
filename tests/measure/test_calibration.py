"""Calibration curve and Brier score are scikit-learn's; the calibration error by hand."""

import numpy as np
import pytest
from sklearn.calibration import calibration_curve
from sklearn.metrics import brier_score_loss

from measure.scored import asked, scored
from netwright.measure.classification import ClassCounts

NAMES = ("calibration_error", "brier_score")


def test_of_yes_and_no():
    p, t = scored(400, 2)
    seen = ClassCounts((False, True), yes=1)
    error, brier = asked(seen, *NAMES)
    seen.update(p[:, 1:], t)
    share, stated = calibration_curve(t, p[:, 1], n_bins=10)
    (curve,) = error.curves(seen)
    np.testing.assert_allclose(curve.y, share, atol=1e-12)
    np.testing.assert_allclose(curve.x, stated, atol=1e-12)
    assert (curve.low <= curve.y).all() and (curve.y <= curve.high).all() and curve.thresholds.sum() == 400
    weights = curve.thresholds / 400
    assert error(seen).value == pytest.approx(weights @ np.abs(share - stated), abs=1e-12)
    assert brier(seen).value == pytest.approx(brier_score_loss(t, p[:, 1]), abs=1e-12)
    assert brier(seen).baseline == pytest.approx(t.mean() * (1 - t.mean()))


def test_of_classes_the_chosen_one_counts():
    p, t = scored(400, 4)
    seen = ClassCounts("abcd")
    error, brier = asked(seen, *NAMES)
    seen.update(p, t)
    share, stated = calibration_curve(p.argmax(axis=1) == t, p.max(axis=1), n_bins=10)
    (curve,) = error.curves(seen)
    np.testing.assert_allclose((curve.y, curve.x), (share, stated), atol=1e-12)
    assert curve.label is None
    assert brier(seen).value == pytest.approx(brier_score_loss(t, p, labels=range(4), scale_by_half=False), abs=1e-12)
    assert error(seen).less_is_better and brier(seen).less_is_better


def test_the_naive_guess_of_other_data_is_badly_calibrated():
    seen = ClassCounts(("a", "b"))
    error, _ = asked(seen, *NAMES)
    seen.learn(np.array([0, 0, 0, 1]))
    seen.update(np.array([[0.9, 0.1], [0.2, 0.8]]), np.array([0, 1]))
    assert error(seen).value == pytest.approx(0.15)
    assert error(seen).baseline == pytest.approx(0.25)  # it says 3/4, and 1/2 is so


@pytest.mark.parametrize("n", [20, 200])
def test_the_interval_of_the_brier_score_holds_the_truth(n):
    random, held = np.random.default_rng(n), 0
    for _ in range(200):  # a net that is right about its own uncertainty: E (p - y)² = E p (1 - p) = 1/6
        p = random.random(n)
        seen = ClassCounts((False, True), yes=1)
        _, brier = asked(seen, *NAMES)
        seen.update(p[:, None], (random.random(n) < p).astype(int))
        found = brier(seen)
        held += found.low <= 1 / 6 <= found.high
    assert held >= 0.9 * 200
