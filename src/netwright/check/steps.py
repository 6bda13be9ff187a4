"""Compares a net that is fed piece by piece with the same net fed at once, and finds the part at which they differ."""

from collections.abc import Sequence

import torch
from torch import Tensor

from netwright.check.batches import CLOSE, BatchDifference, shown_path
from netwright.check.cases import CaseBatch, Cases
from netwright.net.plan.each import EachEntry
from netwright.net.plan.wiring import Slot
from netwright.net.run.assemble import program_of
from netwright.net.run.context import RunContext
from netwright.sizes.size import Expression, names
from netwright.sizes.unify import Row, Shape
from netwright.stepping.step_net import StepNet


class Pieces:
    """A net along one size of its inputs: whole, and as its step net."""

    def __init__(self, cases: Cases, along: str) -> None:
        self.cases, self.plan, self.along = cases, cases.plan, along
        self.net = cases.net.to(dtype=torch.float64)
        self.stepping = StepNet(self.net, along)

    @property
    def longest(self) -> CaseBatch:
        """The example with the most elements, alone."""
        whole = self.cases.batch(torch.arange(len(self.cases), device="cpu"))
        return self.cases.alone(int(whole.lengths[self.along].argmax()))

    def difference(self) -> BatchDifference | None:
        """The first way to cut the longest example whose result differs from the result at once."""
        batch = self.longest
        size = int(batch.lengths[self.along].max())
        slots = [slot for _, slot in self.plan.wiring.outputs]
        whole = self._whole(batch, slots)
        stepped = dict(self.stepping.plan.wiring.outputs)
        own = [stepped[name] for name in self.stepping.names]
        for cut in cuts(size):
            made = self._pieces(batch, own, slots, cut)
            by = max(_apart(a, b) for a, b in zip(made, whole, strict=True))
            if by:
                text = f"in pieces of {', '.join(map(str, cut))}"
                return BatchDifference("the outputs differ", by, self._place(batch, cut), text)
        return None

    def _place(self, batch: CaseBatch, cut: Sequence[int]) -> str:
        """The path of the first part that gives something else."""
        makes = {slot for step in self.stepping.plan.steps for slot in step.writes}
        steps = [s for s in self.plan.steps if not s.within and not isinstance(s.leaf, EachEntry)]
        slots = [slot for step in steps for slot in step.writes if slot in makes]
        made = self._pieces(batch, slots, slots, cut)
        for slot, mine, theirs in zip(slots, made, self._whole(batch, slots), strict=True):
            if _apart(mine, theirs):
                return shown_path(slot[0])
        return "the outputs"

    def _whole(self, batch: CaseBatch, slots: Sequence[Slot]) -> list[Tensor]:
        bound = program_of(self.plan, slots).bind(self.net.held.arrays)
        with torch.no_grad():
            return list(bound(batch.inputs, RunContext()))

    def _pieces(
        self, batch: CaseBatch, slots: Sequence[Slot], like: Sequence[Slot], cut: Sequence[int]
    ) -> list[Tensor]:
        """The values of the step net, those with positions put together again, of others the last."""
        outputs = dict(self.stepping.plan.wiring.outputs)
        states = self.stepping.states
        wanted = [*slots, *(outputs[name] for name in states)]
        bound = program_of(self.stepping.plan, wanted).bind(self.stepping.step.held.arrays)
        found: list[list[Tensor]] = [[] for _ in slots]
        state: dict[str, Tensor] = {}
        first = 0
        for size in cut:
            inputs = {port: self._part(port, x, first, size) for port, x in batch.inputs.items()}
            with torch.no_grad():
                values = bound({**inputs, **state}, RunContext())
            state = dict(zip(states, values[len(slots) :], strict=True))
            for pieces, value in zip(found, values, strict=False):
                pieces.append(value)
            first += size
        axes = [self._axis(self.plan.shape(slot)) for slot in like]
        return [torch.cat(p, axis) if axis else p[-1] for p, axis in zip(found, axes, strict=True)]

    def _part(self, port: str, x: Tensor, first: int, size: int) -> Tensor:
        axis = self._axis(self.plan.inputs[port])
        return x.narrow(axis, first, size) if axis else x

    def _axis(self, shape: Shape) -> int:
        """The axis of a batch that moves; 0 where none does."""
        sizes = enumerate(shape, 1)
        return next((i for i, s in sizes if isinstance(s, Expression | Row) and self._moves(s)), 0)

    def _moves(self, size: Expression | Row) -> bool:
        return isinstance(size, Expression) and self.along in names(size)


def cuts(size: int) -> list[tuple[int, ...]]:
    """Ways to cut a sequence: one by one, unevenly, not at all."""
    uneven = tuple(piece for piece in (2, 1, size - 3) if piece > 0) if size > 3 else ()
    return list(dict.fromkeys([(1,) * size, *([uneven] if uneven else []), (size,)]))


def _apart(mine: Tensor, theirs: Tensor) -> float:
    """How far two values are apart; 0 if the difference is only rounding."""
    if mine.shape != theirs.shape:
        return float("inf")
    scale = max(1.0, float(theirs.abs().max())) if theirs.numel() else 1.0
    by = float((mine - theirs).abs().max()) if theirs.numel() else 0.0
    return by if not by <= CLOSE * scale else 0.0
