"""The container of a net's file: a safetensors header with checksums, and the limits that keep a bad file small.

A file is eight bytes with the header's length, the header (JSON in ASCII, padded with spaces), the arrays without
gaps. The header opens with a checksum of itself and holds one for each array, so every byte is covered by a checksum.
"""

import hashlib
import itertools
import json
import math
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Never, cast

import torch
from torch import Tensor

from netwright.errors import FileError, shortened
from netwright.regular import check_file_name
from netwright.sizes.notation import MOST_AXES
from netwright.value import Value

FORMAT = 1  # raised when an older Netwright could not read the file or would read it as another net
NAME = "netwright"
PREFIX = b'{"__metadata__":{"checksum":"'
CHECKSUM = 64  # hexadecimal digits of a sha256
LENGTH = 8  # bytes that say how long the header is
ALIGNMENT = 8
HEADER_LIMIT = 8 << 20  # bytes: a quarter of a million labels fit
MEMORY_LIMIT = 32 << 20  # bytes that the header may take once parsed
COSTS = {b",": 64, b":": 250, b"[": 120, b"{": 120}  # the most bytes of memory that one sign of JSON may take
TEXT = re.compile(rb'"[^"]*"')  # a text in JSON whose escaped quotes were taken out
LARGEST = 1 << 62  # bytes of an array, and the largest size of an axis: what torch can count

DTYPES: dict[str, torch.dtype] = {
    "F64": torch.float64,
    "F32": torch.float32,
    "F16": torch.float16,
    "BF16": torch.bfloat16,
    "F8_E4M3": torch.float8_e4m3fn,
    "F8_E5M2": torch.float8_e5m2,
    "I64": torch.int64,
    "I32": torch.int32,
    "I16": torch.int16,
    "I8": torch.int8,
    "U8": torch.uint8,
    "BOOL": torch.bool,
}
DTYPE_NAMES = {dtype: name for name, dtype in DTYPES.items()}


class ArrayEntry(Value):
    """Where an array lies in the data and what it is."""

    name: str
    dtype: torch.dtype
    shape: tuple[int, ...]
    start: int
    stop: int


def file_path(path: Any) -> str | os.PathLike[str]:
    """The path of a file; refused where it is none, and where no file can have it as its name."""
    if not isinstance(path, str | os.PathLike) or path == "":
        raise FileError(
            what="a file is named by a path", expected="a text or a pathlib.Path", got=shortened(repr(path), 100)
        )
    found = cast("str | os.PathLike[str]", path)
    check_file_name(found)
    return found


def folder_path(path: Any) -> Path:
    """The whole path of a folder, which stays the same when the program changes its working directory.

    `~` is the home of the user; else a new folder would get the name "~".
    """
    return Path(os.path.abspath(os.path.expanduser(file_path(path))))


def order(tensors: Mapping[str, Tensor]) -> list[str]:
    """The names in the order of the data: wide types first, which keeps every array aligned."""
    return sorted(tensors, key=lambda name: (-tensors[name].itemsize, name))


