"""Reads the weights of an ONNX file: the named arrays of its graph, and nothing of its operations."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from netwright.errors import FileError
from netwright.models.pretrained.files import shown_text
from netwright.regular import opened

GRAPH, INITIALIZER = 7, 5  # numbers of fields: in a model, in a graph
SIZES, KIND, NAME, CONTENT = 1, 2, 8, 9  # in an array
FLOAT = 1  # the only kind of numbers that is read: float32
VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5  # how protobuf writes a field
MOST_BYTES = 10  # of a whole number
Field = tuple[int, int | bytes]


def onnx_arrays(path: Path) -> dict[str, Tensor]:
    """The arrays of float32 in a file, by name.

    Raises: FileError for what is no ONNX file, or one that ends too early.
    """
    try:
        with opened(path) as file:
            content = file.read()
        graphs = [value for number, value in _fields(content) if number == GRAPH and isinstance(value, bytes)]
        found = [_array(value) for graph in graphs for number, value in _fields(graph) if number == INITIALIZER]
    except FileError:
        raise
    except (OSError, ValueError) as error:
        raise _no_model(path, shown_text(str(error))) from None
    if not found:
        raise _no_model(path, "no arrays")
    return {name: array for name, array in found if array is not None}


def _array(content: int | bytes) -> tuple[str, Tensor | None]:
    """An array with its name; None for one of other numbers."""
    shape: list[int] = []
    name, kind, values = "", 0, b""
    for number, value in _fields(content if isinstance(content, bytes) else b""):
        if number == SIZES:
            shape += [value] if isinstance(value, int) else [*_numbers(value)]
        elif number == KIND and isinstance(value, int):
            kind = value
        elif number == NAME and isinstance(value, bytes):
            name = value.decode("utf-8", "replace")
        elif number == CONTENT and isinstance(value, bytes):
            values = value
    if kind != FLOAT:
        return name, None
    return name, torch.from_numpy(np.frombuffer(values, "<f4").astype(np.float32)).reshape(shape)


def _fields(content: bytes) -> Iterator[Field]:
    """The fields of a message, each with its number."""
    place = 0
    while place < len(content):
        key, place = _varint(content, place)
        number, form = key >> 3, key & 7
        if form == VARINT:
            value, place = _varint(content, place)
            yield number, value
            continue
        if form == BYTES:
            count, place = _varint(content, place)
        elif form in (FIXED64, FIXED32):
            count = 8 if form == FIXED64 else 4
        else:
            raise ValueError(f"a field of form {form}")
        if place + count > len(content):
            raise ValueError("an end within a field")
        yield number, content[place : place + count]
        place += count


def _numbers(content: bytes) -> Iterator[int]:
    place = 0
    while place < len(content):
        value, place = _varint(content, place)
        yield value


def _varint(content: bytes, place: int) -> tuple[int, int]:
    """A whole number in groups of seven bits, and the place behind it."""
    value = 0
    for count in range(MOST_BYTES):
        if place + count >= len(content):
            raise ValueError("an end within a number")
        byte = content[place + count]
        value |= (byte & 127) << 7 * count
        if byte < 128:
            return value, place + count + 1
    raise ValueError("a number of too many bytes")


def _no_model(path: Path, got: str) -> FileError:
    return FileError(
        what="the weights of this file cannot be read", where=str(path), expected="an ONNX file, whole", got=got
    )
