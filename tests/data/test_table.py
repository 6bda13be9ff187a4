"""nw.table: what each column is taken for, and what is left out and why."""

import datetime
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import netwright as nw
from messages import message

N = 40
COLUMNS: dict[str, list[Any]] = {
    "rownames": [*range(1, N + 1)],
    "user_id": [7 * i * i for i in range(N)],
    "age": [None if i % 8 == 0 else 20.0 + i for i in range(N)],
    "rooms": [i % 5 for i in range(N)],
    "town": ["Ulm" if i % 3 else "Bonn" for i in range(N)],
    "deck": [None if i % 4 else "ABC"[i % 3] for i in range(N)],
    "insured": [i % 2 == 0 for i in range(N)],
    "since": [datetime.date(2020, 1, 1) + datetime.timedelta(days=i) for i in range(N)],
    "name": [f"{'Mr' if i % 2 else 'Mrs'} Number {i}" for i in range(N)],
    "ticket": [f"T{i}" for i in range(N)],
    "country": ["Germany"] * N,
    "gone": [None] * N,
    "one": [None if i % 2 else "x" for i in range(N)],
    "paid": ["yes" if i % 3 == 0 else "no" for i in range(N)],
}
SEEN = """\
Table of 40 rows, 20 numbers a row
column    taken for         what it holds                                         numbers
rownames  left out          an identifier: 40 different whole numbers in 40 rows
user_id   left out          an identifier: 40 different whole numbers in 40 rows
age       number            21 to 59, mean 40; 5 missing                          2
rooms     number            0 to 4, mean 2                                        1
town      category          2 labels: 'Ulm' (26), 'Bonn' (14)                     2
deck      category          3 labels: 'A' (4), 'B' (3), 'C' (3); 30 missing       4
insured   boolean           20 True, 20 False                                     1
since     date              2020-01-01 to 2020-02-09                              7
name      text              3 common words: number, mr, mrs                       3
ticket    left out          an identifier: 40 different texts in 40 rows
country   left out          constant: 'Germany' in every row
gone      left out          every value is missing
one       left out          one label and missing values: 'x' (20)
paid      target: category  2 labels: 'no' (26), 'yes' (14)"""


@pytest.mark.parametrize("make", [pd.DataFrame, pl.DataFrame, pa.table])
def test_every_column_is_taken_for_something(make: Any):
    found = nw.table(make(COLUMNS), target="paid")
    lines = repr(found).splitlines()
    expected = SEEN.splitlines()
    assert [line for line in lines if not line.startswith("deck")] == [x for x in expected if not x.startswith("deck")]
    assert found.left_out == ("rownames", "user_id", "ticket", "country", "gone", "one")
    assert found.output == nw.Category(["no", "yes"])
    assert found.input.target == "paid"
    assert found.input.encoded == "20"


def test_types_of_pandas():
    frame = pd.DataFrame(COLUMNS)
    frame["town"] = frame["town"].astype("category")
    frame["grade"] = pd.Series([i % 3 for i in range(N)]).astype("category")
    frame["when"] = pd.to_datetime(frame["since"])
    frame["rooms"] = frame["rooms"].astype("Int64")
    kinds = {column.name: column.kind for column in nw.table(frame, "paid").columns}
    assert (kinds["town"], kinds["grade"], kinds["when"], kinds["rooms"]) == ("category", "category", "date", "number")


@pytest.mark.parametrize(
    ("values", "codec"),
    [
        ([0, 1, 0], nw.Category([0, 1])),
        ([0, 1, 2], nw.Number(1.0, (2 / 3) ** 0.5)),
        ([True, False, True], nw.Boolean()),
        (["a", "b", "c"], nw.Category(["a", "b", "c"])),
        ([0.0, 1.0, 0.0], nw.Number(1 / 3, (2 / 9) ** 0.5)),
    ],
)
def test_targets(values: list[Any], codec: nw.Codec):
    found = nw.table(pd.DataFrame({"x": [1.0, 2.0, 4.0], "y": values}), "y").output
    assert type(found) is type(codec)
    if isinstance(found, nw.Number) and isinstance(codec, nw.Number):
        assert (found.mean, found.deviation) == pytest.approx((codec.mean, codec.deviation))
    else:
        assert found == codec


