"""Measures nets that answer yes or no for each of several labels, batch by batch."""

from collections.abc import Sequence

import numpy as np

from netwright.errors import DataError
from netwright.measure.arrays import Array, check_finite, check_probabilities, check_shape, host
from netwright.measure.classification import CLIP
from netwright.measure.counts import Label
from netwright.measure.estimate import Estimate, Moments, nothing_measured, plus, proportion
from netwright.measure.per_class import ClassReport, class_report, class_table, figures, macro
from netwright.measure.worst import Worst, WorstExamples
from netwright.value import Value

COMMONER = "each label's commoner answer"


class SeveralLabelsReport(Value, kw_only=True):
    """What a net that gives several labels got right.

    Fields:
        n: examples measured.
        accuracy: the part of an example's labels answered right, averaged over examples. Answers within an example
            are not independent, so its interval counts examples, not answers: at least as wide as it should be.
        exact: the part of the examples with every label right.
        log_loss: mean over labels, then examples, of -ln p(right answer), p clipped from below at 1e-12.
        clipped: how many answers had such a p.
        classes: precision, recall and F1 of each label.
        precision, recall, f1: their plain means over the labels that occur or were given (macro averages).
        baseline_from: what the naive guess was read from, `the training data` or `the measured data`.
        worst: the examples of largest loss.
    """

    n: int
    accuracy: Estimate
    exact: Estimate
    log_loss: Estimate
    clipped: int
    classes: tuple[ClassReport, ...]
    precision: Estimate
    recall: Estimate
    f1: Estimate
    baseline_from: str
    worst: WorstExamples

    def to_json(self) -> dict[str, object]:
        """A plain dict of numbers, texts, lists and dicts; labels that JSON does not know become their text."""
        single = ("accuracy", "exact", "log_loss", "precision", "recall", "f1")
        return {
            "kind": "several labels",
            "n": self.n,
            **{name: getattr(self, name).to_json() for name in single},
            "clipped": self.clipped,
            "classes": [one.to_json() for one in self.classes],
            "baseline_from": self.baseline_from,
            "worst": self.worst.to_json(),
        }

    def __str__(self) -> str:
        head = f"{self.n:,} examples, {len(self.classes)} labels; 95% intervals; baselines from {self.baseline_from}"
        lines = (self.accuracy, self.exact, self.log_loss, self.precision, self.recall, self.f1)
        blocks = [head + "\n" + figures(lines)]
        if self.clipped:
            blocks[0] += f"\nprobabilities below {CLIP:g}, taken as {CLIP:g} in the log loss: {self.clipped:,}"
        blocks.append(class_table(self.classes))
        if self.worst.indices:
            blocks.append(f"worst examples\n{self.worst}")
        return "\n\n".join(blocks)


