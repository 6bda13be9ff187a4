"""Convolution over two axes with its backward written out."""

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor

from netwright.kernels import private
from netwright.layers.conv import Conv, lacks_low_gradient
from netwright.layers.window import per_axis, planar
from netwright.net.leaf import LeafNode
from netwright.training.engines.handwritten.kernel import Gate, Kernel, KernelSite
from netwright.training.engines.handwritten.pointwise import Reshaped
from netwright.training.engines.handwritten.rows import ConvolutionByRows, few_places
from netwright.training.engines.handwritten.weights import (
    FEW,
    ImageRows,
    TorchBackward,
    WeightGradient,
    WindowRows,
    kernel_channels_last,
)

ROOM = 1 << 24  # numbers that an unfolded batch may take: a larger one would cost too much memory


class Convolution(Kernel):
    """y = W * x + b, ReLU with it where one follows."""

    def __init__(self, site: KernelSite, leaf: Conv, *, relu: bool, gated: bool = False) -> None:
        """`gated` says that what follows multiplies with ReLU's derivative itself, and sums the bias's gradient."""
        self.w, self.b = kernel_channels_last(site.working["weight"]), site.working.get("bias")
        self.skips = leaf.skips(2)
        self.stride, self.dilation = [list(per_axis(v, 2)) for v in (1 if self.skips else leaf.stride, leaf.dilation)]
        self.padding, self.groups = _padding(leaf, site.shape[1:-1]), leaf.groups
        self.in_float32 = lacks_low_gradient(site.dtype, self.groups, self.stride)
        self.given, self.shape = site.shape, convolved(site, leaf)
        self.dense = dense(leaf)
        self.dtype, self.first = site.dtype, site.first
        self.gate = Gate(self.shape, site.dtype) if relu and not gated else None
        self.after = "relu" if relu else "none"
        self.convolve = private.fused_convolution(site.dtype)
        self.options = (self.stride, self.padding, self.dilation, False, [0, 0], self.groups)
        self.weight_gradient = self._way(site, None if gated else site.gradients.get("bias"))

    def forward(self, x: Tensor) -> Tensor:
        if self.skips is not None:
            x = self._taken(x).contiguous()  # (b, h, w, in) -> (b, h', w', in)
        self.x = x
        y = self.convolve(
            channels_first_view(x),
            self.w,
            self.b,
            self.padding,
            self.stride,
            self.dilation,
            self.groups,
            self.after,
            [],
            "",
        )  # (b, h, w, in) -> (b, in, h, w) -> (b, out, h', w')
        self.y = y.permute(0, 2, 3, 1).contiguous()  # (b, out, h', w') -> (b, h', w', out)
        return self.y

    def backward(self, dy: Tensor) -> Tensor | None:
        if self.gate is not None:
            dy = self.gate(dy, self.y)
        self.weight_gradient(self.x, dy)
        if self.first:
            return None
        given = (channels_first_view(dy), channels_first_view(self.x), self.w)
        if self.in_float32:
            given = tuple(value.float() for value in given)
        dx = torch.ops.aten.convolution_backward.default(*given, None, *self.options, [True, False, False])[0]
        dx = dx.to(self.dtype).permute(0, 2, 3, 1).contiguous()  # (b, in, h, w) -> (b, h, w, in)
        if self.skips is None:
            return dx
        spread = dx.new_zeros(self.given)
        self._taken(spread).copy_(dx)
        return spread

    def _taken(self, x: Tensor) -> Tensor:
        down, across = self.skips or (1, 1)
        return x[:, ::down, ::across]

    def _way(self, site: KernelSite, bias: Tensor | None) -> WeightGradient:
        """How the gradient of the weight is computed: the way that was fastest for such shapes.

        In float32 that is torch's own: what its products gain is less than what copies of the input cost.
        """
        weight = site.gradients["weight"].movedim(1, -1)
        b, h, w, _ = self.shape
        _, kh, kw, into = weight.shape
        copies = self.dense and site.dtype == torch.bfloat16 and kh * kw > 1  # single places are rows already
        if copies and into <= FEW and b * h * w * (kh * kw * into + 1) <= ROOM:
            return ImageRows(site.shape, self.shape, weight, bias, site.dtype)
        if copies and h % 2 == w % 2 == 0 and unfolds(site, self.shape):
            return WindowRows(site.shape, self.shape, weight, bias, site.dtype)
        return TorchBackward(self.w, weight, bias, self.options)


