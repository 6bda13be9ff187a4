"""Arrow columns are taken by row, and their values have the form that codecs read; a null is named."""

import sys
from typing import Any

import numpy as np
import pytest

import netwright as nw
from netwright.data.arrow import ArrowRows, arrow_package, arrow_values
from netwright.errors import DataError

pa = pytest.importorskip("pyarrow")
FIXED = pa.FixedSizeListArray.from_arrays(pa.array(np.arange(12.0)), 4)
TENSORS = pa.FixedShapeTensorArray.from_numpy_ndarray(np.arange(12.0).reshape(3, 2, 2))


@pytest.mark.parametrize(
    ("array", "expected"),
    [
        (pa.array([1, 2, 3]), [1, 2, 3]),
        (pa.array([0.5, 1.5]), [0.5, 1.5]),
        (pa.array([True, False]), [True, False]),
        (pa.array(["a", "b"]), ["a", "b"]),
        (pa.array(["a", "b", "a"]).dictionary_encode(), ["a", "b", "a"]),
        (FIXED, np.arange(12.0).reshape(3, 4).tolist()),
        (FIXED.slice(1), np.arange(4.0, 12.0).reshape(2, 4).tolist()),
        (pa.array([[1, 2], [3, 4]]), [[1, 2], [3, 4]]),
        (pa.array([[1, 2], [3]]), [[1, 2], [3]]),
        (pa.array([[[1, 2], [3, 4]], [[5, 6], [7, 8]]]), [[[1, 2], [3, 4]], [[5, 6], [7, 8]]]),
        (TENSORS, np.arange(12.0).reshape(3, 2, 2).tolist()),
        (pa.array([b"x"]), [b"x"]),
        (pa.array([{"bytes": b"x", "path": None}]), [b"x"]),
    ],
)
def test_values(array: Any, expected: Any) -> None:
    found = arrow_values(pa.chunked_array([array]), "x")
    assert [value.tolist() if isinstance(value, np.ndarray | np.generic) else value for value in found] == expected


def test_numbers_of_one_shape_are_one_array() -> None:
    assert all(isinstance(arrow_values(array, "x"), np.ndarray) for array in (pa.array([1.0]), FIXED, TENSORS))


@pytest.mark.parametrize(
    ("array", "text"),
    [
        (
            pa.array([1, None, 3]),
            "the value is null\n"
            "  where:    row 1, column 'x'\n"
            "  expected: a value of type int64\n"
            "  mend:     leave such rows out: table.drop_null()\n"
            "  or:       fill in a value: pyarrow.compute.fill_null(column, …)",
        ),
        (
            pa.array([[1, 2], [3, None]]),
            "a list holds null\n"
            "  where:    row 1, column 'x'\n"
            "  expected: values of type int64\n"
            "  mend:     fill in a value",
        ),
    ],
)
def test_a_null_is_named(array: Any, text: str) -> None:
    with pytest.raises(DataError) as caught:
        arrow_values(array, "x")
    assert str(caught.value) == text


def test_a_null_in_training_is_named_by_the_users_row() -> None:
    values = [float(i) for i in range(50)]
    table = pa.table({"input": values, "target": [*values[:37], None, *values[38:]]})
    with pytest.raises(DataError) as caught:
        nw.train(nw.Chain(nw.Linear(1)), table, epochs=1, progress=False)
    assert caught.value.where == "port 'target', row 37, column 'target'"


def test_a_table_trains_as_the_same_arrays() -> None:
    draw = np.random.default_rng(0)
    x = draw.normal(size=(60, 4))
    table = pa.table({"input": pa.FixedSizeListArray.from_arrays(pa.array(x.ravel()), 4), "target": x.sum(1)})
    net = nw.Chain(3, nw.tanh, nw.Linear(), input=nw.Vector(), output=nw.Number())
    forms = [(x, x.sum(1)), table, (table["input"], table["target"]), {"input": x, "target": table["target"]}]
    runs = [nw.train(net, data, epochs=3, validation=0.2, progress=False) for data in forms]
    assert all(run.net == runs[0].net for run in runs)
    said = [str(choice) for choice in runs[1].choices if choice.name == "examples"]
    assert said == ["examples: read when they are needed (an Arrow table is never in memory as a whole)"]


def test_a_table_whose_columns_are_no_ports() -> None:
    with pytest.raises(DataError) as caught:
        nw.train(nw.Chain(nw.Linear(1)), pa.table({"x": [1.0], "y": [2.0]}), progress=False)
    assert caught.value.mend == ("(data['x'], data['y']), if 'y' is the target",)


def test_the_digest_follows_the_contents() -> None:
    tables = [pa.table({"x": values}) for values in ([1, 2], [1, 2], [2, 1], [1, 2, 3], [1.0, 2.0])]
    tables += [
        pa.table({"x": values}) for values in ([[1], [2, 3]], [[1, 2], [3]], [[1, 2], [3, 4]], [[1], None], ["a"])
    ]
    assert len({ArrowRows(table).digest() for table in tables}) == 9
    long = [pa.table({"x": [list(range(2000)), list(range(last))]}) for last in (2001, 2002)]
    assert ArrowRows(long[0]).digest() != ArrowRows(long[1]).digest()


def test_without_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow.compute", None)
    with pytest.raises(ImportError, match=r'pip install "netwright\[arrow\]"'):
        arrow_package("reading Parquet files")
