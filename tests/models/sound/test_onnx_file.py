"""Reading the weights of ONNX files: a small one comes back, and what is none is refused."""

from pathlib import Path

import numpy as np
import pytest
import torch

from netwright.errors import FileError
from netwright.models.sound.onnx_file import onnx_arrays


def varint(value: int) -> bytes:
    found = b""
    while value > 127:
        found, value = found + bytes([value & 127 | 128]), value >> 7
    return found + bytes([value])


def field(number: int, value: int | bytes) -> bytes:
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    return varint(number << 3 | 2) + varint(len(value)) + value


def array(name: str, values: np.ndarray, kind: int = 1, packed: bool = False) -> bytes:
    sizes = field(1, b"".join(map(varint, values.shape))) if packed else b"".join(field(1, n) for n in values.shape)
    return sizes + field(2, kind) + field(8, name.encode()) + field(9, values.tobytes())


WEIGHT = np.arange(600, dtype=np.float32).reshape(2, 300) / 7
COUNT = np.array([3], np.int64)


@pytest.mark.parametrize("packed", [False, True])
def test_arrays_come_back(tmp_path: Path, packed: bool) -> None:
    graph = (
        field(1, b"an operation") + field(5, array("weight", WEIGHT, packed=packed)) + field(5, array("n", COUNT, 7))
    )
    path = tmp_path / "model.onnx"
    path.write_bytes(field(1, 8) + field(2, b"somebody") + field(7, graph))
    found = onnx_arrays(path)
    assert found.keys() == {"weight"}
    assert torch.equal(found["weight"], torch.from_numpy(WEIGHT))


@pytest.mark.parametrize(
    ("content", "got"),
    [
        (b"", "no arrays"),
        (field(1, 8), "no arrays"),
        (field(7, field(5, array("weight", WEIGHT)))[:-1], "an end within a field"),
        (b"\x08\xff", "an end within a number"),
        (b"\x08" + b"\xff" * 11, "a number of too many bytes"),
        (b"\x0b", "a field of form 3"),
    ],
)
def test_what_is_no_model(tmp_path: Path, content: bytes, got: str) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(content)
    with pytest.raises(FileError) as caught:
        onnx_arrays(path)
    assert str(caught.value) == (
        f"the weights of this file cannot be read\n  where:    {path}\n"
        f"  expected: an ONNX file, whole\n  got:      {got}"
    )


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(FileError):
        onnx_arrays(tmp_path / "nothing.onnx")
