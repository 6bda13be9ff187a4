"""The worst examples must be the same however the data was cut into batches."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from netwright.errors import DataError
from netwright.measure.worst import Worst, WorstExamples


def kept(count, chunks):
    worst = Worst(count)
    for chunk in chunks:
        worst.update(np.array(chunk, dtype=float))
    return worst


@given(st.lists(st.lists(st.integers(0, 5), max_size=8), max_size=6), st.integers(0, 5))
def test_chunks_and_merges_are_all_at_once(chunks, count):
    losses = [loss for chunk in chunks for loss in chunk]
    order = sorted(range(len(losses)), key=lambda i: (-losses[i], i))[:count]
    expected = WorstExamples(tuple(order), tuple(float(losses[i]) for i in order))
    assert kept(count, chunks).result() == expected
    parts = [kept(count, [chunk]) for chunk in chunks] + [Worst(count)]
    left, right = parts[0], parts[-1]
    for part in parts[1:]:
        left = left.merge(part)
    for part in parts[-2::-1]:
        right = part.merge(right)
    assert left.result() == right.result() == expected


def test_infinite_losses_come_first_and_json_has_no_infinity():
    worst = kept(2, [[1.0, np.inf], [2.0]]).result()
    assert worst.indices == (1, 2)
    assert worst.to_json() == [{"index": 1, "loss": None}, {"index": 2, "loss": 2.0}]


def test_text_is_five_on_a_line():
    assert str(kept(6, [[6, 5, 4, 3, 2, 1.5]]).result()) == (
        "#0 (loss 6), #1 (loss 5), #2 (loss 4), #3 (loss 3), #4 (loss 2),\n#5 (loss 1.5)"
    )


def test_a_negative_count_is_refused():
    with pytest.raises(DataError) as caught:
        Worst(-1)
    assert str(caught.value) == "a negative number of worst examples\n  expected: 0 or more\n  got:      -1"


def test_losses_that_differ_in_their_last_bits_are_equal():
    worst = Worst(3)
    worst.update(np.array([1.0, 1.38001, 1.38, 1.380009, 2.0]))
    assert worst.result().indices == (4, 1, 2)
