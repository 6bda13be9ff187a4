"""Figures over classes are the mean of what a function says of each class, with slopes read from the function."""

import numpy as np
import pytest

from netwright.measure.tally import defined, mean_of, slopes_of


def f1(right, wrong, missed):
    return 2 * right / (2 * right + wrong + missed)


def test_slopes_are_the_derivatives():
    right, wrong, missed = np.array([6, 3]), np.array([2, 1]), np.array([4, 5])
    both = 2 * right + wrong + missed
    expected = [2 / both - 4 * right / both**2, -2 * right / both**2, -2 * right / both**2]
    np.testing.assert_allclose(slopes_of(f1, right, wrong, missed), expected, rtol=1e-6)


def test_what_is_undefined_counts_as_nothing():
    zero = np.zeros(1, int)
    assert np.isnan(defined(f1, zero, zero, zero)).all()
    assert np.isfinite(slopes_of(f1, zero, zero, zero)).all()
    assert mean_of(np.array([np.nan, 0.5])) == 0.25
    assert np.isnan(mean_of(np.array([])))


def test_counts_may_be_whole_numbers():
    assert defined(f1, np.array([6]), np.array([2]), np.array([4])) == pytest.approx([12 / 18])
