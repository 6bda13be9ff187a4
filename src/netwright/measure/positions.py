"""Counts a class at every position, where the positions of one example are not independent."""

from collections.abc import Sequence

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
from netwright.measure.estimate import Estimate, Shares, proportion
from netwright.measure.per_class import ByExample
from netwright.measure.report import ClassFigures
from netwright.measure.tally import (
    CLIP,
    Choices,
    Metric,
    Outcomes,
    Triple,
    accuracy,
    error,
    log_loss,
    outcomes_of,
    tops,
)

MOST_CLASSES = 1000  # of which a confusion matrix is kept: 8 MB


class EveryPosition(Choices):
    """The common counts of classes and of elements at every position; positions are never kept.

    Every position counts once, so that a long example counts for more than a short one. The positions of one example
    tend to be right or wrong together: all intervals are read from how examples differ, and `n` of a figure is how many
    examples stand behind it.
    """

    unit = "positions"

    def __init__(self, labels: Sequence[Label], top: Sequence[int] = (), noun: str = "labels") -> None:
        super().__init__(labels, top, noun)
        k = len(self.labels)
        self.counts = np.zeros((k, k), np.int64) if k <= MOST_CLASSES else None  # by actual and predicted class
        self.hits = Shares(2 + len(self.top))  # right, right among the first n, -ln p: of the positions

    @property
    def counted(self) -> int:
        return int(self.targets.sum())

    def learn(self, right: Rows) -> None:
        flat = np.concatenate([host(one).reshape(-1) for one in right])
        self._learn(class_indices(flat, len(self.labels), 0))

    def update(self, given: Rows, right: Rows) -> np.ndarray:
        """Add a batch of examples.

        Shapes: given, for each example, (*positions, k) probabilities, or (*positions, 1) for two labels; right, for
            each, (*positions) indices.

        The predicted class is the most probable, the first of equals; of yes and no, yes from one half on.
        """
        k = len(self.labels)
        losses = np.full(len(given), np.nan)
        there: list[int] = []  # examples with positions
        ps: list[np.ndarray] = []
        said: list[np.ndarray] = []
        ts: list[np.ndarray] = []
        for row, (output, wanted) in enumerate(zip(given, right, strict=True)):
            i = self.seen + row
            means = f"one for each of the {k} labels at every position"
            p, t = host(output), host(wanted).reshape(-1)
            flat = p.reshape(-1, p.shape[-1])  # (*positions, k) -> (p, k)
            p, chosen = choices(flat, k, f"probabilities of example {i}", means)
            check_shape(f"targets of example {i}", t, (len(p),), "a class index for each position that the net gave")
            if len(p):
                there.append(row)
                ps.append(p)
                said.append(chosen)
                ts.append(class_indices(t, k, 0))
        for p in ps:
            check_probabilities(p, 0, sum_to_one=True)
        self.without += len(losses) - len(there)
        if not ps:
            return losses
        sums = [self._sums(*one) for one in zip(ps, said, ts, strict=True)]
        lengths = np.array([len(t) for t in ts])  # (b,)
        rows = np.array(sums)  # (b, 2 + top)
        self.hits.add(rows, np.broadcast_to(lengths[:, None], rows.shape))
        self._add(np.concatenate(said), np.concatenate(ts), np.repeat(np.arange(len(ps)), lengths))
        if self.kept is not None:
            self.kept.add(lengths, p=np.concatenate(ps), said=np.concatenate(said), target=np.concatenate(ts))
        self.n += len(ps)
        losses[there] = rows[:, -1] / lengths
        return losses

    def _sums(self, p: np.ndarray, said: np.ndarray, t: np.ndarray) -> list[float]:
        """Sums over the positions of one example: how many are right, right among the first n, and -ln p."""
        of_target = p[np.arange(len(p)), t].astype(np.float64)
        self.clipped += int((of_target < CLIP).sum())
        loss = -np.log(np.maximum(of_target, CLIP)).sum()
        rank = rank_of_target(p, t) if self.top else np.empty(0)
        return [float((said == t).sum()), *(float((rank < n).sum()) for n in self.top), float(loss)]

    def _add(self, said: np.ndarray, t: np.ndarray, example: np.ndarray) -> None:
        """Count positions; `example` (positions,) gives the example of each."""
        del example
        k = len(self.labels)
        self.targets += np.bincount(t, minlength=k)
        if self.counts is not None:
            self.counts += np.bincount(t * k + said, minlength=k * k).reshape(k, k)

    def part(self, name: str, column: int, *, baseline: float, baseline_name: str) -> Estimate:
        return self.hits.proportion(name, column, baseline=baseline, baseline_name=baseline_name)

    def mean_loss(self, name: str, *, baseline: float, baseline_name: str) -> Estimate:
        return self.hits.mean(name, 1 + len(self.top), baseline=baseline, baseline_name=baseline_name)

    def outcomes(self) -> Outcomes:
        return outcomes_of(np.zeros((1, 1), np.int64) if self.counts is None else self.counts)

    def confusion(self) -> ConfusionMatrix | None:
        return None if self.counts is None else ConfusionMatrix(self.labels, self.counts.copy())

    def notes(self) -> tuple[str, ...]:
        many = f"more than {MOST_CLASSES:,} {self.unit}: no confusion matrix"
        return (*super().notes(), *([many] if self.counts is None else []))


