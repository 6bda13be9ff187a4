"""The metrics that `metrics=` and `measurements=` ask for by name, for each kind of answer: the one list of them."""

from collections.abc import Sequence

from netwright.measure.agreement import AGREEMENTS
from netwright.measure.calibration import CALIBRATIONS
from netwright.measure.class_metrics import RATES, ClassMetric, OneClass, of_yes
from netwright.measure.likelihood import LIKELIHOODS
from netwright.measure.named_metric import NamedMetric
from netwright.measure.ranking import RANKINGS, REJECTION

Named = NamedMetric | ClassMetric | OneClass
OF_ELEMENTS: Sequence[Named] = (
    *AGREEMENTS,
    *CALIBRATIONS,
    REJECTION,
    *(one for one in LIKELIHOODS if one.title != "perplexity"),
)
OF_LABELS: Sequence[Named] = (*RANKINGS, *RATES)
_OF_CLASSES: Sequence[Named] = (*AGREEMENTS, *RANKINGS, *CALIBRATIONS, REJECTION, *LIKELIHOODS, *RATES)


def of_classes(yes: int | None) -> Sequence[Named]:
    """Those of a class; of yes and no also those of yes alone, under their plain names."""
    return _OF_CLASSES if yes is None else (*_OF_CLASSES, *of_yes(yes))