def writable(site: KernelSite, leaf: Conv) -> bool:
    """Whether it goes over two axes with equal padding on both sides."""
    return len(site.shape) == 4 and _even(leaf, site.shape[1:-1])


def dense(leaf: Conv) -> bool:
    """Whether every window of the input is seen, by all channels, and nothing else is."""
    steps = (per_axis(value, 2) for value in (leaf.stride, leaf.dilation))
    return leaf.groups == 1 and _padding(leaf, (None, None)) == [0, 0] and all(step == (1, 1) for step in steps)


def convolved(site: KernelSite, leaf: Conv) -> tuple[int, ...]:
    """The shape of the output, (b, h', w', out)."""
    b, *s, _ = site.shape
    out, _, *kernel = site.working["weight"].shape
    taps = zip(s, _padding(leaf, s), per_axis(leaf.dilation, 2), kernel, per_axis(leaf.stride, 2), strict=True)
    return (b, *((n + 2 * p - d * (k - 1) - 1) // step + 1 for n, p, d, k, step in taps), out)


def unfolds(site: KernelSite, shape: tuple[int, ...]) -> bool:
    """Whether the windows of 2×2 outputs of a batch fit into the memory allowed for them."""
    b, h, w, _ = shape
    _, into, kh, kw = site.working["weight"].shape
    return b * h * w * (kh + 1) * (kw + 1) * into // 4 <= ROOM


def convolution_kernels(site: KernelSite, leaves: Sequence[LeafNode]) -> list[Kernel] | None:
    """A convolution over one axis or two with equal padding on both sides, and the ReLU after it if there is one."""
    leaf = leaves[0]
    assert isinstance(leaf, Conv)
    if len(site.shape) == 3 and _even(leaf, site.shape[1:-1]):
        return _along_a_line(site, leaf, len(leaves) > 1)
    if not writable(site, leaf):
        return None
    return [convolution_kernel(site, leaf, relu=len(leaves) > 1)]


def convolution_kernel(site: KernelSite, leaf: Conv, *, relu: bool, gated: bool = False) -> Kernel:
    """A convolution in the way that is fastest for its sizes; options as of `Convolution`."""
    shape = convolved(site, leaf)
    if few_places(leaf, shape, site.working["weight"].shape[2:]):
        down, across = _padding(leaf, site.shape[1:-1])
        return ConvolutionByRows(site, leaf, shape, (down, across), relu=relu, gated=gated)
    return Convolution(site, leaf, relu=relu, gated=gated)


def _along_a_line(site: KernelSite, leaf: Conv, relu: bool) -> list[Kernel]:
    """A convolution over one axis, as one over a picture of height one."""
    b, n, c = site.shape
    wide = replace(
        leaf, kernel=(1, *per_axis(leaf.kernel, 1)), stride=planar(per_axis(leaf.stride, 1), 1),
        padding=planar(tuple(_padding(leaf, (n,))), 0), dilation=planar(per_axis(leaf.dilation, 1), 1),
    )  # fmt: skip
    arrays = ({name: array.unsqueeze(2) if array.ndim > 1 else array for name, array in given.items()}
              for given in (site.working, site.master, site.gradients))  # fmt: skip
    working, master, gradients = arrays  # weight (out, in, k) -> (out, in, 1, k)
    picture = replace(site, shape=(b, 1, n, c), working=working, master=master, gradients=gradients)
    made = convolution_kernel(picture, wide, relu=relu)
    b, _, n, c = made.shape
    return [Reshaped(site.shape, picture.shape, site.dtype), made, Reshaped(made.shape, (b, n, c), site.dtype)]


def channels_first_view(x: Tensor) -> Tensor:
    """(b, h, w, c) as a view (b, c, h, w) with explicit strides: for one channel torch would choose others."""
    b, h, w, c = x.shape
    return x.as_strided((b, c, h, w), (h * w * c, 1, w * c, c))


def _even(leaf: Conv, sizes: Sequence[int]) -> bool:
    return all(before == after for before, after in leaf.sides(len(sizes), sizes))


def _padding(leaf: Conv, sizes: Sequence[int | None]) -> list[int]:
    return [before for before, _ in leaf.sides(len(sizes), sizes)]
