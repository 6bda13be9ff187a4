"""ROC, precision-recall and rejection: scikit-learn's curves and areas, and intervals that hold the truth."""

import math

import numpy as np
import pytest
from sklearn import metrics as sk

from measure.scored import asked, scored
from netwright.measure.classification import ClassCounts
from netwright.measure.positions import PositionCounts
from netwright.measure.ranking import accuracy_by_rejection, area_under_roc, average_precision
from netwright.measure.several import LabelCounts

CURVES = ("roc_area", "average_precision")


@pytest.mark.parametrize(("k", "decimals"), [(2, 1), (3, 2), (5, 6)])
def test_areas_and_curves_are_those_of_scikit_learn(k, decimals):
    p, t = scored(200, k, decimals=decimals)
    seen = ClassCounts(range(k))
    area, precision = asked(seen, *CURVES)
    seen.update(p, t)
    if k > 2:
        expected = np.mean([sk.roc_auc_score(t == i, p[:, i]) for i in range(k)])
        assert area(seen).value == pytest.approx(expected, abs=1e-12)
    for i, (one, other) in enumerate(zip(area.each(seen), precision.each(seen), strict=True)):
        assert one.value == pytest.approx(sk.roc_auc_score(t == i, p[:, i]), abs=1e-12)
        assert other.value == pytest.approx(sk.average_precision_score(t == i, p[:, i]), abs=1e-12)
        assert one.low < one.value < one.high and one.baseline == 0.5
        assert other.baseline == pytest.approx((t == i).mean())
    for i, (roc, curve) in enumerate(zip(area.curves(seen), precision.curves(seen), strict=True)):
        for got, wanted in zip((roc.x, roc.y, roc.thresholds), sk.roc_curve(t == i, p[:, i]), strict=True):
            np.testing.assert_allclose(got, wanted, atol=1e-12)
        wanted_y, wanted_x, thresholds = sk.precision_recall_curve(t == i, p[:, i])
        np.testing.assert_allclose(curve.x, wanted_x, atol=1e-12)
        np.testing.assert_allclose(curve.y, wanted_y, atol=1e-12)
        np.testing.assert_allclose(curve.thresholds[:-1], thresholds, atol=1e-12)
        assert (roc.label, curve.label) == (i, i)


def test_of_yes_and_no_yes_has_the_curve():
    p, t = scored(60, 2)
    seen = ClassCounts((False, True), yes=1)
    area, precision = asked(seen, *CURVES)
    seen.update(p[:, 1:], t)
    assert area(seen).value == pytest.approx(sk.roc_auc_score(t, p[:, 1]), abs=1e-12)
    assert precision(seen).value == pytest.approx(sk.average_precision_score(t, p[:, 1]), abs=1e-12)
    assert [curve.label for curve in area.curves(seen)] == [True]


def test_labels_have_a_curve_each():
    random = np.random.default_rng(1)
    t, p = random.integers(0, 2, (80, 3)), random.random((80, 3))
    seen = LabelCounts(("red", "round", "large"))
    (area,) = asked(seen, "roc_area")
    seen.update(p, t)
    assert area(seen).value == pytest.approx(sk.roc_auc_score(t, p), abs=1e-12)


def test_one_class_alone_has_no_area_and_the_report_says_so():
    seen = ClassCounts(("a", "b"))
    (area,) = asked(seen, "roc_area")
    seen.update(np.array([[0.7, 0.3], [0.6, 0.4]]), np.array([0, 0]))
    found = area(seen)
    assert math.isnan(found.value) and str(found) == "ROC area undefined (0.0-100.0, n=2)"
    assert area.curves(seen) == ()
    text = "ROC area compares units of a class with others; none, or all, are of these classes: a, b"
    assert area.notes(seen) == (text,)


def test_a_class_that_is_missing_is_left_out_of_the_mean():
    p, t = scored(100, 3)
    t[t == 2] = 0
    seen = ClassCounts(("a", "b", "c"))
    (area,) = asked(seen, "roc_area")
    seen.update(p, t)
    expected = np.mean([sk.roc_auc_score(t == i, p[:, i]) for i in (0, 1)])
    assert area(seen).value == pytest.approx(expected, abs=1e-12)
    assert len(area.notes(seen)) == 1 and area.notes(seen)[0].endswith(": c")


def test_rejection_by_hand():
    p = np.array([[0.9, 0.1], [0.8, 0.2], [0.7, 0.3], [0.6, 0.4]])
    seen = ClassCounts(("a", "b"))
    (area,) = asked(seen, "rejection_area")
    seen.update(p, np.array([0, 0, 1, 0]))
    (curve,) = area.curves(seen)
    assert curve.x.tolist() == [0, 0.25, 0.5, 0.75]
    assert curve.y.tolist() == pytest.approx([3 / 4, 2 / 3, 1, 1])
    assert area(seen).value == pytest.approx((3 / 4 + 2 / 3 + 1 + 1) / 4)
    assert (area(seen).baseline, area(seen).baseline_name) == (0.75, 'always "a"')


@pytest.mark.parametrize("ranker", [area_under_roc, average_precision, accuracy_by_rejection])
def test_effects_are_derivatives_by_the_weights_of_units(ranker):
    p, t = scored(40, 2, decimals=1)
    value, effect = ranker(p[:, 1], t == 1)
    for unit in (0, 7, 33):  # the same unit 999 times more often than the others, and 1001 times
        ends = []
        for times in (999, 1001):
            repeats = np.full(40, 1000)
            repeats[unit] = times
            ends.append(ranker(np.repeat(p[:, 1], repeats), np.repeat(t == 1, repeats))[0])
        assert (ends[1] - ends[0]) / 2e-3 == pytest.approx(effect[unit], abs=1e-5)
    assert abs(effect.sum()) < 1e-12 and 0 < value < 1


def test_positions_of_one_example_count_together():
    p, t = scored(100, 3)
    alone, doubled = ClassCounts(("a", "b", "c")), PositionCounts(("a", "b", "c"))
    names = (*CURVES, "rejection_area")
    first, second = asked(alone, *names), asked(doubled, *names)
    alone.update(p, t)
    doubled.update([np.tile(row, (4, 1)) for row in p], [np.full(4, one) for one in t])
    for one, other in zip(first, second, strict=True):
        a, b = one(alone), other(doubled)
        assert (b.value, b.low, b.high) == pytest.approx((a.value, a.low, a.high), abs=1e-3)


@pytest.mark.parametrize("n", [30, 300])
def test_intervals_hold_the_truth(n):
    """Scores of two normal distributions one deviation apart have an area of Φ(1/√2)."""
    truth = 0.5 * (1 + math.erf(0.5))
    random, held = np.random.default_rng(n), 0
    for _ in range(200):
        t = random.random(n) < 0.4
        scores = 1 / (1 + np.exp(-random.normal(t, 1.0)))
        seen = ClassCounts((False, True), yes=1)
        (area,) = asked(seen, "roc_area")
        seen.update(scores[:, None], t.astype(int))
        found = area(seen)
        held += found.low <= truth <= found.high
    assert held >= 0.9 * 200