class SeveralLabels:
    """Accumulates yes-or-no answers for k labels; an answer is yes when its probability is above 0.5.

    Fields:
        labels: the k labels, in the order of the probabilities.
        baseline_rates: (k,) the part of the training examples that has each label: the naive guess is read from them.
            None: from the measured data, which flatters the guess a little.
        worst: how many worst examples to keep.

    Raises: DataError when options or a batch do not fit; a refused batch changes nothing.

    Example:
        >>> measured = SeveralLabels(("red", "round"))
        >>> measured.update(np.array([[0.9, 0.2], [0.6, 0.7]]), np.array([[1, 0], [0, 1]]))
        >>> print(measured.result().accuracy)
        accuracy 75.0% (19.8-97.3, n=2), each label's commoner answer: 50.0%
    """

    def __init__(
        self, labels: Sequence[Label], *, baseline_rates: Sequence[float] | None = None, worst: int = 10
    ) -> None:
        self.labels = tuple(labels)
        self.baseline_rates = None if baseline_rates is None else tuple(float(rate) for rate in baseline_rates)
        self._check_options()
        self._counts = np.zeros((4, len(self.labels)), np.int64)  # right yes, wrong yes, missed yes, right no
        self._exact = 0
        self._none = 0
        self._log_losses: Moments | None = None
        self._clipped = 0
        self._worst = Worst(worst)

    def update(self, probabilities: Array, targets: Array, losses: Array | None = None) -> None:
        """Add a batch.

        Shapes: probabilities (b, k); targets (b, k) of 0 and 1; losses (b,).

        `losses` order the worst examples; without them the log loss does.
        """
        seen, k = self._worst.seen, len(self.labels)
        p, t = host(probabilities), host(targets)
        check_shape("probabilities", p, (len(p) if p.ndim else 0, k), f"one probability for each of the {k} labels")
        check_shape("targets", t, p.shape, "0 or 1 for each label")
        check_probabilities(p, seen, sum_to_one=False)
        neither = ((t != 0) & (t != 1)).any(axis=1)
        if neither.any():
            row = int(np.argmax(neither))
            raise DataError(
                what="a target that is neither 0 nor 1",
                where=f"targets, row {seen + row}",
                expected="0 or 1 for each label",
                got=f"{t[row].tolist()[:10]}",
            )
        own = None if losses is None else host(losses)
        if own is not None:
            check_shape("losses", own, (len(p),), "one loss an example")
            check_finite("losses", own, seen, infinite=True)
        if len(p):
            self._add(p.astype(np.float64), t != 0, own)

    def _add(self, p: np.ndarray, t: np.ndarray, own: np.ndarray | None) -> None:
        yes = p > 0.5  # (b, k)
        self._counts += np.stack([(yes & t).sum(0), (yes & ~t).sum(0), (~yes & t).sum(0), (~yes & ~t).sum(0)])
        self._exact += int((yes == t).all(axis=1).sum())
        self._none += int((~t).all(axis=1).sum())
        of_target = np.where(t, p, 1 - p)  # (b, k)
        self._clipped += int((of_target < CLIP).sum())
        log_losses = -np.log(np.maximum(of_target, CLIP)).mean(axis=1)  # (b,)
        self._log_losses = plus(self._log_losses, Moments.of(log_losses[:, None]))
        self._worst.update(log_losses if own is None else own)

    def merge(self, other: "SeveralLabels") -> "SeveralLabels":
        """A metric that has seen this one's examples, then the other's; both stay as they are.

        Raises: DataError when the two were made with different options.
        """
        mine, theirs = self._options(), other._options()
        if mine != theirs:
            raise DataError(what="two metrics that do not count the same", expected=mine, got=theirs)
        both = SeveralLabels(self.labels, baseline_rates=self.baseline_rates, worst=self._worst.count)
        both._counts = self._counts + other._counts
        both._exact = self._exact + other._exact
        both._none = self._none + other._none
        both._log_losses = plus(self._log_losses, other._log_losses)
        both._clipped = self._clipped + other._clipped
        both._worst = self._worst.merge(other._worst)
        return both

    def result(self) -> SeveralLabelsReport:
        """What was measured so far.

        Raises: DataError when no example came.
        """
        if self._log_losses is None:
            raise nothing_measured()
        n, k = self._log_losses.n, len(self.labels)
        right, wrong, missed, right_no = self._counts
        share = (right + missed) / n  # (k,)
        rates = share if self.baseline_rates is None else np.array(self.baseline_rates)
        guess = np.where(rates > 0.5, share, 1 - share)  # (k,) how often the commoner answer is right
        p = np.clip(rates, CLIP, 1 - CLIP)
        frequencies = float(-(share * np.log(p) + (1 - share) * np.log(1 - p)).mean())
        classes = tuple(class_report(self.labels[i], int(right[i]), int(wrong[i]), int(missed[i]), n) for i in range(k))
        alone = np.where(rates > 0.5, share, 0.0).tolist()
        precision, recall, f1 = macro(classes, n, alone, COMMONER, labels_at_once=k)
        hits = float((right + right_no).sum() / k)
        return SeveralLabelsReport(
            n=n,
            accuracy=proportion("accuracy", hits, n, baseline=float(guess.mean()), baseline_name=COMMONER),
            exact=proportion("exact", self._exact, n, baseline=self._none / n, baseline_name="always no label"),
            log_loss=self._log_losses.estimate("log loss", 0, baseline=frequencies, baseline_name="label frequencies"),
            clipped=self._clipped,
            classes=classes,
            precision=precision,
            recall=recall,
            f1=f1,
            baseline_from="the measured data" if self.baseline_rates is None else "the training data",
            worst=self._worst.result(),
        )

    def _check_options(self) -> None:
        k, rates = len(self.labels), self.baseline_rates
        if k < 1 or len(set(map(str, self.labels))) < k:
            raise DataError(
                what="labels that cannot be told apart",
                expected="at least one, each once",
                got=f"{list(self.labels)[:10]}",
            )
        if rates is not None and (len(rates) != k or not all(0 <= rate <= 1 for rate in rates)):
            raise DataError(
                what="baseline rates that do not fit the labels",
                expected=f"{k} numbers from 0 to 1, one for each label",
                got=f"{list(rates)[:10]}",
            )

    def _options(self) -> str:
        return f"labels {list(self.labels)}, baseline rates {self.baseline_rates}, {self._worst.count} worst"
