"""Brings published weights to the paths of a net, by a table of names; everything that does not fit is listed."""

import re
import sys
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, cast

import torch
from torch import Tensor

from netwright.errors import FileError
from netwright.models.pretrained.files import shown_text
from netwright.net.part import Net
from netwright.value import Value

SHOWN = 6  # names of a list that an error shows
LONG = 80  # characters of a word that an error shows as it stands
MOST = 2**31 - 1  # the largest size
FLOATS = (torch.float32, torch.float16, torch.bfloat16, torch.float64)


class From(Value):
    """Where an array comes from: a tensor's name, and the function that turns the tensor into the array."""

    name: str
    change: Callable[[Tensor], Tensor] | None = None


def filled_arrays(
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
            if tensor.dtype in FLOATS and tensor.ndim:
                arrays[path] = tensor if source.change is None else source.change(tensor)
    other = [source.name for path, source in table.items() if source.name in tensors and path not in arrays]
    wrong = [
        f"{table[path].name} {tuple(array.shape)} for {path} {known}"
        for path, array in arrays.items()
        if tuple(array.shape) != (known := net.plan.arrays[path].known)
    ]
    for word, names in (
        ("not there", missing),
        ("without a place", left),
        ("no floats", other),
        ("of another size", wrong),
    ):
        if names:
            more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
            faults.append(f"{len(names)} {word}: {', '.join(map(shown_text, names[:SHOWN]))}{more}")
    if faults:
        raise FileError(
            what="the weights are not those of the net that the configuration describes",
            where=where,
            expected=f"{len(table)} arrays",
            got="; ".join(faults),
        )
    return net.with_arrays(arrays)


def linear_entries(path: str, name: str, *, bias: bool = True) -> dict[str, From]:
    """The arrays of a linear layer or a norm: `weight`, and `bias` where there is one."""
    return {f"{path}/{array}": From(f"{name}.{array}") for array in ("weight", *(["bias"] if bias else []))}


def blocks(count: int, names: Mapping[str, str], name: str, *, bias: bool = True) -> dict[str, From]:
    """The same for layers of every block: from paths below `blocks/1` and so on to names below `name`0 and so on."""
    found: dict[str, From] = {}
    for i in range(count):
        for ours, theirs in names.items():
            found |= linear_entries(f"blocks/{i + 1}/{ours}", f"{name}{i}.{theirs}", bias=bias)
    return found


def check_blocks(count: int, name: str, tensors: Collection[str], where: str) -> None:
    """Refuse a number of blocks for which there are no tensors, before so many are built.

    Raises: FileError.
    """
    found = {match[1] for key in tensors if (match := re.match(rf"{re.escape(name)}(\d+)\.", key))}
    if len(found) != count:
        raise FileError(
            what="the weights are not those of the net that the configuration describes",
            where=where,
            expected=f"{count} blocks, whose tensors are called {name}0.… and so on",
            got=f"tensors of {len(found)}",
        )


class Config:
    """The fields of a published file, and which of them were read: a field that was not read is refused at the end.

    A field that is `null` counts as absent.

    Raises: FileError for a field that is missing or of another type.
    """

    def __init__(self, plain: Mapping[str, Any], where: str) -> None:
        self.plain, self.where = plain, where
        self._asked: set[str] = set()

    def whole(self, name: str, default: int | None = None) -> int:
        """A whole number of at least 1, and no larger than a size can be."""
        value = self._said(name, default)
        if type(value) is not int or not 1 <= value <= MOST:
            raise self._fault(name, f"a whole number of 1 to {MOST}", value)
        return value

    def number(self, name: str, default: float | None = None) -> float:
        """A finite number above 0."""
        value = self._said(name, default)
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= sys.float_info.max:
            raise self._fault(name, "a number above 0", value)
        return float(value)

    def yes(self, name: str, default: bool) -> bool:
        """Yes or no."""
        value = self._said(name, default)
        if not isinstance(value, bool):
            raise self._fault(name, "true or false", value)
        return value

    def choice(self, name: str, choices: Mapping[Any, Any], default: Any = None) -> Any:
        """The value for a field that is one of these words or numbers."""
        value = self._said(name, default)
        if type(value) not in {str, int} or value not in choices:
            raise self._fault(name, "one of " + ", ".join(map(str, choices)), value)
        return choices[value]

    def refuse(self, name: str, *usual: Any) -> None:
        """Refuse a field that has not its usual value: our nets do not support another."""
        value = self._said(name, ())
        if value != () and not any(type(value) is type(one) and value == one for one in usual):
            raise self._fault(name, " or ".join(map(repr, usual)) or "nothing", value)

    def pair(self, name: str, default: tuple[int, int] | None = None) -> tuple[int, int]:
        """Height and width: two numbers, or one for both."""
        value = self._said(name, default)
        both = value if isinstance(value, list | tuple) else (value, value)
        if len(cast(Sequence[Any], both)) != 2 or not all(type(size) is int and 1 <= size <= MOST for size in both):
            raise self._fault(name, f"a whole number of 1 to {MOST}, or two", value)
        return both[0], both[1]

    def numbers(self, name: str, count: int, default: float) -> tuple[float, ...]:
        """So many finite numbers, or one for all."""
        value = self._said(name, default)
        many = cast(Sequence[Any], value) if isinstance(value, list) else [value] * count
        if len(many) != count or not all(type(n) in {int, float} and abs(n) <= sys.float_info.max for n in many):
            raise self._fault(name, f"{count} numbers", value)
        return tuple(map(float, many))

    def indices(self, name: str) -> tuple[int, ...]:
        """Whole numbers from 0, one or several; an empty tuple where the field is absent."""
        value = self._said(name, ())
        many = cast(Sequence[Any], value) if isinstance(value, list | tuple) else (value,)
        if not all(type(index) is int and 0 <= index <= MOST for index in many):
            raise self._fault(name, f"whole numbers of 0 to {MOST}", value)
        return tuple(many)

    def texts(self, name: str) -> list[str]:
        """Several texts."""
        value = self._said(name, None)
        if not isinstance(value, list) or not all(isinstance(text, str) for text in cast(list[Any], value)):
            raise self._fault(name, "a list of texts", value)
        return cast(list[str], value)

    def mention(self, name: str) -> Any:
        """A field of any type, unchecked; it counts as read."""
        return self._said(name, False) if self.plain.get(name) is not None else None

    def mapping(self, name: str) -> Mapping[str, Any]:
        """Fields within a field; empty where the field is absent."""
        value = self._said(name, {})
        if not isinstance(value, Mapping):
            raise self._fault(name, "fields by name", value)
        return cast(Mapping[str, Any], value)

    def group(self, name: str) -> "Config":
        """Fields within a field, to be asked for like those of a file."""
        return Config(self.mapping(name), f"{self.where}, {name}")

    def finish(self, harmless: Collection[str] = ()) -> None:
        """Refuse fields that were not read and are not known to be harmless: they would be ignored in silence."""
        left = [name for name, value in self.plain.items() if value is not None and name not in self._asked]
        unknown = [name for name in left if name not in harmless]
        if unknown:
            more = f" and {len(unknown) - SHOWN} more" if len(unknown) > SHOWN else ""
            raise FileError(
                what="this says what no net of ours does, or what is not known to be harmless",
                where=self.where,
                got=", ".join(f"{shown_text(name)}: {shown_text(self.plain[name])}" for name in unknown[:SHOWN]) + more,
            )

    def _said(self, name: str, default: Any) -> Any:
        self._asked.add(name)
        value = self.plain.get(name)
        if value is None and default is None:
            raise self._fault(name, "to be said", None)
        return default if value is None else value

    def _fault(self, name: str, expected: str, got: Any) -> FileError:
        return FileError(
            what=f"no net follows from {name!r} in this configuration",
            where=self.where,
            expected=expected,
            got=repr(got) if isinstance(got, str) and len(got) < LONG and got.isprintable() else shown_text(got),
        )
