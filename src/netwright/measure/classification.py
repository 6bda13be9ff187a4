"""Counts the answers of nets that choose one class for each example."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from netwright.measure.arrays import (
    Rows,
    check_choice,
    check_probabilities,
    check_shape,
    choices,
    class_indices,
    host,
    rank_of_target,
)
from netwright.measure.by_name import Named, of_classes
from netwright.measure.class_metrics import MACROS
from netwright.measure.counts import ConfusionMatrix, Label
from netwright.measure.estimate import Estimate, Moments, equal_coins, plus, proportion, wilson
from netwright.measure.per_class import class_figures
from netwright.measure.report import ClassFigures
from netwright.measure.tally import (
    CLIP,
    Choices,
    Metric,
    OfClasses,
    Outcomes,
    accuracy,
    error,
    log_loss,
    outcomes_of,
    slopes_of,
    tops,
)


class ClassCounts(Choices):
    """Counts one class for each example.

    Memory: 8 k² bytes for k labels, whatever the number of examples.

    Fields:
        labels: the k classes, in the order of the probabilities. With two labels, probabilities of shape (b, 1) are
            those of the second (yes or no: `(False, True)`).
        top: the n of the top-n accuracies wanted, each from 2 to k; none, for the accuracy is top 1.
        yes: of yes and no, the index of yes: figures of this class alone have their plain names. None for classes.

    Raises: DataError when options or a batch do not fit; a refused batch changes nothing.

    Example:
        >>> seen = ClassCounts(("cat", "dog"))
        >>> losses = seen.update(np.array([[0.9, 0.1], [0.4, 0.6], [0.7, 0.3]]), np.array([0, 1, 1]))
        >>> print(accuracy(seen))
        accuracy 66.7% (20.8-93.9, n=3), always "dog": 66.7%
    """

    def __init__(self, labels: Sequence[Label], top: Sequence[int] = (), yes: int | None = None) -> None:
        super().__init__(labels, top)
        check_choice(self.labels)
        k = len(self.labels)
        self.yes = yes
        self.counts = np.zeros((k, k), np.int64)  # by actual and predicted class
        self._top_hits = np.zeros(len(self.top), np.int64)
        self._log_losses: Moments | None = None

    def learn(self, right: Rows) -> None:
        self._learn(class_indices(host(right).reshape(len(right)), len(self.labels), 0))

    def update(self, given: Rows, right: Rows) -> np.ndarray:
        """Add a batch.

        Shapes: given (b, k) probabilities, or (b, 1) for two labels; right (b,) or (b, 1), indices below k.

        The predicted class is the most probable, the first of equals; of yes and no, yes from one half on.
        """
        k = len(self.labels)
        p, chosen = choices(host(given), k, "probabilities", f"one probability for each of the {k} labels")
        t = host(right)
        check_shape("targets", t.reshape(len(t), -1)[:, 0], (len(p),), "one class index an example")
        t = class_indices(t.reshape(len(p)), k, self.n)  # (b, 1) -> (b,)
        check_probabilities(p, self.n, sum_to_one=True)
        if not len(p):
            return np.empty(0)
        of_target = p[np.arange(len(p)), t]  # (b,)
        np.add.at(self.counts, (t, chosen), 1)
        if self.top:
            self._top_hits += (rank_of_target(p, t)[:, None] < np.array(self.top)).sum(axis=0)
        losses = -np.log(np.maximum(of_target.astype(np.float64), CLIP))  # (b,)
        self.clipped += int((of_target < CLIP).sum())
        self._log_losses = plus(self._log_losses, Moments.of(losses[:, None]))
        self.targets = self.counts.sum(axis=1)
        self.n += len(p)
        if self.kept is not None:
            self.kept.add(None, p=p, said=chosen, target=t)
        return losses

    @property
    def metrics(self) -> Sequence[Metric]:
        return (accuracy, error, *tops(self), log_loss, *MACROS)

    @property
    def further(self) -> Sequence[Named]:
        return of_classes(self.yes)

    @property
    def guess(self) -> tuple[Any, np.ndarray | None]:
        return self.labels[self.commonest[0]], self.known / self.known.sum()

    def part(self, name: str, column: int, *, baseline: float, baseline_name: str) -> Estimate:
        hits = int(self.counts.trace() if column == 0 else self._top_hits[column - 1])
        return proportion(name, hits, self.n, baseline=baseline, baseline_name=baseline_name)

    def mean_loss(self, name: str, *, baseline: float, baseline_name: str) -> Estimate:
        assert self._log_losses is not None
        return self._log_losses.estimate(name, 0, baseline=baseline, baseline_name=baseline_name)

    def outcomes(self) -> Outcomes:
        return outcomes_of(self.counts)

    def classes(self) -> tuple[ClassFigures, ...]:
        return class_figures(self.labels, self.outcomes(), self.n)

    def confusion(self) -> ConfusionMatrix:
        return ConfusionMatrix(self.labels, self.counts)

    def _interval(self, of: OfClasses, counts: Outcomes, value: float) -> tuple[float, float]:
        """Wilson's interval for as many examples as make a proportion vary as much as this mean over classes.

        An example is in one cell of the counts, so the delta method tells how far it moves the mean, and the variance
        is the sum of the squares of these moves. A class of few examples may have no mistake by chance, so each class
        that occurs is first mixed with one example that is right as often as all examples are.

        In simulations of macro precision, recall and F1 the truth is within in 94-97% of samples with 3 classes, of 5
        examples and of more. With 10 equally frequent classes it is 94-96% of samples of 100 examples and more, 91-95%
        of 50, and 83-88% of 20: a class that a sample lacks is left out of the mean, or counts as 0.

        Source: Takahashi et al., Confidence interval for micro-averaged F1 and macro-averaged F1 scores, Applied
        Intelligence 2022.
        """
        if not self.n > 1:
            return wilson(value, 1.0)
        rows, columns, k = self.counts.sum(axis=1), self.counts.sum(axis=0), len(self.labels)
        right = (np.trace(self.counts) + 1) / (self.n + 2)
        typical = np.full((k, k), (1 - right) / (k - 1))
        np.fill_diagonal(typical, right)
        mixed = np.where(rows[:, None] > 0, (self.counts + typical) * (rows / (rows + 1))[:, None], 0.0)  # (k, k)
        live = (rows + columns) > 0  # (k,)
        hits = mixed.diagonal()
        given, actual = np.maximum(mixed.sum(axis=0), 1), np.maximum(mixed.sum(axis=1), 1)
        rest = np.maximum(mixed.sum() - given - actual + hits, 0)
        slopes = slopes_of(of, hits, given - hits, actual - hits, rest) * live / live.sum()  # (4, k)
        hit, wrong, missed = slopes[:3] - slopes[3]  # (k,) each: instead of a true negative
        moved = missed[:, None] + wrong  # (k, k): missed for the actual class, wrong for the predicted one
        np.fill_diagonal(moved, hit)
        moved += slopes[3].sum()  # every unit is a true negative of the other classes
        inner = min(max(value, 0.5 / self.n), 1 - 0.5 / self.n)  # all right and all wrong vary, too
        coins = equal_coins(inner, float((mixed * moved**2).sum()), self.n, self.n - 1)
        return wilson(value * coins, coins)
