"""Writes the way of an edge as an SVG path: straight, curved where it changes its place across, round at corners."""

import itertools
from collections.abc import Sequence

from netwright.show.draw.items import Point

CORNER = 8.0  # the radius of a round corner


def line(points: Sequence[Point], *, down: bool, tip: bool, kind: str = "edge") -> list[str]:
    """The SVG of a line through points in pixels; `down` is the direction in which it flows, `tip` an arrow's head."""
    pieces = [f'<path class="{kind}" d="{path(points, down=down)}"/>']
    if tip:
        x, y = points[-1]
        head = "l-4 -7h8z" if down else "l-7 -4v8z"
        pieces.append(f'<path class="tip" d="M{x:g} {y:g}{head}"/>')
    return pieces


def path(points: Sequence[Point], *, down: bool) -> str:
    """The `d` of an SVG path."""
    written = f"M{_point(points[0])}"
    for i, ((x1, y1), (x2, y2)) in enumerate(itertools.pairwise(points)):
        if abs(x1 - x2) > 0.1 and abs(y1 - y2) > 0.1:
            half = (y1 + y2) / 2 if down else (x1 + x2) / 2
            first, second = ((x1, half), (x2, half)) if down else ((half, y1), (half, y2))
            written += f"C{_point(first)} {_point(second)} {_point((x2, y2))}"
        elif i + 2 < len(points) and _turns(points[i : i + 3]):
            here, after = (x2, y2), points[i + 2]
            radius = min(CORNER, _far((x1, y1), here) / 2, _far(here, after) / 2)
            written += (
                f"L{_point(_towards(here, (x1, y1), radius))}Q{_point(here)} {_point(_towards(here, after, radius))}"
            )
        else:
            written += f"L{_point((x2, y2))}"
    return written


def _turns(points: Sequence[Point]) -> bool:
    """Whether three points make a right angle."""
    (x1, y1), (x2, y2), (x3, y3) = points
    level = abs(y1 - y2) < 0.1 and abs(x2 - x3) < 0.1
    upright = abs(x1 - x2) < 0.1 and abs(y2 - y3) < 0.1
    return (level and abs(y2 - y3) > 0.1) or (upright and abs(x2 - x3) > 0.1)


def _far(a: Point, b: Point) -> float:
    return abs(a[0] - b[0]) + abs(a[1] - b[1])


def _towards(a: Point, b: Point, far: float) -> Point:
    """The point on the way from one to another, both on one level or upright line."""
    whole = _far(a, b) or 1.0
    return a[0] + (b[0] - a[0]) * far / whole, a[1] + (b[1] - a[1]) * far / whole


def _point(point: Point) -> str:
    return f"{point[0]:.1f} {point[1]:.1f}"
