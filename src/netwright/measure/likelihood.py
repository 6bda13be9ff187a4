"""Other forms of the log loss: perplexity, the geometric mean of probabilities, the log-likelihood of all data."""

import math
from collections.abc import Callable
from dataclasses import replace

from netwright.measure.estimate import Estimate
from netwright.measure.named_metric import NamedMetric
from netwright.measure.tally import Choices, log_loss


def _moved(seen: Choices, name: str, form: Callable[[float], float], *, less_is_better: bool) -> Estimate:
    """The log loss put through a function, and its ends and its baseline with it."""
    loss = log_loss(seen)
    low, high = sorted(map(form, (loss.low, loss.high)))
    baseline = None if loss.baseline is None else form(loss.baseline)
    return replace(
        loss, name=name, value=form(loss.value), low=low, high=high, baseline=baseline, less_is_better=less_is_better
    )


def _exp(x: float) -> float:
    return math.exp(x) if x < 700 else math.inf


LIKELIHOODS = (
    NamedMetric("perplexity", lambda seen: _moved(seen, "perplexity", _exp, less_is_better=True), keeps=False),
    NamedMetric(
        "geometric mean probability",
        lambda seen: _moved(seen, "geometric mean probability", lambda loss: math.exp(-loss), less_is_better=False),
        keeps=False,
    ),
    NamedMetric(
        "log-likelihood",
        lambda seen: _moved(seen, "log-likelihood", lambda loss: -loss * seen.counted, less_is_better=False),
        keeps=False,
    ),
)
"""For classes, and for classes and elements at each position."""
