"""U-Net: a way down that sees more and more of a picture, and a way up that tells what is at every pixel."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from torch import Tensor

from netwright.codecs.image import Image
from netwright.codecs.mask import Mask
from netwright.fields import at_least, with_known_arguments
from netwright.layers.conv import Conv
from netwright.layers.conv_transpose import ConvTranspose
from netwright.layers.join import Concatenate
from netwright.layers.pointwise import relu, softmax
from netwright.layers.pool import MaxPool
from netwright.models.pretrained.weights import From, linear_entries
from netwright.models.vision.units import holding_weights, normed, normed_entries
from netwright.net.chain import Chain
from netwright.net.graph import Graph


@with_known_arguments
def unet(
    labels: Sequence[Any],
    *,
    image: Image | None = None,
    width: int = 64,
    depth: int = 4,
    weights: Mapping[str, Tensor] | None = None,
) -> Graph:
    """A U-Net: a picture in, and for every pixel one of the labels out.

    On the way down each step (`down1`, `down2`, …) halves the grid and doubles the channels; on the way up (`up4` to
    `up1`) a transposed convolution doubles the grid and halves the channels, and what the way down had at this size is
    put beside it. Each step has two convolutions of 3 × 3 with batch norm and ReLU, whose padding keeps the grid; the
    paper has neither norm nor padding. With 64 channels, 4 steps and 2 labels there are 31,037,698 parameters for rgb
    pictures.

    Shapes: input (2ᵈ·h, 2ᵈ·w, c) with d the depth and c the colours, output (2ᵈ·h, 2ᵈ·w, k) with k the labels.

    Fields:
        labels: what a pixel can be.
        image: the encoder of the pictures, which masks are resized as; None takes rgb pictures of any size that can be
            halved so often, as they are. `nw.Image(256, 256, "gray")` brings gray ones to one size.
        width: channels at the first step; 64, as in the paper. 16 is much for a small data set.
        depth: how often the grid is halved; 4, as in the paper.
        weights: a state dict of the net of the repository Pytorch-UNet, made with transposed convolutions; None leaves
            the net without arrays.

    Raises: NetError for a width or a depth that is not a whole number of at least 1, and for labels that `nw.Mask`
        refuses; FileError for weights that do not fit, which are listed; SizeError for an image whose size cannot be
        halved so often.

    Example:
        >>> import netwright as nw
        >>> net = nw.unet(["cell", "background"], width=8, depth=2)
        >>> net.plan.outputs
        {'output': (4*h, 4*w, 2)}

    Source: Ronneberger et al. 2015, arXiv 1505.04597
    """
    at_least(1, width, "the number of channels", "unet")
    at_least(1, depth, "the number of halvings", "unet")
    nodes: dict[str, Any] = {"down0": (_convolutions(width), "input")}
    for i in range(1, depth + 1):
        nodes[f"down{i}"] = (Chain(pool=MaxPool(), convolutions=_convolutions(width * 2**i)), f"down{i - 1}")
    below = f"down{depth}"
    for i in range(depth, 0, -1):
        nodes[f"larger{i}"] = (ConvTranspose(width * 2 ** (i - 1), 2, stride=2), below)
        nodes[f"join{i}"] = (Concatenate(), f"down{i - 1}", f"larger{i}")
        nodes[f"up{i}"] = (_convolutions(width * 2 ** (i - 1)), f"join{i}")
        below = f"up{i}"
    image = Image(f"{2**depth}*h", f"{2**depth}*w") if image is None else image
    net = Graph(
        **nodes,
        scores=(Conv(kernel=1), below),
        softmax=(softmax, "scores"),
        input=image,
        output=Mask(labels, image.height, image.width, resize=image.resize),
    )
    return holding_weights(net, weights, lambda: unet_table(depth))


def unet_table(depth: int) -> dict[str, From]:
    """Which tensor of the state dict of Pytorch-UNet each array comes from."""
    found = linear_entries("scores", "outc.conv")
    for path, name in _pairs(depth):
        for i, (conv, norm) in enumerate(((0, 1), (3, 4)), 1):
            found |= normed_entries(path, f"{name}.double_conv.{conv}", f"{name}.double_conv.{norm}", i)
    for i in range(1, depth + 1):
        found |= linear_entries(f"larger{i}", f"up{depth - i + 1}.up")
    return found


def _pairs(depth: int) -> Iterator[tuple[str, str]]:
    """Our paths of the pairs of convolutions, and their names."""
    yield "down0", "inc"
    for i in range(1, depth + 1):
        yield f"down{i}/convolutions", f"down{i}.maxpool_conv.1"
        yield f"up{i}", f"up{depth - i + 1}.conv"


def _convolutions(out: int) -> Chain:
    return Chain(*normed(out, 3), relu, *normed(out, 3), relu)
