"""Leaves without inputs: values that are the same for every example."""

from collections.abc import Collection, Mapping
from typing import Any, TypeAlias

import torch
from torch import Tensor

from netwright.errors import NetError
from netwright.fields import suits
from netwright.inits import kaiming, zeros
from netwright.net.leaf import Kept, Weight
from netwright.net.part import Leaf, shared_repr
from netwright.net.run.noise import Noise

Numbers: TypeAlias = float | tuple[Any, ...]  # nested tuples, all rows of a level equally long


class Constant(Leaf):
    """A value that never changes and is never trained.

    Shapes: output (*s,), those of the value.

    Fields:
        value: a number, or rows of numbers as nested lists or tuples.

    Raises: NetError for what is not numbers, or for rows of different lengths.

    Example:
        >>> import netwright as nw
        >>> nw.Constant(((1, 2, 3), (4, 5, 6))).plan.outputs
        {'output': (2, 3)}

    Torch: a buffer
    """

    value: Numbers
    ports = "-> *s"
    family = "linear"

    def __post_init__(self) -> None:
        value = _frozen(self.value)
        if _shape(value) is None:
            raise NetError(
                what="a constant is a number, or rows of numbers that are equally long",
                where="Constant",
                got=repr(self.value),
                mend="nw.Constant(array.tolist()) for an array",
            )
        object.__setattr__(self, "value", value)

    def relate(self, known: Mapping[str, Any]) -> dict[str, Any]:
        return {"s": _shape(self.value)}

    def keeps(self, sizes: Mapping[str, Any], wanted: Collection[str]) -> Kept:
        return Kept()

    def is_view(self, training: bool) -> bool:
        return True

    def forward(self, w: Mapping[str, Tensor], *, batch: int, like: Tensor | None) -> Tensor:
        dtype = like.dtype if like is not None and like.is_floating_point() else torch.get_default_dtype()
        value = torch.tensor(self.value, dtype=dtype, device=None if like is None else like.device)  # (*s,)
        return value.expand(batch, *value.shape)  # (*s,) -> (b, *s)


class Parameter(Leaf):
    """A value that is learned: `nw.Parameter(4, 2)` is an array of 4 rows of 2, the same for every example.

    It begins at zero, like a bias; with two axes or more as a weight does, (out, in, …), since equal rows would stay
    equal for ever.

    Shapes: output (*shape,); value (*shape,).

    Fields:
        shape: its sizes; none at all for a single number.

    Raises: NetError for sizes that are not whole numbers of at least 1.

    Example:
        >>> import netwright as nw
        >>> @nw.program
        ... def shifted(x, shift=nw.Parameter(2)):
        ...     return x + shift
        >>> sorted(nw.initialize(shifted).arrays)
        ['shift/value']

    Torch: torch.nn.Parameter
    """

    shape: tuple[int, ...]
    ports = "-> *shape"
    family = "linear"

    def __init__(self, *shape: int) -> None:
        object.__setattr__(self, "shape", shape)
        self.__post_init__()

    def __post_init__(self) -> None:
        if not all(type(size) is int and size > 0 for size in self.shape):
            raise NetError(
                what="a parameter's sizes are whole numbers of at least 1", where="Parameter", got=repr(self.shape)
            )

    def weights(self) -> dict[str, Weight]:
        return {"value": Weight("*shape", kaiming if len(self.shape) > 1 else zeros)}

    def keeps(self, sizes: Mapping[str, Any], wanted: Collection[str]) -> Kept:
        return Kept()

    def is_view(self, training: bool) -> bool:
        return True

    def forward(self, w: Mapping[str, Tensor], *, batch: int) -> Tensor:
        return w["value"].expand(batch, *self.shape)  # (*shape,) -> (b, *shape)

    def __repr__(self) -> str:
        return shared_repr(self, f"Parameter({', '.join(map(str, self.shape))})")


class Drawn(Leaf, abstract=True):
    """What draws an array anew for every example."""

    shape: tuple[int, ...]
    ports = "-> *shape"
    family = "linear"

    def __post_init__(self) -> None:
        if not all(type(size) is int and size > 0 for size in self.shape):
            raise NetError(
                what="sizes are whole numbers of at least 1", where=type(self).__name__, got=repr(self.shape)
            )

    def keeps(self, sizes: Mapping[str, Any], wanted: Collection[str]) -> Kept:
        return Kept()

    def forward(
        self, w: Mapping[str, Tensor], *, batch: int, like: Tensor | None, random: Noise | None = None
    ) -> Tensor:
        device = torch.device("cpu") if like is None else like.device
        noise = Noise(0, 0, torch.arange(batch, device=device)) if random is None else random
        even = noise((batch, *self.shape)).double() + 2.0**-25  # (b, *shape), in the middle of each step of 2 ** −24
        dtype = like.dtype if like is not None and like.is_floating_point() else torch.get_default_dtype()
        return self.of(even).to(device, dtype)  # (b, *shape)

    def of(self, even: Tensor) -> Tensor:
        """The numbers that are drawn, from numbers that are equally likely everywhere between 0 and 1."""
        raise NotImplementedError

    def __repr__(self) -> str:
        return shared_repr(self, f"{type(self).__name__}({', '.join(map(str, self.shape))})")


class Normal(Drawn):
    """Numbers drawn anew for every example: normal, with mean 0 and variance 1. `nw.Normal(8)` draws eight.

    The numbers are keyed by seed, step, part, example and position, so an example gets the same ones in every batch,
    and a run that goes on draws what it would have drawn. A call draws the same numbers each time, unless it is given
    another `seed`.

    Shapes: output (*shape,).

    Fields:
        shape: its sizes; none at all for a single number.

    Raises: NetError for sizes that are not whole numbers of at least 1.

    Example:
        >>> import netwright as nw
        >>> nw.Normal(8).plan.outputs
        {'output': (8,)}

    Torch: torch.randn
    """

    def __init__(self, *shape: int) -> None:
        object.__setattr__(self, "shape", shape)
        self.__post_init__()

    def of(self, even: Tensor) -> Tensor:
        return torch.special.ndtri(even)


class Uniform(Drawn):
    """Numbers drawn anew for every example: from 0 to 1, all equally likely. `nw.Uniform(8)` draws eight.

    They are keyed like those of `nw.Normal`. A comparison makes truth values of them: `nw.Uniform(8)() < 0.3` in a
    program is 1 with probability 0.3.

    Shapes: output (*shape,).

    Fields:
        shape: its sizes; none at all for a single number.

    Raises: NetError for sizes that are not whole numbers of at least 1.

    Example:
        >>> import netwright as nw
        >>> nw.Uniform(8).plan.outputs
        {'output': (8,)}

    Torch: torch.rand
    """

    def __init__(self, *shape: int) -> None:
        object.__setattr__(self, "shape", shape)
        self.__post_init__()

    def of(self, even: Tensor) -> Tensor:
        return even


def _frozen(value: Any) -> Any:
    return tuple(map(_frozen, value)) if isinstance(value, list | tuple) else value


def _shape(value: Any) -> tuple[int, ...] | None:
    """The sizes of nested rows; `None` where they are not numbers, or not equally long."""
    if not isinstance(value, tuple):
        return () if isinstance(value, bool) or suits(value, float) else None
    shapes = {_shape(row) for row in value}
    inner = shapes.pop() if len(shapes) == 1 else None
    return None if inner is None else (len(value), *inner)
