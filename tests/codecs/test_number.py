"""Number and Vector: there and back, what is fitted, and which value of which row is bad."""

import math
from decimal import Decimal

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from messages import message
from netwright.codecs import reading
from netwright.codecs.number import Number, Vector
from netwright.errors import DataError

NAN = float("nan")
SINGLES = st.floats(-1e6, 1e6, width=32)


@given(st.lists(SINGLES, min_size=1, max_size=30))
def test_a_fitted_number_comes_back(values: list[float]):
    codec = Number().fit(values)
    stored = codec.encode_all(values)
    assert stored.dtype == torch.float64 and stored.shape == (len(values), 1)
    assert codec.prepare(stored).dtype == torch.float32
    spread = max(values) - min(values)
    for value, output in zip(values, codec.prepare(stored.double()), strict=True):
        assert codec.decode(output) == pytest.approx(value, rel=1e-6, abs=1e-6 * spread + 1e-30)
    if spread:
        assert codec.deviation == pytest.approx(float(np.std(np.array(values))), rel=1e-6)
    else:
        assert codec == Number(values[0], 1)


def test_number_takes_every_kind_of_number():
    codec = Number(0, 1)
    for five in (5, 5.0, np.float64(5), np.int8(5), torch.tensor(5), np.array([5]), torch.tensor([5.0])):
        assert codec.encode(five).tolist() == [5.0]
    rows = [[1.0], [2.0]]
    for many in ([1, 2.0], np.array([1, 2]), np.array([[1], [2]]), torch.tensor([1, 2]), [np.int8(1), torch.tensor(2)]):
        assert codec.encode_all(many).tolist() == rows


@pytest.mark.parametrize("kind", [list, np.array, torch.tensor])
def test_large_numbers_that_lie_close_stay_apart(kind):
    times = [1_700_000_000 + 10 * i for i in range(360)]
    spread = 10 * math.sqrt((360**2 - 1) / 12)
    codec = Number().fit(kind(times))
    assert (codec.mean, codec.deviation) == (times[0] + 1795, pytest.approx(spread))
    seen = codec.prepare(codec.encode_all(kind(times))).flatten()
    assert torch.allclose(seen, (10 * torch.arange(360) - 1795) / spread, atol=1e-6)
    both = Vector().fit(kind([[1, time] for time in times]))
    seen = both.prepare(torch.stack([both.encode([1, time]) for time in times]))
    assert seen.dtype == torch.float32
    assert torch.allclose(seen[:, 1], (10 * torch.arange(360) - 1795) / spread, atol=1e-6)


def test_columns_of_objects_are_the_numbers_in_them():
    table = np.array([[30.5, 2, True], [25.0, 3, False]], dtype=object)
    assert Vector(3, 0, 1).encode_all(table).tolist() == [[30.5, 2, 1], [25, 3, 0]]
    assert Number(0, 1).encode_all(table[:, 1]).tolist() == [[2], [3]]
    table[1, 1] = "many"
    with pytest.raises(DataError) as caught:
        Vector(3, 0, 1).encode_all(table)
    assert str(caught.value) == (
        "a cell of the table is not a number\n"
        "  where:    row 1, component 1\n"
        "  expected: a number, or True or False\n"
        "  got:      'many' of type str\n"
        "  mend:     leave that column out, or give it an input of its own, such as nw.Category()"
    )
    table[1, 1] = Decimal("1.5")
    with pytest.raises(DataError) as caught:
        Vector(3, 0, 1).encode_all(table)
    assert caught.value.mend == ("array.astype(float), if it stands for a number",)


def test_number_fits_only_what_is_free():
    assert Number(mean=0).fit([4, 6]) == Number(0, 1)
    assert Number(deviation=10).fit([4, 6]) == Number(5, 10)
    assert Number().fit([0.1] * 7).deviation == 1.0
    assert type(Number(0, 1).decode(torch.tensor([2.0]))) is float


