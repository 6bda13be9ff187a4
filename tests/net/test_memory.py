"""Holds the forecast of memory against what torch keeps and allocates, for nets of many families and for each layer."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest
import torch
from torch import Tensor

import netwright as nw
from layers.table import ROWS, Row
from net.families import BATCH, FAMILIES, Family, examples
from netwright.net.memory import memory_of
from netwright.net.run.assemble import program_of
from netwright.net.run.context import RunContext
from netwright.net.run.noise import Noise
from netwright.sizes.formula import Formula, value_of

WITHIN = 0.15
FIXED = 1024  # bytes that a layer may keep whatever the batch is: angles, means of a feature
CASES = [(family, lengths) for family in FAMILIES for lengths in family.lengths]
NAMES = [f"{family.name} {dict(lengths) or ''}".strip() for family, lengths in CASES]
cases = pytest.mark.parametrize(("family", "lengths"), CASES, ids=NAMES)


def number(formula: Formula | None, lengths: Mapping[str, int] = {}) -> int:
    assert formula is not None
    return value_of(formula, lengths)


def wanted(net: nw.Net) -> list[Any]:
    return [slot for _, slot in net.plan.wiring.outputs]


def learning(net: nw.Net) -> dict[str, Tensor]:
    """The arrays of a net, those that are learned ready for gradients."""
    kinds = {path: spec.weight.kind for path, spec in net.plan.arrays.items()}
    return {path: a.clone().requires_grad_(kinds[path] == "learned") for path, a in net.arrays.items()}


def trained(net: nw.Net, arrays: Mapping[str, Tensor], x: Mapping[str, Tensor], batch: int) -> list[Tensor]:
    """The outputs of a net as a step of training computes them."""
    context = RunContext(training=True, noise=Noise(0, 0, torch.arange(batch)), batch=batch)
    return [*program_of(net.plan, wanted(net)).bind(arrays)(x, context)]


def saved(run: Callable[[], object], arrays: Mapping[str, Tensor]) -> int:
    """The bytes that torch saves for the backward pass, each storage once, without those of the arrays."""
    own = {array.untyped_storage().data_ptr() for array in arrays.values()}
    found: dict[int, Tensor] = {}

    def pack(x: Tensor) -> Tensor:
        if x.untyped_storage().data_ptr() not in own:
            found[x.untyped_storage().data_ptr()] = x  # held, so that no other value gets its place
        return x

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda x: x):
        run()
    return sum(x.untyped_storage().nbytes() for x in found.values())


def most_allocated(run: Callable[[], object]) -> int:
    """The most bytes that live at once of all that torch's allocator gives during a call."""
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU], profile_memory=True) as profile:
        run()
    events: Any = profile.profiler
    now = most = 0
    for event in events.kineto_results.events():
        if event.name() == "[memory]":
            now += event.nbytes()
            most = max(most, now)
    return most


@cases
def test_what_training_keeps_is_what_torch_saves(family: Family, lengths: Mapping[str, int]) -> None:
    net = nw.initialize(family.net, seed=0)
    arrays, x = learning(net), examples(net, lengths)
    measured = saved(lambda: trained(net, arrays, x, BATCH), arrays)
    assert BATCH * number(memory_of(net.plan).kept, lengths) == pytest.approx(measured, rel=WITHIN)


@cases
def test_what_lives_at_once_in_use_is_what_is_allocated(family: Family, lengths: Mapping[str, int]) -> None:
    """Parts that are computed as one, such as a convolution and its ReLU, take less."""
    net = nw.initialize(family.net, seed=0)
    x = examples(net, lengths)
    forecast, given = BATCH * number(memory_of(net.plan).use, lengths), sum(value.nbytes for value in x.values())
    program = program_of(net.plan, wanted(net))
    with torch.no_grad():
        apart, joined = program.bind(net.arrays), program.bind(net.arrays, {})
        joined(x)  # arrays are laid out at the first run
        assert forecast == pytest.approx(given + most_allocated(lambda: apart(x)), rel=WITHIN)
        assert given + most_allocated(lambda: joined(x)) <= (1 + WITHIN) * forecast


def alone(row: Row) -> nw.Net:
    """A net of a layer whose inputs are learned where they are numbers: what it reads has a gradient."""
    inputs: list[Any] = []
    for i, sizes in enumerate(row.inputs):
        x = nw.Input(f"x{i}", sizes)
        shape = [int(size) for size in sizes.strip("()").split()] if "<" not in sizes else []
        inputs.append(x if "<" in sizes else nw.Add()(x, nw.Parameter(*shape)()))
    made = row.layer(*inputs)
    return nw.initialize(nw.Graph(made[made.names[0]]), seed=0)


@pytest.mark.parametrize("row", [row for row in ROWS if row.inputs], ids=lambda row: row.name)
def test_what_each_layer_keeps_is_what_torch_saves(row: Row) -> None:
    net = alone(row)
    arrays, x = learning(net), examples(net, {})
    x = {name: value * 0.9 + 0.05 if value.is_floating_point() else value for name, value in x.items()}
    measured = saved(lambda: trained(net, arrays, x, BATCH), arrays)
    said = BATCH * number(memory_of(net.plan).kept)
    assert said == pytest.approx(measured, rel=WITHIN, abs=FIXED)
