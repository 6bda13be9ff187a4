"""The commands of docs/command-line.md are run, one after the other, and what they print is compared with the page."""

import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

from blocks import compare, run_file
from netwright.cli import commands, main

PAGE = Path(__file__).parents[1] / "docs" / "command-line.md"


def shown() -> Iterator[tuple[str, str]]:
    """Each command of the page, and the text below it."""
    for token in MarkdownIt("commonmark").parse(PAGE.read_text("utf-8")):
        if token.type == "fence" and token.info == "console":
            for block in ("\n" + token.content).split("\n$ netwright ")[1:]:
                command, _, text = block.partition("\n")
                yield command, text


def test_the_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    run_file(PAGE)
    ran: set[str] = set()
    for command, text in shown():
        arguments = shlex.split(command)
        failed = main(arguments)
        out, err = capsys.readouterr()
        compare(text, err if failed else out, command)
        ran.add(arguments[0])
    assert ran == {"train", "measure", "predict", "check", "diff", "show", "data"}


def test_every_command_has_its_place_in_the_page() -> None:
    text, page = commands._parser().format_help(), PAGE.read_text("utf-8")
    for name in ("train", "measure", "predict", "show", "check", "diff", "merge", "data"):
        assert f"\n    {name} " in text and name in page
