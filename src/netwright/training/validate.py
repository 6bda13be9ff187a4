"""Measures a net between epochs on data it does not learn from: loss, and the error of classes."""

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from netwright.codecs.category import Boolean, Category
from netwright.net.part import Net
from netwright.net.plan.plan import Plan
from netwright.net.run.execute import Circumstances, program
from netwright.training.engine import mean_loss
from netwright.training.feed import Feed

CHUNK = 256


def validation_of(
    plan: Plan, data: Feed, arrays: Mapping[str, Tensor], net: Net, prefix: str
) -> Callable[[], Mapping[str, float]]:
    """A function that measures the arrays as they are now, in float32: the mean loss, and the error of classes."""
    codecs = net.held.outputs
    name = next(iter(codecs), "")
    codec = codecs.get(name)
    counts = len(codecs) == 1 and isinstance(codec, Category | Boolean) and bool(prefix)
    wanted = [slot for _, slot in plan.wiring.outputs]
    if counts:
        wanted.append(dict(plan.wiring.values[prefix.rstrip("/")])[name])
    bound = program(plan, wanted).bind(arrays)
    losses = len(plan.wiring.outputs)

    def measure() -> Mapping[str, float]:
        total = wrong = weight = 0.0
        with torch.no_grad():
            for indices in torch.arange(len(data)).split(CHUNK):
                batch = data.batch(indices)
                values = bound(batch.inputs, Circumstances(batch=batch.size))
                loss = sum(float(mean_loss(value, None)) for value in values[:losses])
                total, weight = total + loss * batch.size, weight + batch.size
                if counts:
                    wrong += _wrong(values[-1], batch.inputs["target"])
        found = {"loss": total / weight}
        return {**found, "error": wrong / weight} if counts else found

    return measure


def _wrong(output: Tensor, target: Tensor) -> int:
    """How many decisions differ from what is right: the most probable class, or one half as the border."""
    if target.is_floating_point():
        return int(((output >= 0.5) != (target >= 0.5)).sum())
    return int((output.argmax(-1) != target).sum())
