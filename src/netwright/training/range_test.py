"""A range test of the learning rate: what it asks for, the curve that it gives, and the rate that follows from it."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from netwright.errors import TrainingError
from netwright.fields import checked
from netwright.value import Value

RATE, TESTED = "learning rate", "range test"  # choices
AROUND = 6  # steps on each side over which the curve is smoothed
PART = 10  # of the highest rate at which the loss is still low, the rate that is chosen
FELL = 0.01  # of the loss before the test; if the loss falls by less, the test tells nothing
SHOWN = 9  # lines of the curve in a text


class RangeTest(Value):
    """Lets a run find its learning rate: a short trial, in which the rate goes up from step to step.

    The trial begins with the weights of the run, and afterwards the weights are as they were. Its rates are

        αᵢ = α · lowest · (highest / lowest)^(i / (steps − 1)),    α = the rate that the optimizer has without a test.

    The loss falls while the rate is useful, and rises when steps become too large. Each loss is compared with the loss
    of the untrained weights on the same batch, so that easy and hard batches do not hide this. The rate of the run is a
    tenth of the highest one at which the loss, smoothed over 13 steps, has made less than half of its way back up.

    The trial depends on the seed, not on a clock. `run.rate_range` has its curve, and so has the page of the run. A run
    that goes on in a folder, and `nw.replay`, take the rate over without another trial.

    Fields:
        steps: of the trial; 100, as fastai has it. Each computes two gradients.
        lowest, highest: the first rate and the last, as parts of the optimizer's own; 1e-4 and 1,000.

    Raises: TrainingError for fewer than 20 steps, and for rates that do not go up.

    Example:
        >>> import netwright as nw
        >>> xs = [x / 50 - 1 for x in range(100)]
        >>> net = nw.Chain(16, nw.tanh, nw.Linear(), input=nw.Number(), output=nw.Number())
        >>> data = (xs, [x * x for x in xs])
        >>> run = nw.train(net, data, learning_rate=nw.RangeTest(), epochs=20, progress=False)
        >>> 0.001 < run.rate_range.rate < 1
        True

    Source: Smith 2017, "Cyclical Learning Rates for Training Neural Networks", arXiv 1506.01186
    """

    steps: int = 100
    lowest: float = 1e-4
    highest: float = 1e3

    def __post_init__(self) -> None:
        if type(self.steps) is int and self.steps < 20:
            raise TrainingError(
                what="a range test has at least 20 steps",
                where="RangeTest",
                got=f"steps={self.steps}",
                mend="steps=100",
            )
        if not 0 < self.lowest < self.highest < math.inf:
            raise TrainingError(
                what="the rates of a range test go up",
                where="RangeTest",
                expected="0 < lowest < highest",
                got=f"lowest={self.lowest:g}, highest={self.highest:g}",
            )

    def rates(self, own: float) -> list[float]:
        """The rate of every step, where the optimizer's own rate is this one."""
        ratio = self.highest / self.lowest
        return [own * self.lowest * ratio ** (step / (self.steps - 1)) for step in range(self.steps)]


RangeTest.__init__ = checked(RangeTest.__init__)


class RateRange(Value):
    """What a range test has found.

    Fields:
        rate: that the run has.
        why: this one.
        rates: of the steps of the trial; fewer than it was to have if the loss went up without limit.
        losses: of the steps, each before its update.
        before: the losses of the untrained weights on the same batches.
    """

    rate: float
    why: str
    rates: tuple[float, ...]
    losses: tuple[float, ...]
    before: tuple[float, ...]

    @classmethod
    def of(cls, known: Mapping[str, Any]) -> "RateRange":
        """From its fields as JSON holds them."""
        curves = {name: tuple[float, ...](known[name]) for name in ("rates", "losses", "before")}
        return cls(known["rate"], known["why"], **curves)

    @property
    def extent(self) -> str:
        """How many steps it made, at which rates."""
        rates = f", from {self.rates[0]:.2g} to {self.rates[-1]:.2g}" if self.rates else ""
        return f"{len(self.rates)} steps{rates}"

    @property
    def curve(self) -> tuple[float, ...]:
        """The loss at each rate, smoothed, and without what makes one batch easier than another."""
        return smoothed_losses(self.losses, self.before)

    def __repr__(self) -> str:
        lines = [f"RateRange: {self.rate:.3g}, {self.why}"]
        if self.rates:
            places = [round(i * (len(self.rates) - 1) / (SHOWN - 1)) for i in range(SHOWN)]
            lines += ["  rate      loss", *(f"  {self.rates[i]:<8.2g}  {self.curve[i]:.4g}" for i in places)]
        return "\n".join(lines)


def smoothed_losses(losses: Sequence[float], before: Sequence[float]) -> tuple[float, ...]:
    """The mean loss before, changed as the losses around a step differ from those before, relative to their size."""
    mean, size = (sum(values) / max(len(before), 1) for values in (before, map(abs, before)))
    found: list[float] = []
    for step in range(len(losses)):
        near = slice(max(step - AROUND, 0), step + AROUND + 1)
        here, there = losses[near], before[near]
        change = math.fsum(a - b for a, b in zip(here, there, strict=True))
        found.append(mean + size * change / (math.fsum(map(abs, there)) or 1.0))
    return tuple(found)


def rate_found(own: float, rates: Sequence[float], losses: Sequence[float], before: Sequence[float]) -> RateRange:
    """The rate that follows from the losses of a trial."""

    def found(rate: float, why: str) -> RateRange:
        return RateRange(rate, why, tuple(rates), tuple(losses), tuple(before))

    curve = smoothed_losses(losses, before)
    size = sum(map(abs, before)) / max(len(before), 1)
    if not curve or curve[0] - min(curve) <= FELL * size:
        return found(own, "the optimizer's own, since the loss fell at none of the rates")
    half = (curve[0] + min(curve)) / 2
    edge = max(step for step, loss in enumerate(curve) if loss <= half)
    risen = "before the loss had risen halfway again" if edge + 1 < len(curve) else "of the test"
    return found(rates[edge] / PART, f"a tenth of {rates[edge]:.3g}, the highest rate {risen}")
