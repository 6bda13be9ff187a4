"""Numbers in every form as tensors, and moments merged block by block against numpy."""

import datetime
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from netwright.codecs.number import Number
from netwright.codecs.numeric import (
    CACHED,
    ColumnMoments,
    all_finite,
    arrayed,
    as_tensor,
    described,
    exact,
    floats,
    number_table,
    numbers,
    per_component,
    plain_number,
    rows_of_numbers,
)
from netwright.errors import DataError, NetError


@given(st.lists(st.integers(1, 50), min_size=1, max_size=6), st.integers(0, 2**32 - 1), st.floats(-1e4, 1e4))
def test_moments_in_blocks_are_those_of_the_whole(blocks: list[int], seed: int, offset: float):
    rng = np.random.default_rng(seed)
    rows = [rng.normal(offset, [1, 10, 0], (count, 3)) for count in blocks]
    moments = ColumnMoments()
    for block in rows:
        moments.add(torch.from_numpy(block))
    whole = np.concatenate(rows)
    deviation = whole.std(0) if len(whole) > 1 else np.ones(3)
    assert moments.mean == pytest.approx(whole.mean(0).tolist(), rel=1e-9)
    assert moments.deviation == pytest.approx([*deviation[:2], 1.0], rel=1e-6)


def test_moments_of_more_rows_than_a_cache_holds():
    rows = np.random.default_rng(0).normal(1e6, 1, (CACHED, 3))
    moments = ColumnMoments()
    moments.add(torch.from_numpy(rows))
    np.testing.assert_allclose(moments.mean, rows.mean(0), rtol=1e-12)
    np.testing.assert_allclose(moments.deviation, rows.std(0), rtol=1e-9)


def test_a_sum_that_overflows_is_no_infinity():
    large = torch.full((3,), 3e38)
    assert all_finite(large) and all_finite(torch.zeros(0)) and all_finite(torch.tensor([2**62] * 3))
    assert not all_finite(torch.tensor([1.0, float("nan")])) and not all_finite(torch.tensor([large[0], float("-inf")]))


def test_any_array_becomes_a_tensor():
    values = np.arange(6, dtype=np.float32).reshape(2, 3)
    assert as_tensor(values).data_ptr() == values.__array_interface__["data"][0]  # shared
    frozen = values.copy()
    frozen.flags.writeable = False
    for array in (
        frozen,
        values.astype(">f4"),
        values.astype(np.longdouble),
        values[::-1][::-1],
        np.asfortranarray(values),
    ):
        assert torch.equal(as_tensor(array).float(), torch.from_numpy(values))
    assert as_tensor(values[:, ::-1]).tolist() == values[:, ::-1].tolist()
    assert not as_tensor(torch.ones(2, requires_grad=True)).requires_grad


@pytest.mark.parametrize("raw", ["5", None, [1, "2"], [[1, 2], [3]], 1j, np.array(["a"]), torch.ones(1) * 1j, {1: 2}])
def test_what_is_not_a_number(raw: object):
    with pytest.raises(DataError) as error:
        floats(raw)
    assert (
        str(error.value)
        == f"""\
these are not numbers
  expected: a number, an array of them, or lists of equal length that hold them
  got:      {described(raw)}"""
    )


def test_too_large_for_float32():
    with pytest.raises(DataError) as error:
        floats([1.0, -1e39])
    assert (
        str(error.value)
        == """\
a number is too large for float32
  expected: at most 3.4e38
  got:      1e+39
  mend:     give it in a larger unit, or its logarithm"""
    )
    assert floats([1.0, float("inf")]).tolist() == [1.0, float("inf")]


def test_plain_and_described():
    assert [plain_number(x) for x in (np.int8(3), torch.tensor(2.5), np.array(True), "a", [1])] == [
        3,
        2.5,
        True,
        "a",
        [1],
    ]
    assert type(plain_number(np.float32(1))) is float
    assert described(np.zeros((2, 3), np.uint8)) == "an array of shape (2, 3) and type uint8"
    assert described(torch.zeros(2)) == "an array of shape (2,) and type float32"
    assert described("x" * 100) == "'" + "x" * 38 + "… of type str"


def test_statistics_that_are_given():
    assert per_component("mean", 1, 3) == 1.0
    assert per_component("mean", [1, 2], 2) == (1.0, 2.0)
    assert per_component("mean", (1,), 1) == 1.0
    with pytest.raises(NetError) as error:
        per_component("mean", (1, 2), 3)
    assert (
        str(error.value)
        == """\
mean has another number of components
  expected: one number, or 3
  got:      2: (1.0, 2.0)"""
    )
    assert per_component("mean", np.array([1, 2]), 2) == (1.0, 2.0)
    assert per_component("mean", torch.tensor(2), 3) == 2.0
    with pytest.raises(NetError) as error:
        per_component("mean", "big", 3)
    assert (
        str(error.value)
        == """\
this cannot be a mean
  expected: numbers
  got:      'big' of type str"""
    )
    with pytest.raises(NetError) as error:
        per_component("deviation", 0, 3)
    assert (
        str(error.value)
        == """\
this cannot be a deviation
  expected: finite numbers above zero
  got:      0"""
    )


