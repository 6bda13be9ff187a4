"""The result of a sweep as a value: every trial with its run, a table with intervals, and a plot."""

import html
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from netwright.errors import shortened
from netwright.measure.estimate import Estimate
from netwright.net.part import Net
from netwright.show.chart import ChartLine, chart
from netwright.sweep.figures import TrialFigures
from netwright.training.result import Run
from netwright.value import Value, few_lines

Key: TypeAlias = tuple[bool, int, float]
DRAWN = 6  # trials in the plot, the best ones: more lines cannot be told apart
COLOURS = ("#3b7dd8", "#d9792b", "#2e9e5b", "#b04fc4", "#8a7a1f", "#6b7280")  # of the lines, readable on light and dark
STYLE = (
    ".nw-sweep{overflow-x:auto}.nw-sweep th,.nw-sweep td{white-space:nowrap;font-size:12.5px;padding:4px 5px;"
    "text-align:right}.nw-sweep .nw-chart{max-width:640px;display:block}.nw-sweep .nw-line{fill:none;stroke-width:2}"
    ".nw-sweep .nw-grid{stroke:#88888844}.nw-sweep text{fill:currentColor;font:12px sans-serif}"
    + "".join(f".nw-sweep .nw-line{i}{{stroke:{c}}}.nw-sweep .nw-fill{i}{{fill:{c}}}" for i, c in enumerate(COLOURS))
)
WHY_INTERVALS = "95% intervals over the validation examples; they do not cover the randomness of training"


class Trial(Value, eq=False):
    """One trial of a sweep.

    Fields:
        changes: what is its own, as the sweep gives it.
        run: how it was trained, as `nw.train` gives it; `nw.replay(trial.run, data)` makes it again.
        figures: of `net` on the validation examples; None if it failed.
        steps, planned: how many steps it was trained, and would be in the whole run.
        rounds: in how many rounds of the sweep it was.
        failed: why it ended with an error; else the empty text.
        cost: the figure of its best epoch that `best=` names, the lower the better; None if the loss is compared.
    """

    changes: Mapping[str, Any]
    run: Run
    figures: TrialFigures | None
    steps: int
    planned: int
    rounds: int
    failed: str = ""
    cost: float | None = None

    @property
    def net(self) -> Net:
        """The net of its best validation epoch so far."""
        return self.run.net

    @property
    def key(self) -> Key:
        """The lower, the better."""
        return key_of(self.rounds, self.figures, self.cost)

    def __repr__(self) -> str:
        said = self.failed if self.figures is None else str(self.figures)
        return f"Trial({said_of(self.changes)}; {self.steps:,} of {self.planned:,} steps; {said})"


class Sweep(Value, eq=False):
    """The trials of a sweep, the best first: those that went further stand before those that were left behind.

    Fields:
        trials: all of them.
        data: how many examples train and validate, in words.
        share: the part of the examples that all trials would have seen if each had been trained to its end.
        ended: why the sweep ended: "all rounds done", or "interrupted".
    """

    trials: tuple[Trial, ...]
    data: str
    share: float
    ended: str

    @property
    def best(self) -> Trial:
        """The best of the trials that were trained furthest."""
        return self.trials[0]

    def cells(self) -> list[tuple[str, ...]]:
        """The table as texts, with its head."""
        names = list(dict.fromkeys(name for trial in self.trials for name in trial.changes))
        several = any(trial.figures is not None and trial.figures.error is not None for trial in self.trials)
        head = ("", *names, "steps", *(("error (95%)",) if several else ()), "loss (95%)")
        return [head, *(self._row(i, trial, names, several) for i, trial in enumerate(self.trials, 1))]

    def _row(self, rank: int, trial: Trial, names: Sequence[str], several: bool) -> tuple[str, ...]:
        values = [shown(trial.changes[name]) if name in trial.changes else "" for name in names]
        steps = f"{trial.steps:,} of {trial.planned:,}"
        if trial.figures is None:
            return (str(rank), *values, steps, "failed", *([""] if several else []))
        both = (trial.figures.error, trial.figures.loss) if several else (trial.figures.loss,)
        return (str(rank), *values, steps, *("" if one is None else _with_interval(one) for one in both))

    @property
    def head(self) -> str:
        """What was done, in one line."""
        ended = "" if self.ended == "all rounds done" else f"; {self.ended}"
        count = f"{len(self.trials)} trial{'' if len(self.trials) == 1 else 's'}"
        return f"Sweep: {count} on {self.data}, {self.share:.0%} of the training of all to the end{ended}"

    @property
    def failures(self) -> list[str]:
        """A line for each trial that failed."""
        return [f"{i} failed: {trial.failed}" for i, trial in enumerate(self.trials, 1) if trial.failed]

    @property
    def svg(self) -> str:
        """A plot of the validation loss after each epoch, of the best trials."""
        lines = [ChartLine(f"{i}", _curve(trial), marked=True) for i, trial in enumerate(self.trials[:DRAWN], 1)]
        lines = [line for line in lines if line.points]
        return chart(lines, "step; validation loss", logarithmic=True)

    def __str__(self) -> str:
        table = self.cells()
        widths = [max(len(row[j]) for row in table) for j in range(len(table[0]))]
        lines = ["  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)) for row in table]
        return "\n".join([self.head, *(line.rstrip() for line in lines), *self.failures, WHY_INTERVALS])

    def __repr__(self) -> str:
        return few_lines(str(self))

    def _repr_html_(self) -> str:
        head, *rows = self.cells()
        top = "".join(f"<th scope='col'>{html.escape(name)}</th>" for name in head)
        body = "".join(
            f"<tr><th scope='row'>{first}</th>{''.join(f'<td>{html.escape(cell)}</td>' for cell in rest)}</tr>"
            for first, *rest in rows
        )
        table = f"<table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table>"
        below = "".join(f"<p>{html.escape(line)}.</p>" for line in (*self.failures, WHY_INTERVALS))
        said = f"<p>{html.escape(self.head)}.</p>"
        return f"<div class='nw-sweep'><style>{STYLE}</style>{said}{table}{below}{self.svg}</div>"


def key_of(rounds: int, figures: TrialFigures | None, cost: float | None = None) -> Key:
    """By what trials are compared: those that failed are last, then how far they went counts, then their cost.

    That is the loss if no other figure is named, since it tells nets apart long before the error does, and since a run
    keeps its best epoch by it.
    """
    loss = 0.0 if figures is None else figures.loss.value
    return figures is None, -rounds, loss if cost is None else cost


def said_of(changes: Mapping[str, Any]) -> str:
    """The changes of a trial in words."""
    return ", ".join(f"{name}={shown(value)}" for name, value in changes.items())


def shown(value: Any) -> str:
    """A value of a change as a short text."""
    return shortened(f"{value:g}" if isinstance(value, float) else str(value), 40)


def _with_interval(one: Estimate) -> str:
    return f"{one.number(one.value)} ({one.interval()})" if one.interval() else one.number(one.value)


def _curve(trial: Trial) -> list[tuple[float, float]]:
    return [(float(epoch.step), epoch.validation["loss"]) for epoch in trial.run.epochs]
