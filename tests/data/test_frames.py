"""Frames in training and measuring: the target is found, columns that are not read are listed, faults are plain."""

from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import netwright as nw
from messages import message
from netwright.codecs.table.rows import TableRows
from netwright.data.frames import columns_not_used, with_rows
from netwright.data.rows import RowPorts

PORTS = RowPorts(("input",), ("target",))
RANDOM = np.random.default_rng(0)
AGE = RANDOM.normal(30, 9, 60)
FRAME = pd.DataFrame({
    "age": np.where(RANDOM.random(60) < 0.2, np.nan, AGE),
    "sex": RANDOM.choice(["f", "m"], 60),
    "note": ["seen"] * 60,
    "paid": np.where(AGE > 30, "yes", "no"),
})  # fmt: skip
RECORD = nw.Record({"age": nw.Nullable(nw.Number()), "sex": nw.Category()}, target="paid")
NET = nw.Chain(4, nw.relu, nw.Linear(), nw.softmax, input=RECORD, output=nw.Category())


def trained(data: Any, **more: Any) -> nw.Run:
    return nw.train(NET, data, epochs=2, progress=False, **more)


def test_a_frame_is_data_as_it_is():
    run = trained(FRAME)
    assert run.net.inputs["input"] == RECORD.fit([*TableRows({"age": FRAME.age.to_numpy(), "sex": [*FRAME.sex]})])
    answers = run.net(FRAME)
    assert len(answers) == 60
    assert answers == run.net(FRAME.to_dict("records"))
    report = nw.measure(run.net, FRAME)
    right = np.mean([answer == paid for answer, paid in zip(answers, FRAME.paid, strict=True)])
    assert float(report.accuracy) == pytest.approx(right)


@pytest.mark.parametrize("make", [pl.from_pandas, pa.Table.from_pandas])
def test_other_frames_train_alike(make: Any):
    assert trained(make(FRAME)).net == trained(FRAME).net


def test_targets_may_come_separately():
    apart = (FRAME.drop(columns="paid"), FRAME.paid)
    assert trained(apart).net == trained(FRAME).net
    assert trained(nw.Split(*apart)).net == trained(FRAME).net
    assert trained({"input": apart[0], "target": apart[1]}).net == trained(FRAME).net
    assert trained([*zip(apart[0].to_dict("records"), apart[1], strict=True)]).net == trained(FRAME).net


def test_a_part_validates():
    run = trained(FRAME, validation=0.25)
    assert all("loss" in epoch.validation for epoch in run.epochs)


def test_columns_not_used_are_said():
    choice = trained(FRAME).choice("columns not used")
    assert (choice.value, choice.why) == ("note", "the net's encoder does not name them")
    assert not any(choice.name == "columns not used" for choice in trained(FRAME.drop(columns="note")).choices)
    assert columns_not_used([1, 2], RECORD) == ()


def test_other_data_is_left_alone():
    data = (FRAME, FRAME.paid)
    assert with_rows(data, PORTS, {"input": nw.Vector(3)}) is data
    assert with_rows([1, 2], PORTS, {"input": RECORD}) == [1, 2]


def test_a_frame_without_its_target():
    assert message(trained, FRAME.rename(columns={"paid": "Paid"})) == (
        "the frame has no column 'paid', which is the target\n"
        "  where:    data\n"
        "  got:      the columns 'age', 'sex', 'note', 'Paid'\n"
        "  mend:     did you mean 'Paid'?\n"
        "  or:       (frame, targets), if the targets are not in the frame"
    )
    record = nw.Record({"age": nw.Nullable(nw.Number())})
    assert message(nw.train, NET.with_input(record), FRAME, epochs=1, progress=False) == (
        "the net does not know which column of the frame is the target\n"
        "  where:    data\n"
        "  mend:     nw.Record({…}, target=…) as the encoder\n"
        "  or:       (frame, targets)"
    )


def test_a_missing_target():
    frame = FRAME.assign(paid=[None if row == 3 else paid for row, paid in enumerate(FRAME.paid)])
    assert message(trained, frame) == (
        "the target is missing\n"
        "  where:    row 3, column 'paid'\n"
        "  got:      1 of 60 rows without a target\n"
        "  mend:     frame.dropna(subset=['paid'])\n"
        "  or:       frame.drop_nulls('paid'), of a frame of polars"
    )


def test_a_missing_column():
    assert message(trained, FRAME.drop(columns="sex")) == (
        "there is no column 'sex'\n"
        "  expected: the columns that the net was made for\n"
        "  got:      the columns 'age', 'note', 'paid'"
    )


def test_a_column_that_changed_its_type():
    run = trained(FRAME)
    age = [*FRAME.age.astype(object)]
    age[5] = "old"
    assert message(run.net, FRAME.assign(age=age)) == (
        "this is not a number\n  where:    row 5, column 'age'\n  expected: int or float\n  got:      'old' of type str"
    )


def test_all_of_one_class():
    assert message(trained, FRAME.assign(paid="no")) == (
        "a category needs at least two different labels in the training data\n"
        "  where:    port 'target'\n"
        "  got:      only 'no'\n"
        "  mend:     give the labels: Category([…])"
    )


def test_no_rows():
    assert message(trained, FRAME.iloc[:0]) == (
        "there is no data\n  where:    data\n  expected: at least one example\n  got:      DataFrame"
    )
    assert message(trained(FRAME).net, FRAME.iloc[:0]) == "there are no examples"
