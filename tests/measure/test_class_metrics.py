"""Figures of classes are those of scikit-learn, with intervals and the baseline of each class."""

import numpy as np
import pytest
from sklearn import metrics as sk

from measure.scored import asked, scored
from messages import message
from netwright.measure.class_metrics import F1, MACROS, PRECISION, RATES, f_score
from netwright.measure.classification import ClassCounts
from netwright.measure.positions import PositionCounts
from netwright.measure.several import LabelCounts

BY_NAME = {metric.name: metric for metric in (*MACROS, *RATES)}


def measured(p, t, seen=None):
    seen = seen or ClassCounts(range(p.shape[1]))
    seen.update(p, t)
    return seen


@pytest.mark.parametrize("k", [2, 4])
def test_the_numbers_are_those_of_scikit_learn(k):
    p, t = scored(150, k)
    said, seen = p.argmax(axis=1), measured(p, t)
    for i in range(k):
        true, given = t == i, said == i
        tn, fp, fn, tp = sk.confusion_matrix(true, given).ravel()
        expected = {
            "precision": sk.precision_score(true, given),
            "recall": sk.recall_score(true, given),
            "F1": sk.f1_score(true, given),
            "specificity": sk.recall_score(true, given, pos_label=False),
            "negative predictive value": sk.precision_score(true, given, pos_label=False),
            "false positive rate": fp / (fp + tn),
            "false negative rate": fn / (fn + tp),
            "false discovery rate": fp / (fp + tp),
            "false omission rate": fn / (fn + tn),
            "informedness": sk.balanced_accuracy_score(true, given, adjusted=True),
            "markedness": sk.balanced_accuracy_score(given, true, adjusted=True),
            "Matthews": sk.matthews_corrcoef(true, given),
            "IoU": sk.jaccard_score(true, given),
            "true positives": tp,
            "false positives": fp,
            "false negatives": fn,
            "true negatives": tn,
        }
        assert {*expected} == {*BY_NAME}
        for name, value in expected.items():
            found = BY_NAME[name].each(seen)[i]
            assert found.value == pytest.approx(value, abs=1e-12), name
            assert found.low < found.value < found.high, name
    for name in ("precision", "recall", "F1", "IoU"):
        score = {"F1": sk.f1_score, "IoU": sk.jaccard_score}.get(name) or getattr(sk, f"{name}_score")
        assert BY_NAME[name](seen).value == pytest.approx(score(t, said, average="macro"), abs=1e-12)
    assert f_score(2)(seen).value == pytest.approx(sk.fbeta_score(t, said, beta=2, average="macro"), abs=1e-12)


def test_a_proportion_has_the_interval_of_its_own_denominator():
    seen = measured(np.eye(2)[[0] * 8 + [1] * 4], np.array([0] * 6 + [1] * 6))
    from netwright.measure.estimate import proportion

    recall = BY_NAME["recall"].each(seen)
    wilson = proportion("", 4, 6)
    assert recall[1].n == 6 and recall[1].low == pytest.approx(wilson.low, abs=0.08)
    assert recall[0].value == 1.0  # all 6 right: as sure as 6 examples can be
    assert recall[0].low == pytest.approx(proportion("", 6, 6).low, abs=0.02)


def test_the_mean_of_positions_and_of_examples_is_one():
    p, t = scored(120, 3)
    alone, tags = measured(p, t), PositionCounts(range(3))
    tags.update([p[i : i + 6] for i in range(0, 120, 6)], [t[i : i + 6] for i in range(0, 120, 6)])
    for metric in (*MACROS, *RATES):
        assert metric(tags).value == pytest.approx(metric(alone).value, abs=1e-12)
        assert metric(tags).baseline == pytest.approx(metric(alone).baseline, abs=1e-12)
        one, other = metric.each(tags)[1], metric.each(alone)[1]
        assert one.value == pytest.approx(other.value, abs=1e-12)


def test_of_labels():
    random = np.random.default_rng(2)
    t, p = random.integers(0, 2, (60, 3)), random.random((60, 3))
    seen = LabelCounts("abc")
    seen.update(p, t)
    expected = np.mean([sk.recall_score(t[:, i], p[:, i] >= 0.5, pos_label=0) for i in range(3)])
    assert BY_NAME["specificity"](seen).value == pytest.approx(expected, abs=1e-12)


def test_yes_has_the_plain_names():
    p, t = scored(80, 2)
    seen = ClassCounts((False, True), yes=1)
    specificity, recall = asked(seen, "specificity", "recall")
    seen.update(p[:, 1:], t)
    assert recall(seen).value == pytest.approx(sk.recall_score(t, p[:, 1] >= 0.5), abs=1e-12)
    assert specificity(seen).value == pytest.approx(sk.recall_score(t, p[:, 1] >= 0.5, pos_label=0), abs=1e-12)
    assert recall(seen).baseline == 1.0  # always yes


def test_one_class_alone():
    seen = measured(np.eye(2)[[0, 0, 0]], np.array([0, 0, 0]))
    assert np.isnan(BY_NAME["specificity"].each(seen)[0].value)
    assert BY_NAME["informedness"](seen).value == 0.0  # what is 0/0 counts as 0
    found = BY_NAME["specificity"](seen)
    assert (found.value, found.baseline, found.low) == (0.0, 0.0, 0.0) and found.high > 0.5


def test_f1_of_the_mechanism_is_that_of_the_report():
    p, t = scored(90, 3)
    seen = measured(p, t)
    for metric, column in zip(MACROS, zip(*(one.figures for one in seen.classes()), strict=True), strict=True):
        for one, other in zip(metric.each(seen), column, strict=True):
            assert (one.name, one.value, one.baseline) == pytest.approx((other.name, other.value, other.baseline))
    assert F1.name == "F1" and PRECISION.title == "macro precision"


def test_a_beta_is_above_zero():
    text = "the beta of an F-score is a number above 0\n  where:    f_score\n  got:      0"
    assert message(lambda: f_score(0)) == text
