"""Perplexity, geometric mean and log-likelihood are forms of the log loss."""

import math

import pytest
from sklearn.metrics import log_loss

from measure.figures import figures
from measure.scored import asked, scored
from netwright.measure.classification import ClassCounts
from netwright.measure.positions import PositionCounts

NAMES = ("perplexity", "geometric_mean_probability", "log_likelihood")


def test_the_numbers():
    p, t = scored(100, 3, decimals=6)
    seen = ClassCounts("abc")
    perplexity, mean, likelihood = asked(seen, *NAMES)
    seen.update(p, t)
    loss = log_loss(t, p)
    assert figures(seen).log_loss.value == pytest.approx(loss, abs=1e-12)
    assert perplexity(seen).value == pytest.approx(math.exp(loss), abs=1e-12)
    assert mean(seen).value == pytest.approx(math.exp(-loss), abs=1e-12)
    assert likelihood(seen).value == pytest.approx(-100 * loss, abs=1e-9)
    for metric in (perplexity, mean, likelihood):
        found = metric(seen)
        assert found.low < found.value < found.high and found.baseline is not None
    assert mean(seen).baseline == pytest.approx(1 / perplexity(seen).baseline)
    assert [metric(seen).less_is_better for metric in (perplexity, mean, likelihood)] == [True, False, False]


def test_the_log_likelihood_of_positions_is_their_sum():
    p, t = scored(12, 3)
    seen = PositionCounts("abc")
    _, _, likelihood = asked(seen, *NAMES)
    seen.update([p[:5], p[5:]], [t[:5], t[5:]])
    assert likelihood(seen).value == pytest.approx(sum(math.log(row[i]) for row, i in zip(p, t, strict=True)))
