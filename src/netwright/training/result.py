"""The result of a training run as a value: the nets, every curve and every choice."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import field, replace
from typing import Any

from netwright.errors import TrainingError, did_you_mean
from netwright.net.compare import digest
from netwright.net.part import Net
from netwright.training.events import Choice, Epoch
from netwright.training.interrupts import held
from netwright.training.loop import Loop
from netwright.training.range_test import TESTED, RateRange
from netwright.training.start import Start, trained
from netwright.value import Value, few_lines

NOT_ENDED = "not ended"


class Run(Value, eq=False):
    """A finished training run.

    Fields:
        net: the net of the best validation epoch, or of the last epoch where nothing was validated; before the first
            epoch is done, `last`.
        last: the net after the last step; if its numbers are not finite, `net` again.
        epochs: every epoch with its losses.
        losses: the training loss of every step.
        choices: what was decided, and why.
        best: the number of the epoch that `net` is of.
        seconds: from the first step to the end.
        ended: why the run ended: "all epochs done", "interrupted", …
        start: what the run began with; None for a run that `train` did not make.
        varied: a few raw examples of each input that varies in training, by port, for the page of the run; none of a
            run that was read from a folder.
    """

    net: Net
    last: Net
    epochs: tuple[Epoch, ...]
    losses: tuple[float, ...]
    choices: tuple[Choice, ...]
    best: int
    seconds: float
    ended: str
    start: Start | None = None
    varied: Mapping[str, Sequence[Any]] = field(default_factory=dict[str, Sequence[Any]])

    def choice(self, name: str) -> Choice:
        """What was decided last under a name: `run.choice("batch size").setting` is the number.

        Raises: TrainingError for a name under which nothing was decided.
        """
        found = next((choice for choice in reversed(self.choices) if choice.name == name), None)
        if found is None:
            names = list(dict.fromkeys(choice.name for choice in self.choices))
            raise TrainingError(
                what=f"this run has no choice {name!r}",
                where="Run.choice",
                expected=", ".join(names),
                mend=did_you_mean(name, names),
            )
        return found

    @property
    def rate_range(self) -> RateRange | None:
        """What the range test of the learning rate has found; None for a run without one."""
        known = next((choice.setting for choice in self.choices if choice.name == TESTED), None)
        return None if known is None else RateRange.of(known)

    def __str__(self) -> str:
        """A line for each epoch."""
        lines = [f"Run: {_counted(len(self.epochs), 'epoch')} in {self.seconds:.1f} s, {self.ended}"]
        for epoch in self.epochs:
            measured = "".join(f", validation {name} {value:.4g}" for name, value in epoch.validation.items())
            mark = "  <- kept" if epoch.number == self.best else ""
            lines.append(f"  epoch {epoch.number}: loss {epoch.loss:.4g}{measured}{mark}")
        return "\n".join(lines)

    def __repr__(self) -> str:
        return few_lines(str(self))


def result_of(loop: Loop, start: Start | None = None) -> Run:
    """Run a loop to its end, and give its result. An error is raised again, with the result so far as `error.run`."""
    error: BaseException | None = None
    try:
        loop.run()
    except BaseException as raised:  # SystemExit too, so that the result so far is not lost
        error = raised
    with held() as deliver:
        run = run_so_far(loop, start)
    try:
        deliver()
    except BaseException as raised:
        error = raised
    if error is None:
        return run
    try:
        with suppress(AttributeError):  # if the error has a `run` that cannot be set, it is raised with that one
            object.__setattr__(error, "run", run)  # an error that is a frozen dataclass refuses `error.run = run`
        raise error
    finally:
        del error  # which holds this frame


def run_so_far(loop: Loop, start: Start | None = None) -> Run:
    """The run as it is now."""
    prepared, status = loop.prepared, loop.status
    kept, last = (prepared.holding(arrays, status.step) for arrays in loop.reached())
    run = Run(
        net=kept,
        last=last,
        epochs=tuple(status.done),
        losses=tuple(status.losses),
        choices=status.choices,
        best=status.best,
        seconds=status.seconds,
        ended=status.ended or NOT_ENDED,
        varied=prepared.variation.examples,
    )
    return run if start is None else begun_with(run, start)


def begun_with(run: Run, start: Start) -> Run:
    """A run that says what it began with; its nets say it in their histories."""
    counts = f"{_counted(len(run.epochs), 'epoch')}, {_counted(len(run.losses), 'step')}"
    done = f"{counts}, {run.ended.partition(':')[0]}"
    last = f"{done}, last step kept"
    best = f"{done}, epoch {run.best} kept" if run.best else last
    after = digest(run.net)
    after_last = after if run.last == run.net else digest(run.last)
    nets = trained(run.net, start, best, after), trained(run.last, start, last, after_last)
    return replace(run, start=start, net=nets[0], last=nets[1])


def _counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
