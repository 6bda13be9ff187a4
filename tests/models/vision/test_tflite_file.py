"""The arrays of a TensorFlow Lite file are read by name; a file that is none, or ends early, gives a plain error."""

import struct
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest
import torch

from netwright.errors import FileError
from netwright.models.vision.tflite_file import tflite_arrays

Maker = Callable[[bytearray], int]


def table(plain: Mapping[int, bytes], rows: Mapping[int, Maker]) -> Maker:
    """What writes a table: fields that are numbers, then fields that are rows, which come behind it."""

    def write(out: bytearray) -> int:
        slots = [0] * (1 + max([*plain, *rows], default=-1))
        inside = bytearray()
        for number, value in plain.items():
            slots[number] = 4 + len(inside)
            inside += value
        for number in rows:
            slots[number] = 4 + len(inside)
            inside += bytes(4)
        start = len(out)
        out += struct.pack(f"<{2 + len(slots)}H", 4 + 2 * len(slots), 4 + len(inside), *slots)
        place = len(out)
        out += struct.pack("<i", place - start) + inside
        for number, row in rows.items():
            field = place + slots[number]
            struct.pack_into("<I", out, field, row(out) - field)
        return place

    return write


def elements(content: bytes, width: int = 1) -> Maker:
    """What writes a row of numbers."""

    def write(out: bytearray) -> int:
        place = len(out)
        out += struct.pack("<I", len(content) // width) + content
        return place

    return write


def tables(*makers: Maker) -> Maker:
    """What writes a row of tables."""

    def write(out: bytearray) -> int:
        place = len(out)
        out += struct.pack("<I", len(makers)) + bytes(4 * len(makers))
        for i, maker in enumerate(makers):
            struct.pack_into("<I", out, place + 4 + 4 * i, maker(out) - (place + 4 + 4 * i))
        return place

    return write


def model(path: Path, arrays: Mapping[str, np.ndarray]) -> Path:
    """Write a file with these constants, and an array of floats without values."""
    kinds = {np.dtype("<f4"): 0, np.dtype("<f2"): 1, np.dtype("<i4"): 2}
    found = [table({}, {0: elements(array.tobytes())}) for array in arrays.values()]
    named = [
        table(
            {1: bytes([kinds[array.dtype]]), 2: struct.pack("<I", i)},
            {0: elements(np.array(array.shape, "<i4").tobytes(), 4), 3: elements(name.encode())},
        )
        for i, (name, array) in enumerate(arrays.items(), 1)
    ]
    computed = table({}, {0: elements(np.array([2, 2], "<i4").tobytes(), 4), 3: elements(b"computed")})
    out = bytearray(struct.pack("<I4s", 0, b"TFL3"))
    root = table({}, {2: tables(table({}, {0: tables(computed, *named)})), 4: tables(table({}, {}), *found)})(out)
    struct.pack_into("<I", out, 0, root)
    path.write_bytes(out)
    return path


ARRAYS = {
    "conv/Kernel": np.arange(12, dtype="<f2").reshape(1, 3, 2, 2) / 8,
    "conv/Bias": np.array([0.1, -2], "<f4"),
    "size": np.array([4, 4], "<i4"),
}


def test_arrays_of_floats_are_read(tmp_path: Path) -> None:
    found = tflite_arrays(model(tmp_path / "net.tflite", ARRAYS))
    assert list(found) == ["conv/Kernel", "conv/Bias"]
    for name, array in found.items():
        assert array.dtype == torch.float32
        np.testing.assert_array_equal(array.numpy(), ARRAYS[name].astype(np.float32))


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    path = tmp_path / "net.tflite"
    whole = model(path, ARRAYS).read_bytes()
    for content in (b"", b"no net at all", whole[:-5], whole[:40], b"\xff\xff\xff\xff" + whole[4:]):
        path.write_bytes(content)
        with pytest.raises(FileError) as caught:
            tflite_arrays(path)
        assert str(caught.value).startswith(
            "the weights of this file cannot be read\n"
            f"  where:    {path}\n"
            "  expected: a TensorFlow Lite file, whole\n"
            "  got:      "
        )
    with pytest.raises(FileError) as none:
        tflite_arrays(model(path, {"size": ARRAYS["size"]}))
    assert str(none.value).endswith("got:      no arrays")
