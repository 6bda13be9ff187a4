"""Draws line charts as SVG text: axes, grid, lines and points in colours that follow a light or a dark page."""

import html
import itertools
import math
from collections.abc import Callable, Sequence

from netwright.value import Value

WIDTH, HEIGHT = 520, 290
LEFT, RIGHT, TOP, BOTTOM = 58, 16, 34, 42
LARGEST = 1e300  # number of an axis: its ends are a little farther out
SMOOTH = 90  # points a line is reduced to


class ChartLine(Value):
    """One curve: its name, its points, whether every point is marked."""

    name: str
    points: Sequence[tuple[float, float]]
    marked: bool = False


def chart(
    lines: Sequence[ChartLine],
    x_name: str,
    *,
    logarithmic: bool = False,
    percent: bool = False,
    x_logarithmic: bool = False,
) -> str:
    """A line chart as one `<svg>` with classes `nw-line0`, `nw-line1` … for the page to colour.

    Points that are not finite, beyond 1e300, or not above 0 on a logarithmic axis, are left out. An axis of x that is
    not logarithmic begins at 0 and is one of whole numbers, such as steps or epochs.
    """
    kept = [
        ChartLine(ln.name, [p for p in ln.points if _fits(p, x_logarithmic, logarithmic)], ln.marked) for ln in lines
    ]
    points = [point for line in kept for point in line.points]
    if not points:
        return ""
    left, right = (min(x for x, _ in points) if x_logarithmic else 0.0), max(x for x, _ in points) or 1.0
    right = right if right > left else 2 * left  # of a single point
    x_ticks = _powers(left, right) if x_logarithmic else [t for t in _ticks(left, right) if t == int(t)]
    x_scale: Callable[[float], float] = math.log if x_logarithmic else float
    y_low, y_high = min(y for _, y in points), max(y for _, y in points)
    low, high = (y_low / 1.2, y_high * 1.2) if logarithmic else (min(y_low * 1.08, 0.0), max(y_high * 1.08, 0.0))
    high = high if high > low else 1.0  # of zeros alone
    y_ticks = _log_ticks(low, high) if logarithmic else _ticks(low, high)
    y_scale: Callable[[float], float] = math.log if logarithmic else float

    def across(x: float) -> float:
        part = (x_scale(x) - x_scale(left)) / (x_scale(right) - x_scale(left))
        return LEFT + part * (WIDTH - LEFT - RIGHT)

    def down(y: float) -> float:
        part = (y_scale(y) - y_scale(low)) / (y_scale(high) - y_scale(low))
        return HEIGHT - BOTTOM - part * (HEIGHT - TOP - BOTTOM)

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
    at = float(LEFT)
    for i, line in enumerate(kept):
        pieces += _curve(i, line, across, down)
        pieces.append(f'<rect class="nw-fill{i}" x="{at:g}" y="12" width="14" height="4" rx="2"/>')
        pieces.append(f'<text class="nw-legend" x="{at + 20:g}" y="18">{html.escape(line.name)}</text>')
        at += 36 + 7.2 * len(line.name)
    return "".join([*pieces, "</svg>"])


def smoothed(values: Sequence[float], most: int = SMOOTH) -> list[tuple[float, float]]:
    """A long noisy curve as at most `most` points (step, mean of its stretch); steps count from 1.

    Example:
        >>> smoothed([4.0, 2.0, 1.0, 1.0], most=2)
        [(1.5, 3.0), (3.5, 1.0)]
    """
    n = len(values)
    cuts = [round(i * n / min(n, most)) for i in range(min(n, most) + 1)] if n else []
    return [((a + 1 + b) / 2, math.fsum(values[a:b]) / (b - a)) for a, b in itertools.pairwise(cuts)]


def _curve(i: int, line: ChartLine, across: Callable[[float], float], down: Callable[[float], float]) -> list[str]:
    places = [(across(x), down(y)) for x, y in line.points]
    pieces: list[str] = []
    if len(places) > 1:
        path = "L".join(f"{x:.1f} {y:.1f}" for x, y in places)
        pieces.append(f'<path class="nw-line nw-line{i}" d="M{path}"/>')
    if line.marked:
        pieces += [f'<circle class="nw-fill{i}" cx="{x:.1f}" cy="{y:.1f}" r="4.5"/>' for x, y in places]
    return pieces


def _fits(point: tuple[float, float], *logarithmic: bool) -> bool:
    return all(abs(at) < LARGEST and (at > 1 / LARGEST or not log) for at, log in zip(point, logarithmic, strict=True))


def _title(lines: Sequence[ChartLine]) -> str:
    return html.escape(", ".join(line.name for line in lines), quote=True)


def _ticks(low: float, high: float) -> list[float]:
    """Round numbers from `low` to `high`, some three to seven; 0 is one of them if it is between."""
    power = 10.0 ** math.floor(math.log10(high - low))
    step = next(s * power for s in (0.1, 0.2, 0.5, 1.0, 2.0) if (high - low) / (s * power) <= 6)
    first, last = math.ceil(low / step * (1 + 1e-9)), math.floor(high / step * (1 + 1e-9))
    return [float(f"{i * step:.10g}") for i in range(first, last + 1)]


def _powers(low: float, high: float) -> list[float]:
    """Powers of ten within the range, at most about eight."""
    first, last = math.ceil(math.log10(low) - 1e-9), math.floor(math.log10(high) + 1e-9)
    return [float(f"1e{power}") for power in range(first, last + 1, max(1, math.ceil((last - first) / 8)))]


def _log_ticks(low: float, high: float) -> list[float]:
    """Powers of ten within the range; also 2 and 5 times them if there are too few."""
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    powers = range(first, last + 1, max(1, (last - first) // 8))
    for factors in ((1,), (1, 3), (1, 2, 5), range(1, 10)):
        found = [m * 10.0**p for p in powers for m in factors if low <= m * 10.0**p <= high]
        if len(found) >= 3:
            break
    return [float(f"{t:.6g}") for t in found]
