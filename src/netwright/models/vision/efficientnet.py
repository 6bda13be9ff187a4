"""EfficientNet: one small net, and seven larger ones that are deeper, wider and see more pixels at the same time."""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from torch import Tensor

from netwright.codecs.category import Category
from netwright.codecs.image import Image
from netwright.errors import NetError, did_you_mean
from netwright.fields import with_known_arguments
from netwright.layers.dropout import Dropout
from netwright.layers.linear import Linear
from netwright.layers.norm import BatchNorm
from netwright.layers.pointwise import relu6, sigmoid, silu, softmax
from netwright.layers.pool import GlobalAvgPool
from netwright.models.pretrained.weights import From, linear_entries
from netwright.models.vision.inverted import Inverted
from netwright.models.vision.units import (
    IMAGENET,
    holding_weights,
    multiple_of_8,
    normed,
    normed_entries,
    standardized,
)
from netwright.net.chain import Chain
from netwright.value import Value


class Scale(Value):
    """How much larger than the smallest net one is, and what goes with its size."""

    width: float
    depth: float
    size: int
    dropout: float


SCALES = {
    "b0": Scale(1.0, 1.0, 224, 0.2),
    "b1": Scale(1.0, 1.1, 240, 0.2),
    "b2": Scale(1.1, 1.2, 260, 0.3),
    "b3": Scale(1.2, 1.4, 300, 0.3),
    "b4": Scale(1.4, 1.8, 380, 0.4),
    "b5": Scale(1.6, 2.2, 456, 0.4),
    "b6": Scale(1.8, 2.6, 528, 0.5),
    "b7": Scale(2.0, 3.1, 600, 0.5),
    "lite0": Scale(1.0, 1.0, 224, 0.2),
}
LARGE = ("b5", "b6", "b7", "lite0")  # whose published weights were trained with TensorFlow's constants of batch norm
LITE_IMAGE = Image(224, 224, mean=127 / 255, deviation=128 / 255)
"""The pixels as the lite nets take them: (x − 127) / 128."""

STEM = 32
DROP = 0.2  # towards which the share of examples grows that pass a block by in training
HEAD = 4  # channels of the last convolution, in those of the last block
STAGES = (
    *((1, 3, 1, 16, 1), (6, 3, 2, 24, 2), (6, 5, 2, 40, 2), (6, 3, 2, 80, 3)),
    *((6, 5, 1, 112, 3), (6, 5, 2, 192, 4), (6, 3, 1, 320, 1)),
)
"""Of each stage of the smallest net: how much its blocks widen, kernel, stride of the first block, channels, blocks."""


