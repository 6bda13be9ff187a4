"""Makes pictures lighter, flatter, paler or of another hue."""

import torch
from torch import Tensor

from netwright.codecs.vary.variation import Colour, PixelVariation, Random, check_range

WEIGHTS = (0.2989, 0.587, 0.114)  # of red, green and blue in the lightness that is seen: ITU-R BT.601


class Brightness(PixelVariation):
    """In training each picture is made lighter or darker: its values times a factor of 1 − share to 1 + share.

    Every factor is equally likely; values above 1 become 1.

    Fields:
        share: the greatest difference of the factor from 1; 0.2 to 0.4 is usual for photos.

    Raises: NetError for a share that is not above 0 and at most 1.

    Example:
        >>> import netwright as nw
        >>> nw.Brightness(0.2)
        Brightness(share=0.2)

    Torch: torchvision.transforms.v2.functional.adjust_brightness
    """

    share: float

    def __post_init__(self) -> None:
        check_range(self, self.share, 1, "the share")

    def pixels(self, light: Tensor, random: Random) -> Tensor:
        return light.mul_(_factor(self.share, light, random)).clamp_(0, 1)  # (b, h, w, c)


class Contrast(PixelVariation):
    """In training the differences from the mean lightness of each picture are multiplied by 1 − share to 1 + share.

    Every factor is equally likely; values outside of 0..1 are brought to its ends.

    Fields:
        share: the greatest difference of the factor from 1; 0.2 to 0.4 is usual for photos.

    Raises: NetError for a share that is not above 0 and at most 1.

    Example:
        >>> import netwright as nw
        >>> nw.Contrast(0.2)
        Contrast(share=0.2)

    Torch: torchvision.transforms.v2.functional.adjust_contrast
    """

    share: float

    def __post_init__(self) -> None:
        check_range(self, self.share, 1, "the share")

    def pixels(self, light: Tensor, random: Random) -> Tensor:
        mean = _lightness(light).mean((1, 2, 3), keepdim=True)  # (b, h, w, c) -> (b, 1, 1, 1)
        return _mixed(light, mean, _factor(self.share, light, random))  # (b, h, w, c)


class Saturation(Colour):
    """In training the colours of each picture are made stronger or paler: 0 is gray, 1 the picture as it is.

    The difference of each colour from its lightness is multiplied by 1 − share to 1 + share, each equally likely;
    values outside of 0..1 are brought to its ends.

    Fields:
        share: the greatest difference of the factor from 1; 0.2 to 0.4 is usual for photos.

    Raises: NetError for a share that is not above 0 and at most 1, and for a picture that is not of three colours.

    Example:
        >>> import netwright as nw
        >>> nw.Saturation(0.2)
        Saturation(share=0.2)

    Torch: torchvision.transforms.v2.functional.adjust_saturation
    """

    share: float
    name = "saturation"

    def __post_init__(self) -> None:
        check_range(self, self.share, 1, "the share")

    def pixels(self, light: Tensor, random: Random) -> Tensor:
        return _mixed(light, _lightness(light), _factor(self.share, light, random))  # (b, h, w, c)


class Hue(Colour):
    """In training the hue of each picture is turned on the circle of colours, by up to this share of it, either way.

    Fields:
        share: of the whole circle, on which red, green and blue are thirds; 0.02 to 0.1 is usual for photos.

    Raises: NetError for a share that is not above 0 and at most 0.5, and for a picture that is not of three colours.

    Example:
        >>> import netwright as nw
        >>> nw.Hue(0.05)
        Hue(share=0.05)

    Torch: torchvision.transforms.v2.functional.adjust_hue
    """

    share: float
    name = "hue"

    def __post_init__(self) -> None:
        check_range(self, self.share, 0.5, "the share of the circle")

    def pixels(self, light: Tensor, random: Random) -> Tensor:
        turn = (random((len(light), 1)) * 2 - 1) * self.share  # (b, 1)
        red, green, blue = light.unbind(-1)  # (b, h, w), three times
        high = torch.maximum(red, torch.maximum(green, blue))
        spread = high - torch.minimum(red, torch.minimum(green, blue))
        each = torch.where(spread == 0, 1.0, spread)
        sixths = torch.where(
            high == red,
            (green - blue) / each,
            torch.where(high == green, (blue - red) / each + 2, (red - green) / each + 4),
        )  # (b, h, w), where on the circle of six colours
        sixths = sixths + 6 * turn.unsqueeze(-1)  # (b, h, w), from −4 to 8
        for colour, place in zip((red, green, blue), (5, 3, 1), strict=True):
            far = torch.remainder(sixths + place, 6)  # (b, h, w)
            share = torch.minimum(far, 4 - far).clamp_(0, 1)  # (b, h, w), 1 where a colour has nothing of this one
            torch.sub(high, spread * share, out=colour)
        return light  # (b, h, w, 3)


def _factor(share: float, light: Tensor, random: Random) -> Tensor:
    """One factor for each picture, (b, 1, 1, 1)."""
    return ((random((len(light), 1)) * 2 - 1) * share + 1).view(-1, 1, 1, 1)


def _lightness(light: Tensor) -> Tensor:
    """Of each pixel as it is seen, or the mean of channels that are no three colours: (b, h, w, 1)."""
    if light.shape[-1] != 3:
        return light.mean(-1, keepdim=True)
    red, green, blue = light.split(1, -1)  # (b, h, w, 1), three times
    return red * WEIGHTS[0] + green * WEIGHTS[1] + blue * WEIGHTS[2]


def _mixed(light: Tensor, other: Tensor, factor: Tensor) -> Tensor:
    """factor · light + (1 − factor) · other, in 0..1."""
    return (light * factor + other * (1 - factor)).clamp_(0, 1)
