"""What measuring gives must print its headline and go into JSON as it is."""

import json

import numpy as np
import torch

from netwright.measure.classification import Classification
from netwright.measure.measured import Example, Measured, MeasuredOutputs
from netwright.measure.positions import ClassifiedPositions
from netwright.measure.regression import Regression


def test_a_classifier():
    metric = Classification(("cat", "dog"), worst=1)
    metric.update(np.array([[0.9, 0.1], [0.8, 0.2]]), np.array([0, 1]))
    example = Example(1, "b.png", "dog", "cat", 1.61, {"cat": 0.8, "dog": 0.2})
    measured = Measured("output", metric.result(), (example,))
    assert str(measured) == (
        'accuracy 50.0% (9.5-90.5, n=2), always "cat": 50.0%\n'
        "\n"
        "confusion matrix, rows: actual, columns: predicted\n"
        "     cat  dog\n"
        "cat    1    .\n"
        "dog    1    .\n"
        "\n"
        "worst examples\n"
        "#1: 'dog', taken for 'cat' (loss 1.61)"
    )
    again = json.loads(json.dumps(measured.to_json()))
    assert again["worst"] == [{"index": 1, "actual": "dog", "predicted": "cat", "loss": 1.61}]
    assert (again["kind"], again["output"], again["n"]) == ("classification", "output", 2)


def test_numbers_without_worst_examples():
    metric = Regression(worst=0)
    metric.update(np.array([1.0, 2.0]), np.array([1.0, 4.0]))
    assert str(Measured("output", metric.result(), ())) == "MSE 2.0 (0.0-285.2, n=2), always the mean: 2.3"


def test_arrays_and_tuples_go_into_json():
    metric = Regression(worst=0)
    metric.update(np.array([1.0, 2.0]), np.array([1.0, 4.0]))
    example = Example(0, None, np.array([1.0]), (torch.tensor(2.0), "x", None), 1.0, {})
    (worst,) = Measured("output", metric.result(), (example,)).to_json()["worst"]
    assert worst["actual"] == [1.0] and worst["predicted"] == [2.0, "x", None]


def test_a_class_for_every_position():
    metric = ClassifiedPositions(("a", "b"), worst=1)
    metric.update([np.array([[0.9, 0.1], [0.8, 0.2]]), np.array([[0.3, 0.7]])], [np.array([0, 1]), np.array([1])])
    example = Example(0, None, ["a", "b"], ["a"] * 40, 0.86, {})
    measured = Measured("output", metric.result(), (example,))
    assert str(measured) == (
        'accuracy 66.7% (2.5-99.4, n=2), always "b": 66.7%\n'
        'exact 50.0% (9.5-90.5, n=2), always "b": 50.0%\n'
        "3 positions; the intervals count examples\n"
        "\n"
        "confusion matrix of positions, rows: actual, columns: predicted\n"
        "   a  b\n"
        "a  1  .\n"
        "b  1  1\n"
        "\n"
        "worst examples\n"
        "#0: ['a', 'b'], taken for ['a', 'a', 'a', 'a', 'a', 'a', 'a', 'a', 'a', 'a', 'a', 'a'… (loss 0.86)"
    )
    again = json.loads(json.dumps(measured.to_json()))
    assert (again["kind"], again["n"], again["positions"]) == ("a class for every position", 2, 3)


def test_several_outputs():
    metric = Regression(worst=0)
    metric.update(np.array([1.0, 2.0]), np.array([1.0, 4.0]))
    both = MeasuredOutputs({name: Measured(name, metric.result(), ()) for name in ("size", "age")})
    line = "MSE 2.0 (0.0-285.2, n=2), always the mean: 2.3"
    assert (list(both), len(both), both["age"].output) == (["size", "age"], 2, "age")
    assert both.headline == f"size: {line}\nage: {line}"
    assert str(both) == f"size: {line}\n\nage: {line}"
    assert set(json.loads(json.dumps(both.to_json()))) == {"size", "age"}
