"""Reads pictures with Pillow: only known formats, no more memory than a file of its size may take, upright."""

import io
import os
import struct
import sys
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any, TypeVar

import numpy as np

from netwright.codecs.numeric import described
from netwright.errors import DataError, FileError, did_you_mean, missing_extra
from netwright.regular import opened

POSTSCRIPT = "EPS"  # PIL's name
FORMATS = ("BMP", "GIF", "JPEG", "PNG", "PPM", "TIFF", "WEBP")  # PIL's names; some of its other formats start programs
MEMORY = 160e6  # bytes that a picture in a file may take while it is read, and as much again for
MEMORY_A_BYTE = 10  # … each byte of the file: a small file may say that it holds any number of pixels
ORIENTATION = 0x0112  # the number of the EXIF field that says how the camera was held
READING = "reading a picture from a file"
T = TypeVar("T")


def pillow(why: str) -> Any:
    """PIL.Image; an error that says how to install it, and why, where it is missing."""
    try:
        from PIL import Image as image
    except ImportError:
        missing_extra("pillow", "image", why)
    return image


def is_image(raw: Any) -> bool:
    """Whether it is a PIL image."""
    module = sys.modules.get("PIL.Image")  # a program that has such an image has imported the module
    return module is not None and isinstance(raw, module.Image)


def is_picture(raw: Any) -> bool:
    """Whether `read_picture` takes it: a path, the content of a file, or a PIL image."""
    return isinstance(raw, str | Path | bytes) or is_image(raw)


def read_picture(raw: Any, read: Callable[[Any, int], T]) -> T:
    """What `read` makes of a PIL image and the size of its file in bytes, 0 for an image of the caller.

    Raises: DataError for a missing file, and for one that is not a picture.
    """
    if isinstance(raw, str | Path):
        return _from_file(Path(raw), read)
    if isinstance(raw, bytes):
        return _from_content(io.BytesIO(raw), len(raw), "", read)
    return _from_image(raw, read)


def _from_file(path: Path, read: Callable[[Any, int], T]) -> T:
    image = pillow(READING)
    try:
        with opened(path) as file:
            return _from_content(file, os.fstat(file.fileno()).st_size, str(path), read)
    except (FileNotFoundError, NotADirectoryError):
        siblings = os.listdir(path.parent) if os.path.isdir(path.parent) else ()
        endings = {ending for ending, form in image.registered_extensions().items() if form in FORMATS}
        mend = did_you_mean(path.name, [name for name in siblings if Path(name).suffix.lower() in endings])
        raise DataError(what="there is no such file", where=str(path), mend=mend or ()) from None
    except FileError as error:
        refused = error.changed(where=str(path), expected=error.expected or "a picture's file")
        raise DataError.of(refused.faults) from None
    except OSError as error:
        raise _unreadable(str(path), str(error)) from None


def _from_content(file: IO[bytes], size: int, where: str, read: Callable[[Any, int], T]) -> T:
    image = pillow(READING)
    try:
        with image.open(file, formats=FORMATS) as picture:
            return read(picture, size)
    except (OSError, ValueError, SyntaxError, EOFError, struct.error, image.DecompressionBombError) as error:
        if isinstance(error, DataError):
            raise (error.within(where) if where else error) from None
        unknown = isinstance(error, image.UnidentifiedImageError)
        raise _unreadable(where, "no known picture format" if unknown else str(error)) from None


def _from_image(picture: Any, read: Callable[[Any, int], T]) -> T:
    """Of a PIL image of the caller, whose pixels are read from its file only now."""
    if picture.format == POSTSCRIPT:
        raise DataError(
            what="this PIL image is PostScript, which PIL hands to another program to read",
            expected="an image whose pixels are read",
            got=f"format {picture.format!r}",
            mend="image.copy(), if you trust the file",
        )
    try:
        return read(picture, 0)
    except (OSError, SyntaxError, EOFError, struct.error) as error:
        if isinstance(error, DataError):
            raise
        raise DataError(what="the pixels of this PIL image cannot be read", got=str(error)) from None


def _unreadable(where: str, got: str) -> DataError:
    return DataError(
        what="this file cannot be read as a picture",
        where=where,
        expected=f"a file of {', '.join(FORMATS[:-1])} or {FORMATS[-1]}, whole",
        got=got,
    )


def no_picture(raw: Any) -> DataError:
    """The error for what is no picture in any form."""
    return DataError(
        what="this is not a picture",
        expected="a path, the bytes of a file, a PIL image, a numpy array or a torch tensor",
        got=described(raw),
    )


def is_deep(picture: Any) -> bool:
    """Whether a PIL image has one channel of more than a byte, in a range that is known."""
    known = picture.mode == "I" and picture.format in ("PNG", "PPM")
    return picture.mode.startswith("I;16") or known or picture.mode == "F"


