"""The state of an array knows it by its numbers, or by the digest that a file says."""

import math

import torch

from netwright.changes.array_state import ArrayState, relative_change

ARRAY = torch.tensor([1.0, 2.0])


def test_it_is_known_by_its_numbers() -> None:
    state = ArrayState.of(ARRAY)
    told = ArrayState(state.shape, state.dtype, None, state.digest)
    for one in (state, told):
        assert one.holds(ARRAY.clone())
        assert not one.holds(None)
        assert not one.holds(ARRAY + 1)
        assert not one.holds(ARRAY.double())
        assert not one.holds(ARRAY.reshape(1, 2))
        assert one == state and one == told and hash(one) == hash(state)
    assert state != ArrayState.of(ARRAY + 1) and told != ArrayState.of(ARRAY + 1)
    assert state != "something else"
    assert ArrayState.of(ARRAY * math.nan) == ArrayState.of(ARRAY * math.nan)


def test_its_array_is_not_copied() -> None:
    assert ArrayState.of(ARRAY).array is ARRAY


def test_how_far_an_array_went() -> None:
    zeros = torch.zeros(2)
    assert math.isclose(relative_change(ARRAY, ARRAY * 1.1), 0.1, rel_tol=1e-6)
    assert relative_change(torch.tensor([3, 4]), torch.tensor([0, 0])) == 1
    assert relative_change(torch.tensor([True, False]), torch.tensor([True, True])) == 1
    assert relative_change(zeros, zeros) == 0
    assert relative_change(zeros, ARRAY) == math.inf
    assert math.isnan(relative_change(zeros, ARRAY * math.nan))
    assert relative_change(torch.full((2,), 2.0**100), torch.full((2,), 3 * 2.0**100)) == 2  # float32 would overflow
