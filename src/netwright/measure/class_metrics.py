"""The figures that are computed class by class: precision, recall, specificity and their kin, each written once.

A `ClassMetric` gives the mean over classes, such as macro recall, and the figure of each class.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import cast

import numpy as np

from netwright.errors import DataError
from netwright.measure.estimate import Estimate
from netwright.measure.report import ClassFigures
from netwright.measure.tally import ClassTally, OfClasses, defined
from netwright.value import Value


class ClassMetric(Value, eq=False):
    """A figure of a class, from its true positives, false positives, false negatives and true negatives.

    Called with counts it gives the mean over classes; `each` gives the figure of every class.

    Fields:
        name: of the figure of one class; the mean is `macro` and this name.
        of: the figure, from arrays of the four counts with a number for each class; NaN where it is 0/0.
        signed: it goes from -1 to 1, and not from 0 to 1.
        less_is_better: as of a rate of mistakes.
        count: the figure is a share of all units, and is shown as their number.
    """

    name: str
    of: OfClasses
    signed: bool = False
    less_is_better: bool = False
    count: bool = False

    @property
    def title(self) -> str:
        """The name of the mean over classes."""
        return f"macro {self.name}"

    def __call__(self, seen: ClassTally) -> Estimate:
        return self._scaled(seen.over_classes(self.title, self._counted_share), seen)

    def each(self, seen: ClassTally) -> tuple[Estimate, ...]:
        """The figure of every class; the baseline is to predict this class for every unit."""
        tp, _, fn, _ = (counts.astype(np.float64) for counts in seen.outcomes())
        none = np.zeros_like(tp)
        guesses = defined(self._share, tp + fn, seen.counted - tp - fn, none, none)
        return tuple(
            self._scaled(
                Estimate(
                    name=self.name,
                    value=value,
                    low=low,
                    high=high,
                    n=int(units),
                    baseline=None if np.isnan(guess) else float(guess),
                    baseline_name=f'always "{label}"',
                    percent=True,
                ),
                seen,
            )
            for label, (value, low, high), guess, units in zip(
                seen.labels, seen.of_each(self._share), guesses, self._units(seen), strict=True
            )
        )

    def _share(self, tp: np.ndarray, fp: np.ndarray, fn: np.ndarray, tn: np.ndarray) -> np.ndarray:
        """The figure within 0 to 1."""
        found = self.of(tp, fp, fn, tn)
        return (found + 1) / 2 if self.signed else found

    def _counted_share(self, tp: np.ndarray, fp: np.ndarray, fn: np.ndarray, tn: np.ndarray) -> np.ndarray:
        """The figure within 0 to 1, where one that is 0/0 counts as 0 in a mean."""
        found = np.nan_to_num(self.of(tp, fp, fn, tn))
        return (found + 1) / 2 if self.signed else found

    def _units(self, seen: ClassTally) -> np.ndarray:
        """(k,) how many units the figure of each class is computed from: those that one more of would move it."""
        counts = [each.astype(np.float64) for each in seen.outcomes()]
        found = np.zeros(len(seen.labels))
        for place, units in enumerate(counts):
            more = [one + (i == place) for i, one in enumerate(counts)]
            found += units * (defined(self.of, *more) != defined(self.of, *counts))
        return found

    def _scaled(self, share: Estimate, seen: ClassTally) -> Estimate:
        """The estimate in the unit of the figure, from one within 0 to 1."""

        def scaled(x: float) -> float:
            return 2 * x - 1 if self.signed else x * seen.counted if self.count else x

        return replace(
            share,
            value=scaled(share.value),
            low=scaled(share.low),
            high=scaled(share.high),
            baseline=None if share.baseline is None else scaled(share.baseline),
            percent=not (self.signed or self.count),
            less_is_better=self.less_is_better,
        )


class OneClass(Value, eq=False):
    """The figure of one class under its plain name: of yes and no, `recall` is that of yes."""

    metric: ClassMetric
    index: int

    @property
    def title(self) -> str:
        return self.metric.name

    def __call__(self, seen: ClassTally) -> Estimate:
        return self.metric.each(seen)[self.index]


def _informedness(tp: np.ndarray, fp: np.ndarray, fn: np.ndarray, tn: np.ndarray) -> np.ndarray:
    return tp / (tp + fn) + tn / (tn + fp) - 1


def _markedness(tp: np.ndarray, fp: np.ndarray, fn: np.ndarray, tn: np.ndarray) -> np.ndarray:
    return tp / (tp + fp) + tn / (tn + fn) - 1


def _matthews(tp: np.ndarray, fp: np.ndarray, fn: np.ndarray, tn: np.ndarray) -> np.ndarray:
    sides = (tp + fp) * (tp + fn) * (tn + fp) * (tn + fn)
    return np.where(sides > 0, (tp * tn - fp * fn) / np.sqrt(np.maximum(sides, 1e-300)), 0.0)


def f_score(beta: float) -> ClassMetric:
    """The F-score of each class: recall counts `beta` times as much as precision.

    F = (1 + β²) tp / ((1 + β²) tp + fp + β² fn), for `nw.measure(…, metrics=[nw.f_score(2)])`. F1, with β = 1, is in
    every report.

    Fields: `beta` above 1 for recall, below 1 for precision.

    Raises: DataError for a `beta` that is not above 0.

    Example:
        >>> import netwright as nw
        >>> net = nw.Chain(nw.softmax, input=2, output=nw.Category(["cat", "dog"]))
        >>> data = ([[0.0, 1.0], [1.0, 0.0], [2.0, 0.0]], ["dog", "cat", "dog"])
        >>> report = nw.measure(net, data, metrics=[nw.f_score(2)])
        >>> print(report.macro_f2)
        macro F2 69.4% (7.9-98.4, n=3), always "dog": 45.5%
        >>> [f"{one.label}: {one.f2.value:.3f}" for one in report.classes]
        ['cat: 0.833', 'dog: 0.556']

    Source: van Rijsbergen, Information Retrieval, 1979.
    """
    if not (isinstance(cast(object, beta), int | float) and beta > 0):
        raise DataError(what="the beta of an F-score is a number above 0", where="f_score", got=repr(beta))
    more = beta**2

    def of(tp: np.ndarray, fp: np.ndarray, fn: np.ndarray, tn: np.ndarray) -> np.ndarray:
        del tn
        return (1 + more) * tp / ((1 + more) * tp + fp + more * fn)

    return ClassMetric(f"F{beta:g}", of)


PRECISION = ClassMetric("precision", lambda tp, fp, fn, tn: tp / (tp + fp))
RECALL = ClassMetric("recall", lambda tp, fp, fn, tn: tp / (tp + fn))
F1 = f_score(1)
MACROS: Sequence[ClassMetric] = (PRECISION, RECALL, F1)
"""Those of which a report always shows the mean over classes, and the figure of each class."""
RATES: Sequence[ClassMetric] = (
    ClassMetric("specificity", lambda tp, fp, fn, tn: tn / (tn + fp)),
    ClassMetric("negative predictive value", lambda tp, fp, fn, tn: tn / (tn + fn)),
    ClassMetric("false positive rate", lambda tp, fp, fn, tn: fp / (fp + tn), less_is_better=True),
    ClassMetric("false negative rate", lambda tp, fp, fn, tn: fn / (fn + tp), less_is_better=True),
    ClassMetric("false discovery rate", lambda tp, fp, fn, tn: fp / (fp + tp), less_is_better=True),
    ClassMetric("false omission rate", lambda tp, fp, fn, tn: fn / (fn + tn), less_is_better=True),
    ClassMetric("informedness", _informedness, signed=True),
    ClassMetric("markedness", _markedness, signed=True),
    ClassMetric("Matthews", _matthews, signed=True),
    ClassMetric("IoU", lambda tp, fp, fn, tn: tp / (tp + fp + fn)),
    ClassMetric("true positives", lambda tp, fp, fn, tn: tp / (tp + fp + fn + tn), count=True),
    ClassMetric("false positives", lambda tp, fp, fn, tn: fp / (tp + fp + fn + tn), count=True, less_is_better=True),
    ClassMetric("false negatives", lambda tp, fp, fn, tn: fn / (tp + fp + fn + tn), count=True, less_is_better=True),
    ClassMetric("true negatives", lambda tp, fp, fn, tn: tn / (tp + fp + fn + tn), count=True),
)
"""Those that `metrics=` asks for by name."""


def of_yes(index: int) -> Sequence[OneClass]:
    """All figures of classes under their plain names, for the class at `index`.

    Matthews' correlation is not among them, since that of two classes is the same for both, and for all answers.
    """
    return [OneClass(metric, index) for metric in (*MACROS, *RATES) if metric.of is not _matthews]


def with_figures(classes: tuple[ClassFigures, ...], columns: Sequence[Sequence[Estimate]]) -> tuple[ClassFigures, ...]:
    """The figures of classes, with further ones: a column for each figure, with an estimate for every class."""
    return tuple(
        replace(one, figures=(*one.figures, *(column[i] for column in columns))) for i, one in enumerate(classes)
    )
