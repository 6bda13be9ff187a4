"""Mean average precision of boxes in pictures, as COCO defines it."""

from collections.abc import Hashable, Sequence
from typing import Any, TypeAlias

import numpy as np

from netwright.errors import DataError, shortened
from netwright.measure.estimate import Estimate
from netwright.measure.own import resampled_interval
from netwright.value import Value

Thing: TypeAlias = Sequence[Any]  # (box, class, score); a target needs no score
IOUS = tuple(round(0.5 + 0.05 * step, 2) for step in range(10))
RECALLS = np.linspace(0, 1, 101)
MOST = 100  # boxes of one class in one picture that count


def mean_average_precision(
    answers: Sequence[Sequence[Thing]], targets: Sequence[Sequence[Thing]], iou: float | None = None
) -> Estimate:
    """The mean average precision of boxes, mAP: over classes, and over how well a box has to fit.

    A box that a net gives is right if its intersection over union with a target of its class that no better box has
    taken is at least a threshold. Along the boxes of a class, the surest first, precision is drawn against recall, made
    to never rise, and averaged at 101 recalls from 0 to 1. mAP50-95 is the mean over the classes that occur in the
    targets and over the thresholds 0.5, 0.55, …, 0.95; mAP50 is that at 0.5. Of a class, the 100 surest boxes of a
    picture count. The interval comes from pictures drawn anew. The baseline is to give no box.

    `nw.measure(net, data, metrics=[nw.mean_average_precision])` measures a net that answers with boxes.

    Fields:
        answers: for each picture the boxes that a net gives, each `(box, class, score)`; a box is
            `(left, top, right, bottom)` in any unit.
        targets: for each picture the boxes that are there, each `(box, class)`.
        iou: the threshold; None is the mean over all ten.

    Raises: DataError for pictures of another number, for a box that is none or has no area, a score that is no number,
        and targets without a box.

    Example:
        >>> import netwright as nw
        >>> there = [[((0, 0, 10, 10), "cat")], [((5, 5, 9, 9), "cat"), ((0, 0, 4, 4), "dog")]]
        >>> given = [[((0, 0, 10, 9), "cat", 0.9)], [((5, 5, 9, 9), "cat", 0.8), ((8, 8, 9, 9), "dog", 0.7)]]
        >>> f"{float(nw.mean_average_precision(given, there, iou=0.5)):.2f}"
        '0.50'

    Source: Lin et al., Microsoft COCO, 2014, arXiv 1405.0312; the same numbers as pycocotools' `COCOeval`, where no
    target is a crowd.
    """
    if len(answers) != len(targets):
        raise DataError(
            what="boxes are compared picture by picture",
            where="mean_average_precision",
            got=f"answers of {len(answers):,} pictures, targets of {len(targets):,}",
        )
    if iou is not None and not 0 < iou <= 1:
        raise DataError(what="an intersection over union is above 0 and at most 1", where="iou", got=repr(iou))
    thresholds = IOUS if iou is None else (iou,)
    given = [_read(things, f"answers, picture {i}", scored=True) for i, things in enumerate(answers)]
    there = [_read(things, f"targets, picture {i}", scored=False) for i, things in enumerate(targets)]
    classes = dict.fromkeys(label for _, labels, _ in there for label in labels)
    if not classes:
        raise DataError(what="the targets have no box, so there is no precision to average", where="targets")
    found = [_Matches.of(given, there, label, thresholds) for label in classes]
    name = "mAP50-95" if iou is None else f"mAP{100 * iou:g}"

    def at(rows: np.ndarray) -> float:
        weights = np.bincount(rows, minlength=len(targets)).astype(np.float64)
        precisions = [one.average_precision(weights) for one in found]
        return float(np.nanmean(precisions))  # a class may be missing from pictures that are drawn anew

    value = at(np.arange(len(targets)))
    low, high = resampled_interval(at, value, len(targets), name)
    return Estimate(
        name=name,
        value=value,
        low=max(0.0, low),
        high=min(1.0, high),
        n=len(targets),
        baseline=0.0,
        baseline_name="no box",
        percent=True,
    )


Boxed: TypeAlias = tuple[np.ndarray, list[Hashable], np.ndarray]  # corners (n, 4), classes, scores (n,)


