"""One batch as feeds give it and engines take it: prepared inputs, and which examples they are."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from torch import Tensor


@dataclass(eq=False, slots=True)
class Batch:
    """Prepared inputs by port, the examples as the user counts them, how much each counts, and where each ends.

    Fields: `lengths`, by the name of the size, one for each example, or a number where all share it; empty where
    nothing is padded.
    """

    inputs: Mapping[str, Tensor]
    examples: Tensor
    weights: Tensor | None
    lengths: Mapping[str, Tensor | int] = field(default_factory=dict[str, Tensor | int])

    @property
    def size(self) -> int:
        """How many examples it holds."""
        return len(self.examples)

    @property
    def positions(self) -> int:
        """How many values an example has in it, padding counted: what the time of a step grows with."""
        return max(value.numel() for value in self.inputs.values()) // self.size
