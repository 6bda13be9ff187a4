"""Writes a difference as one small file and reads it: what changed, and only the arrays that are new or others."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast, get_args

import torch
from torch import Tensor

from netwright.changes.array_state import ArrayState
from netwright.changes.difference import Change, Difference, Fate, Kind, PlaceChange
from netwright.codecs.codec import Codec
from netwright.errors import FileError, NetError, shortened
from netwright.file.array_file import ArrayFile, opened_array_file, plain_array, read_arrays, read_header
from netwright.file.format import CHECKSUM, DIFFERENCE_FILE, DTYPE_NAMES, DTYPES, file_path, malformed
from netwright.file.load import DIFFERENCE
from netwright.file.save import netwright_version
from netwright.file.structure import Reader, check_uses, described_value, planned_uses
from netwright.net.faults import explain
from netwright.net.names import check_name, is_name
from netwright.net.node import Node

WHERE = "difference"
KINDS = dict.fromkeys(get_args(Kind))
FATES = dict.fromkeys(get_args(Fate))
CODECS_OF = ("encoder", "decoder")
LONGEST_PATH = 4000  # characters


def save_difference(difference: Difference, path: str | os.PathLike[str]) -> None:
    """Write a difference into one file, which holds only the arrays that are new or changed. No pickle, no code.

    Of an array that was there before, the file has the digest, so that `nw.patch` can refuse another net. An array
    that only moved is not written.

    Fields:
        difference: from `nw.diff`.
        path: the file; by custom it ends in `.difference`.

    Raises: FileError when the file cannot be written, or the difference holds what no file can: a lambda.

    Example:
        >>> import netwright as nw, tempfile, pathlib
        >>> net = nw.initialize(nw.Chain(3, nw.relu, nw.Linear(2), input=4))
        >>> other = net.with_arrays({"linear2/bias": [1.0, 2.0]})
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     nw.save_difference(nw.diff(net, other), pathlib.Path(folder, "bias.difference"))
        ...     nw.patch(net, nw.load_difference(pathlib.Path(folder, "bias.difference"))) == other
        True
    """
    if not isinstance(cast(Any, difference), Difference):
        raise NetError(
            what="save_difference takes a difference",
            got=shortened(repr(difference), 100),
            mend="nw.save_difference(nw.diff(before, after), path)",
        )
    target = Path(os.path.realpath(file_path(path)))
    try:
        places = [_described(change) for change in difference.places]
        check_uses(planned_uses(places), WHERE)
        states = {change.home: change.new.array for change in difference.changes if change.new is not None}
        tensors = {name: plain_array(name, array) for name, array in states.items() if array is not None}
        arrays = [_described_array(change) for change in difference.changes]
        content = {"version": netwright_version(), DIFFERENCE: {"places": places, "arrays": arrays}}
        made = ArrayFile.of(content, tensors)
    except FileError as error:
        raise error.within(os.fspath(path)) from None
    made.write(target, "the difference", path)


@torch.inference_mode(False)  # as in `initialize`
def load_difference(path: str | os.PathLike[str], *, functions: Mapping[str, Any] | None = None) -> Difference:
    """Read a difference that `nw.save_difference` wrote. Nothing in a file is ever run.

    Fields:
        path: the file.
        functions: by import name what new parts hold, as in `nw.load`.

    Raises: FileError for a file that is missing, damaged, hostile, newer than this Netwright, or that holds no
        difference.

    Example:
        >>> import netwright as nw
        >>> nw.load_difference("nowhere.difference")
        Traceback (most recent call last):
        netwright.errors.FileError: there is no such file
          where:    nowhere.difference
    """
    file_path(path)
    probing = explain.probing.set(True)  # mends would be tried, and a hostile file could make that last
    try:
        with opened_array_file(Path(path)) as file:
            content, entries = read_header(file, DIFFERENCE_FILE)
            plain = content.get(DIFFERENCE)
            if not isinstance(plain, dict):
                raise FileError(
                    what="this is no file of a difference", mend="nw.load(file) reads a net" if "net" in content else ()
                )
            places, arrays = _lists(cast("dict[str, Any]", plain))
            size = os.fstat(file.fileno()).st_size
            check_uses(planned_uses(places), WHERE, size)
            reader = Reader(dict(functions or {}), size)
            found = tuple([_place(one, reader) for one in places])
            tensors = read_arrays(file, content, entries)
        changes = tuple([_change(one, reader, tensors) for one in arrays])
        if odd := sorted(tensors.keys() - {change.home for change in changes if change.new is not None}):
            malformed(f"array {odd[0]}", "an array that the difference names", "none")
    except FileError as error:
        raise error.within(os.fspath(path)) from None
    except OSError as error:
        text = error.strerror or str(error)
        raise FileError(what="the file cannot be read", where=os.fspath(path), got=text) from None
    finally:
        explain.probing.reset(probing)
    return Difference(found, changes)


def _described(change: PlaceChange) -> list[Any]:
    sides = [described_value(one, change.place) for one in (change.before, change.after)]
    return [change.kind, change.path, change.name, *sides]


def _described_array(change: Change) -> list[Any]:
    sizes = [None if shape is None else list(shape) for shape in (change.before, change.after)]
    states = [
        None if one is None else [list(one.shape), DTYPE_NAMES[one.dtype], one.digest]
        for one in (change.old, change.new)
    ]
    by = described_value(change.by, change.path)
    return [change.path, change.fate, *sizes, change.was, by, change.home, change.source, *states]


def _lists(plain: Mapping[str, Any]) -> tuple[list[Any], list[Any]]:
    if set(plain) != {"places", "arrays"}:
        malformed(WHERE, "places and arrays", shortened(", ".join(plain), 200))
    for name, found in plain.items():
        if not isinstance(found, list):
            malformed(WHERE, f"{name}: a list", found)
    return plain["places"], plain["arrays"]


def _place(plain: Any, reader: Reader) -> PlaceChange:
    row = cast("list[Any]", plain)
    if (
        not isinstance(plain, list)
        or len(row) != 5
        or not all(isinstance(one, str) for one in row[:3])
        or row[0] not in KINDS
    ):
        malformed(WHERE, "a change: kind, path, name, before, after", plain)
    kind, path, name = row[:3]
    _check_path(path)
    if kind in ("option", *CODECS_OF):
        _check_name(name)
    before, after = (reader.value(one, path or WHERE) for one in row[3:])
    change = PlaceChange(kind, path, name, before, after)
    if not (_suits(kind, before) and _suits(kind, after)) or not _is_change(change):
        malformed(change.place, f"two values of {kind}", row[3:])
    return change


def _is_change(change: PlaceChange) -> bool:
    """Whether there is something before and after, or one of both where that is enough."""
    sides = [change.before is None, change.after is None]
    if change.kind in ("part", "reads", *CODECS_OF):
        whole = change.path == "" and change.kind == "part"
        return not any(sides) if whole else not all(sides)
    return change.kind == "option" or not any(sides)


def _suits(kind: str, value: Any) -> bool:
    """Whether a value can be one of this kind of change."""
    if kind == "option":
        return True
    if kind in ("name", "shared"):
        return value == "" or is_name(value)
    if kind == "ports":
        return _pair(value) and all(isinstance(one, str) for one in _tuple(value[0])) and _pairs(value[1])
    if value is None:
        return True
    if kind == "reads":
        return _pair(value) and isinstance(value[0], str) and _pairs(value[1])
    return isinstance(value, Node if kind == "part" else Codec)


def _pairs(value: Any) -> bool:
    """Whether this is a tuple of names, each with what it reads."""
    return isinstance(value, tuple) and all(
        _pair(one) and isinstance(one[0], str) and _pair(one[1]) and all(isinstance(text, str) for text in one[1])
        for one in cast("tuple[Any, ...]", value)
    )


def _pair(value: Any) -> bool:
    return isinstance(value, tuple) and len(cast("tuple[Any, ...]", value)) == 2


def _tuple(value: Any) -> tuple[Any, ...]:
    return cast("tuple[Any, ...]", value) if isinstance(value, tuple) else (None,)


def _check_path(path: str) -> None:
    if len(path) > LONGEST_PATH:
        malformed(WHERE, f"a path of at most {LONGEST_PATH:,} characters", path)
    for name in path.split("/") if path else ():
        _check_name(name)


def _check_name(name: str) -> None:
    try:
        check_name(name, WHERE)
    except NetError as error:
        raise FileError(what=error.what, where=WHERE, got=shortened(error.got, 100)) from None


def _change(plain: Any, reader: Reader, tensors: Mapping[str, Tensor]) -> Change:
    row = cast("list[Any]", plain)
    if not isinstance(plain, list) or len(row) != 10:
        malformed(WHERE, "the change of an array: ten values", plain)
    path, fate, before, after, was, by, home, source, old, new = row
    texts = (path, fate, was, home, source)
    if not all(isinstance(text, str) and len(text) <= LONGEST_PATH for text in texts) or fate not in FATES:
        malformed(WHERE, "paths and a fate", shortened(repr(texts), 100))
    by = reader.value(by, path)
    if by is not None and type(by) not in (int, float):
        malformed(f"array {path}", "how far it went: a number", by)
    states = _state(old, path, None), _state(new, path, tensors.get(home))
    change = Change(path, fate, _shape(before, path), _shape(after, path), was, by, home, source, *states)
    if (states[1] is not None and states[1].array is None) or (source and states[0] is None):
        raise FileError(what="an array is missing", where=f"array {path}")
    return change


def _shape(plain: Any, path: str) -> tuple[int, ...] | None:
    if plain is None:
        return None
    if not isinstance(plain, list) or not all(type(one) is int and one >= 0 for one in cast("list[Any]", plain)):
        malformed(f"array {path}", "sizes in a list", plain)
    return tuple(cast("list[int]", plain))


def _state(plain: Any, path: str, array: Tensor | None) -> ArrayState | None:
    if plain is None:
        return None
    row = cast("list[Any]", plain)
    if not isinstance(plain, list) or len(row) != 3 or not (isinstance(row[1], str) and row[1] in DTYPES):
        malformed(f"array {path}", "sizes, a type and a digest", plain)
    if not isinstance(row[2], str) or len(row[2]) != CHECKSUM:
        malformed(f"array {path}", f"a digest of {CHECKSUM} digits", row[2])
    state = ArrayState(_shape(row[0], path) or (), DTYPES[row[1]], array, row[2])
    if array is not None and state != ArrayState.of(array):
        malformed(f"array {path}", "the sizes and the type of its data", row[:2])
    return state
