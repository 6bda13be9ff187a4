"""How good the automatic choices are: each task by default, beside the best of a grid; writes bench/recipe.md."""

import argparse
import json
import math
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.growth import lined
from bench.recipe_tasks import TASKS, Parts, Task
from bench.run import machine, versions

import netwright as nw
from netwright.errors import TrainingError

RESULTS = Path(__file__).with_name("recipe.md")
CACHE = Path(__file__).with_name(".cache") / "recipe.jsonl"
RATES = (1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 1e-1)
SCHEDULES = ("warmup-stable-decay", "constant", "one-cycle", "cosine")
BATCHES = (8, 32, 128)  # a factor of 4 apart, whatever is chosen, so that a rule that changes asks for no new grid
GOAL = 0.05  # of the best loss
EQUAL = 0.01  # of a loss: less is no difference that counts
HEAD = ("task", "chosen", "loss", "best cell", "its loss", "regret", "over a constant rate", "diverged")
FINALISTS = 2  # cells that are trained again from other seeds, since the best of many is also the luckiest


@dataclass(frozen=True)
class Cell:
    """What a run was told, or chose.

    Fields: `rate`, at its peak; `schedule`, as a text; `batch`, examples a step; `more`, all else that was chosen.
    """

    rate: float
    schedule: str
    batch: int
    more: str = ""

    def __str__(self) -> str:
        return f"{self.rate:g}, {self.schedule}, {self.batch}" + (f", {self.more}" if self.more else "")


@dataclass(frozen=True)
class Outcome:
    """The lowest validation loss of a run, the loss after its last epoch, and whether it diverged."""

    best: float
    last: float
    diverged: bool