class PositionCounts(EveryPosition):
    """Counts a class for every position of examples that may differ in length.

    Memory: 8 k² bytes for k labels, whatever the number of examples.

    Fields:
        labels: the k classes, in the order of the probabilities. With two labels, probabilities of shape (p, 1) are
            those of the second (yes or no: `(False, True)`).
        top: the n of the top-n accuracies wanted, each from 2 to k.
        yes: of yes and no, the index of yes: figures of this class alone have their plain names. None for classes.

    Raises: DataError when options or a batch do not fit; a refused batch changes nothing.

    Example:
        >>> seen = PositionCounts(("noun", "verb"))
        >>> short, long = np.array([[0.7, 0.3]]), np.array([[0.9, 0.1], [0.4, 0.6]])
        >>> losses = seen.update([short, long], [np.array([1]), np.array([0, 1])])
        >>> print(accuracy(seen))
        accuracy 66.7% (1.0-99.8, n=2), always "verb": 66.7%
    """

    def __init__(self, labels: Sequence[Label], top: Sequence[int] = (), yes: int | None = None) -> None:
        super().__init__(labels, top)
        check_choice(self.labels)
        k = len(self.labels)
        self.yes = yes
        self._by_example = ByExample(k)
        self._uniform = np.zeros(k, np.int64)  # examples with this class at every position
        self._exact = 0

    def _add(self, said: np.ndarray, t: np.ndarray, example: np.ndarray) -> None:
        super()._add(said, t, example)
        b, k = int(example[-1]) + 1, len(self.labels)
        lengths, right = np.bincount(example, minlength=b), said == t  # (b,), (positions,)

        def by_class(classes: np.ndarray, kept: slice | np.ndarray = slice(None)) -> np.ndarray:
            return np.bincount((example * k + classes)[kept], minlength=b * k).reshape(b, k)

        actual, given, both = by_class(t), by_class(said), by_class(t, right)  # (b, k) each
        self._by_example.add(both, given, actual, lengths)
        self._uniform += (actual == lengths[:, None]).sum(axis=0)
        self._exact += int((both.sum(axis=1) == lengths).sum())

    @property
    def metrics(self) -> Sequence[Metric]:
        return (accuracy, error, *tops(self), exact_positions, log_loss, *MACROS)

    @property
    def further(self) -> Sequence[Named]:
        return of_classes(self.yes)

    def outcomes(self) -> Outcomes:
        right, wrong, missed, rest = self._by_example.totals.T
        return right, wrong, missed, rest

    def exact(self, name: str) -> Estimate:
        """The part of the examples with every position right."""
        guess = float(self._uniform[self.commonest[0]] / self.n)
        return proportion(name, self._exact, self.n, baseline=guess, baseline_name=self.always)

    def classes(self) -> tuple[ClassFigures, ...]:
        return self._by_example.figures(self.labels, self.targets, self.counted)

    def _variances(self, slopes: np.ndarray) -> Triple:
        return *self._by_example.variances(slopes), np.sum(self.outcomes(), axis=0)


def exact_positions(seen: PositionCounts) -> Estimate:
    """The part of the examples with every position right."""
    return seen.exact("exact")
