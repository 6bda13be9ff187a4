"""A file of JSON and arrays, each with a checksum: what the file of a net and the checkpoint of a run are inside."""

import errno
import hashlib
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO, cast

import torch
from torch import Tensor

from netwright.errors import FileError, NetwrightError, did_you_mean
from netwright.file.format import (
    DTYPE_NAMES,
    LENGTH,
    NET_FILE,
    PREFIX,
    ArrayEntry,
    FileKind,
    check_length,
    check_signature,
    malformed,
    order,
    pack,
    short,
    unpack,
)
from netwright.regular import opened, placed, write_all
from netwright.value import Value

CHECKSUMS = "checksums"  # of the arrays by name, beside what the writer says
REASONS = {
    errno.ENOSPC: ("the disk is full", "free some space, or save to another disk"),
    errno.EDQUOT: ("your quota of the disk is used up", "free some space, or save to another disk"),
    errno.EFBIG: ("the file is larger than this process may write", "raise the limit: ulimit -f unlimited"),
    errno.EACCES: ("the folder may not be written", "save to another folder"),
    errno.EPERM: ("the folder may not be written", "save to another folder"),
    errno.EROFS: ("the disk may not be written", "save to another disk"),
    errno.ENOENT: ("there is no such folder", "make the folder first"),
    errno.ENOTDIR: ("there is no such folder", "make the folder first"),
    errno.EISDIR: ("this is a folder", "give the name of a file in it"),
    errno.ENAMETOOLONG: ("the name is too long", "give a shorter name"),
}


