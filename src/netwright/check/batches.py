"""Compares batches with their examples run alone, values and gradients, and finds the part at which they differ."""

from collections.abc import Sequence
from typing import TypeAlias

import torch
from torch import Tensor

from netwright.check.cases import FILLS, MORE, CaseBatch, Cases, Fill, case_lengths, real
from netwright.machine import ready_for_directions
from netwright.net.names import SHARED
from netwright.net.plan.each import EachEntry, user_path
from netwright.net.plan.plan import Plan
from netwright.net.plan.wiring import Slot
from netwright.net.run.assemble import program_of
from netwright.net.run.context import RunContext
from netwright.net.run.execute import Bound
from netwright.net.run.noise import Noise
from netwright.value import Value

CLOSE = 1e-10  # in float64, of the largest number of a value


class BatchDifference(Value):
    """A difference: which value, by how much, at which part, and in which batch."""

    what: str
    by: float
    place: str
    batch: str

    def __str__(self) -> str:
        return f"{self.what} by {self.by:.3g}, {self.batch}"


class Outcome(Value):
    """The values of a batch; `real` marks those that are not padding."""

    batch: CaseBatch
    values: tuple[Tensor, ...]
    real: tuple[Tensor, ...]
    inputs: dict[str, Tensor]
    arrays: dict[str, Tensor]
    updates: dict[str, Tensor]


Found: TypeAlias = tuple[str, float] | None


