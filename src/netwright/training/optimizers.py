"""Optimizers as values, and their fused step on one flat buffer of weights."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias, cast

import torch
from torch import Tensor

from netwright.errors import TrainingError, did_you_mean, with_article
from netwright.fields import checked
from netwright.machine import unchanged
from netwright.net.node import arguments
from netwright.training.updates import InPlace, TorchUpdate, Update
from netwright.value import Value

TRIED = 32  # weights that tell how many numbers an optimizer keeps for each


class FlatGroup(Value, eq=False):
    """Some of the weights of a run with their gradients: as one flat buffer, and array by array in the same memory."""

    weights: Tensor
    gradient: Tensor
    arrays: Sequence[tuple[Tensor, Tensor]]


class Optimizer(ABC):
    """A rule that updates weights. `rate` is the peak rate if none is given; None derives it from the net's widths."""

    rate: float | None

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        cls.__init__ = checked(cls.__init__)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({arguments(self)})"

    @abstractmethod
    def bind(self, piece: FlatGroup) -> Update:
        """The update that makes steps on the piece, in place."""


class SGD(Optimizer, Value):
    """Stochastic gradient descent with momentum: v ← μ v + g + λ w; w ← w − α v.

    Fields:
        momentum: μ; 0.9, which averages about ten steps.
        weight_decay: λ, in units of the gradient; 0.
        rate: α when none is given; 0.05.

    Torch: torch.optim.SGD
    """

    momentum: float = 0.9
    weight_decay: float = 0.0
    rate: float | None = 0.05

    def bind(self, piece: FlatGroup) -> Update:
        weights, velocity = piece.weights, torch.zeros_like(piece.weights)

        def step(rate: float) -> None:
            gradient = _decayed(piece, self.weight_decay)
            weights.sub_(velocity.mul_(self.momentum).add_(gradient), alpha=rate)

        return InPlace(step, {"velocity": velocity}, fading="velocity")


class Adam(Optimizer, Value):
    """Adaptive moments: steps of about the learning rate for each weight, whatever the gradient's scale.

    Fields:
        beta1, beta2: decay of the mean gradient and of its mean square; 0.9 and 0.999 as in the source.
        eps: added to the root, so that a dead weight does not divide by zero.
        weight_decay: L2, added to the gradient; 0.
        rate: α when none is given; None derives it from the widest layer, since a step is as large as the rate.

    Source: Kingma and Ba 2015, arXiv 1412.6980
    Torch: torch.optim.Adam
    """

    beta1: float = 0.9
    beta2: float = 0.999
    eps: float = 1e-8
    weight_decay: float = 0.0
    rate: float | None = None

    def bind(self, piece: FlatGroup) -> Update:
        return self._fused(piece, torch._fused_adam_)  # pyright: ignore

    def _fused(self, piece: FlatGroup, function: Callable[..., Any]) -> Update:
        mean, square = torch.zeros_like(piece.weights), torch.zeros_like(piece.weights)
        count = torch.zeros((), device=piece.weights.device, dtype=torch.float32)
        buffers = ([piece.weights], [piece.gradient], [mean], [square], list[Tensor](), [count])

        def step(rate: float) -> None:
            count.add_(1)
            function(
                *buffers,
                lr=rate,
                beta1=self.beta1,
                beta2=self.beta2,
                weight_decay=self.weight_decay,
                eps=self.eps,
                amsgrad=False,
                maximize=False,
            )

        return InPlace(step, {"mean": mean, "square": square, "count": count}, fading="mean")


class AdamW(Adam):
    """Adam whose weight decay shrinks weights by themselves, apart from the gradient's scale.

    Fields:
        weight_decay: part of each weight taken off, times the learning rate, each step; 0.01 as in torch.

    Source: Loshchilov and Hutter 2019, arXiv 1711.05101
    Torch: torch.optim.AdamW
    """

    weight_decay: float = 0.01

    def bind(self, piece: FlatGroup) -> Update:
        return self._fused(piece, torch._fused_adamw_)  # pyright: ignore


