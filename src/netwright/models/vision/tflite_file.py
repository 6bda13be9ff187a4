"""Reads the weights of a TensorFlow Lite file: the named arrays of its graph, and nothing of its operations.

The file is a FlatBuffer: tables whose fields are found through a list of offsets. What is needed of that takes a page,
so that no package is.
"""

import struct
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from netwright.errors import FileError
from netwright.models.pretrained.files import shown_text
from netwright.regular import opened

SIGN = b"TFL3"  # at the fifth byte of a file
GRAPHS, BUFFERS = 2, 4  # numbers of fields: in a model
TENSORS = 0  # in a graph
SHAPE, KIND, BUFFER, NAME = 0, 1, 2, 3  # in a tensor
CONTENT = 0  # in a buffer
FLOATS = {0: "<f4", 1: "<f2"}  # the kinds of numbers that are read


def tflite_arrays(path: Path) -> dict[str, Tensor]:
    """The constant arrays of floats in a file, by name, in float32 and with their axes as they are stored.

    Raises: FileError for what is no TensorFlow Lite file, or one that ends too early.
    """
    try:
        with opened(path) as file:
            content = file.read()
        if content[4:8] != SIGN:
            raise _no_model(path, "no such file")
        found = dict(_arrays(content))
    except (OSError, ValueError, struct.error) as error:
        raise _no_model(path, shown_text(str(error))) from None
    if not found:
        raise _no_model(path, "no arrays")
    return found


def _arrays(content: bytes) -> Iterator[tuple[str, Tensor]]:
    model = _target(content, 0)
    buffers = [*_tables(content, model, BUFFERS)]
    for graph in _tables(content, model, GRAPHS):
        for tensor in _tables(content, graph, TENSORS):
            kind = FLOATS.get(_number(content, tensor, KIND, "<b"))
            values = _bytes(content, buffers[_number(content, tensor, BUFFER, "<I")], CONTENT)
            if kind is None or not values:
                continue  # of other numbers, or computed
            shape = np.frombuffer(_bytes(content, tensor, SHAPE, 4), "<i4").tolist()
            array = np.frombuffer(values, kind).astype(np.float32).reshape(shape)
            yield _bytes(content, tensor, NAME).decode("utf-8", "replace"), torch.from_numpy(array)


def _field(content: bytes, table: int, number: int) -> int:
    """The place of a field of a table; 0 where the table does not have it."""
    fields = table - _at(content, table, "<i")
    slot = 4 + 2 * number
    offset = _at(content, fields + slot, "<H") if slot < _at(content, fields, "<H") else 0
    return table + offset if offset else 0


def _number(content: bytes, table: int, number: int, form: str) -> int:
    """A field that is a whole number; 0 where it is not written down."""
    place = _field(content, table, number)
    return _at(content, place, form) if place else 0


def _bytes(content: bytes, table: int, number: int, width: int = 1) -> bytes:
    """A field that is a row of elements of so many bytes each."""
    if not (place := _field(content, table, number)):
        return b""
    start = _target(content, place)
    end = start + 4 + width * _at(content, start, "<I")
    if end > len(content):
        raise ValueError("an end within an array")
    return content[start + 4 : end]


def _tables(content: bytes, table: int, number: int) -> Iterator[int]:
    """The places of the tables in a field that is a row of them."""
    if place := _field(content, table, number):
        start = _target(content, place)
        for i in range(_at(content, start, "<I")):
            yield _target(content, start + 4 + 4 * i)


def _target(content: bytes, place: int) -> int:
    """Where the offset at a place leads."""
    return place + _at(content, place, "<I")


def _at(content: bytes, place: int, form: str) -> int:
    """The whole number at a place."""
    if place < 0:
        raise ValueError("an offset before the beginning")
    return int(struct.unpack_from(form, content, place)[0])


def _no_model(path: Path, got: str) -> FileError:
    return FileError(
        what="the weights of this file cannot be read",
        where=str(path),
        expected="a TensorFlow Lite file, whole",
        got=got,
    )
