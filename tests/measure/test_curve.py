"""A curve is a value with its points, and says in one line what it is."""

import json

import numpy as np

from netwright.measure.curve import Curve
from netwright.measure.estimate import proportion

CURVE = Curve(
    kind="ROC",
    label="cat",
    x_name="false positive rate",
    y_name="true positive rate",
    x=np.array([0.0, 1.0]),
    y=np.array([0.0, 1.0]),
    thresholds=np.array([np.inf, 0.5]),
    low=np.empty(0),
    high=np.empty(0),
    figure=proportion("ROC area", 5, 10),
)


def test_the_line():
    assert repr(CURVE) == "<ROC curve of 'cat', 2 points: ROC area 50.0% (23.7-76.3, n=10)>"


def test_json_has_no_infinite_numbers():
    found = json.loads(json.dumps(CURVE.to_json()))
    assert (found["kind"], found["label"], found["thresholds"]) == ("ROC", "cat", [None, 0.5])
    assert found["figure"]["n"] == 10
