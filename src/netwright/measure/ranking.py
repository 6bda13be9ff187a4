"""Figures of how answers are ordered by their probability: ROC and precision-recall curves, and rejection.

Every figure is a function of the weights of the units, and its interval comes from the derivatives by these weights.
"""

import math
from collections.abc import Callable, Sequence
from typing import TypeAlias

import numpy as np

from netwright.errors import shortened
from netwright.measure.curve import Curve
from netwright.measure.estimate import Estimate, equal_coins, wilson
from netwright.measure.kept import KeptAnswers
from netwright.measure.named_metric import NamedMetric
from netwright.measure.tally import Choices, ClassTally
from netwright.value import Value

Ranked: TypeAlias = tuple[float, np.ndarray]  # a figure, and how much each unit moves it
Ranker: TypeAlias = Callable[[np.ndarray, np.ndarray], Ranked]  # from scores and what is true, (units,) each
NONE = np.empty(0)


def area_under_roc(scores: np.ndarray, true: np.ndarray) -> Ranked:
    """How often a unit of the class has a larger score than one of another, where equal scores count one half.

    Source: DeLong et al., Comparing the areas under two or more correlated ROC curves, Biometrics 1988.
    """
    values, place = np.unique(scores, return_inverse=True)
    yes, no = (np.bincount(place, weights=one, minlength=len(values)) for one in (true, ~true))
    n_yes, n_no = yes.sum(), no.sum()
    above = (no.cumsum() - no / 2) / n_no  # (values,) the share of the others below a score
    below = (n_yes - yes.cumsum() + yes / 2) / n_yes
    area = float(yes @ above) / n_yes
    effect = np.where(true, (above[place] - area) / n_yes, (below[place] - area) / n_no)
    return area, effect


def average_precision(scores: np.ndarray, true: np.ndarray) -> Ranked:
    """The mean over the units of the class of the precision among all that score at least as high."""
    return _mean_at_ranks(scores, true, true)


def accuracy_by_rejection(scores: np.ndarray, right: np.ndarray) -> Ranked:
    """The mean over units of the accuracy among all of which the net is at least as sure."""
    return _mean_at_ranks(scores, right, np.ones(len(right), np.bool_))


def _mean_at_ranks(scores: np.ndarray, true: np.ndarray, members: np.ndarray) -> Ranked:
    """The mean over members of the share of what is true among the units that score at least as high."""
    values, place = np.unique(-scores, return_inverse=True)  # the largest score first
    hits, units, at = (
        np.bincount(place, weights=one, minlength=len(values)) for one in (true, np.ones(len(true)), members)
    )
    share, reached = hits.cumsum() / units.cumsum(), units.cumsum()  # (values,)
    mean = float(at @ share) / at.sum()

    def from_here(x: np.ndarray) -> np.ndarray:
        return x[::-1].cumsum()[::-1]  # a unit counts at its own score and at all below

    effect = (
        members * (share[place] - mean) + true * from_here(at / reached)[place] - from_here(at * share / reached)[place]
    )
    return mean, effect / at.sum()


