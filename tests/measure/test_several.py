"""Several labels an example: counts by hand, chunks, merges, refusals."""

import json
import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from netwright.errors import DataError
from netwright.measure.several import SeveralLabels

P = np.array([[0.9, 0.2, 0.3], [0.6, 0.7, 0.0], [0.1, 0.5, 0.2], [0.8, 0.9, 1.0]])
T = np.array([[1, 0, 0], [0, 1, 0], [0, 1, 0], [1, 1, 0]])


def measured(p=P, t=T, losses=None, **options):
    made = SeveralLabels(("a", "b", "c"), **options)
    made.update(p, t, losses)
    return made


def test_small_case_by_hand():
    report = measured().result()
    assert (report.n, report.accuracy.value, report.exact.value) == (4, 9 / 12, 1 / 4)
    assert [(c.precision.value, c.recall.value) for c in report.classes[:2]] == [(2 / 3, 1.0), (1.0, 2 / 3)]
    assert report.classes[2].precision.value == 0 and math.isnan(report.classes[2].recall.value)
    assert report.precision.value == pytest.approx((2 / 3 + 1 + 0) / 3)
    right = [[0.9, 0.8, 0.7], [0.4, 0.7, 1], [0.9, 0.5, 0.8], [0.8, 0.9, 1e-12]]
    assert report.log_loss.value == pytest.approx(-np.log(right).mean())
    assert (report.clipped, report.worst.indices[0]) == (1, 3)
    assert (report.accuracy.n, report.exact.baseline) == (4, 0.0)
    assert report.accuracy.baseline == pytest.approx((2 + 3 + 4) / 12)
    share = (0.5, 0.75)
    assert report.log_loss.baseline == pytest.approx(
        -sum(s * math.log(s) + (1 - s) * math.log(1 - s) for s in share) / 3
    )


def test_baselines_of_the_training_data():
    report = measured(baseline_rates=(0.9, 0.1, 0.1)).result()
    assert report.baseline_from == "the training data"
    assert report.accuracy.baseline == pytest.approx((2 + 1 + 4) / 12)  # yes, no, no


@given(st.integers(1, 20), st.integers(0, 2**32 - 1), st.integers(0, 20), st.integers(0, 20))
def test_chunks_are_all_at_once_and_merging_is_associative(n, seed, a, b):
    random = np.random.default_rng(seed)
    p, t = random.random((n, 3)), random.random((n, 3)) < 0.4
    a, b = sorted((min(a, n), min(b, n)))
    one, two, three = (measured(p[i:j], t[i:j], worst=2) for i, j in ((0, a), (a, b), (b, n)))
    whole = measured(p, t, worst=2).result()
    for made in (one.merge(two).merge(three), one.merge(two.merge(three))):
        report = made.result()
        assert (report.accuracy, report.exact, report.worst) == (whole.accuracy, whole.exact, whole.worst)
        assert [c.count for c in report.classes] == [c.count for c in whole.classes]
        assert report.f1.value == whole.f1.value or math.isnan(whole.f1.value)
        assert report.log_loss.value == pytest.approx(whole.log_loss.value)


def test_tensors_losses_text_and_json():
    report = measured(torch.tensor(P), torch.tensor(T).float(), torch.tensor([9.0, 1.0, 2.0, 3.0])).result()
    assert report.worst.indices == (0, 3, 2, 1)
    assert json.loads(json.dumps(report.to_json(), allow_nan=False))["exact"]["value"] == 0.25
    lines = str(report).splitlines()
    assert lines[0] == "4 examples, 3 labels; 95% intervals; baselines from the measured data"
    assert lines[1] == "accuracy         75.0%  (30.1-95.4)  each label's commoner answer: 75.0%"
    assert lines[-1] == "#0 (loss 9), #3 (loss 3), #2 (loss 2), #1 (loss 1)"


def refused(call):
    with pytest.raises(DataError) as caught:
        call()
    return str(caught.value)


def test_bad_batches_are_refused_and_change_nothing():
    made = measured()
    before = str(made.result())
    assert refused(lambda: made.update(P, T * 2)) == (
        "a target that is neither 0 nor 1\n"
        "  where:    targets, row 4\n"
        "  expected: 0 or 1 for each label\n"
        "  got:      [2, 0, 0]"
    )
    assert refused(lambda: made.update(P, T[:, 0])) == (
        "targets of another shape than expected\n  expected: (4, 3), 0 or 1 for each label\n  got:      (4,)"
    )
    assert refused(lambda: made.update(P * 3, T)).startswith(
        "a number that is no probability\n  where:    probabilities, row 4\n  expected: numbers from 0 to 1\n"
        "  got:      [2.7, 0.6, 0.9]\n"
    )
    assert str(made.result()) == before


def test_bad_options_are_refused():
    assert refused(lambda: SeveralLabels(("a", "a"))) == (
        "labels that cannot be told apart\n  expected: at least one, each once\n  got:      ['a', 'a']"
    )
    assert refused(lambda: SeveralLabels(("a", "b"), baseline_rates=(0.5, 1.5))) == (
        "baseline rates that do not fit the labels\n"
        "  expected: 2 numbers from 0 to 1, one for each label\n"
        "  got:      [0.5, 1.5]"
    )
    assert refused(lambda: measured().merge(measured(worst=1))) == (
        "two metrics that do not count the same\n"
        "  expected: labels ['a', 'b', 'c'], baseline rates None, 10 worst\n"
        "  got:      labels ['a', 'b', 'c'], baseline rates None, 1 worst"
    )
