"""An interval that is too narrow or a rounded 100% would be a lie: numbers by hand, edges, text."""

import itertools
import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from netwright.measure.estimate import (
    Estimate,
    Moments,
    Shares,
    Z,
    average,
    f1_score,
    mean_estimate,
    proportion,
    rounded,
    student,
    wilson,
)

floats = st.floats(-1e6, 1e6)


def number(value, low, high, **more):
    return Estimate(name="loss", value=value, low=low, high=high, n=10, **more)


def test_wilson_is_the_textbook_interval():
    low, high = wilson(8, 10)  # centre (8 + z²/2)/(10 + z²), by hand
    assert (low, high) == pytest.approx((0.490162, 0.943318), abs=1e-6)


@pytest.mark.parametrize("n", [1, 5, 1000])
def test_wilson_keeps_its_width_when_all_or_none_are_hits(n):
    far = Z * Z / (n + Z * Z)
    assert wilson(0, n) == (0.0, pytest.approx(far))
    assert wilson(n, n) == (pytest.approx(1 - far), 1.0)


def test_wilson_of_nothing_is_everything():
    assert wilson(0, 0) == (0.0, 1.0)


@given(st.integers(0, 10**9), st.integers(1, 10**9))
def test_wilson_contains_the_proportion_and_solves_its_equation(hits, n):
    hits = min(hits, n)
    low, high = wilson(hits, n)
    p = hits / n
    assert 0 <= low <= p <= high <= 1
    for end in (low, high):
        assert abs(p - end) <= Z * math.sqrt(end * (1 - end) / n) * (1 + 1e-6) + 1e-9


def test_the_line_of_the_design():
    estimate = proportion("accuracy", 9926, 10_000, baseline=0.1135, baseline_name='always "1"')
    assert str(estimate) == 'accuracy 99.3% (99.1-99.4, n=10,000), always "1": 11.4%'


@pytest.mark.parametrize("n", [3, 100, 1060, 10_000, 100_000])
def test_only_all_is_shown_as_all_and_only_none_as_none(n):
    all_but_one, one, every = proportion("a", n - 1, n), proportion("a", 1, n), proportion("a", n, n)
    assert float(all_but_one.number(all_but_one.value)[:-1]) < 100
    assert float(one.number(one.value)[:-1]) > 0
    assert float(every.number(every.value)[:-1]) == 100


@pytest.mark.parametrize(
    ("estimate", "text"),
    [
        (number(0.024123, 0.0207, 0.0275), "loss 0.0241 (0.0207-0.0275, n=10)"),
        (number(12345.6, 12000.0, 12691.2), "loss 12,346 (12,000-12,691, n=10)"),
        (number(-0.5, -1.0, 0.0), "loss -0.50 (-1.00 to 0.00, n=10)"),
        (number(0.3, 0.0, math.inf), "loss 0.3000 (no interval, n=10)"),
        (number(1.5, 1.5, 1.5), "loss 1.500 (1.500-1.500, n=10)"),
        (number(0.5, 0.1, 7.0), "loss 0.50 (0.10-7.00, n=10)"),
        (number(0.0, 0.0, 0.0), "loss 0.00 (0.00-0.00, n=10)"),
        (number(1.5e12, 1.4e12, 1.6e12), "loss 1.5e+12 (1.4e+12-1.6e+12, n=10)"),
        (number(1.5e-12, 1.4e-12, 1.6e-12), "loss 1.5e-12 (1.4e-12-1.6e-12, n=10)"),
        (proportion("precision", 0, 0), "precision undefined (0.0-100.0, n=0)"),
        (number(1.0, 0.5, 1.5, baseline=0.0, baseline_name="guess"), "loss 1.00 (0.50-1.50, n=10), guess: 0.00"),
    ],
)  # fmt: skip
def test_text(estimate, text):
    assert str(estimate) == text


def test_rounds_half_up_as_people_do():
    assert [rounded(x, 2, 1) for x in (0.1135, 0.1145, -0.0001)] == ["11.4", "11.5", "0.0"]


def test_json_has_no_nan():
    made = proportion("precision", 0, 0).to_json()
    assert json.loads(json.dumps(made, allow_nan=False)) == {
        "value": None, "low": 0.0, "high": 1.0, "n": 0, "baseline": None, "baseline_name": "",
    }  # fmt: skip
    assert number(1.0, 0.0, math.inf).to_json()["high"] is None


def test_f1_and_its_ends():
    estimate = f1_score("F1", 6, 2, 4)
    assert estimate.value == pytest.approx(2 * 6 / (2 * 6 + 2 + 4))
    low, high = wilson(6, 12)  # the Jaccard index is the proportion behind it
    assert (estimate.low, estimate.high) == pytest.approx((2 * low / (1 + low), 2 * high / (1 + high)))
    assert f1_score("F1", 5, 0, 0).high == 1 and f1_score("F1", 5, 0, 0).low < 1


def test_average_is_as_wide_as_if_all_erred_together():
    low, high = average([(0.5, 0.4, 0.7), (0.3, 0.2, 0.5)])
    assert (low, high) == pytest.approx((0.3, 0.6))
    assert average([]) == (0.0, 1.0)


def batches(draw_from, cuts):
    bounds = sorted({0, len(draw_from), *(cut % len(draw_from) for cut in cuts)})
    return [draw_from[a:b] for a, b in itertools.pairwise(bounds)]


