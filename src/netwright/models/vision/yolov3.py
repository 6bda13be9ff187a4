"""YOLOv3-tiny: finds things of 80 kinds in a picture, on a coarse grid and on one that is twice as fine."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from netwright.codecs.boxes import Boxes
from netwright.codecs.image import Image
from netwright.errors import FileError
from netwright.fields import with_known_arguments
from netwright.layers.anchors import AnchorBoxes
from netwright.layers.conv import Conv
from netwright.layers.join import Concatenate
from netwright.layers.norm import BatchNorm
from netwright.layers.pointwise import Elementwise
from netwright.layers.pool import MaxPool
from netwright.layers.reshape import Reshape
from netwright.layers.resize import Resize
from netwright.models.pretrained.files import PATH, shown_text
from netwright.models.pretrained.weights import From, linear_entries
from netwright.models.vision.units import holding_weights, normed, normed_entries
from netwright.net.chain import Chain
from netwright.net.graph import Graph
from netwright.net.part import Net
from netwright.regular import opened

COARSE = ((81, 82), (135, 169), (344, 319))
FINE = ((23, 27), (37, 58), (81, 82))
"""Width and height of typical boxes, in pixels of a picture of 416.

The published weights were trained with these for the fine grid. Files of the configuration that say (10, 14), (23, 27),
(37, 58) were corrected later, without new weights; with them the boxes of the fine grid come out too small.
"""

STRIDES = (32, 16)
BOX = 5  # numbers of a candidate beside the scores of its classes: its box, and whether there is a thing
NORM = BatchNorm(momentum=0.01)
leaky = Elementwise("leaky_relu", slope=0.1)
PLACES = (*["near"] * 5, *["far"] * 3, *["coarse"] * 2, "larger", *["fine"] * 2)
"""Where each convolution is, in the order of the file."""
WITHOUT_NORM = (10, 13)
HEADER = 20  # bytes: the version as three whole numbers of four bytes, and how many pictures were seen, in eight


@with_known_arguments
def yolo_v3_tiny(
    labels: Sequence[Any], *, image: Image | None = None, weights: Mapping[str, Tensor] | None = None
) -> Graph:
    """YOLOv3-tiny: a picture in, and the things in it with their boxes, labels and scores out.

    Five halvings lead to the grid of `coarse`, whose cells are 32 pixels wide. For `fine` its values are brought to
    twice the size and put beside those of one halving before. At each cell three anchors of different sizes give a
    candidate each: a box, whether there is a thing, and a score for each label. For 80 labels there are 8,852,366
    parameters. `nw.pretrained("yolov3-tiny")` is this net with its weights. To train a detector, take `nw.yolox`.

    Shapes: input (32·h, 32·w, 3), output (15·h·w, 5 + k) with k the labels.

    Fields:
        labels: the kinds of things.
        image: the encoder of the pictures; its sides are multiples of 32. None takes rgb pictures, brought to 416 × 416
            with a gray border, as the net was trained.
        weights: the arrays of a file of Darknet under the names conv1.weight, norm1.weight, norm1.bias,
            norm1.running_mean, norm1.running_var and so on, in the order of the file; None leaves the net without
            arrays.

    Raises: NetError for labels that `nw.Boxes` refuses; FileError for weights that do not fit, which are listed;
        SizeError for an image whose sides are no multiples of 32.

    Example:
        >>> import netwright as nw
        >>> nw.yolo_v3_tiny(range(80)).plan.outputs
        {'output': (2535, 85)}

    Source: Redmon and Farhadi 2018, arXiv 1804.02767, and the authors' file yolov3-tiny.cfg
    """
    image = Image(416, 416, resize="letterbox", border=0.5) if image is None else image
    features = BOX + len(labels)
    near: dict[str, Any] = {}
    for i, width in enumerate((16, 32, 64, 128, 256), 1):
        near |= {f"maxpool{i - 1}": MaxPool()} if i > 1 else {}
        near |= {f"conv{i}": _convolution(width)}
    far: dict[str, Any] = {
        "maxpool5": MaxPool(),
        "conv6": _convolution(512),
        "maxpool6": MaxPool(2, stride=1, padding="same"),
        "conv7": _convolution(1024),
        "conv8": _convolution(256, 1),
    }
    grids: dict[str, Any] = {
        "coarse": (Chain(conv9=_convolution(512), conv10=Conv(3 * features, 1)), "far"),
        "larger": (Chain(conv11=_convolution(128, 1), resize=Resize(factor=2, interpolation="nearest")), "far"),
        "join": (Concatenate(), "larger", "near"),
        "fine": (Chain(conv12=_convolution(256), conv13=Conv(3 * features, 1)), "join"),
    }
    boxes: dict[str, Any] = {
        f"{name}_boxes": (Chain(boxes=AnchorBoxes(stride, anchors), rows=Reshape(-1, features)), name)
        for name, stride, anchors in zip(("coarse", "fine"), STRIDES, (COARSE, FINE), strict=True)
    }
    net = Graph(
        near=(Chain(**near), "input"),
        far=(Chain(**far), "near"),
        **grids,
        **boxes,
        candidates=(Concatenate(axis=0), *boxes),
        input=image,
        output=Boxes(labels, image.height, image.width, strides=STRIDES, resize=image.resize, overlap=0.45),
    )
    return holding_weights(net, weights, yolo_v3_tiny_table)


def yolo_v3_tiny_table() -> dict[str, From]:
    """Which array of the file each array of the net comes from, by the number of its convolution."""
    found: dict[str, From] = {}
    for i, place in enumerate(PLACES, 1):
        path = f"{place}/conv{i}"
        if i in WITHOUT_NORM:
            found |= linear_entries(path, f"conv{i}")
        else:
            found |= normed_entries(path, f"conv{i}", f"norm{i}")
    return found


def darknet_state(net: Net, path: Path) -> dict[str, Tensor]:
    """The arrays of a file of Darknet: of each convolution in turn those of its norm, or its bias, and its weights.

    Raises: FileError for a file that is none of Darknet's, or has another length than the arrays of the net.
    """
    with opened(path) as file:
        content = file.read()
    major, minor = content[:4], content[4:8]
    if major != bytes(4) or minor != bytes([2, 0, 0, 0]):
        raise FileError(what="this file does not hold weights of Darknet", where=shown_text(str(path), PATH))
    table = yolo_v3_tiny_table()
    shapes = {source.name: net.plan.arrays[entry].known or () for entry, source in table.items()}
    sizes = [torch.Size(shapes[name]).numel() for name in _names_in_file()]
    if len(content) != HEADER + 4 * sum(sizes):
        raise FileError(
            what="the file has another number of weights than the net",
            where=shown_text(str(path), PATH),
            expected=f"{sum(sizes):,}, in {HEADER + 4 * sum(sizes):,} bytes",
            got=f"{len(content):,} bytes",
        )
    numbers = torch.from_numpy(np.frombuffer(content, "<f4", offset=HEADER).astype(np.float32))
    pieces = zip(_names_in_file(), numbers.split(sizes), strict=True)
    return {name: piece.reshape(shapes[name]) for name, piece in pieces}


def _names_in_file() -> Iterator[str]:
    """The names in the order of the file."""
    for i in range(1, len(PLACES) + 1):
        if i in WITHOUT_NORM:
            yield f"conv{i}.bias"
        else:
            yield from (f"norm{i}.{array}" for array in ("bias", "weight", "running_mean", "running_var"))
        yield f"conv{i}.weight"


def _convolution(out: int, kernel: int = 3) -> Chain:
    return Chain(*normed(out, kernel, norm=NORM), leaky)
