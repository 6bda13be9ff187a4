"""Pieces of HTML about a run and a measurement, of which both the report page and what a notebook shows are made."""

import html
import math
from collections.abc import Sequence

from netwright.measure.estimate import Estimate
from netwright.measure.report import Report, shown_of_groups
from netwright.show.chart import ChartLine, chart, smoothed
from netwright.training.events import Choice, Epoch
from netwright.training.range_test import RateRange
from netwright.training.result import Run


def choices_html(choices: Sequence[Choice]) -> str:
    """What was decided in a run, and why, as a list."""
    items = "".join(
        f"<div><dt>{escaped(choice.name)}</dt><dd>{escaped(choice.value)}<span>{escaped(choice.why)}</span></dd></div>"
        for choice in choices
    )
    return f'<dl class="choices">{items}</dl>' if items else ""


def curves_html(losses: Sequence[float], epochs: Sequence[Epoch]) -> str:
    """The losses by step, and each figure of the validation by epoch, as charts."""
    lines = [ChartLine("training loss", smoothed(losses))]
    if any("loss" in epoch.validation for epoch in epochs):
        points = [(float(e.step), e.validation["loss"]) for e in epochs if "loss" in e.validation]
        lines.append(ChartLine("validation loss", points, marked=True))
    pieces = [chart(lines, "step", logarithmic=True)]
    for name in [name for name in (epochs[-1].validation if epochs else {}) if name != "loss"]:
        points = [(float(e.number), e.validation[name]) for e in epochs if name in e.validation]
        pieces.append(chart([ChartLine(f"validation {name}", points, marked=True)], "epoch", percent=name == "error"))
    return "".join(pieces)


def rate_range_html(found: RateRange | None) -> str:
    """The losses at the rates of a range test, with the rate that was chosen; what is far above the first is cut."""
    if found is None or not found.rates:
        return ""
    most = found.curve[0] + (found.curve[0] - min(found.curve))
    points = list(zip(found.rates, (min(loss, most) for loss in found.curve), strict=True))
    chosen = min(points, key=lambda point: abs(math.log(point[0] / found.rate)))
    lines = [ChartLine("loss in the range test", points), ChartLine("the rate of the run", [chosen], marked=True)]
    return chart(lines, "learning rate", x_logarithmic=True)


def extent_words(run: Run) -> str:
    """How far a run went, and which net it kept."""
    kept = f"; the net of epoch {run.best} was kept" if run.best else ""
    return f"{len(run.losses):,} steps in {epochs_words(run)} ({run.ended}){kept}."


def epochs_words(run: Run) -> str:
    """`1 epoch`, `5 epochs`."""
    return f"{len(run.epochs)} epoch{'' if len(run.epochs) == 1 else 's'}"


def figures_html(measured: Report) -> str:
    """The figures of one output: confusion matrix, estimates, groups, and every class, which is folded."""
    rows = [
        (e.name, e.number(e.value), e.interval(), e.number(e.baseline) if e.baseline is not None else "")
        for e in measured.figures
    ]
    body = table_html(("", "", "95% interval", "baseline"), rows)
    if measured.confusion is not None:
        matrix = measured.confusion._repr_html_()  # type: ignore[reportPrivateUsage]  # a display method
        body = f'<div class="two"><div class="heat scroll">{matrix}</div><div>{body}</div></div>'
    if measured.groups:
        names = shown_of_groups(next(iter(measured.groups.values())))
        of_groups = [
            (str(group), f"{one.n:,}", *(_value(figure) for figure in one.figures if figure.name in names))
            for group, one in measured.groups.items()
        ]
        body += table_html(("group", "examples", *names), of_groups)
    if measured.classes:
        head = ("class", measured.unit, *(figure.name for figure in measured.classes[0].figures))
        classes = [(str(one.label), f"{one.count:,}", *map(_value, one.figures)) for one in measured.classes]
        body += f"<details><summary>Every class</summary>{table_html(head, classes)}</details>"
    return body


def figures_words(measured: Report) -> str:
    """What was measured, and from what its baselines were computed."""
    words = (
        f"{measured.counted:,} {measured.unit}. Intervals are 95% confidence intervals. Baselines are computed from "
    )
    notes = "".join(f" {note[:1].upper()}{note[1:]}." for note in measured.notes)
    return f"{words}{measured.baseline_from}.{notes}"


def table_html(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Texts as a table; the first of a row is its name."""
    top = "".join(f"<th scope='col'>{escaped(name)}</th>" for name in head)
    body = "".join(
        f"<tr><th scope='row'>{escaped(first)}</th>{''.join(f'<td>{escaped(cell)}</td>' for cell in rest)}</tr>"
        for first, *rest in rows
    )
    return f'<div class="scroll"><table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table></div>'


def escaped(value: object) -> str:
    """A value as text of a page; half a sign, which no file can hold, is "?"."""
    return html.escape(str(value).encode(errors="replace").decode(), quote=True)


def _value(estimate: Estimate) -> str:
    return f"{estimate.number(estimate.value)} ({estimate.interval()})"
