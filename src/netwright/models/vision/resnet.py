"""ResNet: blocks that add what they compute to their input, so that a net of 152 layers still trains."""

from collections.abc import Mapping, Sequence
from typing import Any

from torch import Tensor

from netwright.codecs.category import Category
from netwright.errors import NetError
from netwright.fields import with_known_arguments
from netwright.layers.linear import Linear
from netwright.layers.pointwise import relu, softmax
from netwright.layers.pool import GlobalAvgPool, MaxPool
from netwright.layers.wrap import Residual
from netwright.models.pretrained.weights import From, linear_entries
from netwright.models.vision.units import IMAGENET, holding_weights, normed, normed_entries, standardized
from netwright.net.chain import Chain

BLOCKS = {18: (2, 2, 2, 2), 34: (3, 4, 6, 3), 50: (3, 4, 6, 3), 101: (3, 4, 23, 3), 152: (3, 8, 36, 3)}
"""Blocks of the four stages, by the number of layers with weights."""

WIDTHS = (64, 128, 256, 512)
BOTTLENECK = 4  # how many times wider the output of a block of three convolutions is than the middle one
SIZE = 224  # pixels on a side


@with_known_arguments
def resnet(depth: int, labels: Sequence[Any] = IMAGENET, *, weights: Mapping[str, Tensor] | None = None) -> Chain:
    """A residual net of the paper's table: a 224 × 224 rgb picture in, one of the labels out.

    A convolution and a pool (`conv1`, `maxpool`), four stages of residual blocks (`conv2_x` to `conv5_x`, with blocks
    `conv2_1`, `conv2_2` and so on), the mean over the grid that is left, and one linear layer. The first block of a
    stage after the first halves the grid. A block is two convolutions of 3×3 in the nets of 18 and 34 layers, and
    1×1, 3×3 and 1×1 in the deeper ones, where the 3×3 halves the grid, as torchvision has it. For 1,000 labels the
    parameters are 11,689,512, 21,797,672, 25,557,032, 44,549,160 and 60,192,808.

    Pictures of any size of at least 32 pixels fit: `nw.resnet(18).with_input(nw.Image(64, 64))`.

    Fields:
        depth: the number of layers with weights: 18, 34, 50, 101 or 152.
        labels: the classes, for the last layer and the decoder; the numbers of ImageNet's 1,000.
        weights: a state dict of torchvision's net of this depth; None leaves the net without arrays.

    Raises: NetError for another depth and for labels that `nw.Category` refuses; FileError for weights that do not fit,
        which are listed.

    Example:
        >>> import netwright as nw
        >>> nw.summary(nw.resnet(50)).parameters
        25557032

    Source: He et al. 2015, arXiv 1512.03385, table 1
    Torch: torchvision.models.resnet18, resnet34, resnet50, resnet101, resnet152
    """
    if depth not in BLOCKS:
        raise NetError(
            what="the paper has no residual net of this depth",
            where="resnet",
            expected=", ".join(map(str, BLOCKS)),
            got=repr(depth),
        )
    net = Chain(
        conv1=Chain(*normed(64, 7, stride=2), relu),
        maxpool=MaxPool(3, stride=2, padding=1),
        **{f"conv{stage}_x": _stage(depth, stage) for stage in (2, 3, 4, 5)},
        mean=GlobalAvgPool(),
        linear=Linear(),
        softmax=softmax,
        input=standardized(SIZE),
        output=Category(labels),
    )
    return holding_weights(net, weights, lambda: resnet_table(depth))


def resnet_table(depth: int) -> dict[str, From]:
    """Which tensor of torchvision's state dict each array comes from."""
    found = normed_entries("conv1", "conv1", "bn1") | linear_entries("linear", "fc")
    for stage, count in enumerate(BLOCKS[depth]):
        for i in range(count):
            path, name = f"conv{stage + 2}_x/conv{stage + 2}_{i + 1}/residual1", f"layer{stage + 1}.{i}"
            for j in range(1, 4 if depth >= 50 else 3):
                found |= normed_entries(f"{path}/body", f"{name}.conv{j}", f"{name}.bn{j}", j)
            if _is_projected(depth, stage + 2, i):
                found |= normed_entries(f"{path}/shortcut", f"{name}.downsample.0", f"{name}.downsample.1")
    return found


def _stage(depth: int, stage: int) -> Chain:
    """The blocks of one stage, numbered from 2 as in the paper's table."""
    width, named = WIDTHS[stage - 2], {}
    for i in range(BLOCKS[depth][stage - 2]):
        stride = 2 if i == 0 and stage > 2 else 1
        if depth < 50:
            out, body = width, Chain(*normed(width, 3, stride=stride), relu, *normed(width, 3))
        else:
            out = BOTTLENECK * width
            body = Chain(*normed(width), relu, *normed(width, 3, stride=stride), relu, *normed(out))
        shortcut = Chain(*normed(out, stride=stride)) if _is_projected(depth, stage, i) else None
        named[f"conv{stage}_{i + 1}"] = Chain(Residual(body, shortcut), relu)
    return Chain(**named)


def _is_projected(depth: int, stage: int, i: int) -> bool:
    """Whether the sizes change in a block, so that its input goes through a convolution on the way to the sum."""
    return i == 0 and (stage > 2 or depth >= 50)
