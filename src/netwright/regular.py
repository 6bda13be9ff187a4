"""Opens regular files only, since a pipe or a device may hang or never end; new files are put in place whole.

Every reader and writer of the package goes through here, so that the rule holds everywhere.
"""

import contextlib
import os
import stat
import time
from collections.abc import Generator
from io import FileIO
from pathlib import Path
from typing import Any
from uuid import uuid4

from netwright.around import around
from netwright.errors import FileError

TEMPORARY = ".part"  # the ending of a file's name until the file is whole
LEFT_SECONDS = 3600.0  # a file that was not written to for so long was left by a program that was killed


def opened(path: str | os.PathLike[str]) -> FileIO:
    """A file opened for reading, unbuffered; what is a folder, a pipe or a device is not opened.

    Raises: FileError for what is no regular file, and for what is no name of a file; OSError as `open` does.
    """
    check_file_name(path)
    _check_regular(os.stat(path), path)
    # the flag is for a pipe that takes the file's place just now: opening it would wait for a writer
    handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    try:
        _check_regular(os.fstat(handle), path)
    except BaseException:
        os.close(handle)
        raise
    return open(handle, "rb", buffering=0)


def text_of(path: str | os.PathLike[str]) -> str:
    """The text in a file, which is UTF-8.

    Raises: FileError for what is no regular file; OSError as `open` does; UnicodeDecodeError.
    """
    with opened(path) as file:
        return file.read().decode("utf-8")


def check_file_name(path: str | os.PathLike[str]) -> None:
    """Refuse a text that no file can have as its name: one with a NUL, or with half a character."""
    text = os.fspath(path)
    with contextlib.suppress(UnicodeEncodeError):
        if b"\0" not in os.fsencode(text):
            return
    raise FileError(
        what="no file can have this name",
        where=text,
        expected="a text without NUL and without half a character (a surrogate)",
    )


@around
def placed(target: Path) -> Generator[FileIO, None, None]:
    """A new file, put into its place when the block ends well; the older one stays as it was until then.

    It is written beside its place, with the older one's permissions. What killed programs left there is removed.

    Raises: FileError where something stands in the place that is no regular file; OSError as writing does.
    """
    mode = 0o666
    with contextlib.suppress(FileNotFoundError):
        found = os.stat(target)
        _check_regular(found, target)
        mode = stat.S_IMODE(found.st_mode)
    start = f".{target.name[:40]}."
    _remove_left(target.parent, start)
    beside = target.with_name(f"{start}{uuid4().hex}{TEMPORARY}")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    handle = os.open(beside, flags, mode)
    try:
        with open(handle, "wb", buffering=0) as file:
            if mode != 0o666 and hasattr(os, "fchmod"):
                os.fchmod(handle, mode)  # of a new file the umask decides
            yield file
            os.fsync(file.fileno())
        os.replace(beside, target)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(beside)
        raise
    _sync_folder(target.parent)


def write_file(target: Path, content: str | bytes, what: str) -> None:
    """Put a whole file in place, or leave an older one as it was; `what` names it in the error: "the report".

    Raises: FileError where it cannot be written.
    """
    try:
        with placed(target) as file:
            write_all(file, content.encode("utf-8") if isinstance(content, str) else content)
    except FileError:
        raise
    except OSError as error:
        raise FileError(what=f"{what} cannot be written", where=str(target), got=error.strerror or "") from None


def write_all(file: Any, piece: bytes | memoryview) -> None:
    """Write every byte: one call writes at most two gigabytes, and less on a disk that fills up."""
    rest = memoryview(piece)
    while rest:
        rest = rest[file.write(rest) :]


def _check_regular(found: os.stat_result, path: str | os.PathLike[str]) -> None:
    if not stat.S_ISREG(found.st_mode):
        got = "a folder" if stat.S_ISDIR(found.st_mode) else "a device or a pipe"
        raise FileError(what="this is not a file", where=os.fspath(path), got=got)


def _remove_left(folder: Path, start: str) -> None:
    """Remove what a killed program left of the same file."""
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        old = time.time() - LEFT_SECONDS
        for entry in entries:
            if entry.name.startswith(start) and entry.name.endswith(TEMPORARY) and entry.is_file(follow_symlinks=False):
                with contextlib.suppress(OSError):
                    if entry.stat(follow_symlinks=False).st_mtime < old:
                        os.unlink(entry.path)


def _sync_folder(folder: Path) -> None:
    """Make the new name survive a power cut, where the folder can be opened; the file is in its place either way."""
    if os.name == "nt":  # has no such call and needs none
        return
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
