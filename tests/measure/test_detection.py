"""Mean average precision: pycocotools' stored numbers, small cases by hand, and boxes that are none."""

from pathlib import Path

import numpy as np
import pytest

from messages import message
from netwright.measure.detection import mean_average_precision, overlaps

STORED = np.load(Path(__file__).parents[1] / "oracles" / "stored" / "detection.npz")
PICTURES = 40
BOX, OTHER = (0, 0, 10, 10), (20, 20, 30, 30)


def things(rows: np.ndarray, *, scored: bool) -> list[list[tuple]]:
    found: list[list[tuple]] = [[] for _ in range(PICTURES)]
    for picture, *box, label, score in rows.tolist():
        found[int(picture)].append((tuple(box), int(label), score) if scored else (tuple(box), int(label)))
    return found


def test_the_numbers_are_those_of_pycocotools():
    answers, targets = things(STORED["answers"], scored=True), things(STORED["targets"], scored=False)
    found = mean_average_precision(answers, targets)
    assert found.value == pytest.approx(float(STORED["map"]), abs=1e-6)
    assert mean_average_precision(answers, targets, iou=0.5).value == pytest.approx(float(STORED["map50"]), abs=1e-6)
    assert found.low < found.value < found.high and found.high - found.low < 0.3
    assert (found.name, found.n, found.baseline, found.percent) == ("mAP50-95", PICTURES, 0.0, True)


def test_by_hand():
    there = [[(BOX, "a"), (OTHER, "a")]]
    assert mean_average_precision([[(BOX, "a", 0.9), (OTHER, "a", 0.8)]], there).value == 1.0
    assert mean_average_precision([[]], there).value == 0.0
    # one of two is found: precision is 1 up to recall 1/2, at 51 of 101 recalls
    assert mean_average_precision([[(BOX, "a", 0.9)]], there).value == pytest.approx(51 / 101)
    # a second box on the same target is wrong, and comes before the box of the other target
    twice = [[(BOX, "a", 0.9), (BOX, "a", 0.8), (OTHER, "a", 0.7)]]
    assert mean_average_precision(twice, there).value == pytest.approx((51 + 50 * 2 / 3) / 101)
    # a box of a class that no target has takes nothing away
    assert mean_average_precision([[(BOX, "a", 0.9), (OTHER, "b", 0.8)]], [[(BOX, "a")]]).value == 1.0


def test_a_box_that_fits_in_part_counts_up_to_its_overlap():
    found = mean_average_precision([[((0, 0, 10, 7.2), "a", 0.9)]], [[(BOX, "a")]])  # 0.72: 5 of 10 thresholds
    assert found.value == pytest.approx(0.5)
    assert mean_average_precision([[((0, 0, 10, 7.2), "a", 0.9)]], [[(BOX, "a")]], iou=0.72).value == 1.0
    assert found.interval() == "0.0-100.0"  # one picture does not tell how pictures differ


def test_overlaps_of_boxes():
    found = overlaps(np.array([[0.0, 0, 2, 2]]), np.array([[1.0, 1, 3, 3], [0, 0, 2, 2], [2, 0, 4, 2]]))
    np.testing.assert_allclose(found, [[1 / 7, 1, 0]])


@pytest.mark.parametrize(
    ("answers", "targets", "text"),
    [
        (
            [[]],
            [[], []],
            "boxes are compared picture by picture\n"
            "  where:    mean_average_precision\n"
            "  got:      answers of 1 pictures, targets of 2",
        ),
        (
            [[]],
            [[((3, 0, 3, 4), "a")]],
            "a box has a left, a top, a right and a bottom, and an area\n"
            "  where:    targets, picture 0, box 0\n"
            "  expected: (left, top, right, bottom), left < right and top < bottom\n"
            "  got:      (3, 0, 3, 4)",
        ),
        (
            [[((0, 0, float("nan"), 4), "a", 0.5)]],
            [[(BOX, "a")]],
            "a box has a left, a top, a right and a bottom, and an area\n"
            "  where:    answers, picture 0, box 0\n"
            "  expected: (left, top, right, bottom), left < right and top < bottom\n"
            "  got:      (0, 0, nan, 4)",
        ),
        (
            [[(BOX, "a")]],
            [[(BOX, "a")]],
            "a box that a net gives has a score\n"
            "  where:    answers, picture 0, box 0\n"
            "  expected: (box, class, score) with a finite number as the score\n"
            "  got:      ((0, 0, 10, 10), 'a')",
        ),
        ([[]], [[]], "the targets have no box, so there is no precision to average\n  where:    targets"),
    ],
)
def test_what_does_not_fit(answers, targets, text):
    assert message(lambda: mean_average_precision(answers, targets)) == text


def test_a_threshold_is_a_share():
    text = "an intersection over union is above 0 and at most 1\n  where:    iou\n  got:      50"
    assert message(lambda: mean_average_precision([[]], [[(BOX, "a")]], iou=50)) == text
