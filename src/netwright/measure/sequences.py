"""Measures nets that say what comes next in sequences: bits and perplexity for an element, and errors."""

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from netwright.errors import DataError
from netwright.measure.arrays import (
    Array,
    check_probabilities,
    check_shape,
    check_top,
    class_indices,
    host,
    rank_of_target,
)
from netwright.measure.classification import CLIP
from netwright.measure.counts import ConfusionMatrix, Label
from netwright.measure.estimate import Estimate, Shares, nothing_measured
from netwright.measure.worst import Worst, WorstExamples
from netwright.value import Value

MOST_CLASSES = 1000  # of which a confusion matrix is kept: 8 MB


class SequencesReport(Value, kw_only=True):
    """How well a net says the elements of sequences.

    Every element counts once, so that a long sequence counts for more than a short one; marks of the end count as
    elements. The elements of one sequence tend to be easy or hard together: all intervals are read from how sequences
    differ, and `n` of an estimate is how many sequences stand behind it.

    Fields:
        n: sequences measured.
        elements: elements measured, in all sequences together.
        bits: bits per element, the mean over elements of -log2 p(target), p clipped from below at 1e-12; for the naive
            guess the entropy of how often each element is a target in the measured data.
        perplexity: 2 to the power of `bits`, which is exp of the mean of -ln p(target): as uncertain as a choice among
            so many equal elements.
        error, accuracy: the part of the elements that are not, are, the most probable; the naive guess is always the
            commonest target.
        top: for each n asked for, the part whose target is among the n most probable elements.
        clipped: how many elements had such a p.
        confusion: counts by actual and predicted element; None for more than 1,000 elements, where it would be larger
            than anybody reads.
        baseline_from: what the naive guess was read from, `the measured data`.
        worst: the sequences of largest loss, the mean over their elements in nats.
    """

    n: int
    elements: int
    bits: Estimate
    perplexity: Estimate
    error: Estimate
    accuracy: Estimate
    top: tuple[Estimate, ...]
    clipped: int
    confusion: ConfusionMatrix | None
    baseline_from: str
    worst: WorstExamples

    def to_json(self) -> dict[str, object]:
        """A plain dict of numbers, texts, lists and dicts."""
        single = ("bits", "perplexity", "error", "accuracy")
        return {
            "kind": "the elements of sequences",
            "n": self.n,
            "elements": self.elements,
            **{name: getattr(self, name).to_json() for name in single},
            "top": {estimate.name: estimate.to_json() for estimate in self.top},
            "clipped": self.clipped,
            "baseline_from": self.baseline_from,
            "worst": self.worst.to_json(),
        }

    def __str__(self) -> str:
        head = (
            f"{self.elements:,} elements of {self.n:,} sequences; 95% intervals, from how sequences differ; "
            f"baselines from {self.baseline_from}"
        )
        lines = [head, *map(str, (self.bits, self.perplexity, self.error, *self.top))]
        if self.clipped:
            lines.append(f"probabilities below {CLIP:g}, taken as {CLIP:g}: {self.clipped:,}")
        if self.confusion is None:
            lines.append(f"more than {MOST_CLASSES:,} elements: no confusion matrix")
        return "\n".join(lines)