def test_sparse_tensors_are_refused():
    with pytest.raises(DataError) as error:
        as_tensor(torch.eye(2).to_sparse())
    assert str(error.value) == (
        "a sparse tensor cannot be read row by row\n  got:      an array of shape (2, 2) and type float32\n"
        "  mend:     tensor.to_dense()"
    )


class Frame:
    """What matters of a DataFrame: it is an array on request, and has columns by name."""

    columns = ("a", "b")

    def __array__(self, dtype: object = None, copy: object = None) -> np.ndarray:
        return np.array([[1.0, 2.0]])

    def __getitem__(self, name: str) -> list[str]:
        return [name]


def test_a_table_is_an_array_and_has_columns():
    assert arrayed(Frame()).tolist() == [[1.0, 2.0]]
    assert number_table(Frame()) == {"a": ["a"], "b": ["b"]}
    assert number_table(np.zeros((2, 2))) is None
    for other in ([1.0], "text", torch.zeros(2), np.float32(1)):
        assert arrayed(other) is other


@pytest.mark.parametrize("cells", [[True, False], [1, True], [1.5, 2], [2**70, 1]])
def test_objects_that_are_numbers(cells: list[object]):
    found = numbers(np.array(cells, dtype=object))
    assert found.tolist() == cells


def test_doubles_and_long_integers_keep_their_digits():
    assert exact(1_700_000_010).dtype == exact([0.1]).dtype == exact(torch.tensor([1])).dtype == torch.float64
    for narrow in (np.uint8, np.float16, np.float32, bool):
        assert exact(np.ones(2, narrow)).dtype == torch.float32


@pytest.mark.parametrize(
    ("times", "mend"),
    [
        (np.arange(2).astype("datetime64[D]"), 'times.astype("datetime64[s]").astype("int64"), the seconds since 1970'),
        (
            np.arange(2).astype("datetime64[ns]"),
            'times.astype("datetime64[s]").astype("int64"), the seconds since 1970',
        ),
        (np.arange(2).astype("timedelta64[ns]"), 'durations / np.timedelta64(1, "s"), the seconds'),
        ([datetime.datetime(2020, 1, 1)], "time.timestamp(), the seconds since 1970"),
        ([datetime.date(2020, 1, 1)], "date.toordinal(), the days since the year 1"),
        ([datetime.timedelta(1)], "duration.total_seconds()"),
    ],
)
def test_times_are_no_numbers_and_the_error_says_how_they_become_some(times: Any, mend: str):
    for read in (Number(0, 1).encode_all, lambda rows: Number(0, 1).encode(rows[0]), Number().fit):
        with pytest.raises(DataError) as error:
            read(times)
        assert str(error.value).endswith(f"  mend:     {mend}")
        assert error.value.what in ("this is not a number", "these are not numbers")


def test_the_mends_for_times_give_numbers():
    times = np.array(["2020-01-01", "2020-01-02"], "datetime64[ns]")
    assert np.diff(times.astype("datetime64[s]").astype("int64")).tolist() == [86_400]
    assert (np.diff(times) / np.timedelta64(1, "s")).tolist() == [86_400.0]


ODD = [True, 0, 1, -3, 2**53 + 1, 2**60 + 1, -(2**63), 2**64 - 1, 2**70, 0.1, 1e300, float("nan"), "1", None]


@given(st.data(), st.sampled_from([1, 2, 3]))
def test_lists_of_numbers_together_are_each_alone(data: st.DataObject, width: int):
    row = st.lists(st.sampled_from(ODD), min_size=width, max_size=width)
    rows = data.draw(st.lists(row, min_size=1, max_size=4))
    together = rows_of_numbers(rows)
    if together is not None:
        for mine, alone in zip(together, rows, strict=True):
            for convert in (numbers, floats, exact):
                left, right = (outcome(convert, value) for value in (mine, alone))
                assert left == right or convert is numbers


def outcome(convert: Any, value: Any) -> Any:
    """The numbers, or the error, as a text."""
    try:
        return convert(value).double().tolist().__repr__()
    except DataError as error:
        return error.what


def test_what_does_not_make_one_array_is_encoded_one_by_one():
    assert rows_of_numbers([[1, 2], [3, 4]]).tolist() == [[1, 2], [3, 4]]  # type: ignore[union-attr]
    for rows in ([[1, 2], [3]], [["a"], ["b"]], [[True], [2]], [[2**53 + 1], [0.5]], [[]], [[1], [None]], [b"ab"], []):
        assert rows_of_numbers(rows) is None
