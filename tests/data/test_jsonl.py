"""Rows of JSON lines: file after file, compressed or not, from any line on; a bad line is named with its file."""

import gzip
import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import netwright as nw
from netwright.data.jsonl import JsonLines
from netwright.errors import DataError, FileError


@pytest.fixture
def folder(tmp_path):
    """Two files, of which the one that comes first by its name is compressed."""
    rows = [{"input": i, "target": -i} for i in range(7)]
    lines = [json.dumps(row) + "\n" for row in rows]
    (tmp_path / "b.jsonl").write_text("".join(lines[4:]))
    (tmp_path / "a.jsonl").write_bytes(gzip.compress("".join([*lines[:2], "\n", *lines[2:4]]).encode()))
    return tmp_path


def numbers(rows):
    return [row["input"] for row in rows]


def test_files_come_in_the_order_of_their_names_again_and_again(folder) -> None:
    for files in (folder / "*.jsonl", str(folder / "?.jsonl"), [folder / "b.jsonl", folder / "a.jsonl"]):
        made = nw.jsonl(files)
        assert numbers(made) == numbers(made) == list(range(7))
    assert repr(nw.jsonl(folder / "a*")) == "jsonl of 1 file"
    (folder / "deep").mkdir()
    (folder / "deep" / "c.jsonl").write_text('{"input": 7}')
    assert numbers(nw.jsonl(folder / "**" / "*.jsonl")) == list(range(8))


def test_it_goes_on_after_every_row(folder) -> None:
    made = nw.jsonl(folder / "*.jsonl")
    for done in range(8):
        rows = iter(made)
        taken = [next(rows) for _ in range(done)]
        place = json.loads(json.dumps(made.state_dict()))
        other = nw.jsonl(folder / "*.jsonl")
        other.load_state_dict(place)
        assert numbers([*taken, *other]) == list(range(7))
        assert numbers(other) == list(range(7))  # a place holds for one iteration


def test_an_iteration_that_was_left_does_not_move_the_next_one(folder) -> None:
    made = nw.jsonl(folder / "*.jsonl")
    next(iter(made))
    assert numbers(made) == list(range(7))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", ("the line is not JSON", "one JSON object")),
        ("[1]", ("the line is not a JSON object", '{"input": …, "target": …}, a value for each port')),
        ("[" * 100_000, ("the line is not JSON", "one JSON object")),
    ],
)
def test_a_bad_line_is_named_with_its_file(folder, text, said) -> None:
    (folder / "c.jsonl").write_text(f'{{"input": 7}}\n{text}\n')
    with pytest.raises(DataError) as caught:
        list(nw.jsonl(folder / "*.jsonl"))
    assert (caught.value.what, caught.value.expected) == said
    assert caught.value.where == f"{folder / 'c.jsonl'}, line 2"


def test_a_file_that_was_cut_is_named(folder) -> None:
    whole = (folder / "a.jsonl").read_bytes()
    (folder / "a.jsonl").write_bytes(whole[:-9])
    with pytest.raises(FileError) as caught:
        list(nw.jsonl(folder / "a.jsonl"))
    assert caught.value.what == "the file cannot be read to its end"
    assert caught.value.where.startswith(f"{folder / 'a.jsonl'}, after line ")


def test_no_file_is_a_plain_error(folder) -> None:
    with pytest.raises(FileError) as caught:
        nw.jsonl(folder / "*.json")
    assert str(caught.value) == f"no file has this name or fits this pattern\n  where:    {folder / '*.json'}"
    with pytest.raises(FileError) as caught:
        nw.jsonl(folder)
    assert caught.value.mend == (str(folder / "*.jsonl*"),)
    with pytest.raises(FileError, match="no files are given"):
        nw.jsonl([])


def test_rows_train_a_net(folder) -> None:
    net = nw.Chain(nw.Linear(), input=nw.Number(), output=nw.Number())
    data = nw.jsonl(folder / "*.jsonl")
    assert isinstance(data, JsonLines)
    run = nw.train(net, data, epochs=2, batch_size=3, progress=False)
    assert len(run.losses) == 6
    assert run.net.inputs["input"] == nw.Number().fit(list(range(7)))


KINDS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@given(st.dictionaries(st.text(), KINDS), st.booleans())
@example({"big": 10**30, "small": -(2**63) - 1, "nan": float("nan"), "beyond": float("inf"), "half": "\ud800"}, True)
def test_a_row_is_what_pythons_own_parser_gives(tmp_path_factory, row, ascii_only) -> None:
    path = tmp_path_factory.getbasetemp() / "row.jsonl"
    text = json.dumps(row, ensure_ascii=ascii_only)
    path.write_bytes(text.encode("utf-8", "surrogatepass") + b"\n")
    (found,) = nw.jsonl(path)
    assert repr(found) == repr(json.loads(text))  # types, the order of names, and NaN too
