"""Counts the answers of nets that answer yes or no for each of several labels."""

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from netwright.errors import DataError
from netwright.measure.arrays import Rows, check_probabilities, check_shape, host
from netwright.measure.by_name import OF_LABELS, Named
from netwright.measure.class_metrics import MACROS
from netwright.measure.counts import Label
from netwright.measure.estimate import Estimate, Moments, Shares, plus, proportion
from netwright.measure.per_class import ByExample, class_figures
from netwright.measure.report import ClassFigures
from netwright.measure.tally import (
    CLIP,
    ClassTally,
    Metric,
    Outcomes,
    Triple,
)


class LabelAnswers(ClassTally):
    """The sums where each of k labels is true or false by itself, for an example or at each of its positions.

    An answer is yes when its probability is at least 0.5, as the decoder decides.
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
        self._taught = np.zeros((2, k), np.int64)  # training examples or positions, those that have the label
        self._exact = 0
        self._empty = 0

    @property
    def metrics(self) -> Sequence[Metric]:
        return (labels_accuracy, labels_exact, labels_log_loss, *MACROS)

    @property
    def further(self) -> Sequence[Named]:
        return OF_LABELS

    @abstractmethod
    def part(self, name: str, *, baseline: float, baseline_name: str) -> Estimate:
        """The part of the answers that are right."""

    @abstractmethod
    def mean_loss(self, name: str, *, baseline: float, baseline_name: str) -> Estimate:
        """The mean of -ln p(right answer)."""

    def exact(self, name: str) -> Estimate:
        """The part of the examples with every answer right; the naive guess gives no label."""
        empty = self._empty / self.n
        return proportion(name, self._exact, self.n, baseline=empty, baseline_name="always no label")

    @property
    def share(self) -> np.ndarray:
        """(k,) the share of the examples, or of their positions, that has each label."""
        return (self._counts[0] + self._counts[2]) / self.counted

    @property
    def rates(self) -> np.ndarray:
        """(k,) the same, as the naive guess knows it."""
        return self._taught[1] / self._taught[0] if self.informed else self.share

    @property
    def always(self) -> str:
        return "each label's commoner answer"

    def outcomes(self) -> Outcomes:
        right, wrong, missed, rest = self._counts
        return right, wrong, missed, rest

    def naive(self) -> Outcomes:
        actual, yes = self._counts[0] + self._counts[2], self.rates > 0.5
        others = self.counted - actual
        return actual * yes, others * yes, actual * ~yes, others * ~yes

    def _learn(self, t: np.ndarray) -> None:
        """Add answers of training data, (rows, k)."""
        self._taught += np.stack([np.full(len(self.labels), len(t)), t.sum(axis=0)])
        self.informed = True

    def _losses(self, p: np.ndarray, t: np.ndarray) -> np.ndarray:
        """Add answers to the counts, (rows, k) each; gives the loss of each row."""
        yes = p >= 0.5
        self._counts += np.stack([(yes & t).sum(0), (yes & ~t).sum(0), (~yes & t).sum(0), (~yes & ~t).sum(0)])
        of_target = np.where(t, p, 1 - p)
        self.clipped += int((of_target < CLIP).sum())
        return -np.log(np.maximum(of_target, CLIP)).mean(axis=1)


class LabelCounts(LabelAnswers):
    """Counts answers of yes or no for k labels.

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
        self._log_losses: Moments | None = None

    def learn(self, right: Rows) -> None:
        self._learn(host(right) != 0)

    def update(self, given: Rows, right: Rows) -> np.ndarray:
        """Add a batch.

        Shapes: given (b, k) probabilities; right (b, k) of 0 and 1.
        """
        k = len(self.labels)
        p, t = host(given), host(right)
        check_shape("probabilities", p, (len(p) if p.ndim else 0, k), f"one probability for each of the {k} labels")
        check_shape("targets", t, p.shape, "0 or 1 for each label")
        check_probabilities(p, self.n, sum_to_one=False)
        _check_answers(t, "targets, row", self.n)
        return self._add(p.astype(np.float64), t != 0) if len(p) else np.empty(0)

    def _add(self, p: np.ndarray, t: np.ndarray) -> np.ndarray:
        losses = self._losses(p, t)  # (b,)
        self._exact += int(((p >= 0.5) == t).all(axis=1).sum())
        self._empty += int((~t).all(axis=1).sum())
        self._log_losses = plus(self._log_losses, Moments.of(losses[:, None]))
        self.n += len(p)
        if self.kept is not None:
            self.kept.add(None, p=p, target=t)
        return losses

    def part(self, name: str, *, baseline: float, baseline_name: str) -> Estimate:
        """The part of an example's answers that are right, averaged over examples.

        Answers within an example are not independent, so its interval counts examples, not answers: at least as wide as
        it should be.
        """
        hits = int(self._counts[0].sum() + self._counts[3].sum()) / len(self.labels)
        return proportion(name, hits, self.n, baseline=baseline, baseline_name=baseline_name)

    def mean_loss(self, name: str, *, baseline: float, baseline_name: str) -> Estimate:
        assert self._log_losses is not None
        return self._log_losses.estimate(name, 0, baseline=baseline, baseline_name=baseline_name)

    def classes(self) -> tuple[ClassFigures, ...]:
        return class_figures(self.labels, self.outcomes(), self.n)


