"""The arguments of `train` besides the net and the data, checked."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch

from netwright.training.events import Choice
from netwright.training.prepare.next_element import NextElement
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
    optimizer: Any
    learning_rate: float | Mapping[str, float] | None
    schedule: Any
    clip: float | None
    clip_value: float | None
    ema: float | None
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
    objective: NextElement | None
    keep: bool
    steps_per_epoch: int | None