def is_deep_colour(picture: Any) -> bool:
    """Whether the file of a PIL image has 16 bits for each colour; PIL itself keeps the upper 8."""
    return picture.mode in ("RGB", "RGBA") and any(_raw_mode(tile)[-3:-1] == "16" for tile in picture.tile)


def deep_colour(picture: Any) -> np.ndarray[Any, Any]:
    """All 16 bits of the colours of a file, uint16 (h, w, c), where `is_deep_colour`.

    PIL has a way to read the upper byte of each number, and the same for the other order of bytes: so it can read
    either byte, and the picture is read twice.
    """
    again = picture.fp
    place = again.tell()
    again.seek(0)
    with pillow(READING).open(io.BytesIO(again.read()), formats=(picture.format,)) as other:
        other.seek(picture.tell())
        order = _raw_mode(picture.tile[0])[-1]
        order = {"little": "L", "big": "B"}[sys.byteorder] if order == "N" else order
        for image, wanted in ((picture, order), (other, "BL"["LB".index(order)])):
            image.tile = [_with_order(tile, wanted) for tile in image.tile]
        again.seek(place)
        upper, lower = np.array(picture, np.uint16), np.array(other, np.uint16)  # (h, w, c), twice
    return upper << 8 | lower


def _raw_mode(tile: Any) -> str:
    """How the numbers lie in a part of a file, such as "RGB;16B"."""
    given = tile[3]
    found = given[0] if isinstance(given, tuple) and given else given
    return found if isinstance(found, str) else ""


def _with_order(tile: Any, order: str) -> Any:
    """A part of a file whose 16-bit numbers are read in an order of bytes."""
    mode = _raw_mode(tile)[:-1] + order
    return tile._replace(args=(mode, *tile[3][1:]) if isinstance(tile[3], tuple) else mode)


def frames_of(picture: Any, size: int, read: Callable[[Any, int], Any]) -> list[Any]:
    """What `read` makes of each picture of a file of `size` bytes; the arrays may not take much more than the file."""
    before, frames, taken = picture.tell(), list[Any](), 0
    for number in range(getattr(picture, "n_frames", 1)):
        picture.seek(number)
        frames.append(read(picture, size))
        taken += frames[-1].nbytes
        if size and taken > MEMORY + MEMORY_A_BYTE * size:
            raise DataError(
                what="the pictures of this file take too much memory for its size",
                expected=f"at most {MEMORY + MEMORY_A_BYTE * size:,.0f} bytes, for a file of {size:,} bytes",
                got=f"{picture.n_frames:,} pictures of {frames[-1].nbytes:,} bytes",
                mend="give them as an array, or make them smaller",
            )
    picture.seek(before)
    return frames


def turn_of(picture: Any) -> Any:
    """The transposition that turns a PIL image upright; None if it is upright."""
    how = pillow("turning a picture").Transpose
    turns = [None, how.FLIP_LEFT_RIGHT, how.ROTATE_180, how.FLIP_TOP_BOTTOM]
    turns += [how.TRANSPOSE, how.ROTATE_270, how.TRANSVERSE, how.ROTATE_90]
    said = picture.getexif().get(ORIENTATION, 1)
    return turns[said - 1] if said in range(1, 9) else None


def is_lying(turn: Any) -> bool:
    """Whether a turn exchanges height and width."""
    how = pillow("turning a picture").Transpose
    return turn is not None and turn in {how.TRANSPOSE, how.ROTATE_270, how.TRANSVERSE, how.ROTATE_90}


def check_memory(picture: Any, mode: str, size: int) -> None:
    """Raise an error for a picture that would take much more memory than its file; only its header has been read.

    `mode` is PIL's name of the colours that are wanted, `size` how many bytes the file has.
    """
    own = 1 if picture.mode in ("1", "L", "P") else 4  # bytes of a pixel, as PIL holds it
    wanted = 1 if mode in ("L", "P") else 4
    made = 0 if picture.mode == mode else wanted + 4 if picture.mode == "P" else wanted
    reader = {"WEBP": 12, "TIFF": 4, "GIF": 4}.get(picture.format, 8 if "progressive" in picture.info else 0)
    deep = 24 if is_deep(picture) else 48 if is_deep_colour(picture) else 0
    most = int((MEMORY + MEMORY_A_BYTE * size) / (deep or own + max(made, reader)))
    if picture.width * picture.height > most:
        raise DataError(
            what="the picture has too many pixels for the size of its file",
            expected=f"at most {most:,} in a {picture.format} file of {size:,} bytes",
            got=f"{picture.width} x {picture.height}, {picture.width * picture.height:,} pixels",
            mend="make it smaller before, or give it as an array",
        )
