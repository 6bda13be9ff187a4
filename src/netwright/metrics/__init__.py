"""Measurements that stream and merge, each with its interval and its naive baseline."""

from netwright.metrics.classification import Classification, ClassificationReport
from netwright.metrics.confusion import Confusion, ConfusionMatrix
from netwright.metrics.interval import Estimate
from netwright.metrics.perclass import ClassReport
from netwright.metrics.positions import Positions, PositionsReport
from netwright.metrics.regression import Regression, RegressionReport
from netwright.metrics.sequences import Sequences, SequencesReport
from netwright.metrics.several import SeveralLabels, SeveralLabelsReport
from netwright.metrics.worst import WorstExamples

__all__ = [
    "ClassReport",
    "Classification",
    "ClassificationReport",
    "Confusion",
    "ConfusionMatrix",
    "Estimate",
    "Positions",
    "PositionsReport",
    "Regression",
    "RegressionReport",
    "Sequences",
    "SequencesReport",
    "SeveralLabels",
    "SeveralLabelsReport",
    "WorstExamples",
]
