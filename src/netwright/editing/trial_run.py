"""Runs two nets on the same random examples: an edit that keeps a function is tried before its net is given."""

from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

import torch
from torch import Tensor

from netwright.errors import NetError
from netwright.net.draws import all_shapes, are_known, drawn_input, index_limit, varying_sizes
from netwright.net.part import Net
from netwright.net.plan.wiring import Slot
from netwright.net.run.assemble import program_of
from netwright.net.run.context import RunContext
from netwright.net.run.noise import Noise
from netwright.seeds import generator_of
from netwright.sizes.size import evaluate, names
from netwright.sizes.unify import Row

EXAMPLES = 3
LENGTHS = (7, 12, 40, 80, 160, 320)  # of what varies; the first with which nothing is empty
TOLERANCE = 1e-6  # or what the number type of the arrays rounds to, such as bfloat16
Translate: TypeAlias = Callable[[Tensor], Tensor]


def random_inputs(net: Net, where: str) -> dict[str, Tensor]:
    """Random examples for the inputs of a net, in float64; the same for all nets with these inputs.

    Raises: NetError where sizes do not follow from the net.
    """
    plan = net.plan
    varying = varying_sizes(plan) if are_known(all_shapes(plan)) else None
    known = sorted({name for size in varying or () for name in names(size)})
    fit = (n for n in LENGTHS if all(evaluate(size, dict.fromkeys(known, n)) >= 1 for size in varying or ()))
    length = next(fit, None)
    if varying is None or length is None:
        raise NetError(
            what="sizes of the net are open, so it cannot be tried whether it stays the same function",
            where=where,
            mend="net.with_input(…), with the sizes of an example",
        )
    lengths = dict.fromkeys(known, length)
    found: dict[str, Tensor] = {}
    for name in net.required_names:
        shape = [evaluate(size, lengths) for size in plan.inputs[name] if not isinstance(size, Row)]
        below = index_limit(plan, name, lengths)
        found[name] = drawn_input((EXAMPLES, *shape), below, generator_of(0, where, name))
    return found


def computed_at(net: Net, inputs: Mapping[str, Tensor], slots: Sequence[Slot]) -> list[Tensor]:
    """The values of slots in a net, computed in float64."""
    arrays = {path: a.double() if a.is_floating_point() else a for path, a in net.held.arrays.items()}
    bound = program_of(net.plan, slots).bind({path: array.cpu() for path, array in arrays.items()})
    context = RunContext(noise=Noise(0, 0, torch.arange(EXAMPLES, device="cpu")), batch=EXAMPLES)
    with torch.no_grad():
        return [*bound(inputs, context)]


def differs(before: Tensor, after: Tensor, tolerance: float = TOLERANCE) -> bool:
    """Whether two values are more than rounding apart; NaN is like NaN."""
    return before.shape != after.shape or not torch.allclose(after, before, tolerance, tolerance, equal_nan=True)


def rounding(net: Net) -> float:
    """How far apart two values may be that are equal but for the rounding of arrays."""
    found = [torch.finfo(array.dtype).eps for array in net.held.arrays.values() if array.is_floating_point()]
    return max([TOLERANCE, *(4 * eps for eps in found)])


def check_same_outputs(before: Net, after: Net, where: str, mend: str = "") -> None:
    """Raise NetError unless two nets give the same outputs for random examples."""
    inputs = random_inputs(before, where)
    ends = dict(before.plan.wiring.outputs)
    was = computed_at(before, inputs, [*ends.values()])
    now = computed_at(after, inputs, [*dict(after.plan.wiring.outputs).values()])
    changed = [name for name, old, new in zip(ends, was, now, strict=True) if differs(old, new, rounding(after))]
    if changed:
        raise NetError(
            what="the net would not stay the same function",
            where=f"{where} -> {', '.join(changed)}",
            mend=mend,
        )
