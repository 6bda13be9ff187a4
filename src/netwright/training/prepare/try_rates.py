"""Runs a range test on the weights of a run before its first step, and leaves everything as it was."""

import math
from collections.abc import Iterable, Mapping, Sequence

import torch
from torch import Tensor

from netwright.training.batch import Batch
from netwright.training.engines.engine import Engine
from netwright.training.prepare.shaping import Shaping
from netwright.training.range_test import RangeTest, RateRange, rate_found
from netwright.training.updates import Update

ROSE = 4  # times the mean loss before: where the loss is so much higher than before, the trial ends


class TrialSteps:
    """Steps on the weights of a run, which can be undone.

    Fields: those of a prepared run; `others` are the arrays that no gradient trains.
    """

    def __init__(
        self, engine: Engine, shaping: Shaping, updates: Sequence[Update], others: Mapping[str, Tensor]
    ) -> None:
        self.engine, self.shaping, self.updates, self.others = engine, shaping, updates, others
        self.begin = self._arrays()
        self.states = [update.state() for update in updates]

    def loss_before(self, batch: Batch, step: int) -> float:
        """The loss of a batch with the weights from which the run begins."""
        now = self._arrays()
        self._put(self.begin)
        loss = self.loss(batch, step)
        self._put(now)
        return loss

    def loss(self, batch: Batch, step: int) -> float:
        """The loss of a batch, whose gradient the next step reads."""
        return self.engine.gradient(batch, step) + self.shaping(self.engine)

    def step(self, rate: float) -> None:
        """Change the weights by the gradient that was computed last."""
        with torch.no_grad():
            for update in self.updates:
                update(rate)

    def undo(self) -> None:
        """Leave everything as it was before the trial."""
        self._put(self.begin)
        for update, state in zip(self.updates, self.states, strict=True):
            update.restore(state)

    def _arrays(self) -> list[Tensor]:
        return [array.clone() for array in (self.engine.flat.master, *self.others.values())]

    def _put(self, arrays: Sequence[Tensor]) -> None:
        with torch.no_grad():
            for array, value in zip((self.engine.flat.master, *self.others.values()), arrays, strict=True):
                array.copy_(value)


def rate_range_of(trial: TrialSteps, test: RangeTest, batches: Iterable[Batch], own: float) -> RateRange:
    """Make the steps of a range test. It ends early where a loss is not finite or much higher than before.

    Fields:
        batches: at least as many as the test has steps.
        own: the rate that the optimizer has without a test.
    """
    rates, losses, before = list[float](), list[float](), list[float]()
    try:
        for step, (rate, batch) in enumerate(zip(test.rates(own), batches, strict=False)):
            known, loss = trial.loss_before(batch, step), trial.loss(batch, step)
            if not (math.isfinite(known) and math.isfinite(loss)):
                break
            rates, losses, before = [*rates, rate], [*losses, loss], [*before, known]
            if loss - known > ROSE * sum(map(abs, before)) / len(before):
                break
            trial.step(rate)
    finally:
        trial.undo()
    return rate_found(own, rates, losses, before)
