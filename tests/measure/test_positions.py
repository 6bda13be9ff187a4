"""A class for every position: counts by hand, agreement with plain classification, intervals by examples, refusals."""

import json

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from netwright.errors import DataError
from netwright.measure.classification import Classification
from netwright.measure.positions import ClassifiedPositions

P = [np.array([[0.9, 0.1], [0.4, 0.6]]), np.array([[0.7, 0.3]]), np.array([[0.2, 0.8], [0.1, 0.9], [0.6, 0.4]])]
T = [np.array([0, 1]), np.array([1]), np.array([1, 1, 0])]


def measured(p=P, t=T, **options):
    made = ClassifiedPositions(("a", "b"), **options)
    made.update(p, t)
    return made


def drawn(seed, n, k, longest=8):
    """n examples of 1 to `longest` positions."""
    random = np.random.default_rng(seed)
    lengths = random.integers(1, longest + 1, n)
    return [random.dirichlet(np.ones(k), m) for m in lengths], [random.integers(0, k, m) for m in lengths]


def test_small_case_by_hand():
    report = measured().result()
    assert (report.n, report.positions, report.accuracy.value, report.exact.value) == (3, 6, 5 / 6, 2 / 3)
    assert report.confusion.counts.tolist() == [[2, 0], [1, 3]]
    assert (report.accuracy.n, report.accuracy.baseline, report.accuracy.baseline_name) == (3, 4 / 6, 'always "b"')
    assert report.exact.baseline == 1 / 3  # the second example is b throughout
    assert report.log_loss.value == pytest.approx(-np.log([0.9, 0.6, 0.3, 0.8, 0.9, 0.6]).mean())
    assert [(one.count, one.precision.value, one.recall.value) for one in report.classes] == [
        (2, 2 / 3, 1.0),
        (4, 1.0, 3 / 4),
    ]
    assert report.classes[0].f1.value == pytest.approx(2 * 2 / (2 * 2 + 1))
    assert report.worst.indices == (1, 0, 2)


def test_with_one_position_each_the_values_are_those_of_classification():
    p, t = drawn(0, 500, 4, longest=1)
    both = ClassifiedPositions(tuple("abcd"), top=(2, 3)), Classification(tuple("abcd"), top=(2, 3))
    both[0].update(p, t)
    both[1].update(np.concatenate(p), np.concatenate(t))
    mine, plain = both[0].result(), both[1].result()
    assert mine.confusion == plain.confusion and mine.worst == plain.worst
    for a, b in [
        *((getattr(mine, name), getattr(plain, name)) for name in ("accuracy", "error", "log_loss", "f1")),
        *zip(mine.top, plain.top, strict=True),
        *(
            (getattr(x, name), getattr(y, name))
            for x, y in zip(mine.classes, plain.classes, strict=True)
            for name in ("precision", "recall", "f1")
        ),
    ]:
        assert (a.value, a.baseline) == (pytest.approx(b.value), pytest.approx(b.baseline))
        assert a.name == b.name and a.baseline_name == b.baseline_name
    assert mine.accuracy.low == pytest.approx(plain.accuracy.low, abs=1e-3)  # independent coins, and as many
    assert mine.accuracy.high == pytest.approx(plain.accuracy.high, abs=1e-3)
    assert mine.log_loss.high == pytest.approx(plain.log_loss.high, rel=1e-3)


@given(st.integers(1, 20), st.integers(0, 2**32 - 1), st.integers(0, 20))
def test_chunks_are_all_at_once(n, seed, cut):
    p, t = drawn(seed, n, 3)
    whole, parts = ClassifiedPositions(tuple("abc"), top=(2,)), ClassifiedPositions(tuple("abc"), top=(2,))
    whole.update(p, t)
    parts.update(p[:cut], t[:cut])
    parts.update(p[cut:], t[cut:])
    left, right = whole.result(), parts.result()
    assert left.confusion == right.confusion and left.worst.indices == right.worst.indices
    for name in ("accuracy", "exact", "log_loss", "precision", "recall", "f1"):
        a, b = getattr(left, name), getattr(right, name)
        assert (a.value, a.low, a.high) == pytest.approx((b.value, b.low, b.high))


def test_positions_that_stand_and_fall_together_count_less():
    t = [np.zeros(50, int)] * 100
    together = [np.tile([[0.2, 0.8]] if i < 20 else [[0.8, 0.2]], (50, 1)) for i in range(100)]
    random = np.random.default_rng(0)
    apart = [np.where(random.random((50, 1)) < 0.2, [[0.2, 0.8]], [[0.8, 0.2]]) for _ in range(100)]
    wide, narrow = (measured(p, t).result().accuracy for p in (together, apart))
    assert wide.high - wide.low > 5 * (narrow.high - narrow.low)
    assert (wide.low, wide.high) == pytest.approx((0.711, 0.867), abs=2e-3)  # as 100 coins, not 5,000


def test_two_labels_from_one_probability():
    one = measured([p[:, 1:] for p in P]).result()
    assert one.confusion == measured().result().confusion
    assert one.log_loss.value == pytest.approx(measured().result().log_loss.value)


def test_tensors_of_half_precision_and_json():
    report = measured([torch.tensor(p).bfloat16() for p in P], [torch.tensor(t) for t in T]).result()
    assert report.accuracy.value == 5 / 6
    again = json.loads(json.dumps(report.to_json()))
    assert (again["positions"], again["exact"]["value"], again["confusion"]["labels"]) == (6, 2 / 3, ["a", "b"])


def test_the_text():
    text = str(measured(worst=1).result())
    assert text.startswith(
        "6 positions of 3 examples, 2 classes; 95% intervals, from how examples differ; "
        "baselines from the measured data\naccuracy         83.3%"
    )
    assert "class  positions" in text and "confusion matrix of positions" in text and "#1 (loss 1.2)" in text


def test_clipped_probabilities_are_said():
    report = measured([np.array([[1.0, 0.0], [1.0, 0.0]])], [np.array([1, 0])]).result()
    assert report.clipped == 1
    assert "probabilities below 1e-12, taken as 1e-12 in the log loss: 1\n" in str(report)


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
        (
            [np.ones((0, 2))],
            [np.zeros(0, int)],
            "an example without positions\n  where:    example 0\n  expected: at least one position",
        ),
    ],
)
def test_what_does_not_fit_changes_nothing(p, t, text):
    metric = measured()
    before = metric.result().to_json()
    with pytest.raises(DataError) as error:
        ClassifiedPositions(("a", "b")).update(p, t)
    assert str(error.value) == text
    with pytest.raises(DataError):
        metric.update(p, t)
    assert metric.result().to_json() == before


def test_no_example_and_bad_options():
    with pytest.raises(DataError, match="nothing was measured"):
        ClassifiedPositions(("a", "b")).result()
    with pytest.raises(DataError, match="labels that are no choice"):
        ClassifiedPositions(("a",))
    with pytest.raises(DataError, match="a top-n accuracy that says nothing"):
        ClassifiedPositions(("a", "b"), top=(3,))
    empty = ClassifiedPositions(("a", "b"))
    empty.update([], [])
    with pytest.raises(DataError, match="nothing was measured"):
        empty.result()
