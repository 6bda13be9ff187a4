"""Counts by hand, chunks against all at once, merges in any grouping, and every refusal in full."""

import itertools
import json
import math
import time

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from netwright.errors import DataError
from netwright.measure.classification import Classification
from netwright.measure.counts import Confusion

P = np.array([[0.7, 0.2, 0.1], [0.1, 0.3, 0.6], [0.5, 0.25, 0.25], [0.2, 0.4, 0.4], [0.0, 1.0, 0.0]])
T = np.array([0, 1, 2, 1, 0])

TEXT = """\
5 examples, 3 classes; 95% intervals; baselines from the measured data
accuracy         40.0%  (11.8-76.9)  always "a": 40.0%
error            60.0%  (23.1-88.2)  always "a": 60.0%
top-2 accuracy   80.0%  (37.6-96.4)  always the 2 commonest: 80.0%
log loss           6.3  (1.0-420.8)  class frequencies: 1.1
macro precision  33.3%  (5.5-81.1)   always "a": 13.3%
macro recall     33.3%  (5.3-81.6)   always "a": 33.3%
macro F1         33.3%  (5.5-81.1)   always "a": 19.0%
probabilities below 1e-12, taken as 1e-12 in the log loss: 1

class  examples  precision              recall                 F1
a             2      50.0%  (9.5-90.5)   50.0%  (9.5-90.5)  50.0%  (11.6-88.4)
b             2      50.0%  (9.5-90.5)   50.0%  (9.5-90.5)  50.0%  (11.6-88.4)
c             1       0.0%  (0.0-79.3)    0.0%  (0.0-79.3)   0.0%   (0.0-79.3)

confusion matrix, rows: actual, columns: predicted
   a  b  c
a  1  1  .
b  .  1  1
c  1  .  .
most confused: a as b (1), b as c (1), c as a (1)

worst examples
#4 (loss 27.6), #2 (loss 1.39), #1 (loss 1.2), #3 (loss 0.916), #0 (loss 0.357)"""


def measured(p=P, t=T, losses=None, **options):
    made = Classification(("a", "b", "c"), **options)
    made.update(p, t, losses)
    return made


def test_small_case_by_hand():
    report = measured(top=(2, 3)).result()
    assert report.confusion.counts.tolist() == [[1, 1, 0], [0, 1, 1], [1, 0, 0]]
    assert (report.n, report.accuracy.value, report.error.value) == (5, 2 / 5, 3 / 5)
    # rank of the target: 0, 1, 2 (b is equal and comes first), 0, 1 (a is equal to c and comes first)
    assert [(e.name, e.value) for e in report.top] == [("top-2 accuracy", 4 / 5), ("top-3 accuracy", 1.0)]
    assert report.log_loss.value == pytest.approx(-sum(map(math.log, (0.7, 0.3, 0.25, 0.4, 1e-12))) / 5)
    assert report.clipped == 1
    assert [c.precision.value for c in report.classes] == [1 / 2, 1 / 2, 0]
    assert [c.recall.value for c in report.classes] == [1 / 2, 1 / 2, 0]
    assert (report.precision.value, report.recall.value, report.f1.value) == pytest.approx((1 / 3, 1 / 3, 1 / 3))
    assert report.worst.indices == (4, 2, 1, 3, 0)
    assert report.confusion.most_confused(1) == (Confusion("a", "b", 1),)


def test_baselines_of_the_measured_data():
    report = measured(top=(2,)).result()
    assert report.baseline_from == "the measured data"
    assert (report.accuracy.baseline, report.accuracy.baseline_name) == (2 / 5, 'always "a"')
    assert report.error.baseline == pytest.approx(3 / 5)
    assert (report.top[0].baseline, report.top[0].baseline_name) == (4 / 5, "always the 2 commonest")
    assert report.log_loss.baseline == pytest.approx(-(0.4 * math.log(0.4) * 2 + 0.2 * math.log(0.2)))


