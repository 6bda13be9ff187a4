"""A file keeps the history of its net; what it says is checked."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings

import netwright as nw
from netwright.errors import FileError
from netwright.file.history import described_history, read_history
from netwright.net.history import MOST, Entry, History
from random_nets import nets


@settings(deadline=None, max_examples=20)
@given(net=nets())
def test_a_file_keeps_it(net: nw.Net, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("nets") / "a.net"
    edited = net.append(nw.relu)
    nw.save(edited, path)
    loaded = nw.load(path)
    assert loaded.history == edited.history
    assert loaded == edited
    assert nw.load(path, check=False).append(nw.tanh).history == edited.append(nw.tanh).history


def test_a_net_that_was_just_made_has_none_in_its_file(tmp_path: Path) -> None:
    net = nw.Chain(3, nw.relu, input=2)
    nw.save(net, tmp_path / "a.net")
    assert b"left out" not in (tmp_path / "a.net").read_bytes()
    assert nw.load(tmp_path / "a.net").history == net.history


def test_entries_and_facts() -> None:
    history = History((Entry("trained", "3 epochs", (("seed", "1"),), "body"), Entry("edit", "delete 1")), 4)
    assert read_history(described_history(history)) == history


@pytest.mark.parametrize(
    ("plain", "message"),
    [
        ([], "expected: entries, left out"),
        ({"entries": [], "left out": -1}, "expected: left out: a count"),
        ({"entries": [], "left out": True}, "expected: left out: a count"),
        ({"entries": {}, "left out": 0}, "expected: a list of entries"),
        ({"entries": [["edit", "a", "b"]], "left out": 0}, "expected: an entry: kind, text, part, facts"),
        ({"entries": [["edit", "a", "b", 3]], "left out": 0}, "expected: at most 200 facts"),
        ({"entries": [["edit", "a", "b", [["c"]]]], "left out": 0}, "expected: facts: pairs of texts"),
        ({"entries": [["edit", "a", "b", [["c", 3]]]], "left out": 0}, "expected: a text of at most 1,000 characters"),
        (
            {"entries": [["edit", "a" * 1001, "", []]], "left out": 0},
            "expected: a text of at most 1,000 characters",
        ),
    ],
)
def test_what_is_no_history_is_refused(plain: Any, message: str) -> None:
    with pytest.raises(FileError) as caught:
        read_history(plain)
    assert str(caught.value).splitlines()[:2] == ["the file does not describe a net", "  where:    history"]
    assert message in str(caught.value)


def test_one_that_is_too_long_is_refused() -> None:
    with pytest.raises(FileError) as caught:
        read_history({"entries": [["edit", "a", "", []]] * (MOST + 1), "left out": 0})
    assert str(caught.value) == (
        "the history has too many entries\n  where:    history\n  expected: at most 1,000\n  got:      1,001"
    )
