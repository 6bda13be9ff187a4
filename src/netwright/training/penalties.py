"""Penalties of weights: what each adds to the loss, and to the gradient."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from netwright.errors import TrainingError
from netwright.fields import checked
from netwright.net.node import arguments
from netwright.training.processes.group import Group
from netwright.value import Value


class Penalty(ABC):
    """A number that weights add to the loss of a run, so that they stay small."""

    strength: float

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        cls.__init__ = checked(cls.__init__)

    def __post_init__(self) -> None:
        if not 0 < self.strength < float("inf"):
            raise TrainingError(
                what="a penalty has a finite strength above 0", where=type(self).__name__, got=repr(self.strength)
            )

    def __repr__(self) -> str:
        return f"{type(self).__name__}({arguments(self)})"

    @abstractmethod
    def __call__(self, weights: Tensor, gradient: Tensor) -> Tensor:
        """Add the derivative to the gradient, in place, and give the penalty as a number."""


class L2(Penalty, Value):
    """λ Σ w²: it pulls every weight towards 0 by 2 λ w, a large one more.

    Fields:
        strength: λ, in units of the loss.

    Raises: TrainingError for a strength that is not finite or not above 0.

    Source: Hoerl and Kennard 1970, "Ridge Regression"
    """

    strength: float

    def __call__(self, weights: Tensor, gradient: Tensor) -> Tensor:
        gradient.add_(weights, alpha=2 * self.strength)
        return self.strength * weights.dot(weights)


class L1(Penalty, Value):
    """λ Σ |w|: it pulls every weight towards 0 by λ, however small it is, so that many of them come near 0.

    Fields:
        strength: λ, in units of the loss.

    Raises: TrainingError for a strength that is not finite or not above 0.

    Source: Tibshirani 1996, "Regression Shrinkage and Selection via the Lasso"
    """

    strength: float

    def __call__(self, weights: Tensor, gradient: Tensor) -> Tensor:
        gradient.add_(weights.sign(), alpha=self.strength)
        return self.strength * torch.linalg.vector_norm(weights, 1)


class Penalties(Value, eq=False):
    """The penalties of a run on the flat buffers of its weights and their gradient.

    Fields:
        parts: each penalty with views of the weights that it is for, and of their gradient; by the turn in which they
            learn, if parts of the net learn in turn.
        shared: whether each process holds a share of the weights, so that the penalties of all are added up.
    """

    parts: Sequence[Sequence[tuple[Penalty, Tensor, Tensor]]]
    group: Group
    shared: bool

    def __call__(self, turn: int = 0) -> float:
        """Add the derivatives of all weights that learn now to the gradient, and give the sum of their penalties."""
        if not self.parts[turn]:
            return 0.0
        with torch.no_grad():
            found = torch.stack([penalty(weights, gradient) for penalty, weights, gradient in self.parts[turn]]).sum()
        if not self.shared:
            return found.item()
        whole = torch.tensor(found.item(), dtype=torch.float64, device="cpu")
        self.group.add(whole)
        return whole.item()
