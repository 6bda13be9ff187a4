"""Layers that look at a picture as a plane: an affine map of it, and features laid out as positions, and back."""

import itertools
import math
from collections.abc import Collection, Mapping
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from netwright.errors import NetError
from netwright.fields import at_least
from netwright.net.leaf import Kept, Span, Unfit
from netwright.net.part import Leaf
from netwright.net.run.padding import NO_LENGTHS, Lengths, filled, length_of
from netwright.sizes.size import Size, same


class SpatialTransformer(Leaf):
    """A picture under an affine map that the net computes: y at (u, v) is x at (a u + b v + c, d u + e v + f).

    Places go from −1 to 1 across the picture, from edge to edge, u to the right and v down; (a, b, c, d, e, f) are the
    transform, and (1, 0, 0, 0, 1, 0) is the picture as it is. Between pixels x is linear, outside of the picture 0. So
    a net can turn what it looks at, move it and make it larger, and learns how by gradients.

    Shapes: input (h, w, c), transform (6,), output (h, w, c), or (*size, c).

    Fields:
        size: height and width of the output; None, the default, those of the input.

    Raises: NetError for a size that is not two whole numbers of at least 1.

    Example:
        >>> import netwright as nw
        >>> picture, mirror = nw.batch([[[[1.0], [2.0], [3.0]]]]), nw.batch([[-1.0, 0, 0, 0, 1, 0]])
        >>> nw.SpatialTransformer()({"input": picture, "transform": mirror}).flatten().round().tolist()
        [3.0, 2.0, 1.0]

    Source: Jaderberg et al. 2015, arXiv 1506.02025
    Torch: torch.nn.functional.affine_grid, then grid_sample
    """

    size: tuple[int, int] | None = None
    ports = "input: h w c, transform: 6 -> output: high wide c"
    needs_float32 = True
    family = "shape"

    def __post_init__(self) -> None:
        if self.size is not None and not (len(self.size) == 2 and all(type(n) is int and n > 0 for n in self.size)):
            raise NetError(
                what="a size is a height and a width, whole numbers of at least 1",
                where="SpatialTransformer",
                got=repr(self.size),
                mend="nw.SpatialTransformer((28, 28))",
            )

    def relate(self, known: Mapping[str, Any]) -> dict[str, Any]:
        if self.size is not None:
            return {"high": self.size[0], "wide": self.size[1]}
        return {"high": known["h"], "wide": known["w"], "h": known["high"], "w": known["wide"]}

    def keeps(self, sizes: Mapping[str, Any], wanted: Collection[str]) -> Kept:
        places = 4 * sizes["high"] * sizes["wide"]
        return Kept(inputs=("input",), bytes=5 * places, in_use=5 * places)  # 2 of a place in x, 3 of one in y

    def forward(
        self, w: Mapping[str, Tensor], x: Tensor, transform: Tensor, *, lengths: Lengths = NO_LENGTHS
    ) -> Tensor:
        axes: list[Tensor] = []
        scales: list[Tensor | None] = []
        for axis, name in enumerate(("h", "w")):
            length, size = length_of(lengths, name), x.shape[axis + 1]
            x = filled(x, length, 0.0, axis + 1)  # (b, h, w, c)
            count = size if self.size is None else self.size[axis]
            length = None if length is None else length.to(x.dtype).unsqueeze(-1)  # (b, 1)
            own = count if length is None or self.size is not None else length
            places = torch.arange(count, device=x.device, dtype=x.dtype)
            axes.append(((2 * places + 1) / own - 1).expand(x.shape[0], count))  # (b, count)
            scales.append(None if length is None else (length / size).unsqueeze(-1))  # (b, 1, 1)
        down, across = axes
        shape = (x.shape[0], down.shape[1], across.shape[1])
        u, v = across.unsqueeze(1).expand(shape), down.unsqueeze(2).expand(shape)
        points = torch.stack([u, v, torch.ones_like(u)], -1).flatten(1, 2)  # (b, high wide, 3)
        found = (points @ transform.unflatten(1, (2, 3)).movedim(1, 2)).unflatten(1, shape[1:])  # (b, high, wide, 2)
        if lengths:  # from places in the example to places in the batch, which is as large as its largest example
            placed = [found[..., 0], found[..., 1]]
            for i, scale in enumerate(reversed(scales)):
                placed[i] = placed[i] if scale is None else (placed[i] + 1) * scale - 1
            found = torch.stack(placed, -1)
        y = F.grid_sample(x.movedim(-1, 1), found, align_corners=False)  # (b, c, h, w) -> (b, c, high, wide)
        return y.movedim(1, -1)  # (b, high, wide, c)


