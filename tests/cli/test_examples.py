"""Tables, folders and named data sets as examples for a net; and columns that do not fit it."""

import json

import numpy as np
import pytest

import netwright as nw
from netwright.cli.examples import csv_columns, examples_at
from netwright.show.pictures import png

PAIR = nw.Chain(4, nw.tanh, nw.Linear(), nw.softmax, input=nw.Vector(2), output=nw.Category(["in", "out"]))


def read(name, net=PAIR, target=None, part="train"):
    return examples_at(name, net, target, part)


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "sides.csv").write_text("x,y,side\n1,2,in\n-1.5,0,out\n")
    return tmp_path


def test_a_table_of_numbers_is_a_vector(here):
    assert read("sides.csv", target="side") == {"input": [[1.0, 2.0], [-1.5, 0.0]], "target": ["in", "out"]}
    (here / "one.csv").write_text("\ufeffinput,target\n1,2.5\n\n2,3\n", encoding="utf-8")
    number = nw.Chain(nw.Linear(1), input=nw.Number(), output=nw.Number())
    assert read("one.csv", number) == {"input": [1, 2], "target": [2.5, 3.0]}


def test_a_column_for_each_port(here):
    x, y = nw.Input("x"), nw.Input("y")
    two = nw.Graph({"sum": nw.Linear(1)(nw.Add()(x, y)), "side": nw.softmax(nw.Linear(2)(x))})
    (here / "two.csv").write_text("x,y,sum_target,side_target\n1,2,3,in\n2,3,5,out\n")
    assert read("two.csv", two) == {
        "x": [1, 2], "y": [2, 3], "sum_target": [3, 5], "side_target": ["in", "out"],
    }  # fmt: skip


def test_texts_stay_texts_where_the_net_wants_them(here):
    reader = nw.Chain(nw.Embedding(4), nw.Last(), nw.Linear(), nw.softmax, input=nw.Characters())
    (here / "texts.csv").write_text('text,kind\n"12, 13",True\n"4\n5",false\n')
    labels = reader.with_output(nw.Category(["true", "false"]))
    assert read("texts.csv", reader, "kind") == {"input": ["12, 13", "4\n5"], "target": [True, False]}
    assert read("texts.csv", labels, "kind")["target"] == ["True", "false"]


def test_lines_of_json_and_parquet(here):
    rows = [{"input": [1, 2.0], "target": "in"}, {"input": [0, 3.0], "target": "out"}]
    (here / "a.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert read("a.jsonl") == {"input": [[1, 2.0], [0, 3.0]], "target": ["in", "out"]}
    arrow = pytest.importorskip("pyarrow")
    import pyarrow.parquet

    pyarrow.parquet.write_table(arrow.table({"input": [[1.0, 2.0], [0.0, 3.0]], "side": ["in", "out"]}), "a.parquet")
    found = read("a.parquet", target="side")
    assert [*found] == ["input", "target"] and list(found["target"]) == ["in", "out"]


def test_pictures_and_named_data(here):
    for label in ("cat", "dog"):
        (here / "pets" / label).mkdir(parents=True)
        (here / "pets" / label / "1.png").write_bytes(png(np.zeros((2, 2), np.uint8)))
    assert [label for _, label in read("pets")] == ["cat", "dog"]
    assert (len(read("digits")), len(read("digits", part="test"))) == (4000, 1000)


def refused(name, text, **options):
    with pytest.raises(nw.NetwrightError) as error:
        read(name, **options)
    assert str(error.value) == text


def test_a_place_where_nothing_is():
    refused(
        "side.csv",
        "there is no such file, folder or data set\n  where:    side.csv\n  mend:     did you mean 'sides.csv'?",
    )
    refused(
        "digit",
        "there is no such file, folder or data set\n  where:    digit\n  mend:     did you mean 'digits'?",
    )


def test_a_kind_of_file_that_is_not_known(here):
    (here / "a.xlsx").write_text("")
    refused(
        "a.xlsx",
        "the ending does not say what kind of file this is\n"
        "  where:    a.xlsx\n"
        "  expected: .csv, .jsonl, .jsonl.gz, .parquet\n"
        "  got:      .xlsx",
    )


def test_columns_that_are_not_there():
    refused(
        "sides.csv",
        "there is no column 'target', which holds the answers\n"
        "  where:    sides.csv\n"
        "  expected: 'x', 'y', 'side'\n"
        "  mend:     --target side",
    )
    refused(
        "sides.csv",
        "the columns together are one vector, and a cell is no number\n"
        "  where:    sides.csv, row 1, column 'side'\n"
        "  expected: a number\n"
        "  got:      'in'",
        target="x",
    )


def test_the_cell_that_is_no_number_is_named(here):
    (here / "hole.csv").write_text("x,y,side\n1,2,in\n1,,out\n")
    refused(
        "hole.csv",
        "the columns together are one vector, and a cell is no number\n"
        "  where:    hole.csv, row 2, column 'y'\n"
        "  expected: a number\n"
        "  got:      ''",
        target="side",
    )


def test_the_mend_is_one_word_of_a_shell(here):
    (here / "semi.csv").write_text("x;side\n1;in\n")
    refused(
        "semi.csv",
        "there is no column 'side', which holds the answers\n"
        "  where:    semi.csv\n"
        "  expected: 'x;side'\n"
        "  mend:     --target 'x;side'",
        target="side",
    )


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b"", "the file has no rows\n  where:    a.csv\n  expected: a header and a row for each example"),
        (b"x,y\n", "the file has no rows\n  where:    a.csv\n  expected: a header and a row for each example"),
        (
            b"x,y\n1,2\n3\n",
            "a row is not as long as the header\n  where:    a.csv, row 2\n  expected: 2 cells: x, y\n  got:      1",
        ),
        (
            b"x,y,x\n1,2,3\n",
            "two columns have the same name\n  where:    a.csv\n  expected: a name of its own for each column\n"
            "  got:      'x'",
        ),
        (
            b"x\n\xff\n",
            "this file cannot be read as a table\n  where:    a.csv\n  expected: CSV in UTF-8\n"
            "  got:      'utf-8' codec can't decode byte 0xff in position 2: invalid start byte",
        ),
    ],
)
def test_a_table_that_is_none(here, content, text):
    (here / "a.csv").write_bytes(content)
    with pytest.raises(nw.NetwrightError) as error:
        csv_columns(here.joinpath("a.csv").relative_to(here))
    assert str(error.value) == text


def test_rows_with_other_names(here):
    (here / "a.jsonl").write_text('{"input": 1, "target": 2}\n{"input": 1}\n')
    refused(
        "a.jsonl",
        "a row has other names than the first\n"
        "  where:    a.jsonl, row 2\n"
        "  expected: input, target\n"
        "  got:      input",
    )
