"""The engine of nets of known leaves: a few dozen torch calls a step, and no autograd."""

import math
from dataclasses import field

from netwright.net.plan.plan import Plan
from netwright.training.batch import Batch
from netwright.training.culprit import Culprit, finite
from netwright.training.engines.autograd import Autograd
from netwright.training.engines.engine import Engine, over_processes
from netwright.training.engines.flat import Flat
from netwright.training.engines.handwritten.body import Body, body_of
from netwright.training.engines.handwritten.graph import Builder, KernelGraph
from netwright.training.processes.group import Group
from netwright.value import Value


class Written(Engine, Value, eq=False):
    """A graph of kernels, bound to each batch size when it first occurs: an epoch has few sizes.

    Fields: `autograd` runs the same plan, to find the part and example that are not finite.
    """

    body: Body
    flat: Flat
    autograd: Autograd
    group: Group
    graphs: dict[int, KernelGraph] = field(default_factory=dict[int, KernelGraph])

    @classmethod
    def of(cls, plan: Plan, autograd: Autograd) -> "Written | None":
        """The engine of a plan, if every leaf of it has a kernel and it runs on a processor."""
        flat = autograd.flat
        body = body_of(plan, autograd.bound.program, flat.spans, autograd.running)
        if flat.master.device.type != "cpu" or body is None:
            return None
        if autograd.running and autograd.group.size > 1:  # statistics of the parts of all processes
            return None
        made = cls(body, flat, autograd, autograd.group)
        return None if made._built(1) is None else made

    def gradient(self, batch: Batch, step: int) -> float:
        flat, body = self.flat, self.body
        flat.refresh()
        part = self.group.part(batch)
        own = part.batch
        graph = self.graphs.get(own.size) or self._bind(own.size)
        graph.now.step, graph.now.examples = step, own.examples
        loss = graph.gradient(own.inputs, own.inputs[body.target], own.weights)
        if part.share != 1:
            flat.gradient.mul_(part.share)
        loss = over_processes(self.group, flat, loss * part.share)
        # some kernels treat NaN as 0, so a finite loss does not show that the gradient is finite
        if not finite([flat.gradient]):
            return math.nan
        if math.isfinite(loss):  # a step that is not made leaves running arrays as they are
            graph.settle()
        return loss

    def broken(self) -> str | None:
        return self.autograd.broken()

    def culprit(self, batch: Batch, step: int) -> Culprit | None:
        return self.autograd.culprit(batch, step)

    def release(self) -> None:
        self.graphs.clear()

    def _bind(self, size: int) -> KernelGraph:
        made = self._built(size)
        assert made is not None  # every leaf has a kernel at one batch size, so at all
        return self.graphs.setdefault(size, made)

    def _built(self, size: int) -> KernelGraph | None:
        autograd = self.autograd
        return Builder(self.body, self.flat, autograd.running, autograd.precision, autograd.seed, size).graph()
