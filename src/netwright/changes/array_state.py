"""An array as a difference knows it: its numbers where they are needed, else the digest by which they are known."""

import hashlib
from dataclasses import field
from functools import cached_property

import torch
from torch import Tensor

from netwright.net.compare import array_bytes, same_array
from netwright.value import Value


class ArrayState(Value):
    """The numbers of an array: the array itself, or what they can be told by.

    Fields: `shape` and `dtype`; `array`, None where a file left it out; `told` the digest that a file says.
    """

    shape: tuple[int, ...]
    dtype: torch.dtype
    array: Tensor | None = field(default=None, compare=False)
    told: str = field(default="", compare=False)

    @classmethod
    def of(cls, array: Tensor) -> "ArrayState":
        """The state of an array, which is kept and not copied."""
        return cls(tuple(array.shape), array.dtype, array)

    @cached_property
    def digest(self) -> str:
        """64 hexadecimal digits that follow from type, sizes and numbers; found when they are first asked for."""
        if self.array is None:
            return self.told
        state = hashlib.sha256(f"{self.array.dtype} {tuple(self.array.shape)}".encode())
        state.update(array_bytes(self.array))
        return state.hexdigest()

    def holds(self, array: Tensor | None) -> bool:
        """Whether an array has these numbers."""
        if array is None or tuple(array.shape) != self.shape or array.dtype != self.dtype:
            return False
        if self.array is not None:
            return same_array(self.array, array)
        return ArrayState.of(array).digest == self.told

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, ArrayState):
            return NotImplemented
        if other.array is not None:
            return self.holds(other.array)
        return other.holds(self.array) if self.array is not None else self.digest == other.digest

    def __hash__(self) -> int:
        return hash((self.shape, self.dtype))


def relative_change(before: Tensor, after: Tensor) -> float:
    """How far an array went: |after - before| / |before|, with the root of the sum of squares as |.|."""
    old, new = before.detach().cpu().double(), after.detach().cpu().double()
    far, size = (float(torch.linalg.vector_norm(one)) for one in (new - old, old))
    if size:
        return far / size
    return 0.0 if far == 0 else float("inf") if far > 0 else far