class Runs:
    """Runs of the tasks; each is made once, and kept in a file by task, version, cell and seed."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.known: dict[str, Outcome] = {}
        self.parts: dict[str, Parts] = {}
        path.parent.mkdir(parents=True, exist_ok=True)
        for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else ():
            key, values = json.loads(line)
            self.known[key] = Outcome(*values)

    def __call__(self, task: Task, cell: Cell, seed: int = 0, automatic: bool = False) -> Outcome:
        """The outcome of a run with this cell, or of one to which nothing is said, which chooses this cell."""
        key = f"{task.name} {task.version}; {cell}; {seed}"
        if key not in self.known:
            told = (
                {} if automatic else {"learning_rate": cell.rate, "schedule": cell.schedule, "batch_size": cell.batch}
            )
            self.known[key] = found = self._run(task, seed, told)
            with self.path.open("a", encoding="utf-8") as file:
                file.write(json.dumps([key, [found.best, found.last, found.diverged]]) + "\n")
        return self.known[key]

    def again(self, task: Task, cell: Cell, automatic: bool = False) -> list[Outcome]:
        """The outcomes from the seeds that judge, with none of which the grid was searched."""
        return [self(task, cell, seed, automatic) for seed in range(1, task.seeds + 1)]

    def searching(self, task: Task, cell: Cell) -> float:
        """The mean loss from the seeds that search the grid: 0, 101, 102, …"""
        return statistics.fmean(self(task, cell, 100 * (i > 0) + i).best for i in range(max(1, task.seeds // 3)))

    def chosen(self, task: Task) -> Cell:
        """What is chosen where nothing is said."""
        train, held = self._parts(task)
        return cell_of(nw.train(task.net(), train, validation=held, callbacks=[Once()], **_always(task)))

    def _run(self, task: Task, seed: int, told: dict[str, Any]) -> Outcome:
        train, held = self._parts(task)
        try:
            run = nw.train(task.net(), train, validation=held, seed=seed, **_always(task), **told)
        except TrainingError:
            return Outcome(math.inf, math.inf, True)
        losses = [epoch.validation["loss"] for epoch in run.epochs]
        few = max(1, len(run.losses) // 10)
        diverged = statistics.fmean(run.losses[-few:]) > statistics.fmean(run.losses[:few])
        return Outcome(min(losses), losses[-1], diverged)

    def _parts(self, task: Task) -> Parts:
        if task.name not in self.parts:
            self.parts = {task.name: task.data()}  # those of one task at a time
        return self.parts[task.name]


def _always(task: Task) -> dict[str, Any]:
    """What every run of a task is told."""
    objective = nw.NextElement() if task.follows else None
    return {"epochs": task.epochs, "objective": objective, "precision": "float32", "threads": 1, "progress": False}


class Once(nw.Callback):
    """Ends a run after one step: all was chosen before it."""

    def on_step(self, status: nw.Status) -> None:
        status.stop()


def cell_of(run: nw.Run) -> Cell:
    """What a run has chosen."""
    said = {choice.name: choice.setting for choice in run.choices}
    plain = {"optimizer": nw.Adam()}  # what the cells of the grid have too
    others = ("optimizer", "clip", "clip value", "ema", "label smoothing")
    more = [f"{name} {said[name]}" for name in others if said.get(name, plain.get(name)) != plain.get(name)]
    return Cell(said["learning rate"][0], str(said["schedule"]), said["batch size"], ", ".join(more))


def searched(runs: Runs, task: Task, near: float) -> dict[Cell, float]:
    """The cells of the grid that were tried, with their losses.

    The first schedule goes over the batch sizes until the loss rises, the others over that which was best, each over
    the rates from the likeliest one on. Schedules differ little at a batch size, so few cells are left out that could
    be the best.
    """
    found: dict[Cell, float] = {}

    def tried(schedule: str, batch: int, start: int) -> int:
        losses = walked(lambda i: runs.searching(task, Cell(RATES[i], schedule, batch)), start)
        found.update({Cell(RATES[i], schedule, batch): loss for i, loss in losses.items()})
        return min(losses, key=lambda i: losses[i])

    at = min(range(len(RATES)), key=lambda i: abs(math.log(RATES[i] / near)))
    lowest = math.inf
    for batch in BATCHES:
        at = tried(SCHEDULES[0], batch, at)
        before, lowest = lowest, min(found.values())
        if min(loss for cell, loss in found.items() if cell.batch == batch) > before:
            break
    best = min(found, key=lambda cell: found[cell])
    for schedule in SCHEDULES[1:]:
        tried(schedule, best.batch, RATES.index(best.rate))
    return found


def walked(loss: Callable[[int], float], start: int) -> dict[int, float]:
    """The losses at the rates from `start` on: upward until they rise, or downward where the first step up rises."""
    found = {start: loss(start)}
    for by in (1, -1):
        at = start
        while 0 <= at + by < len(RATES):
            at += by
            found[at] = loss(at)
            if found[at] > found[at - by] or not math.isfinite(found[at]):
                break
        if min(found, key=lambda i: found[i]) != start:
            break
    return found


@dataclass(frozen=True)
class Above:
    """By how much losses are above others, from the same seeds in the same order, as a part of these."""

    losses: list[float]
    others: list[float]

    @property
    def mean(self) -> float:
        """Of the mean losses."""
        return statistics.fmean(self.losses) / statistics.fmean(self.others) - 1

    @property
    def error(self) -> float:
        """The standard error, over seeds."""
        differences = [a - b for a, b in zip(self.losses, self.others, strict=True)]
        return statistics.stdev(differences) / math.sqrt(len(differences)) / statistics.fmean(self.others)

    @property
    def surely(self) -> bool:
        """Whether they are above by more than two standard errors."""
        return self.mean > 2 * self.error


@dataclass(frozen=True)
class Verdict:
    """A task: what is chosen, the best cell of the grid, and their losses from the same seeds."""

    task: Task
    chosen: Cell
    best: Cell
    losses: list[float]
    of_best: list[float]
    of_constant: list[float]
    diverged: bool
    tried: int

    @property
    def regret(self) -> "Above":
        """By how much the loss is above the best."""
        return Above(self.losses, self.of_best)

    @property
    def over_constant(self) -> "Above":
        """By how much the loss is above that at a constant rate, the same rate and batch size."""
        return Above(self.losses, self.of_constant)

    def cells(self) -> tuple[str, ...]:
        """A row of the table."""
        name = self.task.name + ("*" if self.task.held_out else "")
        regret, over = (f"{each.mean:+.1%} ± {each.error:.1%}" for each in (self.regret, self.over_constant))
        ours, best = mean_text(self.losses), mean_text(self.of_best)
        return name, str(self.chosen), ours, str(self.best), best, regret, over, "**yes**" if self.diverged else "no"


def judged(runs: Runs, task: Task) -> Verdict:
    """A task by default and by its grid."""
    chosen = runs.chosen(task)
    grid = searched(runs, task, chosen.rate)
    finalists = sorted(grid, key=lambda cell: grid[cell])[:FINALISTS]
    finalists = [cell for cell in finalists if grid[cell] <= (1 + GOAL) * grid[finalists[0]]]
    constant = Cell(chosen.rate, "constant", chosen.batch)
    again = {cell: [outcome.best for outcome in runs.again(task, cell)] for cell in {*finalists, constant}}
    best = min(again, key=lambda cell: statistics.fmean(again[cell]))
    outcomes = [runs(task, chosen, 0, True), *runs.again(task, chosen, True)]
    return Verdict(
        task, chosen, best, [outcome.best for outcome in outcomes[1:]], again[best],
        again[constant], any(o.diverged for o in outcomes), len(grid),
    )  # fmt: skip


def mean_text(losses: list[float]) -> str:
    """The mean loss, with its range over seeds."""
    return f"{statistics.fmean(losses):.4g} ({min(losses):.4g}-{max(losses):.4g})"


def page(verdicts: Sequence[Verdict], date: str, where: str) -> list[str]:
    """The results."""
    fitted = [verdict for verdict in verdicts if not verdict.task.held_out]
    return [
        "# What is chosen when nothing is said, beside the best of a grid",
        "",
        f"Written by `make bench` on {date}. Machine: {where}. {versions()}.",
        "",
        "A run of each task by default, apart from the number of epochs, and runs with the cells of a grid: rates",
        f"from {RATES[0]:g} to {RATES[-1]:g}, a factor of 3 apart; batch sizes {', '.join(map(str, BATCHES))};",
        f"{', '.join(SCHEDULES)}. All runs of a task see the same number of examples, in float32 on one thread. A loss",
        "is the validation loss of the net that a run gives back: that of its best epoch. The first schedule is tried",
        "at rising batch sizes until the loss rises, the others at the best batch size; at each, rates are tried from",
        "the likeliest on until the loss rises. The seeds of the search are not those of the table, for which the best",
        f"{FINALISTS} cells are trained again, those alone that came within {GOAL:.0%} of the first; the constant rate",
        "of the last column but one counts as a cell too. A run is made once and kept in bench/.cache, so that a rule",
        "can be tried again without the grid; some may have been made by an earlier version of the code.",
        "",
        "A cell is a rate at its peak, a schedule and a batch size. Losses are means over seeds, with their range. The",
        "regret is the loss by default over that of the best cell, less 1, with its standard error over seeds. The",
        "column beside it compares with a constant rate, of the same size, at the same batch size. No rule was made or",
        "changed for the tasks with a star: they only test the rules.",
        "",
        *lined(list(HEAD), [verdict.cells() for verdict in verdicts]),
        "",
        f"- within {GOAL:.0%} of the best: {count(verdicts, lambda v: v.regret.mean <= GOAL)}, "
        f"of those without a star {count(fitted, lambda v: v.regret.mean <= GOAL)}; "
        f"the median regret is {statistics.median(v.regret.mean for v in verdicts):+.1%}",
        f"- worse than a constant rate, by more than {EQUAL:.0%} and two standard errors: "
        f"{count(verdicts, lambda v: v.over_constant.mean > EQUAL and v.over_constant.surely)}",
        f"- diverged: {count(verdicts, lambda v: v.diverged)}",
    ]


def count(verdicts: Sequence[Verdict], holds: Callable[[Verdict], bool]) -> str:
    """Of how many tasks something holds."""
    return f"{sum(map(holds, verdicts))} of {len(verdicts)}"


def main() -> None:
    """Train, write the results, and say them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--date", required=True, help="of the run, as it shall stand in the results")
    parser.add_argument("--only", nargs="*", default=[], help="names of tasks; nothing is written then")
    parser.add_argument("--out", type=Path, default=RESULTS)
    args = parser.parse_args()
    runs = Runs(CACHE)
    verdicts: list[Verdict] = []
    for task in TASKS:
        if not args.only or task.name in args.only:
            verdicts.append(judged(runs, task))
            print(" | ".join(verdicts[-1].cells()), flush=True)
    if not args.only:
        args.out.write_text("\n".join(page(verdicts, args.date, machine())) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