class PositionLabels(LabelAnswers):
    """Counts answers of yes or no for k labels at every position of examples that may differ in length.

    Every position counts once, so that a long example counts for more than a short one. The positions of one example
    tend to be right or wrong together: all intervals are read from how examples differ, and `n` of a figure is how many
    examples stand behind it.

    Fields:
        labels: the k labels, in the order of the probabilities.

    Raises: DataError when options or a batch do not fit; a refused batch changes nothing.

    Example:
        >>> seen = PositionLabels(("red", "round"))
        >>> two, one = np.array([[0.9, 0.2], [0.6, 0.7]]), np.array([[0.1, 0.8]])
        >>> losses = seen.update([two, one], [np.array([[1, 0], [0, 1]]), np.array([[0, 1]])])
        >>> print(labels_accuracy(seen))
        accuracy 83.3% (3.9-99.8, n=2), each label's commoner answer: 66.7%
    """

    unit = "positions"

    def __init__(self, labels: Sequence[Label]) -> None:
        super().__init__(labels)
        self._hits = Shares(2)  # right answers, -ln p(right answer): means over labels, of the positions
        self._by_example = ByExample(len(self.labels))
        self._positions = 0

    @property
    def counted(self) -> int:
        return self._positions

    def learn(self, right: Rows) -> None:
        self._learn(np.concatenate([host(one).reshape(-1, len(self.labels)) for one in right]) != 0)

    def update(self, given: Rows, right: Rows) -> np.ndarray:
        """Add a batch of examples.

        Shapes: given, for each example, (*positions, k) probabilities; right, for each, (*positions, k) of 0 and 1.
        """
        k = len(self.labels)
        losses = np.full(len(given), np.nan)
        there: list[int] = []  # examples with positions
        ps: list[np.ndarray] = []
        ts: list[np.ndarray] = []
        for row, (output, wanted) in enumerate(zip(given, right, strict=True)):
            i = self.seen + row
            p, t = (one.reshape(-1, one.shape[-1]) for one in (host(output), host(wanted)))  # (p, k)
            means = f"one for each of the {k} labels at every position"
            check_shape(f"probabilities of example {i}", p, (len(p), k), means)
            check_shape(f"targets of example {i}", t, p.shape, "0 or 1 for each label at every position")
            check_probabilities(p, 0, sum_to_one=False)
            _check_answers(t, f"targets of example {i}, position", 0)
            if len(p):
                there.append(row)
                ps.append(p.astype(np.float64))
                ts.append(t != 0)
        self.without += len(losses) - len(there)
        if ps:
            losses[there] = self._add(np.concatenate(ps), np.concatenate(ts), np.array([*map(len, ps)]))
        return losses

    def _add(self, p: np.ndarray, t: np.ndarray, lengths: np.ndarray) -> np.ndarray:
        """Add the positions of all examples, (positions, k) each; the examples have these lengths (b,)."""
        starts = lengths.cumsum() - lengths

        def summed(values: np.ndarray) -> np.ndarray:
            kind = np.int64 if values.dtype == np.bool_ else values.dtype
            return np.add.reduceat(values.astype(kind), starts, axis=0)  # (positions, …) -> (b, …)

        yes, losses = p >= 0.5, self._losses(p, t)  # (positions, k), (positions,)
        right = yes == t
        columns = np.stack([summed(right.mean(axis=1)), summed(losses)], axis=1)  # (b, 2)
        self._hits.add(columns, np.broadcast_to(lengths[:, None], columns.shape))
        self._exact += int((summed(~right).sum(axis=1) == 0).sum())
        self._empty += int((summed(t).sum(axis=1) == 0).sum())
        self._by_example.add(summed(yes & t), summed(yes), summed(t), lengths)
        self.n += len(lengths)
        self._positions += len(p)
        if self.kept is not None:
            self.kept.add(lengths, p=p, target=t)
        return columns[:, 1] / lengths

    def part(self, name: str, *, baseline: float, baseline_name: str) -> Estimate:
        return self._hits.proportion(name, 0, baseline=baseline, baseline_name=baseline_name)

    def mean_loss(self, name: str, *, baseline: float, baseline_name: str) -> Estimate:
        return self._hits.mean(name, 1, baseline=baseline, baseline_name=baseline_name)

    def classes(self) -> tuple[ClassFigures, ...]:
        return self._by_example.figures(self.labels, self._counts[0] + self._counts[2], self.counted)

    def _variances(self, slopes: np.ndarray) -> Triple:
        return *self._by_example.variances(slopes), np.sum(self.outcomes(), axis=0)


def _check_answers(t: np.ndarray, where: str, seen: int) -> None:
    """Raise an error for a row of targets (rows, k) that are not all 0 or 1."""
    neither = ((t != 0) & (t != 1)).any(axis=1)
    if neither.any():
        row = int(np.argmax(neither))
        raise DataError(
            what="a target that is neither 0 nor 1",
            where=f"{where} {seen + row}",
            expected="0 or 1 for each label",
            got=f"{t[row].tolist()[:10]}",
        )


def labels_accuracy(seen: LabelAnswers) -> Estimate:
    """The part of the answers that are right."""
    guess = float(np.where(seen.rates > 0.5, seen.share, 1 - seen.share).mean())
    return seen.part("accuracy", baseline=guess, baseline_name=seen.always)


def labels_exact(seen: LabelAnswers) -> Estimate:
    """The part of the examples with every label right, at each of their positions."""
    return seen.exact("exact")


def labels_log_loss(seen: LabelAnswers) -> Estimate:
    """The mean of -ln p(right answer), p clipped from below at 1e-12: over labels, then over examples or positions."""
    p = np.clip(seen.rates, CLIP, 1 - CLIP)  # (k,)
    guess = float(-(seen.share * np.log(p) + (1 - seen.share) * np.log(1 - p)).mean())
    found = seen.mean_loss("log loss", baseline=guess, baseline_name="label frequencies")
    return replace(found, less_is_better=True)
