"""KeptAnswers answers are columns, and the variance of a figure counts the units of an example together."""

import numpy as np
import pytest

from netwright.measure.kept import KeptAnswers


def test_columns_grow_batch_by_batch():
    kept = KeptAnswers()
    kept.add(None, p=np.eye(2), target=np.array([0, 1]))
    kept.add(np.array([2, 1]), p=np.ones((3, 2)), target=np.array([1, 1, 0]))
    assert kept["p"].shape == (5, 2) and kept["target"].tolist() == [0, 1, 1, 1, 0]
    assert (kept.n, kept.example.tolist()) == (4, [0, 1, 2, 2, 3])


def test_the_variance_of_a_mean_is_that_of_its_standard_error():
    values = np.array([1.0, 4.0, 2.0, 9.0])
    alone, pairs = KeptAnswers(), KeptAnswers()
    alone.add(None, x=values)
    pairs.add(np.full(4, 2), x=np.repeat(values, 2))
    expected = values.var(ddof=1) / 4
    assert alone.variance((values - values.mean()) / 4) == pytest.approx(expected)
    assert pairs.variance(np.repeat(values - values.mean(), 2) / 8) == pytest.approx(expected)


def test_one_example_has_no_variance():
    kept = KeptAnswers()
    kept.add(None, x=np.array([1.0]))
    assert kept.variance(np.array([0.0])) == np.inf
