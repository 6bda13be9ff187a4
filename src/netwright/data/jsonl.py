"""Rows out of files of JSON lines, one file after the other: more rows than memory holds, and a place to go on from."""

import glob
import gzip
import json
import os
import zlib
from collections.abc import Iterator, Mapping, Sequence
from io import BufferedReader, RawIOBase
from pathlib import Path
from typing import IO, Any, cast

import msgspec

from netwright.errors import DataError, FileError
from netwright.regular import opened

GZIP = b"\x1f\x8b"  # the first bytes of a file that gzip compressed


class JsonLines:
    """The rows of files, in the order of the files' names; what `nw.jsonl` gives.

    `state_dict` and `load_state_dict` say and set the place: the number of the file, and that of its line.
    """

    def __init__(self, files: Sequence[Path]) -> None:
        self.files = tuple(files)
        self._begin = self._place = (0, 0)  # the number of a file, and how many of its lines were read

    def __repr__(self) -> str:
        return f"jsonl of {len(self.files):,} file{'' if len(self.files) == 1 else 's'}"

    def __iter__(self) -> Iterator[dict[str, Any]]:
        """All rows, or, once, those after the place that was set."""
        begin, self._begin = self._begin, (0, 0)
        self._place = begin
        return self._after(*begin)

    def state_dict(self) -> dict[str, int]:
        """The place after the last row that was given."""
        return {"file": self._place[0], "line": self._place[1]}

    def load_state_dict(self, state: Mapping[str, int]) -> None:
        """Let the next iteration begin after this place."""
        self._begin = self._place = (state["file"], state["line"])

    def _after(self, file: int, line: int) -> Iterator[dict[str, Any]]:
        for number in range(file, len(self.files)):
            for read, row in self._rows(self.files[number], line if number == file else 0):
                self._place = (number, read)
                yield row

    def _rows(self, path: Path, skipped: int) -> Iterator[tuple[int, dict[str, Any]]]:
        """The rows of a file, each with the number of its line, from 1; lines that are skipped are not parsed."""
        number = 0
        try:
            with opened(path) as raw, _plain(raw) as lines:
                for number, text in enumerate(lines, 1):
                    if number > skipped and text.strip():
                        yield number, _row(text, path, number)
        except (OSError, EOFError, zlib.error) as error:
            if isinstance(error, FileError):
                raise
            raise FileError(
                what="the file cannot be read to its end", where=f"{path}, after line {number}", got=str(error)
            ) from None


def jsonl(files: str | os.PathLike[str] | Sequence[str | os.PathLike[str]]) -> JsonLines:
    """Read rows from files of JSON lines, of any size in all: one JSON object on each line.

    The files are read one after the other, in the order of their names, again in every epoch. A file that gzip
    compressed is recognized by its first bytes. Blank lines are left out.

    Args:
        files: a pattern such as `"data/*.jsonl.gz"`, where `**` stands for any folders, or a list of paths or
            patterns.

    Raises:
        FileError: no such file, or one that cannot be read.
        DataError: a line that is not a JSON object, with the file and the line, when it is read.

    Example:
        >>> import netwright as nw, tempfile
        >>> from pathlib import Path
        >>> folder = Path(tempfile.mkdtemp())
        >>> _ = (folder / "a.jsonl").write_text('{"input": 1, "target": 2}\\n{"input": 2, "target": 4}\\n')
        >>> list(nw.jsonl(folder / "*.jsonl"))
        [{'input': 1, 'target': 2}, {'input': 2, 'target': 4}]
    """
    given = [files] if isinstance(files, str | os.PathLike) else files
    found: set[Path] = set()
    for pattern in [os.fspath(one) for one in given]:
        here = [pattern] if os.path.exists(pattern) else glob.glob(pattern, recursive=True)
        matching = {Path(path) for path in here if not os.path.isdir(path)}
        if not matching:
            raise FileError(
                what="no file has this name or fits this pattern",
                where=pattern,
                got="a folder" if os.path.isdir(pattern) else "",
                mend=os.path.join(pattern, "*.jsonl*") if os.path.isdir(pattern) else (),
            )
        found |= matching
    if not found:
        raise FileError(what="no files are given", where="jsonl", expected='a pattern such as "data/*.jsonl.gz"')
    return JsonLines(sorted(found))


def _plain(raw: RawIOBase) -> IO[bytes]:
    """The bytes of a file, decompressed where gzip compressed them."""
    buffered = BufferedReader(raw)
    compressed = buffered.peek(len(GZIP))[: len(GZIP)] == GZIP
    return cast(IO[bytes], gzip.GzipFile(fileobj=buffered) if compressed else buffered)


def _row(text: bytes, path: Path, number: int) -> dict[str, Any]:
    try:
        row = _parsed(text)
    except (ValueError, RecursionError) as error:
        raise DataError(
            what="the line is not JSON", where=f"{path}, line {number}", expected="one JSON object", got=str(error)
        ) from None
    if not isinstance(row, dict):
        raise DataError(
            what="the line is not a JSON object",
            where=f"{path}, line {number}",
            expected='{"input": …, "target": …}, a value for each port',
            got=type(row).__name__,
        )
    return cast(dict[str, Any], row)


def _parsed(text: bytes) -> Any:
    """What Python's own parser gives, several times faster; it decides where msgspec refuses, as for NaN."""
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, ValueError, RecursionError):
        return json.loads(text)