class BatchTrial:
    """One net on its examples, in use or in training."""

    def __init__(self, cases: Cases, training: bool) -> None:
        self.cases, self.plan, self.training = cases, cases.plan, training
        self.slots = [slot for _, slot in self.plan.wiring.outputs]
        specs = self.plan.arrays
        self.learned = [path for path, spec in specs.items() if spec.weight.kind == "learned"]
        self.statistics = training and any(spec.weight.kind == "running" for spec in specs.values())

    def difference(self) -> BatchDifference | None:
        """The first batch whose examples differ from the same examples run alone. If a norm takes statistics of the
        batch, the first batch that differs from itself with less padding."""
        reference = self._references(self.slots)
        more = self._more()
        for fill in FILLS if self.cases.varying or more else FILLS[:1]:
            found = self._compared(reference, fill, more, self.slots, grads=True)
            if found is not None:
                what, by = found
                text = f"in {'training' if self.training else 'use'}, {self._said(fill, more)}"
                return BatchDifference(what, by, self._place(what, fill, more), text)
        return None

    def run(self, batch: CaseBatch, slots: Sequence[Slot], grads: bool = False) -> Outcome:
        """Values, and if they are wanted the gradients of a fixed weighted sum of them."""
        held = {path: a.double() if a.is_floating_point() else a for path, a in self.cases.net.held.arrays.items()}
        arrays = {p: a.clone().requires_grad_(grads and p in self.learned) for p, a in held.items()}
        inputs = {p: x.clone().requires_grad_(grads and x.is_floating_point()) for p, x in batch.inputs.items()}
        context = self.context(batch)
        bound: Bound = program_of(self.plan, slots).bind(arrays)
        with torch.set_grad_enabled(grads):
            values = bound(inputs, context)
        shown = tuple(real(self.plan, self.plan.whole_shape(s), v, batch) for s, v in zip(slots, values, strict=True))
        return Outcome(batch, values, shown, inputs, {p: arrays[p] for p in self.learned}, context.updates)

    def context(self, batch: CaseBatch) -> RunContext:
        """The context of a run."""
        noise = Noise(0, 0, batch.ids) if self.training else None
        return RunContext(self.training, noise, len(batch), lengths=case_lengths(self.plan, batch))

    def _references(self, slots: Sequence[Slot], grads: bool = True) -> list[Outcome]:
        """The values that batches are compared with: every example alone, or all of them with the least padding."""
        if self.statistics:
            return [self.run(self.cases.together(FILLS[0]), slots, grads)]
        return [self.run(self.cases.alone(i), slots, grads) for i in range(len(self.cases))]

    def _more(self) -> int:
        """How much longer than its longest example a batch is made: as much as the net takes."""
        try:
            self.run(self.cases.together(FILLS[0], MORE), self.slots)
        except Exception:  # learned positions end somewhere, and a user's code may raise anything
            return 0
        longer, plain = self.cases.together(FILLS[0], MORE), self.cases.together(FILLS[0])
        return MORE if any(x.shape != plain.inputs[port].shape for port, x in longer.inputs.items()) else 0

    def _said(self, fill: Fill, more: int) -> str:
        if not (self.cases.varying or more):
            return "beside other examples"
        what = "examples" if self.statistics else "an example alone and"
        return f"{what} padded with {fill}"

    def _compared(
        self, references: Sequence[Outcome], fill: Fill, more: int, slots: Sequence[Slot], grads: bool
    ) -> Found:
        whole = self.run(self.cases.together(fill, more), slots, grads)
        first = 0
        directions = [_directions(outcome, at) for at, outcome in enumerate(references)]
        for outcome in references:
            for mine, theirs, mask in zip(whole.values, outcome.values, outcome.real, strict=True):
                by = _apart(_block(mine, first, theirs), theirs, mask)
                if by:
                    return "the outputs differ", by
            first += len(outcome.batch)
        for path, new in whole.updates.items():
            if by := _apart(new, references[0].updates[path], torch.ones_like(new, dtype=torch.bool)):
                return f"the running {path} differs", by
        return _gradients_apart(self.plan, whole, references, directions) if grads else None

    def _place(self, what: str, fill: Fill, more: int) -> str:
        """The path of the first part at which the batch goes wrong."""
        slots = [slot for step in self.plan.steps if not isinstance(step.leaf, EachEntry) for slot in step.writes]
        if what.startswith("the gradient"):
            return self._gradient_place(fill, more)
        whole = self.run(self.cases.together(fill, more), slots)
        references = self._references(slots, grads=False)
        for at, slot in enumerate(slots):
            first = 0
            for outcome in references:
                theirs = outcome.values[at]
                if _apart(_block(whole.values[at], first, theirs), theirs, outcome.real[at]):
                    return shown_path(slot[0])
                first += len(outcome.batch)
        return shown_path(self.slots[0][0])

    def _gradient_place(self, fill: Fill, more: int) -> str:
        """The last part whose output has the right gradient, and something before it has not."""
        steps = [step for step in self.plan.steps if not step.within and not isinstance(step.leaf, EachEntry)]
        slots = list(dict.fromkeys([*self.slots, *(slot for step in steps for slot in step.writes)]))
        whole = self.run(self.cases.together(fill, more), slots, grads=True)
        references = self._references(slots)
        count = len(self.slots)
        directions = [_directions(outcome, at, count) for at, outcome in enumerate(references)]
        mine = _flowing(whole, _placed(whole, references, directions), slots)
        theirs = [_flowing(one, given, slots) for one, given in zip(references, directions, strict=True)]
        for step in reversed(steps):
            wrong = False
            for slot in step.writes:
                at, first = slots.index(slot), 0
                for outcome, own in zip(references, theirs, strict=True):
                    wrong |= bool(_apart(_block(mine[at], first, own[at]), own[at], outcome.real[at]))
                    first += len(outcome.batch)
            if wrong:
                readers = (one.path for one in self.plan.steps if not one.within and {*one.reads} & {*step.writes})
                return shown_path(next(readers, step.path))
        return shown_path(steps[0].path)


def shown_path(path: str) -> str:
    """A path as users know it: the far end of a `Map` is the `Map`."""
    return user_path(path) or "the net"


def _block(x: Tensor, first: int, like: Tensor) -> Tensor:
    """The rows of some examples, as long as they are."""
    return x[(slice(first, first + len(like)), *(slice(size) for size in like.shape[1:]))]


