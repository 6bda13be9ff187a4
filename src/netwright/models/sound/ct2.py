"""Reads the arrays of a CTranslate2 file, the format in which converted speech and translation models are published."""

import struct
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from netwright.errors import FileError
from netwright.models.pretrained.files import shown_text
from netwright.regular import opened

VERSION = 6
KINDS = (np.float32, np.int8, np.int16, np.int32, np.float16)
MOST_AXES = 8


def ct2_arrays(path: Path) -> Mapping[str, Tensor]:
    """The arrays of a file by name; those of float16 become float32.

    Raises: FileError for a file of another format, or one that ends too early.
    """
    try:
        with opened(path) as file:
            content = file.read()
    except FileError:
        raise
    except OSError as error:
        raise _no_model(path, shown_text(str(error))) from None
    reader = _Reader(content, path)
    if (version := reader.number("I")) != VERSION:
        raise _no_model(path, f"version {version}")
    reader.text()  # the kind of model
    reader.number("I")  # its revision
    return dict(reader.array() for _ in range(reader.number("I")))


class _Reader:
    """Goes through the bytes of a file."""

    def __init__(self, content: bytes, path: Path) -> None:
        self._content, self._path, self._place = content, path, 0

    def number(self, form: str) -> int:
        """The next whole number."""
        return struct.unpack("<" + form, self._bytes(struct.calcsize("<" + form)))[0]

    def text(self) -> str:
        """The next text: its length, its bytes, and a zero."""
        return self._bytes(self.number("H"))[:-1].decode("utf-8", "replace")

    def array(self) -> tuple[str, Tensor]:
        """The next array, with its name."""
        name, axes = self.text(), self.number("B")
        if axes > MOST_AXES:
            raise _no_model(self._path, f"{axes} axes of {shown_text(name)!r}")
        shape = [self.number("I") for _ in range(axes)]
        kind = self.number("B")
        if kind >= len(KINDS):
            raise _no_model(self._path, f"numbers of an unknown type {kind} in {shown_text(name)!r}")
        content = self._bytes(self.number("I"))
        values = np.frombuffer(content, np.dtype(KINDS[kind]).newbyteorder("<"))
        if values.size != int(np.prod(shape)):
            raise _no_model(self._path, f"{values.size} numbers in {shown_text(name)!r} {tuple(shape)}")
        wide = np.float32 if values.dtype.kind == "f" else KINDS[kind]
        return name, torch.from_numpy(values.astype(wide)).reshape(shape)

    def _bytes(self, count: int) -> bytes:
        if self._place + count > len(self._content):
            raise _no_model(self._path, f"an end after {len(self._content):,} bytes")
        self._place += count
        return self._content[self._place - count : self._place]


def _no_model(path: Path, got: str) -> FileError:
    return FileError(
        what="this file is no model of CTranslate2",
        where=str(path),
        expected=f"a file of version {VERSION}, whole",
        got=got,
    )
