"""Draws what happens while a net learns, and the function that it has learned: losses, rates, predictions."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import torch
from numpy.typing import NDArray

from netwright.data.datasets import Split
from netwright.errors import DataError, TrainingError, shortened
from netwright.net.node import expect_net
from netwright.net.part import Net
from netwright.show.chart import smoothed
from netwright.show.plot.blank import in_house_style, new_figure, only_axes, plain_name
from netwright.show.plot.ranges import expect_range
from netwright.show.plot.style import BLUE, CYCLE, GRAY, INK, ORANGE, WIDTH
from netwright.training.range_test import RateRange
from netwright.training.result import Run

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Numbers = NDArray[np.float64]
HEIGHT = 2.7  # inches
PERCENT = ("error", "accuracy")
WIDER = 0.5  # of the range of the data, on each side
POINTS = 300  # of a predicted curve
WITHIN = 4  # runs whose names stand among the curves
MARKED = 60  # epochs that are marked one by one


@in_house_style
def learning_curves(runs: Run | Mapping[str, Run]) -> "Figure":
    """The losses of a run by epoch, and beside them each other figure of the validation.

    The training loss is the mean of some steps, and behind it, pale, the loss of each step. The epoch whose net was
    kept has a ring. Of several runs each has its colour: the training loss is dashed, the validation is a full line.

    Fields:
        runs: a run, or several by name, such as `{"dropout": run1, "plain": run2}`.

    Returns: a figure of matplotlib; a notebook shows it.

    Raises: TrainingError for what is no run, or has made no step; MissingExtraError without matplotlib.

    Example:
        >>> import netwright as nw
        >>> xs = [x / 50 - 1 for x in range(100)]
        >>> net = nw.Chain(16, nw.tanh, nw.Linear(), input=nw.Number(), output=nw.Number())
        >>> run = nw.train(net, (xs, [x * x for x in xs]), epochs=5, validation=0.2, progress=False)
        >>> [axes.get_title() for axes in nw.plot.learning_curves(run).axes]
        ['loss']
    """
    by_name = _runs_of(runs)
    figures = dict.fromkeys(name for run in by_name.values() for epoch in run.epochs for name in epoch.validation)
    names = ["loss", *(name for name in figures if name != "loss")]
    figure = new_figure(WIDTH if len(names) > 1 else 0.75 * WIDTH, HEIGHT * -(-len(names) // 2))
    panels = figure.subplots(-(-len(names) // 2), min(2, len(names)), squeeze=False).flat
    for axes, name in zip(panels, names, strict=False):
        title = plain_name(name)
        axes.set(title=f"validation {title}, %" if name in PERCENT else title, xlabel="epoch")
        for (label, run), colour in zip(by_name.items(), _colours(len(by_name)), strict=True):
            if name == "loss":
                _training_loss(axes, run, colour, alone=not label)
            _validation(
                axes, run, name, colour if label or name != "loss" else ORANGE, plain_name(label) or "validation"
            )
        _fit_epochs(axes, name)
    for axes in [*panels][len(names) :]:
        axes.remove()
    if len(by_name) > 1 or any(epoch.validation for run in by_name.values() for epoch in run.epochs):
        _legend(figure, len(by_name))
    return figure


@in_house_style
def rate_sweep(what: Run | RateRange) -> "Figure":
    """The loss against the learning rate, as the range test of a run found it, with the rate that the run took.

    The line is the smoothed loss without what makes one batch easier than another; the points are the batches.

    Fields:
        what: a run with `learning_rate=nw.RangeTest()`, or its `run.rate_range`.

    Returns: a figure of matplotlib; a notebook shows it.

    Raises: TrainingError for a run without a range test; MissingExtraError without matplotlib.

    Example:
        >>> import netwright as nw
        >>> xs = [x / 50 - 1 for x in range(100)]
        >>> net = nw.Chain(16, nw.tanh, nw.Linear(), input=nw.Number(), output=nw.Number())
        >>> data = (xs, [x * x for x in xs])
        >>> run = nw.train(net, data, learning_rate=nw.RangeTest(), epochs=1, progress=False)
        >>> nw.plot.rate_sweep(run).axes[0].get_xlabel()
        'learning rate'
    """
    found = _rates_of(what)
    figure = new_figure(0.75 * WIDTH, HEIGHT)
    axes = only_axes(figure)
    curve = np.array(found.curve)
    axes.plot(found.rates, found.losses, ".", color=GRAY, markersize=4, alpha=0.6)
    axes.plot(found.rates, curve, color=BLUE)
    axes.axvline(found.rate, color=ORANGE, linewidth=1.2, label=f"taken: {found.rate:.2g}")
    low, high = float(curve.min()), max(float(curve[0]), float(np.mean(found.before)))
    room = 0.3 * ((high - low) or abs(high) or 1.0)
    axes.set(xscale="log", xlabel="learning rate", ylabel="loss", ylim=(low - room, high + room))
    axes.minorticks_off()
    axes.legend()
    return figure


@in_house_style
def prediction_curve(net: Net, data: Any, *, span: tuple[float, float] | None = None) -> "Figure":
    """What a net of one number says over a range, with the examples that it has learned from.

    The shade is the range of the examples; outside of it a net has seen nothing.

    Fields:
        net: from one number to one number.
        data: `(inputs, targets)`, or a part of a data set.
        span: the range that is drawn; None, that of the examples and half as much on each side.

    Returns: a figure of matplotlib; a notebook shows it.

    Raises: DataError for examples that are not one number each, for a net that does not answer with one, and for a span
        without extent; MissingExtraError without matplotlib.

    Example:
        >>> import netwright as nw, torch
        >>> x = torch.linspace(-2, 2, 40)[:, None]
        >>> net = nw.initialize(nw.Chain(20, nw.tanh, nw.Linear(), input=1, output=nw.Number(0, 1)))
        >>> [line.get_label() for line in nw.plot.prediction_curve(net, (x, x**2)).axes[0].lines]
        ['examples', 'the net']
    """
    expect_net(net, "plot.prediction_curve")
    sides = sides_of(data, "plot.prediction_curve")
    inputs, targets = map(_column, sides)
    if len(inputs) != len(targets) or not np.isfinite(inputs).all():
        raise DataError(
            what="each example is a finite number and its target",
            where="plot.prediction_curve",
            got=f"{len(inputs)} inputs, {int(np.isfinite(inputs).sum())} of them finite, and {len(targets)} targets",
        )
    low, high = float(inputs.min()), float(inputs.max())
    wide = WIDER * ((high - low) or 1.0)
    left, right = (low - wide, high + wide) if span is None else expect_range(span, "span")
    at = np.linspace(left, right, POINTS)
    figure = new_figure(0.75 * WIDTH, HEIGHT)
    axes = only_axes(figure)
    axes.axvspan(low, high, color=GRAY, alpha=0.14, linewidth=0)
    axes.plot(inputs, targets, "o", color=BLUE, markersize=3.5, alpha=0.7, label="examples", linewidth=0)
    axes.plot(at, _answers(net, at, np.ndim(sides[0])), color=ORANGE, label="the net")
    axes.set(xlabel=net.input_names[0], ylabel=net.output_names[0], xlim=(left, right))
    axes.legend()
    return figure


def _legend(figure: "Figure", count: int) -> None:
    """The names of so many runs: among the curves where there is room, else below them."""
    if count <= WITHIN:
        figure.axes[0].legend()
        return
    figure.set_figheight(figure.get_figheight() + 0.2 * count)
    figure.legend(*figure.axes[0].get_legend_handles_labels(), loc="outside lower center")


def _colours(count: int) -> list[str]:
    return [CYCLE[i % len(CYCLE)] for i in range(count)]


def _runs_of(given: Any) -> dict[str, Run]:
    """Runs by name; a single one has the empty name."""
    by_name: Any = {"": given} if isinstance(given, Run) else given
    if not isinstance(by_name, Mapping) or not by_name or not all(isinstance(run, Run) for run in by_name.values()):
        raise _no_run(given, "plot.learning_curves", "nw.train(net, data), or several runs by name")
    if not all(run.losses or run.epochs for run in by_name.values()):
        raise TrainingError(what="this run has made no step, so it has no curve", where="plot.learning_curves")
    return {str(name): run for name, run in by_name.items()}


def _rates_of(given: Any) -> RateRange:
    found = given.rate_range if isinstance(given, Run) else given
    if isinstance(found, RateRange) and found.rates:
        return found
    if isinstance(given, Run | RateRange):
        mend = "nw.train(net, data, learning_rate=nw.RangeTest())"
        raise TrainingError(what="this run has no range test", where="plot.rate_sweep", mend=mend)
    raise _no_run(given, "plot.rate_sweep", "a run with learning_rate=nw.RangeTest(), or its rate_range")


def _no_run(got: Any, where: str, expected: str) -> TrainingError:
    return TrainingError(what="this is no run", where=where, expected=expected, got=shortened(repr(got), 60))


def _training_loss(axes: "Axes", run: Run, colour: str, alone: bool) -> None:
    each = run.epochs[0].step if run.epochs else 1
    if not run.losses:
        axes.plot([e.number for e in run.epochs], [e.loss for e in run.epochs], "--", color=colour, label="training")
        return
    mean = np.array(smoothed(run.losses))
    if alone:
        steps = np.arange(1, len(run.losses) + 1) / each
        axes.plot(steps, run.losses, color=colour, linewidth=0.8, alpha=0.25)
        axes.plot(mean[:, 0] / each, mean[:, 1], color=colour, label="training")
    else:
        axes.plot(mean[:, 0] / each, mean[:, 1], "--", color=colour, linewidth=1)


def _validation(axes: "Axes", run: Run, name: str, colour: str, label: str) -> None:
    factor = 100 if name in PERCENT else 1
    known = [(e.number, factor * e.validation[name]) for e in run.epochs if name in e.validation]
    if not known:
        if name == "loss" and label != "validation":
            axes.plot([], [], "--", color=colour, linewidth=1, label=label)
        return
    line = "o-" if len(known) <= MARKED else "-"
    whole = name not in PERCENT  # a mark at 0% or 100% is not cut off
    axes.plot(*zip(*known, strict=True), line, color=colour, markersize=4, label=label, clip_on=whole)
    kept = [(number, value) for number, value in known if number == run.best]
    if kept:
        (ring,) = axes.plot(*kept[0], "o", markersize=9, markerfacecolor="none", markeredgecolor=INK, clip_on=whole)
        ring.set_markeredgewidth(1.2)


def _fit_epochs(axes: "Axes", name: str) -> None:
    """A logarithmic axis for a loss that falls far, and whole epochs."""
    from matplotlib.ticker import MaxNLocator

    axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=8, min_n_ticks=1))
    axes.set_xlim(left=0)
    if name in PERCENT:
        axes.set_ylim(bottom=0)
        return
    drawn = np.concatenate([np.asarray(line.get_ydata(), dtype=float) for line in axes.lines] or [np.ones(1)])
    finite = drawn[np.isfinite(drawn)]
    if len(finite) and finite.min() > 0 and finite.max() > 5 * finite.min():
        axes.set_yscale("log")


def sides_of(data: Any, where: str) -> tuple[Any, Any]:
    """The inputs and the targets of examples."""
    if isinstance(data, Split):
        return data.inputs, data.targets
    if isinstance(data, Sequence) and len(cast(Sequence[Any], data)) == 2:
        return data[0], data[1]
    raise DataError(
        what="these are no examples with targets",
        where=where,
        expected="(inputs, targets), or a part of a data set",
        got=shortened(repr(data), 60),
    )


def _column(values: Any) -> Numbers:
    """One number for each example."""
    try:
        found = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError):
        found = None
    if found is None or not found.ndim or not len(found) or found.size != len(found):
        raise DataError(
            what="a curve is drawn of one number against another",
            where="plot.prediction_curve",
            expected="examples of one number each",
            got=f"an array of {found.shape}" if found is not None else shortened(repr(values), 60),
        )
    return found.reshape(-1)


def _answers(net: Net, at: Numbers, axes: int) -> Numbers:
    """What the net says at each of some numbers, which it takes with so many axes, as the examples have them."""
    shaped = torch.as_tensor(at, dtype=torch.float32, device="cpu").reshape(-1, *[1] * (axes - 1))
    answers = net(shaped.tolist() if axes == 1 else shaped)
    try:
        said = np.asarray(answers, dtype=np.float64)
    except (TypeError, ValueError):
        said = None
    if said is None or said.size != len(at):
        raise DataError(
            what="this net does not answer with one number",
            where="plot.prediction_curve",
            expected="an output such as nw.Number()",
            got=f"{said.size // len(at)} numbers for each example"
            if said is not None
            else shortened(repr(answers), 60),
        )
    return said.reshape(-1)
