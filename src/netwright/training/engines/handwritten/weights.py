"""The gradient of a convolution's weight and bias: three ways, each the fastest for some shapes."""

from abc import ABC, abstractmethod

import torch
from torch import Tensor

DEEP = 2048  # rows that a product sums in one go: with more, parts of them in turn stay in the cache
FEW = 4  # input channels up to which rows of a window are too short to copy one by one


class WeightGradient(ABC):
    """Sums the gradients of all positions for the weight (out, kh, kw, in) and the bias (out,), and writes them."""

    @abstractmethod
    def __call__(self, x: Tensor, dy: Tensor) -> None:
        """From the input (b, h, w, in) and the gradient of the output (b, h', w', out)."""


class TorchBackward(WeightGradient):
    """By torch's own convolution backward: any shape. It would sum the bias more slowly than `sum_of_places` does."""

    def __init__(self, w: Tensor, weight: Tensor, bias: Tensor | None, options: tuple[object, ...]) -> None:
        self.w, self.weight, self.bias = w, weight, bias
        self.rest = (None, *options, [False, True, False])

    def __call__(self, x: Tensor, dy: Tensor) -> None:
        _, weight, _ = torch.ops.aten.convolution_backward.default(
            dy.permute(0, 3, 1, 2), x.permute(0, 3, 1, 2), self.w, *self.rest
        )
        self.weight.copy_(weight.permute(0, 2, 3, 1))  # (out, in, kh, kw) -> (out, kh, kw, in)
        if self.bias is not None:
            self.bias.copy_(sum_of_places(dy))


class ImageRows(WeightGradient):
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
        self.unfolded = torch.ones(b, taps + 1, oh * ow, dtype=dtype, device="cpu")
        self.into = self.unfolded[:, :-1].unflatten(2, (oh, ow)).unflatten(1, (kh, kw, c))
        self.taken = (b, kh, kw, c, oh, ow), (h * w * c, w * c, c, 1, w * c, c)
        self.flat = (b, oh * ow, out)
        self.each = torch.empty(b, taps + 1, out, dtype=dtype, device="cpu")
        self.total = torch.empty(taps + 1, out, dtype=torch.float32, device="cpu")

    def __call__(self, x: Tensor, dy: Tensor) -> None:
        self.into.copy_(x.as_strided(*self.taken))  # (b, h, w, c) -> (b, kh, kw, c, h', w')
        torch.bmm(self.unfolded, dy.view(self.flat), out=self.each)  # -> (b, taps + 1, out)
        self.total.copy_(self.each.sum(0))  # -> (taps + 1, out)
        self.weight.copy_(self.total[:-1].t())
        if self.bias is not None:
            self.bias.copy_(self.total[-1])


