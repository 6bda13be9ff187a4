"""Makes a run again, and says line by line whether the same came out."""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, replace
from typing import Any, cast

import torch

from netwright.errors import DataError, TrainingError, shortened
from netwright.machine import without_autocast
from netwright.net.compare import digest
from netwright.training.events import RATE_FACTOR, Callback, Choice, Status
from netwright.training.folder.begun import begun
from netwright.training.folder.setting_text import NONE, same_text
from netwright.training.loop import Loop
from netwright.training.measurement import Measurement
from netwright.training.optimizers import Optimizer, TorchOptimizer
from netwright.training.prepare import arguments
from netwright.training.prepare.options import Options
from netwright.training.progress.progress import progress as progress_for
from netwright.training.result import Run, result_of
from netwright.training.schedules import Schedule
from netwright.training.start import BEFORE, Start
from netwright.training.train import Loss
from netwright.value import Value

DONE = "all epochs done"
SHOWN = 12  # digits of a digest in a line


class Comparison(Value):
    """One line of a replay.

    Fields:
        name: what is compared.
        equal: whether it is the same in both runs.
        said: the digest or figure, and where they differ both.
    """

    name: str
    equal: bool
    said: str

    def __str__(self) -> str:
        return f"{self.name:<10}  {'equal' if self.equal else 'DIFFERS':<7}  {self.said}"


class Replay(Value, eq=False):
    """A run that was made again, compared with the first one.

    Fields:
        run: the new run.
        comparisons: the net before, the data, the losses of all steps, the nets after, and the versions.
    """

    run: Run
    comparisons: tuple[Comparison, ...]

    @property
    def equal(self) -> bool:
        """Whether the same came out, bit for bit, whatever the versions are."""
        return all(one.equal for one in self.comparisons if one.name not in ("versions", "threads"))

    def __repr__(self) -> str:
        versions = next(one for one in self.comparisons if one.name == "versions")
        head = "Replay: the same came out, bit for bit"
        if not self.equal:
            head = "Replay: something else came out"
            head += ", and the versions or the processor differ" if not versions.equal else ""
        return "\n".join([head, *(f"  {one}" for one in self.comparisons)])


@torch.inference_mode(False)
@without_autocast()
def replay(
    run: Run,
    data: Any,
    *,
    validation: Any = None,
    weights: Sequence[float] | None = None,
    loss: Loss | Mapping[str, Loss] | None = None,
    optimizer: str | Optimizer | TorchOptimizer | None = None,
    schedule: str | Schedule | None = None,
    measurements: Sequence[str | Callable[[Any, Any], Any] | Measurement] | None = None,
    progress: bool = True,
) -> Replay:
    """Make a run again: the same net, data, settings and choices. Compare digests and the losses of all steps.

    On the machine of the run, with the versions of the run, the same comes out bit for bit. Elsewhere the last bits may
    differ; the replay then says that versions or processors differ.

    Args:
        run: what `nw.train` or `nw.load_run` gave. A run that ended early is made again up to its last step.
        data: those of the run, which holds only their digest.
        validation, weights: given to the run as data, they must be given again; None where they were not.
        measurements: must be given again where one is on data of its own, or a function and the run was read by
            `nw.load_run`; None takes those of the run.
        loss, optimizer, schedule: must be given again where a file cannot hold them, such as a function, and the run
            was read by `nw.load_run`; None takes those of the run.
        progress: whether the run is shown while it goes.

    Raises: DataError for other data than those of the run, before the first step; TrainingError for a setting that
        must be given again, or is another than that of the run, for a run that `nw.fork` began, and for one whose rate
        callbacks changed.

    Example:
        >>> import netwright as nw
        >>> data = ([0, 1, 2], [0, 1, 4])
        >>> net = nw.Chain(4, nw.tanh, nw.Linear(), input=nw.Number(), output=nw.Number())
        >>> run = nw.train(net, data, epochs=2, threads=1, progress=False)
        >>> nw.replay(run, data, progress=False).equal
        True
    """
    if not isinstance(cast(Any, run), Run):
        raise TrainingError(
            what="this is not a run",
            expected="what nw.train or nw.load_run gave",
            got=shortened(repr(run), 80),
            mend=f"nw.replay(nw.load_run({run!r}), data)" if isinstance(run, str | os.PathLike) else (),
        )
    start = run.start
    if start is None or not run.losses:
        raise TrainingError(
            what="this run has no step that could be made again",
            expected="a run of at least one step, from nw.train or nw.load_run",
        )
    if "forked" in start.made_from:
        raise TrainingError(
            what="a run that was forked begins with the weights and the optimizer of another run",
            got=start.made_from["forked"],
            mend="nw.replay of that run",
        )
    if any(choice.name == RATE_FACTOR for choice in run.choices):
        raise TrainingError(
            what="callbacks changed the learning rate of this run, and a run does not hold its callbacks",
            expected="a run whose rate is that of its schedule",
        )
    again = {"validation": validation, "weights": weights, "loss": loss, "optimizer": optimizer, "schedule": schedule}
    again["measurements"] = arguments.measurements(measurements)
    options = options_again(run, start, {name: value for name, value in again.items() if value is not None})
    prepared, begin = begun(start.net, data, options)
    prepared = replace(prepared, limits=replace(prepared.limits, minutes=None))  # it ends after the same step instead
    _refuse_other(start.made_from, begin.made_from)
    callbacks = [] if run.ended == DONE else [_Stop(len(run.losses))]
    new = result_of(Loop(prepared, [*callbacks, *([progress_for()] if progress else [])]), begin)
    return Replay(new, tuple(_compared(run, start, new, begin)))


