"""The step net of a net, ready to run: the base of all that feeds a net piece by piece."""

from collections.abc import Mapping, Sequence
from dataclasses import field
from typing import TypeVar

import torch
from torch import Tensor

from netwright.causality.proof import Visibility
from netwright.net.part import Net
from netwright.net.plan.plan import plan_of
from netwright.net.plan.wiring import Slot
from netwright.net.run.call import Changes, check_arrays, interventions
from netwright.net.run.context import RunContext
from netwright.net.run.execute import placement_of
from netwright.once import once
from netwright.stepping.split import step_programs
from netwright.stepping.unfold import along_of, unfold
from netwright.value import Value

K = TypeVar("K")
State = Mapping[str, Tensor]  # by name, batch first; a name that is left out begins anew


class Fixed(Value, eq=False):
    """The values that depend on no moving input, computed once: by slot, batch first; and lengths by size."""

    values: Mapping[Slot, Tensor] = field(default_factory=dict[Slot, Tensor])
    lengths: Mapping[str, Tensor | int] = field(default_factory=dict[str, Tensor | int])

    def of(self, rows: Sequence[int]) -> "Fixed":
        """The same for these examples, in this order."""
        if not self.values:
            return self
        device = next(iter(self.values.values())).device
        index = torch.tensor(rows, device=device, dtype=torch.int64)
        lengths = {
            name: length.index_select(0, index) if isinstance(length, Tensor) else length
            for name, length in self.lengths.items()
        }
        return Fixed(reordered(self.values, index), lengths)


NOTHING = Fixed()
NO_LENGTHS: Mapping[str, Tensor | int] = {}
NO_CHANGES: Changes = {}


class StepNet:
    """The step net of a net, bound to its arrays: values and states in, values and states out.

    `changes` are functions and arrays that take the place of values inside, by path, as `set=` of a call; a function is
    given the elements of a chunk.

    Fields: `step` and its `plan`; `moving` are the net's inputs that come in pieces; `names` of the net's own outputs,
    `states` of what is remembered; `device` of the arrays.

    Raises: NetError for a net that cannot step; MissingArraysError.
    """

    def __init__(self, net: Net, along: str | None = None, changes: Changes = NO_CHANGES) -> None:
        plan = plan_of(net)
        check_arrays(net, plan)
        along = along_of(plan, along)
        self.step = unfold(net, along)
        self.plan = plan_of(self.step)
        self.names, self.states = net.output_names, self.step.optional_names
        self.moving = tuple(name for name in net.required_names if plan.moves(name, along))
        outputs = dict(self.plan.wiring.outputs)
        own, states = ([outputs[name] for name in names] for names in (self.names, self.states))
        moving = {*self.moving, *self.states}
        sight = Visibility(self.plan, along, training=False)
        self._set = interventions(plan, changes)  # of the net: in its step net a part has states as outputs too
        parts = step_programs(self.plan, own, states, moving, sight.is_positionwise, self._set)
        self._kept = parts.kept
        self._ends = {slot: sight.axis(slot) for slot in parts.ends}
        programs = (parts.once, parts.each, parts.whole, parts.last)
        self._once, self._each, self._whole, self._last = (part.bind(self.step.held.arrays) for part in programs)
        self._placement = placement_of([*self._once.arrays(), *self._each.arrays()])
        self.device = self._placement.device

    @classmethod
    def of(cls, net: Net, along: str | None = None) -> "StepNet":
        """The step net along a size, made once; None, the only one that varies."""
        return once(net, "stepping", lambda: cls(net, along), along)

    def fixed(self, inputs: Mapping[str, Tensor], lengths: Mapping[str, Tensor | int] = NO_LENGTHS) -> Fixed:
        """What is computed from the inputs that do not move, (b, …) each, and their lengths, before any step."""
        if not inputs:
            return NOTHING
        lengths = {
            name: length.to(self.device) if isinstance(length, Tensor) else length for name, length in lengths.items()
        }
        given = {name: self._placement.moved(x) for name, x in inputs.items()}
        with torch.no_grad():
            found = self._once(
                given, RunContext(batch=len(next(iter(inputs.values()))), lengths=lengths, set=self._set)
            )
        return Fixed(dict(zip(self._kept, found, strict=True)), lengths)

    def run(
        self, inputs: Mapping[str, Tensor], state: State, fixed: Fixed = NOTHING
    ) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """The outputs of a chunk, (b, k, …) at each input that moves, and the state after it."""
        given, context = self._context(inputs, state, fixed)
        with torch.no_grad():
            found = self._each(given, context)
        values = dict(zip(self.names, found, strict=False))
        return values, dict(zip(self.states, found[len(values) :], strict=True))

    def last(
        self, inputs: Mapping[str, Tensor], state: State, fixed: Fixed = NOTHING
    ) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """The outputs at the last element of a chunk, (b, 1, …), and the state after it.

        The steps after the last one that mixes elements are computed for the last element only.
        """
        given, context = self._context(inputs, state, fixed)
        with torch.no_grad():
            found = self._whole(given, context)
            ends = {slot: last_of(x, axis) for (slot, axis), x in zip(self._ends.items(), found, strict=False)}
            values = self._last({**fixed.values, **ends}, context)
        return dict(zip(self.names, values, strict=True)), dict(zip(self.states, found[len(ends) :], strict=True))

    def _context(
        self, inputs: Mapping[str, Tensor], state: State, fixed: Fixed
    ) -> tuple[dict[str | Slot, Tensor], RunContext]:
        """The values and the context of a run: moving inputs and states by name, fixed values by slot."""
        given = {name: self._placement.moved(x) for name, x in (*inputs.items(), *state.items())}
        count = len(next(iter(inputs.values())))
        return {**given, **fixed.values}, RunContext(batch=count, lengths=fixed.lengths, set=self._set)


def last_of(x: Tensor, axis: int | None) -> Tensor:
    """The last element along an axis, the batch's not counted: (b, k, …) -> (b, 1, …); without one all there is."""
    return x if axis is None else x.narrow(axis + 1, x.shape[axis + 1] - 1, 1)


def reordered(state: Mapping[K, Tensor], rows: Tensor) -> dict[K, Tensor]:
    """The state of these rows: the batch comes first in all of it."""
    return {name: value.index_select(0, rows) for name, value in state.items()}
