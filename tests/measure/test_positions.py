"""A class for every position: counts by hand, agreement with plain classification, intervals by examples, refusals."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from measure.figures import figures
from netwright.errors import DataError
from netwright.measure.classification import ClassCounts
from netwright.measure.positions import PositionCounts
from netwright.measure.report import attribute

P = [np.array([[0.9, 0.1], [0.4, 0.6]]), np.array([[0.7, 0.3]]), np.array([[0.2, 0.8], [0.1, 0.9], [0.6, 0.4]])]
T = [np.array([0, 1]), np.array([1]), np.array([1, 1, 0])]


def measured(p=P, t=T, **options):
    made = PositionCounts(("a", "b"), **options)
    made.update(p, t)
    return made


def drawn(seed, n, k, longest=8):
    """n examples of 1 to `longest` positions."""
    random = np.random.default_rng(seed)
    lengths = random.integers(1, longest + 1, n)
    return [random.dirichlet(np.ones(k), m) for m in lengths], [random.integers(0, k, m) for m in lengths]


def test_small_case_by_hand():
    seen = PositionCounts(("a", "b"))
    losses = seen.update(P, T)
    report, classes = figures(seen), seen.classes()
    assert (seen.n, seen.counted, report.accuracy.value, report.exact.value) == (3, 6, 5 / 6, 2 / 3)
    assert seen.confusion().counts.tolist() == [[2, 0], [1, 3]]
    assert (report.accuracy.n, report.accuracy.baseline, report.accuracy.baseline_name) == (3, 4 / 6, 'always "b"')
    assert report.exact.baseline == 1 / 3  # the second example is b throughout
    assert report.log_loss.value == pytest.approx(-np.log([0.9, 0.6, 0.3, 0.8, 0.9, 0.6]).mean())
    assert [(one.count, one.precision.value, one.recall.value) for one in classes] == [
        (2, 2 / 3, 1.0),
        (4, 1.0, 3 / 4),
    ]
    assert classes[0].f1.value == pytest.approx(2 * 2 / (2 * 2 + 1))
    own = [-np.log([0.9, 0.6]).mean(), -np.log(0.3), -np.log([0.8, 0.9, 0.6]).mean()]
    assert losses == pytest.approx(own)


def test_with_one_position_each_the_values_are_those_of_classification():
    p, t = drawn(0, 500, 4, longest=1)
    both = PositionCounts(tuple("abcd"), top=(2, 3)), ClassCounts(tuple("abcd"), top=(2, 3))
    both[0].update(p, t)
    both[1].update(np.concatenate(p), np.concatenate(t))
    mine, plain = figures(both[0]), figures(both[1])
    assert both[0].confusion() == both[1].confusion()
    pairs = [(figure, getattr(plain, attribute(figure.name))) for figure in mine.figures if figure.name != "exact"]
    for x, y in zip(both[0].classes(), both[1].classes(), strict=True):
        pairs += zip(x.figures, y.figures, strict=True)
    for a, b in pairs:
        assert (a.value, a.baseline) == (pytest.approx(b.value), pytest.approx(b.baseline))
        assert a.name == b.name and a.baseline_name == b.baseline_name
    assert mine.accuracy.low == pytest.approx(plain.accuracy.low, abs=1e-3)  # independent coins, and as many
    assert mine.accuracy.high == pytest.approx(plain.accuracy.high, abs=1e-3)
    assert mine.log_loss.high == pytest.approx(plain.log_loss.high, rel=1e-3)


@given(st.integers(1, 20), st.integers(0, 2**32 - 1), st.integers(0, 20))
def test_chunks_are_all_at_once(n, seed, cut):
    p, t = drawn(seed, n, 3)
    whole, parts = PositionCounts(tuple("abc"), top=(2,)), PositionCounts(tuple("abc"), top=(2,))
    whole.update(p, t)
    parts.update(p[:cut], t[:cut])
    parts.update(p[cut:], t[cut:])
    assert whole.confusion() == parts.confusion()
    for a, b in zip(figures(whole).figures, figures(parts).figures, strict=True):
        assert (a.value, a.low, a.high) == pytest.approx((b.value, b.low, b.high))


def test_positions_that_stand_and_fall_together_count_less():
    t = [np.zeros(50, int)] * 100
    together = [np.tile([[0.2, 0.8]] if i < 20 else [[0.8, 0.2]], (50, 1)) for i in range(100)]
    random = np.random.default_rng(0)
    apart = [np.where(random.random((50, 1)) < 0.2, [[0.2, 0.8]], [[0.8, 0.2]]) for _ in range(100)]
    wide, narrow = (figures(measured(p, t)).accuracy for p in (together, apart))
    assert wide.high - wide.low > 5 * (narrow.high - narrow.low)
    assert (wide.low, wide.high) == pytest.approx((0.711, 0.867), abs=2e-3)  # as 100 coins, not 5,000


def test_two_labels_from_one_probability():
    one = measured([p[:, 1:] for p in P])
    assert one.confusion() == measured().confusion()
    assert figures(one).log_loss.value == pytest.approx(figures(measured()).log_loss.value)


def test_tensors_of_half_precision_and_any_shape_of_positions():
    seen = measured([torch.tensor(p)[None].bfloat16() for p in P], [torch.tensor(t)[None] for t in T])
    assert figures(seen).accuracy.value == 5 / 6


def test_baselines_of_the_training_data():
    seen = PositionCounts(("a", "b"))
    seen.learn([np.array([0, 0]), np.array([0])])
    seen.update(P, T)
    report = figures(seen)
    assert (report.accuracy.baseline, report.accuracy.baseline_name) == (2 / 6, 'always "a"')
    assert report.exact.baseline == 0


def test_a_metric_of_ones_own_is_wider_where_positions_stand_and_fall_together():
    t = [np.full(50, i % 2) for i in range(100)]
    together = [np.full(50, i % 5 > 0) for i in range(100)]  # whether it is right
    apart = [np.random.default_rng(i).random(50) < 0.8 for i in range(100)]

    def said(right):
        yes = np.where(right, t, 1 - np.array(t))  # (100, 50)
        return list(np.stack([1 - yes, yes], axis=2).astype(float))

    def f2(seen):
        return seen.over_classes(
            "macro F2", lambda right, wrong, missed, _: 5 * right / (5 * right + wrong + 4 * missed)
        )

    wide, narrow = (f2(measured(said(right), t)) for right in (together, apart))
    assert wide.high - wide.low > 3 * (narrow.high - narrow.low)


def test_an_example_without_positions_counts_in_no_figure():
    none, of_none = np.ones((0, 2)), np.zeros(0, int)
    seen = measured()
    with_none = PositionCounts(("a", "b"))
    losses = with_none.update([none, *P, none], [of_none, *T, of_none])
    assert np.isnan(losses).tolist() == [True, False, False, False, True]
    assert str(figures(with_none).figures) == str(figures(seen).figures)
    assert (with_none.n, with_none.without, with_none.seen, seen.without) == (3, 2, 5, 0)
    assert with_none.confusion() == seen.confusion()
    with pytest.raises(DataError, match="probabilities of example 6 of another shape"):
        with_none.update([none, np.ones((2, 3)) / 3], [of_none, np.array([0, 1])])
    assert with_none.seen == 5


def test_clipped_probabilities_are_said():
    seen = measured([np.array([[1.0, 0.0], [1.0, 0.0]])], [np.array([1, 0])])
    assert seen.clipped == 1
    assert seen.notes() == ("probabilities below 1e-12, taken as 1e-12 in the log loss: 1",)


@pytest.mark.parametrize(
    ("p", "t", "text"),
    [
        (
            P[:1],
            [np.array([0, 1, 1])],
            "targets of example 0 of another shape than expected\n"
            "  expected: (2,), a class index for each position that the net gave\n"
            "  got:      (3,)",
        ),
        (
            [np.ones((2, 3)) / 3],
            [np.array([0, 1])],
            "probabilities of example 0 of another shape than expected\n"
            "  expected: (2, 2), one for each of the 2 labels at every position\n"
            "  got:      (2, 3)",
        ),
    ],
)
def test_what_does_not_fit_changes_nothing(p, t, text):
    metric = measured()
    before = str(figures(metric).figures)
    with pytest.raises(DataError) as error:
        PositionCounts(("a", "b")).update(p, t)
    assert str(error.value) == text
    with pytest.raises(DataError):
        metric.update(p, t)
    assert str(figures(metric).figures) == before


def test_bad_options_and_an_empty_batch():
    with pytest.raises(DataError, match="labels that offer no choice"):
        PositionCounts(("a",))
    with pytest.raises(DataError, match="a top-n accuracy that says nothing"):
        PositionCounts(("a", "b"), top=(3,))
    empty = PositionCounts(("a", "b"))
    assert len(empty.update([], [])) == 0 and empty.n == 0
