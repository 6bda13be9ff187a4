"""Products with a weight that does not change: laid out once in the way that is fastest for so many rows."""

from functools import cached_property

import torch
import torch.nn.functional as F
from torch import Tensor

from netwright.kernels.private import packed, packed_product

FEW, SOME, MANY = 4, 16, 128  # rows from which a form pays: by inputs; blocks, with more outputs than inputs; blocks
LEAST = 1 << 15  # numbers of a weight from which this gains more than it costs to ask


class Forms:
    """A weight (out, in) that does not change, and other layouts of it, each made when it is first needed."""

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


class LinearProduct:
    """x Wᵀ + b where no gradient is needed, optionally followed by GELU: (..., in) -> (..., out).

    A product of a few rows spends most of its time on reading the weight, which is faster by inputs where there are
    more inputs than outputs; a product of many rows is bound by arithmetic, which is faster in blocks.
    """

    def __init__(self, weight: Forms, bias: Tensor | None, gelu: bool = False) -> None:
        self._weight, self._bias, self._gelu = weight, bias, gelu
        out, self._size = weight.plain.shape
        self._by_inputs_from, self._in_blocks_from = (FEW, MANY) if out <= self._size else (SOME, SOME)

    def then(self, function: str) -> "LinearProduct | None":
        """The same with a function of single values behind it, if it is GELU: torch's ReLU would make NaN 0 here."""
        return LinearProduct(self._weight, self._bias, gelu=True) if function == "gelu" and not self._gelu else None

    def __call__(self, x: Tensor) -> Tensor:
        rows = 0 if torch.is_grad_enabled() else x.numel() // self._size
        if rows >= self._in_blocks_from:
            return packed_product(x, self._weight.in_blocks, self._bias, "gelu" if self._gelu else "none")
        weight = self._weight.by_inputs if rows >= self._by_inputs_from else self._weight.plain
        y = F.linear(x, weight, self._bias)
        return F.gelu(y) if self._gelu else y