class PixelShuffle(Leaf):
    """Features laid out as positions (depth to space): a grid `factor` times as large along every axis.

    y_(factor·p + i, k) = x_(p, k·factorʳ + i), where i counts the factorʳ places of a block of r axes, the last axis
    fastest. A convolution before it learns to make pictures larger, at the cost of small ones.

    Shapes: input (*s, c), output (*factor·s, c / factorʳ).

    Fields:
        factor: how many times larger the grid becomes; 2.

    Raises:
        NetError: a factor that is not a whole number of at least 1.
        SizeError: features that are no multiple of factorʳ.

    Example:
        >>> import netwright as nw
        >>> nw.Chain(nw.Conv(12, 3, padding="same"), nw.PixelShuffle(), input=(14, 14, 8)).plan.outputs
        {'output': (28, 28, 3)}

    Source: Shi et al. 2016, arXiv 1609.05158
    Torch: torch.nn.PixelShuffle, whose features come first
    """

    factor: int = 2
    ports = "*s c -> *t d"
    ignores_padding = True
    family = "shape"

    def __post_init__(self) -> None:
        at_least(1, self.factor, "a factor", "PixelShuffle")

    def relate(self, known: Mapping[str, Any]) -> dict[str, Any]:
        return _related(known, self.factor, ("s", "c"), ("t", "d"))

    def keeps(self, sizes: Mapping[str, Any], wanted: Collection[str]) -> Kept:
        return Kept()

    def reach(self, training: bool) -> Mapping[str, Span]:
        return {"input": (-math.inf, math.inf)}

    def forward(self, w: Mapping[str, Tensor], x: Tensor) -> Tensor:
        rank = x.ndim - 2
        x = x.unflatten(-1, (x.shape[-1] // self.factor**rank, *(self.factor,) * rank))  # (b, *s, d, *block)
        order = (*itertools.chain(*((1 + i, 2 + rank + i) for i in range(rank))), 1 + rank)
        x = x.permute(0, *order)  # (b, s₁, block₁, s₂, block₂, …, d)
        sizes = [x.shape[1 + 2 * i] * self.factor for i in range(rank)]
        return x.reshape(x.shape[0], *sizes, x.shape[-1])  # (b, *t, d)


class PixelUnshuffle(Leaf):
    """Positions laid out as features (space to depth): a grid `factor` times smaller along every axis.

    x_(p, k·factorʳ + i) = y_(factor·p + i, k): the way back from `nw.PixelShuffle`, which loses nothing.

    Shapes: input (*s, c), output (*s / factor, c · factorʳ).

    Fields:
        factor: how many times smaller the grid becomes; 2.

    Raises:
        NetError: a factor that is not a whole number of at least 1.
        SizeError: an axis that is no multiple of the factor.

    Example:
        >>> import netwright as nw
        >>> nw.Chain(nw.PixelUnshuffle(), input=(28, 28, 3)).plan.outputs
        {'output': (14, 14, 12)}

    Source: Shi et al. 2016, arXiv 1609.05158
    Torch: torch.nn.PixelUnshuffle, whose features come first
    """

    factor: int = 2
    ports = "*s c -> *t d"
    ignores_padding = True
    family = "shape"

    def __post_init__(self) -> None:
        at_least(1, self.factor, "a factor", "PixelUnshuffle")

    def relate(self, known: Mapping[str, Any]) -> dict[str, Any]:
        return _related(known, self.factor, ("t", "d"), ("s", "c"))

    def keeps(self, sizes: Mapping[str, Any], wanted: Collection[str]) -> Kept:
        return Kept()

    def reach(self, training: bool) -> Mapping[str, Span]:
        return {"input": (-math.inf, math.inf)}

    def forward(self, w: Mapping[str, Tensor], x: Tensor) -> Tensor:
        rank = x.ndim - 2
        blocks = itertools.chain(*((n // self.factor, self.factor) for n in x.shape[1:-1]))
        x = x.reshape(x.shape[0], *blocks, x.shape[-1])  # (b, *s, c) -> (b, t₁, block₁, t₂, block₂, …, c)
        order = (*range(1, 2 * rank, 2), 2 * rank + 1, *range(2, 2 * rank + 1, 2))
        return x.permute(0, *order).flatten(1 + rank)  # (b, *t, c, *block) -> (b, *t, d)


def _related(known: Mapping[str, Any], factor: int, few: tuple[str, str], many: tuple[str, str]) -> dict[str, Any]:
    """The sizes of a small grid of many features, named `few`, and of the large grid of few, from each other."""
    given = known[few[0]] if known[few[0]] is not None else known[many[0]]
    if given is None:
        return {}
    rank = len(given)
    small: tuple[Size | None, ...] = known[few[0]] or (None,) * rank
    large: tuple[Size | None, ...] = known[many[0]] or (None,) * rank
    whole = [None if n is None else _divided(n, factor, "an axis of its grid is") for n in large]
    deep, flat, block = known[few[1]], known[many[1]], factor**rank
    return {
        few[0]: tuple(whole),
        many[0]: tuple(None if n is None else n * factor for n in small),
        few[1]: None if flat is None else flat * block,
        many[1]: None if deep is None else _divided(deep, block, "its features are"),
    }


def _divided(n: Size, factor: int, what: str) -> Size:
    found = n // factor
    if not same(found * factor, n):
        raise Unfit(f"{what} no multiple of its factor", expected=f"a multiple of {factor}", got=str(n))
    return found