class _Stop(Callback):
    """Ends a run after a step."""

    def __init__(self, steps: int) -> None:
        self.steps = steps

    def on_step(self, status: Status) -> None:
        if status.step == self.steps:
            status.stop()


def options_again(run: Run, start: Start, again: Mapping[str, Any], call: str = "replay") -> Options:
    """The settings of the run, with its choices for what was not given; `call` names the function in errors."""
    missing = [name for name, value in start.settings.items() if value is None and name not in again]
    if missing:
        raise TrainingError(
            what=f"the run was made with {' and '.join(missing)}, which it does not hold",
            expected=", ".join(f"{name}=… as in the call that made the run" for name in missing),
            mend=f"nw.{call}(run, data, {', '.join(f'{name}=…' for name in missing)})",
        )
    first = {choice.name: choice for choice in reversed(run.choices)}  # threads may have been chosen again on the way
    known: dict[str, Any] = dict.fromkeys(field.name for field in fields(cast(Any, Options)))
    known |= {"threads": first["threads"].setting} if "threads" in first else {}
    known |= {**start.settings, **again, "choices": tuple(first.values())}
    return Options(**known)


def _refuse_other(here: Mapping[str, str], now: Mapping[str, str]) -> None:
    """Refuse data and settings that are not those of the run. The net is the run's own.

    Raises: DataError, TrainingError.
    """
    other = [
        name for name in {**here, **now} if name != "net" and not same_text(here.get(name, NONE), now.get(name, NONE))
    ]
    if not other:
        return
    kind = DataError if "data" in other[0] else TrainingError
    raise kind(
        what=f"the {' and the '.join(name.replace('_', ' ') for name in other)} of this call are not those of the run",
        expected="; ".join(f"{name}: {shortened(here.get(name, NONE), 80)}" for name in other),
        got="; ".join(f"{name}: {shortened(now.get(name, NONE), 80)}" for name in other),
        mend="the data and settings that the run was made with",
    )


def _compared(run: Run, start: Start, new: Run, begin: Start) -> list[Comparison]:
    before = run.net.history[-1][BEFORE]
    return [
        _digests("net before", before, digest(start.net)),
        Comparison("data", True, start.made_from["data"]),
        _losses(run.losses, new.losses),
        _digests("best net", digest(run.net), digest(new.net)),
        _digests("last net", digest(run.last), digest(new.last)),
        *_threads(run.choices),
        _versions(start.versions, begin.versions),
    ]


def _digests(name: str, then: str, now: str) -> Comparison:
    said = then[:SHOWN] if then == now else f"{then[:SHOWN]} then, {now[:SHOWN]} now"
    return Comparison(name, then == now, said)


def _losses(then: Sequence[float], now: Sequence[float]) -> Comparison:
    steps = f"{len(then):,} steps"
    differing = [step for step, (a, b) in enumerate(zip(then, now, strict=False), 1) if a != b]
    if differing:
        step = differing[0]
        a, b = then[step - 1], now[step - 1]
        said = f"from step {step:,} of {steps} on: {a:.9g} then, {b:.9g} now, by {abs(a - b):.2g}"
        return Comparison("losses", False, said)
    if len(then) != len(now):
        return Comparison("losses", False, f"{steps} then, {len(now):,} now")
    return Comparison("losses", True, f"at all {steps}")


def _threads(choices: Sequence[Choice]) -> list[Comparison]:
    """A line for a run that changed its number of threads on the way, which may change the last bits."""
    changed = [choice for choice in choices if choice.name == "threads"][1:]
    return [Comparison("threads", False, f"{one.value} {one.why}") for one in changed]


def _versions(then: Mapping[str, str], now: Mapping[str, str]) -> Comparison:
    names = [name for name in {**then, **now} if then.get(name) != now.get(name)]
    if not names:
        return Comparison("versions", True, ", ".join(f"{name} {text}" for name, text in then.items()))
    said = (f"{name} {then.get(name, 'none')} then, {now.get(name, 'none')} now" for name in names)
    return Comparison("versions", False, "; ".join(said))
