"""Reads one row of what a user gave, and says which one does not fit."""

import re
from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Any, Protocol, SupportsInt

import numpy as np
import torch

from netwright.errors import DataError, did_you_mean
from netwright.value import Value


class RowPorts(Value):
    """The names of the values an example has: what goes in, and what the loss compares with.

    `spare` are names that an example may have besides, and that are not read.
    """

    inputs: tuple[str, ...]
    targets: tuple[str, ...]
    spare: tuple[str, ...] = ()

    @cached_property
    def all(self) -> tuple[str, ...]:
        return self.inputs + self.targets

    @cached_property
    def paired(self) -> bool:
        """Whether a pair is a whole row: one input, one target."""
        return len(self.inputs) == len(self.targets) == 1

    def check(self, given: Iterable[Any], where: str) -> None:
        """Raises `DataError` unless exactly these ports are given, and perhaps spare ones."""
        names = list(given)
        if tuple(names) == self.all:
            return
        names = [name for name in names if name in self.all or name not in self.spare]
        for name in names:
            if name not in self.all:
                missing = [port for port in self.all if port not in names]
                raise DataError(
                    what=f"the net has no port {name!r}",
                    where=where,
                    expected=f"the ports {self}",
                    mend=did_you_mean(str(name), missing or self.all) or f"leave {name!r} out",
                )
        for port in self.all:
            if port not in names:
                raise DataError(
                    what=f"the port {port!r} is missing",
                    where=where,
                    expected=f"the ports {self}",
                    got=", ".join(map(repr, names)) or "none",
                )

    def __str__(self) -> str:
        return ", ".join(map(repr, self.all))


class ByIndex(Protocol):
    """The numbers of examples, looked up by their indices."""

    def __getitem__(self, index: int, /) -> SupportsInt: ...


def row_to_ports(row: Any, ports: RowPorts, where: str) -> dict[str, Any]:
    """One row by port: a dict of them, a pair, or, where there is one port, the value itself."""
    if ports.paired and isinstance(row, tuple | list) and len(row) == 2:
        return dict(zip(ports.all, row, strict=True))
    if isinstance(row, (dict, Mapping)) and (len(ports.all) > 1 or set(row) == set(ports.all)):
        ports.check(row.keys(), where)
        return {port: row[port] for port in ports.all}
    if len(ports.all) == 1:
        return {ports.all[0]: row}
    mend = () if ports.paired else (f"{{{', '.join(f'{port!r}: …' for port in ports.all)}}}",)
    if ports.paired and isinstance(row, np.ndarray | torch.Tensor):
        mend = ("a tuple, if these are columns: (inputs, targets)",)
    raise DataError(
        what="a row is not a pair (input, target)" if ports.paired else "a row does not name its ports",
        where=where,
        expected=f"a pair, or a dict with {ports}" if ports.paired else f"a dict with {ports}",
        got=row_kind(row),
        mend=mend,
    )


def row_kind(value: Any) -> str:
    """What a value is, in a few words for a message."""
    if isinstance(value, np.ndarray):
        return f"array {value.shape} {value.dtype}"
    if isinstance(value, torch.Tensor):
        return f"tensor {tuple(value.shape)} {str(value.dtype).removeprefix('torch.')}"
    if isinstance(value, list | tuple):
        return f"{type(value).__name__} of {len(value)}"
    return type(value).__name__


def at_rows(error: DataError, rows: ByIndex) -> DataError:
    """The same error with its row as the user counts: row i of these examples is `rows[i]` of what was given."""
    where = re.sub(r"(\brow \(?)(\d+)", lambda found: f"{found[1]}{int(rows[int(found[2])])}", error.where, count=1)
    return error.changed(where=where)


def same_value(left: Any, right: Any) -> bool:
    """Whether two values of rows are equal in type and content, NaN to NaN too."""
    if type(left) is not type(right):
        return False
    if isinstance(left, torch.Tensor | np.ndarray):
        alike = left.dtype == right.dtype and left.shape == right.shape
        return alike and bool(((left == right) | ((left != left) & (right != right))).all())
    if isinstance(left, Mapping):
        return left.keys() == right.keys() and all(same_value(value, right[name]) for name, value in left.items())
    if isinstance(left, list | tuple):
        return len(left) == len(right) and all(map(same_value, left, right))
    return bool(left == right) or bool(left != left and right != right)
