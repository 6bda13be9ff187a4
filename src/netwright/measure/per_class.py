"""Precision, recall and F1 of each class, alike for one class for each example and for several labels."""

from collections.abc import Sequence

import numpy as np

from netwright.measure.counts import Label
from netwright.measure.estimate import Moments, Shares, f1_score, plus, proportion
from netwright.measure.report import ClassFigures
from netwright.measure.tally import Outcomes


def class_figures(labels: Sequence[Label], outcomes: Outcomes, n: int) -> tuple[ClassFigures, ...]:
    """The figures of each class among n examples; the baseline of each is to predict this class for every example.

    Precision is the share of the predictions of the class that are right, undefined if there are none; recall is the
    share of the examples of the class that are predicted as such; F1 is their harmonic mean. Precision and recall have
    Wilson intervals, each of its own denominator.
    """
    return tuple(_one(label, *(int(each[i]) for each in outcomes[:3]), n=n) for i, label in enumerate(labels))


def _one(label: Label, right: int, wrong: int, missed: int, *, n: int) -> ClassFigures:
    count, always = right + missed, f'always "{label}"'
    share = count / n
    return ClassFigures(
        label=label,
        count=count,
        figures=(
            proportion("precision", right, right + wrong, baseline=share, baseline_name=always),
            proportion("recall", right, count, baseline=1.0 if count else None, baseline_name=always),
            f1_score("F1", right, wrong, missed, baseline=2 * share / (1 + share), baseline_name=always),
        ),
    )


class ByExample:
    """The counts of k classes where an example has several positions, which tend to be right or wrong together.

    Only sums are kept: 18 k numbers of the ratios and 24 k of the counts, whatever the number of examples.
    """

    def __init__(self, k: int) -> None:
        self._precision, self._recall, self._either = Shares(k), Shares(k), Shares(k)
        self._outcomes: Moments | None = None  # (k, 4) of an example
        self.totals = np.zeros((k, 4), np.int64)  # right, wrong, missed, and the rest, of all examples

    def add(self, right: np.ndarray, given: np.ndarray, actual: np.ndarray, lengths: np.ndarray) -> None:
        """Add examples of these lengths (b,): at how many positions each class is rightly said, is said, and is true.

        Shapes: right, given and actual (b, k).
        """
        self._precision.add(right, given)
        self._recall.add(right, actual)
        self._either.add(right, actual + given - right)
        rest = lengths[:, None] - given - actual + right
        four = np.stack([right, given - right, actual - right, rest], axis=2)  # (b, k, 4)
        self._outcomes = plus(self._outcomes, Moments.of(four))
        self.totals += four.sum(axis=0).astype(np.int64)

    def figures(self, labels: Sequence[Label], counts: np.ndarray, positions: int) -> tuple[ClassFigures, ...]:
        """The figures of each class, which stands at `counts` of the positions."""
        return tuple(self._one(i, label, int(counts[i]), positions) for i, label in enumerate(labels))

    def _one(self, i: int, label: Label, count: int, positions: int) -> ClassFigures:
        always, share = f'always "{label}"', count / positions
        return ClassFigures(
            label=label,
            count=count,
            figures=(
                self._precision.proportion("precision", i, baseline=share, baseline_name=always),
                self._recall.proportion("recall", i, baseline=1.0 if count else None, baseline_name=always),
                self._either.f1_score("F1", i, baseline=2 * share / (1 + share), baseline_name=always),
            ),
        )

    def variances(self, slopes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(k,) each: the variance of a class's own figure, and the examples behind it, by its slopes (4, k).

        The positions of an example move the figure together, so the variance is read from how examples differ.
        """
        assert self._outcomes is not None
        moments = self._outcomes
        spread = np.einsum("ik,kij,jk->k", slopes, moments.co, slopes)  # (4, k), (k, 4, 4), (4, k) -> (k,)
        examples = np.where(slopes[3] != 0, moments.n, self._either.examples)
        return spread * moments.n / max(1, moments.n - 1), examples