def test_baselines_of_the_training_data():
    report = measured(top=(2,), baseline_counts=(1, 1, 2)).result()
    assert report.baseline_from == "the training data"
    assert (report.accuracy.baseline, report.accuracy.baseline_name) == (1 / 5, 'always "c"')
    assert report.top[0].baseline == pytest.approx(3 / 5)  # c, then a, the first of equals
    assert report.log_loss.baseline == pytest.approx(-(0.8 * math.log(0.25) + 0.2 * math.log(0.5)))


def test_losses_of_ones_own_order_the_worst_and_change_nothing_else():
    report = measured(losses=np.array([5.0, 1.0, 9.0, 2.0, 3.0]), worst=2).result()
    assert (report.worst.indices, report.worst.losses) == ((2, 0), (9.0, 5.0))
    assert report.log_loss == measured().result().log_loss


def test_boolean_is_two_classes():
    made = Classification((False, True))
    made.update(torch.tensor([[0.2], [0.9], [0.5], [0.7]]), torch.tensor([False, True, True, False]))
    report = made.result()
    assert report.confusion.counts.tolist() == [[1, 1], [1, 1]]  # 0.5 is not above 0.5
    assert report.log_loss.value == pytest.approx(-sum(map(math.log, (0.8, 0.9, 0.5, 0.3))) / 4, rel=1e-6)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float32, torch.float64])
def test_any_precision_and_a_gradient_come_in(dtype):
    p = torch.tensor(P).to(dtype).requires_grad_()
    made = measured(p * 1, torch.tensor(T, dtype=torch.uint8))
    assert made.result().confusion == measured().result().confusion


rows = st.integers(1, 30).flatmap(
    lambda n: st.tuples(
        st.just(n), st.integers(0, 2**32 - 1), st.lists(st.integers(0, n), max_size=4).map(lambda c: sorted([0, *c, n]))
    )
)


@given(rows)
def test_chunks_are_all_at_once_and_merging_is_associative(drawn):
    n, seed, cuts = drawn
    random = np.random.default_rng(seed)
    p, t = random.dirichlet((0.3, 0.3, 0.3), n).round(3), random.integers(0, 3, n)
    p[:, 2] = 1 - p[:, 0] - p[:, 1]
    p = p.clip(0, 1)
    options = {"top": (2,), "worst": 3}
    whole = measured(p, t, **options).result()
    stream, parts = Classification(("a", "b", "c"), **options), []
    for a, b in itertools.pairwise(cuts):
        stream.update(p[a:b], t[a:b])
        parts.append(measured(p[a:b], t[a:b], **options))
    left, right = parts[0], parts[-1]
    for part in parts[1:]:
        left = left.merge(part)
    for part in parts[-2::-1]:
        right = part.merge(right)
    for report in (stream.result(), left.result(), right.result()):
        assert report.confusion == whole.confusion and report.worst == whole.worst
        assert (report.accuracy, report.top, report.clipped) == (whole.accuracy, whole.top, whole.clipped)
        got, expected = report.log_loss, whole.log_loss
        assert (got.value, got.low) == pytest.approx((expected.value, expected.low), rel=1e-9, abs=1e-6)


def test_merging_leaves_both_as_they_were():
    one, two = measured(), measured()
    assert one.merge(two).result().n == 10
    assert one.result() == two.result() == measured().result()


def test_json_and_text_say_the_same():
    report = measured(top=(2,)).result()
    made = json.loads(json.dumps(report.to_json(), allow_nan=False))
    assert made["accuracy"]["value"] == 0.4 and made["confusion"]["counts"] == [[1, 1, 0], [0, 1, 1], [1, 0, 0]]
    assert str(report) == TEXT


def test_ten_thousand_examples_take_less_than_five_milliseconds():
    p, t = torch.rand(10_000, 10).softmax(1), torch.randint(0, 10, (10_000,))
    best = math.inf
    for _ in range(20):
        made = Classification(range(10), top=(5,))
        start = time.perf_counter()
        made.update(p, t)
        best = min(best, time.perf_counter() - start)
    assert best < 0.005


def refused(call):
    with pytest.raises(DataError) as caught:
        call()
    return str(caught.value)


SOFTMAX = "  mend:     give probabilities: nw.softmax (one class) or nw.sigmoid (yes or no) comes after the last Linear"


def changed(row, *values):
    p = P.copy()
    p[row] = values
    return p


