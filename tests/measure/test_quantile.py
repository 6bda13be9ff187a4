"""The quantile loss is scikit-learn's, its baseline the best constant."""

import numpy as np
import pytest
from sklearn.metrics import mean_absolute_error, mean_pinball_loss

import netwright as nw
from messages import message
from netwright.measure.kept import KeptAnswers
from netwright.measure.quantile import quantile_loss
from netwright.measure.regression import NumberSums


def measured(quantile, y, t):
    seen = NumberSums(y.shape[1] if y.ndim > 1 else 1)
    seen.kept = KeptAnswers()
    seen.update(y, t)
    return quantile_loss(quantile)(seen)


@pytest.mark.parametrize("quantile", [0.1, 0.5, 0.95])
def test_the_numbers_are_those_of_scikit_learn(quantile):
    random = np.random.default_rng(0)
    t = random.normal(2, 3, (80, 2))
    y = t + random.exponential(1, (80, 2))
    found = measured(quantile, y, t)
    assert found.value == pytest.approx(mean_pinball_loss(t, y, alpha=quantile), abs=1e-12)
    assert found.low < found.value < found.high and found.less_is_better
    constant = np.quantile(t, quantile, axis=0)
    assert found.baseline == pytest.approx(
        mean_pinball_loss(t, np.broadcast_to(constant, t.shape), alpha=quantile), rel=0.1
    )
    if quantile == 0.5:
        assert found.value == pytest.approx(mean_absolute_error(t, y) / 2)


def test_no_constant_is_better_than_the_baseline():
    t = np.random.default_rng(1).exponential(1, 200)
    found = measured(0.9, t[:, None], t[:, None])
    least = min(mean_pinball_loss(t, np.full(200, c), alpha=0.9) for c in np.linspace(0, 6, 1201))
    assert found.value == 0.0 and found.baseline == pytest.approx(least, rel=1e-3)


def test_one_is_asked_for_in_a_measurement():
    net = nw.Chain(nw.Linear(1), input=1, output=nw.Number(0, 1))
    net = net.with_arrays({"linear1/weight": [[1.0]], "linear1/bias": [0.0]})
    report = nw.measure(net, ([[1.0], [2.0]], [2.0, 2.0]), metrics=[nw.quantile_loss(0.25)])
    assert report.quantile_loss_0_25.value == pytest.approx(0.125)
    assert report.asked == ("quantile loss 0.25",)


@pytest.mark.parametrize("quantile", [0, 1, 1.5, "half"])
def test_a_quantile_is_a_share(quantile):
    text = "a quantile is a share of the targets\n  where:    quantile_loss\n  expected: 0 < q < 1\n"
    assert message(lambda: quantile_loss(quantile)) == f"{text}  got:      {quantile!r}"
