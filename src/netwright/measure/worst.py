"""Keeps the examples of largest loss while batches are added, since they teach more about a net than its mean."""

import numpy as np

from netwright.errors import DataError


class Worst:
    """Keeps the `count` worst examples over batches, in memory for `count` of them.

    Raises: DataError when `count` is negative.

    Example:
        >>> worst = Worst(2)
        >>> worst.update(np.array([0.5, 3.0, 0.1]))
        >>> worst.update(np.array([7.0]))
        >>> worst.result()
        [(3, 7.0), (1, 3.0)]
    """

    def __init__(self, count: int) -> None:
        if count < 0:
            raise DataError(what="a negative number of worst examples", expected="0 or more", got=f"{count}")
        self.count = count
        self.seen = 0
        self._kept = (np.empty(0, np.int64), np.empty(0, np.float64))

    def update(self, losses: np.ndarray) -> None:
        """Add the next examples' losses, (b,); NaN for an example that does not count."""
        counts = np.flatnonzero(~np.isnan(losses))
        self._keep(self.seen + counts, losses[counts].astype(np.float64))
        self.seen += len(losses)

    def result(self) -> list[tuple[int, float]]:
        """Index and loss of each, the worst first; of losses equal to four digits the earlier example first."""
        indices, losses = self._kept
        return list(zip(indices.tolist(), losses.tolist(), strict=True))

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
