"""A record: the numbers of all columns of a row, from mappings and from frames."""

from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import torch

import netwright as nw
from messages import message

PERSON = nw.Record(
    {"age": nw.Nullable(nw.Number(30, 10)), "sex": nw.Category(["f", "m"]), "ok": nw.Boolean()}, target="paid"
)
ROWS = [{"age": 40, "sex": "m", "ok": True}, {"age": None, "sex": "x", "ok": False}]
NUMBERS = [[1.0, 0.0, 0.0, 1.0, 1.0], [0.0, 1.0, 0.0, 0.0, 0.0]]


def test_rows_give_numbers():
    assert PERSON.encoded == "5"
    assert PERSON.encode_all(ROWS).tolist() == NUMBERS
    assert [PERSON.encode(row).tolist() for row in ROWS] == NUMBERS
    assert PERSON.encode_all([{**row, "more": 1} for row in ROWS]).tolist() == NUMBERS
    assert PERSON.takes(ROWS[0]) and not PERSON.takes(ROWS)


@pytest.mark.parametrize("make", [pd.DataFrame, pl.DataFrame, pa.table])
def test_frames_give_the_same(make: Any):
    columns = {name: [row[name] for row in ROWS] for name in ROWS[0]}
    assert PERSON.encode_all(PERSON.collected(make(columns))).tolist() == NUMBERS


def test_fit():
    rows = [{"age": 1.0, "sex": "m"}, {"age": 3.0, "sex": "f"}]
    learned = nw.Record({"age": nw.Number(), "sex": nw.Category()}).fit(rows)
    assert learned == nw.Record({"age": nw.Number(2.0, 1.0), "sex": nw.Category(["f", "m"])})
    assert nw.Record({"sex": nw.Category()}).encoded == "?"
    assert learned.fit([]) is learned


def test_it_prints_what_makes_it(tmp_path: Any):
    assert eval(repr(PERSON), {**vars(nw)}) == PERSON
    net = nw.initialize(nw.Chain(nw.Linear(2), input=PERSON))
    nw.save(net, tmp_path / "a.net")
    assert nw.load(tmp_path / "a.net").inputs == net.inputs


def test_a_net_takes_rows_and_frames():
    net = nw.initialize(nw.Chain(nw.Linear(), nw.softmax, input=PERSON, output=nw.Category(["no", "yes"])))
    one = [net(row) for row in ROWS]
    assert net(ROWS) == one
    assert net(pd.DataFrame(ROWS)) == one
    assert net(nw.batch(pl.DataFrame(ROWS))) == one
    assert torch.equal(net(pd.DataFrame(ROWS), nw.raw), net(ROWS, nw.raw))


def test_bad_records():
    assert message(nw.Record, {}) == ('a record needs at least one column\n  mend:     nw.Record({"age": nw.Number()})')
    assert message(nw.Record, {"age": 3}) == (
        "a record maps names of columns to codecs\n  expected: such as {\"age\": nw.Number()}\n  got:      'age': 3"
    )
    assert message(nw.Record, {"age": nw.Number()}, target="age") == (
        "the target is among the columns that are read\n  got:      'age'"
    )


def test_bad_rows():
    assert message(PERSON.encode_all, [ROWS[0], {"age": 3, "ok": True}]) == (
        "there is no column 'sex'\n"
        "  where:    row 1\n"
        "  expected: the columns that the net was made for\n"
        "  got:      the columns 'age', 'ok'"
    )
    assert message(PERSON.encode_all, [ROWS[0], {"age": 3, "sex": None, "ok": True}]) == (
        "the value is missing\n"
        "  where:    row 1, column 'sex'\n"
        "  expected: a value, as in every row of the training data\n"
        "  mend:     fill in a value, or leave the row out\n"
        "  or:       nw.Nullable(…) as the codec, and the net trained anew"
    )
    changed = pd.DataFrame({"age": [30.0, 31.0], "sex": ["f", "m"], "ok": ["yes", "no"]})
    assert message(PERSON.encode_all, PERSON.collected(changed)) == (
        "this is not a boolean\n"
        "  where:    row 0, column 'ok'\n"
        "  expected: True or False, 1 or 0\n"
        "  got:      'yes' of type str\n"
        "  mend:     give True in place of 'yes'\n"
        "  or:       nw.Category(), the codec of texts as labels"
    )
    assert message(PERSON.collected, pd.DataFrame({"age": [1], "Sex": ["m"], "ok": [True]})) == (
        "there is no column 'sex'\n"
        "  expected: the columns that the net was made for\n"
        "  got:      the columns 'age', 'Sex', 'ok'\n"
        "  mend:     did you mean 'Sex'?"
    )
    assert message(PERSON.encode, 3) == (
        "a row of the table is a mapping from names of columns to values\n"
        "  expected: {'age': …, 'sex': …, 'ok': …}\n"
        "  got:      3 of type int"
    )
    assert message(PERSON.decode, torch.zeros(5)).startswith("a row of a table is an input, and no answer of a net\n")


def test_the_row_of_a_bad_number_is_named():
    rows = pd.DataFrame({"age": np.array([30.0, np.inf]), "sex": ["f", "m"], "ok": [True, False]})
    assert message(PERSON.encode_all, PERSON.collected(rows)).startswith(
        "the value is infinite\n  where:    row 1, column 'age'"
    )
