"""Counts the answers of nets that answer yes or no for each of several labels."""

from collections.abc import Sequence

import numpy as np

from netwright.errors import DataError
from netwright.measure.arrays import Rows, check_probabilities, check_shape, host
from netwright.measure.counts import Label
from netwright.measure.estimate import Estimate, Moments, plus, proportion
from netwright.measure.per_class import class_figures
from netwright.measure.report import ClassFigures
from netwright.measure.tally import (
    CLIP,
    MACROS,
    ClassTally,
    Metric,
    Triple,
)


class LabelCounts(ClassTally):
    """Counts answers of yes or no for k labels; an answer is yes when its probability is at least 0.5.

    Fields:
        labels: the k labels, in the order of the probabilities.

    Raises: DataError when options or a batch do not fit; a refused batch changes nothing.

    Example:
        >>> seen = LabelCounts(("red", "round"))
        >>> losses = seen.update(np.array([[0.9, 0.2], [0.6, 0.7]]), np.array([[1, 0], [0, 1]]))
        >>> print(labels_accuracy(seen))
        accuracy 75.0% (19.8-97.3, n=2), each label's commoner answer: 50.0%
    """

    def __init__(self, labels: Sequence[Label]) -> None:
        super().__init__(labels)
        k = len(self.labels)
        if k < 1 or len(set(map(str, self.labels))) < k:
            raise DataError(
                what="labels that are not all different",
                expected="at least one, each once",
                got=f"{list(self.labels)[:10]}",
            )
        self._counts = np.zeros((4, k), np.int64)  # right yes, wrong yes, missed yes, right no
        self._taught = np.zeros((2, k), np.int64)  # training examples, those that have the label
        self.exact = 0
        self.empty = 0
        self.log_losses: Moments | None = None

    def learn(self, right: Rows) -> None:
        t = host(right) != 0
        self._taught += np.stack([np.full(len(self.labels), len(t)), t.sum(axis=0)])
        self.informed = True

    def update(self, given: Rows, right: Rows) -> np.ndarray:
        """Add a batch.

        Shapes: given (b, k) probabilities; right (b, k) of 0 and 1.
        """
        k = len(self.labels)
        p, t = host(given), host(right)
        check_shape("probabilities", p, (len(p) if p.ndim else 0, k), f"one probability for each of the {k} labels")
        check_shape("targets", t, p.shape, "0 or 1 for each label")
        check_probabilities(p, self.n, sum_to_one=False)
        neither = ((t != 0) & (t != 1)).any(axis=1)
        if neither.any():
            row = int(np.argmax(neither))
            raise DataError(
                what="a target that is neither 0 nor 1",
                where=f"targets, row {self.n + row}",
                expected="0 or 1 for each label",
                got=f"{t[row].tolist()[:10]}",
            )
        return self._add(p.astype(np.float64), t != 0) if len(p) else np.empty(0)

    def _add(self, p: np.ndarray, t: np.ndarray) -> np.ndarray:
        yes = p >= 0.5  # (b, k), as the decoder decides
        self._counts += np.stack([(yes & t).sum(0), (yes & ~t).sum(0), (~yes & t).sum(0), (~yes & ~t).sum(0)])
        self.exact += int((yes == t).all(axis=1).sum())
        self.empty += int((~t).all(axis=1).sum())
        of_target = np.where(t, p, 1 - p)  # (b, k)
        self.clipped += int((of_target < CLIP).sum())
        losses = -np.log(np.maximum(of_target, CLIP)).mean(axis=1)  # (b,)
        self.log_losses = plus(self.log_losses, Moments.of(losses[:, None]))
        self.n += len(p)
        return losses

    @property
    def metrics(self) -> Sequence[Metric]:
        return (labels_accuracy, labels_exact, labels_log_loss, *MACROS)

    @property
    def share(self) -> np.ndarray:
        """(k,) the share of the examples that has each label."""
        return (self._counts[0] + self._counts[2]) / self.n

    @property
    def rates(self) -> np.ndarray:
        """(k,) the same, as the naive guess knows it."""
        return self._taught[1] / self._taught[0] if self.informed else self.share

    @property
    def right_answers(self) -> int:
        """How many answers of yes or no were right."""
        return int(self._counts[0].sum() + self._counts[3].sum())

    @property
    def always(self) -> str:
        return "each label's commoner answer"

    def triple(self) -> Triple:
        right, wrong, missed, _ = self._counts
        return right, wrong, missed

    def naive(self) -> Triple:
        actual, yes = self._counts[0] + self._counts[2], self.rates > 0.5
        return actual * yes, (self.n - actual) * yes, actual * ~yes

    def classes(self) -> tuple[ClassFigures, ...]:
        return class_figures(self.labels, self.triple(), self.n)


def labels_accuracy(seen: LabelCounts) -> Estimate:
    """The part of an example's labels answered right, averaged over examples.

    Answers within an example are not independent, so its interval counts examples, not answers: at least as wide as it
    should be.
    """
    guess = float(np.where(seen.rates > 0.5, seen.share, 1 - seen.share).mean())
    hits = seen.right_answers / len(seen.labels)
    return proportion("accuracy", hits, seen.n, baseline=guess, baseline_name=seen.always)


def labels_exact(seen: LabelCounts) -> Estimate:
    """The part of the examples with every label right."""
    return proportion("exact", seen.exact, seen.n, baseline=seen.empty / seen.n, baseline_name="always no label")


def labels_log_loss(seen: LabelCounts) -> Estimate:
    """The mean over labels, then examples, of -ln p(right answer), p clipped from below at 1e-12."""
    assert seen.log_losses is not None
    p = np.clip(seen.rates, CLIP, 1 - CLIP)  # (k,)
    guess = float(-(seen.share * np.log(p) + (1 - seen.share) * np.log(1 - p)).mean())
    return seen.log_losses.estimate("log loss", 0, baseline=guess, baseline_name="label frequencies")
