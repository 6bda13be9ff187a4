"""Features of a column: what its codec prepares, a 1 for a label, and which values are missing."""

import datetime

import numpy as np
import pandas as pd
import polars as pl
import pytest
import torch

from messages import message
from netwright.codecs.array import Array
from netwright.codecs.category import Boolean, Category
from netwright.codecs.number import Number, Vector
from netwright.codecs.table.features import features_of, is_missing, missing_of, width_of


def test_missing():
    gone = [None, float("nan"), np.float32("nan"), np.datetime64("NaT"), pd.NA, pd.NaT]
    there = [0, "", False, "nan", np.float64(1), datetime.date(2020, 1, 1), np.datetime64("2020-01-01")]
    assert [is_missing(value) for value in (*gone, *there)] == [True] * len(gone) + [False] * len(there)
    assert missing_of(np.array([1.0, np.nan])).tolist() == [False, True]
    assert missing_of(np.array([1, 2])).tolist() == [False, False]
    assert missing_of([1, None, "a"]).tolist() == [False, True, False]
    assert missing_of(pl.Series([1, None]).to_list()).tolist() == [False, True]


def test_widths():
    assert [width_of(codec) for codec in (Number(0, 1), Boolean(), Vector(3), Array(2))] == [1, 1, 3, 2]
    assert width_of(Category(["a", "b", "c"])) == 3
    assert width_of(Category()) is None
    assert width_of(Vector()) is None


@pytest.mark.parametrize("codec", [Array("2 3"), Array("n"), Array("()"), Array("n <5>")])
def test_what_cannot_stand_in_a_row(codec: Array):
    assert message(width_of, codec) == (
        "the codec of a column gives a number, numbers side by side, or a class\n"
        "  expected: such as nw.Number(), nw.Boolean(), nw.Category() or nw.Vector(3)\n"
        f"  got:      {codec!r}"
    )


def test_features():
    assert features_of(Number(1, 2), [3, 5]).tolist() == [[1.0], [2.0]]
    assert features_of(Boolean(), [True, False]).tolist() == [[1.0], [0.0]]
    labels = Category(["a", "b"])
    assert features_of(labels, ["b", "c", "a"]).tolist() == [[0.0, 1.0], [0.0, 0.0], [1.0, 0.0]]
    assert features_of(Category([1, 2]), np.array([2, 1])).tolist() == [[0.0, 1.0], [1.0, 0.0]]
    assert features_of(labels, ["b"]).dtype == torch.float32


def test_numbers_as_labels():
    assert features_of(Category([1, 2]), [2.0, 3]).tolist() == [[0.0, 1.0], [0.0, 0.0]]
    assert features_of(Category([1.0, 2.0]), [2, True - 0]).tolist() == [[0.0, 1.0], [1.0, 0.0]]


@pytest.mark.parametrize(
    ("value", "said"), [(3, "3 of type int"), (True, "True of type bool"), ([1], "[1] of type list")]
)
def test_a_label_of_another_type(value: object, said: str):
    assert message(features_of, Category(["a", "b"]), ["a", value]) == (
        "the value has another type than the labels of the column\n"
        "  where:    row 1\n"
        "  expected: str, such as 'a'\n"
        f"  got:      {said}"
    )
