"""Measures nets that choose a class for every position, where the positions of one example are not independent."""

from collections.abc import Sequence

import numpy as np

from netwright.errors import DataError
from netwright.measure.arrays import (
    Array,
    check_choice,
    check_probabilities,
    check_shape,
    check_top,
    class_indices,
    host,
    rank_of_target,
)
from netwright.measure.classification import CLIP
from netwright.measure.counts import ConfusionMatrix, Label
from netwright.measure.estimate import Estimate, Shares, nothing_measured, proportion
from netwright.measure.per_class import ClassReport, class_table, figures, json_label, macro
from netwright.measure.worst import Worst, WorstExamples
from netwright.value import Value


class PositionsReport(Value, kw_only=True):
    """What a net that chooses a class for every position got right.

    Every position counts once, so that a long example counts for more than a short one. The positions of one example
    tend to be right or wrong together: all intervals are read from how examples differ, and `n` of an estimate is how
    many examples stand behind it.

    Fields:
        n: examples measured.
        positions: positions measured, in all examples together.
        accuracy, error: the part of the positions whose most probable class is, is not, the target.
        top: for each n asked for, the part whose target is among the n most probable classes.
        exact: the part of the examples with every position right.
        log_loss: mean over positions of -ln p(target), natural logarithm, p clipped from below at 1e-12.
        clipped: how many positions had such a p.
        confusion: counts of positions by actual and predicted class.
        classes: precision, recall and F1 of each class over the positions.
        precision, recall, f1: their plain means over the classes that occur or were predicted (macro averages).
        baseline_from: what the naive guess was read from, `the measured data`.
        worst: the examples of largest loss, the mean over their positions.
    """

    n: int
    positions: int
    accuracy: Estimate
    error: Estimate
    top: tuple[Estimate, ...]
    exact: Estimate
    log_loss: Estimate
    clipped: int
    confusion: ConfusionMatrix
    classes: tuple[ClassReport, ...]
    precision: Estimate
    recall: Estimate
    f1: Estimate
    baseline_from: str
    worst: WorstExamples

    def to_json(self) -> dict[str, object]:
        """A plain dict of numbers, texts, lists and dicts; labels that JSON does not know become their text."""
        single = ("accuracy", "error", "exact", "log_loss", "precision", "recall", "f1")
        return {
            "kind": "a class for every position",
            "n": self.n,
            "positions": self.positions,
            **{name: getattr(self, name).to_json() for name in single},
            "top": {estimate.name: estimate.to_json() for estimate in self.top},
            "clipped": self.clipped,
            "confusion": {
                "labels": [json_label(label) for label in self.confusion.labels],
                "counts": self.confusion.counts.tolist(),
            },
            "classes": [one.to_json() for one in self.classes],
            "baseline_from": self.baseline_from,
            "worst": self.worst.to_json(),
        }

    def __str__(self) -> str:
        head = (
            f"{self.positions:,} positions of {self.n:,} examples, {len(self.classes)} classes; 95% intervals, "
            f"from how examples differ; baselines from {self.baseline_from}"
        )
        lines = (self.accuracy, self.error, *self.top, self.exact, self.log_loss, self.precision, self.recall, self.f1)
        blocks = [head + "\n" + figures(lines)]
        if self.clipped:
            blocks[0] += f"\nprobabilities below {CLIP:g}, taken as {CLIP:g} in the log loss: {self.clipped:,}"
        blocks.append(class_table(self.classes, "positions"))
        blocks.append(f"confusion matrix of positions, rows: actual, columns: predicted\n{self.confusion}")
        if self.worst.indices:
            blocks.append(f"worst examples\n{self.worst}")
        return "\n\n".join(blocks)


