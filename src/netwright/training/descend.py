"""Descends a function of a few numbers with an optimizer, and keeps the way as a value: to see how a net learns."""

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias, cast

import numpy as np
import torch
from torch import Tensor

from netwright.errors import TrainingError, shortened
from netwright.training.optimizers import SGD, FlatGroup, optimizer_of
from netwright.training.prepare import arguments
from netwright.training.prepare.arguments import check_number, whole
from netwright.training.schedules import Schedule, schedule_of
from netwright.value import Value

Cost: TypeAlias = Callable[[Tensor], Tensor]


class Trajectory(Value, eq=False):
    """The way of a descent: every point it came to, with its cost and gradient.

    Fields:
        points: one row for each point, the start first: (steps + 1, n).
        costs: the cost at each point: (steps + 1,).
        gradients: the derivative of the cost at each point, without noise: (steps + 1, n).
        diverged: whether the descent ended early, because the next cost or gradient was no finite number.
    """

    points: np.ndarray
    costs: np.ndarray
    gradients: np.ndarray
    diverged: bool = False

    @property
    def end(self) -> np.ndarray:
        """The last point."""
        return self.points[-1]

    def __len__(self) -> int:
        """How many points it has: one more than steps."""
        return len(self.points)

    def __repr__(self) -> str:
        at = ", ".join(f"{x:.4g}" for x in self.end[:6]) + (", …" if len(self.end) > 6 else "")
        steps = f"{len(self) - 1} step{'' if len(self) == 2 else 's'}"
        ended = "; it diverged" if self.diverged else ""
        return f"Trajectory({steps}: cost {self.costs[0]:.4g} -> {self.costs[-1]:.4g} at ({at}){ended})"


def descend(
    cost: Cost,
    start: Sequence[float] | np.ndarray | Tensor,
    learning_rate: float,
    *,
    steps: int = 20,
    optimizer: Any = SGD(momentum=0.0),  # noqa: B008  # a frozen value
    schedule: str | Schedule = "constant",
    noise: float = 0.0,
    seed: int = 0,
) -> Trajectory:
    """Go down a function of a few numbers, and return every point of the way.

    With the default optimizer this is the rule of gradient descent,

        w ← w − α ∇cost(w).

    A net is trained by the same rules (`nw.train`), on thousands of weights. This function computes in float64.

    Args:
        cost: a function of a tensor of n numbers that returns one number, written with torch.
        start: the first point, n numbers.
        learning_rate: α; how far a step goes along the gradient.
        steps: how many; 20.
        optimizer: plain gradient descent; any optimizer of `nw.train` instead, such as `nw.Adam()`.
        schedule: how the rate goes over the steps, as in `nw.train`; constant.
        noise: the standard deviation of normal noise that is added to each number of the gradient, as batches of
            examples add it; 0, none.
        seed: of the noise; 0.

    Returns: a `Trajectory`. A descent that diverges ends at the last point with a finite cost and gradient.

    Raises: TrainingError for a cost that is not one finite number at the start, or does not depend on its argument.

    Example:
        >>> import netwright as nw
        >>> nw.descend(lambda w: (w**2).sum(), [3.0, 4.0], 0.25, steps=3)
        Trajectory(3 steps: cost 25 -> 0.3906 at (0.375, 0.5))

    Source: Cauchy 1847, "Méthode générale pour la résolution des systèmes d'équations simultanées"
    Torch: torch.optim
    """
    w = _point(start)
    expect_cost(cost, "descend")
    count, rate = cast(int, whole("steps", steps, 1)), check_number("learning_rate", learning_rate)
    spread = check_number("noise", noise, zero=True)
    draws = torch.Generator("cpu").manual_seed(cast(int, arguments.seed(seed)))
    factor = schedule_of(schedule).factor
    gradient = torch.zeros_like(w)
    update = optimizer_of(optimizer).bind(FlatGroup(w, gradient, [(w, gradient)]))
    value, slope = _slope(cost, w)
    _refuse_no_number(value, slope)
    way = [(w.clone(), value, slope)]
    for step in range(count):
        gradient.copy_(slope + spread * torch.randn(len(w), generator=draws, dtype=torch.float64, device="cpu"))
        update(rate * factor(step, count))
        value, slope = _slope(cost, w)
        if not (np.isfinite(value) and bool(slope.isfinite().all())):
            break
        way.append((w.clone(), value, slope))
    points, costs, slopes = zip(*way, strict=True)
    return Trajectory(
        torch.stack(points).numpy(), np.array(costs), torch.stack(slopes).numpy(), diverged=len(way) <= count
    )


def _point(start: Any) -> Tensor:
    """The start as a tensor of its own."""
    try:
        w = torch.as_tensor(start, dtype=torch.float64, device="cpu").detach().clone()
    except (TypeError, ValueError, RuntimeError):
        w = None
    if w is None or w.ndim != 1 or not len(w) or not bool(w.isfinite().all()):
        raise TrainingError(
            what="the start of a descent is a list of finite numbers",
            where="start",
            got=shortened(repr(start), 60),
            mend="start=[1.5, 2.3]",
        )
    return w


def expect_cost(cost: object, where: str) -> None:
    """Refuse what is no function.

    Raises: TrainingError.
    """
    if not callable(cost):
        raise TrainingError(what="the cost is a function of a tensor", where=where, got=shortened(repr(cost), 60))


def cost_at(cost: Cost, w: Tensor) -> Tensor:
    """The cost at a point, one number.

    Raises: TrainingError for a cost that is not one real number, computed with torch.
    """
    value: Any = cost(w)  # a user's function may return anything
    if isinstance(value, Tensor) and value.numel() == 1 and not value.is_complex():
        return value.reshape(())
    kind = "a tensor of complex numbers" if isinstance(value, Tensor) and value.is_complex() else ""
    got = kind or (f"a tensor of {tuple(value.shape)}" if isinstance(value, Tensor) else type(value).__name__)
    raise TrainingError(
        what="the cost of a descent is one number, computed with torch",
        where="cost",
        got=got,
        mend="lambda w: (w**2).sum()",
    )


def _slope(cost: Cost, w: Tensor) -> tuple[float, Tensor]:
    """The cost at a point, and its gradient.

    Raises: TrainingError for a cost that is not one number, or does not depend on the point.
    """
    with torch.enable_grad():
        at = w.clone().requires_grad_()
        one = cost_at(cost, at)
    if not one.requires_grad:
        raise TrainingError(
            what="the cost does not depend on its argument, so it has no gradient",
            where="cost",
            mend="a cost that is computed with torch from the tensor that it is given",
        )
    (slope,) = torch.autograd.grad(one, at, materialize_grads=True)
    return float(one.detach()), slope


def _refuse_no_number(value: float, slope: Tensor) -> None:
    """Refuse a start from which no step can be made."""
    if not (np.isfinite(value) and bool(slope.isfinite().all())):
        raise TrainingError(
            what="the cost or its gradient is not finite at the start",
            where="start",
            got=f"cost {value:g}, gradient {tuple(slope.tolist())}",
            mend="another start",
        )
