"""Convolution, 2×2 max-pooling and ReLU as one: the four outputs that a pool compares come from one product."""

import torch
from torch import Tensor

from netwright.layers.conv import Conv
from netwright.training.written.conv import channels_first, dense, unfolds
from netwright.training.written.kernel import INTEGER, Kernel, Site, product
from netwright.training.written.weights import Windows, channels_last, shifted

MANY = 32  # input channels from which torch's convolution fills a matrix unit by itself


class PooledConvolution(Kernel):
    """y = max(0, the largest of 2×2 of W * x + b), in bf16.

    A row of `Windows` times the weight at its four places gives (top left, top right, bottom left, bottom right) of
    all channels side by side: pooling compares halves of a row, and the weight's gradient reads the same rows again.
    As in `PoolOfRelu`, values are compared and chosen as integers, and among equals the first of the four wins.
    """

    hides = True

    def __init__(self, site: Site, convolved: tuple[int, ...]) -> None:
        """`convolved` is the shape between convolution and pool."""
        self.w, self.b = channels_last(site.working["weight"]), site.working.get("bias")
        b, oh, ow, out = convolved
        c, kh, kw = self.w.shape[1:]
        self.shape, self.dtype = (b, oh // 2, ow // 2, out), site.dtype
        gradient = site.gradients["weight"].movedim(1, -1)
        self.windows = Windows(site.shape, convolved, gradient, None, site.dtype)
        self.gb = site.gradients.get("bias")
        n, bits = b * oh * ow // 4, INTEGER[site.dtype]
        self.four = torch.zeros(1, 4 * out, (kh + 1) * (kw + 1) * c, dtype=site.dtype)
        self.places = shifted(self.four, out, (kh, kw * c), ((kw + 1) * c, c))
        self.source = site.working["weight"].movedim(1, -1).view(out, kh, kw * c)  # the weights of every step
        self.bias = None if self.b is None else self.b.repeat(4)
        self.product = product()
        self.larger, self.rest = (torch.empty(n, 2 * out, dtype=bits) for _ in range(2))
        self.y, self.mask, self.clipped = (torch.empty(n, out, dtype=bits) for _ in range(3))
        self.wide_mask = torch.empty(n, 2 * out, dtype=bits)
        self.dx = torch.empty(n, 4 * out, dtype=bits)
        wide = -(-out // MANY) * MANY  # channels that fill a matrix unit
        self.dy = None if site.first else torch.zeros(b, oh, ow, wide, dtype=site.dtype)
        self.wide = channels_last(torch.zeros(wide, kh, kw, c, dtype=site.dtype).movedim(-1, 1))
        self.halves = (8 if n % 8 == 0 else 1, -1, out)
        self.split = (b, oh // 2, ow // 2, 2, 2, out)
        self.unsplit = (b, oh // 2, 2, ow // 2, 2, out)

    def forward(self, x: Tensor) -> Tensor:
        self.places.copy_(self.source)
        if self.b is not None and self.bias is not None:
            self.bias.view(4, -1).copy_(self.b)
        rows = self.windows.unfold(x)
        four = self.product(rows, self.four[0], self.bias, "relu", [], "")  # (n, window) -> (n, 4 out)
        self.top, self.bottom = four.view(self.mask.dtype).chunk(2, 1)
        torch.maximum(self.top, self.bottom, out=self.larger)  # (n, 4 out) -> (n, 2 out)
        torch.maximum(*self.larger.chunk(2, 1), out=self.y)  # (n, 2 out) -> (n, out)
        return self.y.view(self.dtype).view(self.shape)

    def backward(self, dy: Tensor) -> Tensor | None:
        left, right = self.rest.chunk(2, 1)
        top, bottom = self.dx.chunk(2, 1)
        torch.clamp_max(self.y, 1, out=self.mask)  # ReLU's derivative, 0 or 1
        torch.mul(dy.view(self.mask.dtype).view(self.mask.shape), self.mask, out=self.clipped)
        if self.gb is not None:  # one of the four outputs gets it all; halves, as a bf16 sum is wide inside alone
            self.gb.copy_(self.clipped.view(self.dtype).view(self.halves).sum(1).sum(0))
        torch.ge(*self.larger.chunk(2, 1), out=self.mask)
        torch.mul(self.clipped, self.mask, out=left)
        torch.bitwise_xor(self.clipped, left, out=right)  # (n, out) -> (n, 2 out), what is not left
        torch.ge(self.top, self.bottom, out=self.wide_mask)
        torch.mul(self.rest, self.wide_mask, out=top)
        torch.bitwise_xor(self.rest, top, out=bottom)  # (n, 2 out) -> (n, 4 out)
        four = self.dx.view(self.dtype)
        self.windows.collect(four)
        if self.dy is None:
            return None
        self.wide[: len(self.w)] = self.w
        self.dy[..., : len(self.w)].view(self.unsplit).copy_(four.view(self.split).transpose(2, 3))
        dx = torch.nn.functional.conv_transpose2d(channels_first(self.dy), self.wide)
        return dx.permute(0, 2, 3, 1).contiguous()  # (b, in, h, w) -> (b, h, w, in)


def pays(site: Site, leaf: Conv, convolved: tuple[int, ...]) -> bool:
    """Whether this is faster than convolution and pool apart: in bf16, where a convolution would pad its channels."""
    few = site.shape[-1] < MANY
    return dense(leaf) and site.dtype == torch.bfloat16 and few and unfolds(site, convolved)
