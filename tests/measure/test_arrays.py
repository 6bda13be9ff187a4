"""What comes into a metric is checked whole, before anything is counted, and refused with its row."""

import numpy as np
import pytest
import torch

from netwright.errors import DataError
from netwright.measure.arrays import check_finite, check_probabilities, check_shape, class_indices, host, rank_of_target


def test_tensors_of_any_precision_come_to_numpy() -> None:
    values = torch.tensor([0.5, 0.25], dtype=torch.bfloat16, requires_grad=True)
    assert host(values).dtype == np.float32
    assert host(values).tolist() == [0.5, 0.25]
    assert host([1, 2]).tolist() == [1, 2]


def test_rows_are_counted_from_the_first_example() -> None:
    with pytest.raises(DataError) as caught:
        check_probabilities(np.array([[0.5, 0.5], [2.0, -1.0]]), 10, sum_to_one=True)
    assert str(caught.value) == (
        "a number that is no probability\n"
        "  where:    probabilities, row 11\n"
        "  expected: numbers from 0 to 1\n"
        "  got:      [2, -1]\n"
        "  mend:     give probabilities: nw.softmax (one class) or nw.sigmoid (yes or no) comes after the last Linear"
    )


@pytest.mark.parametrize("row", [[0.4, 0.4], [np.nan, 1.0]])
def test_what_is_no_distribution(row) -> None:
    with pytest.raises(DataError, match="row 0"):
        check_probabilities(np.array([row]), 0, sum_to_one=True)
    check_probabilities(np.empty((0, 2)), 0, sum_to_one=True)


def test_targets_are_indices_of_classes() -> None:
    assert class_indices(np.array([True, False]), 2, 0).tolist() == [1, 0]
    for wrong in (np.array([0.0]), np.array([3]), np.array([-1])):
        with pytest.raises(DataError):
            class_indices(wrong, 3, 0)


def test_shapes_and_finiteness() -> None:
    check_shape("losses", np.zeros(3), (3,), "one an example")
    with pytest.raises(DataError) as caught:
        check_shape("losses", np.zeros(2), (3,), "one an example")
    assert (
        str(caught.value) == "losses of another shape than expected\n  expected: (3,), one an example\n  got:      (2,)"
    )
    check_finite("losses", np.array([1.0]), 0)
    with pytest.raises(DataError):
        check_finite("losses", np.array([np.inf]), 0)


def test_the_rank_of_the_target_among_equals() -> None:
    p = np.array([[0.4, 0.4, 0.2], [0.4, 0.4, 0.2], [0.1, 0.2, 0.7]])
    assert rank_of_target(p, np.array([0, 1, 0])).tolist() == [0, 1, 2]
