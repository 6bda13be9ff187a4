"""What measuring a net gives, as a value: the numbers, and the examples it did worst on."""

from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias, cast

import numpy as np
from torch import Tensor

from netwright.errors import shortened
from netwright.measure.classification import ClassificationReport
from netwright.measure.positions import PositionsReport
from netwright.measure.regression import RegressionReport
from netwright.measure.sequences import SequencesReport
from netwright.measure.several import SeveralLabelsReport
from netwright.value import Value

Result: TypeAlias = ClassificationReport | PositionsReport | SequencesReport | SeveralLabelsReport | RegressionReport
LONGEST = 60  # characters of what is right, or was said, in a line: a class for every position may be thousands


class Example(Value):
    """One measured example.

    Fields:
        index: where it came in the data, from 0.
        input: the raw value, or a mapping by port where the net has several inputs.
        actual, predicted: what is right, and what the net said.
        loss: -ln p(actual) for labels, the squared error for numbers; the mean over positions where there are several.
        probabilities: every label with its probability; empty for numbers, and for a class at every position.
    """

    index: int
    input: Any
    actual: Any
    predicted: Any
    loss: float
    probabilities: Mapping[Any, float]


class Measured(Value):
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
        if isinstance(result, SequencesReport):
            return str(result.bits)
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
        if isinstance(self.result, PositionsReport):
            blocks[0] += f"\n{self.result.exact}\n{self.result.positions:,} positions; the intervals count examples"
        if isinstance(self.result, SequencesReport):
            blocks = [str(self.result)]
            if self.result.confusion is not None:
                blocks.append(
                    f"confusion matrix of elements, rows: actual, columns: predicted\n{self.result.confusion}"
                )
        if isinstance(self.result, ClassificationReport | PositionsReport):
            what = " of positions" if isinstance(self.result, PositionsReport) else ""
            blocks.append(f"confusion matrix{what}, rows: actual, columns: predicted\n{self.result.confusion}")
        if self.worst:
            lines = ["worst examples"]
            for e in self.worst:
                right, said = (shortened(repr(value), LONGEST) for value in (e.actual, e.predicted))
                lines.append(f"#{e.index}: {right}, taken for {said} (loss {e.loss:.3g})")
            blocks.append("\n".join(lines))
        return "\n\n".join(blocks)


class MeasuredOutputs(Mapping[str, Measured], Value, eq=False):
    """What a net with several outputs got right: a mapping from the name of an output to what was measured there."""

    outputs: Mapping[str, Measured]

    @property
    def headline(self) -> str:
        """The first number of each output, a line each."""
        return "\n".join(f"{name}: {measured.headline}" for name, measured in self.outputs.items())

    def to_json(self) -> dict[str, object]:
        """A plain dict by output."""
        return {name: measured.to_json() for name, measured in self.outputs.items()}

    def __getitem__(self, output: str) -> Measured:
        return self.outputs[output]

    def __iter__(self) -> Iterator[str]:
        return iter(self.outputs)

    def __len__(self) -> int:
        return len(self.outputs)

    def __str__(self) -> str:
        return "\n\n".join(f"{name}: {measured}" for name, measured in self.outputs.items())


def _plain(value: Any) -> object:
    """A value that JSON knows, or its text."""
    if isinstance(value, np.ndarray | Tensor):
        return value.tolist()
    if isinstance(value, tuple | list | set | frozenset):
        return [_plain(item) for item in cast(Any, value)]
    return value if isinstance(value, str | int | float | bool | None) else str(value)
