"""A chart must put every point where its axes say."""

import itertools
import math
import re

import pytest

from netwright.show.chart import BOTTOM, HEIGHT, LEFT, RIGHT, TOP, WIDTH, ChartLine, chart, smoothed


def test_points_stand_on_their_ticks():
    svg = chart([ChartLine("error", [(1, 0.02), (2, 0.01)], marked=True)], "epoch", percent=True)
    (x1, y1), (x2, y2) = [(float(x), float(y)) for x, y in re.findall(r'cx="([\d.]+)" cy="([\d.]+)"', svg)]
    assert x2 == WIDTH - RIGHT and x1 == pytest.approx((LEFT + WIDTH - RIGHT) / 2)
    lines = dict(zip(re.findall(r">([\d.]+%)<", svg), re.findall(r'nw-grid"[^>]*y1="([\d.]+)"', svg), strict=True))
    assert (float(lines["2%"]), float(lines["1%"])) == (y1, y2)
    assert float(lines["0%"]) == HEIGHT - BOTTOM


def test_a_logarithmic_axis_has_equal_steps():
    svg = chart([ChartLine("loss", [(1, 10.0), (2, 0.01)])], "step", logarithmic=True)
    heights = [float(y) for y in re.findall(r'nw-grid"[^>]*y1="([\d.]+)"', svg)]
    assert re.findall(r'text-anchor="end">([^<]+)<', svg) == ["0.01", "0.1", "1", "10"]
    steps = [a - b for a, b in itertools.pairwise(heights)]
    assert steps == pytest.approx([steps[0]] * 3, abs=0.2)
    assert min(heights) > TOP - 1


def test_what_cannot_be_drawn_is_left_out():
    points = [(1, math.nan), (2, 0.0), (3, math.inf), (4, 1.0)]
    svg = chart([ChartLine("loss", points, marked=True)], "step", logarithmic=True)
    assert svg.count("<circle") == 1
    assert chart([ChartLine("loss", [(1, math.nan)])], "step") == ""


def test_names_are_escaped():
    svg = chart([ChartLine("<b>", [(1, 1.0)])], "a & b")
    assert "<b>" not in svg and "&lt;b&gt;" in svg and "a &amp; b" in svg


def test_smoothing_keeps_the_mean():
    points = smoothed([float(i) for i in range(1000)], most=10)
    assert len(points) == 10 and sum(y for _, y in points) / 10 == pytest.approx(499.5)
    assert smoothed([]) == [] and smoothed([3.0]) == [(1.0, 3.0)]


def test_a_logarithmic_axis_of_x_has_equal_steps():
    svg = chart([ChartLine("loss", [(1e-3, 1.0), (1e-1, 2.0), (1e1, 1.0)], marked=True)], "rate", x_logarithmic=True)
    assert re.findall(r'text-anchor="middle">([^<]+)<', svg) == ["0.001", "0.01", "0.1", "1", "10", "rate"]
    places = [float(x) for x in re.findall(r'cx="([\d.]+)"', svg)]
    assert places == pytest.approx([LEFT, (LEFT + WIDTH - RIGHT) / 2, WIDTH - RIGHT])
    assert chart([ChartLine("loss", [(0.0, 1.0)])], "rate", x_logarithmic=True) == ""
    assert "<circle" in chart([ChartLine("loss", [(0.5, 1.0)], marked=True)], "rate", x_logarithmic=True)


@pytest.mark.parametrize(
    ("values", "ticks"),
    [
        ([-3.0, -1.0], ["-3", "-2", "-1", "0"]),
        ([-0.5, 0.5], ["-0.4", "-0.2", "0", "0.2", "0.4"]),
        ([0.0, 0.0], ["0", "0.2", "0.4", "0.6", "0.8", "1"]),
    ],
)
def test_figures_may_be_negative(values, ticks):
    svg = chart([ChartLine("R²", list(enumerate(values, 1)), marked=True)], "epoch")
    assert re.findall(r'text-anchor="end">([^<]+)<', svg) == ticks
    assert all(TOP - 1 < float(y) <= HEIGHT - BOTTOM for y in re.findall(r'cy="([\d.]+)"', svg))


@pytest.mark.parametrize("logarithmic", [False, True])
def test_numbers_at_the_ends_of_a_float(logarithmic):
    points = [(1, 1e308), (2, 1e-320), (3, 1e299), (4, 1e-299), (5, -1e308)]
    svg = chart([ChartLine("loss", points, marked=True)], "step", logarithmic=logarithmic)
    assert svg.count("<circle") == (2 if logarithmic else 3)
    assert svg.count("nw-grid") < 12
