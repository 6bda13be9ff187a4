"""Files of pictures: all 16 bits of a colour, every picture of a film, and no more memory than a file may take."""

import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as pil

from messages import message
from netwright.codecs.image import Image
from netwright.codecs.pictures.pillow import deep_colour, frames_of, is_deep_colour, is_picture, read_picture


def deep(channels: int) -> np.ndarray:
    return np.random.default_rng(channels).integers(0, 65536, (7, 5, channels)).astype(np.uint16)


def png(pixels: np.ndarray) -> bytes:
    """A PNG file of 16 bits a colour, which Pillow cannot write; the rows are filtered in two ways."""
    height, width, channels = pixels.shape
    rows, before = b"", np.zeros(width * channels * 2, np.uint8)
    for number, row in enumerate(pixels):
        own = np.frombuffer(row.astype(">u2").tobytes(), np.uint8)
        rows += bytes([2 * (number % 2)]) + (own - before * (number % 2)).astype(np.uint8).tobytes()
        before = own
    header = struct.pack(">IIBBBBB", width, height, 16, {3: 2, 4: 6}[channels], 0, 0, 0)
    parts = ((b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    chunks = (struct.pack(">I", len(d)) + t + d + struct.pack(">I", zlib.crc32(t + d)) for t, d in parts)
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def tiff(pixels: np.ndarray, order: str, packed: bool) -> bytes:
    """A TIFF file of 16 bits a colour."""
    height, width, channels = pixels.shape
    body = pixels.astype(order + "u2").tobytes()
    body = zlib.compress(body) if packed else body
    body += b"\0" * (len(body) % 2)
    tags = [(256, 3, width), (257, 3, height), (258, 3, None), (259, 3, 8 if packed else 1), (262, 3, 2), (273, 4, 8)]
    tags += [(277, 3, channels), (278, 3, height), (279, 4, len(body)), *([(338, 3, 2)] if channels == 4 else [])]
    at = 8 + len(body)
    bits = at + 2 + 12 * len(tags) + 4
    found = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "I", at) + body
    found += struct.pack(order + "H", len(tags))
    for tag, kind, value in tags:
        if value is None:
            found += struct.pack(order + "HHII", tag, kind, channels, bits)
        elif kind == 3:
            found += struct.pack(order + "HHIHH", tag, kind, 1, value, 0)
        else:
            found += struct.pack(order + "HHII", tag, kind, 1, value)
    return found + struct.pack(order + "I", 0) + struct.pack(order + "H" * channels, *([16] * channels))


@pytest.mark.parametrize("channels", [3, 4])
def test_all_sixteen_bits_of_a_colour_are_read(channels: int):
    pixels = deep(channels)
    files = [png(pixels), *(tiff(pixels, order, packed) for order in "<>" for packed in (False, True))]
    for content in files:
        assert read_picture(content, lambda picture, size: (is_deep_colour(picture), size)) == (True, len(content))
        assert np.array_equal(read_picture(content, lambda picture, size: deep_colour(picture)), pixels)
        encoded = Image("h", "w", "rgba" if channels == 4 else "rgb").encode(content)
        assert np.array_equal((encoded.double() * 65535).round(), pixels)
    luma = (pixels[..., :3] @ np.array([19595, 38470, 7471])) / 65536 / 65535
    assert np.allclose(Image("h", "w", "gray").encode(files[0])[..., 0], luma, atol=1e-6)
    assert Image("h", "w").encode(pil.open(io.BytesIO(files[0]))).tolist() == (pixels[..., :3] >> 8).tolist()


def test_a_deep_colour_is_turned_as_its_camera_says():
    pixels, exif = deep(3), pil.Exif()
    exif[0x0112] = 6
    raw = exif.tobytes()[6:]
    content = png(pixels)
    chunk = struct.pack(">I", len(raw)) + b"eXIf" + raw + struct.pack(">I", zlib.crc32(b"eXIf" + raw))
    encoded = Image("h", "w").encode(content[:33] + chunk + content[33:])
    assert np.array_equal((encoded.double() * 65535).round(), np.rot90(pixels, -1))


def test_all_pictures_of_a_film(tmp_path: Path):
    frames = [pil.new("L", (6, 4), 60 * number) for number in range(4)]
    frames[0].save(tmp_path / "film.gif", save_all=True, append_images=frames[1:])
    with pil.open(tmp_path / "film.gif") as film:
        film.seek(2)
        seen = frames_of(film, 0, lambda picture, size: np.array(picture.convert("L")))
        assert [int(frame[0, 0]) for frame in seen] == [0, 60, 120, 180]
        assert film.tell() == 2


def test_a_small_file_of_many_pictures_is_refused(tmp_path: Path):
    frames = [pil.new("L", (6, 4), number) for number in range(30)]
    frames[0].save(tmp_path / "film.gif", save_all=True, append_images=frames[1:])
    size = (tmp_path / "film.gif").stat().st_size
    large = np.broadcast_to(np.zeros(1, np.uint8), (3000, 3000))

    def read(path: Path) -> list[np.ndarray]:
        return read_picture(path, lambda picture, size: frames_of(picture, size, lambda frame, size: large))

    assert (
        message(read, tmp_path / "film.gif")
        == f"""\
the pictures of this file take too much memory for its size
  where:    {tmp_path}/film.gif
  expected: at most {160e6 + 10 * size:,.0f} bytes, for a file of {size:,} bytes
  got:      30 pictures of 9,000,000 bytes
  mend:     give them as an array, or make them smaller"""
    )


def test_what_may_be_a_picture():
    assert all(map(is_picture, ("a.png", Path("a.png"), b"", pil.new("L", (1, 1)))))
    assert not any(map(is_picture, (np.zeros((2, 2)), [1], 3)))