def test_given_codecs():
    frame = pd.DataFrame({"zip": [1, 2, 2], "age": [1.0, None, 3.0], "stars": [1, 2, 3]})
    given = {"zip": nw.Category(), "age": nw.Number(0, 1), "stars": nw.Category()}
    found = nw.table(frame, "stars", codecs=given)
    assert found.input == nw.Record({"zip": nw.Category([1, 2]), "age": nw.Nullable(nw.Number(0, 1))}, "stars")
    assert found.output == nw.Category([1, 2, 3])
    assert message(nw.table, frame, "stars", codecs={"Zip": nw.Category()}) == (
        "the frame has no column 'Zip'\n  where:    codecs\n  mend:     did you mean 'zip'?"
    )


def test_rare_labels_count_as_unknown():
    labels = [f"common {i % 300}" if i < 900 else "rare" for i in range(901)]
    column = nw.table(pd.DataFrame({"x": labels, "y": np.arange(901.0)}), "y").columns[0]
    assert isinstance(column.codec, nw.Category) and len(column.codec.names) == 255
    assert column.about.endswith("46 rare ones count as unknown")


def test_bad_frames():
    frame = pd.DataFrame({"x": [1.0, 2.0], "y": ["a", "b"]})
    assert message(nw.table, [1, 2], "y") == (
        "this is no frame\n"
        "  expected: a DataFrame of pandas or polars, or a table of pyarrow\n"
        "  got:      a list\n"
        "  mend:     pandas.DataFrame(…)"
    )
    assert message(nw.table, frame, "Y") == (
        "the frame has no column 'Y', which is the target\n"
        "  where:    data\n"
        "  got:      the columns 'x', 'y'\n"
        "  mend:     did you mean 'y'?"
    )
    assert message(nw.table, frame.iloc[:0], "y") == "the frame has no rows\n  where:    data"
    assert message(nw.table, frame.assign(y="a"), "y") == (
        "all targets are equal: there is nothing to learn\n"
        "  where:    column 'y'\n"
        "  got:      'a' in each of 2 rows\n"
        "  mend:     rows with other targets too"
    )
    assert message(nw.table, frame.assign(y=["a", None]), "y") == (
        "the target is missing\n"
        "  where:    row 1, column 'y'\n"
        "  got:      1 of 2 rows without a target\n"
        "  mend:     frame.dropna(subset=['y'])\n"
        "  or:       frame.drop_nulls('y'), of a frame of polars"
    )
    assert message(nw.table, frame.assign(x=1), "y") == (
        "no column of the frame can be read\n  where:    data\n  got:      x: constant: 1 in every row"
    )
    assert message(nw.table, frame.assign(x=[1.0, np.inf]), "y") == (
        "the value is infinite\n"
        "  where:    column 'x'\n"
        "  expected: a finite number\n"
        "  mend:     frame.replace([inf, -inf], None), if it stands for a missing value"
    )


def test_texts_without_a_common_word():
    texts = [f"a{i} b{i} c{i}" for i in range(10)]
    column = nw.table(
        pd.DataFrame({"x": [0.5 * i for i in range(10)], "text": texts, "y": ["a", "b"] * 5}), "y"
    ).columns[1]
    assert (column.kind, column.about) == ("left out", "texts that have no word in common")


def test_values_that_stand_in_no_vector():
    frame = pd.DataFrame({"x": [1.0, 2.0, 3.0], "lists": [[1], [2], [3]], "y": ["a", "b", "a"]})
    column = nw.table(frame, "y").columns[1]
    assert (column.kind, column.about) == ("left out", "values of type list, which stand in no vector of numbers")
