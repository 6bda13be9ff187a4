"""What the loop asks of an engine: the loss of a batch, its gradient, and who is to blame for what is not finite."""

from abc import ABC, abstractmethod

import torch
from torch import Tensor

from netwright.training.engines.flat import Flat
from netwright.training.prepare.feed import Batch


class Engine(ABC):
    """Computes gradients of one plan into the flat buffer of a run."""

    flat: Flat

    @abstractmethod
    def gradient(self, batch: Batch, step: int) -> float:
        """The mean loss of a batch; its gradient is left in `flat.gradient`. Not finite where either is not."""

    @abstractmethod
    def culprit(self, batch: Batch, step: int) -> tuple[str, int] | None:
        """The first part whose output is not finite on this batch, and the example; after a loss that is not."""


def mean_loss(losses: Tensor, weights: Tensor | None) -> Tensor:
    """The mean over examples, each counting as much as its weight; a feed's weights have mean one over all of it."""
    losses = losses.to(torch.promote_types(losses.dtype, torch.float32))  # of bf16, digits enough for a mean
    return losses.mean() if weights is None else (losses * weights).mean()