class RMSProp(Optimizer, Value):
    """Gradients divided by a running root mean square: s ← ρ s + (1 − ρ) g²; w ← w − α g / (√s + ε).

    Fields:
        decay: ρ; 0.99.
        eps: added to the root.
        weight_decay: L2, added to the gradient; 0.
        rate: α when none is given; 0.001.

    Source: Hinton 2012, lecture 6e of "Neural Networks for Machine Learning"
    Torch: torch.optim.RMSprop
    """

    decay: float = 0.99
    eps: float = 1e-8
    weight_decay: float = 0.0
    rate: float | None = 1e-3

    def bind(self, piece: FlatGroup) -> Update:
        weights, square = piece.weights, torch.zeros_like(piece.weights)

        def step(rate: float) -> None:
            gradient = _decayed(piece, self.weight_decay)
            square.mul_(self.decay).addcmul_(gradient, gradient, value=1 - self.decay)
            weights.addcdiv_(gradient, square.sqrt().add_(self.eps), value=-rate)

        return InPlace(step, {"square": square})


class Lion(Optimizer, Value):
    """The sign of a mean gradient: u ← sign(β₁ m + (1 − β₁) g); w ← w − α (u + λ w); m ← β₂ m + (1 − β₂) g.

    It keeps one number a weight where Adam keeps two.

    Fields:
        beta1, beta2: share of the mean in a step, and its decay; 0.9 and 0.99 as in the source.
        weight_decay: λ, part of each weight taken off, times the learning rate, each step; 0.
        rate: α when none is given; 0.0001, as in the source: every weight moves by the whole rate at every step.

    Source: Chen et al. 2023, "Symbolic Discovery of Optimization Algorithms", arXiv 2302.06675
    """

    beta1: float = 0.9
    beta2: float = 0.99
    weight_decay: float = 0.0
    rate: float | None = 1e-4

    def bind(self, piece: FlatGroup) -> Update:
        weights, gradient, mean = piece.weights, piece.gradient, torch.zeros_like(piece.weights)

        def step(rate: float) -> None:
            direction = mean.lerp(gradient, 1 - self.beta1).sign_()
            weights.mul_(1 - rate * self.weight_decay).sub_(direction, alpha=rate)
            mean.lerp_(gradient, 1 - self.beta2)

        return InPlace(step, {"mean": mean}, fading="mean")


class SignSGD(Optimizer, Value):
    """The sign of a mean gradient: m ← μ m + (1 − μ) g; w ← w − α (sign(m) + λ w).

    Every weight moves by the whole rate at every step, whatever the gradient's scale. With momentum 0 it is the sign
    of the gradient itself.

    Fields:
        momentum: μ; 0.9, as of Signum in the source: the sign of a single gradient is often that of its noise.
        weight_decay: λ, part of each weight taken off, times the learning rate, each step; 0.
        rate: α when none is given; 0.0001, as in the source.

    Source: Bernstein et al. 2018, "signSGD: Compressed Optimisation for Non-Convex Problems", arXiv 1802.04434
    """

    momentum: float = 0.9
    weight_decay: float = 0.0
    rate: float | None = 1e-4

    def bind(self, piece: FlatGroup) -> Update:
        weights, gradient, mean = piece.weights, piece.gradient, torch.zeros_like(piece.weights)

        def step(rate: float) -> None:
            mean.lerp_(gradient, 1 - self.momentum)
            weights.mul_(1 - rate * self.weight_decay).sub_(mean.sign(), alpha=rate)

        return InPlace(step, {"mean": mean}, fading="mean")


TorchOptimizer: TypeAlias = Callable[[Sequence[Tensor]], torch.optim.Optimizer]


