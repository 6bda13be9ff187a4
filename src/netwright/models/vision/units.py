"""What the families of nets for pictures share: a convolution with its norm, and the names of their arrays."""

from collections.abc import Callable, Mapping
from typing import Literal, TypeVar, cast

from torch import Tensor

from netwright.codecs.image import Image
from netwright.layers.conv import Conv
from netwright.layers.join import Multiply
from netwright.layers.linear import Linear
from netwright.layers.norm import BatchNorm
from netwright.layers.pool import GlobalAvgPool
from netwright.models.pretrained.weights import From, filled_arrays, linear_entries
from netwright.net.graph import Graph
from netwright.net.part import Net

N = TypeVar("N", bound=Net)

IMAGENET = range(1000)
"""The classes of ImageNet by number: published figures are those of nets with this many."""

MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""Of the pixels of ImageNet, in each colour: torchvision's and timm's nets expect pictures that are standardized so."""

UNREAD = (r"(.*\.)?num_batches_tracked",)
"""What torch's state dicts hold beside the arrays of a net: how many batches a norm has seen."""


NORM = BatchNorm()


def standardized(size: int) -> Image:
    """The encoder of a square picture as nets for ImageNet take it."""
    return Image(size, size, mean=MEAN, deviation=DEVIATION)


def normed(
    out: int,
    kernel: int = 1,
    *,
    stride: int = 1,
    groups: int = 1,
    norm: BatchNorm = NORM,
    padding: Literal["same"] | None = None,
) -> tuple[Conv, BatchNorm]:
    """A convolution whose padding keeps the grid, divided by its stride, and batch norm in place of a bias.

    `padding` None puts the same zeros on either side, as torch's nets have it; "same" is TensorFlow's.
    """
    zeros = kernel // 2 if padding is None else padding
    return Conv(out, kernel, stride=stride, padding=zeros, groups=groups, bias=False), norm


def squeeze_excite(inner: int, activation: Net, gate: Net) -> Graph:
    """Every channel times a number that all channels together decide: y = x · gate(W₂ activation(W₁ mean(x))).

    Source: Hu et al. 2017, arXiv 1709.01507
    """
    return Graph(
        squeeze=(GlobalAvgPool(), "input"),
        excite=([Linear(inner), activation, Linear(), gate], "squeeze"),
        scale=(Multiply(), "input", "excite"),
    )


def norm_entries(path: str, name: str) -> dict[str, From]:
    """The arrays of a batch norm."""
    running = {"mean": "running_mean", "variance": "running_var"}
    return linear_entries(path, name) | {f"{path}/{ours}": From(f"{name}.{theirs}") for ours, theirs in running.items()}


def normed_entries(path: str, conv: str, norm: str, number: int = 1) -> dict[str, From]:
    """The arrays of the convolution and the norm with this number in a chain."""
    return linear_entries(f"{path}/conv{number}", conv, bias=False) | norm_entries(f"{path}/batchnorm{number}", norm)


def squeeze_excite_entries(path: str, name: str) -> dict[str, From]:
    """The arrays of `squeeze_excite`, which torchvision has as convolutions of one position."""
    layers = {f"{path}/excite/linear{i}": f"{name}.fc{i}" for i in (1, 2)}
    return {
        entry: From(source.name, flat if entry.endswith("weight") else None)
        for ours, theirs in layers.items()
        for entry, source in linear_entries(ours, theirs).items()
    }


def flat(weight: Tensor) -> Tensor:
    """The weight of a convolution of one position as that of a linear layer."""
    return weight.flatten(1)  # (out, in, 1, 1) -> (out, in)


def holding_weights(net: N, weights: Mapping[str, Tensor] | None, table: Callable[[], Mapping[str, From]]) -> N:
    """The net with the arrays of a state dict; without one as it is."""
    if weights is None:
        return net
    return cast(N, filled_arrays(net, weights, table(), UNREAD, "weights"))  # arrays do not change what a net is


def multiple_of_8(size: float) -> int:
    """The nearest multiple of 8, or the next one where that would be less than 90%: how mobile nets round widths.

    Example:
        >>> multiple_of_8(35.2), multiple_of_8(11.5)
        (32, 16)
    """
    near = max(8, int(size + 4) // 8 * 8)
    return near + 8 if near < 0.9 * size else near
