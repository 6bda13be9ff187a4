"""The validation part depends on the seed alone and never takes everything."""

import doctest
import importlib

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from netwright.data.split import split
from netwright.errors import DataError

module = importlib.import_module("netwright.data.split")


@given(n=st.integers(2, 300), validation=st.floats(0.001, 0.999), seed=st.integers(0, 2**70))
def test_every_example_is_on_one_side(n: int, validation: float, seed: int) -> None:
    train, held = split(n, validation, seed)
    assert sorted([*train.tolist(), *held.tolist()]) == list(range(n))
    assert 1 <= len(held) < n
    assert abs(len(held) - n * validation) <= 1
    assert train.tolist() == sorted(train.tolist())
    assert held.tolist() == sorted(held.tolist())


def test_a_count_is_exact() -> None:
    train, held = split(60_000, 5000, seed=3)
    assert (len(train), len(held)) == (55_000, 5000)
    assert train.dtype == held.dtype == torch.int64


def test_the_choice_is_the_seeds_and_nobody_elses() -> None:
    torch.manual_seed(1)
    first = split(20, 5, seed=0)[1].tolist()
    torch.manual_seed(2)
    assert split(20, 5, seed=0)[1].tolist() == first
    assert split(20, 5, seed=1)[1].tolist() != first
    assert first == [4, 5, 7, 11, 12]  # the same in every process


@pytest.mark.parametrize(
    ("n", "validation", "text"),
    [
        (
            0,
            0.1,
            "there is no data to split\n  where:    validation\n  mend:     give at least two examples",
        ),
        (
            1,
            0.1,
            "one example cannot both train and validate\n"
            "  where:    validation\n"
            "  got:      1 example, validation=0.1\n"
            "  mend:     give more examples\n"
            "  or:       validation=None, or examples of its own",
        ),
        (
            5000,
            5000,
            "the validation part would leave nothing to train on\n"
            "  where:    validation\n"
            "  expected: at most 4,999 of 5,000 examples\n"
            "  got:      5,000\n"
            "  mend:     validation=500\n"
            "  or:       validation=0.1",
        ),
        *(
            (
                10,
                wrong,
                "validation is neither a fraction nor a count\n"
                "  where:    validation\n"
                "  expected: a float between 0 and 1, or an int from 1 to 9\n"
                f"  got:      {wrong!r}\n"
                "  mend:     validation=0.1",
            )
            for wrong in (0, 0.0, 1.0, -3, 5.0, True, float("nan"))
        ),
    ],
)
def test_what_cannot_be_split(n: int, validation: float, text: str) -> None:
    with pytest.raises(DataError) as caught:
        split(n, validation, seed=0)
    assert str(caught.value) == text


def test_examples_in_docstrings() -> None:
    assert doctest.testmod(module).failed == 0
