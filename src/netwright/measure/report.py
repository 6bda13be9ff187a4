"""The result of measuring a net as a value: figures with their intervals, and the worst examples."""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import field
from typing import Any, cast

import numpy as np
from torch import Tensor

from netwright.errors import PathError, UnknownNameError, did_you_mean, shortened
from netwright.measure.counts import MOST_SHOWN, ConfusionMatrix, Label, aligned_columns, column_label
from netwright.measure.curve import Curve
from netwright.measure.estimate import Estimate, json_number
from netwright.value import Value

GROUP_FIGURES = 4  # in a line of a group
LONGEST = 60  # characters of a target or an answer in a line: classes for all positions may be thousands


class Figures(Value):
    """Several figures, each also an attribute: `log loss` is `log_loss`, `R²` is `r2`.

    Raises: UnknownNameError for a figure that is not there, with the names of those that are.
    """

    figures: tuple[Estimate, ...]

    def __getattr__(self, name: str) -> Estimate:
        known = {attribute(figure.name): figure for figure in self.__dict__.get("figures", ())}
        if name in known:
            return known[name]
        raise UnknownNameError(
            what=f"there is no figure {name!r} here",
            where=self._where,
            expected=", ".join(known),
            mend=did_you_mean(name, known) or (),
        )

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *(attribute(figure.name) for figure in self.figures)]

    @property
    def _where(self) -> str:
        return ""


class ClassFigures(Figures, kw_only=True):
    """How well one class is found.

    Fields:
        label: the class.
        count: how many units have it: examples, or positions.
        figures: precision, recall and F1; the baseline of each is to predict this class for every unit.
    """

    label: Label
    count: int

    def to_json(self) -> dict[str, object]:
        """A plain dict."""
        numbers = {figure.name: figure.to_json() for figure in self.figures}
        return {"label": json_label(self.label), "count": self.count, **numbers}


class Example(Value, eq=False):
    """One measured example.

    Fields:
        index: its position in the data, from 0.
        input: the raw value, or a mapping by port if the net has several inputs.
        actual, predicted: the target, and the net's answer.
        loss: -ln p(actual) for labels, the squared error for numbers; the mean over positions if there are several.
        probabilities: every label with its probability; empty for numbers, and if there are several positions.
    """

    index: int
    input: Any
    actual: Any
    predicted: Any
    loss: float
    probabilities: Mapping[Any, float]

    def to_json(self) -> dict[str, object]:
        """A plain dict without the input."""
        said = {"actual": _plain(self.actual), "predicted": _plain(self.predicted)}
        return {"index": self.index, **said, "loss": json_number(self.loss)}

    def __str__(self) -> str:
        return f"#{self.index}: {_short(self.actual)}, taken for {_short(self.predicted)} (loss {self.loss:.3g})"


class Report(Figures, eq=False, kw_only=True):
    """The result of measuring a net: every figure with its 95% interval and the same figure of the naive guess.

    Each figure is an attribute by its name: `report.accuracy`, `report.log_loss`, `report.macro_f1`, `report.r2`.
    `report["output"]` is the report of one output, whether the net has one or several; a net with several has its
    figures there, and here only the first of each, named after its output.

    Fields:
        kind: of the answer: "class", "yes or no", "labels", "numbers", …
        n: examples measured.
        unit, counted: what the figures count, "examples", "positions" or "elements", and how many of them there were.
        figures: the most important first. The `n` of a figure is the number of examples it was computed from.
        classes: precision, recall and F1 of each class, where there are classes.
        confusion: counts by actual and predicted class, where one of up to 1,000 classes is chosen.
        baseline_from: what the naive guess was read from, `the training data` or `the measured data`.
        asked: the names of the figures that `metrics=` asked for.
        notes: remarks about the figures.
        curves: of the figures that sum curves up, where they were asked for, such as `metrics=["roc_area"]`.
        worst: the examples of largest loss, the worst first.
        groups: of `by=`, the report of each group by its name; a group has no groups and no worst examples.
        outputs: of a net with several outputs, the report of each by its name.
    """

    kind: str
    n: int
    unit: str = "examples"
    counted: int
    classes: tuple[ClassFigures, ...] = ()
    confusion: ConfusionMatrix | None = None
    baseline_from: str
    asked: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    curves: tuple[Curve, ...] = ()
    worst: tuple[Example, ...] = ()
    output: str
    groups: Mapping[Any, "Report"] = field(default_factory=dict[Any, "Report"])
    outputs: Mapping[str, "Report"] = field(default_factory=dict[str, "Report"])

    @property
    def headline(self) -> str:
        """The first figure in one line; of several outputs a line each."""
        return "\n".join(map(str, self.figures if self.outputs else self.figures[:1]))

    def __getitem__(self, output: str) -> "Report":
        known = self.outputs or {self.output: self}
        if output in known:
            return known[output]
        raise PathError(
            what=f"the measured net has no output {output!r}",
            expected=", ".join(known),
            mend=did_you_mean(output, known) or (),
        )

    def to_json(self) -> dict[str, object]:
        """A plain dict of numbers, texts, lists and dicts; a value that JSON does not have becomes its text."""
        found: dict[str, object] = {
            "output": self.output,
            "kind": self.kind,
            "n": self.n,
            "unit": self.unit,
            "counted": self.counted,
            "figures": {figure.name: figure.to_json() for figure in self.figures},
            "baseline_from": self.baseline_from,
            "notes": list(self.notes),
        }
        if self.classes:
            found["classes"] = [one.to_json() for one in self.classes]
        if self.confusion is not None:
            labels = [json_label(label) for label in self.confusion.labels]
            found["confusion"] = {"labels": labels, "counts": self.confusion.counts.tolist()}
        if self.curves:
            found["curves"] = [curve.to_json() for curve in self.curves]
        if self.groups:
            found["groups"] = [
                {"group": json_label(group), **report.to_json()} for group, report in self.groups.items()
            ]
        if self.outputs:
            found["outputs"] = {name: report.to_json() for name, report in self.outputs.items()}
        else:
            found["worst"] = [example.to_json() for example in self.worst]
        return found

    def __str__(self) -> str:
        """The figures, the classes, the confusion matrix and the worst examples."""
        if self.outputs:
            return "\n\n".join(f"{name}: {report}" for name, report in self.outputs.items())
        blocks = ["\n".join([self.head, figure_lines(self.figures), *self.notes])]
        if 0 < len(self.classes) <= MOST_SHOWN:
            blocks.append(class_table(self.classes, self.unit))
        if self.groups:
            blocks.append(group_table(self.groups))
        if self.confusion is not None:
            of = "" if self.unit == "examples" else f" of {self.unit}"
            blocks.append(f"confusion matrix{of}, rows: actual, columns: predicted\n{self.confusion}")
        if self.worst:
            blocks.append("\n".join(["worst examples", *map(str, self.worst)]))
        return "\n\n".join(blocks)

    def __repr__(self) -> str:
        """One line: the kind, how much was measured, the headline."""
        return f"<Report of {self.kind}, n={self.n:,}: {'; '.join(self.headline.splitlines())}>"

    @property
    def head(self) -> str:
        """One line about what was measured and what the figures mean."""
        what = (
            f"{self.n:,} examples"
            if self.unit == "examples"
            else f"{self.counted:,} {self.unit} of {self.n:,} examples"
        )
        classes = f", {len(self.classes):,} classes" if self.classes else ""
        differ = "" if self.unit == "examples" else ", from differences between examples"
        return f"{what}{classes}; 95% intervals{differ}; baselines from {self.baseline_from}"

    @property
    def _where(self) -> str:
        outputs = self.__dict__.get("outputs")
        return f"the figures of all outputs; report[{next(iter(outputs))!r}] has those of one" if outputs else ""


