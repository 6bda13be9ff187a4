"""The page of a run is drawn by a function from above, in which this folder knows no name."""

from pathlib import Path

import pytest

from netwright.show.report import run_page
from netwright.training.folder import pages
from run_tools import trained


def test_the_package_brings_its_own_page() -> None:
    assert pages._drawing == [run_page]


def test_another_function_may_draw(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, "_drawing", [])

    @pages.draws_runs
    def draw(run: object, path: Path, so_far: str) -> None:
        path.write_text(so_far, encoding="utf-8")

    pages.write_page(trained(None), tmp_path / "page", "half")
    assert (tmp_path / "page").read_text(encoding="utf-8") == "half"