def pack(net: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> bytes:
    """The bytes before the data: length and header; refused where a reader would refuse them."""
    entries: dict[str, Any] = {}
    start = 0
    for name in order(tensors):
        tensor = tensors[name]
        stop = start + tensor.numel() * tensor.itemsize
        shape = list(tensor.shape)
        entries[name] = {"dtype": DTYPE_NAMES[tensor.dtype], "shape": shape, "data_offsets": [start, stop]}
        start = stop
    described = _json(net)
    metadata = {"checksum": "0" * CHECKSUM, "format": f"{NAME} {FORMAT}", "net": described}
    text = _json({"__metadata__": metadata, **entries}).encode("ascii")
    _check_limits(len(text), _cost(text) + _cost(described.encode("ascii")))
    text += b" " * (-len(text) % ALIGNMENT)
    head = len(text).to_bytes(LENGTH, "little") + text
    place = LENGTH + len(PREFIX)
    return head[:place] + _checksum(head).encode("ascii") + head[place + CHECKSUM :]


def unpack(head: bytes) -> tuple[dict[str, Any], list[ArrayEntry]]:
    """What `pack` was given, from the bytes before the data; refused if a byte of them is not as it was written."""
    check_signature(head[: LENGTH + len(PREFIX)])
    place = LENGTH + len(PREFIX)
    if head[place : place + CHECKSUM] != _checksum(head).encode("ascii"):
        raise FileError(
            what="the file is damaged: its header is not what was written",
            where="header",
            expected="bytes that agree with the checksum",
            mend="copy or download the file again",
        )
    cost = _cost(head[LENGTH:])
    _check_limits(len(head) - LENGTH, cost)
    header = parse_header(head[LENGTH:], "header")
    metadata = header.pop("__metadata__", None)
    if not isinstance(metadata, dict):
        malformed("header", "metadata", metadata)
    _check_format(cast(dict[str, Any], metadata).get("format"))
    net = cast(dict[str, Any], metadata).get("net")
    if not isinstance(net, str):
        malformed("header", "the net, as JSON in a text", net)
    _check_limits(len(head) - LENGTH, cost + _cost(net.encode("utf-8", "replace")))
    return parse_header(net, "net"), _entries(header)


class FileKind(Value):
    """What kind of file is expected: in words, what writes it, and what another file may be good for."""

    noun: str
    writer: str
    mend: str = ""


NET_FILE = FileKind("a net", "nw.save", "net.with_arrays(state_dict) takes arrays from elsewhere into a net of yours")
DIFFERENCE_FILE = FileKind("a difference", "nw.save_difference")
CHECKPOINT_FILE = FileKind("a checkpoint", "a run")
CASE_FILE = FileKind("a case", "a run that stopped")


def check_signature(start: bytes, kind: FileKind = NET_FILE) -> None:
    """Refuse a file whose first bytes are not those of this kind; say what file it is where the bytes show it."""
    if start[LENGTH:] == PREFIX:
        return
    pickled = start[:1] == b"\x80" and start[1:2] <= b"\x05"
    kinds = {
        "an empty file": not start,
        "a pickle, which can run any code when it is opened": pickled,
        "an archive, such as torch.save writes: pickles inside can run any code": start[:4] == b"PK\x03\x04",
        f"a safetensors file without {kind.noun}, or one whose first bytes are damaged": start[LENGTH : LENGTH + 1]
        == b"{",
    }
    got = next((found for found, matches in kinds.items() if matches), f"a file that begins with {start[:8]!r}")
    raise FileError(
        what=f"this is not the file of {kind.noun}",
        expected=f"a file that {kind.writer} wrote",
        got=got,
        mend=kind.mend if start else (),
    )


def check_length(length: int, rest: int) -> None:
    """Refuse a header that is shorter or longer than a header can be, or longer than the file."""
    if length < len(PREFIX):
        raise FileError(
            what="the header is too short",
            where="header",
            expected=f"at least {len(PREFIX)} bytes",
            got=f"{length} bytes",
            mend="copy or download the file again",
        )
    if length > min(HEADER_LIMIT, rest):
        raise FileError(
            what="the file is cut off within its header" if length <= HEADER_LIMIT else "the header is too long",
            where="header",
            expected=f"{length:,} bytes" if length <= HEADER_LIMIT else f"at most {HEADER_LIMIT:,} bytes",
            got=f"{rest:,} bytes" if length <= HEADER_LIMIT else f"{length:,} bytes",
            mend="copy or download the file again" if length <= HEADER_LIMIT else (),
        )


def _cost(json_text: bytes) -> int:
    """The most memory that JSON may take once parsed, beside that of its letters; at least that, where it is too much.

    The signs within texts cost nothing more: the tokenizer of a published net is a text of a million signs."""
    plain = json_text.replace(b"\\\\", b"").replace(b'\\"', b"")
    cost = end = 0
    for text in itertools.chain(TEXT.finditer(plain), (None,)):
        between = plain[end : len(plain) if text is None else text.start()]
        cost += max(COSTS[b","], sum(between.count(sign) * bytes_ for sign, bytes_ in COSTS.items()))
        if text is None or cost > MEMORY_LIMIT:
            break
        end = text.end()
    return cost


def _check_limits(size: int, cost: int) -> None:
    """Refuse a header that would take much memory once parsed, before it is parsed; saving refuses it too."""
    if size > HEADER_LIMIT or cost > MEMORY_LIMIT:
        raise FileError(
            what="the net has too many parts, arrays or labels for one file",
            where="header",
            expected=f"a header of at most {HEADER_LIMIT:,} bytes that takes at most {MEMORY_LIMIT:,} in memory",
            got=f"{size:,} bytes that may take {cost:,}",
        )


def parse_header(text: bytes | str, where: str) -> dict[str, Any]:
    """Strict JSON: ASCII, no name twice, no NaN or infinity, no depth that Python cannot walk."""
    try:
        plain = text if isinstance(text, str) else text.decode("ascii")
        found = json.loads(
            plain, object_pairs_hook=_unique, parse_constant=_no_constant, parse_float=_finite, parse_int=int
        )
    except RecursionError:
        raise too_deep(where) from None
    except FileError as error:
        raise error.changed(where=where) from None
    except UnicodeDecodeError:
        raise FileError(what="the header is not text", where=where, expected="JSON in ASCII") from None
    except ValueError as error:
        raise FileError(
            what="the header is not JSON", where=where, expected="JSON", got=shortened(str(error), 200)
        ) from None
    if not isinstance(found, dict):
        malformed(where, "an object", found)
    return found


def too_deep(where: str) -> FileError:
    """The error for a nesting that no net has."""
    return FileError(what="the file is nested too deeply", where=where)


def malformed(where: str, expected: str, got: object) -> Never:
    """Refuse JSON that is not what stands at this place."""
    raise FileError(what="the file does not describe a net", where=where, expected=expected, got=short(got))


def short(value: object) -> str:
    """A value of a file as a message shows it."""
    if isinstance(value, dict | list):
        return f"a {'list' if isinstance(value, list) else 'mapping'} of {len(cast(Sequence[Any], value))}"
    return shortened(repr(value), 80)


def _json(value: object) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=True, allow_nan=False)


