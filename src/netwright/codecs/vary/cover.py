"""Covers pictures: with noise at every pixel, or with a black rectangle."""

import math

import torch
from torch import Tensor

from netwright.codecs.vary.variation import PixelVariation, Random, check_range

LEAST_AREA = 0.02  # of a picture, that is erased
NARROWEST = 0.3  # width by height of a rectangle, and its inverse


class GaussianNoise(PixelVariation):
    """In training noise is added to every value: x + deviation · n, with n of the standard normal distribution.

    Values outside of 0..1 are brought to its ends.

    Fields:
        deviation: on the scale 0..1 of a pixel; 0.05 can just be seen.

    Raises: NetError for a deviation that is not above 0 and at most 1.

    Example:
        >>> import netwright as nw
        >>> nw.GaussianNoise(0.05)
        GaussianNoise(deviation=0.05)

    Torch: torchvision.transforms.v2.functional.gaussian_noise
    """

    deviation: float

    def __post_init__(self) -> None:
        check_range(self, self.deviation, 1, "the deviation")

    def pixels(self, light: Tensor, random: Random) -> Tensor:
        uniform = random(tuple(light.shape)).add_(2.0**-25)  # in the middle of its step, so that no end is reached
        normal = uniform.mul_(2).sub_(1).erfinv_()  # (b, h, w, c), of the variance 1/2
        return light.add_(normal, alpha=self.deviation * math.sqrt(2)).clamp_(0, 1)  # (b, h, w, c)


class Erase(PixelVariation):
    """In training every second picture, by chance, loses a rectangle, which becomes black.

    Its area is from 2% of the picture to the given share, its width by its height from 0.3 to 1/0.3, and its place is
    anywhere; every area, every logarithm of the ratio and every place is equally likely.

    Fields:
        share: the greatest area, as a share of the picture; 0.33 is torchvision's.

    Raises: NetError for a share that is not above 0.02 and at most 1.

    Example:
        >>> import netwright as nw
        >>> nw.Erase(0.33)
        Erase(share=0.33)

    Source: Zhong et al. 2017, "Random Erasing Data Augmentation", arXiv 1708.04896
    Torch: torchvision.transforms.v2.functional.erase, and torchvision.transforms.v2.RandomErasing
    """

    share: float

    def __post_init__(self) -> None:
        check_range(self, self.share, 1, "the share of the area", LEAST_AREA)

    def pixels(self, light: Tensor, random: Random) -> Tensor:
        count, height, width, _ = light.shape
        chance, area, shape, across, down = random((count, 5)).unbind(1)  # (b,), five times
        area = (area * (self.share - LEAST_AREA) + LEAST_AREA) * (height * width)
        ratio = ((shape * 2 - 1) * math.log(1 / NARROWEST)).exp()  # (b,), height by width
        tall = (area * ratio).sqrt().round().clamp_(1, height)
        wide = (area / ratio).sqrt().round().clamp_(1, width)
        rows = _span(down, tall, height) & (chance < 0.5).unsqueeze(1)  # (b, h)
        erased = rows.unsqueeze(2) & _span(across, wide, width).unsqueeze(1)  # (b, h, w)
        return light.masked_fill_(erased.unsqueeze(-1), 0.0)  # (b, h, w, c)


def _span(place: Tensor, length: Tensor, size: int) -> Tensor:
    """Which of `size` pixels in a row are in a part of this length, (b,) -> (b, size)."""
    first = (place * (size - length + 1)).floor().unsqueeze(1)  # (b, 1)
    at = torch.arange(size, device=place.device)  # (size,)
    return (at >= first) & (at < first + length.unsqueeze(1))  # (b, size)
