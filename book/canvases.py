"""Pastes handwritten digits on canvases, at several sizes and without overlap, and says the box of each."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

SIDE = 96  # pixels of a canvas, both ways
SCALES = 0.6, 1.5  # of a digit against MNIST's 28 × 28 pixels
MOST = 5  # digits on a canvas
INK = 64  # a pixel of a digit that is lighter belongs to its box
APART = 2.0  # pixels between two boxes, at least
TRIES = 20  # places that are tried for a digit before it is left out
NOISE = 12.0  # deviation of every pixel, of 255

Box = tuple[float, float, float, float]


def canvases(
    count: int, pictures: NDArray[np.uint8], labels: Sequence[int] | NDArray[Any], *, seed: int
) -> tuple[NDArray[np.uint8], list[list[tuple[Box, int]]]]:
    """`count` random canvases (count, 96, 96), and the digits on each: `(box, label)`, with boxes in pixels.

    Each has 1 to 5 digits, drawn from `pictures` (n, 28, 28) and scaled by a factor of 0.6 to 1.5.
    """
    draw = np.random.default_rng(seed)
    made = np.zeros((count, SIDE, SIDE), np.uint8)
    things: list[list[tuple[Box, int]]] = []
    for canvas in made:
        light = np.full((SIDE, SIDE), draw.uniform(0, 60), np.float32)
        found: list[tuple[Box, int]] = []
        for _ in range(draw.integers(1, MOST + 1)):
            i = int(draw.integers(len(labels)))
            scale = float(draw.uniform(*SCALES))
            placed = _placed(draw, _ink(pictures[i]), scale, [box for box, _ in found])
            if placed is not None:
                box, corner = placed
                _paste(light, pictures[i], scale, corner, draw.uniform(160, 255))
                found.append((box, int(labels[i])))
        light += NOISE * draw.standard_normal((SIDE, SIDE), np.float32)
        canvas[:] = light.clip(0, 255).round()
        things.append(found)
    return made, things


def _ink(picture: NDArray[np.uint8]) -> Box:
    """The box around the light pixels of a digit."""
    rows, columns = np.nonzero((picture > INK).any(1))[0], np.nonzero((picture > INK).any(0))[0]
    return float(columns[0]), float(rows[0]), float(columns[-1] + 1), float(rows[-1] + 1)


def _placed(
    draw: np.random.Generator, ink: Box, scale: float, others: Sequence[Box]
) -> tuple[Box, tuple[float, float]] | None:
    """A box on the canvas that is apart from the others, and where the corner of the digit's picture is."""
    width, height = scale * (ink[2] - ink[0]), scale * (ink[3] - ink[1])
    for _ in range(TRIES):
        left, top = (float(draw.uniform(0, SIDE - side)) for side in (width, height))
        box = left, top, left + width, top + height
        if all(_apart(box, other) for other in others):
            return box, (left - scale * ink[0], top - scale * ink[1])
    return None


def _apart(box: Box, other: Box) -> bool:
    between = max(box[0] - other[2], other[0] - box[2], box[1] - other[3], other[1] - box[3])
    return between >= APART


def _paste(
    light: NDArray[np.float32], picture: NDArray[np.uint8], scale: float, corner: tuple[float, float], paint: float
) -> None:
    """Draws a scaled digit on a canvas, each pixel bilinear in the digit's."""
    weights, spans = [], []
    for start in corner:  # across, then down
        first, last = max(0, int(start)), min(SIDE, int(start + 28 * scale) + 1)
        place = (np.arange(first, last) + 0.5 - start) / scale - 0.5  # in pixels of the digit
        weights.append(np.maximum(0, 1 - np.abs(place[:, None] - np.arange(28))))  # (pixels, 28)
        spans.append(slice(first, last))
    cover = weights[1] @ (picture / 255) @ weights[0].T  # (down, across)
    part = light[spans[1], spans[0]]
    part += cover * (paint - part)
