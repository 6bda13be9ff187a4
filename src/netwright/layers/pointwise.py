"""Functions of every value by itself, and softmax: named, so that a net that holds them can be saved and compared."""

import math
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from math import inf, pi
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from netwright.errors import NetError, did_you_mean
from netwright.kernels.product import Product
from netwright.net.leaf import Kept, LeafFault, LeafNode, Values
from netwright.net.part import Leaf, shared_repr
from netwright.net.run.padding import NO_LENGTHS, Lengths, ended_run, filled, length_of, lengths_of

NAMED = (
    *("relu", "tanh", "sigmoid", "gelu", "silu", "elu", "selu", "softplus", "leaky_relu", "relu6", "hardtanh"),
    *("exp", "log", "sin", "cos", "sqrt", "square", "abs", "gelu_tanh", "quick_gelu"),
)
"""The functions that have a public name of their own: `nw.relu` is `nw.Elementwise("relu")`."""

OTHERS = (
    *("celu", "hardsigmoid", "hardswish", "hardshrink", "logsigmoid", "mish", "softshrink", "softsign", "tanhshrink"),
    *("exp2", "expm1", "log2", "log10", "log1p", "neg", "reciprocal", "rsqrt", "sign", "erf", "erfc"),
    *("tan", "asin", "acos", "atan", "sinh", "cosh", "asinh", "acosh", "atanh", "ceil", "floor", "round"),
)

UNBOUNDED = {
    *("exp", "exp2", "expm1", "sinh", "cosh", "log", "log2", "log10", "log1p", "sqrt", "rsqrt", "reciprocal"),
    *("asin", "acos", "acosh", "atanh"),
}
"""The functions that are infinite, or no number, at finite values: padding is replaced before they run."""

OF_RESULT = {"relu", "tanh", "sigmoid", "exp", "exp2", "expm1", "sqrt", "rsqrt", "reciprocal", "tan"}
OF_BOTH = {"quick_gelu", "logsigmoid"}
LEVEL = {"neg", "ceil", "floor", "round", "sign"}
"""The functions whose derivative torch computes from the result, from the input and one more value, and from nothing;
that of the others is computed from the input."""

BOUNDS: Mapping[str, tuple[float, float]] = {
    **dict.fromkeys(("relu", "softplus", "exp", "exp2", "sqrt", "rsqrt", "square", "abs", "acosh"), (0, inf)),
    **dict.fromkeys(("sigmoid", "hardsigmoid"), (0, 1)),
    **dict.fromkeys(("tanh", "hardtanh", "softsign", "sin", "cos", "erf", "sign"), (-1, 1)),
    "relu6": (0, 6),
    "erfc": (0, 2),
    "acos": (0, pi),
    "asin": (-pi / 2, pi / 2),
    "atan": (-pi / 2, pi / 2),
    "elu": (-1, inf),
    "celu": (-1, inf),
    "expm1": (-1, inf),
    "cosh": (1, inf),
    "logsigmoid": (-inf, 0),
    "hardswish": (-0.375, inf),
    "selu": (-1.7581, inf),
    "mish": (-0.3089, inf),
    "silu": (-0.2785, inf),
    "gelu": (-0.17, inf),
    "gelu_tanh": (-0.1701, inf),
    "quick_gelu": (-0.1637, inf),
}
"""The least and the greatest value of the functions that do not give all numbers; to four digits, and never within."""


class Elementwise(Leaf):
    """A function of every value by itself: y = f(x).

    Shapes: input (...), output (...).

    Fields:
        function: the name of a function of torch or torch.nn.functional, such as `"tanh"`, or the function itself.

    Raises: NetError for a function that is not one of torch's functions of single values: it could not be saved; use
        `nw.Function` for one of your own.

    Example:
        >>> import netwright as nw, torch
        >>> nw.Elementwise(torch.sin) == nw.Elementwise("sin")
        True

    Torch: torch.nn.ReLU and its like
    """

    function: str | Callable[..., Any]
    ports = "... -> ..."
    family = "pointwise"

    def __post_init__(self) -> None:
        object.__setattr__(self, "function", _name(self.function))

    @property
    def kind_name(self) -> str:
        """The function's name: `relu1` in a path."""
        return str(self.function)

    def gives(self) -> Values:
        return "separate probabilities" if self.function == "sigmoid" else "numbers"

    def bounds(self) -> tuple[float, float]:
        return BOUNDS.get(str(self.function), super().bounds())

    def alternatives(self, fault: LeafFault, sizes: Sequence[Any]) -> Iterator[LeafNode]:
        return iter([Softmax()] if self.function == "sigmoid" and fault == "several classes" else [])

    def keeps(self, sizes: Mapping[str, Any], wanted: Collection[str]) -> Kept:
        if self.function in OF_RESULT:
            return Kept(outputs=("*",))
        again = 4 * math.prod(sizes["..."]) if self.function in OF_BOTH else 0
        return Kept(inputs=() if self.function in LEVEL else ("*",), bytes=again, in_use=again)

    def forward(self, w: Mapping[str, Tensor], x: Tensor, *, lengths: Lengths = NO_LENGTHS) -> Tensor:
        if lengths and self.function in UNBOUNDED:
            x = ended_run(x, lengths_of(lengths, "...", x.ndim - 1))  # (b, ...)
        return FUNCTIONS[str(self.function)](x)

    def absorbed_by(self, w: Mapping[str, Any]) -> Mapping[str, Any] | None:
        product = w.get("product")
        both = product.then(str(self.function)) if isinstance(product, Product) else None
        return None if both is None else {**w, "product": both}

    def merged_with(self, before: LeafNode) -> tuple[LeafNode, ...] | None:
        """The logarithm of a softmax is taken at once: that is exact where a probability is too small for a float."""
        return (LogSoftmax(),) if self.function == "log" and isinstance(before, Softmax) else None

    def __repr__(self) -> str:
        return shared_repr(self, str(self.function) if self.function in NAMED else f"Elementwise({self.function!r})")


