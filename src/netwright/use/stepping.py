"""The step net of a net, ready to run: what everything that feeds a net piece by piece stands on."""

from collections.abc import Mapping, Sequence
from dataclasses import field
from typing import TypeVar

import torch
from torch import Tensor

from netwright.net.part import Net
from netwright.net.plan.plan import plan_of
from netwright.net.plan.wiring import Slot
from netwright.net.run.assemble import split
from netwright.net.run.call import check_arrays
from netwright.net.run.execute import Bound
from netwright.net.run.told import Circumstances
from netwright.net.unfold import along_of, unfold
from netwright.value import Value

K = TypeVar("K")
State = Mapping[str, Tensor]  # by name, batch first; a name that is left out begins anew


class Once(Value, eq=False):
    """What does not move, computed once: values by slot, batch first, and how long examples are by size."""

    values: Mapping[Slot, Tensor] = field(default_factory=dict[Slot, Tensor])
    lengths: Mapping[str, Tensor | int] = field(default_factory=dict[str, Tensor | int])

    def of(self, rows: Sequence[int]) -> "Once":
        """The same for these examples, in this order."""
        if not self.values:
            return self
        device = next(iter(self.values.values())).device
        index = torch.tensor(rows, device=device)
        lengths = {
            name: length.index_select(0, index) if isinstance(length, Tensor) else length
            for name, length in self.lengths.items()
        }
        return Once(reordered(self.values, index), lengths)


NOTHING = Once()
NO_LENGTHS: Mapping[str, Tensor | int] = {}


class Stepping:
    """The step net of a net, bound to its arrays: values and states in, values and states out.

    Fields: `step` and its `plan`; `moving` are the net's inputs that come in pieces; `names` of the net's own outputs,
    `states` of what is remembered; `device` of the arrays.

    Raises: NetError for a net that cannot step; MissingArraysError.
    """

    def __init__(self, net: Net, along: str | None = None) -> None:
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
        parts = split(self.plan, [*own, *states], moving)
        self._kept = parts.kept
        self._once, self._each = (part.bind(self.step.held.arrays) for part in (parts.once, parts.each))
        reading = split(self.plan, states, moving)
        assert {*reading.kept} <= {*parts.kept}  # who wants less needs no more
        self._reading = reading.each.bind(self.step.held.arrays)
        arrays = (*self._once.arrays(), *self._each.arrays())
        floats = [array for array in arrays if array.is_floating_point()]
        self.device = floats[0].device if floats else torch.device("cpu")
        self._dtype = floats[0].dtype if floats else None

    @classmethod
    def of(cls, net: Net, along: str | None = None) -> "Stepping":
        """The step net along a size, made once; None, the only one that varies."""
        cache = net.__dict__.setdefault("_stepping", {})
        if along not in cache:
            cache[along] = cls(net, along)
        return cache[along]

    def once(self, inputs: Mapping[str, Tensor], lengths: Mapping[str, Tensor | int] = NO_LENGTHS) -> Once:
        """What is computed from the inputs that do not move, (b, …) each, and their lengths, before any step."""
        if not inputs:
            return NOTHING
        lengths = {
            name: length.to(self.device) if isinstance(length, Tensor) else length for name, length in lengths.items()
        }
        given = {name: self._own(x) for name, x in inputs.items()}
        with torch.no_grad():
            found = self._once(given, Circumstances(batch=len(next(iter(inputs.values()))), lengths=lengths))
        return Once(dict(zip(self._kept, found, strict=True)), lengths)

    def run(
        self, inputs: Mapping[str, Tensor], state: State, once: Once = NOTHING
    ) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """The outputs of a chunk, (b, k, …) at each input that moves, and the state after it."""
        found = self._found(self._each, inputs, state, once)
        values = dict(zip(self.names, found, strict=False))
        return values, dict(zip(self.states, found[len(self.names) :], strict=True))

    def read(self, inputs: Mapping[str, Tensor], state: State, once: Once = NOTHING) -> dict[str, Tensor]:
        """The state after a chunk whose outputs nobody wants: they are not computed."""
        return dict(zip(self.states, self._found(self._reading, inputs, state, once), strict=True))

    def _found(self, bound: Bound, inputs: Mapping[str, Tensor], state: State, once: Once) -> tuple[Tensor, ...]:
        given = {name: self._own(x) for name, x in (*inputs.items(), *state.items())}
        told = Circumstances(batch=len(next(iter(inputs.values()))), lengths=once.lengths)
        with torch.no_grad():
            return bound({**given, **once.values}, told)

    def _own(self, x: Tensor) -> Tensor:
        return x.to(self.device, self._dtype if x.is_floating_point() else None)


def reordered(state: Mapping[K, Tensor], rows: Tensor) -> dict[K, Tensor]:
    """The state of these rows: the batch comes first in all of it."""
    return {name: value.index_select(0, rows) for name, value in state.items()}
