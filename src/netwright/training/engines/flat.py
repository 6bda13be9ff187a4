"""All weights of a run in one flat buffer, their gradients in another: one update, one copy to a lower precision."""

import math
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from netwright.value import Value

LINE = 16  # float32 numbers on a cache line: every weight begins on a new line, also in the bf16 copy
Spans = dict[str, tuple[int, tuple[int, ...]]]


def weight_type(precision: torch.dtype | None) -> torch.dtype:
    """The number type of the weights in a run of this precision: float32, or float64 where that is the precision."""
    return torch.promote_types(precision or torch.float32, torch.float32)


def laid(shapes: Mapping[str, Sequence[int]]) -> tuple[Spans, int]:
    """Where arrays of these shapes lie side by side in a buffer, in their order, and its size."""
    spans: Spans = {}
    total = 0
    for path, shape in shapes.items():
        spans[path] = (total, tuple(shape))
        total += math.ceil(math.prod(shape) / (2 * LINE)) * 2 * LINE
    return spans, total


def shaped(piece: Tensor, shape: Sequence[int]) -> Tensor:
    """The array in its piece of a buffer."""
    if len(shape) < 3:
        return piece.view(tuple(shape))
    out, inner, *window = shape
    return piece.view(out, *window, inner).movedim(-1, 1)  # (out, *window, in) -> (out, in, *window)


class Flat(Value, eq=False):
    """Weights, gradients and a copy in the precision of the run, each in one buffer; arrays by path are views of it.

    Weights and gradients are float32, or float64 in a run of that precision.

    A kernel of a convolution, (out, in, *window), is in memory (out, *window, in): features last, like the activations
    that it is applied to.
    """

    spans: Spans
    master: Tensor
    gradient: Tensor
    working: Tensor  # the master itself, unless the precision of the run is lower

    @classmethod
    def of(cls, arrays: Mapping[str, Tensor], precision: torch.dtype | None, device: torch.device) -> "Flat":
        """One buffer that holds these arrays, in their order."""
        spans, total = laid({path: array.shape for path, array in arrays.items()})
        wide = weight_type(precision)
        master = torch.zeros(total, device=device, dtype=wide)
        low = master if precision in (None, wide) else torch.zeros(total, device=device, dtype=precision)
        flat = cls(spans, master, torch.zeros_like(master), low)
        for path, array in arrays.items():
            flat.view(master, path).copy_(array)
        return flat

    def view(self, buffer: Tensor, path: str) -> Tensor:
        """The array at a path, as a view of a buffer."""
        start, shape = self.spans[path]
        return shaped(buffer[start : start + math.prod(shape)], shape)

    def views(self, buffer: Tensor) -> dict[str, Tensor]:
        """All arrays by path, as views of a buffer."""
        return {path: self.view(buffer, path) for path in self.spans}

    def refresh(self) -> None:
        """Copy the weights into the working copy, once for each step."""
        if self.working is not self.master:
            self.working.copy_(self.master)

    def range(self, paths: Sequence[str]) -> slice:
        """Where arrays that lie side by side begin and end."""
        starts = [self.spans[path][0] for path in paths]
        last = max(starts)
        ends = (start for start, _ in self.spans.values() if start > last)
        return slice(min(starts), min(ends, default=len(self.master)))
