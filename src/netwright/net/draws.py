"""Draws numbers that fit the input ports of a net, and says with which lengths none of its values is empty."""

from collections.abc import Iterable, Mapping, Sequence

import torch
from torch import Tensor

from netwright.net.plan.plan import Plan
from netwright.sizes.size import Size, evaluate, names, unknowns
from netwright.sizes.unify import Row, Shape


def input_shapes(plan: Plan) -> list[Shape]:
    """The shapes of the input ports, and the limits of their indices."""
    limits = [plan.below(("", name)) for name in plan.wiring.inputs]
    return [*(plan.inputs[name] for name in plan.wiring.inputs), *((limit,) for limit in limits if limit is not None)]


def all_shapes(plan: Plan) -> list[Shape]:
    """The shapes of inputs and values, and the sizes that only the arithmetic of a part has."""
    values = [plan.shape(slot) for step in plan.steps for slot in step.writes]
    asked = [value if isinstance(value, tuple) else (value,) for step in plan.steps for value in step.sizes.values()]
    return [*input_shapes(plan), *values, *asked]


def are_known(shapes: Iterable[Shape]) -> bool:
    """Whether shapes are made of numbers and names alone, so that lengths for the names say all of their sizes."""
    return not any(isinstance(size, Row) or unknowns(size) for shape in shapes for size in shape)


def varying_sizes(plan: Plan) -> list[Size]:
    """The distinct sizes anywhere in a net that lengths for its names say, and that are no numbers."""
    sizes = {size for shape in all_shapes(plan) for size in shape if not isinstance(size, Row)}
    return [size for size in sizes if names(size) and not unknowns(size)]


def index_limit(plan: Plan, port: str, lengths: Mapping[str, int]) -> int | None:
    """The number below which the indices of an input port lie; None where it takes other numbers."""
    below = plan.below(("", port))
    return None if below is None else evaluate(below, lengths)


def drawn_input(
    shape: Sequence[int], below: int | None, generator: torch.Generator, spread: float = 1, positive: bool = False
) -> Tensor:
    """Random numbers for an input port: indices below a limit, or float64.

    Args:
        shape: of all numbers, the batch's axis among them.
        below: the limit of indices; None, numbers from a normal distribution.
        generator: draws them.
        spread: the standard deviation.
        positive: draw from 0.05 to 0.95 instead, for nets that take logarithms or roots.
    """
    if below is not None:
        return torch.randint(below, tuple(shape), generator=generator, device="cpu")
    if positive:
        return torch.rand(tuple(shape), generator=generator, dtype=torch.float64, device="cpu") * 0.9 + 0.05
    return torch.randn(tuple(shape), generator=generator, dtype=torch.float64, device="cpu") * spread
