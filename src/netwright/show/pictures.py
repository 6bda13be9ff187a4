"""Turns arrays into pictures: PNG files written with nothing but zlib, colour scales, and mosaics of many maps."""

import base64
import math
import struct
import zlib
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from netwright.errors import DataError

Bytes = NDArray[np.uint8]

# five anchors each; the scales grow steadily lighter or darker, so that they read in gray too
HEAT = ((13, 8, 60), (104, 20, 110), (186, 55, 85), (243, 130, 60), (252, 240, 164))
SIGNED = ((24, 78, 140), (120, 170, 215), (247, 247, 247), (236, 155, 110), (165, 42, 30))
GAP = 1  # pixels between the maps of a mosaic
GRAY = 128  # of a gap


def png(pixels: Bytes) -> bytes:
    """A PNG file of an array of bytes, (h, w) gray, (h, w, 1) gray or (h, w, 3) rgb.

    Raises: DataError for an array that is not a picture of bytes.

    Example:
        >>> png(np.zeros((2, 3), np.uint8))[:4]
        b'\\x89PNG'
    """
    if pixels.ndim == 3 and pixels.shape[2] == 1:
        pixels = pixels[:, :, 0]  # (h, w, 1) -> (h, w)
    if pixels.dtype != np.uint8 or not (pixels.ndim == 2 or (pixels.ndim == 3 and pixels.shape[2] == 3)):
        raise DataError(
            what="this array is not a picture of bytes",
            expected="uint8, (height, width) or (height, width, 3)",
            got=f"{pixels.dtype}, {pixels.shape}",
        )
    height, width = pixels.shape[:2]
    rows = pixels.reshape(height, -1)
    plain = np.concatenate([np.zeros((height, 1), np.uint8), rows], axis=1)  # every row starts with "no filter"
    header = struct.pack(">IIBBBBB", width, height, 8, 0 if pixels.ndim == 2 else 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(plain.tobytes(), 9)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(name, body) for name, body in chunks)


def data_uri(pixels: Bytes) -> str:
    """A picture as a data URL, so that a page needs no other files."""
    return "data:image/png;base64," + base64.b64encode(png(pixels)).decode()


def coloured(values: NDArray[Any], scale: Literal["heat", "signed"]) -> Bytes:
    """Numbers (...,) as colours (..., 3): `heat` from the least to the largest, `signed` with 0 in the middle.

    An array of one value throughout takes the lowest colour of `heat`, and 0 the middle of `signed`.
    """
    x = np.nan_to_num(values.astype(np.float64))
    if scale == "signed":
        largest = float(np.abs(x).max(initial=0.0)) or 1.0
        unit, anchors = (x / largest + 1) / 2, SIGNED
    else:
        low, high = float(x.min(initial=math.inf)), float(x.max(initial=-math.inf))
        unit, anchors = (x - low) / ((high - low) or 1.0), HEAT
    places = np.linspace(0, 1, len(anchors))
    channels = [np.interp(unit, places, [anchor[i] for anchor in anchors]) for i in range(3)]
    return np.stack(channels, axis=-1).round().astype(np.uint8)  # (...,) -> (..., 3)


def mosaic(maps: NDArray[Any], columns: int) -> NDArray[np.float64]:
    """Many maps (n, h, w) side by side in one (rows, width), with NaN between them.

    Example:
        >>> mosaic(np.zeros((3, 2, 2)), columns=2).shape
        (5, 5)
    """
    n, h, w = maps.shape
    columns = min(columns, n)
    rows = -(-n // columns)
    whole = np.full((rows * (h + GAP) - GAP, columns * (w + GAP) - GAP), np.nan)
    for i in range(n):
        top, left = i // columns * (h + GAP), i % columns * (w + GAP)
        whole[top : top + h, left : left + w] = maps[i]
    return whole


def gaps_in(values: NDArray[np.float64]) -> Bytes:
    """A mosaic in the colours of `heat`, its gaps in a gray that stands on light and dark pages."""
    colours = coloured(np.where(np.isnan(values), np.nanmin(values), values), "heat")
    colours[np.isnan(values)] = GRAY
    return colours


def activation(values: NDArray[Any]) -> tuple[Bytes, str]:
    """One part's output for one example as a picture, and in words what it shows.

    Shapes: (h, w, c) becomes c maps side by side, (h, w) one map, (c,) a strip that wraps; other ranks are folded
    into rows of their last axis.
    """
    x = values.astype(np.float64)
    if x.ndim == 3:
        h, w, c = x.shape
        columns = next((k for k in (10, 12, 8, 9, 11) if c % k == 0), 10)  # full rows where that is possible
        return gaps_in(mosaic(np.moveaxis(x, -1, 0), columns)), f"{c} map{'s' if c > 1 else ''} of {h} × {w}"
    if x.ndim == 1:
        n = len(x)
        columns = n if n <= 20 else 50
        padded = np.full(-(-n // columns) * columns, np.nan)
        padded[:n] = x
        return gaps_in(padded.reshape(-1, columns)), f"{n:,} numbers, {columns} in a row"
    rows = x.reshape(-1, x.shape[-1]) if x.ndim else x.reshape(1, 1)
    return gaps_in(rows), f"{len(rows):,} rows of {rows.shape[1]:,}"


def _chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
