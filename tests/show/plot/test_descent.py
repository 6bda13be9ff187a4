"""Descents are drawn over the contours of their cost."""

import numpy as np
import pytest

import netwright as nw
from netwright.errors import DataError, TrainingError


def bowl(w):
    return w[0] ** 2 + 3 * w[1] ** 2


WAY = nw.descend(bowl, [2.0, 1.0], 0.1, steps=5)


def test_one_way_over_the_contours():
    figure = nw.plot.descent_paths(bowl, WAY)
    (axes,) = figure.axes
    steps, start = axes.lines
    assert np.array_equal(np.stack(steps.get_data(), 1), WAY.points)
    assert [*start.get_xdata(), *start.get_ydata()] == [2.0, 1.0]
    assert axes.get_xlim()[0] < WAY.points[:, 0].min() and axes.get_xlim()[1] > 2


def test_several_ways_with_their_costs():
    diverging = nw.descend(bowl, [2.0, 1.0], 0.5, steps=5)
    figure = nw.plot.descent_paths(bowl, {"slow": WAY, "too fast": diverging}, area=((-3, 3), (-2, 2)))
    contours, costs = figure.axes
    assert contours.get_xlim() == (-3, 3) and contours.get_ylim() == (-2, 2)
    assert [line.get_label() for line in costs.lines] == ["slow", "too fast"]
    assert np.array_equal(costs.lines[1].get_ydata(), diverging.costs)
    assert costs.get_ylim()[1] < diverging.costs.max()
    assert [line.get_label() for line in nw.plot.descent_paths(bowl, [WAY, WAY]).axes[1].lines] == ["1", "2"]


def test_what_cannot_be_drawn():
    with pytest.raises(TrainingError) as error:
        nw.plot.descent_paths(bowl, [WAY, 3])
    assert str(error.value) == (
        "this is no descent\n"
        "  where:    plot.descent_paths\n"
        "  expected: nw.descend(cost, start, rate), a list of these, or several by name\n"
        "  got:      3"
    )
    with pytest.raises(TrainingError) as error:
        nw.plot.descent_paths(bowl, [])
    assert str(error.value).splitlines()[-1] == "  got:      []"
    with pytest.raises(TrainingError) as error:
        nw.plot.descent_paths(bowl, nw.descend(lambda w: (w**2).sum(), [1.0, 2.0, 3.0], 0.1))
    assert str(error.value) == (
        "contours are drawn of a cost of two weights\n"
        "  where:    plot.descent_paths\n"
        "  got:      a descent of 3 weights"
    )


@pytest.mark.parametrize(
    ("cost", "got"),
    [
        (lambda w: w, "a tensor of (2,)"),
        (lambda w: w[0] * 1j, "a tensor of complex numbers"),
        (lambda w: "high", "str"),
        (lambda w: None, "NoneType"),
    ],
)
def test_a_cost_that_is_not_one_number(cost, got):
    with pytest.raises(TrainingError) as error:
        nw.plot.descent_paths(cost, WAY)
    assert str(error.value) == (
        "the cost of a descent is one number, computed with torch\n"
        "  where:    cost\n"
        f"  got:      {got}\n"
        "  mend:     lambda w: (w**2).sum()"
    )


def test_a_cost_that_is_no_function():
    with pytest.raises(TrainingError) as error:
        nw.plot.descent_paths(7, WAY)
    assert str(error.value) == "the cost is a function of a tensor\n  where:    plot.descent_paths\n  got:      7"


def test_a_cost_that_is_a_number_nowhere():
    with pytest.raises(DataError) as error:
        nw.plot.descent_paths(lambda w: w.sum() * float("nan"), WAY, area=((0, 1), (2, 3)))
    assert str(error.value) == (
        "there are no contours: the cost is a finite number nowhere in this area\n  where:    0 to 1 and 2 to 3"
    )


def test_an_area_is_two_ranges():
    with pytest.raises(DataError) as error:
        nw.plot.descent_paths(bowl, WAY, area=5)
    assert str(error.value) == (
        "an area is two ranges\n  where:    plot.descent_paths\n"
        "  expected: ((left, right), (bottom, top))\n  got:      5"
    )
    with pytest.raises(DataError, match="from a finite number to a larger one"):
        nw.plot.descent_paths(bowl, WAY, area=((0, 0), (1, 2)))


def test_many_ways_have_no_legend_that_hides_them():
    _, costs = nw.plot.descent_paths(bowl, [WAY] * 20).axes
    assert costs.get_legend() is None
