"""Products with a weight that stays as it is: laid out once in the way that is fastest for so many rows."""

from functools import cache, cached_property

import torch
import torch.nn.functional as F
from torch import Tensor

FEW, MANY = 4, 128  # rows from which the weight is laid out by inputs, and from which it is packed
LEAST = 1 << 15  # numbers of a weight from which this gains more than it costs to ask


@cache
def packs(dtype: torch.dtype) -> bool:
    """Whether torch's packed product is there for this type and does what it did: its operators are private."""
    if dtype not in (torch.bfloat16, torch.float32):
        return False
    try:
        if dtype == torch.bfloat16 and not torch.ops.mkldnn._is_mkldnn_bf16_supported():
            return False
        x, w, b = torch.ones(2, 3, dtype=dtype), torch.ones(4, 3, dtype=dtype), torch.ones(4, dtype=dtype)
        y = packed_product(x, packed(w, 2), b)
        return y.tolist() == [[4.0] * 4] * 2
    except (AttributeError, RuntimeError, TypeError):
        return False


def packed(weight: Tensor, rows: int) -> Tensor:
    """A weight (out, in) in blocks, for products with about so many rows."""
    return torch.ops.mkldnn._reorder_linear_weight(weight, rows)


def packed_product(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """x Wᵀ + b with a weight in blocks, or with one as it is, into every row of which no bias is copied first."""
    return torch.ops.mkldnn._linear_pointwise.default(x, weight, bias, "none", [], "")


class Product:
    """x Wᵀ + b for values that nobody learns from: (..., in) -> (..., out).

    A product of a few rows reads the weight for longest, and faster by inputs than by outputs; one of many is bound by
    arithmetic, which is faster in blocks. Each is laid out when it is first asked for.
    """

    def __init__(self, weight: Tensor, bias: Tensor | None) -> None:
        self._weight, self._bias, self._size = weight, bias, weight.shape[1]

    @cached_property
    def _by_inputs(self) -> Tensor:
        return self._weight.t().contiguous().t()

    @cached_property
    def _in_blocks(self) -> Tensor:
        return packed(self._weight, 4 * MANY)

    def __call__(self, x: Tensor) -> Tensor:
        rows = x.numel() // self._size
        if rows < FEW or torch.is_grad_enabled():
            return F.linear(x, self._weight, self._bias)
        if rows < MANY:
            return F.linear(x, self._by_inputs, self._bias)
        return packed_product(x, self._in_blocks, self._bias)
