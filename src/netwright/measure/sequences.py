"""Counts predictions of the elements of sequences: bits and perplexity for each element, and errors."""

import math
from collections.abc import Sequence
from dataclasses import replace

from netwright.errors import DataError
from netwright.measure.by_name import OF_ELEMENTS, Named
from netwright.measure.counts import Label
from netwright.measure.estimate import Estimate
from netwright.measure.positions import EveryPosition
from netwright.measure.tally import Metric, OfClasses, accuracy, error, log_loss, tops


class ElementCounts(EveryPosition):
    """Counts how well the elements of sequences are predicted; end marks count as elements.

    Memory: 8 k bytes for k elements, and 8 k² for a confusion matrix up to 1,000 of them.

    Fields:
        labels: the names of the k elements, in the order of the probabilities.
        top: the n of the top-n accuracies wanted, each from 2 to k.

    Raises: DataError when options or a batch do not fit; a refused batch changes nothing.

    Example:
        >>> import numpy as np
        >>> seen = ElementCounts(("a", "b"))
        >>> losses = seen.update([np.array([[0.5, 0.5], [0.25, 0.75]])], [np.array([0, 1])])
        >>> round(bits(seen).value, 4)
        0.7075
    """

    unit = "elements"

    def __init__(self, labels: Sequence[Label], top: Sequence[int] = ()) -> None:
        super().__init__(labels, top, "elements")

    @property
    def metrics(self) -> Sequence[Metric]:
        return (bits, perplexity, error, accuracy, *tops(self))

    @property
    def further(self) -> Sequence[Named]:
        return OF_ELEMENTS

    def over_classes(self, name: str, of: OfClasses) -> Estimate:
        """Raise an error: how the sequences differ is not counted for single elements."""
        raise DataError(
            what="means over classes are not counted for the elements of sequences",
            where=name,
            mend="nw.Each(nw.Category([…])) as the decoder, for a class at every position",
        )


def bits(seen: ElementCounts) -> Estimate:
    """The mean over elements of -log2 p(target), p clipped from below at 1e-12; the naive guess knows frequencies."""
    loss = log_loss(seen)
    value, low, high = (x / math.log(2) for x in (loss.value, loss.low, loss.high))
    baseline = None if loss.baseline is None else loss.baseline / math.log(2)
    name, naive = "bits per element", "frequencies alone"
    return replace(loss, name=name, value=value, low=low, high=high, baseline=baseline, baseline_name=naive)


def perplexity(seen: ElementCounts) -> Estimate:
    """2 to the power of the bits: the net is as uncertain as between so many equally likely elements."""
    exponent = bits(seen)
    baseline = None if exponent.baseline is None else 2**exponent.baseline
    high = 2**exponent.high if exponent.high < 1000 else math.inf
    ends = {"value": 2**exponent.value, "low": 2**exponent.low, "high": high}
    return replace(exponent, name="perplexity", baseline=baseline, **ends)
