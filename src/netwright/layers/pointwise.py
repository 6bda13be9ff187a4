"""Functions of every value by itself, and softmax: named, so that a net that holds them can be saved and compared."""

import math
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import KW_ONLY
from math import inf, pi
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from netwright.errors import NetError, did_you_mean
from netwright.kernels.convolution import FixedConvolution
from netwright.kernels.product import LinearProduct
from netwright.net.leaf import Kept, LeafFault, LeafNode, Span, Unfit, Values
from netwright.net.part import Leaf, shared_repr
from netwright.net.run.padding import NO_LENGTHS, Lengths, ended_run, filled, length_of, lengths_of
from netwright.sizes.notation import MOST_AXES
from netwright.value import literal

NAMED = (
    *("relu", "tanh", "sigmoid", "gelu", "silu", "elu", "selu", "softplus", "leaky_relu", "relu6", "hardtanh"),
    *("exp", "log", "sin", "cos", "sqrt", "square", "abs", "gelu_tanh", "quick_gelu"),
    *("mish", "hardswish", "hardsigmoid"),
)
"""The functions that have a public name of their own: `nw.relu` is `nw.Elementwise("relu")`."""

OTHERS = (
    *("celu", "hardshrink", "logsigmoid", "softshrink", "softsign", "tanhshrink"),
    *("exp2", "expm1", "log2", "log10", "log1p", "neg", "reciprocal", "rsqrt", "sign", "erf", "erfc"),
    *("tan", "asin", "acos", "atan", "sinh", "cosh", "asinh", "acosh", "atanh", "ceil", "floor", "round"),
)

SLOPES = {"leaky_relu": 0.01, "elu": 1.0}
"""The functions that have a slope below 0, with torch's."""

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
        slope: of `"leaky_relu"` below 0, and of `"elu"` right below 0, which nears −slope; None, the default, is
            torch's, 0.01 and 1. Other functions have none. A slope that is learned is `nw.PReLU`.

    Raises: NetError for a function that is not one of torch's functions of single values: it could not be saved; use
        `nw.Function` for one of your own. Also for a slope of another function, or one that is not finite.

    Example:
        >>> import netwright as nw, torch
        >>> nw.Elementwise(torch.sin) == nw.Elementwise("sin")
        True

    Torch: torch.nn.ReLU and its like
    """

    function: str | Callable[..., Any]
    _: KW_ONLY
    slope: float | None = None
    ports = "... -> ..."
    family = "pointwise"

    def __post_init__(self) -> None:
        object.__setattr__(self, "function", _name(self.function))
        if self.slope is None:
            return
        if self.function not in SLOPES or not math.isfinite(self.slope):
            raise NetError(
                what="a slope is a finite number, for functions that have one",
                where=f"Elementwise, {self.function}",
                expected=" or ".join(SLOPES),
                got=f"slope={self.slope!r}",
            )
        if self.slope == SLOPES[str(self.function)]:
            object.__setattr__(self, "slope", None)  # so that it is equal to what it computes

    @property
    def kind_name(self) -> str:
        """The function's name: `relu1` in a path."""
        return str(self.function)

    def gives(self) -> Values:
        return "separate probabilities" if self.function == "sigmoid" else "numbers"

    def bounds(self) -> tuple[float, float]:
        if self.slope is not None:
            least = -self.slope if self.function == "elu" else -inf * self.slope if self.slope else 0
            return min(least, 0), inf
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
        function = FUNCTIONS[str(self.function)]
        return function(x) if self.slope is None else function(x, self.slope)

    def absorbed_by(self, before: Mapping[str, Any], w: Mapping[str, Any]) -> Mapping[str, Any] | None:
        product = before.get("product")
        if self.slope is not None or not isinstance(product, LinearProduct | FixedConvolution):
            return None
        both = product.then(str(self.function))
        return None if both is None else {**before, "product": both}

    def merged_with(self, before: LeafNode) -> tuple[LeafNode, ...] | None:
        """The logarithm of a softmax is taken at once: that is exact where a probability is too small for a float."""
        return (LogSoftmax(),) if self.function == "log" and is_softmax(before) else None

    def __repr__(self) -> str:
        if self.slope is not None:
            return shared_repr(self, f"Elementwise({self.function!r}, slope={literal(self.slope)})")
        return shared_repr(self, str(self.function) if self.function in NAMED else f"Elementwise({self.function!r})")


