"""The quantile loss of predictions that are to be above a given share of the targets."""

import math
from typing import cast

import numpy as np

from netwright.errors import DataError
from netwright.measure.estimate import Estimate, mean_estimate
from netwright.measure.named_metric import NamedMetric
from netwright.measure.regression import NumberSums


def quantile_loss(quantile: float) -> NamedMetric:
    """The quantile loss, also called pinball loss, for `nw.measure(…, metrics=[nw.quantile_loss(0.9)])`.

    It is the mean of q (y - ŷ) where the target y is above the prediction ŷ, and of (1 - q) (ŷ - y) where it is below,
    in the target's unit. The least loss has the prediction that a share q of the targets is below. With q = 0.5 it is
    half of the MAE. The baseline is always to predict this quantile of the measured data.

    Fields: `quantile` q, above 0 and below 1.

    Raises: DataError for another q.

    Example:
        >>> import netwright as nw
        >>> net = nw.Chain(nw.Linear(1), input=1, output=nw.Number(0, 1))
        >>> net = net.with_arrays({"linear1/weight": [[1.0]], "linear1/bias": [0.0]})
        >>> data = ([[1.0], [2.0], [3.0]], [2.0, 2.0, 1.0])
        >>> print(nw.measure(net, data, metrics=[nw.quantile_loss(0.9)]).quantile_loss_0_9)
        quantile loss 0.9 0.37 (0.04-14.70, n=3), always the quantile 0.9: 0.03

    Source: Koenker and Bassett, Regression quantiles, Econometrica 1978.
    """
    if not (isinstance(cast(object, quantile), int | float) and 0 < quantile < 1):
        raise DataError(
            what="a quantile is a share of the targets", where="quantile_loss", expected="0 < q < 1", got=repr(quantile)
        )
    name = f"quantile loss {quantile:g}"

    def of(seen: NumberSums) -> Estimate:
        kept = seen.kept
        assert kept is not None
        losses = _pinball(kept["target"] - kept["given"], quantile).mean(axis=1)  # (positions of all,)
        constant = np.quantile(kept["target"], quantile, axis=0, method="inverted_cdf")
        value = float(losses.mean())
        low, high = mean_estimate(value, math.sqrt(kept.variance((losses - value) / len(losses))), kept.n)
        return Estimate(
            name=name,
            value=value,
            low=low,
            high=high,
            n=kept.n,
            baseline=float(_pinball(kept["target"] - constant, quantile).mean()),
            baseline_name=f"always the quantile {quantile:g}",
            less_is_better=True,
        )

    return NamedMetric(name, of)


def _pinball(over: np.ndarray, quantile: float) -> np.ndarray:
    """The loss of targets that are above their predictions by this much."""
    return np.maximum(quantile * over, (quantile - 1) * over)
