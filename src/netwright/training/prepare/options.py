"""The arguments of `train` besides the net and the data, checked."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch

from netwright.codecs.numeric import plain_number
from netwright.training.events import Choice
from netwright.training.measurement import Measurement
from netwright.training.penalties import Penalty
from netwright.training.prepare import arguments
from netwright.training.prepare.alternate import Alternate
from netwright.training.prepare.next_element import NextElement
from netwright.training.range_test import RangeTest
from netwright.value import Value


class Options(Value, eq=False):
    """The keywords of `train` that say how to train; None if the run chooses.

    Fields: those of `train`. The name of a loss, an optimizer or a schedule is kept as it was given.
    """

    validation: Any
    epochs: int | None
    batch_size: int | None
    accumulate: int | None
    loss: Any
    label_smoothing: float | None
    mixup: float | None
    loss_weights: Mapping[str, float] | None
    optimizer: Any
    learning_rate: float | Mapping[str, float] | RangeTest | None
    schedule: Any
    clip: float | None
    clip_value: float | None
    penalties: Mapping[str, Penalty] | None
    ema: float | None
    measurements: Mapping[str, Measurement] | None
    best: str | None
    patience: int | None
    minutes: float | None
    weights: Sequence[float] | None
    class_weights: Mapping[Any, float] | None
    precision: str | None
    device: torch.device | None
    threads: int | None
    seed: int | None
    workers: int | None
    choices: Sequence[Choice]
    objective: NextElement | Alternate | None
    keep: bool
    steps_per_epoch: int | None


def _as_given(value: Any) -> Any:
    """What is checked later, together with the net or the data."""
    return value


CHECKS: Mapping[str, Callable[[Any], Any]] = {
    "validation": plain_number,
    "epochs": lambda value: arguments.counted("epochs", value),
    "batch_size": lambda value: arguments.counted("batch_size", value),
    "accumulate": lambda value: arguments.counted("accumulate", value),
    "loss": _as_given,
    "label_smoothing": lambda value: arguments.share("label_smoothing", value),
    "mixup": lambda value: arguments.number("mixup", value),
    "loss_weights": arguments.by_loss,
    "optimizer": _as_given,
    "learning_rate": arguments.rate,
    "schedule": _as_given,
    "clip": lambda value: arguments.number("clip", value),
    "clip_value": lambda value: arguments.number("clip_value", value),
    "penalties": arguments.penalties,
    "ema": lambda value: arguments.share("ema", value),
    "measurements": arguments.measurements,
    "best": arguments.best,
    "patience": lambda value: arguments.counted("patience", value),
    "minutes": lambda value: arguments.number("minutes", value),
    "weights": _as_given,
    "class_weights": arguments.by_class,
    "precision": arguments.precision,
    "device": arguments.device,
    "threads": lambda value: arguments.whole("threads", value, 1, arguments.most_threads()),
    "workers": lambda value: arguments.whole("workers", value, 0, arguments.MOST_THREADS),
    "seed": arguments.seed,
    "choices": lambda value: arguments.all_of("choices", value, Choice),
    "objective": arguments.objective,
    "keep": lambda value: arguments.yes_or_no("keep", value),
    "steps_per_epoch": lambda value: arguments.counted("steps_per_epoch", value),
}
"""What refuses a wrong value of each keyword, and gives the value that the run has."""


def options_of(given: Mapping[str, Any]) -> Options:
    """The keywords of a call, checked; one that is left out is None, or as `train` has it by default."""
    whole = {**dict.fromkeys(CHECKS), "choices": (), "keep": False, **given}
    return Options(**{name: check(whole[name]) for name, check in CHECKS.items()})
