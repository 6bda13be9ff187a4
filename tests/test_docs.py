"""README and docs are executed and their outputs compared, so that no reader meets an example that lies."""

from pathlib import Path

import pytest

from blocks import run_file

ROOT = Path(__file__).parents[1]
DOCS = [*ROOT.glob("README.md"), *sorted(ROOT.glob("docs/**/*.md"))]


@pytest.mark.parametrize("page", DOCS, ids=lambda page: str(page.relative_to(ROOT)))
def test_doc(page, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)  # an example may save a file
    monkeypatch.setenv("COLUMNS", "100")
    run_file(page)


@pytest.mark.parametrize("page", DOCS, ids=lambda page: str(page.relative_to(ROOT)))
def test_lines_of_a_doc_fit_beside_each_other(page):
    blocks = page.read_text("utf-8").split("```")
    text = [line for block in blocks[::2] for line in block.splitlines()]  # between them stands code
    assert [line for line in text if len(line) > 120 and not line.startswith(("|", "#"))] == []  # tables have long rows
