"""Brings published weights to the paths of a net, by a table of names; what does not fit is listed, all of it."""

import re
from collections.abc import Callable, Collection, Mapping
from typing import Any

from torch import Tensor

from netwright.errors import FileError
from netwright.net.part import Net
from netwright.value import Value

SHOWN = 6  # names of a list that an error shows


class From(Value):
    """Where an array comes from: a tensor's name, and what makes it the array."""

    name: str
    change: Callable[[Tensor], Tensor] | None = None


def filled(
    net: Net, tensors: Mapping[str, Tensor], table: Mapping[str, From], unread: Collection[str], where: str
) -> Net:
    """The net with the arrays that the table finds among tensors.

    Fields:
        table: from paths of the net to tensors.
        unread: patterns of names that are no arrays of the net, such as buffers.
        where: what the tensors are from, for errors.

    Raises: FileError that lists the tensors that are not there, those that have no place, and those of another size.
    """
    faults: list[str] = []
    missing = [source.name for source in table.values() if source.name not in tensors]
    read = {source.name for source in table.values()}
    ignored = re.compile("|".join(unread) or "(?!)")
    left = [name for name in tensors if name not in read and not ignored.fullmatch(name)]
    arrays: dict[str, Tensor] = {}
    for path, source in table.items():
        if source.name in tensors:
            tensor = tensors[source.name]
            arrays[path] = tensor if source.change is None else source.change(tensor)
    wrong = [
        f"{table[path].name} {tuple(array.shape)} for {path} {known}"
        for path, array in arrays.items()
        if tuple(array.shape) != (known := net.plan.arrays[path].known)
    ]
    for word, names in (("not there", missing), ("without a place", left), ("of another size", wrong)):
        if names:
            more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
            faults.append(f"{len(names)} {word}: {', '.join(names[:SHOWN])}{more}")
    if faults:
        raise FileError(
            what="the weights are not those of the net that the configuration describes",
            where=where,
            expected=f"{len(table)} arrays",
            got="; ".join(faults),
        )
    return net.with_arrays(arrays)


def linear(path: str, name: str, *, bias: bool = True) -> dict[str, From]:
    """The arrays of a linear layer or a norm: `weight`, and `bias` where there is one."""
    return {f"{path}/{array}": From(f"{name}.{array}") for array in ("weight", *(["bias"] if bias else []))}


def blocks(count: int, names: Mapping[str, str], name: str, *, bias: bool = True) -> dict[str, From]:
    """The same for layers of every block: from paths below `blocks/1` and so on to names below `name`0 and so on."""
    found: dict[str, From] = {}
    for i in range(count):
        for ours, theirs in names.items():
            found |= linear(f"blocks/{i + 1}/{ours}", f"{name}{i}.{theirs}", bias=bias)
    return found


class Config:
    """A configuration as published: numbers and words by name.

    Raises: FileError for what it does not say, or says in another kind.
    """

    def __init__(self, plain: Mapping[str, Any], where: str) -> None:
        self.plain, self.where = plain, where

    def whole(self, name: str, default: int | None = None) -> int:
        """A whole number of at least 1."""
        value = self._said(name, default)
        if type(value) is not int or value < 1:
            raise self._fault(name, "a whole number of at least 1", value)
        return value

    def number(self, name: str, default: float | None = None) -> float:
        """A number above 0."""
        value = self._said(name, default)
        if isinstance(value, bool) or not isinstance(value, int | float) or not value > 0:
            raise self._fault(name, "a number above 0", value)
        return float(value)

    def yes(self, name: str, default: bool) -> bool:
        """Yes or no."""
        value = self.plain.get(name, default)
        if not isinstance(value, bool):
            raise self._fault(name, "true or false", value)
        return value

    def choice(self, name: str, choices: Mapping[str, Any], default: str | None = None) -> Any:
        """What one of these words stands for."""
        value = self._said(name, default)
        if value not in choices:
            raise self._fault(name, "one of " + ", ".join(choices), value)
        return choices[value]

    def refuse(self, name: str, *usual: Any) -> None:
        """Refuse what is said under a name, if it is not usual: nets of ours do not do it."""
        value = self.plain.get(name)
        if value is not None and value not in usual:
            raise self._fault(name, " or ".join(map(repr, usual)) or "nothing", value)

    def _said(self, name: str, default: Any) -> Any:
        value = self.plain.get(name)
        if value is None and default is None:
            raise self._fault(name, "to be said", None)
        return default if value is None else value

    def _fault(self, name: str, expected: str, got: Any) -> FileError:
        return FileError(
            what=f"no net follows from {name!r} in this configuration",
            where=self.where,
            expected=expected,
            got="nothing" if got is None else repr(got)[:100],
        )
