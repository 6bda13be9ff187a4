"""How the learning rate goes over a run: a factor for every step."""

import math
from abc import ABC, abstractmethod

from netwright import elsewhere
from netwright.errors import TrainingError, did_you_mean
from netwright.fields import checked
from netwright.value import Value


class Schedule(ABC):
    """A factor of the peak learning rate for each step of a run."""

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        cls.__init__ = checked(cls.__init__)

    @abstractmethod
    def factor(self, step: int, steps: int) -> float:
        """The factor at step 0 … steps − 1."""


class ConstantRate(Schedule, Value):
    """The same rate at every step."""

    def factor(self, step: int, steps: int) -> float:
        return 1.0


class WarmupStableDecay(Schedule, Value):
    """Up along a line to the peak, the peak for most of the run, then down along a line to almost nothing.

    Most steps are made at the peak rate, so that a run of few epochs comes as far as one at a constant rate; the decay
    then settles the weights.

    Fields:
        warmup: the part of the run that goes up; 0.05, since the first steps of Adam know little of the gradients.
        decay: the part of the run that goes down; 0.2, as in the second source.
        start: first factor; 1/25, as of one cycle.
        end: last factor; 1/10,000: the last steps only settle.

    Source: Hu et al. 2024, "MiniCPM", arXiv 2404.06395; Hägele et al. 2024, "Scaling Laws and Compute-Optimal Training
        Beyond Fixed Training Durations", arXiv 2405.18392
    """

    warmup: float = 0.05
    decay: float = 0.2
    start: float = 0.04
    end: float = 1e-4

    def factor(self, step: int, steps: int) -> float:
        up, down = self.warmup * steps, (1 - self.decay) * steps - 1
        if step < up:
            return self.start + (1 - self.start) * step / up
        return 1.0 if step <= down else 1 - (1 - self.end) * (step - down) / (steps - 1 - down)


class OneCycle(Schedule, Value):
    """Up along a cosine to the peak, then down to almost nothing.

    Fields:
        warmup: the part of the run that goes up; 0.3, as in the source.
        start: first factor; 1/25, as in the source.
        end: last factor; 1/10,000: the last steps only settle.

    Source: Smith and Topin 2018, "Super-Convergence", arXiv 1708.07120
    Torch: torch.optim.lr_scheduler.OneCycleLR
    """

    warmup: float = 0.3
    start: float = 0.04
    end: float = 1e-4

    def factor(self, step: int, steps: int) -> float:
        peak = self.warmup * steps - 1
        if step < peak:
            return _between(self.start, 1.0, step / peak)
        return _between(1.0, self.end, (step - peak) / max(steps - 1 - peak, 1e-9))


class CosineDecay(Schedule, Value):
    """Down along a half cosine from the peak to `end`. Source: Loshchilov and Hutter 2017, arXiv 1608.03983."""

    end: float = 0.0

    def factor(self, step: int, steps: int) -> float:
        return _between(1.0, self.end, step / max(steps - 1, 1))


class StepDecay(Schedule, Value):
    """Multiplied by `factor_each` at each of these parts of the run."""

    at: tuple[float, ...] = (0.5, 0.75)
    factor_each: float = 0.1

    def factor(self, step: int, steps: int) -> float:
        return self.factor_each ** sum(step >= part * steps for part in self.at)


SCHEDULES: dict[str, Schedule] = {
    "warmup-stable-decay": WarmupStableDecay(),
    "one-cycle": OneCycle(),
    "constant": ConstantRate(),
    "cosine": CosineDecay(),
    "step": StepDecay(),
}


def schedule_of(given: object) -> Schedule:
    """The schedule for a name; a schedule itself is returned unchanged."""
    if isinstance(given, Schedule):
        return given
    if not isinstance(given, str) or given not in SCHEDULES:
        near = did_you_mean(given, SCHEDULES) if isinstance(given, str) else ""
        raise TrainingError(
            what=f"there is no schedule {given!r}",
            where="schedule",
            expected=f"one of {', '.join(SCHEDULES)}, or a value such as nw.OneCycle(warmup=0.1)",
            mend=elsewhere.schedule(given) or near or (),
        )
    return SCHEDULES[given]


def _between(first: float, last: float, part: float) -> float:
    return last + (first - last) * (1 + math.cos(math.pi * part)) / 2
