"""One batch as a feed makes it and an engine takes it: prepared inputs, and which examples they are."""

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor


@dataclass(eq=False, slots=True)
class Batch:
    """Prepared inputs by port, with the identity, the weight and the lengths of each example.

    Fields: `lengths`, by the name of the size, one for each example, or a number where all share it; empty where
    nothing is padded.
    """

    inputs: Mapping[str, Tensor]
    examples: Tensor
    weights: Tensor | None
    lengths: Mapping[str, Tensor | int] = field(default_factory=dict[str, Tensor | int])

    def rows(self, which: slice) -> "Batch":
        """Some of its examples, padded as they are here."""
        return Batch(
            {port: value[which] for port, value in self.inputs.items()},
            self.examples[which],
            None if self.weights is None else self.weights[which],
            {name: n if isinstance(n, int) else n[which] for name, n in self.lengths.items()},
        )

    def on(self, device: torch.device) -> "Batch":
        """The batch on a device."""
        return Batch(
            {port: value.to(device) for port, value in self.inputs.items()},
            self.examples.to(device),
            None if self.weights is None else self.weights.to(device),
            {name: n if isinstance(n, int) else n.to(device) for name, n in self.lengths.items()},
        )

    @property
    def size(self) -> int:
        """How many examples it holds."""
        return len(self.examples)

    @property
    def positions(self) -> int:
        """How many values an example has in this batch, padding included: the time of a step grows with it."""
        return max(value.numel() for value in self.inputs.values()) // self.size

    def split(self, count: int) -> list["Batch"]:
        """The batch in so many pieces of about equal size, or one for each example; padding stays."""
        count = min(count, self.size)
        ends = [self.size * i // count for i in range(count + 1)]
        return [self.rows(slice(begin, end)) for begin, end in itertools.pairwise(ends)]
