"""The examples a net does worst on teach more than its mean: this keeps the few of largest loss as data streams by."""

import numpy as np

from netwright.errors import DataError
from netwright.measure.estimate import json_number
from netwright.value import Value


class WorstExamples(Value):
    """The examples of largest loss, the worst first; of losses equal to four digits the earlier example first.

    Fields: `indices` in the order in which the examples came, from 0; `losses` beside them.
    """

    indices: tuple[int, ...] = ()
    losses: tuple[float, ...] = ()

    def to_json(self) -> list[dict[str, object]]:
        """A plain list of `{"index", "loss"}`."""
        pairs = zip(self.indices, self.losses, strict=True)
        return [{"index": index, "loss": json_number(loss)} for index, loss in pairs]

    def __str__(self) -> str:
        """Index and loss of each, five on a line."""
        pairs = zip(self.indices, self.losses, strict=True)
        texts = [f"#{index} (loss {loss:.3g})" for index, loss in pairs]
        return ",\n".join(", ".join(texts[i : i + 5]) for i in range(0, len(texts), 5))


class Worst:
    """Keeps the `count` worst examples over batches, in memory for `count` of them.

    Raises: DataError when `count` is negative.

    Example:
        >>> worst = Worst(2)
        >>> worst.update(np.array([0.5, 3.0, 0.1]))
        >>> worst.update(np.array([7.0]))
        >>> print(worst.result())
        #3 (loss 7), #1 (loss 3)
    """

    def __init__(self, count: int) -> None:
        if count < 0:
            raise DataError(what="a negative number of worst examples", expected="0 or more", got=f"{count}")
        self.count = count
        self.seen = 0
        self._kept = (np.empty(0, np.int64), np.empty(0, np.float64))

    def update(self, losses: np.ndarray) -> None:
        """Add the next examples' losses, (b,)."""
        self._keep(np.arange(self.seen, self.seen + len(losses)), losses.astype(np.float64))
        self.seen += len(losses)

    def merge(self, other: "Worst") -> "Worst":
        """One that has seen this one's examples, then the other's."""
        both = Worst(self.count)
        both._kept, both.seen = self._kept, self.seen + other.seen
        both._keep(other._kept[0] + self.seen, other._kept[1])
        return both

    def result(self) -> WorstExamples:
        """The worst so far."""
        indices, losses = self._kept
        return WorstExamples(tuple(indices.tolist()), tuple(losses.tolist()))

    def _keep(self, indices: np.ndarray, losses: np.ndarray) -> None:
        indices, losses = np.concatenate([self._kept[0], indices]), np.concatenate([self._kept[1], losses])
        if 0 < self.count < len(losses):  # sorting all of a large batch would cost more than all the rest
            least = _rounded(np.partition(losses, -self.count)[-self.count])
            near = _rounded(losses) >= least
            indices, losses = indices[near], losses[near]
        order = np.argsort(-_rounded(losses), kind="stable")[: self.count]
        self._kept = (indices[order], losses[order])


def _rounded(losses: np.ndarray) -> np.ndarray:
    """Losses without their last bits, which differ from processor to processor and from batch to batch."""
    fraction, exponent = np.frexp(losses)
    return np.ldexp(np.round(fraction * 2**14), exponent - 14)
