"""Which leaves have a written kernel: leaves one after another, and what writes them out."""

from collections.abc import Callable, Sequence
from typing import TypeAlias

from netwright.layers.conv import Conv
from netwright.layers.conv_transpose import ConvTranspose
from netwright.layers.dropout import Dropout
from netwright.layers.embedding import Embedding
from netwright.layers.join import Add, Concatenate
from netwright.layers.linear import Linear
from netwright.layers.norm import BatchNorm, LayerNorm
from netwright.layers.pointwise import Elementwise
from netwright.layers.pool import AvgPool, GlobalAvgPool, GlobalMaxPool, MaxPool
from netwright.layers.reshape import Flatten, Reshape
from netwright.net.leaf import LeafNode
from netwright.training.engines.handwritten.conv import convolution_kernels
from netwright.training.engines.handwritten.conv_transpose import transposed_convolution
from netwright.training.engines.handwritten.dropout import drop_behind_relu, dropout
from netwright.training.engines.handwritten.embedding import embedding
from netwright.training.engines.handwritten.join import side_by_side, sum_of_two
from netwright.training.engines.handwritten.kernel import RAMPS, Join, Kernel, KernelSite
from netwright.training.engines.handwritten.linear import linear_kernels
from netwright.training.engines.handwritten.norm import batch_norm, batch_norm_and_sum, layer_norm
from netwright.training.engines.handwritten.pointwise import by_autograd, elementwise, reshape
from netwright.training.engines.handwritten.pool import convolution_and_pool

Pattern: TypeAlias = tuple[type[LeafNode] | frozenset[str], ...]
KernelMaker: TypeAlias = Callable[[KernelSite, Sequence[LeafNode]], list[Kernel] | None]
JoinMaker: TypeAlias = Callable[[KernelSite, Sequence[LeafNode]], Join | None]
RELU, RAMP = frozenset({"relu"}), frozenset(RAMPS)  # elementwise functions


def then_dropout(make: KernelMaker) -> KernelMaker:
    """What makes the kernels of leaves that end in ReLU, and dropout behind it."""
    return lambda site, leaves: drop_behind_relu(site, leaves, make(site, leaves[:-1]))


KERNELS: tuple[tuple[Pattern, KernelMaker], ...] = (
    ((Conv, MaxPool, RELU), convolution_and_pool),
    ((Conv, RELU, Dropout), then_dropout(convolution_kernels)),
    ((Conv, RELU), convolution_kernels),
    ((Conv,), convolution_kernels),
    ((ConvTranspose,), transposed_convolution),
    ((Linear, RELU, Dropout), then_dropout(linear_kernels)),
    ((Linear, RELU), linear_kernels),
    ((Linear,), linear_kernels),
    ((BatchNorm, RELU, Dropout), then_dropout(batch_norm)),
    ((BatchNorm, RAMP), batch_norm),
    ((BatchNorm,), batch_norm),
    ((Elementwise,), elementwise),
    ((LayerNorm,), layer_norm),
    ((Embedding,), embedding),
    ((Flatten,), reshape),
    ((Reshape,), reshape),
    ((Dropout,), dropout),
    ((MaxPool,), by_autograd),
    ((AvgPool,), by_autograd),
    ((GlobalMaxPool,), by_autograd),
    ((GlobalAvgPool,), by_autograd),
)
"""Leaves of one value each. The first maker that does not decline is taken."""

JOINS: tuple[tuple[Pattern, JoinMaker], ...] = (
    ((BatchNorm, Add, RAMP), batch_norm_and_sum),
    ((BatchNorm, Add), batch_norm_and_sum),
    ((Add, RAMP), sum_of_two),
    ((Add,), sum_of_two),
    ((Concatenate,), side_by_side),
)
"""Leaves of which one reads several values."""


def fits_pattern(leaf: LeafNode, wanted: type[LeafNode] | frozenset[str]) -> bool:
    """Whether a leaf is what stands at its place of a pattern."""
    if isinstance(wanted, frozenset):
        return isinstance(leaf, Elementwise) and leaf.function in wanted
    return isinstance(leaf, wanted)
