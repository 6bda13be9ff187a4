"""The interface of an engine: it computes the loss and gradient of a batch, and finds numbers that are not finite."""

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping, Sequence

import torch
from torch import Tensor

from netwright.errors import TrainingError
from netwright.net.leaf import declared_keywords
from netwright.net.plan.plan import Plan
from netwright.net.plan.wiring import Slot
from netwright.training.batch import Batch
from netwright.training.culprit import Culprit
from netwright.training.engines.flat import Flat
from netwright.training.processes.group import Group
from netwright.value import Value


class Turn(Value):
    """What one part of a net learns from where parts learn in turn.

    Fields: `part` is the pattern of its paths, and `loss` the output that it learns from, as the user gave them.
    """

    part: str
    loss: str
    slot: Slot
    paths: tuple[str, ...]


class Engine(ABC):
    """Computes gradients of one plan into the flat buffer of a run."""

    flat: Flat  # what this process holds of the weights and their gradient
    group: Group
    shared: bool = False  # whether each process holds a share, so that all of them gather arrays together
    turn: int = 0  # which of the parts that learn in turn the last gradient was of
    turns: Sequence[Turn] = ()  # these parts; none where all arrays learn in every step

    @abstractmethod
    def gradient(self, batch: Batch, step: int) -> float:
        """The mean loss of a batch, whose gradient is left in `flat.gradient`; each process of a run computes a part.

        The result is not finite if the loss or the gradient is not finite.
        """

    @abstractmethod
    def broken(self) -> str | None:
        """The path of the first array that is changed by training and is not finite; None if all are finite."""

    @abstractmethod
    def culprit(self, batch: Batch, step: int) -> Culprit | None:
        """The part and the example of this batch that made the loss or the gradient not finite."""

    @property
    def paths(self) -> Sequence[str]:
        """The paths of the arrays that are trained, those of one learning rate together."""
        return [*self.flat.spans]

    def arrays(self, buffer: Tensor) -> dict[str, Tensor]:
        """All trained arrays by path, whole and apart from the buffer, which is laid out as `flat.master` is."""
        views = self.flat.views(buffer)
        return {path: array.clone(memory_format=torch.contiguous_format) for path, array in views.items()}

    def buffer(self, arrays: Mapping[str, Tensor]) -> Tensor:
        """A new buffer, laid out as `flat.master` is, with what this process holds of whole arrays by path."""
        made = torch.zeros_like(self.flat.master)
        for path, view in self.flat.views(made).items():
            view.copy_(arrays[path])
        return made

    def places(self, paths: Collection[str]) -> list[slice]:
        """Where this process holds numbers of these arrays in the buffers of `flat`; neighbours are one place.

        Between arrays there are zeros, which fill a line.
        """
        return joined_places([self.flat.range([path]) for path in self.flat.spans if path in paths])

    def length(self) -> Tensor:
        """The length of the whole gradient."""
        return self.flat.gradient.norm()

    def clip(self, most: float) -> None:
        """Scale the whole gradient down to this length if it is longer. Torch: torch.nn.utils.clip_grad_norm_."""
        self.flat.gradient.mul_((most / (self.length() + 1e-6)).clamp(max=1.0))

    def clip_value(self, most: float) -> None:
        """Bring every number of the gradient into −most … most. Torch: torch.nn.utils.clip_grad_value_."""
        self.flat.gradient.clamp_(-most, most)

    def release(self) -> None:  # noqa: B027
        """Give back the memory that is kept for the next batch, if there is any."""


def joined_places(places: Sequence[slice]) -> list[slice]:
    """The same places in their order, those that touch joined to one."""
    found: list[slice] = []
    for place in places:
        if found and found[-1].stop == place.start:
            found[-1] = slice(found[-1].start, place.stop)
        elif place.start < place.stop:
            found.append(place)
    return found


def over_processes(group: Group, flat: Flat, loss: float) -> float:
    """The gradient and the loss of the whole batch, from those of the parts; the gradient is added up in place."""
    if group.size == 1:
        return loss
    whole = torch.tensor(loss, dtype=torch.float64, device="cpu")
    group.add(flat.gradient, whole)
    return whole.item()


def refuse_no_gradient(loss: Tensor) -> None:
    """Refuse a loss that does not depend on the weights.

    Raises: TrainingError.
    """
    if not loss.requires_grad:
        raise TrainingError(
            what="the loss does not depend on the weights, so that there is nothing to learn from",
            where="loss",
            expected="a loss with a gradient, which torch computes through every operation on the output",
            mend="leave out what has no gradient, such as .detach(), .long(), argmax, > and torch.no_grad()",
        )


def arrays_in_float32(plan: Plan) -> set[str]:
    """The paths of the arrays that are at least float32 in any precision."""
    exact = (step for step in plan.steps if step.leaf.needs_float32 or step.leaf.float32_arrays)
    return {path for step in exact for path in step.arrays.values()}


def steady_parts(plan: Plan, frozen: Collection[str]) -> frozenset[str]:
    """The paths of the leaves that would differ in training, and lie in a part all of whose arrays are frozen.

    They compute as in use: what no step changes is a function that gives an example the same value in every epoch. So
    a frozen batch norm takes its running statistics, and a dropout inside a frozen body drops nothing.
    """
    fixed: dict[str, bool] = {}  # of each part with arrays whether all of them are frozen
    for step in plan.steps:
        for path in _ends_of(step.path) if step.arrays else ():
            fixed[path] = fixed.get(path, True) and {*step.arrays.values()} <= {*frozen}
    return frozenset(
        step.path
        for step in plan.steps
        if declared_keywords(type(step.leaf)) & {"training", "random"}
        and any(fixed.get(path, False) for path in _ends_of(step.path))
    )


def _ends_of(path: str) -> list[str]:
    """The path itself, and those of all parts around it."""
    names = path.split("/")
    return ["/".join(names[:count]) for count in range(1, len(names) + 1)]


def lowered(array: Tensor, precision: torch.dtype | None) -> Tensor:
    """An array in the precision of a run, if it holds numbers."""
    return array if precision is None or not array.is_floating_point() else array.to(precision)


def mean_loss(losses: Tensor, weights: Tensor | None) -> Tensor:
    """The mean over examples, weighted; the weights of all examples of a feed have mean one."""
    losses = losses.to(torch.promote_types(losses.dtype, torch.float32))  # bf16 has too few digits for a mean
    return losses.mean() if weights is None else (losses * weights).mean()


def total(losses: Sequence[Tensor], weights: Tensor | None) -> Tensor:
    """The sum of the mean losses of all outputs."""
    first, *others = (mean_loss(values, weights) for values in losses)
    return sum(others, first)
