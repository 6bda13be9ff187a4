"""YOLOX: finds things in a picture on three grids at once, from small things to large ones."""

from collections.abc import Mapping, Sequence
from typing import Any

from netwright.codecs.boxes import Boxes
from netwright.codecs.image import Image
from netwright.fields import at_least, with_known_arguments
from netwright.layers.conv import Conv
from netwright.layers.detection import GridBoxes
from netwright.layers.join import Concatenate
from netwright.layers.norm import BatchNorm
from netwright.layers.pointwise import silu
from netwright.layers.pool import MaxPool
from netwright.layers.reshape import Reshape
from netwright.layers.resize import Resize
from netwright.layers.spatial import PixelUnshuffle
from netwright.layers.wrap import Residual
from netwright.models.vision.units import normed
from netwright.net.chain import Chain
from netwright.net.graph import Graph

STRIDES = (8, 16, 32)
NORM = BatchNorm(eps=1e-3, momentum=0.03)
POOLS = (5, 9, 13)
BOX = 5  # numbers of a candidate beside the scores of its classes


@with_known_arguments
def yolox(labels: Sequence[Any], *, image: Image | None = None, width: int = 32, depth: int = 1) -> Graph:
    """A one-stage detector: a picture in, and the things in it with their boxes, labels and scores out.

    On the way down (`stem`, `stage1` to `stage4`) the grid gets 32 times smaller. A path up (`up16`, `grid8`) and one
    down again (`grid16`, `grid32`) bring what is seen at every size to three grids, whose cells are 8, 16 and 32 pixels
    wide. At each cell a head (`head8` to `head32`) gives a candidate: a box, whether there is a thing, and a score for
    each label. `nw.train` takes `nw.DetectionLoss` for it, and `nw.Boxes` leaves out boxes that say the same.

    The published sizes, with their parameters for 80 labels:

    | | width | depth | parameters |
    |---|---|---|---|
    | tiny | 24 | 1 | 5,055,855 |
    | s | 32 | 1 | 8,968,255 |
    | m | 48 | 2 | 25,326,495 |
    | l | 64 | 3 | 54,208,895 |
    | x | 80 | 4 | 99,071,455 |

    For small pictures with few kinds of things, a width of 8 to 16 is much. Two things differ from the paper: a box is
    given by the distances of its four edges from the middle of the cell (`nw.GridBoxes`), and the cells that are
    responsible for a thing do not depend on what the net says (`nw.DetectionLoss`).

    Shapes: input (32·h, 32·w, c) with c the colours, output (21·h·w, 5 + k) with k the labels.

    Fields:
        labels: what a thing can be.
        image: the encoder of the pictures, which boxes are moved as; its sides are multiples of 32. None takes rgb
            pictures, brought to 640 × 640 with a border, the size of the paper.
        width: channels of the first convolution; all others are multiples of it. 32 is the size "s".
        depth: blocks of the shortest stage; 1 is the size "s".

    Raises: NetError for a width or a depth that is not a whole number of at least 1, and for labels that `nw.Boxes`
        refuses; SizeError for an image whose sides are no multiples of 32.

    Example:
        >>> import netwright as nw
        >>> net = nw.yolox(["circle", "square"], image=nw.Image(64, 96), width=8)
        >>> net.plan.outputs
        {'output': (126, 7)}

    Source: Ge et al. 2021, arXiv 2107.08430; boxes: Tian et al. 2019, arXiv 1904.01355
    """
    at_least(1, width, "the number of channels", "yolox")
    at_least(1, depth, "the number of blocks", "yolox")
    image = Image(640, 640, resize="letterbox") if image is None else image
    two, four, eight, sixteen = (width * factor for factor in (2, 4, 8, 16))
    larger = Resize(factor=2, interpolation="nearest")
    heads: dict[str, Any] = {f"head{stride}": (_head(len(labels), four, stride), f"grid{stride}") for stride in STRIDES}
    return Graph(
        stem=(Chain(PixelUnshuffle(), *_unit(width, 3)), "input"),
        stage1=(Chain(*_unit(two, 3, stride=2), csp=_csp(two, depth)), "stem"),
        stage2=(Chain(*_unit(four, 3, stride=2), csp=_csp(four, 3 * depth)), "stage1"),
        stage3=(Chain(*_unit(eight, 3, stride=2), csp=_csp(eight, 3 * depth)), "stage2"),
        stage4=(
            Chain(*_unit(sixteen, 3, stride=2), pyramid=_pyramid(sixteen), csp=_csp(sixteen, depth, adds=False)),
            "stage3",
        ),
        narrow32=(Chain(*_unit(eight)), "stage4"),
        **_joined("up16", larger, "narrow32", "stage3", _csp(eight, depth, adds=False)),
        narrow16=(Chain(*_unit(four)), "up16"),
        **_joined("grid8", larger, "narrow16", "stage2", _csp(four, depth, adds=False)),
        **_joined("grid16", Chain(*_unit(four, 3, stride=2)), "grid8", "narrow16", _csp(eight, depth, adds=False)),
        **_joined("grid32", Chain(*_unit(eight, 3, stride=2)), "grid16", "narrow32", _csp(sixteen, depth, adds=False)),
        **heads,
        candidates=(Concatenate(axis=0), *heads),
        input=image,
        output=Boxes(labels, image.height, image.width, strides=STRIDES, resize=image.resize),
    )