class WindowRows(WeightGradient):
    """For many input channels: the windows of a few outputs at once, unfolded, and one wide product.

    A window sees 2 rows of outputs in some pairs of columns. Such windows overlap less than those of single outputs,
    2.8 times fewer copies for 5×5 and one pair, and the product is wider, as matrix units like it. Stride 1, no
    padding, even output sizes.

    Fields:
        rows: what `unfold` fills, a row a window: (b h'/2 w'/(2 pairs), (kh + 1) (kw + 2 pairs - 1) in).
    """

    def __init__(
        self,
        x_shape: tuple[int, ...],
        y_shape: tuple[int, ...],
        weight: Tensor,
        bias: Tensor | None,
        dtype: torch.dtype,
        pairs: int = 1,
    ) -> None:
        b, h, w, c = x_shape
        _, oh, ow, out = y_shape
        _, kh, kw, _ = weight.shape
        high, wide, across = kh + 1, kw + 2 * pairs - 1, ow // (2 * pairs)
        n = b * oh // 2 * across
        parts = next(parts for parts in (8, 4, 2, 1) if n % parts == 0 and (parts <= 2 or n // parts >= DEEP))
        self.weight, self.bias = weight.view(out, kh, kw * c), bias
        self.rows = torch.empty(n, high * wide * c, dtype=dtype, device="cpu")
        self.into = self.rows.view(b, oh // 2, across, high, wide * c)
        self.taken = self.into.shape, (h * w * c, 2 * w * c, 2 * pairs * c, w * c, 1)
        # with few channels a window's row is too short a run to copy: whole columns of them first
        self.columns = torch.empty(b, across, h, wide * c, dtype=dtype, device="cpu") if c <= FEW else None
        self.column = (b, across, h, wide * c), (h * w * c, 2 * pairs * c, w * c, 1)
        strides = (across * h * wide * c, 2 * wide * c, h * wide * c, 1)
        self.column_taken = (b, oh // 2, across, high * wide * c), strides
        self.dy = torch.empty(b, oh // 2, across, 2, 2, pairs, out, dtype=dtype, device="cpu")
        self.halves = self.rows.view(parts, -1, high * wide * c)
        self.each = torch.empty(parts, 4 * pairs * out, high * wide * c, dtype=dtype, device="cpu")
        self.shifted = shifted_weights(self.each, pairs, (out, kh, kw * c), (wide * c, c))

    def unfold(self, x: Tensor) -> Tensor:
        """The rows of an input."""
        if self.columns is None:
            self.into.copy_(x.as_strided(*self.taken))  # (b, h, w, c) -> (b, h'/2, across, kh + 1, wide c)
        else:
            self.columns.copy_(x.as_strided(*self.column))  # (b, h, w, c) -> (b, across, h, wide c)
            self.into.flatten(3).copy_(self.columns.as_strided(*self.column_taken))
        return self.rows

    def apart(self, dy: Tensor) -> Tensor:
        """Outputs (b, h', w', out) as a view in the order of the rows: (b, h'/2, across, 2, 2, pairs, out)."""
        b, high, across, _, _, pairs, out = self.dy.shape
        return dy.view(b, high, 2, across, pairs, 2, out).permute(0, 1, 3, 2, 5, 4, 6)

    def collect(self, dy: Tensor) -> None:
        """The gradients, from that of the outputs of every row, (b h'/2 across, 4 pairs out)."""
        parts = dy.view(len(self.halves), -1, dy.shape[-1])
        torch.bmm(parts.transpose(1, 2), self.halves, out=self.each)  # -> (parts, 4 pairs out, window)
        torch.sum(self.shifted, (0, 1, 2, 3), dtype=torch.float32, out=self.weight)
        if self.bias is not None:
            # in bf16 tensors, whose sums are float32 inside: a float32 result would copy dy first
            self.bias.copy_(parts.sum(1).view(-1, len(self.bias)).sum(0))

    def __call__(self, x: Tensor, dy: Tensor) -> None:
        self.unfold(x)
        self.dy.copy_(self.apart(dy))  # (b, h', w', out) -> (b, h'/2, across, 2, 2, pairs, out)
        self.collect(self.dy.view(len(self.rows), -1))


def sum_of_places(y: Tensor) -> Tensor:
    """The sum of (b, h, w, c) for every channel: over the images first, whose rows are long, as sums like them."""
    return y.flatten(1).sum(0).view(-1, y.shape[-1]).sum(0)  # (b, h, w, c) -> (c,)


def shifted_weights(windows: Tensor, pairs: int, weight: tuple[int, int, int], steps: tuple[int, int]) -> Tensor:
    """Of (parts, 4 pairs out, window) the view (parts, 2, 2, pairs, out, kh, kw in).

    The output (i, j, k), in row i and column j of the k-th pair, sees the window from (i, 2 k + j) on. `weight` is
    out, kh and kw in; `steps` are the numbers from one row, one column of the window to the next.
    """
    parts, _, size = windows.shape
    out, (row, column) = weight[0] * size, steps
    strides = (4 * pairs * out, 2 * pairs * out + row, pairs * out + column, out + 2 * column, size, row, 1)
    return windows.as_strided((parts, 2, 2, pairs, *weight), strides)


def kernel_channels_last(weight: Tensor) -> Tensor:
    """A kernel (out, in, kh, kw) that lies features last, with explicit strides: see `conv.channels_first_view`.

    With one input channel the strides may say one thing or another. Depthwise kernels are faster as they are.
    """
    out, into, high, wide = weight.shape
    return weight.as_strided((out, into, high, wide), (high * wide * into, 1, wide * into, into))
