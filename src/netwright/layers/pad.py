"""Borders around an example: of one value, mirrored, repeated, or from its other end."""

import math
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Literal, TypeAlias, cast, get_args

import torch
import torch.nn.functional as F
from torch import Tensor

from netwright.errors import NetError, did_you_mean
from netwright.net.leaf import Kept, Span, Unfit
from netwright.net.part import Leaf, shared_repr
from netwright.net.run.padding import NO_LENGTHS, Lengths, filled, lengths_of, picked_elements
from netwright.sizes.size import Size
from netwright.value import literal

Border: TypeAlias = Literal["constant", "reflect", "replicate", "circular"]


class Pad(Leaf):
    """A border around an example: `nw.Pad((1, 1), (2, 0))` is 1 above, 1 below, 2 at the left.

    Shapes: input (*s,), output: s with before + after more along every axis that is named.

    Fields:
        amounts: (before, after) in positions for the first axes of the example, one pair each; axes without a pair
            stay as they are, so a picture's channels need none.
        value: what a constant border holds; 0, the mean of standardized data.
        mode: `"constant"`; `"reflect"`, the example mirrored at its first and last element, which are not repeated;
            `"replicate"`, the first and the last element again and again; `"circular"`, the other end of the example.

    Raises:
        NetError: what is not pairs of whole numbers of at least 0, another mode, a value with a mode that has none.
        SizeError: the input has fewer axes, or an axis is shorter than what its border repeats.
        DataError: an axis of varying size is shorter than what its border repeats.

    Example:
        >>> import netwright as nw
        >>> nw.Pad((2, 1), mode="reflect")(nw.batch([[1.0, 2.0, 3.0]])).tolist()
        [[3.0, 2.0, 1.0, 2.0, 3.0, 2.0]]

    Torch: torch.nn.ConstantPad2d, ReflectionPad2d, ReplicationPad2d, CircularPad2d and their like
    """

    amounts: tuple[tuple[int, int], ...]
    value: float = 0.0
    mode: Border = "constant"
    ports = "*s -> *t"
    family = "shape"

    def __init__(self, *amounts: tuple[int, int], value: float = 0.0, mode: Border = "constant") -> None:
        object.__setattr__(self, "amounts", amounts)
        object.__setattr__(self, "value", value)
        object.__setattr__(self, "mode", mode)
        self.__post_init__()

    def __post_init__(self) -> None:
        if not self.amounts or not all(map(_is_pair, self.amounts)):
            raise NetError(
                what="padding is (before, after) for the first axes, whole numbers of at least 0",
                where="Pad",
                got=repr(self.amounts),
                mend="nw.Pad((1, 1), (1, 1)) for a picture",
            )
        if self.mode not in get_args(Border):
            raise NetError(
                what="there is no such border",
                where="Pad",
                expected=", ".join(map(repr, get_args(Border))),
                got=repr(self.mode),
                mend=did_you_mean(self.mode, get_args(Border)),
            )
        if self.mode != "constant" and self.value:
            raise NetError(
                what=f"a border of mode {self.mode!r} holds what the example holds, and no value",
                where="Pad",
                got=f"value={self.value!r}",
                mend="leave value out",
            )

    def relate(self, known: Mapping[str, Any]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for side, other, sign in (("s", "t", 1), ("t", "s", -1)):
            sizes = known[side]
            if sizes is None:
                continue
            if len(sizes) < len(self.amounts):
                raise Unfit(
                    "it pads more axes than there are", expected=f"{len(self.amounts)} or more", got=str(len(sizes))
                )
            added = [before + after for before, after in self.amounts] + [0] * (len(sizes) - len(self.amounts))
            found[other] = tuple(None if n is None else n + sign * more for n, more in zip(sizes, added, strict=True))
        return found | self._enough(known["s"])

    def _enough(self, s: Sequence[Size | None] | None) -> dict[str, Any]:
        """For every padded axis a size that is 1 or more exactly where there are elements enough for its border."""
        more = {"reflect": 1, "circular": 0}.get(self.mode)
        if more is None or s is None:
            return {}
        found: dict[str, Any] = {}
        for axis, (n, pair) in enumerate(zip(s, self.amounts, strict=False)):
            least = max(pair) + more
            if isinstance(n, int) and n < least:
                raise Unfit(
                    "an axis is shorter than what its border repeats",
                    expected=f"{least} elements or more along axis {axis}",
                    got=str(n),
                )
            if n is not None and any(pair):
                found[f"enough{axis}"] = n - least + 1
        return found

    def keeps(self, sizes: Mapping[str, Any], wanted: Collection[str]) -> Kept:
        return Kept()

    def forward(self, w: Mapping[str, Tensor], x: Tensor, *, lengths: Lengths = NO_LENGTHS) -> Tensor:
        ends = lengths_of(lengths, "s", x.ndim - 1)
        if self.mode != "constant":
            for i, (before, after) in enumerate(self.amounts):
                if before or after:
                    x = self._repeated(x, i + 1, before, after, ends[i])  # (b, *s) -> (b, *t)
            return x
        amounts = [*self.amounts, *[(0, 0)] * (x.ndim - 1 - len(self.amounts))]
        y = F.pad(x, [side for pair in reversed(amounts) for side in pair], value=self.value)  # (b, *s) -> (b, *t)
        for i, length in enumerate(ends):
            before, after = amounts[i]
            if length is not None and after:
                y = filled(y, length + before, self.value, i + 1)  # (b, *t)
        return y

    def _repeated(self, x: Tensor, axis: int, before: int, after: int, length: Tensor | None) -> Tensor:
        """The border of one axis from the elements of that axis."""
        places = torch.arange(-before, x.shape[axis] + after, device=x.device)  # (t,)
        end = x.shape[axis] - 1 if length is None else (length - 1).unsqueeze(-1)  # or (b, 1)
        if self.mode == "circular":
            places = places % (end + 1)
        elif self.mode == "reflect":
            places = end - (end - places.abs()).abs()
        places = places.clamp_min(0)  # (t,), or (b, t); behind a padded end there may be any element
        if isinstance(end, int):
            return x.index_select(axis, places.clamp_max(end))  # (b, ..., s, ...) -> (b, ..., t, ...)
        return picked_elements(x, places.minimum(end), axis)  # (b, ..., s, ...) -> (b, ..., t, ...)

    def reach(self, training: bool) -> Mapping[str, Span | tuple[Span, ...]]:
        return {"input": tuple(self._reach_along(before, after) for before, after in self.amounts)}

    def _reach_along(self, before: int, after: int) -> Span:
        if self.mode == "constant" or not (before or after):
            return -before, -before
        if self.mode == "circular":
            return -math.inf, math.inf
        return (-before - 2 * after, before) if self.mode == "reflect" else (-before - after, 0)

    def __repr__(self) -> str:
        value = f", value={literal(self.value)}" if self.value else ""
        mode = f", mode={self.mode!r}" if self.mode != "constant" else ""
        return shared_repr(self, f"Pad({', '.join(map(repr, self.amounts))}{value}{mode})")


def _is_pair(pair: object) -> bool:
    sides = cast(tuple[object, ...], pair) if isinstance(pair, tuple) else ()
    return len(sides) == 2 and all(type(side) is int and side >= 0 for side in sides)
