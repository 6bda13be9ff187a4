"""What a run needs besides its inputs: mode, noise, precision, and where the examples of a batch end."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import torch
from torch import Tensor

from netwright.net.plan.wiring import Slot
from netwright.net.run.noise import Noise
from netwright.sizes.size import Size, measured, names
from netwright.sizes.unify import Row, Shape

Intervention: TypeAlias = Callable[[Tensor], Tensor]
Watch: TypeAlias = Callable[[str, Sequence[Tensor], Tensor | None], None]
Length: TypeAlias = Tensor | None


def _empty() -> dict[Any, Any]:
    return {}  # not `dict[…]`, which a compiler does not follow


@dataclass
class RunContext:
    """What a run needs besides its inputs, and in `updates` what it gives besides its outputs.

    Fields:
        training: whether leaves behave as in training.
        noise: the random numbers of training.
        batch: how many examples, for leaves without inputs.
        precision: the type of the activations; None does not convert them.
        lengths: how long each example is along every size that varies, by its name: (b,), or (b, n) for a size that
            varies within n, or a number where all are equally long. Along a name that is left out nothing is padded;
            a size that follows from several needs all of them.
        set: functions that change inner values, by slot.
        updates: the new values of running arrays, by path.
        watch: called after every step with the path, what it gave, and which example each row belongs to, where rows
            are not the examples themselves.
        rows: inside a `Map` or `Fold`, and where something watches: the example that each row belongs to.
        like: a value of the run; leaves without inputs use its device and its type.
        over_processes: the sum of an array over all processes that share the batch, with its derivative, for leaves
            that compute something of the whole batch; None where one process has all of it.
        steady: the paths of leaves that behave as in use although this is training.
    """

    training: bool = False
    noise: Noise | None = None
    batch: int = 1
    precision: torch.dtype | None = None
    lengths: Mapping[str, Tensor | int] = field(default_factory=_empty)
    set: Mapping[Slot, Intervention] = field(default_factory=_empty)
    updates: dict[str, Tensor] = field(default_factory=_empty)
    watch: Watch | None = None
    rows: Tensor | None = None
    like: Tensor | None = None
    over_processes: Callable[[Tensor], Tensor] | None = None
    steady: Collection[str] = ()
    known: dict[Size, Length] = field(default_factory=_empty)  # lengths that were computed already

    def length(self, size: Size) -> Length:
        """How long each example is along an axis of this size; None where nothing is padded."""
        if isinstance(size, int) or not self.lengths:
            return None
        if size not in self.known:
            missing = names(size) - self.lengths.keys()
            found = None if missing else measured(size, self.lengths)
            self.known[size] = found if isinstance(found, Tensor) else None
        return self.known[size]

    def lengths_of(self, sizes: Mapping[str, Size | Shape]) -> dict[str, Length | tuple[Length, ...]]:
        """The same for every name of a leaf's ports; a tuple for a run of axes."""
        return {
            name: tuple(None if isinstance(size, Row) else self.length(size) for size in value)
            if isinstance(value, tuple)
            else self.length(value)
            for name, value in sizes.items()
        }


USUAL = RunContext()
