"""Draws scenes of two things, the sentence that says what stands where, and the box of each thing.

A thing is a coloured shape or a handwritten digit. Sizes, places, rotations, colours, background and noise vary. The
sentence is "left of" or "above", after the larger of the two distances, and it begins with the thing that is left or
above. So every scene has one right sentence.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

SIDE = 40  # pixels of a scene, both ways
COLOURS = {"red": (205, 55, 55), "green": (60, 165, 75), "blue": (65, 90, 215), "yellow": (205, 185, 50)}
SHAPES = ("circle", "square", "triangle")
SHADES = [f"{colour} {shape}" for colour in COLOURS for shape in SHAPES]
RADII = 6.5, 9.0  # half the side of a thing's box
CLEAR = 4.0  # pixels by which one distance must be larger than the other, so that the relation is plain
NOISE = 14.0  # deviation of every byte of a scene

Pixels = NDArray[np.float64]
Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class Place:
    """Where a thing stands: the centre and half the side of its box, in pixels."""

    y: float
    x: float
    radius: float

    @property
    def box(self) -> Box:
        """Top, left, bottom and right."""
        return self.y - self.radius, self.x - self.radius, self.y + self.radius, self.x + self.radius


@dataclass(frozen=True)
class Scene:
    """A picture (SIDE, SIDE, 3) of bytes, its sentence, and the names and boxes of its things in that order."""

    picture: NDArray[np.uint8]
    sentence: str
    names: tuple[str, str]
    boxes: tuple[Box, Box]


def scenes(
    count: int,
    pictures: NDArray[np.uint8],
    labels: Sequence[int],
    *,
    seed: int,
    without: Collection[str] = (),
    one_of: Sequence[str] = (),
) -> list[Scene]:
    """`count` random scenes; their digits are drawn from `pictures` (n, 28, 28).

    No thing is one of `without`, such as "green triangle". One thing of each scene is one of `one_of`, if it has names.
    """
    draw = np.random.default_rng(seed)
    shapes = [name for name in SHADES if name not in without]
    made: list[Scene] = []
    for _ in range(count):
        things = [_thing(draw, shapes, pictures, labels) for _ in range(2)]
        if one_of:
            things[draw.integers(2)] = str(draw.choice(one_of)), None
        made.append(_scene(draw, things))
    return made


def sentence_of(first: str, relation: str, second: str) -> str:
    """The sentence: "a red circle left of an 8"."""
    one, other = (f"{'an' if name == '8' else 'a'} {name}" for name in (first, second))
    return f"{one} {relation} {other}"


def _thing(
    draw: np.random.Generator, shapes: Sequence[str], pictures: NDArray[np.uint8], labels: Sequence[int]
) -> tuple[str, NDArray[np.uint8] | None]:
    """The name of a thing, and its picture if it is a digit. Half of all things are digits."""
    if draw.random() < 0.5:
        i = int(draw.integers(len(labels)))
        return str(labels[i]), pictures[i]
    return str(draw.choice(shapes)), None


def _scene(draw: np.random.Generator, things: Sequence[tuple[str, NDArray[np.uint8] | None]]) -> Scene:
    first, second, relation = _places(draw)
    canvas = np.full((SIDE, SIDE, 3), draw.uniform(20, 90)) + draw.normal(0, 8, 3)
    for place, (name, picture) in zip((first, second), things, strict=True):
        if picture is None:
            colour, shape = name.split()
            paint = np.array(COLOURS[colour]) * draw.uniform(0.8, 1.15) + draw.normal(0, 10, 3)
            cover = _shape(shape, place, draw.uniform(-0.35, 0.35))  # (SIDE, SIDE)
        else:
            paint = np.full(3, draw.uniform(190, 255))
            cover = _digit(picture, place)  # (SIDE, SIDE)
        canvas += cover[:, :, None] * (paint - canvas)  # (SIDE, SIDE, 3)
    canvas += draw.normal(0, NOISE, canvas.shape)
    names = things[0][0], things[1][0]
    sentence = sentence_of(names[0], relation, names[1])
    return Scene(canvas.clip(0, 255).round().astype(np.uint8), sentence, names, (first.box, second.box))


def _places(draw: np.random.Generator) -> tuple[Place, Place, str]:
    """Two places with boxes that do not overlap, as the sentence orders them, and the relation of first to second."""
    while True:
        radii = draw.uniform(*RADII, 2)
        one, other = (Place(*draw.uniform(r, SIDE - r, 2), r) for r in radii)
        down, right = other.y - one.y, other.x - one.x
        apart = max(abs(down), abs(right)) > radii.sum() + 1
        if apart and abs(abs(down) - abs(right)) >= CLEAR:
            first, second = (one, other) if down + right > 0 else (other, one)  # the larger one has the sign of the sum
            return first, second, "above" if abs(down) > abs(right) else "left of"


def _around(place: Place) -> tuple[Pixels, Pixels]:
    """How far every pixel is below and right of the centre of a place, in radii: (SIDE, SIDE) each."""
    middle = np.arange(SIDE) + 0.5
    down, right = np.meshgrid((middle - place.y) / place.radius, (middle - place.x) / place.radius, indexing="ij")
    return down, right


def _shape(shape: str, place: Place, turn: float) -> Pixels:
    """The share of every pixel that a rotated shape covers, from its distance to the outline. It stays in its box."""
    v, u = _around(place)
    u, v = u * np.cos(turn) + v * np.sin(turn), v * np.cos(turn) - u * np.sin(turn)
    if shape == "circle":
        outside = np.hypot(u, v) - 0.9
    elif shape == "square":
        outside = np.maximum(abs(u), abs(v)) - 0.76
    else:
        sides = [v, -v / 2 + u * np.sqrt(0.75), -v / 2 - u * np.sqrt(0.75)]
        outside = np.maximum.reduce(sides) - 0.5  # corners at distance 1
    return np.clip(0.5 - outside * place.radius, 0, 1)


def _digit(picture: NDArray[np.uint8], place: Place) -> Pixels:
    """The share of every pixel that a digit covers: the middle 20 × 20 pixels of MNIST's picture, scaled to the box."""
    v, u = (10 * offset + 13.5 for offset in _around(place))  # in pixels of the picture
    inside = (abs(v - 13.5) <= 10) & (abs(u - 13.5) <= 10)
    v, u = v.clip(0, 26.999), u.clip(0, 26.999)
    top, left = v.astype(int), u.astype(int)
    v, u = v - top, u - left
    light = picture / 255
    upper = light[top, left] * (1 - u) + light[top, left + 1] * u
    lower = light[top + 1, left] * (1 - u) + light[top + 1, left + 1] * u
    return (upper * (1 - v) + lower * v) * inside
