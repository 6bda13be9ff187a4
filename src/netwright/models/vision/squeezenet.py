"""SqueezeNet 1.1: few weights by narrow layers of one position before those of three."""

from collections.abc import Mapping, Sequence
from typing import Any

from torch import Tensor

from netwright.codecs.category import Category
from netwright.fields import with_known_arguments
from netwright.layers.conv import Conv
from netwright.layers.dropout import Dropout
from netwright.layers.join import Concatenate
from netwright.layers.pointwise import relu, softmax
from netwright.layers.pool import GlobalAvgPool, MaxPool
from netwright.layers.wrap import Parallel
from netwright.models.pretrained.weights import From, linear_entries
from netwright.models.vision.units import IMAGENET, holding_weights, standardized
from netwright.net.chain import Chain

SIZE = 224
FIRES = {"fire2": 16, "fire3": 16, "fire4": 32, "fire5": 32, "fire6": 48, "fire7": 48, "fire8": 64, "fire9": 64}
"""The fire modules and the width to which they squeeze; both their branches are four times as wide."""

WIDER = 4
POOLED = ("fire3", "fire5")  # a pool comes after these
INDICES = dict(zip(FIRES, (3, 4, 6, 7, 9, 10, 11, 12), strict=True))
"""The numbers of the fire modules in torchvision's net."""


@with_known_arguments
def squeezenet(labels: Sequence[Any] = IMAGENET, *, weights: Mapping[str, Tensor] | None = None) -> Chain:
    """SqueezeNet 1.1: a 224 × 224 rgb picture in, one of the labels out.

    A convolution (`conv1`), eight fire modules (`fire2` to `fire9`), a convolution that gives every position a score
    for each label (`conv10`), and the mean of the scores. A fire module squeezes its input to few channels and
    then has two branches, with windows of 1 × 1 and of 3 × 3. For 1,000 labels there are 1,235,496 parameters.

    Fields:
        labels: the classes, for the last convolution and the decoder; the numbers of ImageNet's 1,000.
        weights: a state dict of torchvision's net; None leaves the net without arrays.

    Raises: NetError for labels that `nw.Category` refuses; FileError for weights that do not fit, which are listed.

    Example:
        >>> import netwright as nw
        >>> nw.summary(nw.squeezenet()).parameters
        1235496

    Source: Iandola et al. 2016, arXiv 1602.07360, and the authors' release 1.1
    Torch: torchvision.models.squeezenet1_1
    """
    fires: dict[str, Any] = {}
    for name, width in FIRES.items():
        fires[name] = _fire(width)
        if name in POOLED:
            fires[f"maxpool{name[-1]}"] = _pool()
    net = Chain(
        conv1=Chain(Conv(64, 3, stride=2), relu),
        maxpool1=_pool(),
        **fires,
        dropout=Dropout(),
        conv10=Chain(Conv(kernel=1), relu),
        mean=GlobalAvgPool(),
        softmax=softmax,
        input=standardized(SIZE),
        output=Category(labels),
    )
    return holding_weights(net, weights, squeezenet_table)


def squeezenet_table() -> dict[str, From]:
    """Which tensor of torchvision's state dict each array comes from."""
    found = linear_entries("conv1/conv1", "features.0") | linear_entries("conv10/conv1", "classifier.1")
    for name, number in INDICES.items():
        for path, theirs in (("squeeze", "squeeze"), ("expand/one", "expand1x1"), ("expand/three", "expand3x3")):
            found |= linear_entries(f"{name}/{path}/conv1", f"features.{number}.{theirs}")
    return found


def _fire(width: int) -> Chain:
    wide = WIDER * width
    branches = Parallel(one=Chain(Conv(wide, 1), relu), three=Chain(Conv(wide, 3, padding=1), relu))
    return Chain(squeeze=Chain(Conv(width, 1), relu), expand=branches, join=Concatenate())


def _pool() -> MaxPool:
    return MaxPool(3, stride=2, ceil=True)
