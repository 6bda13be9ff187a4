"""What the page of segmentation counts with: edges, connected parts, matches, and intervals over blocks."""

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "book"))

from cells import EDGE, INSIDE, classes_of, crops, drawing, grown, matched, over_blocks, overlap, parts_of, smoothed


def touching():
    """Two nuclei of 9 × 8 pixels side by side."""
    nuclei = np.zeros((16, 24), int)
    nuclei[4:13, 4:12], nuclei[4:13, 12:20] = 1, 2
    return nuclei


def test_edges_part_nuclei_that_touch_and_growing_gives_them_back():
    nuclei = touching()
    classes = classes_of(nuclei)
    assert parts_of(nuclei > 0).max() == 1
    assert (classes[6:11, 6:10] == INSIDE).all()
    assert (classes[8, 10:14] == EDGE).all()
    found = grown(parts_of(classes == INSIDE), nuclei > 0)
    assert [{*found[nuclei == n].tolist()} - {0} for n in (1, 2)] == [{1}, {2}]
    assert matched(found, nuclei) == (2, 2, 2)


def test_a_part_is_connected_and_has_twenty_pixels():
    mask = np.zeros((12, 12), bool)
    mask[0:5, 0:4] = mask[0:5, 6:9] = True  # 20 pixels, and 15
    mask[6:12, 6:12] = np.triu(np.ones((6, 6), bool))  # 21 pixels
    parts = parts_of(mask)
    assert sorted(np.unique(parts, return_counts=True)[1].tolist()) == [20, 21, 144 - 41]


def test_a_found_nucleus_fits_one_that_it_shares_more_than_half_with():
    true, found = np.zeros((10, 20), int), np.zeros((10, 20), int)
    true[:, :10] = 1
    found[:, :5] = 1
    assert matched(found, true) == (0, 1, 1)  # 50 of 100: not more than half
    found[0, 5] = 1
    assert matched(found, true) == (1, 1, 1)


def test_overlap_and_its_draws():
    _, nuclei = drawing(0)
    true = np.tile(nuclei > 0, 2)[:, :240]
    assert overlap(true, true) == 1
    same, half = over_blocks([true, true & (np.arange(240) % 2 == 0)], true)
    assert (same == 1).all()
    assert half.mean() == pytest.approx(0.5, abs=0.1)
    assert (over_blocks([~true & true], ~true & true) == 1).all()  # nothing in both: they agree


def test_crops_hold_the_class_of_each_pixel():
    _, nuclei = drawing(1)
    pictures, masks = crops(np.where(nuclei > 0, 100, 0), classes_of(nuclei), 20, 32, seed=0)
    assert pictures.shape == masks.shape == (20, 32, 32)
    assert ((pictures > 0) == (masks > 0)).all()
    assert len({picture.tobytes() for picture in pictures}) > 10
    assert np.allclose(smoothed(np.full((5, 6), 7.0), 2), 7)
