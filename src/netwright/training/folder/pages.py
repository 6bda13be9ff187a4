"""Where the page of a run is drawn from: `show/` is above this folder, and gives the function that draws it."""

from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

from netwright.training.result import Run

DrawRun: TypeAlias = Callable[[Run, Path, str], None]
_drawing: list[DrawRun] = []


def draws_runs(function: DrawRun) -> DrawRun:
    """Let a function draw the pages of runs: it takes a run, the path of the page, and how far the run is."""
    _drawing[:] = [function]
    return function


def write_page(run: Run, path: Path, so_far: str) -> None:
    """Write the page of a run."""
    for draw in _drawing:
        draw(run, path, so_far)
