"""Draws what was measured: ROC, precision-recall, calibration and rejection curves, and the confusion matrix."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from netwright.errors import DataError, NetError
from netwright.measure.counts import ConfusionMatrix
from netwright.measure.curve import Curve
from netwright.measure.report import Report
from netwright.show.plot.blank import in_house_style, new_figure, only_axes, plain_name
from netwright.show.plot.style import BLUE, CYCLE, GRAY, GREEN, INK, RED, SMALL, WIDTH

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

NAMED = 6  # curves that have a colour and a name
WORST = 3  # of more curves, those of the smallest areas have them
SQUARE = 3.7  # inches
MOST_CLASSES = 24  # of a confusion matrix; more do not fit a page
NUMBERED = 16  # classes up to which each cell has its count
FIGURES = {"ROC": "roc_area", "precision-recall": "average_precision"} | {
    "calibration": "calibration_error",
    "rejection": "rejection_area",
}
"""Of each kind of curve the figure that asks for it."""


@in_house_style
def roc_curve(measured: Report) -> "Figure":
    """The ROC curve of each class: the true positive rate against the false positive rate, at every threshold.

    The dashed line is chance. Of more than six classes, the three with the smallest area have a colour and a name.

    Fields:
        measured: a report with `metrics=["roc_area"]`.

    Returns: a figure of matplotlib; a notebook shows it.

    Raises: DataError for a report without these curves; MissingExtraError without matplotlib.

    Example:
        >>> import netwright as nw
        >>> net = nw.Chain(nw.softmax, input=2, output=nw.Category(["cat", "dog"]))
        >>> data = ([[0.0, 1.0], [1.0, 0.0], [2.0, 0.0]], ["dog", "cat", "dog"])
        >>> report = nw.measure(net, data, metrics=["roc_area"])
        >>> nw.plot.roc_curve(report).axes[0].get_xlabel()
        'false positive rate'
    """
    curves = _curves(measured, "ROC", "roc_curve")
    figure, axes = _square(curves)
    axes.plot([0, 1], [0, 1], color=GRAY, linestyle="--", linewidth=1, label="chance")
    _lines(axes, curves, drawstyle="default")
    axes.legend(loc="lower right")
    return figure


@in_house_style
def precision_recall_curve(measured: Report) -> "Figure":
    """The precision of each class against its recall, at every threshold.

    Of more than six classes, the three with the smallest average precision have a colour and a name.

    Fields:
        measured: a report with `metrics=["average_precision"]`.

    Returns: a figure of matplotlib; a notebook shows it.

    Raises: DataError for a report without these curves; MissingExtraError without matplotlib.

    Example:
        >>> import netwright as nw
        >>> net = nw.Chain(nw.softmax, input=2, output=nw.Category(["cat", "dog"]))
        >>> data = ([[0.0, 1.0], [1.0, 0.0], [2.0, 0.0]], ["dog", "cat", "dog"])
        >>> report = nw.measure(net, data, metrics=["average_precision"])
        >>> nw.plot.precision_recall_curve(report).axes[0].get_ylabel()
        'precision'
    """
    curves = _curves(measured, "precision-recall", "precision_recall_curve")
    figure, axes = _square(curves)
    _lines(axes, curves, drawstyle="steps-post")
    axes.legend(loc="lower left")
    return figure


@in_house_style
def calibration_curve(measured: Report) -> "Figure":
    """How often it is so, against the probability that the net states, and below how often it states it.

    A net whose probabilities mean what they say is on the dashed line; below it, it is too sure. The bars are 95%
    intervals.

    Fields:
        measured: a report with `metrics=["calibration_error"]`.

    Returns: a figure of matplotlib; a notebook shows it.

    Raises: DataError for a report without this curve; MissingExtraError without matplotlib.

    Example:
        >>> import netwright as nw
        >>> net = nw.Chain(nw.softmax, input=2, output=nw.Category(["cat", "dog"]))
        >>> data = ([[0.0, 1.0], [1.0, 0.0], [2.0, 0.0]], ["dog", "cat", "dog"])
        >>> report = nw.measure(net, data, metrics=["calibration_error"])
        >>> len(nw.plot.calibration_curve(report).axes)
        2
    """
    (curve,) = _curves(measured, "calibration", "calibration_curve")
    figure = new_figure(SQUARE, SQUARE + 0.8)
    above, below = figure.subplots(2, 1, sharex=True, gridspec_kw={"height_ratios": (4, 1)})
    above.plot([0, 1], [0, 1], color=GRAY, linestyle="--", linewidth=1, label="as stated")
    ends = np.maximum(0, np.stack([curve.y - curve.low, curve.high - curve.y]))
    above.errorbar(curve.x, curve.y, ends, color=BLUE, marker="o", markersize=5, linewidth=1.5, elinewidth=1)
    figure_text = f"{curve.figure.name} {curve.figure.number(curve.figure.value)}"
    above.set(xlim=(0, 1), ylim=(0, 1.02), ylabel=curve.y_name, title=f"{_title(measured)}{figure_text}")
    above.legend(loc="upper left")
    width = 0.1
    bins = np.clip(np.ceil(curve.x / width) - 1, 0, 9) * width  # a probability of 0.1 is in the first
    below.bar(bins, curve.thresholds, width=width, align="edge", color=BLUE, alpha=0.5)
    below.set(xlabel=_of_class(curve.x_name, curve), ylabel=measured.unit)
    _few_ticks(below)
    return figure


@in_house_style
def rejection_curve(measured: Report) -> "Figure":
    """The accuracy of the answers that stay, against the share of the least sure ones that are rejected.

    The shade is the 95% interval, the dashed line the accuracy of the naive guess.

    Fields:
        measured: a report with `metrics=["rejection_area"]`.

    Returns: a figure of matplotlib; a notebook shows it.

    Raises: DataError for a report without this curve; MissingExtraError without matplotlib.

    Example:
        >>> import netwright as nw
        >>> net = nw.Chain(nw.softmax, input=2, output=nw.Category(["cat", "dog"]))
        >>> data = ([[0.0, 1.0], [1.0, 0.0], [2.0, 0.0]], ["dog", "cat", "dog"])
        >>> report = nw.measure(net, data, metrics=["rejection_area"])
        >>> nw.plot.rejection_curve(report).axes[0].get_xlabel()
        'share rejected, %'
    """
    (curve,) = _curves(measured, "rejection", "rejection_curve")
    figure = new_figure(0.75 * WIDTH, 2.9)
    axes = only_axes(figure)
    axes.fill_between(
        100 * curve.x, 100 * curve.low, 100 * curve.high, step="post", color=BLUE, alpha=0.15, linewidth=0
    )
    axes.plot(100 * curve.x, 100 * curve.y, color=BLUE, drawstyle="steps-post")
    naive = curve.figure.baseline
    least = 100 * float(curve.y.min())
    if naive is not None and 100 * naive > least - 30:
        axes.axhline(100 * naive, color=GRAY, linestyle="--", linewidth=1, label=plain_name(curve.figure.baseline_name))
        axes.legend(loc="lower right")
    title = f"{_title(measured)}{curve.figure.name} {curve.figure.number(curve.figure.value)}"
    axes.set(xlim=(0, 100), xlabel=f"{curve.x_name}, %", ylabel=f"{curve.y_name}, %", title=title)
    axes.set_ylim(top=101)
    return figure


@in_house_style
def confusion_matrix(measured: Report | ConfusionMatrix) -> "Figure":
    """How often each class (rows) was taken for each other (columns); the shade is the share of the row.

    Right answers are green, mistakes red. Of more than 24 classes those are drawn that are confused most often.

    Fields:
        measured: a report of an output that chooses one class, or its `confusion`.

    Returns: a figure of matplotlib; a notebook shows it.

    Raises: DataError for a report without a confusion matrix; MissingExtraError without matplotlib.

    Example:
        >>> import netwright as nw
        >>> net = nw.Chain(nw.softmax, input=2, output=nw.Category(["cat", "dog"]))
        >>> data = ([[0.0, 1.0], [1.0, 0.0], [2.0, 0.0]], ["dog", "cat", "dog"])
        >>> nw.plot.confusion_matrix(nw.measure(net, data)).axes[0].get_xlabel()
        'predicted'
    """
    _expect_report(measured, "confusion_matrix")
    found = measured.confusion if isinstance(measured, Report) else measured
    if not isinstance(found, ConfusionMatrix):
        raise DataError(
            what="this report has no confusion matrix",
            where="plot.confusion_matrix",
            expected="the report of an output that chooses one class",
            got=repr(measured),
            mend=tuple(f"report[{name!r}]" for name in measured.outputs) if isinstance(measured, Report) else (),
        )
    matrix, left_out = _most_confused(found)
    labels, k = [plain_name(label) for label in matrix.labels], len(matrix.labels)
    side = min(WIDTH, 1.4 + 0.42 * k)
    figure = new_figure(max(2.6, side), max(2.3, side - 0.3))
    axes = only_axes(figure)
    _cells(axes, matrix)
    axes.set(xlim=(0, k), ylim=(k, 0), xlabel="predicted", ylabel="actual")
    long = max(map(len, labels)) > (3 if k > 6 else 6)
    axes.set_xticks(np.arange(k) + 0.5, labels, rotation=45 if long else 0, ha="right" if long else "center")
    axes.set_yticks(np.arange(k) + 0.5, labels)
    axes.tick_params(length=0)
    if long:
        axes.tick_params(axis="x", pad=1)
    axes.grid(visible=False)
    for spine in axes.spines.values():
        spine.set_visible(False)
    axes.set_aspect("equal")
    if left_out:
        axes.set_title(f"{k} of {k + left_out} classes, the most confused")
    return figure


def _cells(axes: "Axes", matrix: ConfusionMatrix) -> None:
    """The cells; they are coloured by transparency, so that they fit a light page and a dark one."""
    from matplotlib.patches import Rectangle

    totals = np.maximum(1, matrix.counts.sum(axis=1))
    k = len(matrix.labels)
    size = SMALL if k <= 10 else SMALL - 2
    for i, row in enumerate(matrix.counts.tolist()):
        for j, count in enumerate(row):
            if not count:
                continue
            # the square root shows a handful of mistakes beside a thousand right answers
            shade = 0.65 * (count / totals[i]) ** 0.5
            axes.add_patch(Rectangle((j, i), 1, 1, facecolor=GREEN if i == j else RED, alpha=shade, linewidth=0))
            if k <= NUMBERED:
                axes.text(j + 0.5, i + 0.5, f"{count:,}", ha="center", va="center", color=INK, fontsize=size)


def _most_confused(matrix: ConfusionMatrix) -> tuple[ConfusionMatrix, int]:
    """The matrix of the classes that fit, in their order, and how many are left out."""
    k = len(matrix.labels)
    if k <= MOST_CLASSES:
        return matrix, 0
    wrong = matrix.counts.copy()
    np.fill_diagonal(wrong, 0)
    picked = np.sort(np.argsort(-(wrong.sum(axis=0) + wrong.sum(axis=1)), kind="stable")[:MOST_CLASSES])
    return ConfusionMatrix(tuple(matrix.labels[i] for i in picked), matrix.counts[np.ix_(picked, picked)]), k - len(
        picked
    )


def _expect_report(measured: Any, what: str) -> None:
    if not isinstance(measured, Report | ConfusionMatrix):
        raise NetError(
            what="what was measured is drawn",
            where=f"plot.{what}",
            expected="nw.measure(net, data)",
            got=repr(measured),
        )


def _curves(measured: Report, kind: str, what: str) -> list[Curve]:
    """The curves of a kind in a report."""
    _expect_report(measured, what)
    found = [curve for curve in getattr(measured, "curves", ()) if curve.kind == kind]
    if found:
        return found
    asked = getattr(measured, "asked", ())
    known = {FIGURES[kind]} & {name.lower().replace(" ", "_") for name in asked}
    raise DataError(
        what=f"this report has no {kind} curve",
        where=f"plot.{what}",
        got=repr(measured),
        mend="a report of examples of at least two classes"
        if known
        else f'nw.measure(net, data, metrics=["{FIGURES[kind]}"])',
    )


def _square(curves: Sequence[Curve]) -> "tuple[Figure, Axes]":
    figure = new_figure(SQUARE + 0.3, SQUARE)
    axes = only_axes(figure)
    first = curves[0]
    axes.set(xlim=(-0.01, 1.01), ylim=(0, 1.02), xlabel=first.x_name, ylabel=first.y_name)
    axes.set_aspect("equal")
    return figure, axes


def _lines(axes: "Axes", curves: Sequence[Curve], *, drawstyle: Any) -> None:
    """The curves; of many, those of the smallest areas stand out."""
    least = sorted(range(len(curves)), key=lambda i: curves[i].figure.value)[:WORST]
    named = range(len(curves)) if len(curves) <= NAMED else least
    colours = dict(zip(named, CYCLE, strict=False))
    for i, curve in enumerate(curves):
        if i not in named:
            label = f"{len(curves) - len(colours)} others" if i == min(set(range(len(curves))) - set(named)) else None
            axes.plot(curve.x, curve.y, color=GRAY, alpha=0.5, linewidth=0.8, drawstyle=drawstyle, label=label)
    for i, colour in colours.items():
        curve = curves[i]
        label = f"{plain_name(curve.label)}: {curve.figure.number(curve.figure.value)}"
        axes.plot(curve.x, curve.y, color=colour, drawstyle=drawstyle, label=label)
    axes.set_title(curves[0].figure.name)


def _title(measured: Report) -> str:
    return f"{plain_name(measured.output)}: " if measured.output not in ("output", "") else ""


def _of_class(text: str, curve: Curve) -> str:
    return text if curve.label is None else f"{text} of {plain_name(curve.label)}"


def _few_ticks(axes: "Axes") -> None:
    from matplotlib.ticker import MaxNLocator

    axes.yaxis.set_major_locator(MaxNLocator(2, integer=True))
