"""The engine of nets that are one line of known leaves: a few dozen torch calls a step, and no autograd."""

import math
from dataclasses import field

from netwright.net.plan.plan import Plan
from netwright.training.batch import Batch
from netwright.training.culprit import Culprit, finite
from netwright.training.engines.autograd import Autograd
from netwright.training.engines.engine import Engine, over_processes
from netwright.training.engines.flat import Flat
from netwright.training.engines.handwritten.chain import KernelChain, StraightPlan, chain, line_of
from netwright.training.processes.group import Group
from netwright.value import Value


class Written(Engine, Value, eq=False):
    """A line of kernels, bound to each batch size when it first occurs: an epoch has few sizes.

    Fields: `autograd` runs the same plan, to find the part and example that are not finite.
    """

    line: StraightPlan
    flat: Flat
    autograd: Autograd
    group: Group
    chains: dict[int, KernelChain] = field(default_factory=dict[int, KernelChain])

    @classmethod
    def of(cls, plan: Plan, autograd: Autograd) -> "Written | None":
        """The engine of a plan, if every leaf of it has a kernel and it runs on a processor."""
        flat = autograd.flat
        line = line_of(plan, autograd.bound.program, flat)
        if (
            flat.master.device.type != "cpu"
            or line is None
            or chain(line, flat, autograd.precision, autograd.seed, 1) is None
        ):
            return None
        return cls(line, flat, autograd, autograd.group)

    def gradient(self, batch: Batch, step: int) -> float:
        flat, line = self.flat, self.line
        flat.refresh()
        part = self.group.part(batch)
        own = part.batch
        bound = self.chains.get(own.size) or self._bind(own.size)
        bound.now.step, bound.now.examples = step, own.examples
        loss = bound.gradient(own.inputs[line.input], own.inputs[line.target], own.weights)
        if part.share != 1:
            flat.gradient.mul_(part.share)
        loss = over_processes(self.group, flat, loss * part.share)
        # some kernels treat NaN as 0, so a finite loss does not show that the gradient is finite
        return loss if finite([flat.gradient]) else math.nan

    def broken(self) -> str | None:
        return self.autograd.broken()

    def culprit(self, batch: Batch, step: int) -> Culprit | None:
        return self.autograd.culprit(batch, step)

    def release(self) -> None:
        self.chains.clear()

    def _bind(self, size: int) -> KernelChain:
        made = chain(self.line, self.flat, self.autograd.precision, self.autograd.seed, size)
        assert made is not None  # every leaf has a kernel at one batch size, so at all
        return self.chains.setdefault(size, made)
