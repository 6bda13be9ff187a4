"""Torch's private operators, in one place: each is tried once for a type of number, and used only where it works.

They may change with any version of torch, and what they can do depends on the processor: one without units for bf16
refuses to fuse a product in it. Where an operator does not give the known answer of a small trial, torch's public
functions do the same.
"""

from collections.abc import Callable, Sequence
from functools import cache

import torch
import torch.nn.functional as F
from torch import Tensor

from netwright.machine import onednn_has_bf16

TYPES = (torch.bfloat16, torch.float32)  # other types have no such operators


def fused_linear(dtype: torch.dtype) -> Callable[..., Tensor]:
    """x Wᵀ + b, then "relu" or "none", in one pass where this processor can: f(x, w, b, after, [], "")."""
    return _operator() if _fuses_linear(dtype) else _linear


def fused_convolution(dtype: torch.dtype) -> Callable[..., Tensor]:
    """W * x + b, then "relu" or "none", in one pass where this processor can.

    f(x, w, b, padding, stride, dilation, groups, after, [], "").
    """
    return torch.ops.mkldnn._convolution_pointwise.default if _fuses_convolution(dtype) else _convolution


def packed(weight: Tensor, rows: int) -> Tensor:
    """A weight (out, in) in blocks, for products with about so many rows; where `packs_linear`."""
    return torch.ops.mkldnn._reorder_linear_weight(weight, rows)


def packed_product(x: Tensor, weight: Tensor, bias: Tensor | None, after: str = "none") -> Tensor:
    """x Wᵀ + b and what comes after it, the weight in blocks or as it is; no bias is copied into every row first."""
    return _operator()(x, weight, bias, after, [], "none")


def packed_kernel(
    weight: Tensor,
    size: Sequence[int],
    padding: Sequence[int],
    stride: Sequence[int],
    dilation: Sequence[int],
    groups: int,
) -> Tensor:
    """The kernel (out, group, *window) of a convolution in blocks, for an input of this size (b, in, h, w)."""
    return torch.ops.mkldnn._reorder_convolution_weight(weight, padding, stride, dilation, groups, size)


@cache
def convolution_operator() -> Callable[..., Tensor]:
    """f(x, w, b, padding, stride, dilation, groups, after, [], algorithm), where `packs_convolution`."""
    return torch.ops.mkldnn._convolution_pointwise.default


@cache
def _operator() -> Callable[..., Tensor]:
    """Torch's operator, found once: looking it up takes a tenth of the time of a small product."""
    return torch.ops.mkldnn._linear_pointwise.default


@cache
def _fuses_linear(dtype: torch.dtype) -> bool:
    """Whether a product in this type can be fused with its bias and the function after it."""
    return _works(
        dtype, lambda x, w: torch.ops.mkldnn._linear_pointwise(x, w, w[:, 0].clone(), "relu", [], "none"), F.relu
    )


@cache
def packs_linear(dtype: torch.dtype) -> bool:
    """Whether a weight in this type can be laid out in blocks, for products that fuse."""

    plain = _works(dtype, lambda x, w: packed_product(x, packed(w, 2), w[:, 0].clone()), lambda y: y)
    return plain and _works(dtype, lambda x, w: packed_product(x, packed(w, 2), w[:, 0].clone(), "gelu"), F.gelu)


@cache
def packs_convolution(dtype: torch.dtype) -> bool:
    """Whether a kernel in this type can be laid out in blocks, for convolutions with a function after them."""

    def convolved(x: Tensor, w: Tensor, after: str) -> Tensor:
        options = ([0, 0], [1, 1], [1, 1], 1)
        x, w, b = x[:, :, None, None], w[:, :, None, None].contiguous(), w[:, 0].clone()
        return convolution_operator()(x, packed_kernel(w, x.shape, *options), b, *options, after, [], "")

    plain = _works(dtype, lambda x, w: convolved(x, w, "none"), lambda y: y[:, :, None, None])
    return plain and _works(dtype, lambda x, w: convolved(x, w, "swish"), lambda y: F.silu(y)[:, :, None, None])


@cache
def _fuses_convolution(dtype: torch.dtype) -> bool:
    def convolved(x: Tensor, w: Tensor) -> Tensor:
        options = ([0, 0], [1, 1], [1, 1], 1, "relu", [], "")
        return torch.ops.mkldnn._convolution_pointwise(
            x[:, :, None, None], w[:, :, None, None], w[:, 0].clone(), *options
        )

    return _works(dtype, convolved, lambda y: F.relu(y)[:, :, None, None])


def _works(dtype: torch.dtype, operator: Callable[[Tensor, Tensor], Tensor], after: Callable[[Tensor], Tensor]) -> bool:
    """Whether an operator exists, works in this type, and gives the known result of a small product."""
    if dtype not in TYPES or (dtype == torch.bfloat16 and not onednn_has_bf16()):
        return False
    try:
        x = torch.ones(2, 3, dtype=dtype, device="cpu")
        w = torch.tensor([[1.0], [-1.0], [2.0], [0.0]], dtype=dtype, device="cpu").repeat(1, 3)
        y = torch.tensor([[4.0, -4.0, 8.0, 0.0]] * 2, dtype=torch.float32, device="cpu")  # x Wᵀ + b, b a column of W
        known = after(y)
        return torch.allclose(operator(x, w).float(), known, atol=0.04)
    except (AttributeError, RuntimeError, TypeError):
        return False


def _linear(x: Tensor, w: Tensor, b: Tensor | None, after: str, *_: object) -> Tensor:
    y = F.linear(x, w, b)
    return y.relu_() if after == "relu" else y


def _convolution(
    x: Tensor,
    w: Tensor,
    b: Tensor | None,
    padding: list[int],
    stride: list[int],
    dilation: list[int],
    groups: int,
    after: str,
    *_: object,
) -> Tensor:
    y = F.conv2d(x, w, b, stride, padding, dilation, groups)
    return y.relu_() if after == "relu" else y
