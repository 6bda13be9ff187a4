"""Random numbers that do not depend on the batch: keyed by seed, step, part, example and position."""

import math
import zlib
from collections.abc import Callable
from typing import TypeVar, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from netwright.around import Around
from netwright.seeds import torch_drawing_from
from netwright.value import Value

STRIDE = 0x9E3779B1 - (1 << 32)  # the golden ratio as a signed 32-bit integer, so that neighbours differ in every bit

ELEMENT = 0x2545F4914F6CDD1D  # odd: elements of different examples hardly ever get one number

FEW = 2**15  # numbers up to which torch computes in one thread; a call of NumPy then takes a fraction of the time

Numbers = TypeVar("Numbers", Tensor, NDArray[np.int32])


class Noise(Value):
    """Uniform numbers for one step of one run.

    Fields:
        seed: of the run.
        step: counts the batches of the run, so that every step draws anew.
        examples: which examples the rows of the batch are, (b,) int64; the same example draws the same numbers
            wherever it stands in a batch.
        path: of the part that draws.
    """

    seed: int
    step: int
    examples: Tensor
    path: str = ""

    def at(self, path: str) -> "Noise":
        """The noise of one part."""
        return Noise(self.seed, self.step, self.examples, path)

    def inside(self, owner: Tensor | None, position: Tensor | int) -> "Noise":
        """The noise of elements: of those at these positions, of the examples in `owner` or of all."""
        ids = self.examples if owner is None else self.examples[owner]
        return Noise(self.seed, self.step, ids * ELEMENT + (position + 1), self.path)

    @property
    def key(self) -> int:
        """A number below 2**32 for this part at this step of this run."""
        return zlib.crc32(f"{self.seed} {self.step} {self.path}".encode())

    def governing(self, device: torch.device) -> Around[None]:
        """Let code that draws from torch's own generators draw from this noise, and leave them as they were."""
        return torch_drawing_from(self.key, device)

    def __call__(self, shape: tuple[int, ...]) -> Tensor:
        """Numbers in [0, 1) of this shape, (b, …): each depends on its example and its position alone."""
        return ((self._bits(shape) >> 8) & 0xFFFFFF).float() * 2.0**-24

    def kept(self, shape: tuple[int, ...], rate: float) -> Tensor:
        """Which values of this shape, (b, …), are not dropped at this rate: each by its example and its position."""
        return self.halves(shape) >= least_kept(rate)

    def halves(self, shape: tuple[int, ...]) -> Tensor:
        """Integers of 16 bits, all equally likely, of this shape, (b, …), by example and position.

        Each number of 32 bits gives two of them, since making them is most of what dropout costs.
        """
        *before, size = shape if len(shape) > 1 else (*shape, 1)
        halves = self._bits((*before, -(-size // 2))).view(torch.int16)  # (b, …, words) -> (b, …, 2 words)
        if len(shape) == 1:
            return halves[:, 0]
        return halves[..., :size] if size % 2 else halves

    def _bits(self, shape: tuple[int, ...]) -> Tensor:
        """Integers of 32 bits."""
        ids, key = self.examples, self.key - (1 << 31)
        if ids.device.type == "cpu" and math.prod(shape) <= FEW:
            each = ids.numpy()
            start = (each ^ (each >> 32)).astype(np.int32)
            return torch.from_numpy(_bits_of(start, key, shape, lambda size: np.arange(size, dtype=np.int32)))
        start = (ids ^ (ids >> 32)).to(torch.int32)
        return _bits_of(start, key, shape, lambda size: torch.arange(size, dtype=torch.int32, device=ids.device))


def least_kept(rate: float) -> int:
    """The least of `Noise.halves` that is not dropped at this rate."""
    return min(round(rate * 2**16), 2**16 - 1) - 2**15


def _bits_of(start: Numbers, key: int, shape: tuple[int, ...], positions: Callable[[int], Numbers]) -> Numbers:
    """Integers of 32 bits for examples, (b,), and the positions in them."""
    bits = _mixed(start * STRIDE + key)  # (b,)
    for size in shape[1:]:
        bits = _mixed(bits[..., None] + positions(size) * STRIDE)  # (b, …, size)
    return bits


def _mixed(bits: Numbers) -> Numbers:
    """A bijection of 32-bit integers in which every input bit moves every output bit, in place.

    Source: Wellons, "lowbias32"
    """
    shift = cast(Callable[..., object], torch.bitwise_right_shift if isinstance(bits, Tensor) else np.right_shift)
    moved = bits >> 16  # of a negative number with ones from the left, which the masks take away
    moved &= 0xFFFF
    bits ^= moved
    bits *= 0x7FEB352D
    shift(bits, 15, out=moved)
    moved &= 0x1FFFF
    bits ^= moved
    bits *= 0x846CA68B - (1 << 32)
    shift(bits, 16, out=moved)
    moved &= 0xFFFF
    bits ^= moved
    return bits
