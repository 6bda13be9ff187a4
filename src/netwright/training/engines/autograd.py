"""The engine for any plan: it runs the plan on a working copy of the weights, and autograd computes the gradient."""

import math
from collections.abc import Collection, Mapping
from dataclasses import field

import torch
from torch import Tensor

from netwright.net.plan.plan import Plan
from netwright.net.run.assemble import program_of
from netwright.net.run.context import RunContext
from netwright.net.run.execute import Bound
from netwright.net.run.noise import Noise
from netwright.training import culprit
from netwright.training.batch import Batch
from netwright.training.culprit import Culprit, naming_rows
from netwright.training.engines.engine import (
    Engine,
    Turn,
    arrays_in_float32,
    lowered,
    over_processes,
    refuse_no_gradient,
    steady_parts,
    total,
)
from netwright.training.engines.flat import Flat
from netwright.training.processes.group import Group, OverProcesses
from netwright.value import Value


class Autograd(Engine, Value, eq=False):
    """A plan that ends in losses, bound to the flat weights of a run.

    `parameters` share memory with the working copy in the run's precision; leaves that need at least float32 read the
    master weights themselves. `running` arrays are written after each step, never inside it. Parts at the paths of
    `steady` compute as in use.
    """

    bound: Bound
    flat: Flat
    parameters: list[Tensor]
    gradients: list[Tensor]
    running: Mapping[str, Tensor]
    precision: torch.dtype | None
    seed: int
    group: Group = field(default_factory=Group)
    steady: Collection[str] = ()

    @classmethod
    def of(
        cls,
        plan: Plan,
        flat: Flat,
        rest: Mapping[str, Tensor],
        precision: torch.dtype | None,
        seed: int,
        frozen: Collection[str] = (),
        group: Group | None = None,
        turn: Turn | None = None,
    ) -> "Autograd":
        """The engine of a plan; `rest` holds arrays without gradients, `frozen` names those that never change.

        With a `turn` only its arrays have a gradient, that of its loss.
        """
        exact = arrays_in_float32(plan)
        parameters = {
            path: flat.view(flat.master if path in exact else flat.working, path).detach() for path in flat.spans
        }
        trained = [*flat.spans] if turn is None else [*turn.paths]
        kinds = {path: spec.weight.kind for path, spec in plan.arrays.items()}
        running = {path: array for path, array in rest.items() if kinds[path] == "running" and path not in frozen}
        fixed = {
            path: array if path in running or path in exact else lowered(array, precision)
            for path, array in rest.items()
        }
        wanted = [slot for _, slot in plan.wiring.outputs] if turn is None else [turn.slot]
        learned = [parameters[path].requires_grad_() for path in trained]
        bound = program_of(plan, wanted).bind({**fixed, **parameters})
        gradients = [flat.view(flat.gradient, path) for path in trained]
        steady = steady_parts(plan, frozen)
        return cls(bound, flat, learned, gradients, running, precision, seed, group or Group(), steady)

    def gradient(self, batch: Batch, step: int) -> float:
        self.flat.refresh()
        part = self.group.part(batch)
        context = self._context(part.batch, step, part.over_processes)
        with torch.enable_grad():
            with naming_rows(part.batch.examples):
                losses = self.bound(part.batch.inputs, context)
            loss = total(losses, part.batch.weights)
            if part.share != 1:
                loss = loss * part.share
            refuse_no_gradient(loss)
            grads = torch.autograd.grad(loss, self.parameters, materialize_grads=True)
        with torch.no_grad():
            torch._foreach_copy_(self.gradients, grads)  # pyright: ignore[reportPrivateUsage, reportPrivateImportUsage]
            found = over_processes(self.group, self.flat, loss.item())
            sick = not culprit.finite([self.flat.gradient])
            if not math.isfinite(found) or sick:  # a step that is not made leaves running arrays as they are
                return math.nan if sick else found
            for path, value in context.updates.items():
                if path in self.running:
                    self.running[path].copy_(value)
        return found

    def broken(self) -> str | None:
        if culprit.finite([self.flat.master]) and culprit.finite(self.running.values()):
            return None
        return culprit.first_broken({**self.flat.views(self.flat.master), **self.running})

    def culprit(self, batch: Batch, step: int) -> Culprit | None:
        broken = self.broken()
        if broken is not None:
            return Culprit("weights", broken)
        self.flat.refresh()
        batch = self.group.part(batch).batch
        context = self._context(batch, step)  # no process waits for others here, since they find other parts
        return culprit.of_step(
            self.bound,
            batch.inputs,
            context,
            batch.examples,
            self.parameters,
            lambda losses: total(losses, batch.weights),
        )

    def _context(self, batch: Batch, step: int, summed: OverProcesses | None = None) -> RunContext:
        return RunContext(
            training=True,
            steady=self.steady,
            noise=Noise(self.seed, step, batch.examples),
            batch=batch.size,
            precision=self.precision,
            lengths=batch.lengths,
            over_processes=summed,
        )
