"""A measurement of one's own: a function of all answers and targets, with an interval by drawing examples anew."""

import inspect
import math
import warnings
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor

from netwright.codecs.codec import Codec
from netwright.codecs.numeric import plain_number
from netwright.errors import DataError, shortened
from netwright.measure.estimate import Estimate, student
from netwright.seeds import seed_of

RESAMPLES = 400  # more would move an end by less than a tenth of the interval's width
COUNTS, ANSWERS, PROBABILITIES = 1, 2, 3


def parameters_of(function: Callable[..., Any]) -> int:
    """How many arguments a metric takes: 1 counts, 2 answers and targets, 3 the probabilities too.

    Raises: DataError for another number.

    Example:
        >>> parameters_of(lambda answers, targets: 0.0)
        2
    """
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):  # a function of another language says nothing about itself
        return ANSWERS
    wanted = [one for one in parameters if one.kind in (one.POSITIONAL_ONLY, one.POSITIONAL_OR_KEYWORD)]
    count = sum(one.default is one.empty for one in wanted)
    if count not in (COUNTS, ANSWERS, PROBABILITIES):
        raise DataError(
            what=f"a metric takes counts, or answers and targets, or these and probabilities, and {name_of(function)} "
            f"takes {count} arguments",
            where="metrics",
            expected="def f(seen), def f(answers, targets) or def f(answers, targets, probabilities)",
        )
    return count


def name_of(function: Callable[..., Any]) -> str:
    """The name of a function, or of the class of an object that is called."""
    return getattr(function, "__name__", type(function).__name__)


class AnswerList:
    """The answers of a net as its decoder gives them, with their targets, for functions of one's own."""

    def __init__(self, codec: Codec) -> None:
        self.codec = codec
        self.answers: list[Any] = []
        self.targets: list[Any] = []
        self.outputs: list[Tensor] = []

    def add(self, given: Sequence[Tensor] | Tensor, targets: Sequence[Any], places: Sequence[Any] | None) -> None:
        """Add examples; `places` say where raw inputs lie in the encoded ones, for answers about places."""
        said = [self.codec.decode(row) for row in given]
        if places is not None:
            said = [one if at is None else self.codec.on_input(one, at) for one, at in zip(said, places, strict=True)]
        self.answers += said
        self.targets += [plain_number(target) for target in targets]
        self.outputs += [*given]

    def figure(self, function: Callable[..., Any], guess: tuple[Any, np.ndarray | None] | None) -> Estimate:
        """What the function says of all examples; `guess` is the naive answer, where there is one.

        Raises: DataError for a function that gives no number.
        """
        count, name, n = parameters_of(function), name_of(function), len(self.answers)
        same = len({tuple(output.shape) for output in self.outputs}) == 1
        outputs = torch.stack(self.outputs).numpy() if same else [output.numpy() for output in self.outputs]

        def at(rows: np.ndarray | None) -> Any:
            columns = [self.answers, self.targets, outputs][:count]
            return function(*(column if rows is None else _rows(column, rows) for column in columns))

        given = at(None)
        if isinstance(given, Estimate):
            return given
        value = _number(name, given)
        low, high = resampled_interval(lambda rows: float(at(rows)), value, n, name)
        return Estimate(
            name=name,
            value=value,
            low=low,
            high=high,
            n=n,
            baseline=self._baseline(function, count, guess),
            baseline_name="" if guess is None else f"always {_shown(guess[0])}",
        )

    def _baseline(
        self, function: Callable[..., Any], count: int, guess: tuple[Any, np.ndarray | None] | None
    ) -> float | None:
        """What the function says of the naive answer; None where it has nothing to say of that."""
        if guess is None or (count == PROBABILITIES and guess[1] is None):
            return None
        n = len(self.answers)
        columns = [[guess[0]] * n, self.targets, None if guess[1] is None else np.tile(guess[1], (n, 1))][:count]
        with warnings.catch_warnings(), suppress(Exception):
            warnings.simplefilter("error")
            found = float(function(*columns))
            return None if math.isnan(found) else found
        return None


def resampled_interval(at: Callable[[np.ndarray], float], value: float, n: int, seed: object) -> tuple[float, float]:
    """The 95% interval of a figure of n examples, from the figure of examples drawn anew, with repetition.

    The ends are percentiles of 400 such figures, farther out where examples are few: those that a normal distribution
    has at √(n / (n - 1)) t. Draws of which the figure cannot be computed are left out. Where no draw differs from
    another, nothing tells how the figure would vary, and the ends are infinite.

    Args:
        at: the figure of the examples at these indices (n,).

    Source: Hesterberg, What teachers should know about the bootstrap, The American Statistician 2015.
    """
    if n < 2 or math.isnan(value):
        return -math.inf, math.inf
    random = np.random.default_rng(seed_of("bootstrap", seed))
    found: list[float] = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for _ in range(RESAMPLES):
            rows = random.integers(0, n, n)
            with suppress(Exception):  # such as a draw in which a class is missing
                found.append(at(rows))
    finite = np.array([x for x in found if math.isfinite(x)])
    if len(finite) < RESAMPLES / 2 or not finite.max() > finite.min():
        return -math.inf, math.inf
    outside = math.erfc(math.sqrt(n / (n - 1)) * student(n - 1) / math.sqrt(2)) / 2
    low, high = np.quantile(finite, [outside, 1 - outside])
    return min(float(low), value), max(float(high), value)


def _rows(column: Any, rows: np.ndarray) -> Any:
    return column[rows] if isinstance(column, np.ndarray) else [column[i] for i in rows]


def _number(name: str, given: object) -> float:
    if not isinstance(given, str):
        with suppress(TypeError, ValueError, OverflowError):
            return float(cast(Any, given))
    raise DataError(
        what=f"the metric {name} gave no number",
        where="metrics",
        expected="a number, or an Estimate",
        got=shortened(repr(given), 80),
    )


def _shown(guess: Any) -> str:
    return f"{guess:.3g}" if isinstance(guess, float) else f'"{guess}"'
