"""Bits, perplexity and errors are those of all elements together, with intervals from how sequences differ."""

import json
import math

import numpy as np
import pytest
import torch

from netwright.errors import DataError
from netwright.measure.sequences import MOST_CLASSES, Sequences

RANDOM = np.random.default_rng(1)


def drawn(lengths, k=3):
    ps = [RANDOM.dirichlet(np.ones(k), n) for n in lengths]
    ts = [RANDOM.integers(0, k, n) for n in lengths]
    return ps, ts


def test_the_numbers_are_those_of_all_elements_together():
    ps, ts = drawn([4, 1, 7, 2])
    measured = Sequences("abc", top=(2,), worst=2)
    measured.update(ps[:3], ts[:3])
    measured.update(ps[3:], ts[3:])
    result = measured.result()
    p, t = np.concatenate(ps), np.concatenate(ts)
    own = p[np.arange(14), t]
    assert (result.n, result.elements) == (4, 14)
    assert result.bits.value == pytest.approx(-np.log2(own).mean())
    assert result.perplexity.value == pytest.approx(math.exp(-np.log(own).mean()))
    assert result.perplexity.low == pytest.approx(2**result.bits.low) and result.bits.n == 4
    assert result.accuracy.value == pytest.approx((p.argmax(1) == t).mean())
    assert result.error.value == pytest.approx(1 - result.accuracy.value)
    assert result.top[0].value == pytest.approx(
        np.mean([y in np.argsort(-row)[:2] for row, y in zip(p, t, strict=True)])
    )
    assert result.confusion.counts.sum() == 14
    assert result.confusion.counts[0, 1] == ((t == 0) & (p.argmax(1) == 1)).sum()
    losses = [-np.log(q[np.arange(len(u)), u]).mean() for q, u in zip(ps, ts, strict=True)]
    assert list(result.worst.indices) == np.argsort(-np.array(losses), kind="stable")[:2].tolist()
    assert result.worst.losses[0] == pytest.approx(max(losses))


def test_naive_guesses_know_frequencies_alone():
    ps, ts = drawn([5, 5])
    measured = Sequences("abc")
    measured.update(ps, ts)
    result = measured.result()
    share = np.bincount(np.concatenate(ts), minlength=3) / 10
    entropy = -sum(x * math.log2(x) for x in share if x)
    assert result.bits.baseline == pytest.approx(entropy)
    assert result.perplexity.baseline == pytest.approx(2**entropy)
    assert result.error.baseline == pytest.approx(1 - share.max())
    said = str(result).splitlines()
    assert said[0] == (
        "10 elements of 2 sequences; 95% intervals, from how sequences differ; baselines from the measured data"
    )
    assert [line.split()[0] for line in said[1:]] == ["bits", "perplexity", "error"]
    assert "frequencies alone: " in said[1] and f'always "{"abc"[share.argmax()]}": ' in said[3]
    assert json.loads(json.dumps(result.to_json()))["elements"] == 10


def test_the_interval_covers():
    """Sequences that differ: in most draws of forty, the truth is in the interval."""
    inside = 0
    for _ in range(200):
        levels = RANDOM.uniform(0.2, 0.9, 40)
        measured = Sequences("ab")
        measured.update([np.tile([q, 1 - q], (20, 1)) for q in levels], [np.zeros(20, int)] * 40)
        low, high = measured.result().bits.low, measured.result().bits.high
        grid = np.linspace(0.2, 0.9, 2001)
        inside += low <= -np.log2(grid).mean() <= high
    assert 180 <= inside <= 200


def test_impossible_elements_are_clipped_and_counted():
    measured = Sequences("ab")
    measured.update([torch.tensor([[1.0, 0.0]])], [torch.tensor([1])])
    result = measured.result()
    assert result.bits.value == pytest.approx(-math.log2(1e-12)) and result.clipped == 1
    assert "probabilities below 1e-12, taken as 1e-12: 1" in str(result)


def test_no_confusion_matrix_of_many_elements():
    k = MOST_CLASSES + 1
    measured = Sequences([str(i) for i in range(k)])
    measured.update([np.full((2, k), 1 / k)], [np.array([0, 5])])
    result = measured.result()
    assert result.confusion is None
    assert str(result).endswith("more than 1,000 elements: no confusion matrix")
    assert result.bits.value == pytest.approx(math.log2(k))


@pytest.mark.parametrize(
    ("ps", "ts", "what"),
    [
        ([np.full((2, 2), 0.5)], [np.array([0])], "probabilities of sequence 0 of another shape than expected"),
        ([np.full((0, 2), 0.5)], [np.array([], int)], "a sequence without elements"),
        ([np.full((1, 2), 0.7)], [np.array([0])], "probabilities that do not add up"),
        ([np.full((1, 2), 0.5)], [np.array([2])], "a target that is no class"),
    ],
)
def test_a_refused_batch_changes_nothing(ps, ts, what):
    measured = Sequences("ab")
    measured.update([np.full((1, 2), 0.5)], [np.array([0])])
    before = str(measured.result())
    with pytest.raises(DataError) as caught:
        measured.update([np.full((1, 2), 0.5), *ps], [np.array([0]), *ts])
    assert caught.value.what.replace("sequence 2", "sequence 0") == what
    assert str(measured.result()) == before
    measured.update([], [])
    assert str(measured.result()) == before


def test_nothing_measured_and_options():
    with pytest.raises(DataError, match="nothing was measured"):
        Sequences("ab").result()
    with pytest.raises(DataError) as caught:
        Sequences("ab", top=(3,))
    assert str(caught.value) == (
        "a top-n accuracy that says nothing\n  expected: n from 2 to 2, for 2 elements\n  got:      3"
    )