class Sequences:
    """Accumulates how well the elements of sequences are said; neither sequences nor elements are kept.

    Memory: 8 k bytes for k elements, and 8 k² for a confusion matrix up to 1,000 of them.

    Fields:
        labels: what the k elements are called, in the order of the probabilities.
        top: the n of the top-n accuracies wanted, each from 2 to k.
        worst: how many worst sequences to keep.

    Raises: DataError when options or a batch do not fit; a refused batch changes nothing.

    Example:
        >>> measured = Sequences(("a", "b"))
        >>> measured.update([np.array([[0.5, 0.5], [0.25, 0.75]])], [np.array([0, 1])])
        >>> round(measured.result().bits.value, 4)
        0.7075
    """

    def __init__(self, labels: Sequence[Label], *, top: Sequence[int] = (), worst: int = 10) -> None:
        self.labels, self.top = tuple(labels), tuple(top)
        k = len(self.labels)
        check_top(self.top, k, "elements")
        self._shares = Shares(2 + len(self.top))  # -log2 p, right, right among the first n: of the elements
        self._targets = np.zeros(k, np.int64)
        self._counts = np.zeros((k, k), np.int64) if k <= MOST_CLASSES else None
        self._clipped = 0
        self._worst = Worst(worst)

    def update(self, probabilities: Sequence[Array], targets: Sequence[Array]) -> None:
        """Add a batch of sequences.

        Shapes: probabilities, for each sequence, (p, k); targets, for each, (p,) indices.
        """
        k = len(self.labels)
        ps: list[np.ndarray] = []
        ts: list[np.ndarray] = []
        for i, (given, wanted) in enumerate(zip(probabilities, targets, strict=True), self._worst.seen):
            p, t = host(given), host(wanted)
            check_shape(f"probabilities of sequence {i}", p, (len(t), k), f"one for each of the {k} elements at each")
            if not len(t):
                raise DataError(
                    what="a sequence without elements", where=f"sequence {i}", expected="at least one element"
                )
            ps.append(p)
            ts.append(class_indices(t, k, 0))
        if not ps:
            return
        for p in ps:
            check_probabilities(p, 0, sum_to_one=True)
        rows = np.array([self._row(p, t) for p, t in zip(ps, ts, strict=True)])  # (b, 2 + top)
        lengths = np.array([len(t) for t in ts])  # (b,)
        self._shares.add(rows, np.broadcast_to(lengths[:, None], rows.shape))
        self._worst.update(rows[:, 0] / lengths * math.log(2))

    def _row(self, p: np.ndarray, t: np.ndarray) -> list[float]:
        """The sums of one sequence over its elements."""
        k, predicted = len(self.labels), p.argmax(axis=1)
        of_target = p[np.arange(len(p)), t].astype(np.float64)
        self._targets += np.bincount(t, minlength=k)
        if self._counts is not None:
            self._counts += np.bincount(t * k + predicted, minlength=k * k).reshape(k, k)
        self._clipped += int((of_target < CLIP).sum())
        bits = -np.log2(np.maximum(of_target, CLIP)).sum()
        rank = rank_of_target(p, t) if self.top else np.empty(0)
        return [float(bits), float((predicted == t).sum()), *(float((rank < n).sum()) for n in self.top)]

    def result(self) -> SequencesReport:
        """What was measured so far.

        Raises: DataError when no sequence came.
        """
        n, elements = self._worst.seen, int(self._targets.sum())
        if not n:
            raise nothing_measured()
        share = self._targets / elements
        common = np.argsort(-share, kind="stable")  # the commonest first
        entropy = float(-(share * np.log2(np.maximum(share, CLIP))).sum())
        always, guess = f'always "{self.labels[common[0]]}"', float(share[common[0]])
        bits = self._shares.mean("bits per element", 0, baseline=entropy, baseline_name="frequencies alone")
        accuracy = self._shares.proportion("accuracy", 1, baseline=guess, baseline_name=always)
        tops = [
            self._shares.proportion(
                f"top-{best} accuracy",
                2 + i,
                baseline=min(1.0, float(share[common][:best].sum())),
                baseline_name=f"always the {best} commonest",
            )
            for i, best in enumerate(self.top)
        ]
        return SequencesReport(
            n=n,
            elements=elements,
            bits=bits,
            perplexity=_perplexity(bits),
            error=accuracy.complement("error"),
            accuracy=accuracy,
            top=tuple(tops),
            clipped=self._clipped,
            confusion=None if self._counts is None else ConfusionMatrix(self.labels, self._counts.copy()),
            baseline_from="the measured data",
            worst=self._worst.result(),
        )


def _perplexity(bits: Estimate) -> Estimate:
    """2 to the power of bits, and of the ends of their interval."""
    baseline = None if bits.baseline is None else 2**bits.baseline
    high = 2**bits.high if bits.high < 1000 else math.inf
    return replace(bits, name="perplexity", value=2**bits.value, low=2**bits.low, high=high, baseline=baseline)
