"""Counts what a net costs before it runs: parameters, bytes of arrays and of activations, multiply-adds."""

import math
from collections.abc import Iterable, Mapping

from torch import Tensor

from netwright.net.plan.plan import ArraySpec, Plan, PlanStep
from netwright.sizes.size import Size, evaluate, names, unknowns
from netwright.sizes.unify import Row, Shape

FLOAT32_BYTES = 4
ANY_LENGTHS: Mapping[str, int] = {}


def parameters(arrays: Iterable[ArraySpec]) -> int | None:
    """How many learned numbers arrays have; None while a size is not known."""
    return _total(_numbers(spec) for spec in arrays if spec.weight.kind == "learned")


def bytes_of_arrays(arrays: Iterable[ArraySpec], held: Mapping[str, Tensor]) -> int | None:
    """Bytes of arrays, including those that are not learned; an array that does not exist yet counts as float32."""
    counts: list[int | None] = []
    for spec in arrays:
        count, array = _numbers(spec), held.get(spec.path)
        counts.append(None if count is None else count * (FLOAT32_BYTES if array is None else array.element_size()))
    return _total(counts)


def step_multiply_adds(plan: Plan, step: PlanStep) -> Size | None:
    """Multiplications, each with its addition, that a leaf does for one example; None while a size is not known.

    An array called `weight` of two or more axes is multiplied with every position of the output, or of the input of a
    leaf that spreads it. A leaf that takes indices looks its arrays up and multiplies nothing; arrays of other names,
    such as positions, are added. The products of inputs with one another are counted by the leaf (`products`).
    """
    out = plan.whole_shape(step.writes[0])
    scope = plan.solution.scopes[step.path]
    around = out[: len(out) - len(plan.shape(step.writes[0]))]
    total = _for_each(step.leaf.products(step.sizes), around)
    if any(port.below is not None for port in scope.ports.inputs):
        return total
    read = step.reads[0] if step.leaf.spreads else None
    over = out if read is None else (*around, *plan.shape(read))
    for name, path in step.arrays.items():
        spec = plan.arrays[path]
        if "weight" not in name.rpartition("/")[2] or len(spec.shape) < 2:
            continue
        each = _numbers(spec)
        found = None if each is None else _for_each(each, over[:-1])
        total = None if total is None or found is None else total + found
    return total


def multiply_adds_each(plan: Plan, lengths: Mapping[str, int] = ANY_LENGTHS) -> list[int]:
    """Multiply-adds of one example by each part that multiplies, as far as they are known.

    `lengths` says how long the example is, by the names of sizes that vary; a net without such sizes needs none.
    """
    counts = [step_multiply_adds(plan, step) for step in plan.steps]
    known = [evaluate(n, lengths) for n in counts if n is not None and names(n) <= lengths.keys()]
    return [n for n in known if n > 0]


def multiply_adds(plan: Plan, lengths: Mapping[str, int] = ANY_LENGTHS) -> int:
    """Multiply-adds of one example by a whole net, as far as they are known."""
    return sum(multiply_adds_each(plan, lengths))


def _numbers(spec: ArraySpec) -> int | None:
    return None if spec.known is None else math.prod(spec.known)


def _for_each(count: Size, shape: Shape) -> Size | None:
    """A count multiplied by the positions of a shape; None while a size is not known."""
    for size in shape:
        if isinstance(size, Row) or unknowns(size):
            return None
        count = count * size
    return None if unknowns(count) else count


def _total(counts: Iterable[int | None]) -> int | None:
    known: list[int] = []
    for count in counts:
        if count is None:
            return None
        known.append(count)
    return sum(known)
