"""Convolution of few places with many channels: its windows as the rows of a matrix, and three products."""

import math
from collections.abc import Sequence
from itertools import product

import torch
from torch import Tensor

from netwright.layers.conv import Conv
from netwright.layers.window import per_axis
from netwright.training.engines.handwritten.kernel import Gate, Kernel, KernelSite, cut
from netwright.training.engines.handwritten.weights import sum_of_places


class ConvolutionByRows(Kernel):
    """y = W * x + b, ReLU with it where one follows, as products with the windows of the input.

    A library of convolutions brings the weights into an order of its own in each call. This takes longer than all
    arithmetic where an array of weights has more numbers than the windows of the whole batch.

    Fields: `shape`, of the output; `padding`, on both sides of each axis.
    """

    def __init__(
        self, site: KernelSite, leaf: Conv, shape: tuple[int, ...], padding: tuple[int, int], *, relu: bool, gated: bool
    ) -> None:
        """`gated` says that what follows multiplies with ReLU's derivative itself, and sums the bias's gradient."""
        b, h, w, c = site.shape
        weight = site.working["weight"]
        out, _, *kernel = weight.shape
        self.shape, self.dtype, self.first, self.relu = shape, site.dtype, site.first, relu
        self.w, self.b = weight.movedim(1, -1).view(out, -1), site.working.get("bias")
        self.gw = site.gradients["weight"].movedim(1, -1).view(out, -1)
        self.gb = None if gated else site.gradients.get("bias")
        self.gate = Gate((math.prod(shape[:-1]), out), site.dtype) if relu and not gated else None

        (down, across), dilation = per_axis(leaf.stride, 2), per_axis(leaf.dilation, 2)
        size = (b, h + 2 * padding[0], w + 2 * padding[1], c)
        self.padded = torch.zeros(size, dtype=site.dtype, device="cpu") if any(padding) else None
        image, line = size[1] * size[2] * c, size[2] * c
        strides = (image, down * line, across * c, dilation[0] * line, dilation[1] * c, 1)
        self.windows = (b, *shape[1:3], *kernel, c), strides
        self.inside = (slice(None), slice(padding[0], padding[0] + h), slice(padding[1], padding[1] + w))
        self.taken = torch.empty(self.windows[0], dtype=site.dtype, device="cpu")
        self.rows = self.taken.view(-1, self.w.shape[1])
        self.y = torch.empty(len(self.rows), out, dtype=site.dtype, device="cpu")
        self.each = torch.empty_like(self.w)
        if not self.first:
            self.parts = torch.empty_like(self.taken)
            self.spread = torch.zeros(size, dtype=site.dtype, device="cpu")

    def forward(self, x: Tensor) -> Tensor:
        if self.padded is None:
            x = x.contiguous()  # (b, h, w, c)
        else:
            self.padded[self.inside].copy_(x)
            x = self.padded  # (b, h, w, c) -> (b, h + 2 p, w + 2 p, c)
        self.taken.copy_(x.as_strided(*self.windows))  # -> (b, h', w', kh, kw, c)
        if self.b is None:
            torch.mm(self.rows, self.w.t(), out=self.y)  # (b h' w', kh kw c) -> (b h' w', out)
        else:
            torch.addmm(self.b, self.rows, self.w.t(), out=self.y)  # (b h' w', kh kw c) -> (b h' w', out)
        if self.relu:
            cut(self.y, math.inf)
        return self.y.view(self.shape)  # (b h' w', out) -> (b, h', w', out)

    def backward(self, dy: Tensor) -> Tensor | None:
        dy = dy.reshape(self.y.shape)  # (b, h', w', out) -> (b h' w', out)
        if self.gate is not None:
            dy = self.gate(dy, self.y)
        torch.mm(dy.t(), self.rows, out=self.each)  # -> (out, kh kw c)
        self.gw.copy_(self.each)
        if self.gb is not None:
            self.gb.copy_(sum_of_places(dy.view(self.shape)))
        if self.first:
            return None
        torch.mm(dy, self.w, out=self.parts.view(self.rows.shape))  # (b h' w', out) -> (b h' w', kh kw c)
        places = self.spread.zero_().as_strided(*self.windows)  # (b, h', w', kh, kw, c)
        for i, j in product(*map(range, places.shape[3:5])):  # windows overlap, those of one tap do not
            places[:, :, :, i, j].add_(self.parts[:, :, :, i, j])
        return self.spread[self.inside].contiguous()  # (b, h + 2 p, w + 2 p, c) -> (b, h, w, c)


def few_places(leaf: Conv, shape: tuple[int, ...], window: Sequence[int]) -> bool:
    """Whether products are faster: up to so many places of the whole batch for each channel of the output.

    A window of one place needs no copies. With a stride windows overlap less, and the library's gradients are slower.
    The limits were measured on 270 convolutions.

    Fields: `shape`, of the output; `window`, the places of a window along each axis.
    """
    b, h, w, out = shape
    steps = max(per_axis(leaf.stride, 2)) > 1
    most = 16 if math.prod(window) == 1 else 4 if steps else 1
    return leaf.groups == 1 and b * h * w <= most * out
