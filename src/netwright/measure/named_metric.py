"""`NamedMetric`: a metric that is computed only where its name asks for it, with what belongs to its figure."""

from collections.abc import Callable, Sequence
from typing import Any

from netwright.measure.curve import Curve
from netwright.measure.estimate import Estimate
from netwright.value import Value


class NamedMetric(Value, eq=False):
    """A metric with the name of its figure.

    Fields:
        title: the name of the figure.
        of: from a tally to the figure.
        keeps: it reads every answer, and not only sums, so that the answers have to be kept while measuring.
        each: the figure of every class, where it has one.
        curves: the curves that the figure sums up, where there are any.
        notes: what a reader has to know, such as classes that were left out.
    """

    title: str
    of: Callable[[Any], Estimate]
    keeps: bool = True
    each: Callable[[Any], Sequence[Estimate]] | None = None
    curves: Callable[[Any], Sequence[Curve]] | None = None
    notes: Callable[[Any], Sequence[str]] | None = None

    def __call__(self, seen: Any) -> Estimate:
        return self.of(seen)
