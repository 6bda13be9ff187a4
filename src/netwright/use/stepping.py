"""The step net of a net, ready to run: what everything that feeds a net piece by piece stands on."""

from collections.abc import Mapping

import torch
from torch import Tensor

from netwright.net.part import Net
from netwright.net.plan.plan import plan_of
from netwright.net.run.assemble import program
from netwright.net.run.call import check_arrays
from netwright.net.run.told import Circumstances
from netwright.net.unfold import unfold

State = Mapping[str, Tensor]  # by name, batch first; a name that is left out begins anew


class Stepping:
    """The step net of a net, bound to its arrays: values and states in, values and states out.

    Fields: `step` and its `plan`; `names` of the net's own outputs, `states` of what is remembered; `device` of the
    arrays.

    Raises: NetError for a net that cannot step; MissingArraysError.
    """

    def __init__(self, net: Net, along: str | None = None) -> None:
        check_arrays(net, plan_of(net))
        self.step = unfold(net, along)
        self.plan = plan_of(self.step)
        self.names, self.states = net.output_names, self.step.optional_names
        outputs = dict(self.plan.wiring.outputs)
        wanted = [outputs[name] for name in (*self.names, *self.states)]
        self.bound = program(self.plan, wanted).bind(self.step.held.arrays)
        floats = [array for array in self.bound.arrays() if array.is_floating_point()]
        self.device = floats[0].device if floats else torch.device("cpu")
        self._dtype = floats[0].dtype if floats else None

    @classmethod
    def of(cls, net: Net) -> "Stepping":
        """The step net along the only size that varies, made once."""
        cache = net.__dict__
        if "_stepping" not in cache:
            cache["_stepping"] = cls(net)
        return cache["_stepping"]

    def run(self, inputs: Mapping[str, Tensor], state: State) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """The outputs of a chunk, (b, k, …) at each input that moves, and the state after it."""
        given = {name: self._own(x) for name, x in (*inputs.items(), *state.items())}
        with torch.no_grad():
            found = self.bound(given, Circumstances(batch=len(next(iter(inputs.values())))))
        values = dict(zip(self.names, found, strict=False))
        return values, dict(zip(self.states, found[len(self.names) :], strict=True))

    def _own(self, x: Tensor) -> Tensor:
        return x.to(self.device, self._dtype if x.is_floating_point() else None)


def reordered(state: State, rows: Tensor) -> dict[str, Tensor]:
    """The state of these rows: the batch comes first in all of it."""
    return {name: value.index_select(0, rows) for name, value in state.items()}
