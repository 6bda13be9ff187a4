"""The counts of one output while batches are added: the sums from which every metric is computed."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, ClassVar, TypeAlias

import numpy as np

from netwright.measure.arrays import Rows, check_top
from netwright.measure.counts import ConfusionMatrix, Label
from netwright.measure.estimate import Estimate, average, equal_coins, wilson
from netwright.measure.report import ClassFigures

Metric: TypeAlias = Callable[[Any], Estimate]  # from a tally to a figure
Triple: TypeAlias = tuple[np.ndarray, np.ndarray, np.ndarray]  # (k,) each: right, wrong and missed, of k classes
OfClasses: TypeAlias = Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]
CLIP = 1e-12  # one probability of exactly 0 would make the mean log loss infinite; the most it costs is 27.6
STEP = 1e-5  # of a difference quotient, in examples


class Tally(ABC):
    """The sums of one output; examples are added batch by batch and never kept.

    Fields:
        unit: what is counted: examples, or their positions.
        n: examples measured so far.
        informed: whether the naive guess was read from training data.
    """

    unit: ClassVar[str] = "examples"
    n = 0
    informed = False

    @abstractmethod
    def learn(self, right: Rows) -> None:
        """Add targets of training data; the naive guess is then computed from them alone."""

    @abstractmethod
    def update(self, given: Rows, right: Rows) -> np.ndarray:
        """Add a batch of outputs and encoded targets; gives the loss of each example, which orders the worst."""

    @property
    @abstractmethod
    def metrics(self) -> Sequence[Metric]:
        """The metrics that the report shows for this kind of answer, the most important first."""

    @property
    def counted(self) -> int:
        """How many units were measured."""
        return self.n

    @property
    def width(self) -> int:
        """How many numbers are held at once for each number of an encoded target."""
        return 1

    def classes(self) -> tuple[ClassFigures, ...]:
        """The figures of each class, where there are classes."""
        return ()

    def confusion(self) -> ConfusionMatrix | None:
        """The confusion matrix, if one class was chosen each time."""
        return None

    def notes(self) -> tuple[str, ...]:
        """Remarks for the reader of the figures."""
        return ()


class ClassTally(Tally):
    """The sums of an answer about k classes or labels.

    Fields:
        labels: the names of the classes, in the order of the probabilities.
        clipped: how many probabilities of targets were below 1e-12.
    """

    clipped = 0

    def __init__(self, labels: Sequence[Label]) -> None:
        self.labels = tuple(labels)

    @property
    def width(self) -> int:
        return len(self.labels)

    @abstractmethod
    def triple(self) -> Triple:
        """How often each class was predicted rightly, was predicted wrongly, and was missed."""

    @abstractmethod
    def naive(self) -> Triple:
        """The same counts for the naive guess."""

    @property
    @abstractmethod
    def always(self) -> str:
        """The naive guess in words."""

    def over_classes(self, name: str, of: OfClasses) -> Estimate:
        """The plain mean of a figure over the classes that occur or were given: a macro average.

        The figure is a function of three arrays, one number for each class: how often it is right, wrong (predicted for
        another class) and missed. If it is 0/0, such as the precision of a class that the net never gives, it counts
        as 0. The baseline is the same function of the counts of the naive guess.
        """
        counts = self.triple()
        live = np.sum(counts, axis=0) > 0
        value, baseline = (mean_of(defined(of, *three)[live]) for three in (counts, self.naive()))
        low, high = self._interval(of, counts, value)
        return Estimate(
            name=name,
            value=value,
            low=low,
            high=high,
            n=self.n,
            baseline=baseline,
            baseline_name=self.always,
            percent=True,
        )

    def _interval(self, of: OfClasses, counts: Triple, value: float) -> tuple[float, float]:
        """The interval of a mean over classes: at most the mean distance of each class's own ends."""
        del value
        right, wrong, missed = counts
        values, slopes = defined(of, *counts), slopes_of(of, *counts)  # (k,), (3, k)
        variances, examples, most = self._variances(slopes)
        parts: list[tuple[float, float, float]] = []
        for i in np.flatnonzero(right + wrong + missed):
            v, g = float(values[i]), float(examples[i])
            if np.isnan(v):
                parts.append((0.0, 0.0, 1.0))
                continue
            known = g > 1 and variances[i] > 0
            coins = equal_coins(v, float(variances[i]), float(most[i]), g - 1) if known else g
            parts.append((v, *wilson(v * coins, coins)))
        return average(parts)

    def _variances(self, slopes: np.ndarray) -> Triple:
        """Of each class's own figure its variance, the examples behind it, and the units behind it.

        An example moves the figure by its slopes (3, k), and the variance is the sum of the squares of that.
        """
        counts = np.stack(self.triple())  # (3, k)
        return (counts * slopes**2).sum(axis=0), counts.sum(axis=0), counts.sum(axis=0)

    def notes(self) -> tuple[str, ...]:
        clipped = f"probabilities below {CLIP:g}, taken as {CLIP:g} in the log loss: {self.clipped:,}"
        return (clipped,) if self.clipped else ()


