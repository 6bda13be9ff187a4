"""MobileNetV3: small and fast nets for pictures, whose blocks were found by a search."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from torch import Tensor

from netwright.codecs.category import Category
from netwright.errors import NetError, did_you_mean
from netwright.fields import with_known_arguments
from netwright.layers.dropout import Dropout
from netwright.layers.linear import Linear
from netwright.layers.norm import BatchNorm
from netwright.layers.pointwise import hardsigmoid, hardswish, relu, softmax
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
from netwright.net.part import Net

NORM = BatchNorm(eps=1e-3, momentum=0.01)
SIZE, STEM, DROPOUT = 224, 16, 0.2
BLOCKS = {
    "large": (
        *((3, 16, 16, 0, relu, 1), (3, 64, 24, 0, relu, 2), (3, 72, 24, 0, relu, 1), (5, 72, 40, 1, relu, 2)),
        *((5, 120, 40, 1, relu, 1), (5, 120, 40, 1, relu, 1), (3, 240, 80, 0, hardswish, 2)),
        *((3, 200, 80, 0, hardswish, 1), (3, 184, 80, 0, hardswish, 1), (3, 184, 80, 0, hardswish, 1)),
        *((3, 480, 112, 1, hardswish, 1), (3, 672, 112, 1, hardswish, 1), (5, 672, 160, 1, hardswish, 2)),
        *((5, 960, 160, 1, hardswish, 1), (5, 960, 160, 1, hardswish, 1)),
    ),
    "small": (
        *((3, 16, 16, 1, relu, 2), (3, 72, 24, 0, relu, 2), (3, 88, 24, 0, relu, 1), (5, 96, 40, 1, hardswish, 2)),
        *((5, 240, 40, 1, hardswish, 1), (5, 240, 40, 1, hardswish, 1), (5, 120, 48, 1, hardswish, 1)),
        *((5, 144, 48, 1, hardswish, 1), (5, 288, 96, 1, hardswish, 2), (5, 576, 96, 1, hardswish, 1)),
        *((5, 576, 96, 1, hardswish, 1),),
    ),
}
"""The tables of the paper: kernel, channels inside, channels out, squeeze and excitation, activation, stride."""

LAST = {"large": 1280, "small": 1024}  # width of the layer before the last


@with_known_arguments
def mobilenet_v3(
    variant: str, labels: Sequence[Any] = IMAGENET, *, weights: Mapping[str, Tensor] | None = None
) -> Chain:
    """A MobileNetV3: a 224 × 224 rgb picture in, one of the labels out.

    A convolution (`stem`), inverted residual blocks (`bneck1`, `bneck2`, …; 15 in the large net and 11 in the small
    one), a last convolution (`head`), the mean over the grid, and two linear layers. For 1,000 labels the parameters
    are 5,483,032 and 2,542,856.

    Fields:
        variant: "large" or "small".
        labels: the classes, for the last layer and the decoder; the numbers of ImageNet's 1,000.
        weights: a state dict of torchvision's net of this name; None leaves the net without arrays.

    Raises: NetError for another variant and for labels that `nw.Category` refuses; FileError for weights that do not
        fit, which are listed.

    Example:
        >>> import netwright as nw
        >>> nw.summary(nw.mobilenet_v3("small")).parameters
        2542856

    Source: Howard et al. 2019, arXiv 1905.02244, tables 1 and 2
    Torch: torchvision.models.mobilenet_v3_large, mobilenet_v3_small
    """
    if variant not in BLOCKS:
        raise NetError(
            what="there is no MobileNetV3 of this name",
            where="mobilenet_v3",
            expected=", ".join(map(repr, BLOCKS)),
            got=repr(variant),
            mend=did_you_mean(str(variant), BLOCKS),
        )
    blocks = [*_blocks(variant)]
    head = 6 * blocks[-1][0].out
    named: dict[str, Any] = {
        f"bneck{i}": block.net(activation, (relu, hardsigmoid), NORM) for i, (block, activation) in enumerate(blocks, 1)
    }
    net = Chain(
        stem=Chain(*normed(STEM, 3, stride=2, norm=NORM), hardswish),
        **named,
        head=Chain(*normed(head, norm=NORM), hardswish),
        mean=GlobalAvgPool(),
        linear1=Linear(LAST[variant]),
        hardswish=hardswish,
        dropout=Dropout(DROPOUT),
        linear2=Linear(),
        softmax=softmax,
        input=standardized(SIZE),
        output=Category(labels),
    )
    return holding_weights(net, weights, lambda: mobilenet_v3_table(variant))


def mobilenet_v3_table(variant: str) -> dict[str, From]:
    """Which tensor of torchvision's state dict each array comes from."""
    last = f"features.{len(BLOCKS[variant]) + 1}"
    found = normed_entries("stem", "features.0.0", "features.0.1") | normed_entries("head", f"{last}.0", f"{last}.1")
    for i, (block, _) in enumerate(_blocks(variant), 1):
        found |= block.entries(f"bneck{i}", f"features.{i}.block")
    return found | linear_entries("linear1", "classifier.0") | linear_entries("linear2", "classifier.3")


def _blocks(variant: str) -> Iterator[tuple[Inverted, Net]]:
    """The sizes and the activations of the blocks, in order."""
    channels = STEM
    for kernel, inner, out, excites, activation, stride in BLOCKS[variant]:
        yield Inverted(channels, inner, out, kernel, stride, multiple_of_8(inner / 4) * excites), activation
        channels = out
