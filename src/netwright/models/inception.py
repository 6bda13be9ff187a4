"""BN-Inception, the net of 232 layers: what a large net is when its blocks are containers."""

from collections.abc import Sequence
from typing import Any

from netwright.codecs.category import Category
from netwright.codecs.image import Image
from netwright.layers.conv import Conv
from netwright.layers.join import Concatenate
from netwright.layers.linear import Linear
from netwright.layers.norm import BatchNorm
from netwright.layers.pointwise import relu, softmax
from netwright.layers.pool import AvgPool, GlobalAvgPool, MaxPool
from netwright.layers.wrap import Parallel
from netwright.net.chain import Chain

SIZE = 224  # pixels on a side: five halvings leave 7


def bn_inception(labels: Sequence[Any]) -> Chain:
    """BN-Inception (GoogLeNet v2) without its arrays: a 224 × 224 rgb picture in, one of the labels out.

    A stem of three convolutions, ten blocks of parallel branches (`inception3a` to `inception5b`; 3c and 4e halve
    the grid), the mean over what is left of it, and one linear layer. Every convolution is followed by batch norm and
    ReLU. That makes 232 layers: 69 convolutions, 69 norms, 69 ReLUs, 13 pools, 10 concatenations, one linear and one
    softmax. They have 10,169,984 parameters and 1,025 more for every label: 11.2 million for 1,000.

    The widths are those of the paper's table. Where the table says too little: the first convolution is a plain one,
    pools that halve the grid have one position of padding, and convolutions have no bias, since the norm removes it.

    Fields:
        labels: the classes, for the last layer and the decoder.

    Raises: NetError for labels that `nw.Category` refuses.

    Example:
        >>> import netwright as nw
        >>> made = nw.summary(nw.bn_inception(["cat", "dog"]))
        >>> made.kinds.total(), made.parameters
        (232, 10172034)

    Source: Ioffe and Szegedy 2015, arXiv 1502.03167, figure 5
    """
    return Chain(
        stem=Chain(
            *(convolution(64, 7, stride=2), MaxPool(3, stride=2, padding=1)),
            *(convolution(64, 1), convolution(192, 3), MaxPool(3, stride=2, padding=1)),
        ),
        inception3a=block(64, (64, 64), (64, 96), 32),
        inception3b=block(64, (64, 96), (64, 96), 64),
        inception3c=halving((128, 160), (64, 96)),
        inception4a=block(224, (64, 96), (96, 128), 128),
        inception4b=block(192, (96, 128), (96, 128), 128),
        inception4c=block(160, (128, 160), (128, 160), 96),
        inception4d=block(96, (128, 192), (160, 192), 96),
        inception4e=halving((128, 192), (192, 256)),
        inception5a=block(352, (192, 320), (160, 224), 128),
        inception5b=block(352, (192, 320), (192, 224), 128, pool=MaxPool(3, stride=1, padding=1)),
        mean=GlobalAvgPool(),
        linear=Linear(),
        softmax=softmax,
        input=Image(SIZE, SIZE, "rgb"),
        output=Category(labels),
    )


def convolution(out: int, kernel: int, stride: int = 1) -> Chain:
    """A convolution whose padding keeps the grid, divided by its stride; batch norm; ReLU."""
    return Chain(Conv(out, kernel, stride=stride, padding=kernel // 2, bias=False), BatchNorm(), relu)


def block(
    one: int, three: tuple[int, int], double: tuple[int, int], projected: int, pool: MaxPool | AvgPool | None = None
) -> Chain:
    """Four branches side by side, joined along the channels.

    Fields:
        one: channels of the 1×1 branch.
        three: channels of the 3×3 branch, first those its 1×1 convolution reduces to.
        double: the same of the branch of two 3×3 convolutions, whose receptive field is 5×5.
        projected: channels that a 1×1 convolution leaves of the pooled input.
        pool: the pooling of that branch; None is the mean of 3×3.
    """
    pool = pool or AvgPool(3, stride=1, padding=1)
    return Chain(
        branches=Parallel(
            one=convolution(one, 1),
            three=Chain(convolution(three[0], 1), convolution(three[1], 3)),
            double=Chain(convolution(double[0], 1), convolution(double[1], 3), convolution(double[1], 3)),
            pool=Chain(pool, convolution(projected, 1)),
        ),
        join=Concatenate(),
    )


def halving(three: tuple[int, int], double: tuple[int, int]) -> Chain:
    """Three branches of stride 2, one of which is the pooled input itself: half the grid, more channels."""
    return Chain(
        branches=Parallel(
            three=Chain(convolution(three[0], 1), convolution(three[1], 3, stride=2)),
            double=Chain(convolution(double[0], 1), convolution(double[1], 3), convolution(double[1], 3, stride=2)),
            pool=MaxPool(3, stride=2, padding=1),
        ),
        join=Concatenate(),
    )
