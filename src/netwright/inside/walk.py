"""Runs a net part by part, and shows what each reads and gives."""

from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch import Tensor

from netwright.machine import without_autocast
from netwright.net.leaf import LeafNode
from netwright.net.node import expect_net
from netwright.net.part import Net
from netwright.net.plan.each import EachBoundary
from netwright.net.plan.plan import PlanStep
from netwright.net.plan.wiring import Slot
from netwright.net.run.assemble import program_of
from netwright.net.run.call import check_arrays
from netwright.net.run.context import RunContext
from netwright.net.run.execute import Instruction
from netwright.net.run.given import Given
from netwright.value import Value


class Visit(Value, eq=False):
    """A part of a net that has just run.

    Fields:
        path: of the part.
        part: with its arrays.
        inputs: what it read, by port; a port that is not connected is left out.
        outputs: what it gave, by port.
    """

    path: str
    part: Net
    inputs: Mapping[str, Tensor | Any]
    outputs: Mapping[str, Tensor | Any]

    def __repr__(self) -> str:
        return f"{self.path}: {_sizes(self.inputs)} -> {_sizes(self.outputs)}"


def walk(net: Net, x: Any) -> Iterator[Visit]:
    """The parts of a net in the order in which they run, each with what it reads and gives, as soon as it has run.

    These are the parts that compute; containers only say how they are connected. What is inside a `Map` or `Fold` is
    shown after all elements have run, with one more axis for them.

    Fields:
        x: an example, a list of examples or a batch, as the net takes it.

    Returns: an iterator of visits. Their arrays are as those of `net(x, at=path)`. A value that is not used any more
        is dropped, so a walk through a large net needs no more memory than a call.

    Example:
        >>> import netwright as nw, torch
        >>> net = nw.initialize(nw.Chain(nw.Linear(4), nw.relu, nw.Linear(2), input=3))
        >>> for visit in nw.walk(net, torch.ones(3)):
        ...     print(visit)
        linear1: input (3,) -> output (4,)
        relu1: input (4,) -> output (4,)
        linear2: input (4,) -> output (2,)
    """
    expect_net(net, "walk")
    given = Given.of(net, x)
    check_arrays(net, given.plan)
    return _visits(net, given)


def _visits(net: Net, given: Given) -> Iterator[Visit]:
    plan = given.plan
    by_path = {step.path: step for step in plan.steps}
    inner: dict[str, list[PlanStep]] = {}  # by the path of the outermost `Map` or `Fold`
    for step in plan.steps:
        if step.within:
            inner.setdefault(step.within[0], []).append(step)
    entries = [step for step in plan.steps if isinstance(step.leaf, EachBoundary) and step.path in inner]
    asked = [slot for step in [*entries, *(s for several in inner.values() for s in several)] for slot in step.writes]
    outputs = [slot for _, slot in plan.wiring.outputs]
    keep = [slot for step in plan.steps if not step.within for slot in step.writes]
    bound = program_of(plan, dict.fromkeys([*outputs, *asked]), keep).bind(net.held.arrays)
    (inputs, context), *_ = given.batches(bound.placement, len(given.examples))
    place: dict[Slot, int] = {("", name): register for name, register in bound.program.inputs}
    running = bound.steps(inputs, context)
    while True:
        with torch.no_grad(), without_autocast():  # not while the caller has the visit
            done = next(running, None)
        if done is None:
            return
        instruction, registers = done
        place |= dict(zip(instruction.slots, instruction.writes, strict=True))
        steps = [by_path[instruction.path]] if isinstance(instruction, Instruction) else inner[instruction.path]
        for step in steps:
            if not isinstance(step.leaf, EachBoundary):
                slots = [slot for slot in (*step.reads, *step.writes) if slot is not None and slot in place]
                yield _visit(net, given, step, {slot: registers[place[slot]] for slot in slots}, context)


def _visit(net: Net, given: Given, step: PlanStep, values: Mapping[Slot, Any], context: RunContext) -> Visit:
    plan = given.plan
    ports = plan.solution.scopes[step.path].ports

    def own(slot: Slot | None) -> Any:
        value = None if slot is None else values.get(slot)
        if value is None or slot is None:
            return None
        several = given.together([given.own(slot, value, context)])
        return several[0] if given.single else several

    reads = {port.name: own(slot) for port, slot in zip(ports.inputs, step.reads, strict=True)}
    gives = {port.name: own(slot) for port, slot in zip(ports.outputs, step.writes, strict=True)}
    return Visit(
        step.path,
        net if isinstance(net, LeafNode) else net[step.path],
        {name: value for name, value in reads.items() if value is not None},
        {name: value for name, value in gives.items() if value is not None},
    )


def _sizes(values: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {_size(value)}" for name, value in values.items()) or "nothing"


def _size(value: Any) -> str:
    if isinstance(value, Tensor):
        return str(tuple(value.shape))
    return f"{len(value)} of different sizes"
