"""Products with a weight that stays as it is: laid out once in the way that is fastest for so many rows."""

from collections.abc import Callable
from functools import cache, cached_property

import torch
import torch.nn.functional as F
from torch import Tensor

FEW, SOME, MANY = 4, 16, 128  # rows from which a form pays: by inputs; blocks, with more outputs than inputs; blocks
LEAST = 1 << 15  # numbers of a weight from which this gains more than it costs to ask


@cache
def packs(dtype: torch.dtype) -> bool:
    """Whether torch's packed product is there for this type and does what it did: its operators are private."""
    if dtype not in (torch.bfloat16, torch.float32):
        return False
    try:
        if dtype == torch.bfloat16 and not torch.ops.mkldnn._is_mkldnn_bf16_supported():
            return False
        x, w, b = (
            torch.ones(2, 3, dtype=dtype, device="cpu"),
            torch.ones(4, 3, dtype=dtype, device="cpu"),
            torch.ones(4, dtype=dtype, device="cpu"),
        )
        y, gelu = (packed_product(x, packed(w, 2), b, after) for after in ("none", "gelu"))
        return y.tolist() == [[4.0] * 4] * 2 and float((gelu - F.gelu(y)).abs().max()) < 0.04
    except (AttributeError, RuntimeError, TypeError):
        return False


def packed(weight: Tensor, rows: int) -> Tensor:
    """A weight (out, in) in blocks, for products with about so many rows."""
    return torch.ops.mkldnn._reorder_linear_weight(weight, rows)


def packed_product(x: Tensor, weight: Tensor, bias: Tensor | None, after: str = "none") -> Tensor:
    """x Wᵀ + b and what comes after it, the weight in blocks or as it is; no bias is copied into every row first."""
    return _operator()(x, weight, bias, after, [], "none")


@cache
def _operator() -> Callable[..., Tensor]:
    """Torch's operator, found once: to look it up takes a tenth of a small product."""
    return torch.ops.mkldnn._linear_pointwise.default


class Forms:
    """A weight (out, in) that nobody changes, and other forms of it, each made when it is first asked for."""

    def __init__(self, weight: Tensor) -> None:
        self.plain = weight

    @cached_property
    def by_inputs(self) -> Tensor:
        """The same, with what belongs to one input side by side."""
        return self.plain.t().contiguous().t()

    @cached_property
    def in_blocks(self) -> Tensor:
        """The same, packed."""
        return packed(self.plain, 4 * MANY)


class Product:
    """x Wᵀ + b for values that nobody learns from, and perhaps GELU behind it: (..., in) -> (..., out).

    A product of a few rows reads the weight for longest, and where it has more inputs than outputs, faster by inputs;
    one of many is bound by arithmetic, which is faster in blocks.
    """

    def __init__(self, weight: Forms, bias: Tensor | None, gelu: bool = False) -> None:
        self._weight, self._bias, self._gelu = weight, bias, gelu
        out, self._size = weight.plain.shape
        self._by_inputs_from, self._in_blocks_from = (FEW, MANY) if out <= self._size else (SOME, SOME)

    def then(self, function: str) -> "Product | None":
        """The same with a function of single values behind it, if it is GELU: torch's ReLU would make NaN 0 here."""
        return Product(self._weight, self._bias, gelu=True) if function == "gelu" and not self._gelu else None

    def __call__(self, x: Tensor) -> Tensor:
        rows = 0 if torch.is_grad_enabled() else x.numel() // self._size
        if rows >= self._in_blocks_from:
            return packed_product(x, self._weight.in_blocks, self._bias, "gelu" if self._gelu else "none")
        weight = self._weight.by_inputs if rows >= self._by_inputs_from else self._weight.plain
        y = F.linear(x, weight, self._bias)
        return F.gelu(y) if self._gelu else y