def _apart(mine: Tensor, theirs: Tensor, mask: Tensor) -> float:
    """How far two values are apart where they are real; 0 if the difference is only rounding."""
    if mine.shape != theirs.shape:
        return float("inf")
    if not mask.any():
        return 0.0
    one, other = mine.detach()[mask].double(), theirs.detach()[mask].double()
    same = (one == other) | (one.isnan() & other.isnan())
    by = torch.where(same, 0.0, (one - other).abs()).max()
    finite = other[other.isfinite()].abs()
    scale = max(1.0, float(finite.max()) if len(finite) else 1.0)
    return float("inf") if by.isnan() else float(by) if by > CLOSE * scale else 0.0


def _directions(outcome: Outcome, at: int, count: int | None = None) -> list[Tensor | None]:
    """What every output is multiplied with in the sum whose gradients are compared."""
    found: list[Tensor | None] = []
    for k, (value, mask) in enumerate(zip(outcome.values[:count], outcome.real, strict=False)):
        if not value.requires_grad:
            found.append(None)
            continue
        generator = torch.Generator().manual_seed(1000 * at + k)
        found.append(torch.randn(value.shape, generator=generator, dtype=torch.float64, device="cpu") * mask)
    return found


def _placed(
    whole: Outcome, parts: Sequence[Outcome], directions: Sequence[Sequence[Tensor | None]]
) -> list[Tensor | None]:
    """The directions of the examples in the places where they stand in the batch."""
    found: list[Tensor | None] = []
    for k in range(len(directions[0])):
        value, first = whole.values[k], 0
        placed = torch.zeros_like(value) if value.requires_grad else None
        for part, given in zip(parts, directions, strict=True):
            one = given[k]
            if placed is not None and one is not None:
                _block(placed, first, one).copy_(one)
            first += len(part.batch)
        found.append(placed)
    return found


def _gradients(outcome: Outcome, directions: Sequence[Tensor | None], of: Sequence[Tensor]) -> list[Tensor]:
    """The gradients of the sum; zeros for tensors that it does not depend on."""
    pairs = [(v, d) for v, d in zip(outcome.values, directions, strict=False) if d is not None and v.requires_grad]
    wanted = [x for x in of if x.requires_grad]
    if not pairs or not wanted:
        return [torch.zeros_like(x) for x in of]
    values, along = zip(*pairs, strict=True)
    ready_for_directions()
    found = torch.autograd.grad(values, wanted, along, allow_unused=True, retain_graph=True)
    by = {id(x): g for x, g in zip(wanted, found, strict=True)}
    return [torch.zeros_like(x) if by.get(id(x)) is None else by[id(x)] for x in of]  # pyright: ignore


def _flowing(outcome: Outcome, directions: Sequence[Tensor | None], slots: Sequence[Slot]) -> list[Tensor]:
    """The gradient of the sum at every value; zeros for values that it does not depend on."""
    return _gradients(outcome, directions, outcome.values[: len(slots)])


def _gradients_apart(
    plan: Plan, whole: Outcome, parts: Sequence[Outcome], directions: Sequence[Sequence[Tensor | None]]
) -> Found:
    paths, ports = list(whole.arrays), list(whole.inputs)
    mine = _gradients(whole, _placed(whole, parts, directions), [*whole.arrays.values(), *whole.inputs.values()])
    theirs = [
        _gradients(one, given, [*one.arrays.values(), *one.inputs.values()])
        for one, given in zip(parts, directions, strict=True)
    ]
    for k, path in enumerate(paths):
        total = torch.stack([own[k] for own in theirs]).sum(0)
        if by := _apart(mine[k], total, torch.ones_like(total, dtype=torch.bool)):
            return f"the gradient of {path.removeprefix(SHARED)} differs", by
    for k, port in enumerate(ports, len(paths)):
        first = 0
        for part, own in zip(parts, theirs, strict=True):
            mask = real(plan, plan.inputs[port], own[k], part.batch)
            if by := _apart(_block(mine[k], first, own[k]), own[k], mask):
                return f"the gradient at input {port!r} differs", by
            first += len(part.batch)
        behind = ~real(plan, plan.inputs[port], mine[k], whole.batch)
        if by := _apart(mine[k], torch.zeros_like(mine[k]), behind):
            return f"the gradient behind the ends of input {port!r} is not zero", by
    return None