def attribute(name: str) -> str:
    """A figure's name as Python writes it.

    Example:
        >>> attribute("macro F1"), attribute("R²"), attribute("top-5 accuracy")
        ('macro_f1', 'r2', 'top_5_accuracy')
    """
    return re.sub(r"\W+", "_", unicodedata.normalize("NFKC", name).lower())


def figure_lines(figures: Sequence[Estimate]) -> str:
    """Figures as aligned lines: name, value, interval, baseline."""
    rows = [[e.name, e.number(e.value), f"({e.interval() or 'no interval'})", e.versus()] for e in figures]
    widths = [max(len(row[j]) for row in rows) for j in range(3)]
    return "\n".join(
        f"{name:<{widths[0]}}  {value:>{widths[1]}}  {within:<{widths[2]}}  {naive}".rstrip()
        for name, value, within, naive in rows
    )


def group_table(groups: Mapping[Any, Report]) -> str:
    """One aligned line for each group, with the figures of `shown_of_groups`."""
    wanted = shown_of_groups(next(iter(groups.values())))
    rows = [["group", "examples", *(cell for name in wanted for cell in (name, ""))]]
    for group, report in groups.items():
        by_name = {figure.name: figure for figure in report.figures}
        found = [by_name[name] for name in wanted]
        cells = [cell for one in found for cell in (one.number(one.value), f"({one.interval() or 'no interval'})")]
        rows.append([column_label(str(group)), f"{report.n:,}", *cells])
    return aligned_columns(rows)


def shown_of_groups(report: Report) -> list[str]:
    """The names of the figures that a table of groups shows: the first, and those that were asked for."""
    names = [figure.name for figure in report.figures]
    return list(dict.fromkeys([*names[:1], *report.asked]))[:GROUP_FIGURES]


def class_table(classes: Sequence[ClassFigures], counted: str = "examples") -> str:
    """One aligned line for each class."""
    head = ["class", counted]
    for figure in classes[0].figures:
        head += [figure.name, ""]
    rows = [head]
    for one in classes:
        cells = [column_label(str(one.label)), f"{one.count:,}"]
        for figure in one.figures:
            cells += [figure.number(figure.value), f"({figure.interval()})"]
        rows.append(cells)
    return aligned_columns(rows)


def json_label(label: Label) -> str | int | float | bool | None:
    """The label itself where JSON knows its type, else its text."""
    return label if isinstance(label, str | int | float | bool | None) else str(label)


def _short(value: Any) -> str:
    return shortened(" ".join(repr(value).split()), LONGEST)


def _plain(value: Any) -> object:
    """A value that JSON knows, or its text."""
    if isinstance(value, np.ndarray | Tensor):
        return value.tolist()
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, tuple | list | set | frozenset):
        return [_plain(item) for item in cast(Any, value)]
    return value if isinstance(value, str | int | float | bool | None) else str(value)
