"""docs/glossary.md: in order, each word once, and every name of ours in it is there."""

import re
from operator import attrgetter
from pathlib import Path

import netwright as nw

PAGE = Path(__file__).parents[1] / "docs" / "glossary.md"


def test_the_words() -> None:
    rows = re.findall(r"^\| (.+?) \| (.+) \|$", PAGE.read_text("utf-8"), re.MULTILINE)[1:]
    words = [word for word, _ in rows]
    assert len({*words}) == len(words) > 50
    assert words == sorted(words)
    for _, text in rows:
        for name in re.findall(r"`nw\.(\w+)", text):
            attrgetter(name)(nw)
        for name in re.findall(r"`net\.(\w+)", text):
            assert hasattr(nw.Linear(3), name)
