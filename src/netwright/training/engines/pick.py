"""Chooses the engine of a plan: the first that can take it."""

from collections.abc import Collection, Mapping, Sequence

import torch
from torch import Tensor

from netwright.net.plan.plan import Plan
from netwright.training.engines.autograd import Autograd
from netwright.training.engines.engine import Engine, Turn
from netwright.training.engines.flat import Flat
from netwright.training.engines.turns import Turns
from netwright.training.processes.group import Group


def engine_of(
    plan: Plan,
    flat: Flat,
    rest: Mapping[str, Tensor],
    precision: torch.dtype | None,
    seed: int,
    frozen: Collection[str] = (),
    group: Group | None = None,
    turns: Sequence[Turn] = (),
) -> Engine:
    """The fastest engine of a plan: the handwritten backward if every leaf has a kernel, else autograd.

    Where parts learn in turn, it is autograd for each of them.

    The kernels are written for float32 and bf16, and for parts that behave as in training; float64, and norms and
    dropouts of a frozen part, are computed by autograd.
    """
    from netwright.training.engines.handwritten.engine import (
        Written,  # imported here, so that `import netwright` does not load the kernels
    )

    if turns:
        return Turns.of(plan, flat, rest, precision, seed, frozen, group, turns)
    autograd = Autograd.of(plan, flat, rest, precision, seed, frozen, group)
    written = None if precision == torch.float64 or autograd.steady else Written.of(plan, autograd)
    return written or autograd
