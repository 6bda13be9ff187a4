"""ConvNeXt: a net of convolutions with what transformers taught: few norms, wide layers between, large windows."""

from collections.abc import Mapping, Sequence
from typing import Any

from torch import Tensor

from netwright.codecs.category import Category
from netwright.fields import with_known_arguments
from netwright.layers.conv import Conv
from netwright.layers.dropout import Dropout
from netwright.layers.join import Multiply
from netwright.layers.linear import Linear
from netwright.layers.norm import LayerNorm
from netwright.layers.pointwise import gelu, softmax
from netwright.layers.pool import GlobalAvgPool
from netwright.layers.source import Parameter
from netwright.layers.wrap import Residual
from netwright.models.pretrained.weights import From, linear_entries
from netwright.models.vision.units import IMAGENET, holding_weights, standardized
from netwright.net.chain import Chain
from netwright.net.graph import Graph

BLOCKS, WIDTHS = (3, 3, 9, 3), (96, 192, 384, 768)  # of the four stages
SIZE, PATCH, WINDOW = 224, 4, 7
DROP = 0.1  # the share of examples that pass the last block by in training, as published for the tiny net
NORM = LayerNorm(eps=1e-6)


@with_known_arguments
def convnext_tiny(labels: Sequence[Any] = IMAGENET, *, weights: Mapping[str, Tensor] | None = None) -> Chain:
    """ConvNeXt-T: a 224 × 224 rgb picture in, one of the labels out.

    Patches of 4 × 4 pixels (`stem`), four stages of residual blocks (`res2` to `res5`; a norm and a convolution between
    them halve the grid), the mean over the grid, a norm and one linear layer. A block is a convolution of 7 × 7 that
    sees every channel by itself, a norm, two linear layers with GELU between them, and a learned factor for each
    channel. The factors begin at 0, so that the untrained net passes its input on; in the paper they begin at a
    millionth. In training an example passes a block by with a probability that grows from 0 at the first to 10% at the
    last (stochastic depth). For 1,000 labels there are 28,589,128 parameters.

    Fields:
        labels: the classes, for the last layer and the decoder; the numbers of ImageNet's 1,000.
        weights: a state dict of torchvision's net; None leaves the net without arrays.

    Raises: NetError for labels that `nw.Category` refuses; FileError for weights that do not fit, which are listed.

    Example:
        >>> import netwright as nw
        >>> nw.summary(nw.convnext_tiny()).parameters
        28589128

    Source: Liu et al. 2022, arXiv 2201.03545
    Torch: torchvision.models.convnext_tiny
    """
    net = Chain(
        stem=Chain(Conv(WIDTHS[0], PATCH, stride=PATCH), NORM),
        **{f"res{stage + 2}": _stage(stage) for stage in range(len(BLOCKS))},
        mean=GlobalAvgPool(),
        norm=NORM,
        linear=Linear(),
        softmax=softmax,
        input=standardized(SIZE),
        output=Category(labels),
    )
    return holding_weights(net, weights, convnext_table)


def convnext_table() -> dict[str, From]:
    """Which tensor of torchvision's state dict each array comes from."""
    found = linear_entries("stem/conv1", "features.0.0") | linear_entries("stem/layernorm1", "features.0.1")
    for stage, count in enumerate(BLOCKS):
        path = f"res{stage + 2}"
        if stage:
            halving = f"features.{2 * stage}"
            found |= linear_entries(f"{path}/halving/layernorm1", f"{halving}.0")
            found |= linear_entries(f"{path}/halving/conv1", f"{halving}.1")
        for i in range(count):
            body, name = f"{path}/block{i + 1}/body", f"features.{2 * stage + 1}.{i}"
            for ours, number in (("conv1", 0), ("layernorm1", 2), ("linear1", 3), ("linear2", 5)):
                found |= linear_entries(f"{body}/{ours}", f"{name}.block.{number}")
            found[f"{body}/graph1/factors/value"] = From(f"{name}.layer_scale", _one_axis)
    return found | linear_entries("norm", "classifier.0") | linear_entries("linear", "classifier.2")


def _stage(stage: int) -> Chain:
    """The blocks of a stage, with what halves the grid before them."""
    width = WIDTHS[stage]
    halving: dict[str, Any] = {"halving": Chain(NORM, Conv(width, 2, stride=2))} if stage else {}
    first = sum(BLOCKS[:stage])
    rates = [round(DROP * (first + i) / (sum(BLOCKS) - 1), 4) for i in range(BLOCKS[stage])]
    blocks: dict[str, Any] = {f"block{i}": _block(width, rate) for i, rate in enumerate(rates, 1)}
    return Chain(**halving, **blocks)


def _block(width: int, rate: float) -> Residual:
    factors = Graph(factors=(Parameter(width), {}), multiply=(Multiply(), "input", "factors"))
    depthwise = Conv(width, WINDOW, padding=WINDOW // 2, groups=width)
    body: list[Any] = [depthwise, NORM, Linear(4 * width), gelu, Linear(width), factors]
    return Residual([*body, Dropout(rate, unit="example")] if rate else body)


def _one_axis(factors: Tensor) -> Tensor:
    return factors.flatten()  # (c, 1, 1) -> (c,)
