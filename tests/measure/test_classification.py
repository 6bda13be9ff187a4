"""Counts by hand, chunks against all at once, and every refusal in full."""

import itertools
import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from measure.figures import figures
from messages import message
from netwright.measure.classification import ClassCounts
from netwright.measure.counts import Confusion
from netwright.measure.report import figure_lines

P = np.array([[0.7, 0.2, 0.1], [0.1, 0.3, 0.6], [0.5, 0.25, 0.25], [0.2, 0.4, 0.4], [0.0, 1.0, 0.0]])
T = np.array([0, 1, 2, 1, 0])

TEXT = """\
accuracy         40.0%  (11.8-76.9)  always "a": 40.0%
error            60.0%  (23.1-88.2)  always "a": 60.0%
top-2 accuracy   80.0%  (37.6-96.4)  always the 2 commonest: 80.0%
log loss           6.3  (1.0-420.8)  class frequencies: 1.1
macro precision  33.3%  (5.5-81.1)   always "a": 13.3%
macro recall     33.3%  (5.3-81.6)   always "a": 33.3%
macro F1         33.3%  (5.5-81.1)   always "a": 19.0%"""


def measured(p=P, t=T, taught=None, **options):
    made = ClassCounts(("a", "b", "c"), **options)
    if taught is not None:
        made.learn(np.array(taught))
    made.update(p, t)
    return made


def test_small_case_by_hand():
    seen = ClassCounts(("a", "b", "c"), top=(2, 3))
    losses = seen.update(P, T)
    report, classes = figures(seen), seen.classes()
    assert seen.confusion().counts.tolist() == [[1, 1, 0], [0, 1, 1], [1, 0, 0]]
    assert (seen.n, report.accuracy.value, report.error.value) == (5, 2 / 5, 3 / 5)
    # rank of the target: 0, 1, 2 (b is equal and comes first), 0, 1 (a is equal to c and comes first)
    assert (report.top_2_accuracy.value, report.top_3_accuracy.value) == (4 / 5, 1.0)
    assert losses == pytest.approx([-math.log(p) for p in (0.7, 0.3, 0.25, 0.4, 1e-12)])
    assert report.log_loss.value == pytest.approx(losses.mean())
    assert seen.clipped == 1
    assert [c.precision.value for c in classes] == [1 / 2, 1 / 2, 0]
    assert [c.recall.value for c in classes] == [1 / 2, 1 / 2, 0]
    macros = (report.macro_precision, report.macro_recall, report.macro_f1)
    assert [made.value for made in macros] == pytest.approx([1 / 3, 1 / 3, 1 / 3])
    assert seen.confusion().most_confused(1) == (Confusion("a", "b", 1),)


def test_the_text():
    assert figure_lines(figures(measured(top=(2,))).figures) == TEXT


def test_baselines_of_the_measured_data():
    seen = measured(top=(2,))
    report = figures(seen)
    assert not seen.informed
    assert (report.accuracy.baseline, report.accuracy.baseline_name) == (2 / 5, 'always "a"')
    assert report.error.baseline == pytest.approx(3 / 5)
    assert (report.top_2_accuracy.baseline, report.top_2_accuracy.baseline_name) == (4 / 5, "always the 2 commonest")
    assert report.log_loss.baseline == pytest.approx(-(0.4 * math.log(0.4) * 2 + 0.2 * math.log(0.2)))


def test_baselines_of_the_training_data():
    seen = measured(top=(2,), taught=[0, 1, 2, 2])
    report = figures(seen)
    assert seen.informed
    assert (report.accuracy.baseline, report.accuracy.baseline_name) == (1 / 5, 'always "c"')
    assert report.top_2_accuracy.baseline == pytest.approx(3 / 5)  # c, then a, the first of equals
    assert report.log_loss.baseline == pytest.approx(-(0.8 * math.log(0.25) + 0.2 * math.log(0.5)))
    assert report.macro_recall.baseline == pytest.approx(1 / 3)


def test_yes_or_no_is_two_classes_and_yes_from_one_half_on():
    made = ClassCounts((False, True))
    made.update(torch.tensor([[0.2], [0.9], [0.5], [0.7]]), torch.tensor([[0], [1], [1], [0]], dtype=torch.uint8))
    assert made.confusion().counts.tolist() == [[1, 1], [0, 2]]
    expected = -sum(map(math.log, (0.8, 0.9, 0.5, 0.3))) / 4
    assert figures(made).log_loss.value == pytest.approx(expected, rel=1e-6)


def test_a_metric_of_ones_own_over_classes():
    def f2(seen):
        return seen.over_classes(
            "macro F2", lambda right, wrong, missed, _: 5 * right / (5 * right + wrong + 4 * missed)
        )

    made = f2(measured())
    assert made.value == pytest.approx((1 / 2 + 5 / 10 + 0) / 3)
    assert made.low < made.value < made.high and made.n == 5
    assert made.baseline == pytest.approx(5 * 2 / (5 * 2 + 3) / 3)
    f1 = measured().over_classes("macro F1", lambda right, wrong, missed, _: 2 * right / (2 * right + wrong + missed))
    assert f1 == figures(measured()).macro_f1


