"""Optimizers bound to the weights of a run: they make steps, and their state can be kept and put back."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

import torch
from torch import Tensor

from netwright.errors import TrainingError
from netwright.training.snapshot import Snapshot

FLUSH_EVERY = 64  # steps in which a mean fades a thousandfold
FADED = 1e-30  # far below what any weight feels, far above 1e-38, from where arithmetic is a hundred times slower


class Update(ABC):
    """One optimizer on some of the weights of a run."""

    @abstractmethod
    def __call__(self, rate: float) -> None:
        """Make one step at this learning rate, in place."""

    @abstractmethod
    def state(self) -> Snapshot:
        """Everything, apart from weights and gradient, on which the next steps depend."""

    @abstractmethod
    def fits(self, state: Snapshot) -> bool:
        """Whether the state is that of an update of the same kind, on weights of the same sizes."""

    @abstractmethod
    def restore(self, state: Snapshot) -> None:
        """Go on as the update went on that had this state."""


class InPlace(Update):
    """A step that writes to buffers of its own, which are its state.

    `fading` names the buffer that fades where weights are dead: a ReLU that is never active has gradients of exactly 0,
    and 800 steps later its mean consists of denormal numbers, with which Adam takes five times as long. The buffer is
    set to 0 there every few steps.
    """

    def __init__(self, step: Callable[[float], None], buffers: Mapping[str, Tensor], fading: str = "") -> None:
        self.step, self.buffers, self.fading, self.steps = step, buffers, fading, 0

    def __call__(self, rate: float) -> None:
        self.step(rate)
        self.steps += 1
        if self.fading and self.steps % FLUSH_EVERY == 0:
            mean = self.buffers[self.fading]
            torch.ops.aten.hardshrink.out(mean, FADED, out=mean)

    def state(self) -> Snapshot:
        return Snapshot({name: buffer.clone() for name, buffer in self.buffers.items()}, {"steps": self.steps})

    def fits(self, state: Snapshot) -> bool:
        shapes = {name: array.shape for name, array in state.arrays.items()}
        return "steps" in state.plain and shapes == {name: buffer.shape for name, buffer in self.buffers.items()}

    def restore(self, state: Snapshot) -> None:
        for name, buffer in self.buffers.items():
            buffer.copy_(state.arrays[name])
        self.steps = int(state.plain["steps"])


class TorchUpdate(Update):
    """A torch optimizer. Its groups keep their proportions: `rate` is the highest rate of its own."""

    def __init__(self, made: torch.optim.Optimizer, rate: float) -> None:
        self.made = made
        self.shares = [float(group["lr"]) / (rate or 1.0) for group in made.param_groups]

    def __call__(self, rate: float) -> None:
        for group, share in zip(self.made.param_groups, self.shares, strict=True):
            group["lr"] = rate * share
        self.made.step()

    def state(self) -> Snapshot:
        arrays: dict[str, Tensor] = {}
        numbers: dict[str, Any] = {}
        for number, entries in self.made.state_dict()["state"].items():
            for name, value in entries.items():
                if isinstance(value, Tensor):
                    arrays[f"{number}/{name}"] = value.clone()
                elif isinstance(value, bool | int | float | str | None):
                    numbers[f"{number}/{name}"] = value
                else:
                    raise _not_kept(self.made, name, value)
        return Snapshot(arrays, {"numbers": numbers, **self._kind()})

    def fits(self, state: Snapshot) -> bool:
        return self._kind().items() <= state.plain.items()

    def restore(self, state: Snapshot) -> None:
        entries: dict[int, dict[str, Any]] = {}
        for path, value in {**state.arrays, **state.plain["numbers"]}.items():
            number, name = path.split("/", 1)
            entries.setdefault(int(number), {})[name] = value
        self.made.load_state_dict({**self.made.state_dict(), "state": entries})
        parameters = self._parameters()
        for number, found in entries.items():  # torch gives every array the type of its parameter
            for name, value in found.items():
                if isinstance(value, Tensor):
                    self.made.state[parameters[number]][name] = value.clone().to(parameters[number].device)

    def _parameters(self) -> list[Tensor]:
        return [p for group in self.made.param_groups for p in cast(Sequence[Tensor], group["params"])]

    def _kind(self) -> dict[str, Any]:
        """What tells one optimizer of torch from another, with the sizes of its weights."""
        return {"kind": type(self.made).__name__, "shapes": [list(p.shape) for p in self._parameters()]}


def _not_kept(made: torch.optim.Optimizer, name: str, value: object) -> TrainingError:
    return TrainingError(
        what=f"the state of {type(made).__name__} cannot be kept in a file",
        where=f"optimizer, {name!r}",
        expected="tensors, numbers and texts",
        got=type(value).__name__,
        mend="nw.train without folder=, or another optimizer",
    )