@with_known_arguments
def efficientnet(
    variant: str, labels: Sequence[Any] = IMAGENET, *, weights: Mapping[str, Tensor] | None = None
) -> Chain:
    """An EfficientNet: a square rgb picture in, one of the labels out.

    A convolution (`stem`), seven stages of inverted residual blocks (`1a`; `2a`, `2b`; … `7a`), a last convolution
    (`head`), the mean over the grid, dropout and one linear layer. Each block widens its input, sees every channel by
    itself, weighs the channels (squeeze and excitation) and narrows them again. In training an example passes a block
    by with a probability that grows from 0 at the first towards 20% at the last (stochastic depth). The variants:

    | | pixels | parameters for 1,000 labels |
    |---|---|---|
    | b0 | 224 | 5,288,548 |
    | b1 | 240 | 7,794,184 |
    | b2 | 260 | 9,109,994 |
    | b3 | 300 | 12,233,232 |
    | b4 | 380 | 19,341,616 |
    | b5 | 456 | 30,389,784 |
    | b6 | 528 | 43,040,704 |
    | b7 | 600 | 66,347,960 |
    | lite0 | 224 | 4,652,008 |

    "lite0" is made for small devices: without squeeze and excitation, with ReLU6, and with zeros around pictures as
    TensorFlow puts them. Other sizes fit as well: `nw.efficientnet("b0").with_input(nw.Image(64, 64))`.

    Fields:
        variant: "b0" to "b7", or "lite0".
        labels: the classes, for the last layer and the decoder; the numbers of ImageNet's 1,000.
        weights: a state dict of torchvision's net of this name, for "lite0" the published file; None leaves the net
            without arrays.

    Raises: NetError for another variant and for labels that `nw.Category` refuses; FileError for weights that do not
        fit, which are listed.

    Example:
        >>> import netwright as nw
        >>> net = nw.efficientnet("b0")
        >>> [name for name in net.children()][:5], nw.summary(net).parameters
        (['stem', '1a', '2a', '2b', '3a'], 5288548)

    Source: Tan and Le 2019, arXiv 1905.11946; the lite net: TensorFlow's repository of TPU models, 2020
    Torch: torchvision.models.efficientnet_b0 and so on; timm's tf_efficientnet_lite0
    """
    if variant not in SCALES:
        raise NetError(
            what="there is no EfficientNet of this name",
            where="efficientnet",
            expected=", ".join(map(repr, SCALES)),
            got=repr(variant),
            mend=did_you_mean(str(variant), SCALES),
        )
    lite = variant == "lite0"
    norm = BatchNorm(eps=1e-3, momentum=0.01) if variant in LARGE else BatchNorm()
    padding, activation = ("same", relu6) if lite else (None, silu)
    gate = silu, sigmoid
    blocks = {name: block.net(activation, gate, norm, padding) for name, _, block in efficientnet_blocks(variant)}
    stem, head = ends(variant)
    net = Chain(
        stem=Chain(*normed(stem, 3, stride=2, norm=norm, padding=padding), activation),
        **blocks,
        head=Chain(*normed(head, norm=norm), activation),
        mean=GlobalAvgPool(),
        dropout=Dropout(SCALES[variant].dropout),
        linear=Linear(),
        softmax=softmax,
        input=LITE_IMAGE if lite else standardized(SCALES[variant].size),
        output=Category(labels),
    )
    return holding_weights(net, weights, lambda: lite_table() if lite else efficientnet_table(variant))


def efficientnet_table(variant: str) -> dict[str, From]:
    """Which tensor of torchvision's state dict each array comes from."""
    last = f"features.{len(STAGES) + 1}"
    found = normed_entries("stem", "features.0.0", "features.0.1") | normed_entries("head", f"{last}.0", f"{last}.1")
    for name, (stage, i), block in efficientnet_blocks(variant):
        found |= block.entries(name, f"features.{stage}.{i}.block")
    return found | linear_entries("linear", "classifier.1")


def lite_table() -> dict[str, From]:
    """Which tensor of the published file each array of the lite net comes from."""
    found = normed_entries("stem", "_conv_stem", "_bn0") | normed_entries("head", "_conv_head", "_bn1")
    for number, (name, _, block) in enumerate(efficientnet_blocks("lite0")):
        path, theirs = f"{name}/body" if block.adds else name, f"_blocks.{number}"
        for i, kind in enumerate(("expand", "depthwise", "project")):
            if kind != "expand" or block.widens:
                found |= normed_entries(f"{path}/{kind}", f"{theirs}._{kind}_conv", f"{theirs}._bn{i}")
    return found | linear_entries("linear", "_fc")


def efficientnet_blocks(variant: str) -> Iterator[tuple[str, tuple[int, int], Inverted]]:
    """The blocks in order: name, numbers of its stage from 1 and in the stage from 0, and sizes."""
    scale, (channels, _) = SCALES[variant], ends(variant)
    counts = [math.ceil(count * scale.depth) for *_, count in STAGES]
    number = 0
    for stage, (widened, kernel, stride, width, _) in enumerate(STAGES, 1):
        out = multiple_of_8(width * scale.width)
        for i in range(counts[stage - 1]):
            excite = 0 if variant == "lite0" else max(1, channels // 4)
            step, drop = stride if i == 0 else 1, round(DROP * number / sum(counts), 4)
            inner = multiple_of_8(channels * widened)
            yield f"{stage}{chr(ord('a') + i)}", (stage, i), Inverted(channels, inner, out, kernel, step, excite, drop)
            channels, number = out, number + 1


def ends(variant: str) -> tuple[int, int]:
    """Channels of the first and of the last convolution."""
    width = SCALES[variant].width
    return multiple_of_8(STEM * width), HEAD * multiple_of_8(STAGES[-1][3] * width)
