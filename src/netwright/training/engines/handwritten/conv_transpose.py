"""Transposed convolution over two axes with its backward written out."""

from collections.abc import Sequence

import torch
from torch import Tensor

from netwright.layers.conv_transpose import ConvTranspose
from netwright.net.leaf import LeafNode
from netwright.training.engines.handwritten.conv import channels_first_view
from netwright.training.engines.handwritten.kernel import Kernel, KernelSite
from netwright.training.engines.handwritten.weights import kernel_channels_last, sum_of_places


class TransposedConvolution(Kernel):
    """y = the sum of what every position of x spreads to its window, plus b.

    The gradient of the bias is summed here: torch's own takes up to twice the time of all others.
    """

    def __init__(self, site: KernelSite, leaf: ConvTranspose) -> None:
        stride, padding, more, dilation, _ = leaf.spread_options[2]
        self.w, self.b = kernel_channels_last(site.working["weight"]), site.working.get("bias")
        self.gw, self.gb = site.gradients["weight"], site.gradients.get("bias")
        self.options = (stride, padding, dilation, True, more, leaf.groups)
        self.wanted = [not site.first, True, False]
        axes = zip(site.shape[1:-1], self.w.shape[2:], stride, padding, more, dilation, strict=True)
        places = ((n - 1) * s - 2 * p + d * (k - 1) + m + 1 for n, k, s, p, m, d in axes)
        self.shape, self.dtype = (site.shape[0], *places, self.w.shape[1] * leaf.groups), site.dtype

    def forward(self, x: Tensor) -> Tensor:
        self.x = x.contiguous()
        y = torch.ops.aten.convolution.default(
            channels_first_view(self.x), self.w, None, *self.options
        )  # (b, h, w, in) -> (b, in, h, w) -> (b, out, h', w')
        y = y.permute(0, 2, 3, 1).contiguous()  # (b, out, h', w') -> (b, h', w', out)
        if self.b is not None:
            y.flatten(2).add_(self.b.repeat(self.shape[2]))  # whole rows: few channels alone are slow to add
        return y

    def backward(self, dy: Tensor) -> Tensor | None:
        dy = dy.contiguous()
        dx, gw, _ = torch.ops.aten.convolution_backward.default(
            channels_first_view(dy), channels_first_view(self.x), self.w, None, *self.options, self.wanted
        )
        self.gw.copy_(gw)
        if self.gb is not None:
            self.gb.copy_(sum_of_places(dy))
        return dx.permute(0, 2, 3, 1).contiguous() if self.wanted[0] else None  # (b, in, h, w) -> (b, h, w, in)


def transposed_convolution(site: KernelSite, leaves: Sequence[LeafNode]) -> list[Kernel] | None:
    """A transposed convolution over two axes, of one group, of which nothing is cut off at one side alone."""
    leaf = leaves[0]
    assert isinstance(leaf, ConvTranspose)
    if len(site.shape) != 4 or leaf.groups > 1 or any(leaf.spread_options[2][-1]):
        return None
    return [TransposedConvolution(site, leaf)]
