"""Measures nets that choose a class, batch by batch: counts are kept, never the examples."""

from collections.abc import Sequence

import numpy as np

from netwright.errors import DataError
from netwright.measure.arrays import (
    Array,
    check_choice,
    check_finite,
    check_probabilities,
    check_shape,
    check_top,
    class_indices,
    host,
    rank_of_target,
)
from netwright.measure.counts import ConfusionMatrix, Label
from netwright.measure.estimate import Estimate, Moments, nothing_measured, plus, proportion
from netwright.measure.per_class import ClassReport, class_report, class_table, figures, json_label, macro
from netwright.measure.worst import Worst, WorstExamples
from netwright.value import Value

CLIP = 1e-12  # one probability of exactly 0 would make the mean log loss infinite; the most it costs is 27.6


class ClassificationReport(Value, kw_only=True):
    """What a classifier got right, with intervals, baselines, the confusion matrix and the worst examples.

    Fields:
        n: examples measured.
        accuracy, error: the part of the examples whose most probable class is, is not, the target.
        top: for each n asked for, the part whose target is among the n most probable classes.
        log_loss: mean of -ln p(target), natural logarithm, p clipped from below at 1e-12.
        clipped: how many examples had such a p.
        confusion: counts by actual and predicted class.
        classes: precision, recall and F1 of each class.
        precision, recall, f1: their plain means over the classes that occur or were predicted (macro averages).
        baseline_from: what the naive guess was read from, `the training data` or `the measured data`.
        worst: the examples of largest loss.
    """

    n: int
    accuracy: Estimate
    error: Estimate
    top: tuple[Estimate, ...]
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
        single = ("accuracy", "error", "log_loss", "precision", "recall", "f1")
        return {
            "kind": "classification",
            "n": self.n,
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
        head = f"{self.n:,} examples, {len(self.classes)} classes; 95% intervals; baselines from {self.baseline_from}"
        lines = (self.accuracy, self.error, *self.top, self.log_loss, self.precision, self.recall, self.f1)
        blocks = [head + "\n" + figures(lines)]
        if self.clipped:
            blocks[0] += f"\nprobabilities below {CLIP:g}, taken as {CLIP:g} in the log loss: {self.clipped:,}"
        blocks.append(class_table(self.classes))
        blocks.append(f"confusion matrix, rows: actual, columns: predicted\n{self.confusion}")
        confused = ", ".join(f"{c.actual} as {c.predicted} ({c.count:,})" for c in self.confusion.most_confused(5))
        if confused:
            blocks[-1] += f"\nmost confused: {confused}"
        if self.worst.indices:
            blocks.append(f"worst examples\n{self.worst}")
        return "\n\n".join(blocks)


class Classification:
    """Accumulates a classifier's answers; `result()` may be asked for at any time.

    Memory: 8 k² bytes for k labels, whatever the number of examples.

    Fields:
        labels: the k classes, in the order of the probabilities. With two labels, probabilities of shape (b, 1) are
            those of the second (Boolean: `(False, True)`).
        top: the n of the top-n accuracies wanted, each from 2 to k; none, for the accuracy is top 1.
        baseline_counts: (k,) how often each class occurs in the training data: the naive guess is read from them.
            None: from the measured data, which flatters the guess a little.
        worst: how many worst examples to keep.

    Raises: DataError when options or a batch do not fit; a refused batch changes nothing.

    Example:
        >>> measured = Classification(("cat", "dog"))
        >>> measured.update(np.array([[0.9, 0.1], [0.4, 0.6], [0.7, 0.3]]), np.array([0, 1, 1]))
        >>> print(measured.result().accuracy)
        accuracy 66.7% (20.8-93.9, n=3), always "dog": 66.7%
    """

    def __init__(
        self,
        labels: Sequence[Label],
        *,
        top: Sequence[int] = (),
        baseline_counts: Sequence[int] | None = None,
        worst: int = 10,
    ) -> None:
        self.labels = tuple(labels)
        self.top = tuple(top)
        self.baseline_counts = None if baseline_counts is None else tuple(int(c) for c in baseline_counts)
        self._check_options()
        k = len(self.labels)
        self._counts = np.zeros((k, k), np.int64)
        self._top_hits = np.zeros(len(self.top), np.int64)
        self._log_losses: Moments | None = None
        self._clipped = 0
        self._worst = Worst(worst)

    def update(self, probabilities: Array, targets: Array, losses: Array | None = None) -> None:
        """Add a batch.

        Shapes: probabilities (b, k), or (b, 1) for two labels; targets (b,) indices below k; losses (b,).

        The predicted class is the most probable, the first of equals. `losses` order the worst examples; without them
        the log loss does.
        """
        seen = self._worst.seen
        p = self._two_columns(host(probabilities))
        t = host(targets)
        check_shape("targets", t, (len(p),), "one class index an example")
        t = class_indices(t, len(self.labels), seen)
        check_probabilities(p, seen, sum_to_one=True)
        own = None if losses is None else host(losses)
        if own is not None:
            check_shape("losses", own, (len(p),), "one loss an example")
            check_finite("losses", own, seen, infinite=True)
        if len(p):
            self._add(p, t, own)

    def _add(self, p: np.ndarray, t: np.ndarray, own: np.ndarray | None) -> None:
        of_target = p[np.arange(len(p)), t]  # (b,)
        np.add.at(self._counts, (t, p.argmax(axis=1)), 1)
        if self.top:
            self._top_hits += (rank_of_target(p, t)[:, None] < np.array(self.top)).sum(axis=0)
        log_losses = -np.log(np.maximum(of_target.astype(np.float64), CLIP))  # (b,)
        self._clipped += int((of_target < CLIP).sum())
        self._log_losses = plus(self._log_losses, Moments.of(log_losses[:, None]))
        self._worst.update(log_losses if own is None else own)

    def merge(self, other: "Classification") -> "Classification":
        """A metric that has seen this one's examples, then the other's; both stay as they are.

        Raises: DataError when the two were made with different options.
        """
        mine, theirs = self._options(), other._options()
        if mine != theirs:
            raise DataError(what="two metrics that do not count the same", expected=mine, got=theirs)
        both = Classification(self.labels, top=self.top, baseline_counts=self.baseline_counts, worst=self._worst.count)
        both._counts = self._counts + other._counts
        both._top_hits = self._top_hits + other._top_hits
        both._log_losses = plus(self._log_losses, other._log_losses)
        both._clipped = self._clipped + other._clipped
        both._worst = self._worst.merge(other._worst)
        return both

    def result(self) -> ClassificationReport:
        """What was measured so far.

        Raises: DataError when no example came.
        """
        if self._log_losses is None:
            raise nothing_measured()
        n, counts = self._log_losses.n, self._counts
        actual, predicted, right = counts.sum(axis=1), counts.sum(axis=0), counts.diagonal()
        known = actual if self.baseline_counts is None else np.array(self.baseline_counts)
        common = np.argsort(-known, kind="stable")  # the commonest class first
        hits, share = int(right.sum()), actual / n
        always = f'always "{self.labels[common[0]]}"'
        guess = float(share[common[0]])
        frequencies = float(-(share * np.log(np.maximum(known / known.sum(), CLIP))).sum())
        k = len(self.labels)
        classes = tuple(
            class_report(self.labels[i], int(right[i]), int(predicted[i] - right[i]), int(actual[i] - right[i]), n)
            for i in range(k)
        )
        alone = [float(share[i]) if i == common[0] else 0.0 for i in range(k)]
        precision, recall, f1 = macro(classes, n, alone, always, labels_at_once=1, counts=counts)
        return ClassificationReport(
            n=n,
            accuracy=proportion("accuracy", hits, n, baseline=guess, baseline_name=always),
            error=proportion("error", n - hits, n, baseline=1 - guess, baseline_name=always),
            top=tuple(self._top_estimate(i, share[common], n) for i in range(len(self.top))),
            log_loss=self._log_losses.estimate("log loss", 0, baseline=frequencies, baseline_name="class frequencies"),
            clipped=self._clipped,
            confusion=ConfusionMatrix(self.labels, counts),
            classes=classes,
            precision=precision,
            recall=recall,
            f1=f1,
            baseline_from="the measured data" if self.baseline_counts is None else "the training data",
            worst=self._worst.result(),
        )

    def _top_estimate(self, i: int, commonest: np.ndarray, n: int) -> Estimate:
        best = self.top[i]
        return proportion(
            f"top-{best} accuracy",
            int(self._top_hits[i]),
            n,
            baseline=min(1.0, float(commonest[:best].sum())),
            baseline_name=f"always the {best} commonest",
        )

    def _two_columns(self, p: np.ndarray) -> np.ndarray:
        k = len(self.labels)
        if k == 2 and p.ndim == 2 and p.shape[1] == 1:
            return np.concatenate([1 - p, p], axis=1)  # (b, 1) -> (b, 2)
        check_shape("probabilities", p, (len(p) if p.ndim else 0, k), f"one probability for each of the {k} labels")
        return p

    def _check_options(self) -> None:
        k, counts = len(self.labels), self.baseline_counts
        check_choice(self.labels)
        check_top(self.top, k, "labels")
        if counts is not None and (len(counts) != k or min(counts) < 0 or sum(counts) == 0):
            raise DataError(
                what="baseline counts that do not fit the labels",
                expected=f"{k} counts of at least 0, one for each label, not all 0",
                got=f"{list(counts)[:10]}",
            )

    def _options(self) -> str:
        return (
            f"labels {list(self.labels)}, top {list(self.top)}, baseline counts {self.baseline_counts}, "
            f"{self._worst.count} worst"
        )