@pytest.mark.parametrize(
    ("p", "t", "losses", "text"),
    [
        (
            P,
            np.array([0, 1, 3, 1, 0]),
            None,
            "a target that is no class\n"
            "  where:    targets, row 7\n"
            "  expected: an index 0..2, for 3 labels\n"
            "  got:      3",
        ),
        (
            P,
            T - 1,
            None,
            "a target that is no class\n"
            "  where:    targets, row 5\n"
            "  expected: an index 0..2, for 3 labels\n"
            "  got:      -1",
        ),
        (
            P,
            T.astype(float),
            None,
            "class targets that are not integers\n  expected: indices 0..2\n  got:      float64 numbers",
        ),
        (
            P,
            T[:4],
            None,
            "targets of another shape than expected\n  expected: (5,), one class index an example\n  got:      (4,)",
        ),
        (
            P[:, :2],
            T,
            None,
            "probabilities of another shape than expected\n"
            "  expected: (5, 3), one probability for each of the 3 labels\n"
            "  got:      (5, 2)",
        ),
        (
            P,
            T,
            T[:2] * 1.0,
            "losses of another shape than expected\n  expected: (5,), one loss an example\n  got:      (2,)",
        ),
        (
            P,
            T,
            np.array([1, 2, np.nan, 4, 5]),
            "losses that are not finite numbers\n"
            "  where:    losses, row 7\n"
            "  expected: numbers without NaN\n"
            "  got:      nan",
        ),
        (
            changed(1, np.nan, 0, 1),
            T,
            None,
            "a number that is no probability\n"
            "  where:    probabilities, row 6\n"
            "  expected: numbers from 0 to 1\n"
            "  got:      [nan, 0, 1]\n"
            f"{SOFTMAX}",
        ),
        (
            changed(4, -3.0, 2, 2),
            T,
            None,
            "a number that is no probability\n"
            "  where:    probabilities, row 9\n"
            "  expected: numbers from 0 to 1\n"
            "  got:      [-3, 2, 2]\n"
            f"{SOFTMAX}",
        ),
        (
            changed(2, 0.5, 0.5, 0.5),
            T,
            None,
            "probabilities that do not add up\n"
            "  where:    probabilities, row 7\n"
            "  expected: numbers that add up to 1, not to 1.5\n"
            "  got:      [0.5, 0.5, 0.5]\n"
            f"{SOFTMAX}",
        ),
    ],
)
def test_a_batch_that_does_not_fit_is_refused_and_changes_nothing(p, t, losses, text):
    made = measured()
    before = made.result()
    assert refused(lambda: made.update(p, t, losses)) == text  # rows count from the first example: 5 came before
    assert made.result() == before


@pytest.mark.parametrize(
    ("labels", "options", "text"),
    [
        (("a",), {}, "labels that are no choice\n  expected: at least two, each once\n  got:      ['a']"),
        (
            ("a", "b", "a"),
            {},
            "labels that are no choice\n  expected: at least two, each once\n  got:      ['a', 'b', 'a']",
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
        (
            ("a", "b"),
            {"baseline_counts": (0, 0)},
            "baseline counts that do not fit the labels\n"
            "  expected: 2 counts of at least 0, one for each label, not all 0\n"
            "  got:      [0, 0]",
        ),
    ],
)
def test_options_that_do_not_fit_are_refused(labels, options, text):
    assert refused(lambda: Classification(labels, **options)) == text


def test_nothing_measured():
    made = Classification(("a", "b"))
    made.update(np.empty((0, 2)), np.empty(0, int))
    assert refused(made.result) == (
        "nothing was measured: no example came\n"
        "  expected: at least one example before result()\n"
        "  got:      0 examples\n"
        "  mend:     give update() a batch first; an empty data set cannot be measured"
    )


def test_metrics_of_different_options_do_not_merge():
    assert refused(lambda: measured().merge(measured(top=(2,)))) == (
        "two metrics that do not count the same\n"
        "  expected: labels ['a', 'b', 'c'], top [], baseline counts None, 10 worst\n"
        "  got:      labels ['a', 'b', 'c'], top [2], baseline counts None, 10 worst"
    )
