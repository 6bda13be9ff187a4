"""Verdicts of the pages: intervals of differences, and the words that are made from them."""

import sys
from pathlib import Path

import numpy as np
import pytest


@pytest.fixture
def verdicts(monkeypatch):
    monkeypatch.syspath_prepend(Path(__file__).parents[1] / "book")
    import verdicts

    yield verdicts
    del sys.modules["verdicts"]


def test_the_interval_over_runs_is_students(verdicts):
    mean, half = verdicts.over_runs([1.0, 2.0, 3.0])
    assert mean == 2 and half == pytest.approx(4.303 / 3**0.5)


def test_the_interval_over_runs_holds_the_truth_in_95_of_100_trials(verdicts):
    draw = np.random.default_rng(1)
    inside = [abs(mean) <= half for mean, half in (verdicts.over_runs(draw.normal(size=5)) for _ in range(2_000))]
    assert np.mean(inside) == pytest.approx(0.95, abs=0.015)


def test_a_difference_example_by_example_is_the_ratio_of_the_sums(verdicts):
    difference, size = np.array([3.0, -1.0, 4.0, 2.0] * 50), np.array([2, 1, 4, 1] * 50)
    mean, low, high = verdicts.resampled(difference, size)
    assert mean == 1.0 and low < mean < high
    assert verdicts.resampled(difference)[0] == 2.0


def test_the_bootstrap_agrees_with_the_normal_interval_of_many_examples(verdicts):
    drawn = np.random.default_rng(2).normal(0.3, 1, 1_000)
    _, low, high = verdicts.resampled(drawn)
    half = 1.96 * drawn.std() / 1_000**0.5
    assert (high - low) / 2 == pytest.approx(half, rel=0.06)


@pytest.mark.parametrize(("low", "high", "said"), [(-2, -1, "less"), (1, 2, "more"), (-1, 1, "not decided")])
def test_the_words_follow_from_the_interval(verdicts, low, high, said):
    assert verdicts.verdict(low, high, "less", "more") == said