def test_classes_that_neither_occur_nor_are_given_are_left_out():
    seen = ClassCounts(("a", "b", "c"))
    seen.update(np.array([[1.0, 0.0, 0.0]] * 10), np.array([0] * 8 + [1] * 2))
    report = figures(seen)
    assert report.macro_precision.value == pytest.approx(0.8 / 2)  # that of b, which was never given, counts as 0
    assert report.macro_recall.value == pytest.approx(1 / 2)
    assert report.macro_f1.value == pytest.approx(16 / 18 / 2)
    naive = (report.macro_precision.baseline, report.macro_recall.baseline, report.macro_f1.baseline)
    assert naive == pytest.approx((0.4, 0.5, 1.6 / 1.8 / 2))


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float32, torch.float64])
def test_any_precision_and_a_gradient_come_in(dtype):
    p = torch.tensor(P).to(dtype).requires_grad_()
    made = measured(p * 1, torch.tensor(T, dtype=torch.uint8))
    assert made.confusion() == measured().confusion()


@given(st.integers(1, 30), st.integers(0, 2**32 - 1), st.lists(st.integers(0, 30), max_size=4))
def test_chunks_are_all_at_once(n, seed, cuts):
    random = np.random.default_rng(seed)
    p, t = random.dirichlet((0.3, 0.3, 0.3), n).round(3), random.integers(0, 3, n)
    p[:, 2] = 1 - p[:, 0] - p[:, 1]
    p = p.clip(0, 1)
    whole, stream = measured(p, t, top=(2,)), ClassCounts(("a", "b", "c"), top=(2,))
    for a, b in itertools.pairwise(sorted({0, n, *(min(cut, n) for cut in cuts)})):
        stream.update(p[a:b], t[a:b])
    assert (stream.confusion(), stream.clipped, stream.n) == (whole.confusion(), whole.clipped, n)
    for got, expected in zip(figures(stream).figures, figures(whole).figures, strict=True):
        assert (got.value, got.low) == pytest.approx((expected.value, expected.low), rel=1e-9, abs=1e-6, nan_ok=True)


SOFTMAX = "  mend:     give probabilities: nw.softmax (one class) or nw.sigmoid (yes or no) comes after the last Linear"


def changed(row, *values):
    p = P.copy()
    p[row] = values
    return p


@pytest.mark.parametrize(
    ("p", "t", "text"),
    [
        (
            P,
            np.array([0, 1, 3, 1, 0]),
            "a target that is not a class\n"
            "  where:    targets, row 7\n"
            "  expected: an index 0..2, for 3 labels\n"
            "  got:      3",
        ),
        (
            P,
            T - 1,
            "a target that is not a class\n"
            "  where:    targets, row 5\n"
            "  expected: an index 0..2, for 3 labels\n"
            "  got:      -1",
        ),
        (
            P,
            T.astype(float),
            "class targets that are not integers\n  expected: indices 0..2\n  got:      float64 numbers",
        ),
        (
            P,
            T[:4],
            "targets of another shape than expected\n  expected: (5,), one class index an example\n  got:      (4,)",
        ),
        (
            P[:, :2],
            T,
            "probabilities of another shape than expected\n"
            "  expected: (5, 3), one probability for each of the 3 labels\n"
            "  got:      (5, 2)",
        ),
        (
            changed(1, np.nan, 0, 1),
            T,
            "a number that is no probability\n"
            "  where:    probabilities, row 6\n"
            "  expected: numbers from 0 to 1\n"
            "  got:      [nan, 0, 1]\n"
            f"{SOFTMAX}",
        ),
        (
            changed(4, -3.0, 2, 2),
            T,
            "a number that is no probability\n"
            "  where:    probabilities, row 9\n"
            "  expected: numbers from 0 to 1\n"
            "  got:      [-3, 2, 2]\n"
            f"{SOFTMAX}",
        ),
        (
            changed(2, 0.5, 0.5, 0.5),
            T,
            "probabilities that do not add up\n"
            "  where:    probabilities, row 7\n"
            "  expected: numbers that add up to 1, not to 1.5\n"
            "  got:      [0.5, 0.5, 0.5]\n"
            f"{SOFTMAX}",
        ),
    ],
)
def test_a_batch_that_does_not_fit_is_refused_and_changes_nothing(p, t, text):
    made = measured()
    before = str(figures(made).figures)
    assert message(lambda: made.update(p, t)) == text  # rows count from the first example: 5 came before
    assert str(figures(made).figures) == before


@pytest.mark.parametrize(
    ("labels", "options", "text"),
    [
        (("a",), {}, "labels that offer no choice\n  expected: at least two, each once\n  got:      ['a']"),
        (
            ("a", "b", "a"),
            {},
            "labels that offer no choice\n  expected: at least two, each once\n  got:      ['a', 'b', 'a']",
        ),
        (
            ("a", "b"),
            {"top": (1,)},
            "a top-n accuracy that says nothing\n  expected: n from 2 to 2, for 2 labels\n  got:      1",
        ),
        (
            ("a", "b"),
            {"top": (3,)},
            "a top-n accuracy that says nothing\n  expected: n from 2 to 2, for 2 labels\n  got:      3",
        ),
    ],
)
def test_options_that_do_not_fit_are_refused(labels, options, text):
    assert message(lambda: ClassCounts(labels, **options)) == text
