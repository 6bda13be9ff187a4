"""Works on pictures of cells: crops to learn from, edges of nuclei, connected parts, and intervals over blocks."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

BACKGROUND, EDGE, INSIDE = range(3)  # the classes of a pixel
WIDE = 2  # pixels of the edge of a nucleus
FEWEST = 20  # pixels of a part that counts as a nucleus
BLOCK = 128, 120  # pixels of a block, down and across
DRAWN = 2_000  # times that blocks are drawn anew

Numbers = NDArray[Any]


def classes_of(nuclei: Numbers) -> Numbers:
    """The class of each pixel, from the number of its nucleus (h, w), 0 for none.

    A pixel of a nucleus belongs to its edge if one at most two pixels beside, above or below it is of something else.
    """
    inside = nuclei > 0
    for axis in (0, 1):
        for far in range(1, WIDE + 1):
            for moved in _neighbours(nuclei, axis, far):
                inside = inside & (moved == nuclei)
    return np.where(inside, INSIDE, np.where(nuclei > 0, EDGE, BACKGROUND)).astype(np.uint8)


def crops(picture: Numbers, classes: Numbers, count: int, side: int, *, seed: int) -> tuple[Numbers, Numbers]:
    """`count` squares from random places, mirrored, turned by right angles and lighter or darker: pictures, classes."""
    draw = np.random.default_rng(seed)
    pictures, masks = (np.zeros((count, side, side), np.uint8) for _ in range(2))
    for i in range(count):
        top, left = (int(draw.integers(0, length - side + 1)) for length in picture.shape)
        square = slice(top, top + side), slice(left, left + side)
        turns, mirrored, light = int(draw.integers(4)), bool(draw.integers(2)), draw.uniform(0.6, 1.6)
        for made, whole in ((pictures, picture * light), (masks, classes)):
            turned = np.rot90(whole[square], turns)
            made[i] = (turned[:, ::-1] if mirrored else turned).clip(0, 255)
    return pictures, masks


def parts_of(mask: Numbers) -> Numbers:
    """The number of the connected part of each pixel of a mask (h, w), from 1; 0 outside, and in parts below 20 pixels.

    Pixels are connected if they are side by side, or one above the other.
    """
    numbers = np.where(mask, np.arange(1, mask.size + 1).reshape(mask.shape), 0)
    while True:
        spread = numbers
        for axis in (0, 1):
            for moved in _neighbours(spread, axis, 1):
                spread = np.maximum(spread, moved)
        spread = np.where(mask, spread, 0)
        if (spread == numbers).all():
            break
        numbers = spread
    values, place, sizes = np.unique(numbers, return_inverse=True, return_counts=True)
    large = (values > 0) & (sizes >= FEWEST)
    return np.where(large, large.cumsum(), 0)[place].reshape(mask.shape)


def grown(parts: Numbers, mask: Numbers) -> Numbers:
    """Parts that grow into a mask, one pixel around in each round, until they meet; as wide as an edge at most."""
    for _ in range(WIDE + 1):
        around = parts
        for axis in (0, 1):
            for moved in _neighbours(parts, axis, 1):
                around = np.where(around == 0, moved, around)
        parts = np.where(mask, around, parts)
    return parts


def matched(found: Numbers, true: Numbers, least: float = 0.5) -> tuple[int, int, int]:
    """How many true nuclei of 20 pixels or more a found one fits, how many there are, and how many were found.

    Two nuclei fit if their intersection over union is above 0.5, so no nucleus fits two.
    """
    truths = [n for n, size in zip(*np.unique(true, return_counts=True), strict=True) if n and size >= FEWEST]
    hits = 0
    for number in truths:
        own = true == number
        overlapping, shared = np.unique(found[own], return_counts=True)
        for other, both in zip(overlapping, shared, strict=True):
            hits += bool(other and both > least * (own | (found == other)).sum())
    return hits, len(truths), len(np.unique(found[found > 0]))


def smoothed(picture: Numbers, radius: int) -> Numbers:
    """The mean of the pixels at most `radius` beside, above or below each pixel."""
    found = picture.astype(float)
    for axis in (0, 1):
        moved = [one for far in range(1, radius + 1) for one in _neighbours(found, axis, far)]
        found = np.mean([found, *moved], axis=0)
    return found


def overlap(mask: Numbers, true: Numbers) -> float:
    """The intersection over union of two masks."""
    return float((mask & true).sum() / (mask | true).sum())


def over_blocks(masks: Sequence[Numbers], true: Numbers) -> Numbers:
    """The intersection over union of each mask with the true one, for 2,000 draws of blocks: (masks, draws).

    Blocks of 128 × 120 pixels are drawn anew, because pixels beside each other are not independent. Where no pixel of
    the drawn blocks is in one of the masks, they agree.
    """
    tops, lefts = (range(0, length, side) for length, side in zip(true.shape, BLOCK, strict=True))
    blocks = [(slice(top, top + BLOCK[0]), slice(left, left + BLOCK[1])) for top in tops for left in lefts]
    both, either = (
        np.array([[join(mask[block], true[block]).sum() for block in blocks] for mask in masks])
        for join in (np.logical_and, np.logical_or)
    )
    picks = np.random.default_rng(0).integers(0, len(blocks), (DRAWN, len(blocks)))
    shared, covered = both[:, picks].sum(2), either[:, picks].sum(2)
    return np.divide(shared, covered, out=np.ones(shared.shape), where=covered > 0)


def _neighbours(values: Numbers, axis: int, far: int) -> tuple[Numbers, Numbers]:
    """The values so many pixels before and after each pixel along an axis; at the border its own last ones."""
    wide = np.pad(values, [(far, far) if one == axis else (0, 0) for one in (0, 1)], mode="edge")
    length = values.shape[axis]
    return wide.take(range(length), axis), wide.take(range(2 * far, 2 * far + length), axis)


def drawing(seed: int) -> tuple[Numbers, Numbers]:
    """A small picture of bright discs, and the number of the disc at each pixel: for the quick form of the page."""
    draw = np.random.default_rng(seed)
    down, across = np.mgrid[:128, :128]
    nuclei = np.zeros((128, 128), np.int64)
    for number, (y, x) in enumerate([(20, 20), (40, 24), (60, 80), (95, 40), (100, 100)], 1):
        nuclei[(down - y) ** 2 + (across - x) ** 2 < 110] = number
    light = 20 + 60 * (nuclei > 0) + draw.normal(0, 8, nuclei.shape)
    return light.clip(0, 255).astype(np.uint8), nuclei