def _read(things: Sequence[Thing], where: str, *, scored: bool) -> Boxed:
    """The boxes of one picture, checked."""
    corners, labels, scores = np.zeros((len(things), 4)), list[Hashable](), np.ones(len(things))
    for i, thing in enumerate(things):
        box, label, *score = thing
        corners[i] = _corners(box, f"{where}, box {i}")
        labels.append(label)
        if scored and not (score and np.isfinite(score[0])):
            raise DataError(
                what="a box that a net gives has a score",
                where=f"{where}, box {i}",
                expected="(box, class, score) with a finite number as the score",
                got=shortened(repr(thing), 80),
            )
        scores[i] = score[0] if scored else 1.0
    return corners, labels, scores


def _corners(box: Any, where: str) -> np.ndarray:
    found = np.asarray(box, np.float64).reshape(-1)
    if found.shape == (4,) and np.isfinite(found).all() and found[0] < found[2] and found[1] < found[3]:
        return found
    raise DataError(
        what="a box has a left, a top, a right and a bottom, and an area",
        where=where,
        expected="(left, top, right, bottom), left < right and top < bottom",
        got=shortened(repr(box), 80),
    )


def overlaps(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """The intersection over union of boxes (a, 4) and (b, 4), each with each: (a, b).

    Example:
        >>> overlaps(np.array([[0.0, 0, 2, 2]]), np.array([[1.0, 0, 3, 2], [5, 5, 6, 6]]))
        array([[0.33333333, 0.        ]])
    """
    corner, other = (take(left[:, None, cut], right[None, :, cut]) for take, cut in _SIDES)
    inside = np.maximum(other - corner, 0).prod(axis=2)
    areas = [(one[:, 2] - one[:, 0]) * (one[:, 3] - one[:, 1]) for one in (left, right)]
    return inside / (areas[0][:, None] + areas[1][None] - inside)


_SIDES = ((np.maximum, slice(0, 2)), (np.minimum, slice(2, 4)))


class _Matches(Value, eq=False):
    """The boxes of one class in all pictures, the surest first: which are right, and how many targets there are."""

    hits: np.ndarray  # (thresholds, boxes)
    picture: np.ndarray  # (boxes,)
    targets: np.ndarray  # (pictures,)

    @classmethod
    def of(
        cls, given: Sequence[Boxed], there: Sequence[Boxed], label: Hashable, thresholds: Sequence[float]
    ) -> "_Matches":
        hits, scores, pictures, targets = list[np.ndarray](), list[np.ndarray](), list[int](), np.zeros(len(there))
        for i, (mine, theirs) in enumerate(zip(given, there, strict=True)):
            own, right = (np.array([one == label for one in boxed[1]], np.bool_) for boxed in (mine, theirs))
            order = np.argsort(-mine[2][own], kind="stable")[:MOST]
            fits = overlaps(mine[0][own][order], theirs[0][right])
            targets[i] = right.sum()
            hits.append(np.stack([_taken(fits, threshold) for threshold in thresholds]))
            scores.append(mine[2][own][order])
            pictures += [i] * len(order)
        order = np.argsort(-np.concatenate(scores), kind="stable")
        return cls(np.concatenate(hits, axis=1)[:, order], np.array(pictures, np.int64)[order], targets)

    def average_precision(self, weights: np.ndarray) -> float:
        """The mean over thresholds, each picture counting as its weight; NaN without a target."""
        total = float(weights @ self.targets)
        if not total:
            return float("nan")
        each = weights[self.picture]  # (boxes,)
        right, wrong = (each * self.hits).cumsum(axis=1), (each * ~self.hits).cumsum(axis=1)
        precision = right / np.maximum(right + wrong, 1e-300)
        precision = np.maximum.accumulate(precision[:, ::-1], axis=1)[:, ::-1]
        found = np.zeros((len(right), len(RECALLS)))
        for row, recall in enumerate(right / total):
            place = np.searchsorted(recall, RECALLS, side="left")
            reached = place < len(recall)
            found[row, reached] = precision[row, place[reached]]
        return float(found.mean())


def _taken(fits: np.ndarray, threshold: float) -> np.ndarray:
    """Whether each box takes a target, (boxes,), from overlaps (boxes, targets); each takes the best that is free."""
    free, hits = np.ones(fits.shape[1], np.bool_), np.zeros(len(fits), np.bool_)
    for i, row in enumerate(fits):
        left = np.where(free, row, -1.0)
        if len(left) and left.max() >= min(threshold, 1 - 1e-10):
            free[len(left) - 1 - int(left[::-1].argmax())] = False  # of equal ones the last
            hits[i] = True
    return hits