class Choices(ClassTally):
    """The sums where one of k classes is chosen, for an example or at each of its positions.

    Fields:
        top: the n of the top-n accuracies wanted, each from 2 to k.
        targets: (k,) how often each class is right in the measured data.
    """

    def __init__(self, labels: Sequence[Label], top: Sequence[int] = (), noun: str = "labels") -> None:
        super().__init__(labels)
        self.top = tuple(top)
        check_top(self.top, len(self.labels), noun)
        self.targets: np.ndarray = np.zeros(len(self.labels), np.int64)
        self._taught = np.zeros(len(self.labels), np.int64)

    @abstractmethod
    def part(self, name: str, column: int, *, baseline: float, baseline_name: str) -> Estimate:
        """The part of the units whose target is the most probable class, or for column i > 0 among the `top[i - 1]`."""

    @abstractmethod
    def mean_loss(self, name: str, *, baseline: float, baseline_name: str) -> Estimate:
        """The mean over units of -ln p(target)."""

    @property
    def share(self) -> np.ndarray:
        """(k,) the part of the units that have each class."""
        return self.targets / self.counted

    @property
    def known(self) -> np.ndarray:
        """(k,) how often the naive guess has seen each class."""
        return self._taught if self.informed else self.targets

    @property
    def commonest(self) -> np.ndarray:
        """(k,) the classes as the naive guess orders them, the commonest first."""
        return np.argsort(-self.known, kind="stable")

    @property
    def always(self) -> str:
        return f'always "{self.labels[self.commonest[0]]}"'

    def naive(self) -> Triple:
        one = np.arange(len(self.labels)) == self.commonest[0]  # (k,)
        return self.targets * one, (self.counted - self.targets) * one, self.targets * ~one

    def _learn(self, indices: np.ndarray) -> None:
        self._taught += np.bincount(indices, minlength=len(self.labels))
        self.informed = True


def defined(of: OfClasses, right: np.ndarray, wrong: np.ndarray, missed: np.ndarray) -> np.ndarray:
    """A figure of each class, NaN where it is 0/0."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(of(*(each.astype(np.float64) for each in (right, wrong, missed))), np.float64)


def mean_of(values: np.ndarray) -> float:
    """The mean over classes, where what is undefined counts as 0; the mean of none is undefined."""
    return float(np.nan_to_num(values).mean()) if len(values) else float("nan")


def slopes_of(of: OfClasses, right: np.ndarray, wrong: np.ndarray, missed: np.ndarray) -> np.ndarray:
    """(3, k): how much a class's figure moves with each of its three counts, 0 where it is undefined."""
    counts = [each.astype(np.float64) for each in (right, wrong, missed)]
    found: list[np.ndarray] = []
    for place in range(3):
        ends = [[one + way * STEP * (i == place) for i, one in enumerate(counts)] for way in (1, -1)]
        up, down = (defined(of, *end) for end in ends)
        found.append(np.nan_to_num((up - down) / (2 * STEP), posinf=0.0, neginf=0.0))
    return np.stack(found)


# The figures of choices and labels; each is a function of the tally.


def accuracy(seen: Choices) -> Estimate:
    """The part of the units whose most probable class is the target."""
    guess = float(seen.share[seen.commonest[0]])
    return seen.part("accuracy", 0, baseline=guess, baseline_name=seen.always)


def error(seen: Choices) -> Estimate:
    """The part of the units whose most probable class is not the target."""
    return accuracy(seen).complement("error")


def tops(seen: Choices) -> list[Metric]:
    """For each n asked for, the part of the units whose target is among the n most probable classes."""

    def top(place: int, best: int) -> Metric:
        def among(seen: Choices) -> Estimate:
            guess = min(1.0, float(seen.share[seen.commonest][:best].sum()))
            words = f"always the {best} commonest"
            return seen.part(f"top-{best} accuracy", place, baseline=guess, baseline_name=words)

        return among

    return [top(place, best) for place, best in enumerate(seen.top, 1)]


def log_loss(seen: Choices) -> Estimate:
    """The mean over units of -ln p(target), p clipped from below at 1e-12."""
    chances = np.maximum(seen.known / seen.known.sum(), CLIP)  # (k,)
    guess = float(-(seen.share * np.log(chances)).sum())
    found = seen.mean_loss("log loss", baseline=guess, baseline_name="class frequencies")
    return replace(found, less_is_better=True)


def macro_precision(seen: ClassTally) -> Estimate:
    """The mean over classes of the precision: the share of the answers with this class that are right."""
    return seen.over_classes("macro precision", lambda right, wrong, missed: right / (right + wrong))


def macro_recall(seen: ClassTally) -> Estimate:
    """The mean over classes of the recall: the share of the units of this class that are answered with it."""
    return seen.over_classes("macro recall", lambda right, wrong, missed: right / (right + missed))


def macro_f1(seen: ClassTally) -> Estimate:
    """The mean over classes of the harmonic mean of precision and recall, 2 right / (2 right + wrong + missed)."""
    return seen.over_classes("macro F1", lambda right, wrong, missed: 2 * right / (2 * right + wrong + missed))


MACROS: Sequence[Metric] = (macro_precision, macro_recall, macro_f1)  # of every answer that is counted class by class
