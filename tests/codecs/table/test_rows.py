"""Rows of a table: the same from pandas, polars, pyarrow and mappings."""

import datetime
import sys

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import torch

from messages import message
from netwright.codecs.table.rows import TableRows, is_frame, rows_of_frame, rows_of_mappings

COLUMNS = {
    "age": [22.0, None, 26.0],
    "count": [1, 2, 3],
    "some": [1, None, 3],
    "ok": [True, False, True],
    "maybe": [True, None, False],
    "sex": ["m", "f", None],
    "born": [datetime.date(2020, 1, day) for day in (1, 2, 3)],
}


def plain(rows: TableRows) -> dict[str, list[object]]:
    found = {
        name: values.tolist() if isinstance(values, np.ndarray) else values for name, values in rows.columns.items()
    }
    return {name: [None if value != value else value for value in values] for name, values in found.items()}


@pytest.mark.parametrize("make", [pd.DataFrame, pl.DataFrame, pa.table])
def test_frames_are_read_alike(make: object):
    rows = rows_of_frame(make(COLUMNS))  # type: ignore[operator]
    found = plain(rows)
    assert found == COLUMNS
    assert isinstance(rows.columns["age"], np.ndarray)
    assert isinstance(rows.columns["count"], np.ndarray)
    assert len(rows) == 3


def test_types_of_pandas():
    frame = pd.DataFrame({
        "object": pd.Series(["a", None], dtype=object),
        "text": pd.Series(["a", None], dtype="string"),
        "whole": pd.Series([1, None], dtype="Int64"),
        "kind": pd.Series(["a", None], dtype="category"),
        "time": pd.to_datetime(["2024-01-01", None]),
    })  # fmt: skip
    found = plain(rows_of_frame(frame))
    assert found["object"] == found["text"] == found["kind"] == ["a", None]
    assert found["whole"] == [1.0, None]
    assert found["time"] == [pd.Timestamp("2024-01-01"), None]


def test_rows():
    rows = TableRows({"a": np.array([1, 2, 3]), "b": ["x", "y", "z"]})
    assert rows[1] == {"a": 2, "b": "y"}
    assert [*rows[1:]] == [{"a": 2, "b": "y"}, {"a": 3, "b": "z"}]
    assert [*rows.picked(torch.tensor([2, 0]))] == [{"a": 3, "b": "z"}, {"a": 1, "b": "x"}]
    assert repr(rows) == "TableRows of 3 (a, b)"
    assert len(TableRows({})) == 0


def test_mappings():
    rows = rows_of_mappings([{"a": 1, "b": 2}, {"b": 3, "a": 4}])
    assert rows is not None and rows.columns == {"a": [1, 4], "b": [2, 3]}
    assert rows_of_mappings([{"a": 1}, {"b": 1}]) is None
    assert rows_of_mappings([1]) is None
    assert rows_of_mappings([]) is None


def test_what_is_a_frame():
    assert all(map(is_frame, (pd.DataFrame({"a": [1]}), pl.DataFrame({"a": [1]}), pa.table({"a": [1]}))))
    assert not any(map(is_frame, ([1], {"a": 1}, np.zeros(3), pd.Series([1]), TableRows({"a": [1]}))))


def test_errors(monkeypatch: pytest.MonkeyPatch):
    assert message(rows_of_frame, pd.DataFrame(np.zeros((2, 2)))) == (
        "the name of a column is not a text\n"
        "  where:    data\n"
        "  got:      0\n"
        "  mend:     frame.columns = [str(name) for name in frame.columns]"
    )
    assert message(rows_of_frame, pd.DataFrame(np.zeros((2, 2)), columns=["a", "a"])) == (
        "two columns of the frame have the same name\n"
        "  where:    data\n"
        "  got:      'a'\n"
        "  mend:     give each another name"
    )
    assert message(rows_of_frame, pl.LazyFrame({"a": [1]})) == (
        "the frame is not in memory\n  where:    data\n  got:      LazyFrame\n  mend:     frame.collect()"
    )
    monkeypatch.setitem(sys.modules, "narwhals", None)
    assert message(rows_of_frame, pd.DataFrame({"a": [1]})) == (
        'reading a frame needs the package narwhals, which is not installed\n  mend:     pip install "netwright[table]"'
    )
