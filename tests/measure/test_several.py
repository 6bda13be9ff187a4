"""Several labels an example: counts by hand, chunks, merges, refusals."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from measure.figures import figures
from messages import message
from netwright.measure.several import LabelCounts, PositionLabels

P = np.array([[0.9, 0.2, 0.3], [0.6, 0.7, 0.0], [0.1, 0.5, 0.2], [0.8, 0.9, 1.0]])
T = np.array([[1, 0, 0], [0, 1, 0], [0, 1, 0], [1, 1, 0]])


def measured(p=P, t=T, taught=None):
    made = LabelCounts(("a", "b", "c"))
    if taught is not None:
        made.learn(taught)
    made.update(p, t)
    return made


def test_small_case_by_hand():
    seen = LabelCounts(("a", "b", "c"))
    losses = seen.update(P, T)
    report, classes = figures(seen), seen.classes()
    assert (seen.n, report.accuracy.value, report.exact.value) == (4, 10 / 12, 2 / 4)  # 0.5 says yes
    assert [(c.precision.value, c.recall.value) for c in classes[:2]] == [(2 / 3, 1.0), (1.0, 1.0)]
    assert classes[2].precision.value == 0 and math.isnan(classes[2].recall.value)
    assert report.macro_precision.value == pytest.approx((2 / 3 + 1 + 0) / 3)
    right = np.array([[0.9, 0.8, 0.7], [0.4, 0.7, 1], [0.9, 0.5, 0.8], [0.8, 0.9, 1e-12]])
    assert losses == pytest.approx(-np.log(right).mean(axis=1))
    assert report.log_loss.value == pytest.approx(-np.log(right).mean())
    assert seen.clipped == 1
    assert (report.accuracy.n, report.exact.baseline) == (4, 0.0)
    assert report.accuracy.baseline == pytest.approx((2 + 3 + 4) / 12)
    share = (0.5, 0.75)
    assert report.log_loss.baseline == pytest.approx(
        -sum(s * math.log(s) + (1 - s) * math.log(1 - s) for s in share) / 3
    )


def test_baselines_of_the_training_data():
    seen = measured(taught=np.array([[1, 0, 0], [1, 0, 0], [1, 1, 0], [0, 0, 1]]))
    report = figures(seen)
    assert seen.informed
    assert report.accuracy.baseline == pytest.approx((2 + 1 + 4) / 12)  # yes, no, no
    assert report.macro_recall.baseline == pytest.approx(1 / 3)


@given(st.integers(1, 20), st.integers(0, 2**32 - 1), st.integers(0, 20))
def test_chunks_are_all_at_once(n, seed, cut):
    random = np.random.default_rng(seed)
    p, t = random.random((n, 3)), random.random((n, 3)) < 0.4
    whole, parts = measured(p, t), measured(p[:cut], t[:cut])
    parts.update(p[cut:], t[cut:])
    assert str(parts.classes()) == str(whole.classes())
    for left, right in zip(figures(parts).figures, figures(whole).figures, strict=True):
        assert (left.value, left.low, left.high) == pytest.approx((right.value, right.low, right.high), nan_ok=True)


def test_tensors_come_in():
    report = figures(measured(torch.tensor(P), torch.tensor(T).float()))
    assert str(report.accuracy) == "accuracy 83.3% (36.2-97.8, n=4), each label's commoner answer: 75.0%"


def test_bad_batches_are_refused_and_change_nothing():
    made = measured()
    before = str(figures(made).figures)
    assert message(lambda: made.update(P, T * 2)) == (
        "a target that is neither 0 nor 1\n"
        "  where:    targets, row 4\n"
        "  expected: 0 or 1 for each label\n"
        "  got:      [2, 0, 0]"
    )
    assert message(lambda: made.update(P, T[:, 0])) == (
        "targets of another shape than expected\n  expected: (4, 3), 0 or 1 for each label\n  got:      (4,)"
    )
    assert message(lambda: made.update(P * 3, T)).startswith(
        "a number that is no probability\n  where:    probabilities, row 4\n  expected: numbers from 0 to 1\n"
        "  got:      [2.7, 0.6, 0.9]\n"
    )
    assert str(figures(made).figures) == before


def test_bad_options_are_refused():
    assert message(lambda: LabelCounts(("a", "a"))) == (
        "labels that are not all different\n  expected: at least one, each once\n  got:      ['a', 'a']"
    )


def at_positions(p, t, cuts):
    made = PositionLabels(("a", "b", "c"))
    made.update(np.split(p, cuts), np.split(t, cuts))
    return made


def test_positions_by_hand():
    seen = PositionLabels(("a", "b", "c"))
    losses = seen.update([P[:3], P[3:]], [T[:3], T[3:]])
    report, classes = figures(seen), seen.classes()
    assert (seen.n, seen.counted, seen.unit) == (2, 4, "positions")
    assert report.accuracy.value == pytest.approx(10 / 12)
    assert (report.accuracy.n, report.exact.value, report.exact.baseline) == (2, 0.0, 0.0)
    assert [(c.count, c.precision.value, c.recall.value) for c in classes[:2]] == [(2, 2 / 3, 1.0), (3, 1.0, 1.0)]
    right = np.array([[0.9, 0.8, 0.7], [0.4, 0.7, 1], [0.9, 0.5, 0.8], [0.8, 0.9, 1e-12]])
    each = -np.log(right).mean(axis=1)
    assert losses == pytest.approx([each[:3].mean(), each[3]])
    assert report.log_loss.value == pytest.approx(each.mean())
    assert seen.clipped == 1


def test_with_one_position_each_the_values_are_those_of_examples():
    random = np.random.default_rng(0)
    p, t = random.random((400, 3)), random.integers(0, 2, (400, 3))
    plain, made = measured(p, t), at_positions(p, t, np.arange(1, 400))
    pairs = list(zip(figures(made).figures, figures(plain).figures, strict=True))
    for x, y in zip(made.classes(), plain.classes(), strict=True):
        pairs += zip(x.figures, y.figures, strict=True)
    for a, b in pairs:
        assert (a.name, a.value, a.baseline) == (b.name, pytest.approx(b.value), pytest.approx(b.baseline))
    assert figures(made).log_loss.high == pytest.approx(figures(plain).log_loss.high, rel=1e-3)


@given(st.integers(2, 20), st.integers(0, 2**32 - 1), st.integers(1, 19))
def test_chunks_of_positions_are_all_at_once(n, seed, cut):
    random = np.random.default_rng(seed)
    lengths = random.integers(1, 5, n)
    ends = np.cumsum(lengths)
    p, t = random.random((ends[-1], 3)), random.integers(0, 2, (ends[-1], 3))
    given_, right = np.split(p, ends[:-1]), np.split(t, ends[:-1])
    whole, parts = PositionLabels(("a", "b", "c")), PositionLabels(("a", "b", "c"))
    whole.update(given_, right)
    parts.update(given_[:cut], right[:cut])
    parts.update(given_[cut:], right[cut:])
    for a, b in zip(figures(whole).figures, figures(parts).figures, strict=True):
        assert (a.value, a.low, a.high) == pytest.approx((b.value, b.low, b.high))


def test_an_example_without_positions_counts_in_no_figure():
    whole, with_none = PositionLabels(("a", "b", "c")), PositionLabels(("a", "b", "c"))
    whole.update([P], [T])
    assert np.isnan(with_none.update([P[:0], P], [T[:0], T])).tolist() == [True, False]
    assert np.isnan(with_none.update([P[:0]], [T[:0]])).all()
    assert str(figures(with_none).figures) == str(figures(whole).figures)
    assert (with_none.n, with_none.without, with_none.counted) == (1, 2, 4)


def test_positions_that_stand_and_fall_together_count_less():
    t = np.ones((5000, 3), int)
    together = np.repeat(np.where(np.arange(100) < 20, 0.2, 0.8), 50)[:, None].repeat(3, 1)
    apart = np.random.default_rng(0).permutation(together)
    wide, narrow = (figures(at_positions(p, t, np.arange(50, 5000, 50))) for p in (together, apart))
    for name in ("accuracy", "macro_recall", "log_loss"):
        a, b = getattr(wide, name), getattr(narrow, name)
        assert a.value == pytest.approx(b.value)
        assert a.high - a.low > 3 * (b.high - b.low)


def test_baselines_of_the_training_data_at_positions():
    seen = PositionLabels(("a", "b", "c"))
    seen.learn([np.array([[1, 0, 0], [1, 0, 0]]), np.array([[1, 1, 0], [0, 0, 1]])])
    seen.update([P], [T])
    assert figures(seen).accuracy.baseline == pytest.approx((2 + 1 + 4) / 12)


@pytest.mark.parametrize(
    ("p", "t", "text"),
    [
        (
            P[:, :2],
            T,
            "probabilities of example 0 of another shape than expected\n"
            "  expected: (4, 3), one for each of the 3 labels at every position\n  got:      (4, 2)",
        ),
        (
            P,
            T[:2],
            "targets of example 0 of another shape than expected\n"
            "  expected: (4, 3), 0 or 1 for each label at every position\n  got:      (2, 3)",
        ),
        (
            P,
            T * 2,
            "a target that is neither 0 nor 1\n  where:    targets of example 0, position 0\n"
            "  expected: 0 or 1 for each label\n  got:      [2, 0, 0]",
        ),
    ],
)
def test_positions_that_are_refused(p, t, text):
    seen = PositionLabels(("a", "b", "c"))
    assert message(lambda: seen.update([p], [t])) == text
    assert seen.n == seen.counted == 0
