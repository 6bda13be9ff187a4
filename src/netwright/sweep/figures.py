"""Measures a net of a run on all validation examples, with intervals: the loss, and the error of classes."""

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor

from netwright.measure.estimate import Estimate, Moments, Shares, plus, proportion
from netwright.net.plan.plan import plan_of
from netwright.net.run.context import RunContext
from netwright.net.run.noise import Noise
from netwright.net.run.padding import own_elements
from netwright.sizes.unify import Row, Shape
from netwright.training.prepare.prepare import Prepared
from netwright.training.prepare.validate import Present, measuring, validation_of
from netwright.value import Value


class TrialFigures(Value):
    """What a net gives on the validation examples, each with its 95% interval over these examples.

    Fields:
        loss: the mean loss.
        error: the share of wrong decisions; None if the net decides nothing that is counted.
    """

    loss: Estimate
    error: Estimate | None

    def __str__(self) -> str:
        return str(self.loss) if self.error is None else f"{self.error}, {self.loss}"


def figures_of(prepared: Prepared, arrays: Mapping[str, Tensor]) -> TrialFigures:
    """Measure the net of a run with these arrays, as its validation does.

    The interval of the error is Wilson's for one decision an example; where an example has several, it is read from
    how examples differ. That of the loss is the one of a mean of losses. Neither covers the randomness of training.
    """
    assert prepared.validate is not None  # a sweep needs validation data
    plan = plan_of(prepared.net_with_loss.holding(inputs=prepared.feed.codecs))
    own = validation_of(plan, prepared.validate.data, Present.of(plan, arrays), prepared.net, prepared.prefix)
    losses, shares, several = None, Shares(1), False
    with torch.no_grad():
        for batch in own.data.every(own.chunk):
            context = measuring(batch, own.present.kind)
            with Noise(0, 0, batch.examples).governing(own.data.device):  # for functions that draw by themselves
                values = own.computed(batch.inputs, context)
            each = torch.stack([value.double() for value in values[: own.losses]]).sum(0)  # (b,)
            each = each if batch.weights is None else each * batch.weights
            losses = plus(losses, Moments.of(each.cpu().numpy()[:, None]))
            if own.target is not None and own.wrong is not None:
                port, shape = own.target
                wrong, decided = counts(own.wrong(values[-1], batch.inputs[port]), shape, context)
                shares.add(wrong, decided)
                several = several or bool((decided > 1).any())
    assert losses is not None  # there are no empty parts of data
    error = None
    if own.target is not None:
        error = shares.proportion("error", 0) if several else _of_coins(shares)
    return TrialFigures(losses.estimate("loss", 0), error)


def counts(wrong: Tensor, shape: Shape, context: RunContext) -> tuple[np.ndarray, np.ndarray]:
    """How many decisions of each example are wrong, and how many there are, (b, 1) each; padding is left out."""
    lengths = [None if isinstance(size, Row) else context.length(size) for size in shape]
    axes = [axis for axis, length in enumerate(lengths, 1) if length is not None]
    inside = own_elements(wrong, lengths, axes)
    real = torch.ones_like(wrong, dtype=torch.bool) if inside is None else inside.expand(wrong.shape)
    rows = [(mask.reshape(len(wrong), -1)).sum(1, keepdim=True) for mask in (wrong & real, real)]  # (b, 1) each
    return rows[0].cpu().numpy(), rows[1].cpu().numpy()


def _of_coins(shares: Shares) -> Estimate:
    """The error where each example has one decision."""
    whole = shares.proportion("error", 0)
    return proportion("error", whole.value * whole.n, whole.n)