def _checksum(head: bytes) -> str:
    place = LENGTH + len(PREFIX)
    state = hashlib.sha256(head[:place])
    state.update(memoryview(head)[place + CHECKSUM :])
    return state.hexdigest()


def _check_format(found: object) -> None:
    name, _, version = found.partition(" ") if isinstance(found, str) else ("", "", "")
    if name != NAME or not (version.isdecimal() and len(version) < 10):
        malformed("header", f"the format {NAME} {FORMAT}", found)
    if int(version) > FORMAT:
        raise FileError(
            what="the file was written by a newer Netwright",
            where="header",
            expected=f"format {FORMAT} or older",
            got=f"format {version}",
            mend="pip install --upgrade netwright",
        )
    if int(version) < 1:
        malformed("header", f"the format {NAME} {FORMAT}", found)


def _entries(header: Mapping[str, Any]) -> list[ArrayEntry]:
    """The arrays in the order of the data, which they must fill without gaps."""
    entries = sorted((_entry(name, plain) for name, plain in header.items()), key=lambda e: (e.start, e.stop, e.name))
    end = 0
    for entry in entries:
        if entry.start != end:
            malformed(f"array {entry.name}", f"its data at byte {end}, after the array before", entry.start)
        end = entry.stop
    return entries


def _entry(name: str, plain: Any) -> ArrayEntry:
    where = f"array {name}"
    if not isinstance(plain, dict) or set(cast(dict[str, Any], plain)) != {"dtype", "shape", "data_offsets"}:
        malformed(where, "dtype, shape and data_offsets", plain)
    dtype, shape, offsets = (cast(dict[str, Any], plain)[key] for key in ("dtype", "shape", "data_offsets"))
    if not isinstance(dtype, str) or dtype not in DTYPES:
        malformed(where, f"a type among {', '.join(DTYPES)}", dtype)
    for numbers in (shape, offsets):
        if not isinstance(numbers, list) or not all(
            type(n) is int and 0 <= n < LARGEST for n in cast(list[Any], numbers)
        ):
            malformed(where, "whole numbers in a list", numbers)
    if len(offsets) != 2 or len(shape) > MOST_AXES:
        malformed(where, f"two offsets and at most {MOST_AXES} axes", offsets if len(offsets) != 2 else shape)
    start, stop = offsets
    itemsize = DTYPES[dtype].itemsize
    size = math.prod(shape) * itemsize
    if size != stop - start or math.prod(max(n, 1) for n in shape) * itemsize > LARGEST:
        raise FileError(
            what="the size of an array is not that of its data",
            where=where,
            expected=f"{tuple(shape)} of {dtype}, {size:,} bytes",
            got=f"{stop - start:,} bytes",
        )
    return ArrayEntry(name, DTYPES[dtype], tuple(shape), start, stop)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        seen: set[str] = set()
        twice = next(name for name, _ in pairs if name in seen or seen.add(name))
        raise FileError(what="a name stands twice in the header", got=short(twice))
    return found


def _no_constant(text: str) -> Never:
    raise FileError(what="the header holds a number that JSON does not have", got=text)


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise FileError(what="the header holds a number that is not finite", got=short(text))
    return value
