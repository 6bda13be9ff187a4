"""Draws line charts as SVG text: axes, grid, lines and points in colours that follow a light or a dark page."""

import html
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 560, 300
LEFT, RIGHT, TOP, BOTTOM = 58, 16, 34, 42
SMOOTH = 200  # points a line is reduced to


@dataclass(frozen=True)
class Line:
    """One curve: its name, its points, whether every point is marked."""

    name: str
    points: Sequence[tuple[float, float]]
    marked: bool = False


def chart(lines: Sequence[Line], x_name: str, *, logarithmic: bool = False, percent: bool = False) -> str:
    """A line chart as one `<svg>` with classes `nw-line0`, `nw-line1` … for the page to colour.

    Points that are not finite, or not above 0 on a logarithmic axis, are left out.
    """
    kept = [Line(ln.name, [p for p in ln.points if _fits(p, logarithmic)], ln.marked) for ln in lines]
    points = [point for line in kept for point in line.points]
    if not points:
        return ""
    x_ticks = [t for t in _ticks(0.0, max(x for x, _ in points)) if t == int(t)]  # steps and epochs are whole
    y_low, y_high = min(y for _, y in points), max(y for _, y in points)
    y_ticks = _log_ticks(y_low, y_high) if logarithmic else _ticks(0.0, y_high)
    y_scale: Callable[[float], float] = math.log if logarithmic else float
    low, high = min(y_ticks[0], y_low), max(y_ticks[-1], y_high)

    def across(x: float) -> float:
        span = (x_ticks[-1] - x_ticks[0]) or 1.0
        return LEFT + (x - x_ticks[0]) / span * (WIDTH - LEFT - RIGHT)

    def down(y: float) -> float:
        span = (y_scale(high) - y_scale(low)) or 1.0
        return HEIGHT - BOTTOM - (y_scale(y) - y_scale(low)) / span * (HEIGHT - TOP - BOTTOM)

    pieces = [f'<svg class="nw-chart" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{_title(kept)}">']
    for y in y_ticks:
        pieces.append(f'<line class="nw-grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{down(y):.1f}" y2="{down(y):.1f}"/>')
        text = f"{y * 100:g}%" if percent else f"{y:g}"
        pieces.append(f'<text class="nw-tick" x="{LEFT - 8}" y="{down(y) + 4:.1f}" text-anchor="end">{text}</text>')
    for x in x_ticks:
        bottom = HEIGHT - BOTTOM + 18
        pieces.append(f'<text class="nw-tick" x="{across(x):.1f}" y="{bottom}" text-anchor="middle">{x:g}</text>')
    middle = (LEFT + WIDTH - RIGHT) / 2
    pieces.append(
        f'<text class="nw-tick" x="{middle:g}" y="{HEIGHT - 6}" text-anchor="middle">{html.escape(x_name)}</text>'
    )
    left = float(LEFT)
    for i, line in enumerate(kept):
        pieces += _curve(i, line, across, down)
        pieces.append(f'<rect class="nw-fill{i}" x="{left:g}" y="12" width="14" height="4" rx="2"/>')
        pieces.append(f'<text class="nw-legend" x="{left + 20:g}" y="18">{html.escape(line.name)}</text>')
        left += 36 + 7.2 * len(line.name)
    return "".join([*pieces, "</svg>"])


def smoothed(values: Sequence[float], most: int = SMOOTH) -> list[tuple[float, float]]:
    """A long noisy curve as at most `most` points (step, mean of its stretch); steps count from 1.

    Example:
        >>> smoothed([4.0, 2.0, 1.0, 1.0], most=2)
        [(1.5, 3.0), (3.5, 1.0)]
    """
    n = len(values)
    cuts = [round(i * n / min(n, most)) for i in range(min(n, most) + 1)] if n else []
    return [((a + 1 + b) / 2, math.fsum(values[a:b]) / (b - a)) for a, b in zip(cuts, cuts[1:], strict=False)]


def _curve(i: int, line: Line, across: Callable[[float], float], down: Callable[[float], float]) -> list[str]:
    places = [(across(x), down(y)) for x, y in line.points]
    pieces: list[str] = []
    if len(places) > 1:
        path = "L".join(f"{x:.1f} {y:.1f}" for x, y in places)
        pieces.append(f'<path class="nw-line nw-line{i}" d="M{path}"/>')
    if line.marked:
        pieces += [f'<circle class="nw-fill{i}" cx="{x:.1f}" cy="{y:.1f}" r="4.5"/>' for x, y in places]
    return pieces


def _fits(point: tuple[float, float], logarithmic: bool) -> bool:
    return all(map(math.isfinite, point)) and (point[1] > 0 or not logarithmic)


def _title(lines: Sequence[Line]) -> str:
    return html.escape(", ".join(line.name for line in lines), quote=True)


def _ticks(low: float, high: float) -> list[float]:
    """Some four to seven round numbers that hold the range between them."""
    span = (high - low) or 1.0
    power = 10.0 ** math.floor(math.log10(span))
    step = next(s * power for s in (0.1, 0.2, 0.5, 1.0, 2.0) if span / (s * power) <= 6)
    first, last = math.floor(low / step), math.ceil(high / step)
    return [float(f"{i * step:.10g}") for i in range(first, max(last, first + 1) + 1)]


def _log_ticks(low: float, high: float) -> list[float]:
    """1, 2 and 5 times powers of ten around the range, or powers alone where that would be many."""
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    fine = [m * 10.0**p for p in powers for m in (1, 2, 5)]
    below = [t for t in fine if t <= low][-1:]
    above = [t for t in fine if t >= high][:1]
    found = below + [t for t in fine if low < t < high] + above
    if len(found) > 7:
        found = [10.0**p for p in powers]
    return [float(f"{t:.6g}") for t in dict.fromkeys(found)]