def _unit(out: int, kernel: int = 1, *, stride: int = 1) -> tuple[Any, ...]:
    """A convolution with its norm and activation."""
    return *normed(out, kernel, stride=stride, norm=NORM), silu


def _csp(out: int, count: int, *, adds: bool = True) -> Graph:
    """A stage of which one half of the channels goes through blocks, and the other half past them.

    Source: Wang et al. 2019, "CSPNet", arXiv 1911.11929
    """
    half = out // 2
    block = Chain(*_unit(half), *_unit(half, 3))
    blocks: dict[str, Any] = {f"block{i + 1}": Residual(block) if adds else block for i in range(count)}
    return Graph(
        through=(Chain(*_unit(half), **blocks), "input"),
        past=(Chain(*_unit(half)), "input"),
        join=(Concatenate(), "through", "past"),
        out=(Chain(*_unit(out)), "join"),
    )


def _pyramid(out: int) -> Graph:
    """The largest values around each cell, over three windows: what is far away, at the price of a pool.

    Source: He et al. 2014, arXiv 1406.4729
    """
    pools: dict[str, Any] = {
        f"pool{window}": (MaxPool(window, stride=1, padding=window // 2), "narrow") for window in POOLS
    }
    return Graph(
        narrow=(Chain(*_unit(out // 2)), "input"),
        **pools,
        join=(Concatenate(), "narrow", *pools),
        out=(Chain(*_unit(out)), "join"),
    )


def _joined(name: str, move: Any, source: str, beside: str, stage: Graph) -> Mapping[str, Any]:
    """The nodes that bring values to the size of others, put both side by side, and go through a stage."""
    return {
        f"move_{name}": (move, source),
        f"join_{name}": (Concatenate(), f"move_{name}", beside),
        name: (stage, f"join_{name}"),
    }


def _head(labels: int, channels: int, stride: int) -> Graph:
    """The candidates of one grid: classes apart from boxes, since they need different features."""
    return Graph(
        narrow=(Chain(*_unit(channels)), "input"),
        for_classes=(Chain(*_unit(channels, 3), *_unit(channels, 3)), "narrow"),
        for_boxes=(Chain(*_unit(channels, 3), *_unit(channels, 3)), "narrow"),
        edges=(Conv(BOX - 1, 1), "for_boxes"),
        thing=(Conv(1, 1), "for_boxes"),
        classes=(Conv(labels, 1), "for_classes"),
        join=(Concatenate(), "edges", "thing", "classes"),
        boxes=(Chain(GridBoxes(stride), Reshape(-1, BOX + labels)), "join"),
    )