class Softmax(Leaf):
    """Probabilities along the last axis: yᵢ = exp xᵢ / Σⱼ exp xⱼ.

    Shapes: input (..., k), output (..., k).

    Example:
        >>> import netwright as nw
        >>> nw.softmax(nw.batch([[0.0, 0.0]])).tolist()
        [[0.5, 0.5]]

    Torch: torch.nn.Softmax(dim=-1)
    """

    ports = "... k -> ... k"
    needs_float32 = True
    family = "pointwise"

    def gives(self) -> Values:
        return "class probabilities"

    def bounds(self) -> tuple[float, float]:
        return 0, 1

    def alternatives(self, fault: LeafFault, sizes: Sequence[Any]) -> Iterator[LeafNode]:
        return iter([sigmoid] if fault == "one class" else [])

    def keeps(self, sizes: Mapping[str, Any], wanted: Collection[str]) -> Kept:
        return Kept(outputs=("*",))

    def forward(self, w: Mapping[str, Tensor], x: Tensor, *, lengths: Lengths = NO_LENGTHS) -> Tensor:
        return filled(x, length_of(lengths, "k"), float("-inf"), -1).softmax(-1)

    def __repr__(self) -> str:
        return shared_repr(self, "softmax")


class LogSoftmax(Leaf):
    """Logarithms of probabilities along the last axis: yᵢ = xᵢ − log Σⱼ exp xⱼ.

    Shapes: input (..., k), output (..., k).

    Example:
        >>> import netwright as nw
        >>> nw.log_softmax(nw.batch([[0.0]])).tolist()
        [[0.0]]

    Torch: torch.nn.LogSoftmax(dim=-1)
    """

    ports = "... k -> ... k"
    needs_float32 = True
    family = "pointwise"

    @property
    def kind_name(self) -> str:
        return "log_softmax"

    def gives(self) -> Values:
        return "log probabilities"

    def bounds(self) -> tuple[float, float]:
        return -inf, 0

    def keeps(self, sizes: Mapping[str, Any], wanted: Collection[str]) -> Kept:
        return Kept(outputs=("*",))

    def forward(self, w: Mapping[str, Tensor], x: Tensor, *, lengths: Lengths = NO_LENGTHS) -> Tensor:
        return log_softmax_of(x, length_of(lengths, "k"))

    def __repr__(self) -> str:
        return shared_repr(self, "log_softmax")


def log_softmax_of(x: Tensor, length: Tensor | None) -> Tensor:
    """Logarithms of probabilities among the real elements of the last axis; 0 behind them, where there is none."""
    return filled(filled(x, length, float("-inf"), -1).log_softmax(-1), length, 0.0, -1)  # (b, ..., k)


def _functions(name: str) -> list[Callable[..., Any]]:
    """Torch's functions under a name; the first is the one that runs."""
    return [getattr(module, name) for module in (torch, F) if callable(getattr(module, name, None))]


def _gelu_tanh(x: Tensor) -> Tensor:
    return F.gelu(x, approximate="tanh")


def _quick_gelu(x: Tensor) -> Tensor:
    return x * (1.702 * x).sigmoid()


OURS: dict[str, Callable[..., Any]] = {"gelu_tanh": _gelu_tanh, "quick_gelu": _quick_gelu}
"""The two approximations of GELU that published nets were trained with; torch has one as an option, one not at all."""

FUNCTIONS: dict[str, Callable[..., Any]] = OURS | {
    name: _functions(name)[0] for name in (*NAMED, *OTHERS) if name not in OURS
}
NAMES: dict[Callable[..., Any], str] = {f: name for name in FUNCTIONS for f in _functions(name)}


def _name(function: str | Callable[..., Any]) -> str:
    name = function if isinstance(function, str) else NAMES.get(function, "")
    if name not in FUNCTIONS:
        near = function if isinstance(function, str) else getattr(function, "__name__", "")
        raise NetError(
            what="this is not a function of single values that torch has, so a net that holds it could not be saved",
            got=repr(function),
            mend=(
                *filter(None, [did_you_mean(near, FUNCTIONS)]),
                "nw.Function(f, '... -> ...') for a function of your own",
            ),
        )
    return name


relu, tanh, sigmoid, gelu, silu, elu, selu, softplus, leaky_relu, relu6, hardtanh = map(Elementwise, NAMED[:11])
exp, log, sin, cos, sqrt, square, abs, gelu_tanh, quick_gelu = map(Elementwise, NAMED[11:])
softmax = Softmax()
log_softmax = LogSoftmax()


def is_relu(leaf: LeafNode) -> bool:
    """Whether a leaf is ReLU, which commutes with every maximum."""
    return isinstance(leaf, Elementwise) and leaf.function == "relu"
