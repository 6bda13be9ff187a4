"""A measurement of one's own: its number, its interval by drawing anew, its baseline, and what it may not give."""

import math

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, roc_auc_score

import netwright as nw
from messages import message
from netwright.measure.own import name_of, parameters_of, resampled_interval

NET = nw.Chain(nw.softmax, input=2, output=nw.Category(["cat", "dog"]))
DATA = ([[0.0, 1.0], [1.0, 0.0], [2.0, 0.0], [0.0, 0.5]] * 10, ["dog", "cat", "dog", "dog"] * 10)


def right(answers, targets):
    return sum(a == t for a, t in zip(answers, targets, strict=True)) / len(targets)


def test_a_function_of_answers_and_targets():
    report = nw.measure(NET, DATA, metrics=[right])
    found, accuracy = report.right, report.accuracy
    assert found.value == accuracy.value == 0.75
    assert (found.low, found.high) == pytest.approx((accuracy.low, accuracy.high), abs=0.05)
    assert (found.baseline, found.baseline_name, found.n) == (0.75, 'always "dog"', 40)
    assert str(found) == str(nw.measure(NET, DATA, metrics=[right]).right)  # the draws are the same each time


def test_a_function_of_another_library():
    report = nw.measure(NET, DATA, metrics=[accuracy_score])
    assert report.accuracy_score.value == 0.75


def test_a_function_of_probabilities():
    def area(answers, targets, probabilities):
        del answers
        return roc_auc_score([target == "dog" for target in targets], probabilities[:, 1])

    report = nw.measure(NET, DATA, metrics=[area, "roc_area"])
    assert report.area.value == pytest.approx(report.roc_area.value)
    assert report.area.baseline == 0.5
    assert report.area.low == pytest.approx(report.roc_area.low, abs=0.1)


def test_a_function_may_give_an_estimate():
    def estimate(answers, targets):
        return nw.Estimate(name="mine", value=1.0, low=0.5, high=1.5, n=len(answers))

    assert str(nw.measure(NET, DATA, metrics=[estimate]).mine) == "mine 1.00 (0.50-1.50, n=40)"


def test_of_numbers_the_baseline_is_the_mean():
    def most(answers, targets):
        return max(abs(a - t) for a, t in zip(answers, targets, strict=True))

    net = nw.Chain(nw.Linear(1), input=1, output=nw.Number(0, 1))
    net = net.with_arrays({"linear1/weight": [[1.0]], "linear1/bias": [0.0]})
    report = nw.measure(net, ([[1.0], [2.0], [4.0]], [1.0, 3.0, 5.0]), metrics=[most])
    assert (report.most.value, report.most.baseline, report.most.baseline_name) == (1.0, 2.0, "always 3")


def test_of_several_outputs_each_has_its_own():
    net = nw.Graph(
        kind=([nw.Linear(2), nw.softmax], "x"),
        size=(nw.Linear(1), "x"),
        input={"x": 2},
        output={"kind": nw.Category(["a", "b"]), "size": nw.Number(0, 1)},
    )
    data = {"x": [[0.0, 1.0], [1.0, 0.0]], "kind_target": ["a", "b"], "size_target": [1.0, 2.0]}
    report = nw.measure(nw.initialize(net), data, metrics={"kind": [right, "kappa"], "size": ["mean_error"]})
    assert {"right", "kappa"} <= {*dir(report["kind"])} and "mean_error" in dir(report["size"])


def test_what_never_varies_has_no_interval():
    assert nw.measure(NET, DATA, metrics=[lambda answers, targets: 1.0]).figures[-1].interval() == ""


def test_draws_of_which_a_figure_cannot_be_computed_are_left_out():
    def at(rows):
        if 0 in rows:
            raise ZeroDivisionError
        return float(rows.mean())

    assert resampled_interval(at, 3.0, 2, "x") == (-math.inf, math.inf)  # three of four draws have row 0
    low, high = resampled_interval(lambda rows: 1 / (0 not in rows) * rows.mean(), 3.0, 5, "y")
    assert (low, high) == (-math.inf, math.inf)


@pytest.mark.parametrize("n", [10, 50, 400])
def test_intervals_hold_the_truth(n):
    random, held = np.random.default_rng(n), 0
    for _ in range(100):
        x = random.exponential(1, n)
        low, high = resampled_interval(lambda rows, x=x: float(x[rows].mean()), float(x.mean()), n, "mean")
        held += low <= 1.0 <= high
    assert held >= 85


def test_how_many_arguments_a_metric_takes():
    def of_counts(seen):
        return seen

    assert (parameters_of(of_counts), parameters_of(right), parameters_of(accuracy_score)) == (1, 2, 2)
    assert name_of(right) == "right" and name_of(nw.f_score(2)) == "ClassMetric"


@pytest.mark.parametrize(
    ("metrics", "text"),
    [
        (
            [lambda: 1.0],
            "a metric takes counts, or answers and targets, or these and probabilities, "
            "and <lambda> takes 0 arguments\n"
            "  where:    metrics\n"
            "  expected: def f(seen), def f(answers, targets) or def f(answers, targets, probabilities)",
        ),
        (
            [lambda answers, targets: "good"],
            "the metric <lambda> gave no number\n"
            "  where:    metrics\n"
            "  expected: a number, or an Estimate\n"
            "  got:      'good'",
        ),
        (
            "kappa",
            "metrics= lists names of figures and functions\n"
            '  expected: such as metrics=["kappa", f]\n'
            "  got:      'kappa'\n"
            "  mend:     metrics=['kappa']",
        ),
    ],
)
def test_what_is_no_metric(metrics, text):
    assert message(lambda: nw.measure(NET, DATA, metrics=metrics)) == text


def test_a_name_that_no_figure_has():
    text = message(lambda: nw.measure(NET, DATA, metrics=["kapa"]))
    assert text.startswith(
        "no figure of this net has the name 'kapa'\n  where:    metrics\n  expected: one of accuracy, "
    )
    assert text.endswith('  mend:     did you mean "kappa"?') or "kappa" in text.splitlines()[-1]


def test_a_figure_that_is_always_shown_may_be_asked_for():
    report = nw.measure(NET, DATA, metrics=["accuracy", "kappa"])
    assert [figure.name for figure in report.figures].count("accuracy") == 1
    assert report.asked == ("kappa",)
