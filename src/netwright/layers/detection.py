"""Parts of detectors: boxes from the numbers at the cells of a grid, and what wrong boxes cost."""

import math
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from netwright.errors import NetError
from netwright.fields import at_least
from netwright.layers.reshape import size_product
from netwright.net.leaf import Kept, Unfit
from netwright.net.part import Leaf
from netwright.net.run.padding import NO_LENGTHS, Lengths, filled, length_of
from netwright.value import Value

FARTHEST = 8.0  # of the logarithm of a distance in strides: e⁸ = 2981, so that no box is infinite
NEAR = 1.5  # strides between the middle of a thing and that of a cell that is responsible for it
LONGEST = 8  # strides: a longer thing belongs to the next grid
OF_BOXES = 5.0  # the weight of boxes, beside 1 for whether there is a thing and 1 for its class: as in YOLOX
NOTHING = -1.0  # in the place of a class, where there is no thing
SMALL = 1e-7  # an area, so that nothing is divided by 0


class GridBoxes(Leaf):
    """Boxes in pixels from four numbers at each cell: how far its edges are from the middle of the cell.

    For the cell in row i and column j, with middle x = (j + ½) · stride and y = (i + ½) · stride, and its first four
    numbers a, b, c, d: left = x − stride · eᵃ, top = y − stride · eᵇ, right = x + stride · eᶜ,
    bottom = y + stride · eᵈ. The numbers behind them stay as they are.

    Shapes: input (rows, columns, f), output (rows, columns, f).

    Fields:
        stride: the pixels of the picture between two cells: how many times the net has made it smaller.

    Raises: NetError for a stride below 1.

    Example:
        >>> import netwright as nw
        >>> nw.GridBoxes(8)(nw.batch([[[[0.0, 0.0, 0.0, 0.0, -2.0, 3.0]]]])).tolist()
        [[[[-4.0, -4.0, 12.0, 12.0, -2.0, 3.0]]]]

    Source: Tian et al. 2019, "FCOS: Fully Convolutional One-Stage Object Detection", arXiv 1904.01355
    """

    stride: int
    ports = "rows columns f -> rows columns f"
    ignores_padding = True
    needs_float32 = True  # a pixel of a picture of 96 is known to half a pixel in bfloat16
    family = "pointwise"

    def __post_init__(self) -> None:
        at_least(1, self.stride, "the stride of a grid in pixels", "GridBoxes")

    def relate(self, known: Mapping[str, Any]) -> dict[str, Any] | None:
        if isinstance(known["f"], int) and known["f"] < 4:
            raise Unfit("a box has four numbers", expected="at least 4 at each cell", got=f"{known['f']}")
        return None

    def reach(self, training: bool) -> Mapping[str, tuple[float, float]]:
        return {"input": (0, 0)}

    def keeps(self, sizes: Mapping[str, Any], wanted: Collection[str]) -> Kept:
        return Kept(inputs=("input",), bytes=16 * sizes["rows"] * sizes["columns"])  # the distances

    def forward(self, w: Mapping[str, Tensor], x: Tensor) -> Tensor:
        middle = middles(x.shape[1], x.shape[2], self.stride, x)  # (r, c, 2)
        far = x[..., :4].clamp_max(FARTHEST).exp() * self.stride  # (b, r, c, 4)
        return torch.cat([middle - far[..., :2], middle + far[..., 2:], x[..., 4:]], -1)  # (b, r, c, f)


