"""Fills the arrays that a net does not hold yet, each from its own seed: none depends on what else is missing."""

import math
from collections.abc import Generator
from typing import cast

import torch
from torch import Tensor

from netwright.around import around
from netwright.errors import Fault, MissingArraysError, NetError, SizeError, did_you_mean, shortened
from netwright.fields import expect_seed
from netwright.inits import METHODS, Init, fans
from netwright.machine import free_memory
from netwright.net.history import Entry
from netwright.net.leaf import Weight
from netwright.net.lineage import entered
from netwright.net.node import expect_net
from netwright.net.part import Net
from netwright.net.plan.each import EachEntry, open_state
from netwright.net.plan.plan import ArraySpec, Plan, PlanStep, fixed, shape_text
from netwright.seeds import generator_of
from netwright.sizes.size import unknowns
from netwright.sizes.unify import Row


@torch.inference_mode(False)  # gradients of the arrays may be needed later, outside inference mode
def initialize(net: Net, seed: int = 0, method: str | None = None) -> Net:
    """The net with every missing array filled; existing arrays are not changed.

    Each array is drawn from a generator of its own, seeded by the seed and the array's path: the same array comes out
    whatever else is missing. Arrays under a shared name are drawn once.

    Fields:
        seed: another seed, another draw.
        method: `"kaiming"`, `"xavier"`, `"lecun"` or `"orthogonal"` for the learned arrays with two axes or more;
            `None` leaves the choice to each part, since it knows what it is for.

    Raises: SizeError for arrays, and for states that begin at zeros, whose sizes do not follow from the net yet, all at
        once; MissingArraysError for arrays that come with their part alone, as an `nw.Module`'s do; NetError for a
        method that does not exist, and for a seed that is none.

    Example:
        >>> import netwright as nw
        >>> net = nw.initialize(nw.Chain(nw.Linear(2), input=3), seed=1)
        >>> {path: tuple(array.shape) for path, array in net.arrays.items()}
        {'linear1/weight': (2, 3), 'linear1/bias': (2,)}
    """
    expect_net(net, "initialize")
    seed = expect_seed(seed, "initialize")
    if method is not None and method not in METHODS:
        raise NetError(
            what=f"there is no method {method!r} to fill arrays",
            expected=", ".join(METHODS),
            mend=did_you_mean(str(method), METHODS),
        )
    missing = [spec for path, spec in net.plan.arrays.items() if path not in net.held.arrays]
    open_ = [_open(net.plan, spec) for spec in missing if spec.known is None] + _open_states(net.plan)
    if open_:
        raise SizeError.of(open_)
    steps = {step.path: step for step in net.plan.steps}
    inits = {spec.path: _init(net.plan, spec, steps[spec.users[0]]) for spec in missing}
    lost = [path for path, init in inits.items() if init is None]
    if lost:
        raise MissingArraysError(
            what=f"{len(lost)} arrays cannot be drawn anew: they come with foreign code",
            where=", ".join(lost[:6]) + (f" and {len(lost) - 6} more" if len(lost) > 6 else ""),
            mend=("net.replace(path, nw.Module(module)), with the module that has them", "net.with_arrays(arrays)"),
        )
    like = next((array for array in net.held.arrays.values() if array.is_floating_point()), None)
    drawn = {spec.path: _draw(spec, cast(Init, inits[spec.path]), seed, method, like) for spec in missing}
    filled = net.holding(arrays={**net.held.arrays, **drawn})
    if not drawn:
        return filled
    facts = {"seed": str(seed)} if method is None else {"seed": str(seed), "method": method}
    said = ", ".join([f"{len(drawn):,} arrays", *(f"{name} {value}" for name, value in facts.items())])
    return entered(filled, net, Entry("initialized", said, tuple(facts.items())))


def _init(plan: Plan, spec: ArraySpec, step: PlanStep) -> Init | None:
    """How an array of a step is filled; None for one that is never drawn."""
    shapes = {name: plan.arrays[path].known or () for name, path in step.arrays.items()}
    return step.leaf.init_of(next(name for name, path in step.arrays.items() if path == spec.path), shapes)


def _draw(spec: ArraySpec, own: Init, seed: int, method: str | None, like: Tensor | None) -> Tensor:
    shape = cast(tuple[int, ...], spec.known)
    init = METHODS[method] if method and _is_matrix(spec.weight, shape) else own
    with made_in_memory(spec.path, shape):
        array = init(shape, fans(shape), generator_of(seed, spec.path))
    return array if like is None or not array.is_floating_point() else array.to(like)


@around
def made_in_memory(path: str, shape: tuple[int, ...]) -> Generator[None]:
    """Around the making of an array: one that does not fit in memory is a SizeError that names it."""
    try:
        yield
    except (RuntimeError, MemoryError, TypeError, OverflowError):  # torch's own, for the sizes that are too large
        size = math.prod(shape) * torch.float32.itemsize
        if size <= free_memory(torch.device("cpu")):
            raise
        raise SizeError(
            what="an array does not fit in memory",
            where=path,
            got=f"{shortened(shape_text(shape), 60)}, {shortened(f'{size // 10**9:,}', 30)} GB",
            mend="smaller sizes",
        ) from None


def _is_matrix(weight: Weight, shape: tuple[int, ...]) -> bool:
    return weight.kind == "learned" and len(shape) > 1


def _open(plan: Plan, spec: ArraySpec) -> Fault:
    """The fault of an array whose sizes are not known: which size is missing, and how to give it."""
    axes = spec.weight.axes.split()
    open_axes = [axis for axis, size in zip(axes, spec.shape, strict=False) if not isinstance(size, int)]
    which = open_axes[0] if len(axes) == len(spec.shape) and open_axes else spec.weight.axes
    unknown = [name for name in plan.wiring.inputs if not all(isinstance(size, int) for size in plan.inputs[name])]
    return Fault(
        what=f"the size {which!r} of an array does not follow from the net",
        where=spec.path,
        expected="a number for every axis",
        got=f"({spec.weight.axes}) = {shape_text(spec.shape)}",
        mend=("input=…, the sizes of an example or an encoder",) if unknown else ("give the part its size",),
    )


def _open_states(plan: Plan) -> list[Fault]:
    """The faults of states that begin at zeros. Inputs that are not known yet may still say how many."""
    if any(isinstance(size, Row) or unknowns(size) for shape in plan.inputs.values() for size in shape):
        return []
    return [
        open_state(step.path, name, shape_text(plan.shape((step.path, name))))
        for step in plan.steps
        if isinstance(step.leaf, EachEntry)
        for (name, _), read in zip(step.leaf.each.carry, step.reads[len(step.leaf.each.over) :], strict=True)
        if read is None and not fixed(plan.shape((step.path, name)))
    ]
