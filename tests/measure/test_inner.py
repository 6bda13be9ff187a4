"""The values inside a net over data: mean, spread, zeros, by path."""

import numpy as np
import pytest
import torch

import netwright as nw
from messages import message
from netwright.measure.inner import InnerSums

NET = nw.initialize(
    nw.Chain(nw.Linear(5), nw.relu, nw.Linear(2), nw.softmax, input=3, output=nw.Category(["a", "b"])), seed=1
)
X = torch.randn(50, 3, generator=torch.Generator().manual_seed(0))
Y = ["a", "b"] * 25


def test_the_numbers():
    report = nw.measure(NET, (X, Y), at="relu1")
    values = NET(X, at="relu1").double().numpy()
    assert (report.kind, report.output, report.n, report.counted) == ("inner value", "relu1", 50, 250)
    assert report.mean.value == pytest.approx(values.mean())
    assert report.standard_deviation.value == pytest.approx(values.std())
    assert report.zeros.value == pytest.approx((values == 0).mean())
    assert (report.least.value, report.greatest.value) == (values.min(), values.max())
    error = values.mean(axis=1).std(ddof=1) / np.sqrt(50)  # an example has five values, which are not independent
    assert report.mean.high - report.mean.low == pytest.approx(2 * 2.01 * error, rel=1e-3)
    assert report.mean.low < report.mean.value < report.mean.high


def test_targets_may_be_left_out_and_several_paths_are_measured_at_once():
    report = nw.measure(NET, X, at=["linear1", "relu1"])
    assert report["relu1"].zeros == nw.measure(NET, (X, Y), at="relu1").zeros
    assert report["linear1"].zeros.value == 0.0
    assert [figure.name for figure in report.figures] == ["linear1 mean", "relu1 mean"]


def test_examples_of_different_lengths():
    net = nw.initialize(nw.Chain(nw.Embedding(2), input=nw.Characters("abc")))
    report = nw.measure(net, ["ab", "c"], at="embedding1")
    rows = [net(text, at="embedding1") for text in ("ab", "c")]
    assert report.mean.value == pytest.approx(float(torch.cat(rows).mean()))
    assert (report.n, report.counted) == (2, 6)


def test_one_example_has_no_interval():
    seen = InnerSums("x")
    seen.update([np.array([1.0, 3.0])])
    assert str(seen.report().mean) == "mean 2.000 (no interval, n=1)"


def test_a_path_that_is_not_there_and_values_that_are_not_finite():
    assert message(lambda: nw.measure(NET, X, at="relu2")).startswith("no part of this net has the path 'relu2'")
    broken = NET.with_arrays({**NET.arrays, "linear1/bias": torch.full((5,), float("inf"))})
    text = "a value inside the net is not finite\n  where:    linear1, row 0\n  expected: finite numbers\n"
    assert message(lambda: nw.measure(broken, X, at="linear1")) == f"{text}  got:      5 of 5 are NaN or infinite"
    groups = "the values inside a net are measured over all data\n  where:    measure\n  got:      at= and by="
    assert message(lambda: nw.measure(NET, X, at="relu1", by=Y)) == groups
