"""Draws the curve of a function of one value, for the entries of such functions in the reference."""

import math
from collections.abc import Callable, Iterator

import torch
from torch import Tensor

import netwright as nw

LEAST, GREATEST = -4.0, 4.0  # of the input and of the output
STEPS = 160
SCALE = 16  # pixels for each unit


def points(function: Callable[[Tensor], Tensor]) -> Iterator[tuple[float, float] | None]:
    """Points of the curve in pixels; None where it leaves the picture, or where there is no value."""
    inputs = torch.linspace(LEAST, GREATEST, STEPS + 1, dtype=torch.float32)
    for x, y in zip(inputs.tolist(), function(nw.batch(inputs)).tolist(), strict=True):
        seen = math.isfinite(y) and LEAST <= y <= GREATEST
        yield (round((x - LEAST) * SCALE, 2), round((GREATEST - y) * SCALE, 2)) if seen else None


def curve(function: Callable[[Tensor], Tensor], name: str) -> str:
    """The curve as SVG, over both axes, in the colours of the page."""
    size = (GREATEST - LEAST) * SCALE
    path, pen = "", "M"
    for point in points(function):
        if point is not None:
            path += f"{pen}{point[0]:.4g} {point[1]:.4g}"
        pen = "M" if point is None else "L"
    said = f"The curve of {name} from {LEAST:g} to {GREATEST:g}"
    axes = f'<path d="M0 {size / 2:g}H{size:g}M{size / 2:g} 0V{size:g}" fill="none" stroke="var(--nw-line)"/>'
    line = f'<path d="{path}" fill="none" stroke="var(--color-brand-content)" stroke-width="2"/>'
    return f'<svg class="nw-curve" role="img" aria-label="{said}" viewBox="0 0 {size:g} {size:g}">{axes}{line}</svg>'