class ClassifiedPositions:
    """Accumulates a class for every position of examples that may differ in length; positions are never kept.

    Memory: 8 k² bytes for k labels, whatever the number of examples.

    Fields:
        labels: the k classes, in the order of the probabilities. With two labels, probabilities of shape (p, 1) are
            those of the second (Boolean: `(False, True)`).
        top: the n of the top-n accuracies wanted, each from 2 to k.
        worst: how many worst examples to keep.

    Raises: DataError when options or a batch do not fit; a refused batch changes nothing.

    Example:
        >>> measured = ClassifiedPositions(("noun", "verb"))
        >>> short, long = np.array([[0.7, 0.3]]), np.array([[0.9, 0.1], [0.4, 0.6]])
        >>> measured.update([short, long], [np.array([1]), np.array([0, 1])])
        >>> print(measured.result().accuracy)
        accuracy 66.7% (1.0-99.8, n=2), always "verb": 66.7%
    """

    def __init__(self, labels: Sequence[Label], *, top: Sequence[int] = (), worst: int = 10) -> None:
        self.labels = tuple(labels)
        self.top = tuple(top)
        k = len(self.labels)
        check_choice(self.labels)
        check_top(self.top, k, "labels")
        self._counts = np.zeros((k, k), np.int64)
        self._hits = Shares(2 + len(self.top))  # right, -ln p, right among the first n: of the positions
        self._precision, self._recall, self._either = Shares(k), Shares(k), Shares(k)
        self._uniform = np.zeros(k, np.int64)  # examples with this class at every position
        self._exact = 0
        self._clipped = 0
        self._worst = Worst(worst)

    def update(self, probabilities: Sequence[Array], targets: Sequence[Array]) -> None:
        """Add a batch of examples.

        Shapes: probabilities, for each example, (p, k), or (p, 1) for two labels; targets, for each, (p,) indices.

        The predicted class is the most probable, the first of equals.
        """
        seen, k = self._worst.seen, len(self.labels)
        ps: list[np.ndarray] = []
        ts: list[np.ndarray] = []
        for i, (given, wanted) in enumerate(zip(probabilities, targets, strict=True), seen):
            p = self._two_columns(host(given), i)
            t = host(wanted)
            check_shape(f"targets of example {i}", t, (len(p),), "a class index for each position that the net gave")
            if not len(p):
                raise DataError(
                    what="an example without positions", where=f"example {i}", expected="at least one position"
                )
            ps.append(p)
            ts.append(class_indices(t, k, 0))
        if not ps:
            return
        p, t = np.concatenate(ps), np.concatenate(ts)  # (positions of all, k), (positions of all,)
        check_probabilities(p, 0, sum_to_one=True)
        self._add(p, t, np.repeat(np.arange(len(ps)), [len(one) for one in ps]))

    def _add(self, p: np.ndarray, t: np.ndarray, example: np.ndarray) -> None:
        """Count positions, of which `example` (positions,) says whose they are."""
        b, k = int(example[-1]) + 1, len(self.labels)
        predicted = p.argmax(axis=1)
        right = predicted == t
        of_target = p[np.arange(len(p)), t]
        losses = -np.log(np.maximum(of_target.astype(np.float64), CLIP))
        lengths = np.bincount(example, minlength=b)  # (b,)

        def by_class(classes: np.ndarray, kept: slice | np.ndarray = slice(None)) -> np.ndarray:
            return np.bincount((example * k + classes)[kept], minlength=b * k).reshape(b, k)

        actual, given, both = by_class(t), by_class(predicted), by_class(t, right)  # (b, k) each
        self._counts += np.bincount(t * k + predicted, minlength=k * k).reshape(k, k)
        rank = rank_of_target(p, t) if self.top else np.empty(0)
        columns = [right, losses, *(rank < n for n in self.top)]
        sums = np.stack([np.bincount(example, column, minlength=b) for column in columns], axis=1)  # (b, 2 + top)
        self._hits.add(sums, np.broadcast_to(lengths[:, None], sums.shape))
        self._precision.add(both, given)
        self._recall.add(both, actual)
        self._either.add(both, actual + given - both)
        self._uniform += (actual == lengths[:, None]).sum(axis=0)
        self._exact += int((both.sum(axis=1) == lengths).sum())
        self._clipped += int((of_target < CLIP).sum())
        self._worst.update(sums[:, 1] / lengths)

    def result(self) -> PositionsReport:
        """What was measured so far.

        Raises: DataError when no example came.
        """
        n, counts, k = self._worst.seen, self._counts, len(self.labels)
        if not n:
            raise nothing_measured()
        actual, positions = counts.sum(axis=1), int(counts.sum())
        share = actual / positions
        common = np.argsort(-actual, kind="stable")  # the commonest class first
        always, guess = f'always "{self.labels[common[0]]}"', float(share[common[0]])
        frequencies = float(-(share * np.log(np.maximum(share, CLIP))).sum())
        classes = tuple(self._class_report(i, int(actual[i]), float(share[i])) for i in range(k))
        alone = [float(share[i]) if i == common[0] else 0.0 for i in range(k)]
        precision, recall, f1 = macro(classes, n, alone, always, labels_at_once=k)
        accuracy = self._hits.proportion("accuracy", 0, baseline=guess, baseline_name=always)
        return PositionsReport(
            n=n,
            positions=positions,
            accuracy=accuracy,
            error=accuracy.complement("error"),
            top=tuple(
                self._hits.proportion(
                    f"top-{best} accuracy",
                    2 + i,
                    baseline=min(1.0, float(share[common][:best].sum())),
                    baseline_name=f"always the {best} commonest",
                )
                for i, best in enumerate(self.top)
            ),
            exact=proportion(
                "exact", self._exact, n, baseline=float(self._uniform[common[0]] / n), baseline_name=always
            ),
            log_loss=self._hits.mean("log loss", 1, baseline=frequencies, baseline_name="class frequencies"),
            clipped=self._clipped,
            confusion=ConfusionMatrix(self.labels, counts),
            classes=classes,
            precision=precision,
            recall=recall,
            f1=f1,
            baseline_from="the measured data",
            worst=self._worst.result(),
        )

    def _class_report(self, i: int, count: int, share: float) -> ClassReport:
        always = f'always "{self.labels[i]}"'
        return ClassReport(
            label=self.labels[i],
            count=count,
            precision=self._precision.proportion("precision", i, baseline=share, baseline_name=always),
            recall=self._recall.proportion("recall", i, baseline=1.0 if count else None, baseline_name=always),
            f1=self._either.f1_score("F1", i, baseline=2 * share / (1 + share), baseline_name=always),
        )

    def _two_columns(self, p: np.ndarray, index: int) -> np.ndarray:
        k = len(self.labels)
        if k == 2 and p.ndim == 2 and p.shape[1] == 1:
            return np.concatenate([1 - p, p], axis=1)  # (p, 1) -> (p, 2)
        shape = (len(p) if p.ndim else 0, k)
        check_shape(f"probabilities of example {index}", p, shape, f"one for each of the {k} labels at every position")
        return p
