"""The engine of a net whose parts learn in turn: one engine for each part, over the same weights."""

from collections.abc import Collection, Mapping, Sequence

import torch
from torch import Tensor

from netwright.errors import TrainingError
from netwright.net.plan.plan import Plan
from netwright.training.batch import Batch
from netwright.training.culprit import Culprit
from netwright.training.engines.autograd import Autograd
from netwright.training.engines.engine import Engine, Turn
from netwright.training.engines.flat import Flat
from netwright.training.processes.group import Group
from netwright.training.snapshot import Snapshot
from netwright.training.updates import Update


class Turns(Engine):
    """Step t computes the gradient of the part whose turn it is; that of all others is 0.

    Fields:
        turn: the number of the part that the last gradient was of.
    """

    def __init__(self, engines: Sequence[Autograd], turns: Sequence[Turn]) -> None:
        self.engines = engines
        self.flat, self.group = engines[0].flat, engines[0].group
        self.turns = turns
        self.turn = 0

    @classmethod
    def of(
        cls,
        plan: Plan,
        flat: Flat,
        rest: Mapping[str, Tensor],
        precision: torch.dtype | None,
        seed: int,
        frozen: Collection[str],
        group: Group | None,
        turns: Sequence[Turn],
    ) -> "Turns":
        """The engine of a plan; its arguments are those of `Autograd.of`.

        Raises: TrainingError for a loss that does not depend on its part.
        """
        engines = [Autograd.of(plan, flat, rest, precision, seed, frozen, group, turn) for turn in turns]
        for engine, turn in zip(engines, turns, strict=True):
            read = {id(array) for array in engine.bound.arrays()}
            if not any(id(array) in read for array in engine.parameters):
                raise TrainingError(
                    what="the loss of a part does not depend on it, so that the part cannot learn",
                    where="objective",
                    got=f"{turn.part!r}, which learns from {turn.loss!r}",
                )
        return cls(engines, turns)

    def gradient(self, batch: Batch, step: int) -> float:
        self.turn = step % len(self.engines)
        self.flat.gradient.zero_()
        return self.engines[self.turn].gradient(batch, step)

    def broken(self) -> str | None:
        return self.engines[0].broken()

    def culprit(self, batch: Batch, step: int) -> Culprit | None:
        return self.engines[step % len(self.engines)].culprit(batch, step)


class InTurn(Update):
    """An update of weights of one part, which makes a step in the turn of that part alone."""

    def __init__(self, update: Update, engine: Engine, turn: int) -> None:
        self.update, self.engine, self.turn = update, engine, turn

    def __call__(self, rate: float) -> None:
        if self.engine.turn == self.turn:
            self.update(rate)

    def state(self) -> Snapshot:
        return self.update.state()

    def fits(self, state: Snapshot) -> bool:
        return self.update.fits(state)

    def restore(self, state: Snapshot) -> None:
        self.update.restore(state)
