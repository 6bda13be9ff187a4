"""Figures of a measurement show its points, name its classes, and say what is missing."""

import numpy as np
import pytest
import torch

import netwright as nw
from messages import message
from netwright.measure.counts import ConfusionMatrix

ALL = ["roc_area", "average_precision", "calibration_error", "rejection_area"]


def report_of(k: int, metrics: list[str], n: int = 200) -> nw.Report:
    random = torch.Generator().manual_seed(k)
    x = torch.randn(n, k, generator=random)
    target = (x + 0.8 * torch.randn(n, k, generator=random)).argmax(dim=1)
    net = nw.Chain(nw.softmax, input=k, output=nw.Category([f"class {i}" for i in range(k)]))
    return nw.measure(net, (x, [f"class {i}" for i in target.tolist()]), metrics=metrics)


@pytest.fixture(scope="module")
def report() -> nw.Report:
    return report_of(3, ALL)


def test_roc_curves(report):
    axes = nw.plot.roc_curve(report).axes[0]
    curves = [curve for curve in report.curves if curve.kind == "ROC"]
    for line, curve in zip(axes.lines[1:], curves, strict=True):
        assert np.array_equal(line.get_xdata(), curve.x) and np.array_equal(line.get_ydata(), curve.y)
    legend = [text.get_text() for text in axes.get_legend().get_texts()]
    assert legend == ["chance", *(f"class {i}: {c.figure.number(c.figure.value)}" for i, c in enumerate(curves))]
    assert (axes.get_xlabel(), axes.get_title()) == ("false positive rate", "ROC area")


def test_precision_recall_curves(report):
    axes = nw.plot.precision_recall_curve(report).axes[0]
    assert len(axes.lines) == 3 and (axes.get_xlabel(), axes.get_ylabel()) == ("recall", "precision")


def test_of_many_classes_the_worst_have_names():
    report = report_of(9, ["roc_area"], n=400)
    axes = nw.plot.roc_curve(report).axes[0]
    worst = sorted(report.curves, key=lambda curve: curve.figure.value)[:3]
    legend = [text.get_text().split(":")[0] for text in axes.get_legend().get_texts()]
    assert legend[:2] == ["chance", "6 others"] and {*legend[2:]} == {str(curve.label) for curve in worst}
    assert len(axes.lines) == 1 + 9


def test_the_calibration_curve_has_the_counts_below(report):
    above, below = nw.plot.calibration_curve(report).axes
    (curve,) = [curve for curve in report.curves if curve.kind == "calibration"]
    assert np.array_equal(above.lines[1].get_ydata(), curve.y)
    assert [bar.get_height() for bar in below.patches] == curve.thresholds.tolist()
    for bar, stated in zip(below.patches, curve.x, strict=True):
        assert bar.get_x() <= stated <= bar.get_x() + bar.get_width() + 1e-9


def test_the_rejection_curve(report):
    axes = nw.plot.rejection_curve(report).axes[0]
    (curve,) = [curve for curve in report.curves if curve.kind == "rejection"]
    assert axes.lines[0].get_ydata() == pytest.approx(100 * curve.y)
    assert axes.get_title().startswith("rejection area ")


def test_the_confusion_matrix(report):
    axes = nw.plot.confusion_matrix(report).axes[0]
    counts = report.confusion.counts
    assert [int(text.get_text()) for text in axes.texts] == counts[counts > 0].tolist()
    assert [text.get_text() for text in axes.get_yticklabels()] == ["class 0", "class 1", "class 2"]
    assert nw.plot.confusion_matrix(report.confusion).axes[0].get_ylabel() == "actual"


def test_of_many_classes_the_most_confused_are_drawn():
    counts = np.eye(40, dtype=np.int64) * 5
    counts[7, 33] = 9
    axes = nw.plot.confusion_matrix(ConfusionMatrix(tuple(range(40)), counts)).axes[0]
    labels = [text.get_text() for text in axes.get_yticklabels()]
    assert len(labels) == 24 and {"7", "33"} <= {*labels} and not axes.texts
    assert axes.get_title() == "24 of 40 classes, the most confused"


def test_a_report_without_the_curve_says_how_to_get_it():
    report = report_of(2, [])
    text = message(lambda: nw.plot.roc_curve(report))
    assert text.startswith("this report has no ROC curve\n  where:    plot.roc_curve\n  got:      <Report of class")
    assert text.endswith('mend:     nw.measure(net, data, metrics=["roc_area"])')
    numbers = nw.measure(nw.Chain(nw.Dropout(0.5), input=1, output=nw.Number(0, 1)), ([[1.0], [2.0]], [1.0, 3.0]))
    assert message(lambda: nw.plot.confusion_matrix(numbers)).startswith("this report has no confusion matrix\n")
    assert message(lambda: nw.plot.roc_curve(3)) == (
        "what was measured is drawn\n  where:    plot.roc_curve\n  expected: nw.measure(net, data)\n  got:      3"
    )


def test_a_report_of_one_class_alone_has_no_curve_to_draw():
    net = nw.Chain(nw.softmax, input=2, output=nw.Category(["a", "b"]))
    report = nw.measure(net, ([[1.0, 0.0], [0.0, 1.0]], ["a", "a"]), metrics=["roc_area"])
    text = message(lambda: nw.plot.roc_curve(report))
    assert text.endswith("mend:     a report of examples of at least two classes")
