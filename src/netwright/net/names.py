"""Names in a net: paths made of names, numbered names, and which names are allowed in a path."""

from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from typing import TypeVar

from netwright.errors import NetError

T = TypeVar("T")
SHARED = "@"  # the first letter of the place of an array that several parts share


def numbered(names: Iterable[str], stem: str) -> str:
    """The first of `stem1`, `stem2`, … that is not taken.

    Example:
        >>> numbered(["conv1", "relu1"], "conv")
        'conv2'
    """
    return Numbers(names).new(stem)


class Numbers:
    """Gives names with a number, one after another: each search goes on where the last one ended.

    Example:
        >>> numbers = Numbers(["conv2"])
        >>> numbers.new("conv"), numbers.new("conv"), numbers.new("relu")
        ('conv1', 'conv3', 'relu1')
    """

    def __init__(self, taken: Iterable[str] = ()) -> None:
        self._taken = set(taken)
        self._last: dict[str, int] = {}

    def new(self, stem: str) -> str:
        """The first of `stem1`, `stem2`, … that is not taken; from now on it is."""
        return self._next(stem, self._last.get(stem, 1))

    def kept(self, name: str, stem: str) -> str:
        """A name itself if it is not taken, else a new one."""
        if name in self._taken:
            return self.new(stem)
        self._taken.add(name)
        return name

    def again(self, place: str) -> str:
        """The name of a place itself when it is used first, then `place_2`, `place_3`, …"""
        if place not in self._taken:
            return self.kept(place, place)
        return self._next(f"{place}_", self._last.get(f"{place}_", 2))

    def _next(self, stem: str, number: int) -> str:
        while f"{stem}{number}" in self._taken:
            number += 1
        self._last[stem] = number + 1
        self._taken.add(f"{stem}{number}")
        return f"{stem}{number}"


def join_path(*pieces: str) -> str:
    """A path from its pieces; a piece that is a shared place starts the path anew."""
    path = ""
    for piece in pieces:
        path = piece if not path or piece.startswith(SHARED) else f"{path}/{piece}" if piece else path
    return path


def moved(things: Mapping[str, T], places: Mapping[str, str]) -> dict[str, T]:
    """What lies below some places, under the paths that it gets if all of them move at once.

    Example:
        >>> moved({"a/weight": 1, "a/b/weight": 2, "c": 3}, {"a": "x", "a/b": "y"})
        {'x/weight': 1, 'y/weight': 2, 'c': 3}
    """
    found: dict[str, T] = {}
    for path, thing in things.items():
        old = next((place for place in reversed(_above(path)) if place in places), None)
        found[path if old is None else join_path(places[old], path.removeprefix(f"{old}/"))] = thing
    return found


def is_name(name: object) -> bool:
    """Whether a value is a name that can stand in a path: a Python name, which may begin with a digit here.

    Example:
        >>> is_name("conv1"), is_name("4b"), is_name("a/b")
        (True, True, False)
    """
    return isinstance(name, str) and bool(name) and f"_{name}".isidentifier()


def check_name(name: object, where: str) -> None:
    """Refuse a name that cannot stand in a path."""
    if not is_name(name):
        raise NetError(what="a part's name has letters, digits and underscores only", where=where, got=repr(name))


def matches(path: str, pattern: str) -> bool:
    """Whether a pattern matches a path, or the path of a part that contains what is there.

    `*` stands for any text, also across parts, `?` for one character, `[ab]` for one of several.

    Example:
        >>> matches("block1/conv1/weight", "*/conv1"), matches("conv1/weight", "conv*")
        (True, True)
    """
    return fnmatchcase(path, pattern) or any(fnmatchcase(above, pattern) for above in _above(path))


def outermost(path: str, pattern: str) -> bool:
    """Whether a pattern matches a path itself, and no part that contains what is there.

    Example:
        >>> outermost("conv1", "conv*"), outermost("conv1/weight", "conv*")
        (True, False)
    """
    return fnmatchcase(path, pattern) and not any(fnmatchcase(above, pattern) for above in _above(path))


def _above(path: str) -> list[str]:
    """The paths of the parts that contain what is at a path, the outermost first."""
    pieces = path.split("/")
    return ["/".join(pieces[:count]) for count in range(1, len(pieces))]
