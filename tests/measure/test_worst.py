"""The worst examples must be the same however the data was cut into batches."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from netwright.errors import DataError
from netwright.measure.worst import Worst


def kept(count, chunks):
    worst = Worst(count)
    for chunk in chunks:
        worst.update(np.array(chunk, dtype=float))
    return worst


@given(st.lists(st.lists(st.integers(0, 5), max_size=8), max_size=6), st.integers(0, 5))
def test_chunks_are_all_at_once(chunks, count):
    losses = [loss for chunk in chunks for loss in chunk]
    order = sorted(range(len(losses)), key=lambda i: (-losses[i], i))[:count]
    assert kept(count, chunks).result() == [(i, float(losses[i])) for i in order]


def test_infinite_losses_come_first():
    assert kept(2, [[1.0, np.inf], [2.0]]).result() == [(1, np.inf), (2, 2.0)]


def test_an_example_that_does_not_count_is_never_among_them():
    assert kept(3, [[np.nan, 1.0], [np.nan], [2.0, np.nan]]).result() == [(3, 2.0), (1, 1.0)]


def test_a_negative_count_is_refused():
    with pytest.raises(DataError) as caught:
        Worst(-1)
    assert str(caught.value) == "a negative number of worst examples\n  expected: 0 or more\n  got:      -1"


def test_losses_that_differ_in_their_last_bits_are_equal():
    worst = Worst(3)
    worst.update(np.array([1.0, 1.38001, 1.38, 1.380009, 2.0]))
    assert [index for index, _ in worst.result()] == [4, 1, 2]
