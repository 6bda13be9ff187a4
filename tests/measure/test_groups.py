"""Figures of groups: of a column, of a list, with a table; groups that do not fit."""

import json

import numpy as np
import pytest

import netwright as nw
from messages import message

NET = nw.Chain(nw.softmax, input=2, output=nw.Category(["cat", "dog"]))
X = [[0.0, 1.0], [1.0, 0.0], [2.0, 0.0], [0.0, 0.5]]
Y = ["dog", "cat", "dog", "dog"]
WHO = ["ben", "ann", "ben", "ann"]


def test_a_list_of_groups():
    report = nw.measure(NET, (X, Y), by=WHO, metrics=["kappa"])
    assert [*report.groups] == ["ann", "ben"]
    assert (report.groups["ann"].accuracy.value, report.groups["ben"].accuracy.value) == (1.0, 0.5)
    alone = nw.measure(NET, ([X[1], X[3]], [Y[1], Y[3]]), metrics=["kappa"], worst=0)
    assert str(report.groups["ann"]) == str(alone)
    assert report.accuracy.value == 0.75 and report.n == 4


@pytest.mark.parametrize(
    "data",
    [
        {"input": X, "speaker": WHO, "target": Y},
        [{"input": x, "target": y, "speaker": who} for x, y, who in zip(X, Y, WHO, strict=True)],
    ],
)
def test_a_column_of_groups(data):
    report = nw.measure(NET, data, by="speaker", baseline=(X, Y))
    assert {name: one.n for name, one in report.groups.items()} == {"ann": 2, "ben": 2}
    assert report.groups["ann"].baseline_from == "the training data"


def test_groups_are_read_from_arrays_in_chunks():
    who = np.arange(300) % 3
    report = nw.measure(NET, (X * 75, Y * 75), by=who)
    assert [*report.groups] == [0, 1, 2] and {one.n for one in report.groups.values()} == {100}


def test_the_table():
    report = nw.measure(NET, (X, Y), by=WHO)
    table = str(report).split("\n\n")[2].splitlines()
    assert table[0].split() == ["group", "examples", "accuracy"]
    assert table[1].split() == ["ann", "2", "100.0%", "(34.2-100.0)"]
    assert table[2].split() == ["ben", "2", "50.0%", "(9.5-90.5)"]
    found = json.loads(json.dumps(report.to_json()))["groups"]
    assert [one["group"] for one in found] == ["ann", "ben"] and found[1]["figures"]["accuracy"]["value"] == 0.5


def test_groups_without_a_name_or_of_several_kinds_stand_too():
    report = nw.measure(NET, (X, Y), by=[None, float("nan"), "ann", 3])
    assert {name: one.n for name, one in report.groups.items()} == {3: 1, None: 2, "ann": 1}


def test_each_position_of_an_example_is_in_its_group():
    net = nw.Chain(nw.softmax, input=("n", 2), output=nw.Each(nw.Category(["a", "b"])))
    report = nw.measure(net, ([X, X[:2]], [[*"abab"], [*"ab"]]), by=["long", "short"])
    assert {name: one.counted for name, one in report.groups.items()} == {"long": 4, "short": 2}


def test_a_group_of_which_nothing_counts_has_no_report():
    net = nw.Chain(nw.softmax, input=(2, 1, 2), output=nw.Mask(["a", "b"], 2, 1, ignored=255))
    x, masks = np.zeros((3, 2, 1, 2)), np.array([[[0], [1]], [[255], [255]], [[1], [255]]])
    report = nw.measure(net, (x, masks), by=["here", "nowhere", "there"])
    assert {name: one.counted for name, one in report.groups.items()} == {"here": 2, "there": 1}
    assert report.notes == (
        "examples without a position that counts, left out: 1",
        "groups without a position that counts: nowhere",
    )


def test_of_several_outputs_each_has_groups():
    net = nw.Graph(
        a=([nw.Linear(2), nw.softmax], "x"),
        b=(nw.Linear(1), "x"),
        input={"x": 2},
        output={"a": nw.Category(["cat", "dog"]), "b": nw.Number(0, 1)},
    )
    data = {"x": X, "a_target": Y, "b_target": [1.0, 2.0, 3.0, 4.0]}
    report = nw.measure(nw.initialize(net), data, by=WHO)
    assert [*report["a"].groups] == [*report["b"].groups] == ["ann", "ben"]


@pytest.mark.parametrize(
    ("by", "text"),
    [
        (
            ["ann"],
            "by= has another length than the data\n"
            "  where:    by\n"
            "  expected: 4, a group for each example\n"
            "  got:      1",
        ),
        (
            [["ann"], ["ben"], ["ann"], ["ben"]],
            "a group is named by a text, a number or another value that can be a key\n"
            "  where:    by, row 0\n"
            "  got:      list",
        ),
        (
            "speaker",
            "a tuple of two columns fits a net with one input and one target\n"
            "  where:    data\n"
            "  expected: a dict with the ports 'input', 'speaker', 'target'\n"
            "  got:      a tuple of 2\n"
            "  mend:     {'input': …, 'speaker': …, 'target': …}",
        ),
    ],
)
def test_groups_that_do_not_fit(by, text):
    assert message(lambda: nw.measure(NET, (X, Y), by=by)) == text


def test_a_stream_has_as_many_groups_as_examples():
    def rows():
        yield from zip(X, Y, strict=True)

    assert nw.measure(NET, rows, by=WHO).groups["ben"].n == 2
    few = "by= has fewer groups than the data has examples\n  where:    by\n  expected: a group for each example\n"
    assert message(lambda: nw.measure(NET, rows, by=WHO[:3])) == f"{few}  got:      3, and at least 4 examples"
    many = (
        "by= has another length than the data\n  where:    by\n  expected: 4, a group for each example\n  got:      5"
    )
    assert message(lambda: nw.measure(NET, rows, by=[*WHO, "eve"])) == many
