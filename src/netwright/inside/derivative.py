"""Runs a net with a graph, from the places by which something is derived to the values that are derived."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import cast

import torch
from torch import Tensor

from netwright.errors import NetError
from netwright.inside.locations import (
    Location,
    Locations,
    Names,
    array_locations,
    few_of,
    find_locations,
    input_locations,
    part_locations,
)
from netwright.inside.targets import Target
from netwright.net.part import Net
from netwright.net.plan.plan import Plan
from netwright.net.plan.wiring import Slot
from netwright.net.run.assemble import program_of
from netwright.net.run.call import CHUNK, check_arrays
from netwright.net.run.context import RunContext
from netwright.net.run.examples import Own
from netwright.net.run.execute import Bound
from netwright.net.run.given import Given
from netwright.value import Value


class Recorded(Value, eq=False):
    """A batch that was run with a graph.

    Fields:
        values: of every target, by example.
        inputs: as the net reads them.
        context: of the run.
        seen: the tensors that stood at every slot, more than one where a part of a `Fold` ran for each element.
    """

    values: tuple[Tensor | Sequence[Own], ...]
    inputs: Mapping[str, Tensor]
    context: RunContext
    seen: Mapping[Slot, list[Tensor]]

    @property
    def count(self) -> int:
        """How many examples it has."""
        return self.context.batch


class Derivative:
    """A net whose targets are derived by values and arrays inside.

    Fields:
        given: the examples.
        targets: what is derived.
        locations: by what.
    """

    def __init__(self, net: Net, given: Given, targets: Sequence[Target], locations: Sequence[Location]) -> None:
        plan = given.plan
        check_arrays(net, plan)
        self.given, self.targets, self.locations = given, targets, locations
        held = net.held.arrays
        self.arrays = {
            location.path: held[location.path].detach().requires_grad_()
            for location in locations
            if location.slot is None
        }
        self.slots = [location.slot for location in locations if location.slot is not None]
        within = {slot for step in plan.steps if step.within for slot in step.writes}
        self._elements = [slot for slot in self.slots if slot in within]
        wanted = (*(slot for target in targets if (slot := target.location.slot) is not None), *self._elements)
        self._bound: Bound = program_of(plan, wanted, self.slots).bind({**held, **self.arrays})

    @property
    def size(self) -> int:
        """How many examples may run at once.

        A `Fold` repeats the last element of an example that has ended, and these copies would have its gradient.
        """
        ragged = any(not isinstance(column, Tensor) for column in self.given.examples.columns.values())
        return 1 if ragged and self._elements else CHUNK

    def batches(self, size: int) -> Iterator[Recorded]:
        """Batches of at most so many examples, run with a graph."""
        for inputs, context in self.given.batches(self._bound.placement, size):
            seen: dict[Slot, list[Tensor]] = {}
            context.set = {slot: _seeing(seen.setdefault(slot, [])) for slot in self.slots}
            found = self._bound(inputs, context)
            slots = [target.location.slot or ("", "") for target in self.targets]
            values = [self.given.own(slot, value, context) for slot, value in zip(slots, found, strict=False)]
            yield Recorded(tuple(values), inputs, context, seen)

    def gradient(self, recorded: Recorded, total: Tensor, again: bool = False) -> dict[str, Tensor | Sequence[Own]]:
        """The gradient of a number by the places it depends on: of an array itself, of a value by example.

        `again` keeps the graph for another number.
        """
        if not total.requires_grad:
            return {}
        pieces = [self.arrays[s.path] if s.slot is None else recorded.seen.get(s.slot, []) for s in self.locations]
        flat = [tensor for piece in pieces for tensor in ([piece] if isinstance(piece, Tensor) else piece)]
        made = cast("Sequence[Tensor | None]", torch.autograd.grad(total, flat, retain_graph=again, allow_unused=True))
        slopes = iter(made)
        found: dict[str, Tensor | Sequence[Own]] = {}
        elements: dict[Slot, list[Tensor]] = {}
        for location, piece in zip(self.locations, pieces, strict=True):
            tensors = [piece] if isinstance(piece, Tensor) else piece
            own = [next(slopes) for _ in tensors]
            if all(slope is None for slope in own):
                continue
            filled = [torch.zeros_like(x) if s is None else s for x, s in zip(tensors, own, strict=True)]
            if location.slot is None:
                found[location.name] = filled[0]
            elif location.slot in self._elements:
                elements[location.slot] = filled
            else:
                found[location.name] = self.given.own(location.slot, filled[0], recorded.context)
        return found | self._of_elements(recorded, elements)

    def _of_elements(
        self, recorded: Recorded, slopes: Mapping[Slot, list[Tensor]]
    ) -> dict[str, Tensor | Sequence[Own]]:
        """Gradients by values inside a `Map` or `Fold`, in the form of the values.

        The program is run again with the gradients in the place of the values, and puts them together.
        """
        if not slopes:
            return {}
        context = RunContext(batch=recorded.count, lengths=recorded.context.lengths)
        context.set = {slot: _putting(tensors) for slot, tensors in slopes.items()}
        with torch.no_grad():
            values = self._bound(recorded.inputs, context)[len(self.targets) :]
        made = dict(zip(self._elements, values, strict=True))
        pairs = [(location.name, location.slot) for location in self.locations if location.slot is not None]
        return {name: self.given.own(slot, made[slot], context) for name, slot in pairs if slot in slopes}


def by_what(plan: Plan, wrt: Names, where: str) -> Locations:
    """The places that `wrt=` names: input ports, arrays, and values of parts; of a pattern those that have gradients.

    Raises: PathError for what names nothing; NetError for indices and running arrays, which have no gradient.
    """
    locations = find_locations(wrt, [*input_locations(plan), *array_locations(plan), *part_locations(plan)], where)
    running = {location.path for location in array_locations(plan, ("running",))}
    kept: list[Location] = []
    for location in locations.found:
        measured = location.slot is None and location.path in running
        indices = location.slot is not None and plan.below(location.slot) is not None
        if not measured and not indices:
            kept.append(location)
        elif location.name in locations.required:
            raise _of_running(location, where) if measured else _of_indices(plan, location, where)
    return Locations(tuple(kept), locations.required, locations.alone)


def check_depends(plan: Plan, targets: Sequence[Target], locations: Locations, asked: object, where: str) -> Locations:
    """The places that the targets depend on; those of a pattern on which none does are left out.

    `asked` is what selected them, for the error.

    Raises: NetError for a place that was named by itself, and where nothing is left.
    """
    slots, arrays = _before(plan, [slot for target in targets if (slot := target.location.slot) is not None])
    kept = [
        location
        for location in locations.found
        if (location.slot in slots if location.slot else location.path in arrays)
    ]
    lost = [
        location.name for location in locations.found if location not in kept and location.name in locations.required
    ]
    if lost or not kept:
        near = [location.name for location in (*input_locations(plan), *part_locations(plan), *array_locations(plan))
                if (location.slot in slots if location.slot else location.path in arrays)]  # fmt: skip
        raise NetError(
            what=f"{_names(targets)} does not depend on {few_of(lost) or asked}",
            where=where,
            expected=f"one of {few_of(near)}" if near else "",
        )
    return Locations(tuple(kept), locations.required, locations.alone)


def check_reached(found: Mapping[str, object], targets: Sequence[Target], locations: Locations, where: str) -> None:
    """Refuse where a part in between gives values without a gradient, such as whole numbers.

    Raises: NetError.
    """
    lost = [
        location.name
        for location in locations.found
        if location.name not in found and location.name in locations.required
    ]
    if lost or not found:
        names = few_of(lost) or few_of(location.name for location in locations.found)
        raise NetError(
            what=f"no gradient comes from {_names(targets)} to {names}",
            where=where,
            expected="values that change little when these change little",
            got="a part between them, or the function, gives values that have no derivative",
        )


def _names(targets: Sequence[Target]) -> str:
    return few_of(target.location.name for target in targets)


def _before(plan: Plan, slots: Sequence[Slot]) -> tuple[set[Slot], set[str]]:
    """The values and arrays that some values are computed from, themselves among them."""
    wanted, arrays = {*slots}, set[str]()
    for step in reversed(plan.steps):
        if not wanted.isdisjoint(step.writes):
            wanted.update(slot for slot in step.reads if slot is not None)
            arrays.update(step.arrays.values())
    return wanted, arrays


def _of_running(location: Location, where: str) -> NetError:
    """The error for an array that training measures and does not learn."""
    return NetError(
        what=f"{location.name} is measured on the batches of training and not learned, so it has no gradient",
        where=where,
        got=repr(location.name),
    )


def _of_indices(plan: Plan, location: Location, where: str) -> NetError:
    """The error for indices, with the values that are made of them."""
    indices = {location.slot}
    made: list[Slot] = []
    for step in plan.steps:
        if not indices.isdisjoint(step.reads):
            for slot in step.writes:
                indices |= {slot} if plan.below(slot) is not None else set()
                made += [slot] if plan.below(slot) is None and not step.leaf.is_loss else []
    names = [part.name for part in part_locations(plan) if part.slot in made]
    return NetError(
        what=f"{location.name} holds indices, and nothing changes little when an index changes",
        where=where,
        got=repr(location.name),
        mend=f"wrt={names[0]!r}, the numbers that are made of them" if names else (),
    )


def _seeing(seen: list[Tensor]) -> Callable[[Tensor], Tensor]:
    """What lets a value be, so that something can be derived by it, and remembers it."""

    def see(x: Tensor) -> Tensor:
        if x.is_floating_point():
            x = x if x.requires_grad else x.detach().requires_grad_()
            seen.append(x)
        return x

    return see


def _putting(tensors: Sequence[Tensor]) -> Callable[[Tensor], Tensor]:
    """What puts tensors, one after another, in the place of values."""
    following = iter(tensors)
    return lambda x: next(following)
