"""The numbers of pixels: bytes and 16-bit numbers as they are in arrays, floats in 0..1, and what is neither."""

from typing import Any

import numpy as np
import torch
from torch import Tensor

from netwright.codecs.numeric import AnyArray, as_tensor, described
from netwright.errors import DataError

SLACK = 1e-6  # how far rounding may put a float outside 0..1
DEEP = 65535  # the greatest number of 16 bits
LUMA = (19595 / 65536, 38470 / 65536, 7471 / 65536)  # of red, green and blue in gray, as PIL has them: ITU-R 601


def pixels_of(raw: AnyArray) -> Tensor:
    """An array of bytes unchanged, one of floats as float32, one of 16-bit numbers as float32 in 0..1."""
    if str(raw.dtype).removeprefix("torch.") == "uint16":
        return torch.from_numpy(np.asarray(raw).astype(np.float32) / DEEP)
    values = as_tensor(raw)
    if values.dtype == torch.uint8:
        return values
    if not values.is_floating_point():
        raise DataError(
            what="the pixels are neither bytes nor floats",
            expected="uint8 in 0..255, uint16 in 0..65535, or floats in 0..1",
            got=described(raw),
            mend="convert them to uint8 if they are in 0..255",
        )
    return values.float()


def check_pixels(pictures: Tensor) -> None:
    """Raise DataError for floats outside 0..1, and for NaN."""
    if pictures.dtype == torch.uint8 or not pictures.numel():
        return
    low, high = (float(end) for end in pictures.detach().aminmax())
    if low != low:
        at = tuple(int(i) for i in pictures.isnan().nonzero()[0])
        raise DataError(what="the picture holds NaN", where=f"pixel {at}", mend="leave it out, or fill in a value")
    if low < -SLACK or high > 1 + SLACK:
        bytelike = low >= 0 and 1 < high <= 255
        raise DataError(
            what="the pixels are outside 0..1",
            expected="floats in 0..1, or bytes (uint8) in 0..255",
            got=f"floats in {low:g}..{high:g}",
            mend=("divide by 255", "give them as uint8")
            if bytelike
            else "give the pixels as they were: Image(…, mean=FREE, deviation=FREE) standardizes them",
        )


def light_of(stored: Tensor) -> Tensor:
    """Pictures in their stored form as floats in 0..1."""
    return stored.float() / 255 if stored.dtype == torch.uint8 else stored


def shown_pixels(stored: Tensor) -> np.ndarray[Any, Any]:
    """Pictures (…, c) as a screen can show them, bytes of one or three channels.

    Transparency is left out, and channels that are no colours become their mean.
    """
    light = light_of(stored)
    channels = light.shape[-1]
    if channels not in (1, 3):
        light = light[..., :3] if channels == 4 else light.mean(-1, keepdim=True)
    return (light * 255).round().to(torch.uint8).numpy()


def gray_of(colours: Tensor) -> Tensor:
    """Red, green and blue, perhaps with transparency, as gray: (h, w, c) -> (h, w, 1)."""
    return (colours[..., :3] * colours.new_tensor(LUMA)).sum(-1, keepdim=True)


def with_channels(gray: Tensor, color: Any) -> Tensor:
    """Gray pixels in other colours, not transparent: (h, w, 1) -> (h, w, c)."""
    colours = gray if color == "gray" else gray.repeat(1, 1, 3)
    return torch.cat([colours, torch.ones_like(gray)], -1) if color == "rgba" else colours