def roc_points(scores: np.ndarray, true: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """False positive rate, true positive rate and threshold, without the points between two others on a line."""
    hits, wrong, thresholds = _at_thresholds(scores, true)
    corner = np.ones(len(hits), np.bool_)
    corner[1:-1] = (np.diff(hits, 2) != 0) | (np.diff(wrong, 2) != 0)
    hits, wrong, thresholds = hits[corner], wrong[corner], thresholds[corner]
    start = np.zeros(1)
    x, y = np.concatenate([start, wrong / wrong[-1]]), np.concatenate([start, hits / hits[-1]])
    return x, y, np.concatenate([[np.inf], thresholds])


def precision_recall_points(scores: np.ndarray, true: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Recall, precision and threshold from the smallest score to the largest, and the end (0, 1)."""
    hits, wrong, thresholds = _at_thresholds(scores, true)
    x, y = hits / hits[-1], hits / (hits + wrong)
    return np.append(x[::-1], 0.0), np.append(y[::-1], 1.0), np.append(thresholds[::-1], np.inf)


def rejection_points(scores: np.ndarray, right: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The share of units that are rejected, the accuracy of the others, and the probability below which they are."""
    hits, wrong, thresholds = _at_thresholds(scores, right)
    answered = hits + wrong
    return 1 - answered[::-1] / len(right), (hits / answered)[::-1], thresholds[::-1]


def _at_thresholds(scores: np.ndarray, true: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """True and false positives at every threshold, the largest first."""
    order = np.argsort(-scores, kind="stable")
    sorted_scores, hits = scores[order], true[order].cumsum(dtype=np.float64)
    last = np.append(np.flatnonzero(np.diff(sorted_scores)), len(scores) - 1)  # of equal scores
    return hits[last], last + 1 - hits[last], sorted_scores[last]


def _estimate(name: str, ranked: Ranked, kept: KeptAnswers, coins: float, baseline: float, naive: str) -> Estimate:
    """A figure from 0 to 1 with Wilson's interval of as many coins as vary as much; at most `coins` where it is 1."""
    value, effect = ranked
    variance = kept.variance(effect)
    if 0 < variance < np.inf and 0 < value < 1:
        coins = equal_coins(value, variance, 2.0 * len(effect), kept.n - 1)
    low, high = wilson(min(max(value, 0.0), 1.0) * coins, coins)
    return Estimate(
        name=name,
        value=value,
        low=low,
        high=high,
        n=kept.n,
        baseline=baseline,
        baseline_name=naive,
        percent=True,
    )


def _columns(seen: ClassTally) -> list[tuple[np.ndarray, np.ndarray]]:
    """Of each class its scores and where it is true, (units,) each."""
    assert seen.kept is not None
    p, t = seen.kept["p"], seen.kept["target"]
    return [(p[:, i], t[:, i] if t.ndim == 2 else t == i) for i in range(len(seen.labels))]


def _decidable(true: np.ndarray) -> bool:
    """Whether some units have the class and others have not."""
    return 0 < int(true.sum()) < len(true)


class _OneVersusRest(Value, eq=False):
    """A figure of one class against the others: its mean over classes, and the curve of each class.

    Of yes and no, only yes has one. A class that no unit has, or that all have, has none, and is left out of the mean.
    """

    title: str
    ranker: Ranker
    guess: Callable[[np.ndarray], float]  # what scores that do not depend on the input get
    naive: str
    kind: str
    x_name: str
    y_name: str
    points: Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray, np.ndarray]]

    def of(self, seen: ClassTally) -> Estimate:
        """The mean over classes."""
        assert seen.kept is not None
        columns = [(scores, true) for scores, true in self._wanted(seen).values() if _decidable(true)]
        if not columns:
            return self._undefined(seen)
        found = [self.ranker(*column) for column in columns]
        mean = float(np.mean([value for value, _ in found])), np.mean([effect for _, effect in found], axis=0)
        guess = float(np.mean([self.guess(true) for _, true in columns]))
        return _estimate(self.title, mean, seen.kept, _fewest(columns), guess, self.naive)

    def each(self, seen: ClassTally) -> tuple[Estimate, ...]:
        """The figure of every class."""
        assert seen.kept is not None
        return tuple(
            _estimate(self.title, self.ranker(*column), seen.kept, _fewest([column]), self.guess(column[1]), self.naive)
            if _decidable(column[1])
            else self._undefined(seen)
            for column in _columns(seen)
        )

    def curves(self, seen: ClassTally) -> tuple[Curve, ...]:
        """The curve of every class that has one."""
        each, found = self.each(seen), list[Curve]()
        for i, (scores, true) in self._wanted(seen).items():
            if _decidable(true):
                x, y, thresholds = self.points(scores, true)
                found.append(
                    Curve(
                        kind=self.kind,
                        label=seen.labels[i],
                        x_name=self.x_name,
                        y_name=self.y_name,
                        x=x,
                        y=y,
                        thresholds=thresholds,
                        low=NONE,
                        high=NONE,
                        figure=each[i],
                    )
                )
        return tuple(found)

    def notes(self, seen: ClassTally) -> tuple[str, ...]:
        """Which classes have no such figure."""
        without = [str(seen.labels[i]) for i, (_, true) in self._wanted(seen).items() if not _decidable(true)]
        if not without:
            return ()
        shown = shortened(", ".join(without), 80)
        return (f"{self.title} compares units of a class with others; none, or all, are of these classes: {shown}",)

    def _wanted(self, seen: ClassTally) -> dict[int, tuple[np.ndarray, np.ndarray]]:
        columns = _columns(seen)
        yes = seen.yes
        return dict(enumerate(columns)) if yes is None else {yes: columns[yes]}

    def _undefined(self, seen: ClassTally) -> Estimate:
        return Estimate(name=self.title, value=math.nan, low=0.0, high=1.0, n=seen.n, percent=True)


def _fewest(columns: Sequence[tuple[np.ndarray, np.ndarray]]) -> float:
    """The units on the smaller side of the smallest class."""
    return float(min(min(true.sum(), (~true).sum()) for _, true in columns))


def _sureness(seen: Choices) -> tuple[np.ndarray, np.ndarray]:
    """The probability of each answer, and whether it is right."""
    assert seen.kept is not None
    p, said = seen.kept["p"], seen.kept["said"]
    return p[np.arange(len(p)), said], said == seen.kept["target"]


def _rejection(seen: Choices) -> Estimate:
    """The mean accuracy over all shares of rejected units; that of the naive guess does not change with the share."""
    assert seen.kept is not None
    sure, right = _sureness(seen)
    guess = float(seen.share[seen.commonest[0]])
    ranked = accuracy_by_rejection(sure, right)
    return _estimate("rejection area", ranked, seen.kept, float(seen.n), guess, seen.always)


def _rejection_curve(seen: Choices) -> tuple[Curve, ...]:
    sure, right = _sureness(seen)
    x, y, thresholds = rejection_points(sure, right)
    answered = (1 - x) * len(right)
    ends = np.array([wilson(share * n, n) for share, n in zip(y, answered, strict=True)])
    return (
        Curve(
            kind="rejection",
            label=None,
            x_name="share rejected",
            y_name="accuracy of the others",
            x=x,
            y=y,
            thresholds=thresholds,
            low=ends[:, 0],
            high=ends[:, 1],
            figure=_rejection(seen),
        ),
    )


_ROC = _OneVersusRest(
    "ROC area",
    area_under_roc,
    lambda true: 0.5,
    "chance",
    "ROC",
    "false positive rate",
    "true positive rate",
    roc_points,
)
_PRECISION_RECALL = _OneVersusRest(
    "average precision",
    average_precision,
    lambda true: float(true.mean()),
    "class frequencies",
    "precision-recall",
    "recall",
    "precision",
    precision_recall_points,
)
RANKINGS = tuple(
    NamedMetric(one.title, one.of, each=one.each, curves=one.curves, notes=one.notes)
    for one in (_ROC, _PRECISION_RECALL)
)
"""For classes and for labels."""
REJECTION = NamedMetric("rejection area", _rejection, curves=_rejection_curve)
"""For classes, of which one is chosen."""
