"""The status of a training loop, and the methods with which a callback follows it."""

import threading
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from typing import Any

from netwright.around import around
from netwright.errors import TrainingError
from netwright.net.part import Net
from netwright.value import Value

RATE_FACTOR = "rate factor"  # the choice that says that callbacks changed the rate


class Choice(Value):
    """One decision, with its reason: given by the user, or made automatically."""

    name: str  # "objective", "loss", "optimizer", "learning rate", "batch size", "batches", "precision", "device", …
    value: str
    why: str  # "given" where the user said it
    setting: Any = field(default=None, repr=False, compare=False)  # the chosen value, for a later run to use

    def __str__(self) -> str:
        return f"{self.name}: {self.value} ({self.why})"


class Epoch(Value):
    """One pass over the training data, and the validation figures after it."""

    number: int  # from 1
    loss: float  # mean training loss over the epoch, as the weights moved
    validation: Mapping[str, float]  # "loss", "error" of classes, and the measurements; empty where nothing is measured
    learning_rate: float  # at its end
    seconds: float  # of training, without validation
    examples_per_second: float
    step: int  # steps of the run at its end


@dataclass
class Status:
    """The state of a run. The loop writes it; callbacks read it, stop the run, change its rate, or get its net."""

    epochs: int  # planned
    steps: int  # planned, over all epochs
    batch_size: int
    examples: int  # in one epoch
    choices: tuple[Choice, ...]
    step: int = 0  # steps done
    seconds: float = 0.0  # since the first step, validation included
    loss: float = float("nan")  # running mean of the training loss, over about the last 50 steps
    learning_rate: float = float("nan")
    losses: list[float] = field(default_factory=list[float])  # training loss of every step
    learning_rates: list[float] = field(default_factory=list[float])  # of every step
    done: list[Epoch] = field(default_factory=list[Epoch])
    best: int = 0  # number of the epoch kept; 0 before the first
    ended: str = ""  # why the run ended; empty while it goes on
    final: bool = False  # whether it ended for good: the same call would do nothing more
    stopping: bool = False
    rate_factor: float = 1.0  # a callback may set it: the steps that follow have the rate of the schedule times this
    waiting: str = ""  # for what the run has waited long; empty while it goes on
    _giving: tuple[int, Callable[[], Net]] | None = field(default=None, init=False, repr=False, compare=False)

    @property
    def epoch(self) -> int:
        """The epoch that is running, from 1."""
        return min(len(self.done) + 1, self.epochs)

    @property
    def examples_per_second(self) -> float:
        """Training speed of the last epoch done, or so far."""
        if self.done:
            return self.done[-1].examples_per_second
        return self.step * self.batch_size / self.seconds if self.seconds else 0.0

    @property
    def seconds_left(self) -> float:
        """An estimate: the steps left at the pace so far."""
        return self.seconds / self.step * (self.steps - self.step) if self.step else float("nan")

    def net(self) -> Net:
        """The net as the run would give it back now; later steps do not change it.

        It has the user's codecs, fitted, and no loss. With `ema=` it holds the averages. Each call copies all arrays.

        Raises: TrainingError outside `on_step`, `on_epoch` and `on_end`: elsewhere a step may be half done.
        """
        thread, give = self._giving or (None, None)
        if give is None or thread != threading.get_ident():
            raise TrainingError(
                what="the net of a run is given within its callbacks only",
                where="status.net()",
                expected="a call in on_step, on_epoch or on_end, in the thread that calls them",
                mend=("keep what status.net() gave there", "run.net, when the run has ended"),
            )
        return give()

    @around
    def giving(self, give: Callable[[], Net]) -> Generator[None]:
        """Within, callbacks get the net from this function."""
        self._giving = threading.get_ident(), give
        try:
            yield
        finally:
            self._giving = None

    def stop(self) -> None:
        """Ask the run to end after this step; the best net so far is kept."""
        self.stopping = True


class Callback:
    """Follows a run. Override the methods of interest.

    `status.stop()` ends the run, `status.rate_factor = 0.5` halves the rate of the steps that follow, and
    `status.net()` is the net as it is now.
    """

    def on_step(self, status: Status) -> None:
        """After every step."""

    def on_epoch(self, status: Status) -> None:
        """After every epoch and its validation."""

    def on_wait(self, status: Status) -> None:
        """When the data gives nothing for a minute, as `status.waiting` says, and when it gives examples again.

        It is called in a thread of its own, and also before the first step, where examples are counted; `status.steps`
        is 0 then.
        """

    def on_end(self, status: Status) -> None:
        """When the run has ended, for any reason."""