@given(st.lists(st.tuples(floats, floats), min_size=3, max_size=40), st.lists(st.integers(0, 40), max_size=4))
def test_moments_in_chunks_are_those_of_all(rows, cuts):
    rows = np.array(rows)
    whole, parts = Moments.of(rows), [Moments.of(chunk) for chunk in batches(rows, cuts)]
    left = parts[0]
    for part in parts[1:]:
        left = left.plus(part)
    right = parts[-1]
    for part in parts[-2::-1]:
        right = part.plus(right)
    scale = 1 + np.abs(rows).max() ** 2 * len(rows)
    for made in (left, right):
        assert made.n == whole.n
        np.testing.assert_allclose(made.mean, whole.mean, atol=1e-9 * (1 + np.abs(rows).max()))
        np.testing.assert_allclose(made.co, whole.co, atol=1e-12 * scale)


def test_moments_keep_their_digits_far_from_zero():
    values = np.random.default_rng(0).normal(1e9, 1.0, (1000, 1))
    made = Moments.of(values[:1])
    for value in values[1:]:
        made = made.plus(Moments.of(value[None]))
    assert made.co[0, 0] / 999 == pytest.approx(values.var(ddof=1), rel=1e-6)


def test_the_interval_of_a_mean():
    made = Moments.of(np.array([[1.0], [2.0], [3.0], [6.0]])).estimate("loss", 0)
    ratio = math.sqrt(14 / 3 / 4) / 3  # by hand: the standard error over the mean
    low, high = 3 * math.exp(-(1.85 + 9 / 16) * ratio), 3 * math.exp((Z + 3) * ratio)
    assert (made.value, made.low, made.high) == pytest.approx((3.0, low, high))
    assert mean_estimate(0.0, 0.0, 9) == (0.0, 0.0) and mean_estimate(2.0, 0.0, 9) == (2.0, 2.0)
    assert mean_estimate(-1e-9, 1.0, 9) == pytest.approx((-student(8), student(8)))
    assert Moments.of(np.array([[1.0], [2.0]])).estimate("loss", 0).low >= 0
    one = Moments.of(np.array([[1.0]])).estimate("loss", 0)
    assert (one.low, one.high) == (0.0, math.inf)


def shares(a, b):
    made = Shares(1)
    made.add(np.array(a)[:, None], np.array(b)[:, None])
    return made


def test_students_deviation():
    """The table of every textbook, t at 97.5%."""
    for freedom, exact, off in ((4, 2.776, 0.06), (9, 2.262, 0.005), (29, 2.045, 0.001), (99, 1.984, 0.001)):
        assert student(freedom) == pytest.approx(exact, abs=off)


def test_a_share_of_examples_of_unequal_size():
    a, b = np.array([9.0, 5.0, 20.0]), np.array([10.0, 10.0, 20.0])
    made = shares(a, b).proportion("accuracy", 0, baseline=0.5, baseline_name="x")
    ratio = a.sum() / b.sum()
    variance = ((a - ratio * b) ** 2).sum() * 3 / 2 / b.sum() ** 2
    coins = ratio * (1 - ratio) / variance * (Z / student(2)) ** 2
    assert made.value == ratio and made.n == 3 and made.baseline == 0.5
    assert (made.low, made.high) == pytest.approx(wilson(ratio * coins, coins))
    loss = shares(a, b).mean("loss", 0)
    assert (loss.low, loss.high) == pytest.approx(mean_estimate(ratio, math.sqrt(variance), 3))


@pytest.mark.parametrize("a", [0, 7, 10])
def test_examples_that_do_not_differ_count_one_coin_each(a):
    made = shares([a] * 20, [10] * 20).proportion("accuracy", 0)
    assert (made.low, made.high) == pytest.approx(wilson(2 * a, 20))


def test_one_example_and_none_with_the_class():
    one = shares([90], [100])
    assert (one.proportion("accuracy", 0).low, one.mean("loss", 0).high) == (pytest.approx(wilson(0.9, 1)[0]), math.inf)
    none = shares([0], [0]).proportion("recall", 0)
    assert math.isnan(none.value) and (none.low, none.high, none.n) == (0.0, 1.0, 0)
    assert shares([1, 0], [2, 0]).proportion("recall", 0).n == 1


def test_the_interval_covers_what_it_says():
    random = np.random.default_rng(0)
    for examples in (5, 40):
        hits = 0
        for _ in range(400):
            rates = random.beta(9, 1, examples)  # accuracy 90%, positions of one example far from independent
            made = shares(random.binomial(50, rates), np.full(examples, 50)).proportion("accuracy", 0)
            hits += made.low <= 0.9 <= made.high
        assert 0.91 <= hits / 400 <= 0.99


def test_an_error_is_what_an_accuracy_lacks():
    made = proportion("accuracy", 8, 10, baseline=0.3, baseline_name="x").complement("error")
    other = proportion("error", 2, 10, baseline=0.7, baseline_name="x")
    assert made.name == "error" and (made.value, made.low, made.high, made.baseline) == pytest.approx(
        (other.value, other.low, other.high, other.baseline)
    )


def test_an_estimate_is_a_number() -> None:
    assert float(proportion("accuracy", 3, 4)) == 0.75


def test_an_estimate_shows_its_line() -> None:
    made = proportion("accuracy", 3, 4)
    assert repr([made]) == "[accuracy 75.0% (30.1-95.4, n=4)]"
