"""Precision, recall and F1 of each class, alike for one class for each example and for several labels."""

from collections.abc import Sequence

from netwright.measure.counts import Label
from netwright.measure.estimate import f1_score, proportion
from netwright.measure.report import ClassFigures
from netwright.measure.tally import Triple


def class_figures(labels: Sequence[Label], triple: Triple, n: int) -> tuple[ClassFigures, ...]:
    """The figures of each class among n examples; the baseline of each is to predict this class for every example.

    Precision is the share of the predictions of the class that are right, undefined if there are none; recall is the
    share of the examples of the class that are predicted as such; F1 is their harmonic mean. Precision and recall have
    Wilson intervals, each of its own denominator.
    """
    return tuple(_one(label, *(int(each[i]) for each in triple), n=n) for i, label in enumerate(labels))


def _one(label: Label, right: int, wrong: int, missed: int, *, n: int) -> ClassFigures:
    count, always = right + missed, f'always "{label}"'
    share = count / n
    return ClassFigures(
        label=label,
        count=count,
        figures=(
            proportion("precision", right, right + wrong, baseline=share, baseline_name=always),
            proportion("recall", right, count, baseline=1.0 if count else None, baseline_name=always),
            f1_score("F1", right, wrong, missed, baseline=2 * share / (1 + share), baseline_name=always),
        ),
    )