class Torch(Optimizer, Value):
    """Any torch optimizer whose step only reads gradients.

    Fields:
        make: its class, or a function from parameters to an optimizer; it gets the arrays one by one, in their shapes.
        rate: its own learning rate, the highest of its groups; groups keep their proportions under a schedule.

    Raises: TrainingError if `make` gives no torch optimizer, or one that must compute the loss itself, as LBFGS does.
    """

    make: TorchOptimizer
    rate: float | None = None

    def __post_init__(self) -> None:
        made = self._made([torch.nn.Parameter(torch.zeros(1, dtype=torch.float32, device="cpu")) for _ in range(2)])
        object.__setattr__(self, "rate", max(float(group["lr"]) for group in made.param_groups))

    def bind(self, piece: FlatGroup) -> Update:
        parameters = [torch.nn.Parameter(weights) for weights, _ in piece.arrays]
        for parameter, (_, gradient) in zip(parameters, piece.arrays, strict=True):
            parameter.grad = gradient
        return TorchUpdate(self._made(parameters), self.rate or 1.0)

    def _made(self, parameters: list[torch.nn.Parameter]) -> torch.optim.Optimizer:
        try:
            with unchanged():  # the first optimizer lets torch import sympy, which sets filters
                made = self.make(parameters)
        except Exception as error:
            raise _no_optimizer(self.make, f"{type(error).__name__}: {error}") from error
        if not isinstance(made, torch.optim.Optimizer):  # pyright: ignore[reportUnnecessaryIsInstance]  # a user's
            raise _no_optimizer(self.make, f"it gives {with_article(type(made).__name__)}")
        if isinstance(made, torch.optim.LBFGS):
            raise _no_optimizer(self.make, "LBFGS computes the loss itself, several times a step")
        return made


OPTIMIZERS: dict[str, Optimizer] = {
    "sgd": SGD(),
    "adam": Adam(),
    "adamw": AdamW(),
    "rmsprop": RMSProp(),
    "lion": Lion(),
    "signsgd": SignSGD(),
}


def optimizer_of(given: object) -> Optimizer:
    """The optimizer that a name, a value of ours or anything of torch's means."""
    if isinstance(given, Optimizer):
        return given
    if isinstance(given, type) and issubclass(given, Optimizer):
        raise _no_optimizer(given, "a class", f"nw.{given.__name__}()")
    if callable(given):
        return Torch(cast(TorchOptimizer, given))
    if not isinstance(given, str):
        raise _no_optimizer(given, type(given).__name__)
    if given.lower() in OPTIMIZERS:
        return OPTIMIZERS[given.lower()]
    raise TrainingError(
        what=f"no optimizer has the name {given!r}",
        where="optimizer",
        expected=f"one of {', '.join(OPTIMIZERS)}, a value such as nw.Adam(beta1=0.8), or a torch optimizer's class",
        mend=did_you_mean(given, OPTIMIZERS),
    )


def numbers_kept(optimizer: Optimizer) -> int:
    """How many numbers an optimizer keeps for each weight; one of torch begins to keep them in its first step."""
    if type(optimizer) not in {type(known) for known in OPTIMIZERS.values()}:
        return 2
    weights = torch.zeros(TRIED, dtype=torch.float32, device="cpu")
    state = optimizer.bind(FlatGroup(weights, torch.zeros_like(weights), [])).state()
    return sum(array.numel() for array in state.arrays.values()) // TRIED


def _no_optimizer(given: object, got: str, mend: str = "") -> TrainingError:
    return TrainingError(
        what=f"{getattr(given, '__name__', repr(given))} is not an optimizer that can train a net",
        where="optimizer",
        expected="a name, a value such as nw.Adam(), or a class or function that makes a torch optimizer",
        got=got,
        mend=mend,
    )


def _decayed(piece: FlatGroup, decay: float) -> Tensor:
    return piece.gradient.add(piece.weights, alpha=decay) if decay else piece.gradient