def test_bad_numbers():
    assert (
        message(Number().encode_all, [1.0, "2"])
        == """\
this is not a number
  where:    row 1
  expected: int or float
  got:      '2' of type str"""
    )
    assert (
        message(Number().encode_all, np.array([True]))
        == """\
this is not a number
  where:    row 0
  expected: int or float
  got:      True of type bool
  mend:     Boolean() is the codec for True and False"""
    )
    assert (
        message(Number().encode, [1, 2])
        == """\
this is not a number
  expected: int or float
  got:      [1, 2] of type list"""
    )
    for rows in ([1.0, 2.0, NAN], np.array([1, 2, NAN]), torch.tensor([[1], [2], [NAN]])):
        assert (
            message(Number().fit, rows)
            == """\
the value is NaN
  where:    row 2
  expected: a finite number
  got:      nan
  mend:     leave such examples out, or fill in a value"""
        )
    assert message(Number().encode, math.inf).startswith("the value is infinite")
    assert message(Number().encode, 10**400).startswith("these are not numbers")
    assert message(Number().encode, 1e300).startswith("a number is too large for float32")


def test_bad_statistics():
    assert (
        message(Number, 0, -1)
        == """\
this cannot be a deviation
  expected: finite numbers above zero
  got:      -1"""
    )
    assert (
        message(Vector, 2, (0, 1, 2))
        == """\
mean has another number of components
  expected: one number, or 2
  got:      3: (0.0, 1.0, 2.0)"""
    )
    assert (
        message(Vector, 0)
        == """\
the number of components is a whole number of at least 1
  where:    Vector
  got:      0"""
    )
    assert message(Number(0, 1).decode, torch.ones(1), reading.Top(3)).startswith("Number gives a value")


@given(st.lists(st.lists(SINGLES, min_size=3, max_size=3), min_size=2, max_size=20))
def test_a_fitted_vector_comes_back(rows: list[list[float]]):
    codec = Vector().fit(rows)
    assert codec.encoded == codec.decoded == "3"
    stored = codec.encode_all(rows)
    spread = np.ptp(np.array(rows), 0) * 1e-5 + np.abs(np.array(rows)).max(0) * 1e-5 + 1e-30
    for row, output in zip(rows, codec.prepare(stored.double()), strict=True):
        assert (np.abs(codec.decode(output) - row) <= spread).all()
    for form in (np.array(rows), torch.tensor(rows), [tuple(row) for row in rows]):
        assert torch.equal(codec.encode_all(form), stored)


def test_vector_standardizes_each_component():
    codec = Vector().fit([[1, 10, 5], [3, 30, 5]])
    assert codec == Vector(3, (2, 20, 5), (1, 10, 1))
    assert codec.prepare(codec.encode_all([[1, 10, 5], [3, 30, 6]])).tolist() == [[-1, -1, 0], [1, 1, 1]]
    assert codec.prepare(codec.encode_all([[1, 10, 5]])).dtype == torch.float32
    assert codec.decode(torch.tensor([1.0, -1.0, 0.0])).tolist() == [3.0, 10.0, 5.0]
    assert Vector(mean=(1, 2), deviation=1) == Vector(2, (1, 2), 1)
    assert Vector(mean=0, deviation=1).fit([[1, 2]]) == Vector(2, 0, 1)


def test_bad_vectors():
    assert (
        message(Vector(3).encode_all, [[1, 2, 3], [4, 5]])
        == """\
this is not a vector of the right size
  where:    row 1
  expected: 3 numbers in a row
  got:      shape (2,)"""
    )
    assert (
        message(Vector(3).encode_all, np.zeros((2, 4)))
        == """\
this is not a vector of the right size
  where:    row 0
  expected: 3 numbers in a row
  got:      shape (4,)"""
    )
    assert (
        message(Vector().encode, 5)
        == """\
this is not a vector of the right size
  expected: some numbers in a row
  got:      shape ()"""
    )
    assert (
        message(Vector().fit, [[1, 2], [3]])
        == """\
this example has another size than the first one
  where:    row 1
  expected: (2,)
  got:      (1,)"""
    )
    for rows in ([[1, 2], [3, NAN]], np.array([[1, 2], [3, NAN]])):
        assert (
            message(Vector().fit, rows)
            == """\
the value is NaN
  where:    row 1, component 1
  expected: a finite number
  got:      nan
  mend:     leave such examples out, or fill in a value"""
        )
    assert (
        message(Vector().encode_all, [[1, 2], [3, 1j]])
        == """\
these are not numbers
  where:    row 1
  expected: a number, an array of them, or lists of equal length that hold them
  got:      [3, 1j] of type list"""
    )
