"""Convolutions with a kernel that does not change: batch norm folded into it, laid out once, a function after it."""

import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from netwright.kernels.private import convolution_operator, packed_kernel

LEAST = 1 << 21  # multiply-adds from which blocks pay: asking for them takes some 15 µs
LAYOUTS = 4  # sizes of the input whose layout is kept

FUSED = {"silu": ("swish", ""), "hardswish": ("hardswish", ""), "gelu": ("gelu", "none"), "sigmoid": ("sigmoid", "")}
"""The functions that oneDNN computes within the convolution; its ReLU, which would make NaN 0, is not among them."""

IN_PLACE: Mapping[str, Callable[[Tensor], Tensor]] = {
    "relu": torch.relu_,
    "relu6": partial(torch.clamp_, min=0, max=6),
    "tanh": torch.tanh_,
    "sigmoid": torch.sigmoid_,
    "silu": partial(F.silu, inplace=True),
    "hardswish": partial(F.hardswish, inplace=True),
    "gelu": F.gelu,
}
"""The functions that may come after the convolution, in the memory of its result where torch has that."""


class FixedConvolution:
    """function(W * x + b) where no gradient is needed: (b, in, h, w) -> (b, out, h', w'), features last in memory.

    The kernel, which does not change, is laid out in blocks when an input of a new size comes.
    """

    def __init__(self, weight: Tensor, bias: Tensor | None, function: str | None = None) -> None:
        self.weight, self.bias, self._function = weight, bias, function
        self._plain = channels_last(weight)
        self._layouts: dict[Any, Tensor] = {}

    def scaled(self, factor: Tensor, shift: Tensor) -> "FixedConvolution | None":
        """The same with a factor and a shift of every feature behind it; None where a function is between."""
        if self._function is not None:
            return None
        weight = self.weight * factor.view(-1, *(1 for _ in self.weight.shape[1:]))  # (out, group, *window)
        return FixedConvolution(weight, shift if self.bias is None else self.bias * factor + shift)

    def then(self, function: str) -> "FixedConvolution | None":
        """The same with a function of single values behind it; None where it cannot."""
        free = self._function is None and function in IN_PLACE
        return FixedConvolution(self.weight, self.bias, function) if free else None

    def __call__(
        self,
        x: Tensor,
        around: Sequence[int],
        padding: Sequence[int],
        stride: Sequence[int],
        dilation: Sequence[int],
        groups: int,
    ) -> Tensor:
        """With zeros `around` the input as `F.pad` has them; where there are some, `padding` is 0."""
        function = self._function
        one = x.shape[1] == 1  # then strides do not say that features are last
        work = self.weight.numel() * x.shape[0] * math.prod(x.shape[2:]) // math.prod(stride)
        if around and (one or self.weight.shape[1] > 1 or max(dilation) > 1):
            x, around = F.pad(x, tuple(around)), ()  # (b, in, h, w) -> (b, in, h + padding, w + padding)
        if one or (work < LEAST and not around):
            y = F.conv2d(x, self._plain, self.bias, stride, padding, dilation, groups)  # (b, out, h', w')
        else:
            name, algorithm = FUSED.get(function or "", ("none", ""))
            if around:
                padding = [max(pair, default=0) for pair in (around[2:], around[:2])]
            laid = self._laid(tuple(x.shape), tuple(around), padding, stride, dilation, groups)
            y = convolution_operator()(
                x, laid, self.bias, padding, stride, dilation, groups, name, [], algorithm
            )  # (b, out, h', w')
            function = None if function in FUSED else function
        return y if function is None else IN_PLACE[function](y)  # (b, out, h', w')

    def _laid(self, size: tuple[int, ...], around: tuple[int, ...], *options: Any) -> Tensor:
        """The kernel in blocks, for this size of the input and these options.

        Other numbers of zeros before and after an axis are as many where the kernel has zeros of its own on the side
        that has fewer: for a kernel of each feature by itself that is cheaper than a copy of the input.
        """
        key = (size, around, *map(tuple, options[:-1]))
        if key not in self._layouts:
            if len(self._layouts) == LAYOUTS:
                self._layouts.pop(next(iter(self._layouts)))
            sides = zip(around[::2], around[1::2], strict=True)
            more = [zeros for before, after in sides for zeros in (max(after - before, 0), max(before - after, 0))]
            kernel = channels_last(F.pad(self.weight, more)) if more else self._plain
            self._layouts[key] = packed_kernel(kernel, size, *options)
        return self._layouts[key]


def channels_last(weight: Tensor) -> Tensor:
    """A kernel as torch's image kernels want it, features last in memory.

    With one input channel the strides of a kernel are ambiguous, and torch would answer channels first, whereupon
    every layer that follows is slow: then the strides say it.
    """
    if weight.ndim == 3:
        weight = weight.unsqueeze(2)  # (out, in, k) -> (out, in, 1, k)
    if weight.ndim == 4 and weight.shape[1] == 1:
        out, _, height, width = weight.shape
        return weight.contiguous().as_strided((out, 1, height, width), (height * width, 1, width, 1))
    return weight
