"""Functions of every value by itself, and softmax: named, so that a net that holds them can be saved and compared."""

from collections.abc import Callable, Mapping
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from netwright.errors import NetError, did_you_mean
from netwright.net.node import LeafNode
from netwright.net.part import Leaf, shared_repr


class Elementwise(Leaf):
    """A function of every value by itself: y = f(x).

    Shapes: input (...), output (...).

    Fields:
        function: the name of a function of torch or torch.nn.functional, such as `"tanh"`, or the function itself.

    Raises: NetError for a function that torch does not have under that name: it could not be saved; use
        `nw.Function` for one of your own.

    Example:
        >>> import netwright as nw, torch
        >>> nw.Elementwise(torch.sin) == nw.Elementwise("sin")
        True
    """

    function: str | Callable[..., Any]
    ports = "... -> ..."

    def __post_init__(self) -> None:
        object.__setattr__(self, "function", _name(self.function))

    @property
    def kind_name(self) -> str:
        """The function's name: `relu1` in a path."""
        return str(self.function)

    def forward(self, w: Mapping[str, Tensor], x: Tensor) -> Tensor:
        return _function(str(self.function))(x)

    def __repr__(self) -> str:
        return shared_repr(self, str(self.function) if self.function in NAMED else f"Elementwise({self.function!r})")


class Softmax(Leaf):
    """Probabilities along the last axis: yᵢ = exp xᵢ / Σⱼ exp xⱼ.

    Shapes: input (..., k), output (..., k).

    Example:
        >>> import netwright as nw
        >>> nw.softmax(nw.many([[0.0, 0.0]])).tolist()
        [[0.5, 0.5]]

    Torch: torch.nn.Softmax(dim=-1)
    """

    ports = "... k -> ... k"
    precise = True

    def forward(self, w: Mapping[str, Tensor], x: Tensor) -> Tensor:
        return x.softmax(-1)

    def __repr__(self) -> str:
        return shared_repr(self, "softmax")


NAMED = ("relu", "tanh", "sigmoid", "gelu", "silu", "elu", "selu", "softplus", "leaky_relu", "exp", "sin", "cos")
"""The functions that have a public name of their own: `nw.relu` is `nw.Elementwise("relu")`."""


def _function(name: str) -> Callable[..., Any]:
    return getattr(F, name, None) or getattr(torch, name)


def _name(function: str | Callable[..., Any]) -> str:
    name = function if isinstance(function, str) else getattr(function, "__name__", "")
    known = getattr(F, name, None) or getattr(torch, name, None)
    if not callable(known) or (callable(function) and function not in (known, getattr(torch, name, None))):
        raise NetError(
            what="this is not a function that torch has under its own name, so a net that holds it could not be saved",
            got=repr(function),
            mend=(did_you_mean(name, NAMED), "nw.Function(f, '... -> ...') for a function of your own"),
        )
    return name


relu, tanh, sigmoid, gelu, silu, elu, selu, softplus, leaky_relu, exp, sin, cos = (Elementwise(n) for n in NAMED)
softmax = Softmax()


def is_relu(leaf: LeafNode) -> bool:
    """Whether a leaf is ReLU, which commutes with every maximum."""
    return isinstance(leaf, Elementwise) and leaf.function == "relu"
