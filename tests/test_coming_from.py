"""The tables of docs/coming-from.md name keywords of `nw.train` and functions that there are."""

import inspect
import re
from operator import attrgetter
from pathlib import Path

import pytest

import netwright as nw

PAGE = Path(__file__).parents[1] / "docs" / "coming-from.md"
ELSEWHERE = {"training"}  # a keyword of a call, not of nw.train


def rows() -> list[list[str]]:
    return [line.strip("| ").split(" | ") for line in PAGE.read_text("utf-8").splitlines() if line.startswith("| `")]


def test_there_is_a_table_for_each_library() -> None:
    heads = re.findall(r"^\| (\w+) \| Netwright \|$", PAGE.read_text("utf-8"), re.MULTILINE)
    assert heads == ["Lightning", "fastai", "Equinox"] and all(len(row) == 2 for row in rows())


@pytest.mark.parametrize("row", rows(), ids=lambda row: row[0])
def test_what_is_named_is_there(row: list[str]) -> None:
    known = {*inspect.signature(nw.train).parameters} | ELSEWHERE
    for code in re.findall(r"`([^`]+)`", row[1]):
        for name in re.findall(r"\bnw\.(\w+)", code):
            attrgetter(name)(nw)
        for name in re.findall(r"\bnet\.(\w+)", code):
            assert hasattr(nw.Chain, name) or name == "arrays", name
        keyword = re.match(r"(\w+)=", code)
        if keyword:
            assert keyword[1] in known, code
    assert re.findall(r"`[^`]+`", row[1]) or row[1] == "–"
