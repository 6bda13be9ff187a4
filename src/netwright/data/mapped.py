"""Arrays whose memory is a file, such as numpy's memory maps: their rows are read when they are needed, not copied."""

import hashlib
import mmap
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from netwright.data.lazy import Rows

SAMPLE = 1000  # rows that a digest looks at: a file that was written anew differs in one of them


class MappedRows(Rows):
    """The rows of an array whose memory is a file."""

    kind = "a memory map"

    def __init__(self, array: NDArray[Any] | Tensor) -> None:
        self.array = np.asarray(array) if isinstance(array, np.ndarray) else array

    def __len__(self) -> int:
        return len(self.array)

    def read(self, rows: NDArray[np.int64], ports: Sequence[str]) -> Mapping[str, Sequence[Any]]:
        return {port: self._at(rows) for port in ports}  # one port

    def digest(self) -> str:
        # the kind, the sizes, and the contents of rows all over the file: reading all would take as long as an epoch
        rows = np.unique(np.linspace(0, len(self) - 1, min(len(self), SAMPLE)).astype(np.int64))
        found = self._at(rows)
        if isinstance(found, Tensor):
            found = found.contiguous().view(torch.uint8).numpy()  # numpy has no bfloat16
        text = f"{tuple(self.array.shape)} {str(self.array.dtype).removeprefix('torch.')}"
        return f"{text} {hashlib.sha256(np.ascontiguousarray(found).tobytes()).hexdigest()}"

    def same(self, other: Rows) -> bool:
        return isinstance(other, MappedRows) and self.array is other.array

    def _at(self, rows: NDArray[np.int64]) -> Any:
        return self.array[torch.from_numpy(rows)] if isinstance(self.array, Tensor) else self.array[rows]


def is_mapped(values: object) -> bool:
    """Whether the memory of an array is a file."""
    if isinstance(values, Tensor):
        if values.device.type != "cpu" or values.layout != torch.strided:
            return False
        return values.untyped_storage().filename is not None or _lies_in_file(values.data_ptr())
    while isinstance(values, np.ndarray | memoryview):  # a view of another, and so on, down to what holds the memory
        values = values.obj if isinstance(values, memoryview) else values.base
    return is_mapped(values) if isinstance(values, Tensor) else isinstance(values, mmap.mmap)


def _lies_in_file(address: int) -> bool:
    """Whether an address is that of a file which is mapped; not known on systems other than Linux.

    Torch does not say it of a tensor that is loaded with mmap=True, nor of one that shares a memory map of numpy.
    """
    if sys.platform != "linux":
        return False
    with open("/proc/self/maps", encoding="utf-8", errors="replace") as lines:
        for line in lines:
            start, end = (int(text, 16) for text in line.split(maxsplit=1)[0].split("-"))
            if start <= address < end:
                path = line.split(maxsplit=5)[5:]
                return bool(path) and not path[0].startswith(("/dev/", "[")) and Path(path[0].rstrip("\n")).is_file()
    return False