class AlongAxis(Leaf, abstract=True):
    """What treats each value by all others along one axis."""

    axis: int = -1
    needs_float32 = True
    family = "pointwise"

    @property
    def ports(self) -> str:  # pyright: ignore[reportIncompatibleVariableOverride]  # the ports follow from the field
        """Along the features the axes before are never mixed; any other axis is one of a run."""
        return "... k -> ... k" if self.axis == -1 else "*s -> *s"

    def __post_init__(self) -> None:
        if not -MOST_AXES <= self.axis < MOST_AXES:
            raise NetError(
                what=f"a value has at most {MOST_AXES} axes",
                where=type(self).__name__,
                expected=f"an axis from {-MOST_AXES} to {MOST_AXES - 1}",
                got=f"axis={self.axis!r}",
            )

    def relate(self, known: Mapping[str, Any]) -> dict[str, Any] | None:
        rank = None if self.axis == -1 or known["s"] is None else len(known["s"])
        if rank is not None and not -rank <= self.axis < rank:
            raise Unfit(
                f"its input has no axis {self.axis}",
                expected=f"{max(self.axis + 1, -self.axis)} axes or more",
                got=f"{rank}",
            )
        return None

    def span(self, port: str, axis: int, run: int, training: bool) -> Span | None:
        return (0, 0) if axis >= 0 and axis != self.axis % run else None

    def keeps(self, sizes: Mapping[str, Any], wanted: Collection[str]) -> Kept:
        return Kept(outputs=("*",))

    def own(self, x: Tensor, lengths: Lengths) -> tuple[int, Tensor | None]:
        """The axis in a batch, and the lengths of the examples along it."""
        if self.axis == -1:
            return x.ndim - 1, length_of(lengths, "k")
        axis = self.axis % (x.ndim - 1)
        return axis + 1, lengths_of(lengths, "s", x.ndim - 1)[axis]


class Softmax(AlongAxis):
    """Probabilities along one axis: yᵢ = exp xᵢ / Σⱼ exp xⱼ. `nw.softmax` is that along the last axis.

    Shapes: input (*s,), output (*s,).

    Fields:
        axis: by position in the example, negative from the end; −1, the features.

    Raises:
        NetError: an axis that no value can have.
        SizeError: an axis that the input does not have.

    Example:
        >>> import netwright as nw
        >>> nw.softmax(nw.batch([[0.0, 0.0]])).tolist(), nw.Softmax(0)(nw.batch([[[0.0], [0.0]]])).tolist()
        ([[0.5, 0.5]], [[[0.5], [0.5]]])

    Torch: torch.nn.Softmax
    """

    def gives(self) -> Values:
        return "class probabilities" if self.axis == -1 else "numbers"

    def bounds(self) -> tuple[float, float]:
        return 0, 1

    def alternatives(self, fault: LeafFault, sizes: Sequence[Any]) -> Iterator[LeafNode]:
        return iter([sigmoid] if fault == "one class" else [])

    def forward(self, w: Mapping[str, Tensor], x: Tensor, *, lengths: Lengths = NO_LENGTHS) -> Tensor:
        axis, length = self.own(x, lengths)
        return filled(x, length, -inf, axis).softmax(axis)  # (b, *s)

    def __repr__(self) -> str:
        return shared_repr(self, "softmax" if self.axis == -1 else f"Softmax({self.axis})")


class LogSoftmax(AlongAxis):
    """Logarithms of probabilities along one axis: yᵢ = xᵢ − log Σⱼ exp xⱼ. `nw.log_softmax` is that along the last.

    Shapes: input (*s,), output (*s,).

    Fields:
        axis: by position in the example, negative from the end; −1, the features.

    Raises:
        NetError: an axis that no value can have.
        SizeError: an axis that the input does not have.

    Example:
        >>> import netwright as nw
        >>> nw.log_softmax(nw.batch([[0.0]])).tolist()
        [[0.0]]

    Torch: torch.nn.LogSoftmax
    """

    @property
    def kind_name(self) -> str:
        return "log_softmax"

    def gives(self) -> Values:
        return "log probabilities" if self.axis == -1 else "numbers"

    def bounds(self) -> tuple[float, float]:
        return -inf, 0

    def forward(self, w: Mapping[str, Tensor], x: Tensor, *, lengths: Lengths = NO_LENGTHS) -> Tensor:
        axis, length = self.own(x, lengths)
        return log_softmax_of(x, length, axis)  # (b, *s)

    def __repr__(self) -> str:
        return shared_repr(self, "log_softmax" if self.axis == -1 else f"LogSoftmax({self.axis})")


def log_softmax_of(x: Tensor, length: Tensor | None, axis: int = -1) -> Tensor:
    """Logarithms of probabilities among the real elements of an axis; 0 behind them, where there is none."""
    return filled(filled(x, length, -inf, axis).log_softmax(axis), length, 0.0, axis)  # (b, *s)


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
exp, log, sin, cos, sqrt, square, abs, gelu_tanh, quick_gelu = map(Elementwise, NAMED[11:20])
mish, hardswish, hardsigmoid = map(Elementwise, NAMED[20:])
softmax = Softmax()
log_softmax = LogSoftmax()


def is_relu(leaf: LeafNode) -> bool:
    """Whether a leaf is ReLU, which commutes with every maximum."""
    return isinstance(leaf, Elementwise) and leaf.function == "relu"


def is_softmax(leaf: LeafNode) -> bool:
    """Whether a leaf gives probabilities along the last axis."""
    return isinstance(leaf, Softmax) and leaf.axis == -1
