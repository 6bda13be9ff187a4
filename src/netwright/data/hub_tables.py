"""Data sets of the package datasets of Hugging Face: many rows are read at once, as Arrow keeps them where it may."""

from collections.abc import Mapping, Sequence
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from netwright.codecs.numeric import arrayed
from netwright.data.arrow import arrow_values
from netwright.data.lazy import Rows


class HubTable(Rows):
    """The rows of a `datasets.Dataset`, in the format that it has; `select` and `shuffle` give views of it.

    Fields: `names` are those of its columns.
    """

    kind = "a datasets.Dataset"

    def __init__(self, data: Any) -> None:
        self.data: Any = data
        self.names: tuple[str, ...] = tuple(data.format["columns"])
        plain = data.format["type"] in (None, "arrow")
        features = cast(Mapping[str, Any], data.features)
        self._raw = frozenset(name for name in self.names if plain and _is_plain(features[name]))

    def __len__(self) -> int:
        return len(self.data)

    def read(self, rows: NDArray[np.int64], ports: Sequence[str]) -> Mapping[str, Sequence[Any]]:
        raw, decoded = ([port for port in ports if (port in self._raw) is wanted] for wanted in (True, False))
        found: dict[str, Any] = {}
        if raw:
            table = self.data.with_format("arrow", columns=raw)[rows.tolist()]
            found.update((port, arrow_values(table.column(port), port)) for port in raw)
        if decoded:
            kind, options = self.data.format["type"], self.data.format["format_kwargs"]
            kept = self.data.with_format(None if kind == "arrow" else kind, columns=decoded, **options)
            batch = kept[rows.tolist()]
            found.update((port, arrayed(batch[port])) for port in decoded)
        return {port: found[port] for port in ports}

    def digest(self) -> str:
        # its own digest: of the files that were loaded, and of all that was done with them since
        return f"datasets {self.data._fingerprint}"

    def same(self, other: Rows) -> bool:
        return isinstance(other, HubTable) and self.data is other.data


def hub_table(data: Any) -> HubTable | None:
    """The rows of a `datasets.Dataset`; None for anything else, and for one with a transform, which may draw at random.

    A transform is one of `with_transform` or `set_transform`, and is applied each time that a row is read.
    """
    if not _is_of_package(data, "Dataset") or data.format["type"] == "custom":
        return None
    return HubTable(data)


def hub_column(data: Any) -> tuple[HubTable, str] | None:
    """The rows and the name of a column of a `datasets.Dataset`; None for anything else."""
    rows = hub_table(data.source) if _is_of_package(data, "Column") else None
    return None if rows is None or data.column_name not in rows.names else (rows, data.column_name)


def _is_of_package(value: object, name: str) -> bool:
    """Whether it is of this class of the package datasets."""
    return any(kind.__module__.split(".")[0] == "datasets" and kind.__name__ == name for kind in type(value).__mro__)


def _is_plain(feature: Any) -> bool:
    """Whether Arrow keeps the values themselves; pictures and sounds, for example, are decoded by the package."""
    if isinstance(feature, Mapping):
        return all(map(_is_plain, cast(Mapping[str, Any], feature).values()))
    if isinstance(feature, list | tuple):
        return all(map(_is_plain, cast(Sequence[Any], feature)))
    inner = getattr(feature, "feature", None)  # of a list
    return type(feature).__name__ in ("Value", "ClassLabel") or (inner is not None and _is_plain(inner))
