"""Reads a drawing back from its SVG: boxes, frames, texts and the points of lines, to ask where they are."""

import itertools
import re
import xml.etree.ElementTree as ET
from typing import NamedTuple

SVG = "{http://www.w3.org/2000/svg}"
WIDTHS = {"name": 7.9, "what": 6.3, "size": 6.3, "head": 7.3}  # of a character, at most
HEIGHTS = {"name": 10, "what": 8, "size": 8, "head": 9}  # of a letter above its line


class Rect(NamedTuple):
    left: float
    top: float
    right: float
    bottom: float

    def overlaps(self, other: "Rect", slack: float = 0.01) -> bool:
        return (
            self.left < other.right - slack
            and other.left < self.right - slack
            and self.top < other.bottom - slack
            and other.top < self.bottom - slack
        )

    def within(self, other: "Rect", slack: float = 0.6) -> bool:
        return (
            self.left >= other.left - slack
            and self.right <= other.right + slack
            and self.top >= other.top - slack
            and self.bottom <= other.bottom + slack
        )


class DrawnBox(NamedTuple):
    path: str
    rect: Rect
    texts: list[tuple[str, str, Rect]]
    family: str
    corner: float


class Picture:
    """Everything in an SVG."""

    def __init__(self, svg: str) -> None:
        root = ET.fromstring(svg)
        self.page = Rect(0, 0, *(float(size) for size in root.attrib["viewBox"].split()[2:]))
        parts = [group for group in root.iter(f"{SVG}g") if group.attrib["class"] == "part"]
        self.boxes = [box_of(group) for group in parts]
        self.frames = [
            rect_of(list(group.iter(f"{SVG}rect"))[-1])
            for group in root.iter(f"{SVG}g")
            if group.attrib["class"] == "opened"
        ]
        self.texts = [text_of(text) for text in root.iter(f"{SVG}text") if text.attrib["class"] in WIDTHS]
        self.lines = [points(path.attrib["d"]) for path in root.iter(f"{SVG}path") if path.attrib["class"] == "edge"]
        self.loops = [points(path.attrib["d"]) for path in root.iter(f"{SVG}path") if "loop" in path.attrib["class"]]

    def of(self, kind: str) -> list[str]:
        """The texts of a kind."""
        return [text for found, text, _ in self.texts if found == kind]


def rect_of(element: ET.Element) -> Rect:
    x, y, width, height = (float(element.attrib[name]) for name in ("x", "y", "width", "height"))
    return Rect(x, y, x + width, y + height)


def text_of(element: ET.Element) -> tuple[str, str, Rect]:
    kind, text = element.attrib["class"], element.text or ""
    x, y, width = float(element.attrib["x"]), float(element.attrib["y"]), len(text) * WIDTHS[kind]
    left = x - width / 2 if kind in ("name", "what") else x
    return kind, text, Rect(left, y - HEIGHTS[kind], left + width, y + 2)


def box_of(group: ET.Element) -> DrawnBox:
    box = list(group.iter(f"{SVG}rect"))[-1]
    texts = [text_of(text) for text in group.iter(f"{SVG}text") if text.attrib["class"] in WIDTHS]
    family = box.attrib["class"].removeprefix("box ")
    return DrawnBox(group.attrib["data-path"], rect_of(box), texts, family, float(box.attrib["rx"]))


def points(path: str) -> list[tuple[float, float]]:
    """Points along a path, close together on curves and on straight lines."""
    found: list[tuple[float, float]] = []
    for letter, numbers in re.findall(r"([MLCQ])([^MLCQ]*)", path):
        values = [float(number) for number in numbers.split()]
        knots = [*found[-1:], *zip(values[::2], values[1::2], strict=True)]
        found += knots if letter == "M" else [bezier(knots, step / 24) for step in range(1, 25)]
    return found


def bezier(knots: list[tuple[float, float]], t: float) -> tuple[float, float]:
    """The point of a Bézier curve of any degree (1: a straight line)."""
    while len(knots) > 1:
        knots = [(a + (c - a) * t, b + (d - b) * t) for (a, b), (c, d) in itertools.pairwise(knots)]
    return knots[0]


def inside(point: tuple[float, float], rect: Rect) -> bool:
    """Whether a point is in a box, and not only on its border."""
    return rect.left + 1 < point[0] < rect.right - 1 and rect.top + 1 < point[1] < rect.bottom - 1
