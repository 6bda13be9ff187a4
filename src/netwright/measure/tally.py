"""The counts of one output while batches are added: the sums from which every metric is computed."""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, ClassVar, Protocol, TypeAlias

import numpy as np

from netwright.measure.arrays import Rows, check_top
from netwright.measure.counts import ConfusionMatrix, Label
from netwright.measure.estimate import Estimate, average, equal_coins, wilson
from netwright.measure.kept import KeptAnswers
from netwright.measure.report import ClassFigures

Metric: TypeAlias = Callable[[Any], Estimate]  # from a tally to a figure
Outcomes: TypeAlias = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]
"""(k,) each, of k classes: true positives, false positives, false negatives and true negatives."""
Triple: TypeAlias = tuple[np.ndarray, np.ndarray, np.ndarray]
OfClasses: TypeAlias = Callable[[np.ndarray, np.ndarray, np.ndarray, np.ndarray], np.ndarray]
CLIP = 1e-12  # one probability of exactly 0 would make the mean log loss infinite; the most it costs is 27.6
STEP = 1e-5  # of a difference quotient, in examples


class Titled(Protocol):
    """A metric with the name of its figure."""

    @property
    def title(self) -> str: ...

    def __call__(self, seen: Any, /) -> Estimate: ...


class Tally(ABC):
    """The sums of one output; examples are added batch by batch and never kept.

    Fields:
        unit: what is counted: examples, or their positions.
        n: examples measured so far.
        without: examples of which no position counts, such as a mask whose pixels are all ignored; `n` leaves them out.
        informed: whether the naive guess was read from training data.
        kept: every answer with its target, where a metric that was asked for reads them all; else None.
    """

    unit: ClassVar[str] = "examples"
    n = 0
    without = 0
    informed = False
    kept: KeptAnswers | None = None

    @abstractmethod
    def learn(self, right: Rows) -> None:
        """Add targets of training data; the naive guess is then computed from them alone."""

    @abstractmethod
    def update(self, given: Rows, right: Rows) -> np.ndarray:
        """Add a batch of outputs and encoded targets; gives the loss of each example, which orders the worst.

        An example without positions counts in no figure, and its loss is NaN.
        """

    @property
    @abstractmethod
    def metrics(self) -> Sequence[Metric]:
        """The metrics that the report shows for this kind of answer, the most important first."""

    @property
    def further(self) -> Sequence[Titled]:
        """The metrics that are computed only where `metrics=` asks for them by name."""
        return ()

    @property
    def guess(self) -> tuple[Any, np.ndarray | None] | None:
        """The naive answer as a decoder gives it, and its probabilities; None where there is no single one."""
        return None

    @property
    def counted(self) -> int:
        """How many units were measured."""
        return self.n

    @property
    def seen(self) -> int:
        """How many examples were given so far, with those that do not count."""
        return self.n + self.without

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
        yes: of yes and no, the index of yes; else None.
    """

    clipped = 0
    yes: int | None = None

    def __init__(self, labels: Sequence[Label]) -> None:
        self.labels = tuple(labels)

    @property
    def width(self) -> int:
        return len(self.labels)

    @abstractmethod
    def outcomes(self) -> Outcomes:
        """How often each class was rightly predicted, wrongly predicted, missed, and rightly not predicted."""

    @abstractmethod
    def naive(self) -> Outcomes:
        """The same counts for the naive guess."""

    @property
    @abstractmethod
    def always(self) -> str:
        """The naive guess in words."""

    def over_classes(self, name: str, of: OfClasses) -> Estimate:
        """The plain mean of a figure over the classes that occur or were given: a macro average.

        The figure is a function of four arrays, one number for each class: its true positives, false positives, false
        negatives and true negatives. If it is 0/0, such as the precision of a class that the net never gives, it counts
        as 0. The baseline is the same function of the counts of the naive guess.
        """
        counts = self.outcomes()
        live = np.sum(counts[:3], axis=0) > 0
        value, baseline = (mean_of(defined(of, *four)[live]) for four in (counts, self.naive()))
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

    def of_each(self, of: OfClasses) -> list[tuple[float, float, float]]:
        """A share of each class with the ends of its interval; what is 0/0 is undefined, somewhere from 0 to 1.

        The interval is Wilson's for as many coins as would vary as much, by the delta method. A share that no example
        moves, such as a precision of 1, counts as many coins as one more mistake would move it by.
        """
        counts = self.outcomes()
        values, slopes = defined(of, *counts), slopes_of(of, *counts)  # (k,), (4, k)
        variances, examples, most = self._variances(slopes)
        steepest = np.abs(slopes).max(axis=0)  # (k,)
        found: list[tuple[float, float, float]] = []
        for i, v in enumerate(map(float, values)):
            if math.isnan(v):
                found.append((v, 0.0, 1.0))
                continue
            if examples[i] > 1 and variances[i] > 0 and 0 < v < 1:
                coins = equal_coins(v, float(variances[i]), float(most[i]), examples[i] - 1)
            else:
                coins = min(1 / steepest[i] if steepest[i] > 0 else math.inf, float(examples[i]) or math.inf)
                coins = coins if math.isfinite(coins) else float(self.n)
            found.append((v, *wilson(v * coins, coins)))
        return found

    def _interval(self, of: OfClasses, counts: Outcomes, value: float) -> tuple[float, float]:
        """The interval of a mean over classes: at most the mean distance of each class's own ends."""
        del value
        live = np.flatnonzero(np.sum(counts[:3], axis=0))
        parts = self.of_each(of)
        return average([(np.nan_to_num(v), low, high) for v, low, high in (parts[i] for i in live)])

    def _variances(self, slopes: np.ndarray) -> Triple:
        """Of each class's own figure its variance, the examples behind it, and the units behind it.

        An example moves the figure by its slopes (4, k), and the variance is the sum of the squares of that. Examples
        that move it nowhere are not behind it.
        """
        counts = np.stack(self.outcomes())  # (4, k)
        behind = (counts * (slopes != 0)).sum(axis=0)
        return (counts * slopes**2).sum(axis=0), behind, behind

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

    def naive(self) -> Outcomes:
        one = np.arange(len(self.labels)) == self.commonest[0]  # (k,)
        others = self.counted - self.targets
        return self.targets * one, others * one, self.targets * ~one, others * ~one

    def _learn(self, indices: np.ndarray) -> None:
        self._taught += np.bincount(indices, minlength=len(self.labels))
        self.informed = True


def outcomes_of(counts: np.ndarray) -> Outcomes:
    """The outcomes of each class, from counts (k, k) by actual and predicted class."""
    right, given, actual = counts.diagonal(), counts.sum(axis=0), counts.sum(axis=1)
    return right, given - right, actual - right, counts.sum() - given - actual + right


def defined(of: OfClasses, *counts: np.ndarray) -> np.ndarray:
    """A figure of each class from its outcomes, NaN where it is 0/0."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(of(*(each.astype(np.float64) for each in counts)), np.float64)


def mean_of(values: np.ndarray) -> float:
    """The mean over classes, where what is undefined counts as 0; the mean of none is undefined."""
    return float(np.nan_to_num(values).mean()) if len(values) else float("nan")


def slopes_of(of: OfClasses, *counts: np.ndarray) -> np.ndarray:
    """How much a class's figure moves with each of its counts, a row (k,) for each; 0 where it is undefined."""
    exact = [each.astype(np.float64) for each in counts]
    found: list[np.ndarray] = []
    for place in range(len(exact)):
        ends = [[one + way * STEP * (i == place) for i, one in enumerate(exact)] for way in (1, -1)]
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
