"""Reads the picture of cell nuclei, and which nucleus each pixel belongs to: a left and a right part, with a gap."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from netwright.codecs.pictures.pillow import read_picture

FILES = {
    "img2d.tif": "f9ccc1571b92c861ff87e28463068b43f61bd47357ed0503f711e5cd1eb97750",
    "mask2d.tif": "59ad5e820b7982ca9d13e946fa6e7f64e2714899e00a2ae6c69aa79aad53d46f",
}
GAP = 32  # columns in the middle that are in neither part, so that no nucleus of one reaches near the other

Part = tuple[NDArray[np.uint8], NDArray[np.int64]]


def read_nuclei(folder: Path) -> list[Part]:
    """The pictures (1, height, width) and the numbers of the nuclei, (1, height, width) too, of both parts."""
    picture, nuclei = (read_picture(folder / name, _numbers) for name in FILES)
    half = (picture.shape[1] - GAP) // 2
    sides = slice(0, half), slice(picture.shape[1] - half, None)
    shades = picture.astype(np.uint8)  # the file has 16 bits, and none of its pixels is lighter than 235
    return [(shades[None, :, side], nuclei[None, :, side].astype(np.int64)) for side in sides]


def _numbers(image: Any, size: int) -> NDArray[Any]:
    """The pixels of a picture of 16 bits, as they are."""
    del size
    return np.array(image)
