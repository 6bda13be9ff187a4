"""Convolution, 2×2 max-pooling and ReLU as one: the four outputs that a pool compares come from one product."""

import torch
from torch import Tensor

from netwright.kernels import private
from netwright.layers.conv import Conv
from netwright.machine import has_matrix_units
from netwright.training.engines.handwritten.conv import channels_first_view, dense, unfolds
from netwright.training.engines.handwritten.kernel import INTEGER, Kernel, KernelSite, relu_gradient
from netwright.training.engines.handwritten.weights import FEW, WindowRows, kernel_channels_last, shifted_weights

MANY = 32  # input channels from which torch's convolution fills a matrix unit by itself


class PooledConvolution(Kernel):
    """y = max(0, the largest of 2×2 of W * x + b), in bf16.

    A row of `Windows` times the weight at all its places gives (top left, top right, bottom left, bottom right) of
    all channels side by side: pooling compares halves of a row, and the weight's gradient reads the same rows again.
    As in `PoolOfRelu`, values are compared and chosen as integers, and among equals the first of the four wins.

    Memory is what costs time here: the backward writes over what the forward left, piece by piece.
    """

    def __init__(self, site: KernelSite, convolved: tuple[int, ...]) -> None:
        """`convolved` is the shape between convolution and pool."""
        self.w, self.b = kernel_channels_last(site.working["weight"]), site.working.get("bias")
        b, oh, ow, out = convolved
        c, kh, kw = self.w.shape[1:]
        self.shape, self.dtype = (b, oh // 2, ow // 2, out), site.dtype
        gradient = site.gradients["weight"].movedim(1, -1)
        pairs = 2 if c <= FEW and ow % 4 == 0 else 1  # narrow windows are copied and multiplied two at once
        self.windows = WindowRows(site.shape, convolved, gradient, None, site.dtype, pairs)
        self.gb = site.gradients.get("bias")
        n, bits = len(self.windows.rows), INTEGER[site.dtype]
        wide = (kw + 2 * pairs - 1) * c
        self.weights = torch.zeros(1, 4 * pairs * out, (kh + 1) * wide, dtype=site.dtype, device="cpu")
        self.places = shifted_weights(self.weights, pairs, (out, kh, kw * c), (wide, c))
        self.source = site.working["weight"].movedim(1, -1).view(out, kh, kw * c)  # the weights of every step
        self.bias = None if self.b is None else self.b.repeat(4 * pairs)
        self.product = private.fused_linear(site.dtype)
        self.four: Tensor | None = None
        self.larger = torch.empty(n, 2 * pairs * out, dtype=bits, device="cpu")
        self.y = torch.empty(n, pairs * out, dtype=bits, device="cpu")
        padded = -(-out // MANY) * MANY  # channels that fill a matrix unit
        self.dy = None if site.first else torch.zeros(b, oh, ow, padded, dtype=site.dtype, device="cpu")
        self.padded = kernel_channels_last(
            torch.zeros(padded, kh, kw, c, dtype=site.dtype, device="cpu").movedim(-1, 1)
        )
        self.halves = (8 if n % 8 == 0 else 1, -1, out)

    def forward(self, x: Tensor) -> Tensor:
        self.places.copy_(self.source)
        if self.b is not None and self.bias is not None:
            self.bias.view(-1, len(self.b)).copy_(self.b)
        rows = self.windows.unfold(x)
        self.four = None  # the same memory again, which may be in the cache still
        self.four = self.product(rows, self.weights[0], self.bias, "relu", [], "").view(self.y.dtype)
        top, bottom = self.four.chunk(2, 1)  # (n, window) -> (n, 4 out), for `out` in some pairs of columns
        torch.maximum(top, bottom, out=self.larger)  # (n, 4 out) -> (n, 2 out)
        torch.maximum(*self.larger.chunk(2, 1), out=self.y)  # (n, 2 out) -> (n, out)
        return self.y.view(self.dtype).view(self.shape)

    def backward(self, dy: Tensor) -> Tensor | None:
        assert self.four is not None
        top, bottom = self.four.chunk(2, 1)
        left, right = self.larger.chunk(2, 1)
        clipped = relu_gradient(dy.view(self.y.dtype).view(self.y.shape), self.y, self.y)
        if self.gb is not None:  # one of the four outputs gets it all; halves, as a bf16 sum is wide inside alone
            self.gb.copy_(clipped.view(self.dtype).view(self.halves).sum(1).sum(0))
        torch.ge(left, right, out=right)  # 0 or 1, where the last line writes
        torch.mul(clipped, right, out=left)
        torch.bitwise_xor(clipped, left, out=right)  # (n, out) -> (n, 2 out), what is not left
        torch.ge(top, bottom, out=bottom)
        torch.mul(self.larger, bottom, out=top)
        torch.bitwise_xor(self.larger, top, out=bottom)  # (n, 2 out) -> (n, 4 out)
        four = self.four.view(self.dtype)
        self.windows.collect(four)
        if self.dy is None:
            return None
        self.padded[: len(self.w)] = self.w
        into = self.windows.apart(self.dy[..., : len(self.w)])
        into.copy_(four.view(into.shape))
        dx = torch.nn.functional.conv_transpose2d(channels_first_view(self.dy), self.padded)
        return dx.permute(0, 2, 3, 1).contiguous()  # (b, in, h, w) -> (b, h, w, in)


def pooling_pays(site: KernelSite, leaf: Conv, convolved: tuple[int, ...]) -> bool:
    """Whether this is faster than convolution and pool apart: in bf16, where a convolution would pad its channels."""
    few = site.shape[-1] < (MANY if has_matrix_units() else FEW + 1)
    return dense(leaf) and site.dtype == torch.bfloat16 and few and unfolds(site, convolved)