class DetectionLoss(Leaf):
    """What the candidates of a one-stage detector cost, without anchors: boxes, whether there is a thing, and classes.

    A candidate is a box in pixels, the logit of whether there is a thing, and one for each class, at every cell of one
    grid, or of several one behind the other. A cell is responsible for a thing if its middle is in the box and at most
    1.5 strides from the middle of the box, across and down; so is the cell that the middle of the box lies in. Of
    several things a cell takes the smallest. With several grids a thing belongs to the first whose stride is at least
    an eighth of its longer side, or to the last.

    For the n responsible cells of a picture, at least 1, the loss is the sum of three parts, divided by n: 5 (1 − GIoU)
    of each of their boxes; their cross entropy with the class, each class by itself; and over all cells the binary
    cross entropy with the intersection over union of box and thing, 0 where there is none.

    Shapes: input (*cells, 5 + k); target (boxes, 5), as `nw.Boxes` encodes things; loss ().

    Fields:
        height, width: of the picture in pixels.
        strides: of each grid; a grid has a cell for each whole or begun stride.

    Raises:
        NetError: sizes or strides below 1.
        SizeError: another number of cells than the grids have.

    Example:
        >>> import netwright as nw
        >>> candidates = nw.batch([[[0.0, 0.0, 8.0, 8.0, 20.0, 20.0]]])
        >>> target = nw.batch([[[0.0, 0.0, 8.0, 8.0, 0.0]]])
        >>> round(float(nw.DetectionLoss(8, 8, (8,))({"input": candidates, "target": target})), 4)
        0.0

    Source: the cells of FCOS, arXiv 1904.01355; the weights and the decoupled classes of YOLOX, Ge et al. 2021,
        arXiv 2107.08430; GIoU, Rezatofighi et al. 2019, arXiv 1902.09630
    """

    height: int
    width: int
    strides: Sequence[int]
    ports = "input: *cells f, target: boxes 5 -> loss: ()"
    needs_float32 = True
    is_loss = True
    family = "loss"

    def __post_init__(self) -> None:
        for name in ("height", "width"):
            at_least(1, getattr(self, name), f"the {name} in pixels", "DetectionLoss")
        if not self.strides:
            raise NetError(what="a detector has at least one grid", where="DetectionLoss", got="strides=()")
        for stride in self.strides:
            at_least(1, stride, "the stride of a grid in pixels", "DetectionLoss")
        object.__setattr__(self, "strides", tuple(self.strides))

    @property
    def grids(self) -> list[tuple[int, int]]:
        """Rows and columns of each grid."""
        return [(-(-self.height // stride), -(-self.width // stride)) for stride in self.strides]

    def relate(self, known: Mapping[str, Any]) -> dict[str, Any] | None:
        cells = size_product(known["cells"])
        count = sum(math.prod(grid) for grid in self.grids)
        if isinstance(cells, int) and cells != count:
            shown = " and ".join(f"{rows} x {columns}" for rows, columns in self.grids)
            raise Unfit("the grids have another number of cells", expected=f"{count}: {shown}", got=f"{cells}")
        if isinstance(known["f"], int) and known["f"] < 6:
            raise Unfit("a candidate is a box, a logit and one for each class", "6 or more", f"{known['f']}")
        return None

    def keeps(self, sizes: Mapping[str, Any], wanted: Collection[str]) -> Kept:
        return Kept(inputs=("*",), bytes=4 * math.prod(sizes["cells"]) * (40 + 3 * sizes["f"]))

    def forward(self, w: Mapping[str, Tensor], x: Tensor, target: Tensor, *, lengths: Lengths = NO_LENGTHS) -> Tensor:
        x = x.flatten(1, -2)  # (b, *cells, f) -> (b, n, f)
        target = target.to(x.dtype)  # (b, m, 5)
        real = filled(target[..., 4], length_of(lengths, "boxes"), NOTHING) >= 0  # (b, m)
        own, responsible = _assigned(target, real, self._cells(x))  # (b, n), twice
        thing = target.gather(1, own.unsqueeze(-1).expand(-1, -1, 5))  # (b, m, 5) -> (b, n, 5)
        share, wider = overlap_and_giou(x[..., :4], thing[..., :4])  # (b, n), twice
        zero = torch.zeros_like(share)
        boxes = torch.where(responsible, 1 - wider, zero).sum(1)  # (b, n) -> (b,)
        goal = torch.where(responsible, share.detach().clamp(0, 1), zero)  # (b, n)
        there = F.binary_cross_entropy_with_logits(x[..., 4], goal, reduction="none").sum(1)  # (b, n) -> (b,)
        hot = F.one_hot(thing[..., 4].long().clamp_min(0), x.shape[-1] - 5).to(x.dtype)  # (b, n, k)
        classes = F.binary_cross_entropy_with_logits(x[..., 5:], hot, reduction="none").sum(-1)  # (b, n)
        classes = torch.where(responsible, classes, zero).sum(1)  # (b, n) -> (b,)
        return (OF_BOXES * boxes + there + classes) / responsible.sum(1).clamp_min(1)  # (b,)

    def _cells(self, like: Tensor) -> "Cells":
        grids = zip(self.grids, self.strides, strict=True)
        middle = [middles(*grid, stride, like).flatten(0, 1) for grid, stride in grids]  # (cells, 2) of each
        counts = torch.tensor([len(one) for one in middle], dtype=torch.int64, device=like.device)
        strides = like.new_tensor(self.strides)
        bounds = [0.0, *(LONGEST * stride for stride in self.strides[:-1]), math.inf]  # of longer sides
        each = torch.stack([strides, like.new_tensor(bounds[:-1]), like.new_tensor(bounds[1:])])  # (3, grids)
        stride, above, up_to = each.repeat_interleave(counts, 1)  # (n,), three times
        return Cells(torch.cat(middle), stride, above, up_to)


class Cells(Value, eq=False):
    """The cells of all grids: their middles (n, 2), strides (n,), and how long their things are, (n,) each."""

    middle: Tensor
    stride: Tensor
    above: Tensor
    up_to: Tensor


def middles(rows: int, columns: int, stride: int, like: Tensor) -> Tensor:
    """The middle of each cell, across and down, in pixels: (rows, columns, 2)."""
    down = (torch.arange(rows, device=like.device, dtype=like.dtype) + 0.5) * stride
    across = (torch.arange(columns, device=like.device, dtype=like.dtype) + 0.5) * stride
    return torch.stack([across.expand(rows, -1), down.unsqueeze(1).expand(-1, columns)], -1)


def overlap_and_giou(boxes: Tensor, others: Tensor) -> tuple[Tensor, Tensor]:
    """Intersection over union of boxes (…, 4) with others, and the generalized one, which falls with the distance.

    GIoU = IoU − (area of the box around both − union) / that area.

    Example:
        >>> share, wider = overlap_and_giou(torch.tensor([0.0, 0, 2, 2]), torch.tensor([1.0, 0, 3, 2]))
        >>> round(float(share), 4), round(float(wider), 4)
        (0.3333, 0.3333)
    """
    shared = _area(torch.maximum(boxes[..., :2], others[..., :2]), torch.minimum(boxes[..., 2:], others[..., 2:]))
    union = _area(boxes[..., :2], boxes[..., 2:]) + _area(others[..., :2], others[..., 2:]) - shared
    around = _area(torch.minimum(boxes[..., :2], others[..., :2]), torch.maximum(boxes[..., 2:], others[..., 2:]))
    share = shared / (union + SMALL)
    return share, share - (around - union) / (around + SMALL)


def _area(low: Tensor, high: Tensor) -> Tensor:
    return (high - low).clamp_min(0).prod(-1)  # (…, 2) -> (…)


def _assigned(target: Tensor, real: Tensor, cells: Cells) -> tuple[Tensor, Tensor]:
    """The number of the thing of each cell, (b, n), and whether it is responsible for it, (b, n)."""
    corner, other = target[:, None, :, :2], target[:, None, :, 2:4]  # (b, 1, m, 2)
    middle, stride = cells.middle[:, None], cells.stride[:, None]  # (n, 1, 2), (n, 1)
    centre = (corner + other) / 2  # (b, 1, m, 2)
    away = (middle - centre).abs().amax(-1)  # (b, n, m)
    inside = ((middle > corner) & (middle < other)).all(-1)  # (b, n, m)
    first = middle - stride[..., None] / 2  # (n, 1, 2): the corner of the cell
    home = ((centre >= first) & (centre < first + stride[..., None])).all(-1)  # (b, n, m)
    longest = (other - corner).amax(-1)  # (b, 1, m)
    fits = (longest > cells.above[:, None]) & (longest <= cells.up_to[:, None])  # (b, n, m)
    taken = ((inside & (away <= NEAR * stride)) | home) & fits & real.unsqueeze(1)  # (b, n, m)
    areas = _area(corner, other).expand_as(away).masked_fill(~taken, math.inf)  # (b, n, m)
    least, own = areas.min(-1)  # (b, n), twice
    return own, least.isfinite()
