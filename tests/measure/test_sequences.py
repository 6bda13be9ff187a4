"""Bits, perplexity and errors are those of all elements together, with intervals from how sequences differ."""

import math

import numpy as np
import pytest
import torch

from measure.figures import figures
from netwright.errors import DataError
from netwright.measure.class_metrics import F1
from netwright.measure.positions import MOST_CLASSES
from netwright.measure.sequences import ElementCounts

RANDOM = np.random.default_rng(1)


def drawn(lengths, k=3):
    ps = [RANDOM.dirichlet(np.ones(k), n) for n in lengths]
    ts = [RANDOM.integers(0, k, n) for n in lengths]
    return ps, ts


def test_the_numbers_are_those_of_all_elements_together():
    ps, ts = drawn([4, 1, 7, 2])
    measured = ElementCounts("abc", top=(2,))
    worst = [*measured.update(ps[:3], ts[:3]), *measured.update(ps[3:], ts[3:])]
    result = figures(measured)
    p, t = np.concatenate(ps), np.concatenate(ts)
    own = p[np.arange(14), t]
    assert (measured.n, measured.counted) == (4, 14)
    assert result.bits_per_element.value == pytest.approx(-np.log2(own).mean())
    assert result.perplexity.value == pytest.approx(math.exp(-np.log(own).mean()))
    assert result.perplexity.low == pytest.approx(2**result.bits_per_element.low) and result.bits_per_element.n == 4
    assert result.accuracy.value == pytest.approx((p.argmax(1) == t).mean())
    assert result.error.value == pytest.approx(1 - result.accuracy.value)
    assert result.top_2_accuracy.value == pytest.approx(
        np.mean([y in np.argsort(-row)[:2] for row, y in zip(p, t, strict=True)])
    )
    assert measured.confusion().counts.sum() == 14
    assert measured.confusion().counts[0, 1] == ((t == 0) & (p.argmax(1) == 1)).sum()
    losses = [-np.log(q[np.arange(len(u)), u]).mean() for q, u in zip(ps, ts, strict=True)]
    assert worst == pytest.approx(losses)


def test_naive_guesses_know_frequencies_alone():
    ps, ts = drawn([5, 5])
    measured = ElementCounts("abc")
    measured.update(ps, ts)
    result = figures(measured)
    share = np.bincount(np.concatenate(ts), minlength=3) / 10
    entropy = -sum(x * math.log2(x) for x in share if x)
    assert result.bits_per_element.baseline == pytest.approx(entropy)
    assert result.perplexity.baseline == pytest.approx(2**entropy)
    assert result.error.baseline == pytest.approx(1 - share.max())
    assert result.bits_per_element.baseline_name == "frequencies alone"
    assert result.error.baseline_name == f'always "{"abc"[share.argmax()]}"'


def test_naive_guesses_may_come_from_training_data():
    measured = ElementCounts("abc")
    measured.learn([np.array([0, 0]), np.array([0, 1])])
    measured.update([np.full((2, 3), 1 / 3)], [np.array([1, 0])])
    result = figures(measured)
    assert (result.accuracy.baseline, result.accuracy.baseline_name) == (1 / 2, 'always "a"')
    assert result.bits_per_element.baseline == pytest.approx(-(math.log2(3 / 4) + math.log2(1 / 4)) / 2)


def test_the_interval_covers():
    """Sequences that differ: in most draws of forty, the truth is in the interval."""
    inside = 0
    for _ in range(200):
        levels = RANDOM.uniform(0.2, 0.9, 40)
        measured = ElementCounts("ab")
        measured.update([np.tile([q, 1 - q], (20, 1)) for q in levels], [np.zeros(20, int)] * 40)
        made = figures(measured).bits_per_element
        grid = np.linspace(0.2, 0.9, 2001)
        inside += made.low <= -np.log2(grid).mean() <= made.high
    assert 180 <= inside <= 200


def test_impossible_elements_are_clipped_and_counted():
    measured = ElementCounts("ab")
    measured.update([torch.tensor([[1.0, 0.0]])], [torch.tensor([1])])
    result = figures(measured)
    assert result.bits_per_element.value == pytest.approx(-math.log2(1e-12)) and measured.clipped == 1
    assert measured.notes() == ("probabilities below 1e-12, taken as 1e-12 in the log loss: 1",)


def test_no_confusion_matrix_of_many_elements():
    k = MOST_CLASSES + 1
    measured = ElementCounts([str(i) for i in range(k)])
    measured.update([np.full((2, k), 1 / k)], [np.array([0, 5])])
    result = figures(measured)
    assert measured.confusion() is None
    assert measured.notes() == ("more than 1,000 elements: no confusion matrix",)
    assert result.bits_per_element.value == pytest.approx(math.log2(k))


@pytest.mark.parametrize(
    ("ps", "ts", "what"),
    [
        ([np.full((2, 2), 0.5)], [np.array([0])], "targets of example 0 of another shape than expected"),
        ([np.full((1, 2), 0.7)], [np.array([0])], "probabilities that do not add up"),
        ([np.full((1, 2), 0.5)], [np.array([2])], "a target that is not a class"),
    ],
)
def test_a_refused_batch_changes_nothing(ps, ts, what):
    measured = ElementCounts("ab")
    measured.update([np.full((1, 2), 0.5)], [np.array([0])])
    before = str(figures(measured).figures)
    with pytest.raises(DataError) as caught:
        measured.update([np.full((1, 2), 0.5), *ps], [np.array([0]), *ts])
    assert caught.value.what.replace("example 2", "example 0") == what
    assert str(figures(measured).figures) == before
    measured.update([], [])
    assert str(figures(measured).figures) == before


def test_options():
    with pytest.raises(DataError) as caught:
        ElementCounts("ab", top=(3,))
    assert str(caught.value) == (
        "a top-n accuracy that says nothing\n  expected: n from 2 to 2, for 2 elements\n  got:      3"
    )


def test_no_means_over_elements():
    with pytest.raises(DataError) as caught:
        F1(ElementCounts("ab"))
    assert str(caught.value) == (
        "means over classes are not counted for the elements of sequences\n"
        "  where:    macro F1\n"
        "  mend:     nw.Each(nw.Category([…])) as the decoder, for a class at every position"
    )
