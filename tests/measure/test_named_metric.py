"""A named metric is a function of counts with the name of its figure."""

from netwright.measure.estimate import proportion
from netwright.measure.named_metric import NamedMetric


def test_it_is_called_with_counts():
    metric = NamedMetric("half", lambda seen: proportion("half", seen, 2 * seen))
    assert metric(4).value == 0.5 and metric.keeps
