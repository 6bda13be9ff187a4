"""Boxes from the numbers that detectors with anchors give: typical boxes, which are moved and scaled."""

from collections.abc import Collection, Mapping
from typing import Any

import torch
from torch import Tensor

from netwright.errors import NetError
from netwright.fields import at_least
from netwright.net.leaf import Kept, Unfit
from netwright.net.part import Leaf

LARGEST = 8.0  # of the logarithm of a scale: e⁸ = 2981, so that no box is infinite
CORNERS = 4


class AnchorBoxes(Leaf):
    """Boxes in pixels from four numbers for each anchor at each cell: how a typical box is moved and scaled.

    For the cell in row i and column j, an anchor of width w and height h, and its first four numbers a, b, c, d: the
    middle of the box is x = (j + σ(a)) · stride and y = (i + σ(b)) · stride, its width w · eᶜ and its height h · eᵈ. It
    becomes left, top, right, bottom. The numbers behind them stay as they are.

    Shapes: input (rows, columns, anchors · g), output (rows, columns, anchors, g).

    Fields:
        stride: the pixels of the picture between two cells: how many times the net has made it smaller.
        anchors: width and height of the typical boxes, in pixels.

    Raises:
        NetError: a stride below 1; no anchors, or what is not pairs of numbers above 0.
        SizeError: features that the anchors do not divide, or fewer than four for each.

    Example:
        >>> import netwright as nw
        >>> nw.AnchorBoxes(8, ((10, 6),))(nw.batch([[[[0.0, 0.0, 0.0, 0.0, -2.0]]]])).tolist()
        [[[[[-1.0, 1.0, 9.0, 7.0, -2.0]]]]]

    Source: Redmon and Farhadi 2018, "YOLOv3: An Incremental Improvement", arXiv 1804.02767
    """

    stride: int
    anchors: tuple[tuple[float, float], ...]
    ports = "rows columns f -> rows columns each g"
    ignores_padding = True
    needs_float32 = True
    family = "pointwise"

    def __post_init__(self) -> None:
        at_least(1, self.stride, "the stride of a grid in pixels", "AnchorBoxes")
        pairs = tuple(tuple(pair) for pair in self.anchors)
        if not pairs or not all(len(pair) == 2 and min(pair) > 0 for pair in pairs):
            raise NetError(
                what="anchors are widths and heights above 0",
                where="AnchorBoxes",
                expected="((10, 14), (23, 27))",
                got=repr(self.anchors),
            )
        object.__setattr__(self, "anchors", pairs)

    def relate(self, known: Mapping[str, Any]) -> dict[str, Any]:
        count, f, g = len(self.anchors), known["f"], known["g"]
        if isinstance(f, int) and (f % count or f < CORNERS * count):
            raise Unfit(
                "its anchors do not divide the features, or leave fewer than four for each",
                expected=f"a multiple of {count}, at least {CORNERS * count}",
                got=str(f),
            )
        found: dict[str, Any] = {"each": count}
        if f is not None:
            found["g"] = f // count
        elif g is not None:
            found["f"] = g * count
        return found

    def reach(self, training: bool) -> Mapping[str, tuple[float, float]]:
        return {"input": (0, 0)}

    def keeps(self, sizes: Mapping[str, Any], wanted: Collection[str]) -> Kept:
        cells = sizes["rows"] * sizes["columns"] * len(self.anchors)
        return Kept(inputs=("input",), bytes=4 * CORNERS * cells)  # the sigmoids and the scales

    def forward(self, w: Mapping[str, Tensor], x: Tensor) -> Tensor:
        x = x.unflatten(-1, (len(self.anchors), -1))  # (b, r, c, f) -> (b, r, c, n, g)
        rows, columns = x.shape[1:3]
        down = torch.arange(rows, device=x.device).unsqueeze(1).expand(rows, columns)  # (r, c)
        across = torch.arange(columns, device=x.device).expand(rows, columns)  # (r, c)
        cells = torch.stack([across, down], -1).unsqueeze(2).to(x.dtype)  # (r, c, 1, 2)
        middle = (x[..., :2].sigmoid() + cells) * self.stride  # (b, r, c, n, 2)
        half = x[..., 2:CORNERS].clamp_max(LARGEST).exp() * x.new_tensor(self.anchors) / 2  # (b, r, c, n, 2)
        return torch.cat([middle - half, middle + half, x[..., CORNERS:]], -1)  # (b, r, c, n, g)
