"""Applies the variations of an encoder to a batch of pictures."""

from collections.abc import Sequence

import torch
from torch import Tensor

from netwright.codecs.vary.geometry import Geometry, resampled
from netwright.codecs.vary.variation import Draw, PixelVariation, Variation


def varied_pictures(light: Tensor, vary: Sequence[Variation], draw: Draw) -> Tensor:
    """Pictures (b, h, w, c) in 0..1, varied: first in one resampling all that move pixels, then the others in order.

    Each draws from the numbers of its own name, which has its place among them.
    """
    named = [(one, draw(f"{number} {type(one).__name__}")) for number, one in enumerate(vary)]
    moving = [(one, random) for one, random in named if isinstance(one, Geometry)]
    planes = light.permute(0, 3, 1, 2).clone(memory_format=torch.contiguous_format)  # (b, h, w, c) -> (b, c, h, w)
    light = planes.permute(0, 2, 3, 1)  # (b, c, h, w) -> (b, h, w, c), of which planes are computed faster
    light = resampled(light, moving) if moving else light  # (b, h, w, c)
    for one, random in named:
        if isinstance(one, PixelVariation):
            light = one.pixels(light, random)  # (b, h, w, c)
    return light.contiguous()
