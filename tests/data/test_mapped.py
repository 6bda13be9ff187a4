"""An array whose memory is a file is told from one in memory, and is read by row."""

import mmap
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from netwright.data.mapped import MappedRows, is_mapped

ARRAY = np.arange(24, dtype=np.float32).reshape(8, 3)


def through_mmap(path: Path) -> Any:
    with open(path, "rb") as file:
        held = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    return np.frombuffer(held, np.float32, offset=128).reshape(8, 3)


def loaded(path: Path) -> Any:
    torch.save(torch.from_numpy(ARRAY), path.with_suffix(".pt"))
    return torch.load(path.with_suffix(".pt"), mmap=True)


linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux says what the memory of a tensor is")
MAPS = {
    "memory map": lambda path: np.load(path, mmap_mode="r"),
    "view of one": lambda path: np.load(path, mmap_mode="r")[::2, 1:][1:],
    "plain array over one": lambda path: np.asarray(np.load(path, mmap_mode="r")),
    "the mmap of Python": through_mmap,
    "tensor from a file": lambda path: torch.from_file(str(path), size=56, dtype=torch.float32)[32:],
    "view of a tensor from a file": lambda path: torch.from_file(str(path), size=56, dtype=torch.float32).view(8, 7).T,
}
FOUND_ON_LINUX = {
    "tensor over a memory map": lambda path: torch.from_numpy(np.load(path, mmap_mode="c")),
    "tensor of torch.load(mmap=True)": loaded,
}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    np.save(tmp_path / "x.npy", ARRAY)
    return tmp_path / "x.npy"


@pytest.mark.parametrize("made", MAPS.values(), ids=MAPS.keys())
def test_memory_that_is_a_file(made: Callable[[Path], Any], path: Path) -> None:
    assert is_mapped(made(path))


@linux
@pytest.mark.parametrize("made", FOUND_ON_LINUX.values(), ids=FOUND_ON_LINUX.keys())
def test_tensors_that_do_not_say_it(made: Callable[[Path], Any], path: Path) -> None:
    assert is_mapped(made(path))


def test_memory_that_is_none(path: Path) -> None:
    mapped = np.load(path, mmap_mode="r")
    copies = [ARRAY, ARRAY[2:], mapped[[1, 2]], mapped + 1, torch.zeros(3), torch.from_numpy(ARRAY), [1], None]
    assert not any(map(is_mapped, copies))


@pytest.mark.parametrize("kind", ["numpy", "torch", "bfloat16"])
def test_rows_and_digest(kind: str) -> None:
    def rows(array: np.ndarray) -> MappedRows:
        tensor = torch.from_numpy(array)
        return MappedRows(array if kind == "numpy" else tensor if kind == "torch" else tensor.bfloat16())

    found = rows(ARRAY).read(np.array([5, 0]), ("a",))["a"]
    assert torch.as_tensor(found).tolist() == ARRAY[[5, 0]].tolist()
    other = ARRAY.copy()
    other[6, 1] += 1
    assert rows(ARRAY).digest() == rows(ARRAY.copy()).digest()
    assert len({rows(a).digest() for a in (ARRAY, other, ARRAY[:7], ARRAY.reshape(4, 6))}) == 4
