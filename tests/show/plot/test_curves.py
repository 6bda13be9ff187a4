"""Curves show the numbers of a run, and what has no curve is told why."""

import numpy as np
import pytest
import torch

import netwright as nw
from netwright.errors import DataError, TrainingError
from netwright.training.range_test import RateRange
from netwright.training.result import Run

XS = torch.linspace(-1, 1, 60)[:, None]
NET = nw.Chain(8, nw.tanh, nw.Linear(), input=1, output=nw.Number())


@pytest.fixture(scope="module")
def run():
    return nw.train(NET, (XS, XS**2), epochs=4, validation=0.25, seed=0, learning_rate=nw.RangeTest(), progress=False)


def test_the_losses_of_a_run(run):
    axes = nw.plot.learning_curves(run).axes[0]
    steps, mean, validation, kept = axes.lines
    assert steps.get_ydata() == pytest.approx(run.losses)
    assert steps.get_xdata()[-1] == mean.get_xdata()[-1] == pytest.approx(len(run.epochs))
    assert [*validation.get_ydata()] == [epoch.validation["loss"] for epoch in run.epochs]
    assert [*kept.get_xdata()] == [run.best]


def test_other_figures_stand_beside():
    labels = ["even", "odd"] * 30
    net = nw.Chain(8, nw.tanh, nw.Linear(), nw.softmax, input=1, output=nw.Category(["even", "odd"]))
    two = [nw.train(net, (XS, labels), epochs=2, validation=0.25, seed=seed, progress=False) for seed in (0, 1)]
    figure = nw.plot.learning_curves({"first": two[0], "second": two[1]})
    assert [axes.get_title() for axes in figure.axes] == ["loss", "validation error, %"]
    lines = [line for line in figure.axes[1].lines if len(line.get_xdata()) > 1]
    for line, run in zip(lines, two, strict=True):
        assert [*line.get_ydata()] == pytest.approx([100 * epoch.validation["error"] for epoch in run.epochs])
    assert [text.get_text() for text in figure.axes[0].get_legend().get_texts()] == ["first", "second"]


def test_what_is_no_run(run):
    with pytest.raises(TrainingError) as error:
        nw.plot.learning_curves([run.losses[0]])
    assert str(error.value).splitlines()[:3] == [
        "this is no run",
        "  where:    plot.learning_curves",
        "  expected: nw.train(net, data), or several runs by name",
    ]
    empty = Run(run.net, run.net, (), (), (), 0, 0.0, "interrupted")
    with pytest.raises(TrainingError) as error:
        nw.plot.learning_curves(empty)
    assert str(error.value) == ("this run has made no step, so it has no curve\n  where:    plot.learning_curves")


def test_the_rates_of_a_range_test(run):
    axes = nw.plot.rate_sweep(run).axes[0]
    points, curve, taken = axes.lines
    assert [*points.get_ydata()] == [*run.rate_range.losses] and [*curve.get_ydata()] == [*run.rate_range.curve]
    assert taken.get_xdata()[0] == run.rate_range.rate
    assert nw.plot.rate_sweep(run.rate_range).axes[0].get_xscale() == "log"


def test_a_run_without_a_range_test(run):
    for what in (Run(run.net, run.net, (), (), (), 0, 0.0, "interrupted"), RateRange(0.1, "", (), (), ())):
        with pytest.raises(TrainingError) as error:
            nw.plot.rate_sweep(what)
        assert str(error.value) == (
            "this run has no range test\n"
            "  where:    plot.rate_sweep\n"
            "  mend:     nw.train(net, data, learning_rate=nw.RangeTest())"
        )


def test_a_predicted_curve(run):
    axes = nw.plot.prediction_curve(run.net, (XS, XS**2), span=(-3, 2)).axes[0]
    examples, said = axes.lines
    assert np.allclose(examples.get_xdata(), XS[:, 0]) and np.allclose(examples.get_ydata(), XS[:, 0] ** 2)
    at = torch.as_tensor(said.get_xdata(), dtype=torch.float32)[:, None]
    assert axes.get_xlim() == (-3, 2) and np.allclose(said.get_ydata(), run.net(at))


def test_a_predicted_curve_of_plain_numbers():
    net = nw.initialize(nw.Chain(4, nw.tanh, nw.Linear(), input=nw.Number(0, 1), output=nw.Number(0, 1)))
    said = nw.plot.prediction_curve(net, ([0.0, 1.0], [0.0, 1.0])).axes[0].lines[1]
    assert said.get_ydata()[0] == pytest.approx(net(-0.5), abs=1e-6)


def test_a_curve_needs_one_number(run):
    with pytest.raises(DataError) as error:
        nw.plot.prediction_curve(run.net, (torch.zeros(5, 2), XS))
    assert str(error.value) == (
        "a curve is drawn of one number against another\n"
        "  where:    plot.prediction_curve\n"
        "  expected: examples of one number each\n"
        "  got:      an array of (5, 2)"
    )
    with pytest.raises(DataError) as error:
        nw.plot.prediction_curve(nw.initialize(nw.Chain(3, input=1)), (XS, XS))
    assert str(error.value) == (
        "this net does not answer with one number\n"
        "  where:    plot.prediction_curve\n"
        "  expected: an output such as nw.Number()\n"
        "  got:      3 numbers for each example"
    )
    with pytest.raises(DataError) as error:
        nw.plot.prediction_curve(run.net, 5)
    assert str(error.value) == (
        "these are no examples with targets\n"
        "  where:    plot.prediction_curve\n"
        "  expected: (inputs, targets), or a part of a data set\n"
        "  got:      5"
    )
    with pytest.raises(DataError) as error:
        nw.plot.prediction_curve(run.net, (XS, XS), span=(2, 1))
    assert str(error.value) == (
        "a range goes from a finite number to a larger one\n"
        "  where:    span\n  expected: such as (-1, 1)\n  got:      (2, 1)"
    )


def test_a_curve_of_what_is_no_number():
    net = nw.initialize(NET, seed=0).with_output(nw.Number(0, 1))
    for data in ((XS, XS[:3]), (XS / 0, XS)):
        with pytest.raises(DataError, match="each example is a finite number and its target"):
            nw.plot.prediction_curve(net, data)
    classes = nw.initialize(nw.Chain(2, nw.softmax, input=1, output=nw.Category(["a", "b"])))
    with pytest.raises(DataError, match="this net does not answer with one number"):
        nw.plot.prediction_curve(classes, (XS, XS))


def test_names_of_runs_are_no_formulas(run):
    figure = nw.plot.learning_curves({"$a^$": run, "_second": run})
    assert len(figure.axes[0].get_legend().get_texts()) == 2
    assert "$a^$</text>" in figure._repr_svg_()


def test_runs_whose_names_differ_only_at_the_end(run):
    figure = nw.plot.learning_curves({f"{'x' * 80} {number}": run for number in range(3)})
    texts = [text.get_text() for text in figure.axes[0].get_legend().get_texts()]
    assert [text[-2:] for text in texts] == [" 0", " 1", " 2"]


def test_the_names_of_many_runs_stand_below(run):
    figure = nw.plot.learning_curves({f"run {number}": run for number in range(12)})
    assert figure.axes[0].get_legend() is None
    assert [text.get_text() for text in figure.legends[0].get_texts()] == [f"run {number}" for number in range(12)]
    few = nw.plot.learning_curves({"a": run, "b": run})
    assert figure.get_figheight() > few.get_figheight() and few.legends == []
