"""What a column's codec gives as features, numbers side by side, and which values of a table are missing."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from netwright.codecs.category import Category
from netwright.codecs.codec import Codec, by_row
from netwright.codecs.numeric import described, is_array, plain_number
from netwright.errors import DataError, NetError
from netwright.sizes.notation import UNKNOWN, Axis, port

NOTHING = ("NAType", "NaTType")  # the classes of pandas' own missing values


def is_missing(value: Any) -> bool:
    """Whether a cell of a table holds no value: None, NaN, or what pandas and numpy have in their place.

    Example:
        >>> [is_missing(value) for value in (None, float("nan"), 0, "")]
        [True, True, False, False]
    """
    if value is None or type(value).__name__ in NOTHING:
        return True
    if isinstance(value, np.datetime64 | np.timedelta64):
        return bool(np.isnat(value))
    return isinstance(value, float | np.floating) and bool(np.isnan(value))


def missing_of(raws: Sequence[Any]) -> np.ndarray[Any, Any]:
    """Which values of a column are missing, (n,)."""
    if is_array(raws) and raws.ndim == 1 and str(raws.dtype).removeprefix("torch.").startswith("float"):
        return np.isnan(np.asarray(raws))
    return np.fromiter((is_missing(plain_number(raw)) for raw in raws), bool, len(raws))


def width_of(codec: Codec) -> int | None:
    """How many features a codec gives; None where it must learn that first.

    Raises: NetError for a codec that gives anything else than numbers side by side, or an index.
    """
    sizes = port(codec.encoded)
    if isinstance(codec, Category):
        return len(codec.names) if codec.fitted else None
    axes = [axis for axis in sizes.axes if isinstance(axis, Axis)]
    if sizes.below is None and len(sizes.axes) == len(axes) == 1 and axes[0].name in ("", UNKNOWN):
        return None if axes[0].name else axes[0].times
    raise NetError(
        what="the codec of a column gives a number, numbers side by side, or a class",
        expected="such as nw.Number(), nw.Boolean(), nw.Category() or nw.Vector(3)",
        got=repr(codec),
    )


def features_of(codec: Codec, raws: Sequence[Any]) -> Tensor:
    """The features of many values, (n, width): what the codec prepares; of a category a 1 for its label.

    A label that the category does not know has zeros only.

    Raises: DataError for a value that the codec refuses, with its row.
    """
    if not isinstance(codec, Category):
        encoded = codec.encode_all(raws)
        assert isinstance(encoded, Tensor)  # its sizes are known
        return codec.prepare(encoded).float()
    places = _places(codec.names)
    kinds = {kind for kind, _ in places}
    values = map(plain_number, raws.tolist() if is_array(raws) else raws)
    index = torch.tensor([*by_row(values, lambda value: _place(value, places, kinds))], dtype=torch.int64, device="cpu")
    hot = torch.zeros(len(index), len(codec.names), dtype=torch.float32, device="cpu")
    known = index >= 0
    hot[known.nonzero()[:, 0], index[known]] = 1
    return hot


def features_of_one(codec: Codec, raw: Any) -> Tensor:
    """The features of one value, (width,); an error names no row."""
    try:
        return features_of(codec, [raw])[0]
    except DataError as error:
        raise error.changed(where=error.where.removeprefix("row 0").removeprefix(", ")) from None


def _places(labels: Sequence[Any]) -> dict[tuple[type, Any], int]:
    """The place of each label, with its type; of a whole number as a float too, as frames have it beside NaN."""
    found = {(type(label), label): place for place, label in enumerate(labels)}
    for place, label in enumerate(labels):
        if type(label) is int:
            found.setdefault((float, float(label)), place)
        elif type(label) is float and label.is_integer():
            found.setdefault((int, int(label)), place)
    return found


def _place(value: Any, places: Mapping[tuple[type, Any], int], kinds: Collection[type]) -> int:
    """The place of a label; −1 for one that is not known.

    Raises: DataError for a value of another type than that of all labels.
    """
    if type(value) not in kinds:
        (kind, label), *_ = places
        raise DataError(
            what="the value has another type than the labels of the column",
            expected=f"{kind.__name__}, such as {label!r}",
            got=described(value),
        )
    return places.get((type(value), value), -1)
