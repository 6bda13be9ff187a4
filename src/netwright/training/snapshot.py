"""What a run needs to go on exactly where it was: arrays by name, and what JSON can hold."""

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from netwright.value import Value


class Snapshot(Value, eq=False):
    """The state of a part of a run at one moment, apart from it: later steps do not change it.

    Fields:
        arrays: copies of tensors, by name.
        plain: numbers, texts, lists and dicts of these, as JSON holds them.
    """

    arrays: Mapping[str, Tensor]
    plain: Mapping[str, Any]

    @classmethod
    def joined(cls, parts: Mapping[str, "Snapshot"]) -> "Snapshot":
        """Several as one; the names of arrays begin with the part's."""
        arrays = {f"{part}/{name}": array for part, state in parts.items() for name, array in state.arrays.items()}
        return cls(arrays, {part: dict(state.plain) for part, state in parts.items()})

    def part(self, name: str) -> "Snapshot":
        """One of those that were joined."""
        start = f"{name}/"
        arrays = {path.removeprefix(start): array for path, array in self.arrays.items() if path.startswith(start)}
        return Snapshot(arrays, self.plain[name])
