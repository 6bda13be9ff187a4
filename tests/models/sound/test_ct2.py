"""Reading files of CTranslate2: a small one comes back, and what is none is refused."""

import struct
from pathlib import Path

import numpy as np
import pytest
import torch

from netwright.errors import FileError
from netwright.models.sound.ct2 import KINDS, ct2_arrays


def text(value: str) -> bytes:
    return struct.pack("<H", len(value) + 1) + value.encode() + b"\0"


def model(arrays: dict[str, np.ndarray], version: int = 6) -> bytes:
    """The bytes of a file with these arrays."""
    whole = struct.pack("<I", version) + text("WhisperSpec") + struct.pack("<II", 3, len(arrays))
    for name, array in arrays.items():
        kind = KINDS.index(array.dtype.type)
        whole += text(name) + struct.pack(f"<B{array.ndim}IB", array.ndim, *array.shape, kind)
        whole += struct.pack("<I", array.nbytes) + array.tobytes()
    return whole


ARRAYS = {
    "encoder/weight": np.arange(6, dtype=np.float16).reshape(2, 3) / 4,
    "heads": np.array(6, np.int16),
    "bias": np.array([1.5], np.float32),
}


def test_arrays_come_back(tmp_path: Path) -> None:
    path = tmp_path / "model.bin"
    path.write_bytes(model(ARRAYS))
    found = ct2_arrays(path)
    assert found.keys() == ARRAYS.keys()
    assert found["encoder/weight"].dtype == torch.float32
    for name, array in ARRAYS.items():
        assert np.array_equal(found[name].numpy(), array)


def test_what_is_no_model(tmp_path: Path) -> None:
    path = tmp_path / "model.bin"
    for content, got in (
        (model(ARRAYS, version=5), "version 5"),
        (model(ARRAYS)[:-1], f"an end after {len(model(ARRAYS)) - 1} bytes"),
        (b"", "an end after 0 bytes"),
    ):
        path.write_bytes(content)
        with pytest.raises(FileError) as caught:
            ct2_arrays(path)
        assert str(caught.value) == (
            f"this file is no model of CTranslate2\n  where:    {path}\n"
            f"  expected: a file of version 6, whole\n  got:      {got}"
        )
    with pytest.raises(FileError):
        ct2_arrays(tmp_path / "nothing.bin")
