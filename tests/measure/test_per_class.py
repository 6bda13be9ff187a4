"""Precision, recall and F1 of single classes by hand."""

import math

import numpy as np
import pytest

from netwright.measure.per_class import class_figures


def test_one_class_by_hand():
    counts = (np.array([6, 0]), np.array([2, 0]), np.array([4, 0]))
    one, none = class_figures(("cat", "dog"), counts, 20)
    assert (one.label, one.count, one.precision.value, one.recall.value) == ("cat", 10, 6 / 8, 6 / 10)
    assert one.f1.value == pytest.approx(2 * 0.75 * 0.6 / 1.35)
    assert (one.precision.n, one.recall.n, one.f1.n) == (8, 10, 12)
    assert (one.precision.baseline, one.recall.baseline) == (0.5, 1.0)
    assert one.f1.baseline == pytest.approx(2 / 3)
    assert one.f1.baseline_name == 'always "cat"'
    assert math.isnan(none.precision.value) and none.recall.baseline is None