class ArrayFile(Value, eq=False):
    """The bytes of a file, before it is written: header, then arrays."""

    head: bytes
    data: Sequence[memoryview]

    @classmethod
    def of(cls, content: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> "ArrayFile":
        """JSON and arrays as bytes; refused where a reader would refuse them."""
        plain = {name: plain_array(name, array) for name, array in tensors.items()}
        data = {name: array_memory(plain[name]) for name in order(plain)}
        checksums = {name: hashlib.sha256(bytes_).hexdigest() for name, bytes_ in data.items()}
        head = pack({**content, CHECKSUMS: checksums}, plain)
        return cls(head, tuple(data.values()))

    @property
    def size(self) -> int:
        """Bytes of the whole file."""
        return len(self.head) + sum(map(len, self.data))

    def write(self, target: Path, what: str, path: str | os.PathLike[str]) -> None:
        """Put the whole file in place, or leave everything as it was; errors name it as `what` and by `path`."""
        check_place(target, what, path)
        try:
            with placed(target) as file:
                for piece in (self.head, *self.data):
                    write_all(file, piece)
        except NetwrightError:
            raise
        except OSError as error:
            raise _not_saved(error.errno or 0, str(error), target, what, path) from None


def check_place(target: Path, what: str, path: str | os.PathLike[str]) -> None:
    """Refuse a place where no file can be put: a folder has the name, or the folder around it is not there.

    What takes long asks before it begins, so that its result can be saved.
    """
    if os.path.isdir(target):
        raise _not_saved(errno.EISDIR, "", target, what, path)
    if not os.path.isdir(target.parent):
        raise _not_saved(errno.ENOENT, "", target, what, path)


def _not_saved(number: int, text: str, target: Path, what: str, path: str | os.PathLike[str]) -> FileError:
    reason, mend = REASONS.get(number, (os.strerror(number) if number else text, ""))
    kept = "the older file is as it was" if os.path.isfile(target) else "nothing was written"
    return FileError(what=f"{what} could not be saved: {reason}", where=os.fspath(path), got=kept, mend=mend)


def opened_array_file(path: Path) -> BinaryIO:
    """A file to read. Raises: FileError where there is none, with the names that are near; OSError."""
    try:
        return opened(path)
    except (FileNotFoundError, NotADirectoryError):
        siblings = os.listdir(path.parent) if os.path.isdir(path.parent) else []
        raise FileError(what="there is no such file", mend=did_you_mean(path.name, siblings)) from None


def read_header(file: BinaryIO, kind: FileKind = NET_FILE) -> tuple[dict[str, Any], list[ArrayEntry]]:
    """What the header says, and where the arrays are; refused if the file is not as it was written."""
    size = os.fstat(file.fileno()).st_size
    start = _bytes(file, min(size, LENGTH + len(PREFIX)))
    check_signature(start, kind)
    length = int.from_bytes(start[:LENGTH], "little")
    check_length(length, size - LENGTH)
    content, entries = unpack(start + _bytes(file, length - len(PREFIX)))
    _check_names(content, entries)
    end = LENGTH + length + (entries[-1].stop if entries else 0)
    if size != end:
        raise FileError(
            what="the file is cut off" if size < end else "the file goes on after its end",
            expected=f"{end:,} bytes",
            got=f"{size:,} bytes",
            mend="copy or download the file again",
        )
    return content, entries


def read_arrays(file: BinaryIO, content: Mapping[str, Any], entries: Sequence[ArrayEntry]) -> dict[str, Tensor]:
    """All arrays by name, right after the header was read."""
    return {entry.name: _array(file, entry, content[CHECKSUMS][entry.name]) for entry in entries}


def plain_array(name: str, array: Tensor) -> Tensor:
    """An array as it lies in the file: on the processor, in row order."""
    if array.dtype not in DTYPE_NAMES or array.layout != torch.strided:
        raise FileError(
            what="an array of this type cannot be saved",
            where=f"array {name}",
            expected=", ".join(str(dtype).removeprefix("torch.") for dtype in DTYPE_NAMES),
            got=str(array.dtype if array.layout == torch.strided else array.layout).removeprefix("torch."),
        )
    if array.is_meta:
        raise FileError(
            what="an array without values cannot be saved",
            where=f"array {name}",
            expected="an array on the processor or an accelerator",
            got="device 'meta'",
        )
    return array.detach().cpu().resolve_neg().contiguous()


def array_memory(array: Tensor) -> memoryview:
    """The memory of a contiguous array as bytes: reading into it fills the array."""
    return memoryview(cast(Any, array.reshape(-1).view(torch.uint8).numpy())) if array.numel() else memoryview(b"")


def _check_names(content: Mapping[str, Any], entries: Sequence[ArrayEntry]) -> None:
    """One checksum for each array."""
    checksums = content.get(CHECKSUMS)
    if not isinstance(checksums, dict):
        malformed("net", f"{CHECKSUMS}: dict", checksums)
    names = {entry.name for entry in entries}
    if odd := sorted(names ^ cast(dict[str, Any], checksums).keys()):
        here = odd[0] in names
        raise FileError(
            what="an array has no checksum" if here else "an array is missing", where=f"array {short(odd[0])}"
        )


def _bytes(file: BinaryIO, count: int) -> bytes:
    found = bytearray(count)
    _fill(file, memoryview(found))
    return bytes(found)


def _fill(file: BinaryIO, memory: memoryview) -> None:
    """Read until the buffer is full: one call may give less."""
    while memory:
        count = cast(Any, file).readinto(memory)
        if not count:
            raise FileError(what="the file became shorter while it was read")
        memory = memory[count:]


def _array(file: BinaryIO, entry: ArrayEntry, checksum: object) -> Tensor:
    array = torch.empty(entry.shape, dtype=entry.dtype, device="cpu")
    memory = array_memory(array)
    _fill(file, memory)
    if hashlib.sha256(memory).hexdigest() != checksum:
        raise FileError(
            what="the file is damaged: an array is not what was written",
            where=f"array {entry.name}",
            expected="bytes that agree with the checksum",
            mend="copy or download the file again",
        )
    if entry.dtype == torch.bool and array.numel() and int(array.view(torch.uint8).max()) > 1:
        raise FileError(what="an array of truth values holds something else", where=f"array {entry.name}")
    return array
