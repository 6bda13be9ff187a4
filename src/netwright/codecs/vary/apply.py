"""Applies the variations of an encoder to a batch of pictures."""

from collections.abc import Sequence

import torch
from torch import Tensor

from netwright.codecs.vary.geometry import Geometry, PictureMoves
from netwright.codecs.vary.variation import Draw, PixelVariation, Random, Size, Variation


def varied_pictures(light: Tensor, vary: Sequence[Variation], draw: Draw) -> Tensor:
    """Pictures (b, h, w, c) in 0..1, varied: first in one resampling all that move pixels, then the others in order.

    Each draws from the numbers of its own name, which has its place among them.
    """
    planes = light.permute(0, 3, 1, 2).clone(memory_format=torch.contiguous_format)  # (b, h, w, c) -> (b, c, h, w)
    moves = moves_of(len(light), Size(*light.shape[1:]), vary, draw)
    planes = planes if moves is None else moves.pictures(planes)  # (b, c, h, w)
    light = planes.permute(0, 2, 3, 1)  # (b, c, h, w) -> (b, h, w, c), of which planes are computed faster
    for one, random in _named(vary, draw):
        if isinstance(one, PixelVariation):
            light = one.pixels(light, random)  # (b, h, w, c)
    return light.contiguous()


def moves_of(count: int, size: Size, vary: Sequence[Variation], draw: Draw) -> PictureMoves | None:
    """How the variations move the pixels of each of `count` pictures of this size; None where none does."""
    moving = [(one, random) for one, random in _named(vary, draw) if isinstance(one, Geometry)]
    return PictureMoves.of(count, size, moving) if moving else None


def _named(vary: Sequence[Variation], draw: Draw) -> list[tuple[Variation, Random]]:
    return [(one, draw(f"{number} {type(one).__name__}")) for number, one in enumerate(vary)]
