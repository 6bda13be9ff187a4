"""How bench/recipe.py searches a grid, keeps what it has trained, and compares; and what its results say of it."""

import math
import re
from pathlib import Path

import pytest
from bench import recipe
from bench.recipe_tasks import TASKS, Task

import netwright as nw

XS = [x / 20 for x in range(40)]
LINE = Task(
    "a line",
    lambda: nw.Chain(4, nw.tanh, nw.Linear(), input=nw.Number(), output=nw.Number()),
    lambda: ((XS, XS), ([0.1, 0.7], [0.1, 0.7])),
    2,
)


@pytest.mark.parametrize(
    ("losses", "start", "tried"),
    [
        ([5, 4, 3, 2, 1, 2, 3], 4, [3, 4, 5]),
        ([5, 4, 3, 2, 1, 2, 3], 1, [1, 2, 3, 4, 5]),
        ([1, 2, 3, 4, 5, 6, 7], 0, [0, 1]),
        ([7, 6, 5, 4, 3, 2, 1], 6, [5, 6]),
        ([5, 4, 3, 2, math.inf, math.inf, 0], 3, [2, 3, 4]),
        ([5, 4, 1, 2, 3, 4, 5], 5, [1, 2, 3, 4, 5, 6]),
    ],
)
def test_rates_are_tried_upward_or_downward_until_the_loss_rises(losses, start, tried) -> None:
    assert sorted(recipe.walked(lambda i: losses[i], start)) == tried


def test_a_run_is_made_once_and_kept(tmp_path, monkeypatch) -> None:
    runs = recipe.Runs(tmp_path / "cache" / "runs.jsonl")
    chosen = runs.chosen(LINE)
    assert (chosen.schedule, chosen.batch) == ("constant", 8)
    first = runs(LINE, chosen, 1, automatic=True)
    assert first == runs(LINE, chosen, 1) and not first.diverged
    monkeypatch.setattr(nw, "train", None)
    again = recipe.Runs(tmp_path / "cache" / "runs.jsonl")
    assert again(LINE, chosen, 1) == first
    with pytest.raises(TypeError):
        again(LINE, chosen, 2)


def test_what_is_chosen_beside_the_grid_s_cells_is_said(tmp_path) -> None:
    run = nw.train(LINE.net(), LINE.data()[0], epochs=1, clip=2.0, optimizer=nw.SGD(), progress=False)
    assert str(recipe.cell_of(run)).endswith(", optimizer SGD(), clip 2.0")


def test_losses_are_compared_seed_by_seed() -> None:
    above = recipe.Above([1.1, 2.2], [1.0, 2.0])
    assert above.mean == pytest.approx(0.1)
    assert above.error == pytest.approx(0.1 / 2 / 1.5)
    assert above.surely == (0.1 > 2 * 0.1 / 3)
    assert not recipe.Above([0.9, 2.0], [1.0, 2.0]).surely


def test_the_results_are_of_every_task() -> None:
    assert len({task.name for task in TASKS}) == len(TASKS)
    rows = re.findall(r"(?m)^\| ([^|]+?)\*? \|", Path(recipe.RESULTS).read_text(encoding="utf-8"))
    assert rows[1:] == [task.name for task in TASKS]
