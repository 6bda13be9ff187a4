"""What measuring a net gives, as a value: the numbers, and the examples it did worst on."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias, cast

import numpy as np
from torch import Tensor

from netwright.metrics.classification import ClassificationReport
from netwright.metrics.regression import RegressionReport
from netwright.metrics.several import SeveralLabelsReport

Result: TypeAlias = ClassificationReport | SeveralLabelsReport | RegressionReport


@dataclass(frozen=True)
class Example:
    """One measured example.

    Fields:
        index: where it came in the data, from 0.
        input: the raw value, or a mapping by port where the net has several inputs.
        actual, predicted: what is right, and what the net said.
        loss: -ln p(actual) for labels, the squared error for numbers.
        probabilities: every label with its probability; empty for numbers.
    """

    index: int
    input: Any
    actual: Any
    predicted: Any
    loss: float
    probabilities: Mapping[Any, float]


@dataclass(frozen=True)
class Measured:
    """What a net got right; prints its headline, and the confusion matrix where there is one.

    Fields:
        output: the name of the output that was measured.
        result: every number with its interval and baseline: accuracy or mean squared error, per class, …
        worst: the examples of largest loss, the worst first.
    """

    output: str
    result: Result
    worst: tuple[Example, ...]

    @property
    def headline(self) -> str:
        """The first number in one line."""
        result = self.result
        return str(result.mse if isinstance(result, RegressionReport) else result.accuracy)

    def to_json(self) -> dict[str, object]:
        """A plain dict; the worst examples without their inputs."""
        worst = [
            {"index": e.index, "actual": _plain(e.actual), "predicted": _plain(e.predicted), "loss": e.loss}
            for e in self.worst
        ]
        return {**self.result.to_json(), "output": self.output, "worst": worst}

    def __str__(self) -> str:
        blocks = [self.headline]
        if isinstance(self.result, ClassificationReport):
            blocks.append(f"confusion matrix, rows: actual, columns: predicted\n{self.result.confusion}")
        if self.worst:
            lines = [f"#{e.index}: {e.actual!r}, taken for {e.predicted!r} (loss {e.loss:.3g})" for e in self.worst]
            blocks.append("\n".join(["worst examples", *lines]))
        return "\n\n".join(blocks)


def _plain(value: Any) -> object:
    """A value that JSON knows, or its text."""
    if isinstance(value, np.ndarray | Tensor):
        return value.tolist()
    if isinstance(value, tuple | list | set | frozenset):
        return [_plain(item) for item in cast(Any, value)]
    return value if isinstance(value, str | int | float | bool | None) else str(value)
