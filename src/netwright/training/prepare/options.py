"""What `train` is given beside the net and the data, as it was checked."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch

from netwright.training.events import Choice
from netwright.training.prepare.next_element import NextElement
from netwright.value import Value


class Options(Value, eq=False):
    """The keywords of `train` that say how to train; None where the run is to choose.

    Fields: as those of `train`. What names something (a loss, an optimizer, a schedule) is as it was given.
    """

    validation: Any
    epochs: int | None
    batch_size: int | None
    loss: Any
    optimizer: Any
    learning_rate: float | Mapping[str, float] | None
    schedule: Any
    clip: float | None
    weights: Sequence[float] | None
    precision: str | None
    device: torch.device | None
    threads: int | None
    seed: int
    choices: Sequence[Choice]
    objective: NextElement | None
