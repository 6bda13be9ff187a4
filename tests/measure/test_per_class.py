"""Precision, recall and F1 by hand, and what the macro averages leave out."""

import math

import pytest

from netwright.measure.per_class import class_report, class_table, json_label, macro


def test_one_class_by_hand():
    one = class_report("cat", right=6, wrong=2, missed=4, n=20)
    assert (one.count, one.precision.value, one.recall.value) == (10, 6 / 8, 6 / 10)
    assert one.f1.value == pytest.approx(2 * 0.75 * 0.6 / 1.35)
    assert (one.precision.n, one.recall.n, one.f1.n) == (8, 10, 12)
    assert (one.precision.baseline, one.recall.baseline) == (0.5, 1.0)
    assert one.f1.baseline == pytest.approx(2 / 3)
    assert one.f1.baseline_name == 'always "cat"'


def test_macro_leaves_out_what_neither_occurs_nor_is_predicted():
    classes = [class_report("a", 8, 2, 0, 10), class_report("b", 0, 0, 2, 10), class_report("c", 0, 0, 0, 10)]
    precision, recall, f1 = macro(classes, 10, [0.8, 0.0, 0.0], "x", labels_at_once=1)
    assert math.isnan(classes[1].precision.value)  # never predicted
    assert (precision.value, recall.value) == pytest.approx((0.8 / 2, 1.0 / 2))
    assert f1.value == pytest.approx((16 / 18) / 2)
    assert (precision.baseline, recall.baseline, f1.baseline) == pytest.approx((0.4, 0.5, 1.6 / 1.8 / 2))


def test_macro_of_nothing_is_undefined():
    made = macro([class_report("a", 0, 0, 0, 5)], 5, [0.0], "x", labels_at_once=1)
    assert all(math.isnan(estimate.value) and (estimate.low, estimate.high) == (0, 1) for estimate in made)


def test_table():
    classes = [class_report("a", 8, 2, 0, 10), class_report("long name", 0, 0, 0, 10)]
    assert class_table(classes) == (
        "class      examples  precision                  recall                       F1\n"
        "a                 8      80.0%  (49.0-94.3)     100.0%  (67.6-100.0)      88.9%  (65.8-97.1)\n"
        "long name         0  undefined  (0.0-100.0)  undefined   (0.0-100.0)  undefined  (0.0-100.0)"
    )


@pytest.mark.parametrize(("label", "expected"), [(3, 3), ("a", "a"), (True, True), (None, None), ((1, 2), "(1, 2)")])
def test_labels_in_json(label, expected):
    assert json_label(label) is expected or json_label(label) == expected
