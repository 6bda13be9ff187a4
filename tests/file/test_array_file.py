"""Files of JSON and arrays: what went in comes out, and no byte can change unseen."""

import random
from pathlib import Path

import pytest
import torch

from netwright.errors import FileError
from netwright.file.array_file import ArrayFile, read_arrays, read_header
from netwright.regular import opened

ARRAYS = {"a": torch.arange(6.0).view(2, 3), "b/c": torch.tensor([True, False]), "none": torch.empty(0, 3)}


def written(path: Path) -> Path:
    ArrayFile.of({"plain": {"n": [1, 2.5, "x"]}}, ARRAYS).write(path, "the test", path)
    return path


def read(path: Path):
    with opened(path) as file:
        content, entries = read_header(file)
        return content, read_arrays(file, content, entries)


def test_what_went_in_comes_out(tmp_path: Path) -> None:
    content, arrays = read(written(tmp_path / "x"))
    assert content["plain"] == {"n": [1, 2.5, "x"]}
    assert arrays.keys() == ARRAYS.keys()
    for name, array in ARRAYS.items():
        assert torch.equal(arrays[name], array)


def test_no_byte_changes_unseen(tmp_path: Path) -> None:
    path = written(tmp_path / "x")
    whole = path.read_bytes()
    draw = random.Random(0)
    for at in draw.sample(range(len(whole)), min(200, len(whole))):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ (1 << draw.randrange(8))]) + whole[at + 1 :])
        with pytest.raises(FileError):
            read(path)
        path.write_bytes(whole[:at])
        with pytest.raises(FileError):
            read(path)


def test_what_cannot_be_written_leaves_the_older_file(tmp_path: Path) -> None:
    with pytest.raises(FileError) as caught:
        ArrayFile.of({}, ARRAYS).write(tmp_path / "no" / "x", "the test", "no/x")
    assert str(caught.value) == (
        "the test could not be saved: there is no such folder\n"
        "  where:    no/x\n"
        "  got:      nothing was written\n"
        "  mend:     make the folder first"
    )
