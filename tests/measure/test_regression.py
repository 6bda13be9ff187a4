"""Errors by hand, R² against the direct formula, chunks against all at once, coverage of the interval of R²."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from measure.figures import figures
from messages import message
from netwright.measure.estimate import mean_estimate
from netwright.measure.regression import NumberSums
from netwright.measure.report import figure_lines

Y = np.array([2.5, 0.0, 2.0, 8.0])
T = np.array([3.0, -0.5, 2.0, 7.0])


def measured(y=Y, t=T, taught=None, components=1, unit="examples"):
    made = NumberSums(components, unit)
    if taught is not None:
        made.learn(taught)
    made.update(y, t)
    return made


def test_small_case_by_hand():
    seen = NumberSums(1)
    assert seen.update(Y, T).tolist() == [0.25, 0.25, 0.0, 1.0]
    report = figures(seen)
    assert (seen.n, seen.counted, report.mse.value, report.mae.value) == (4, 4, 0.375, 0.5)
    assert report.rmse.value == pytest.approx(math.sqrt(0.375))
    assert report.r2.value == pytest.approx(1 - 1.5 / 29.1875)
    low, high = mean_estimate(0.375, np.std([0.25, 0.25, 0.0, 1.0], ddof=1) / 2, 4)
    assert (report.mse.low, report.mse.high) == pytest.approx((low, high))
    assert (report.rmse.low, report.rmse.high) == pytest.approx((math.sqrt(low), math.sqrt(high)))
    assert (report.mse.baseline, report.r2.baseline) == pytest.approx((29.1875 / 4, 0.0))
    assert (report.mse.baseline_name, report.mae.baseline_name) == ("always the mean", "always the median")
    assert report.mae.baseline == pytest.approx(np.abs(T - 2.5).mean())


def test_the_training_mean_as_baseline():
    seen = measured(taught=np.array([2.0, 4.0]))
    report = figures(seen)
    assert seen.informed
    assert report.mse.baseline == pytest.approx(np.mean((T - 3) ** 2))
    assert report.mae.baseline == pytest.approx(np.mean(np.abs(T - 3)))
    assert report.r2.baseline == pytest.approx(1 - np.mean((T - 3) ** 2) / T.var())
    assert report.mse.baseline_name == "always the training mean"
    assert report.mae.baseline_name == "always the training median"


def test_several_numbers_an_example():
    random = np.random.default_rng(0)
    t = random.normal(size=(50, 2, 3)) * [1, 5, 0.1] + [0, 100, 7]
    y = t + random.normal(size=t.shape)
    report = figures(measured(torch.tensor(y), torch.tensor(t), taught=np.array([[1, 2, 3, 4, 5, 6]]), components=6))
    assert report.mse.value == pytest.approx(((y - t) ** 2).mean())
    assert report.r2.value == pytest.approx(1 - ((y - t) ** 2).sum() / ((t - t.mean(0)) ** 2).sum())
    assert report.mae.baseline == pytest.approx(np.abs(t - np.arange(1, 7).reshape(2, 3)).mean())


def test_numbers_at_every_position():
    random = np.random.default_rng(0)
    t = [random.normal(3, 1, n) for n in random.integers(1, 6, 30)]
    y = [one + random.normal(size=len(one)) for one in t]
    seen = measured(y, t, unit="positions")
    report, together, truth = figures(seen), np.concatenate(y), np.concatenate(t)
    assert (seen.n, seen.counted) == (30, len(truth))
    assert report.mse.value == pytest.approx(((together - truth) ** 2).mean())
    assert report.mae.value == pytest.approx(np.abs(together - truth).mean())
    assert report.r2.value == pytest.approx(1 - ((together - truth) ** 2).sum() / ((truth - truth.mean()) ** 2).sum())
    assert report.r2.low < report.r2.value < report.r2.high and report.r2.n == 30


def test_an_example_without_positions_counts_in_no_figure():
    none = np.empty(0)
    whole, with_none = (
        measured([Y], [T], unit="positions"),
        measured([none, Y, none], [none, T, none], unit="positions"),
    )
    assert str(figures(with_none).figures) == str(figures(whole).figures)
    assert (with_none.n, with_none.without, with_none.counted) == (1, 2, 4)
    assert message(lambda: NumberSums(1).update([none], [none])) == (
        "an example of another size\n  where:    predictions, row 0\n  expected: 1 numbers\n  got:      0"
    )


def test_a_column_of_predictions_is_not_broadcast_over_a_row_of_targets():
    assert figures(measured(Y[:, None], T)).figures == figures(measured()).figures


@pytest.mark.parametrize("value", [0.0, 0.1, 1e6])
def test_targets_that_never_vary_have_no_r2(value):
    targets = np.full(7, value)
    made = measured(targets + 1, targets)
    made.update(targets, targets)
    r2 = figures(made).r2
    assert math.isnan(r2.value) and r2.baseline is None
    assert str(r2) == "R² undefined (no interval, n=14)"


def test_perfect_predictions():
    report = figures(measured(T, T))
    assert (report.mse.value, report.r2.value, report.r2.low, report.r2.high) == (0, 1, 1, 1)


def test_one_example_has_no_interval():
    report = figures(measured(Y[:1], T[:1]))
    assert str(report.mse) == "MSE 0.2500 (no interval, n=1), always the mean: 0.0000"
    assert report.r2.to_json()["value"] is None
    one = figures(measured([[1.0, 2.0]], [[1.0, 3.0]], unit="positions")).r2
    assert one.low == -math.inf


@pytest.mark.parametrize(("n", "noise"), [(100, 0.3), (400, 1.5)])
def test_the_interval_of_r2_covers_the_truth(n, noise):
    random, hits = np.random.default_rng(1), 0
    for _ in range(500):
        t = random.normal(20.0, 1.0, n)
        r2 = figures(measured(t + noise * random.normal(size=n), t)).r2
        hits += r2.low <= 1 - noise**2 <= r2.high
    assert 0.92 <= hits / 500 <= 0.98


@given(st.integers(2, 30), st.integers(0, 2**32 - 1), st.integers(0, 30), st.sampled_from([0.0, 1e4]))
def test_chunks_are_all_at_once(n, seed, cut, far):
    random = np.random.default_rng(seed)
    t = random.normal(far, 1.0, (n, 2))
    y = t + random.normal(size=(n, 2))
    stream = NumberSums(2)
    stream.update(y[:cut], t[:cut])
    stream.update(y[cut:], t[cut:])
    for got, expected in zip(figures(stream).figures, figures(measured(y, t, components=2)).figures, strict=True):
        assert (got.value, got.low, got.high) == pytest.approx(
            (expected.value, expected.low, expected.high), rel=1e-6, abs=1e-6
        )


def test_text():
    assert figure_lines(figures(measured()).figures) == (
        "MSE    0.38  (0.09-6.57)    always the mean: 7.30\n"
        "RMSE   0.61  (0.31-2.56)    always the mean: 2.70\n"
        "MAE    0.50  (0.19-3.79)    always the median: 2.13\n"
        "R²    0.949  (0.767-0.994)  always the mean: 0.000"
    )


@pytest.mark.parametrize(
    ("y", "t", "text"),
    [
        (
            Y.reshape(2, 2),
            T,
            "predictions of another shape than expected\n  expected: (4,), as the targets\n  got:      (2,)",
        ),
        (
            np.array([1, 2, np.inf, 4]),
            T,
            "predictions that are not finite numbers\n"
            "  where:    predictions, row 6\n"
            "  expected: finite numbers\n"
            "  got:      inf",
        ),
        (
            Y[:, None],
            np.array([[1.0], [np.nan], [1], [1]]),
            "targets that are not finite numbers\n"
            "  where:    targets, row 5\n"
            "  expected: finite numbers\n"
            "  got:      nan",
        ),
        (
            np.ones((4, 2)),
            np.ones(4),
            "predictions of example 4 of another shape than expected\n"
            "  expected: (1, 1), as the targets\n"
            "  got:      (2, 1)",
        ),
    ],
)
def test_bad_batches_are_refused_and_change_nothing(y, t, text):
    made = measured()
    before = figures(made).figures
    assert message(lambda: made.update(y, t)) == text
    assert figures(made).figures == before


def test_an_example_of_another_size() -> None:
    assert message(lambda: measured(np.ones((4, 3)), np.ones((4, 3)), components=2)) == (
        "an example of another size\n  where:    predictions, row 0\n  expected: 2 numbers\n  got:      3"
    )
