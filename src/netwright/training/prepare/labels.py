"""Chooses the decoder of targets by the end of the net: probabilities are for classes, and a range is for numbers."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from math import inf
from typing import Any

import numpy as np
from torch import Tensor

from netwright.codecs.array import Array
from netwright.codecs.category import Boolean, Category
from netwright.codecs.codec import Codec
from netwright.codecs.each import Each
from netwright.codecs.label_table import distinct
from netwright.codecs.labels import Labels
from netwright.codecs.number import Number, Vector
from netwright.codecs.pieces import pieces
from netwright.data.rows import at_rows
from netwright.errors import DataError, TrainingError
from netwright.net.node import Node
from netwright.net.plan.each import user_path
from netwright.net.plan.plan import plan_of, ranked
from netwright.sizes.size import Expression, Name, Size
from netwright.sizes.unify import Row, Shape
from netwright.value import Value

SHOWN = 4  # different targets that an error shows
FORMS = {"class probabilities": "probabilities", "separate probabilities": "binary"}  # of the cross entropy of each
SLACK = 1e-3  # the most by which rounding may change a sum of probabilities
ROUNDING = 1e-6  # the most by which rounding may move a target out of a range, relative to its end, and at least 1


class NetEnd(Value):
    """The end of a net at one output.

    Fields: `path` of the last leaf, `shape` of what it gives; `form` of the cross entropy that reads it:
    `probabilities` of classes that exclude each other, as softmax gives them; `binary`, of each value by itself, as the
    logistic sigmoid does; empty for plain numbers. `logarithm` says that it gives logarithms of probabilities.
    `bounds` are its least and its greatest value; `learned` says that the leaf has arrays of its own.
    """

    path: str
    shape: Shape
    form: str
    logarithm: bool = False
    bounds: tuple[float, float] = (-inf, inf)
    learned: bool = False

    @property
    def limits(self) -> str:
        """The numbers that it gives, in words; empty where it gives all."""
        low, high = self.bounds
        if self.bounds == (-inf, inf):
            return ""
        return f"{low:g} or more" if high == inf else f"{high:g} or less" if low == -inf else f"{low:g} to {high:g}"

    @property
    def width(self) -> Size | Row | None:
        """How many values it gives along the last axis; None where that is not known."""
        return self.shape[-1] if self.shape else None


def end_of(net: Node, output: str) -> NetEnd:
    """The end at an output: the last leaf that makes values instead of only moving them."""
    plan = plan_of(net)
    leaves = {op.path: op for op in plan.wiring.leaves}
    slot = dict(plan.wiring.outputs)[output]
    path, leaf = slot[0], leaves[slot[0]].leaf if slot[0] in leaves else None
    port = slot[1]
    while leaf is not None and leaf.passes_values and len(leaves[path].reads) == 1:
        path, port = leaves[path].reads[0][1]
        leaf = leaves[path].leaf if path in leaves else None
    if leaf is None:
        return NetEnd(user_path(path), plan.shape(slot), "")
    form = FORMS.get(leaf.gives(), "")
    if form == "probabilities" and path != slot[0]:  # moved values need not be a distribution along the last axis
        form = ""
    given_state = any(name in leaf.optional_names for name, _ in leaves[path].reads)
    bounds = leaf.bounds() if port == leaf.output_names[0] and not given_state else (-inf, inf)
    return NetEnd(path, plan.shape(slot), form, leaf.gives() == "log probabilities", bounds, bool(leaf.weights()))


def target_codec(end: NetEnd, port: str, raws: Sequence[Any], first: Any) -> Codec | None:
    """The decoder for these targets if the net ends in probabilities; None if the end leaves the decoder open.

    Raises: TrainingError for targets that such a net cannot give.
    """
    label = isinstance(first, str | int) or _is_texts(first)  # True is an int
    if end.logarithm and label:
        raise TrainingError(
            what="the net ends in logarithms of probabilities, and the targets are labels",
            where=f"port {port!r}",
            expected="probabilities: the loss takes the logarithm of a softmax itself, and exactly",
            got=end.path,
            mend=f"nw.softmax in place of {end.path}",
        )
    if end.form == "probabilities":
        return _codec_after_softmax(end, port, raws, first)
    return _codec_after_sigmoid(end, port, raws, first) if end.form == "binary" else None


def codec_in_bounds(end: NetEnd, codec: Number | Vector, raws: Sequence[Any]) -> Number | Vector:
    """A decoder of numbers with the mean 0, for an end that gives only some numbers.

    Numbers that are standardized lie about 0, where such an end cannot follow them. If it gives 0 and more, so does a
    multiple of it: then the deviation is still that of the data. Otherwise it is 1.

    Raises: DataError for a target that such a net cannot give.
    """
    _check_bounds(end, codec, raws)
    return replace(codec, mean=0.0) if end.bounds == (0, inf) else replace(codec, mean=0.0, deviation=1.0)


def _check_bounds(end: NetEnd, codec: Number | Vector, raws: Sequence[Any]) -> None:
    for first, piece in pieces(raws):
        try:
            _check_piece(end, codec, piece)
        except DataError as error:
            raise at_rows(error, range(first, first + len(piece))) from None


def _check_piece(end: NetEnd, codec: Number | Vector, seen: Sequence[Any]) -> None:
    rows = codec.encode_all(seen)  # (rows, components)
    low, high = (bound + sign * ROUNDING * max(1, abs(bound)) for sign, bound in zip((-1, 1), end.bounds, strict=True))
    outside = ((rows < low) | (rows > high)).nonzero().tolist()
    if not outside:
        return
    row, component = outside[0]
    raise DataError(
        what="the end of the net cannot give this target",
        where=f"row {row}" + (f", component {component}" if isinstance(codec, Vector) else ""),
        expected=f"{end.limits}, as {end.path} gives",
        got=f"{float(rows[row, component]):g}",
        mend=(
            f"{'put nw.Linear() behind' if end.learned else 'leave out'} {end.path}, for numbers of any size",
            f"output=nw.{type(codec).__name__}(mean=…, deviation=…): the answer is then y · deviation + mean",
        ),
    )


def _codec_after_softmax(end: NetEnd, port: str, raws: Sequence[Any], first: Any) -> Codec:
    shape = _shape(first)
    rank = len(end.shape) if ranked(end.shape) else None
    if shape == () or (shape == (1,) and rank in (None, 1)):
        if isinstance(first, str | int) or _holds_for_all(raws, _are_whole):
            return Category()
    elif shape and rank in (None, len(shape)) and _holds_for_all(raws, _are_distributions):
        return Array(_sizes(end, shape))
    elif rank is not None and shape is not None and len(shape) == rank - 1 and _classes(first):
        return Each(Category())
    classes = ("output=nw.Category(), for classes",) if shape == () else ()
    raise TrainingError(
        what="the net ends in a softmax, and the targets are neither classes nor their probabilities",
        where=f"port {port!r}",
        expected="a label for each example, or a row of numbers of 0 or more that add up to 1",
        got=_shown(raws, first),
        mend=(f"leave out {end.path}, for numbers of any size", *classes),
    )


def _codec_after_sigmoid(end: NetEnd, port: str, raws: Sequence[Any], first: Any) -> Codec:
    shape = _shape(first)
    if _is_texts(first) and not isinstance(first, str):
        return Labels()
    wide = isinstance(end.width, int) and end.width != 1
    if shape in ((), (1,)) and not isinstance(first, str) and not wide:
        if _holds_for_all(raws, lambda rows: (rows == 0) | (rows == 1)):
            return Boolean()
        if _holds_for_all(raws, lambda rows: (rows >= 0) & (rows <= 1)):
            return Number(0, 1)
    elif shape and _holds_for_all(raws, lambda rows: (rows >= 0) & (rows <= 1)):
        return Array(_sizes(end, shape))
    several = "one answer, and the net gives several" if wide and shape in ((), (1,)) else _shown(raws, first)
    raise TrainingError(
        what="the net ends in a sigmoid, and the targets are not answers of yes or no",
        where=f"port {port!r}",
        expected="0 and 1, True and False, or numbers between",
        got=several,
        mend=_other_ends(end, raws, first, wide),
    )


def _other_ends(end: NetEnd, raws: Sequence[Any], first: Any, wide: bool) -> tuple[str, ...]:
    """The ends with which the net could learn such targets."""
    numbers = f"leave out {end.path}, for numbers of any size"
    if not isinstance(first, str | int):
        return (numbers,)
    count = len(distinct(raws))
    softmax = "nw.softmax" if wide else f"nw.Linear({count}), nw.softmax"
    labels = f"{softmax} in place of {end.path}, for {count} labels"
    return (labels,) if isinstance(first, str | bool) or wide else (labels, numbers)


def _is_texts(first: Any) -> bool:
    """Whether it is a text, or a list of texts."""
    if isinstance(first, list | tuple | set | frozenset):
        return bool(first) and all(isinstance(item, str) for item in first)  # pyright: ignore[reportUnknownVariableType]
    return isinstance(first, str)


def _shape(first: Any) -> tuple[int, ...] | None:
    """The number of axes of one target; None for a target that is not an array, such as a path to a picture."""
    if isinstance(first, bool | int | float | str):
        return ()
    if not isinstance(first, list | tuple | np.ndarray | Tensor):
        return None
    try:
        return np.shape(np.asarray(first))
    except ValueError:  # lists of different lengths
        return None


def _classes(first: Any) -> bool:
    return np.asarray(first).dtype.kind in "USbiu"


def _holds_for_all(raws: Sequence[Any], holds: Callable[[Any], Any]) -> bool:
    """Whether a test holds for all numbers of a column; False for a target that is not numbers."""
    return all(_holds_for(piece, holds) for _, piece in pieces(raws))


def _holds_for(seen: Sequence[Any], holds: Callable[[Any], Any]) -> bool:
    try:
        return bool(np.all(holds(np.asarray(seen, dtype=np.float64))))
    except (TypeError, ValueError):  # no numbers, or rows of different lengths
        return not isinstance(seen[0], str | int | float) and all(_holds_for(row, holds) for row in seen)


def _are_whole(rows: Any) -> Any:
    return (rows == np.round(rows)) & np.isfinite(rows)


def _are_distributions(rows: Any) -> Any:
    """Of each row along the last axis, whether it is a distribution."""
    return (rows >= 0).all(-1) & (np.abs(rows.sum(-1) - 1) < SLACK)


def _sizes(end: NetEnd, shape: tuple[int, ...]) -> str:
    """The sizes of the target; a size that has a name in the net keeps the name."""
    known = end.shape if ranked(end.shape) and len(end.shape) == len(shape) else shape
    return " ".join(kept_order(size, found) for size, found in zip(known, shape, strict=True))


def kept_order(size: Size | Row, found: int) -> str:
    """The name of a size if it has one in the net, else the size in the data."""
    named = isinstance(size, Expression) and isinstance(size.single, Name)
    return str(size) if named else str(found)


def _shown(raws: Sequence[Any], first: Any) -> str:
    """The targets in a few words."""
    if isinstance(first, str | int | float):
        different: dict[str | float, None] = {}
        for item in raws:
            different[item if isinstance(item, str) else float(item)] = None
            if len(different) > SHOWN:
                break
        found = list(different)
        texts = [repr(item) if isinstance(item, str) else f"{item:g}" for item in found[:SHOWN]]
        return ", ".join(texts) + (", …" if len(found) > SHOWN else "")
    return f"{type(first).__name__} of shape {_shape(first)}" if _shape(first) is not None else type(first).__name__
