"""The canvases of the page of detection: every box fits its digit, and boxes are apart and inside."""

import sys
from pathlib import Path

import numpy as np

import netwright as nw

sys.path.insert(0, str(Path(__file__).parents[1] / "book"))

from canvases import APART, MOST, SIDE, canvases

DIGITS = nw.dataset("digits").test
PICTURES, LABELS = np.stack([np.asarray(one) for one in DIGITS.inputs]), [int(one) for one in DIGITS.targets]


def test_boxes_are_on_the_canvas_and_apart():
    _, things = canvases(100, PICTURES, LABELS, seed=0)
    assert {len(found) for found in things} == {*range(1, MOST + 1)}
    for found in things:
        boxes = np.array([box for box, _ in found])
        assert (boxes[:, :2] >= 0).all() and (boxes[:, 2:] <= SIDE).all()
        for i, one in enumerate(boxes):
            for other in boxes[:i]:
                assert max(*(one[:2] - other[2:]), *(other[:2] - one[2:])) >= APART


def test_a_box_holds_its_digit():
    """A digit of one full square: the light pixels are those of the box, up to one at each side."""
    square = np.zeros((1, 28, 28), np.uint8)
    square[0, 4:24, 8:20] = 255
    for canvas, found in zip(*canvases(20, square, [7], seed=0), strict=True):
        light = np.zeros((SIDE, SIDE), bool)
        for (left, top, right, bottom), label in found:
            assert label == 7
            light[round(top + 1) : round(bottom - 1), round(left + 1) : round(right - 1)] = True
        assert canvas[light].mean() > canvas[~light].mean() + 60
        assert canvas[light].min() > 60


def test_the_same_seed_gives_the_same_canvases():
    one, two, other = (canvases(3, PICTURES, LABELS, seed=seed) for seed in (0, 0, 1))
    assert (one[0] == two[0]).all() and one[1] == two[1]
    assert (one[0] != other[0]).any()
