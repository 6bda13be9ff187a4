"""The programs of docs/six-tasks.md have the lines that their titles say; that they run is tested with all docs."""

import ast
import re
from pathlib import Path

import pytest

from blocks import blocks

PAGE = Path(__file__).parents[1] / "docs" / "six-tasks.md"
GOALS = {  # the most lines a task may take
    "LeNet, its best epoch and its confusion matrix": 8,
    "A new head, the rest frozen, and the proof": 6,
    "An inner activation and the gradient by the input": 3,
    "A bidirectional GRU over sequences of varying lengths": 12,
    "A character model with kept state": 9,
    "Addition with an encoder and a decoder": 12,
}
WIDEST = 100


def tasks() -> dict[str, tuple[int, str]]:
    """Of each title the number of lines it names, and its program: the first block, which imports Netwright."""
    found: dict[str, tuple[int, str]] = {}
    for section in PAGE.read_text("utf-8").split("\n## ")[1:]:
        head = re.match(r"(.+): (\d+) lines\n", section)
        assert head, section.splitlines()[0]
        found[head[1]] = int(head[2]), next(blocks(section)).code
    return found


def test_the_tasks_are_those_of_the_list() -> None:
    assert [*tasks()] == [*GOALS]


@pytest.mark.parametrize("title", GOALS)
def test_the_lines_of_a_task(title: str) -> None:
    said, code = tasks()[title]
    lines = [line for line in code.splitlines() if line.strip()]
    assert "import netwright as nw" in lines
    assert len(lines) == said <= GOALS[title]
    assert max(map(len, lines)) <= WIDEST
    starts = [node.lineno for node in ast.walk(ast.parse(code)) if isinstance(node, ast.stmt)]
    assert len(starts) == len({*starts}) and ";" not in code
