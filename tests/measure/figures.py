"""The figures of counts in a test: what each of their metrics gives."""

from netwright.measure.report import Figures
from netwright.measure.tally import Tally


def figures(seen: Tally) -> Figures:
    """All figures, also as attributes."""
    return Figures(tuple(metric(seen) for metric in seen.metrics))
