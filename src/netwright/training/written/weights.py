"""The gradient of a convolution's weight and bias: three ways, each the fastest for some shapes."""

from abc import ABC, abstractmethod

import torch
from torch import Tensor


class WeightGradient(ABC):
    """Adds up what every position says of the weight (out, kh, kw, in) and the bias (out,), and writes it there."""

    @abstractmethod
    def __call__(self, x: Tensor, dy: Tensor) -> None:
        """From the input (b, h, w, in) and the gradient of the output (b, h', w', out)."""


class Plain(WeightGradient):
    """By torch's own convolution backward: any shape."""

    def __init__(self, w: Tensor, weight: Tensor, bias: Tensor | None, options: tuple[object, ...]) -> None:
        self.w, self.weight, self.bias = w, weight, bias
        self.sizes = None if bias is None else [len(bias)]
        self.rest = (*options, [False, True, bias is not None])

    def __call__(self, x: Tensor, dy: Tensor) -> None:
        _, weight, bias = torch.ops.aten.convolution_backward.default(
            dy.permute(0, 3, 1, 2), x.permute(0, 3, 1, 2), self.w, self.sizes, *self.rest
        )
        self.weight.copy_(weight.permute(0, 2, 3, 1))  # (out, in, kh, kw) -> (out, kh, kw, in)
        if self.bias is not None:
            self.bias.copy_(bias)


class Rows(WeightGradient):
    """For few input channels: every tap's pixels as one row of h' w', a last row of ones, and one product an image.

    The row of ones makes the bias gradient a row of the same product. Stride 1 and no padding.
    """

    def __init__(
        self,
        x_shape: tuple[int, ...],
        y_shape: tuple[int, ...],
        weight: Tensor,
        bias: Tensor | None,
        dtype: torch.dtype,
    ) -> None:
        b, h, w, c = x_shape
        _, oh, ow, out = y_shape
        _, kh, kw, _ = weight.shape
        taps = kh * kw * c
        self.weight, self.bias = weight.flatten(1), bias
        self.unfolded = torch.ones(b, taps + 1, oh * ow, dtype=dtype)
        self.into = self.unfolded[:, :-1].unflatten(2, (oh, ow)).unflatten(1, (kh, kw, c))
        self.taken = (b, kh, kw, c, oh, ow), (h * w * c, w * c, c, 1, w * c, c)
        self.flat = (b, oh * ow, out)
        self.each = torch.empty(b, taps + 1, out, dtype=dtype)
        self.total = torch.empty(taps + 1, out)

    def __call__(self, x: Tensor, dy: Tensor) -> None:
        self.into.copy_(x.as_strided(*self.taken))  # (b, h, w, c) -> (b, kh, kw, c, h', w')
        torch.bmm(self.unfolded, dy.view(self.flat), out=self.each)  # -> (b, taps + 1, out)
        self.total.copy_(self.each.sum(0))  # -> (taps + 1, out)
        self.weight.copy_(self.total[:-1].t())
        if self.bias is not None:
            self.bias.copy_(self.total[-1])


class Windows(WeightGradient):
    """For many input channels: the windows of 2×2 outputs at once, unfolded, and one wide product.

    Such windows overlap less than those of single outputs, 2.8 times fewer copies for 5×5, and the product is 4 times
    wider, as matrix units like it. Stride 1, no padding, even output sizes.
    """

    def __init__(
        self,
        x_shape: tuple[int, ...],
        y_shape: tuple[int, ...],
        weight: Tensor,
        bias: Tensor | None,
        dtype: torch.dtype,
    ) -> None:
        b, h, w, c = x_shape
        _, oh, ow, out = y_shape
        _, kh, kw, _ = weight.shape
        high, wide = kh + 1, kw + 1
        parts = 2 if b % 2 == 0 else 1
        self.weight, self.bias = weight, bias
        self.unfolded = torch.empty(b * oh * ow // 4, high * wide * c, dtype=dtype)
        self.into = self.unfolded.view(b, oh // 2, ow // 2, high, wide, c)
        self.taken = self.into.shape, (h * w * c, 2 * w * c, 2 * c, w * c, c, 1)
        self.split = (b, oh // 2, 2, ow // 2, 2, out)
        self.dy = torch.empty(b, oh // 2, ow // 2, 2, 2, out, dtype=dtype)
        self.rows = self.unfolded.view(parts, -1, high * wide * c)
        self.columns = self.dy.view(parts, -1, 4 * out)
        self.each = torch.empty(parts, 4 * out, high * wide * c, dtype=dtype)
        row, window = wide * c, high * wide * c
        self.shifted = self.each.as_strided(  # output (i, j) of the four sees the window from (i, j) on
            (parts, 2, 2, out, kh, kw * c),
            (4 * out * window, 2 * out * window + row, out * window + c, window, row, 1),
        )

    def __call__(self, x: Tensor, dy: Tensor) -> None:
        self.into.copy_(x.as_strided(*self.taken))  # (b, h, w, c) -> (b, h'/2, w'/2, kh + 1, kw + 1, c)
        self.dy.copy_(dy.view(self.split).transpose(2, 3))  # (b, h', w', out) -> (b, h'/2, w'/2, 2, 2, out)
        torch.bmm(self.columns.transpose(1, 2), self.rows, out=self.each)  # -> (parts, 4 out, window)
        self.weight.copy_(self.shifted.sum((0, 1, 2)).view(self.weight.shape))
        if self.bias is not None:
            # in bf16 tensors, whose sums are float32 inside: a float32 result would copy dy first
            self.bias.copy_(self.columns.sum(1).view(-1, len(self.bias)).sum(0))


def channels_last(weight: Tensor) -> Tensor:
    """A kernel (out, in, kh, kw) that lies features last, with the strides said: see `conv.channels_first`."""
    out, into, high, wide = weight.shape
    return weight.as_strided((out, into, high, wide), (high * wide * into, 1, wide * into, into))
