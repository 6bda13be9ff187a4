"""Measures a net between epochs on data it does not learn from: loss, and the error of classes."""

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from netwright.codecs.category import Boolean, Category
from netwright.codecs.each import Each
from netwright.codecs.labels import Labels
from netwright.errors import TrainingError
from netwright.net.part import Net
from netwright.net.plan.plan import Plan
from netwright.net.run.execute import Circumstances, program
from netwright.training.engine import mean_loss
from netwright.training.feed import Feed
from netwright.training.objective import Objective

CHUNK = 256
FEW = 16  # examples that tell whether a net gives probabilities


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
                loss = sum(float(mean_loss(value, batch.weights)) for value in values[:losses])
                total, weight = total + loss * batch.size, weight + batch.size
                if counts:
                    wrong += _wrong(values[-1], batch.inputs["target"])
        found = {"loss": total / weight}
        return {**found, "error": wrong / weight} if counts else found

    return measure


def check_probabilities(plan: Plan, data: Feed, arrays: Mapping[str, Tensor], net: Net, goal: Objective) -> None:
    """Refuse to train a net whose decoder reads probabilities where it gives something else, such as logits.

    It is asked of a few examples, since what a net of any parts gives cannot be told from their kinds.
    """
    wants = {name: codec.codec if isinstance(codec, Each) else codec for name, codec in net.held.outputs.items()}
    wants = {name: codec for name, codec in wants.items() if isinstance(codec, Category | Boolean | Labels)}
    slots = dict(plan.wiring.values[goal.prefix.rstrip("/")])
    batch = data.batch(torch.arange(min(len(data), FEW)))
    with torch.no_grad():
        bound = program(plan, [slots[name] for name in wants]).bind(arrays)
        outputs = bound(batch.inputs, Circumstances(batch=batch.size))
    for (name, codec), output in zip(wants.items(), outputs, strict=True):
        single = isinstance(codec, Category)
        sound = bool(((output >= 0) & (output <= 1.01)).all())
        if single:
            sound = sound and bool(((output.sum(-1) - 1).abs() < 0.01).all())
        if not sound and bool(output.isfinite().all()):
            last, part = slots[name][0].removeprefix(goal.prefix), "nw.softmax" if single else "nw.sigmoid"
            raise TrainingError(
                what="the decoder reads probabilities, and the net gives something else",
                where=f"{last} -> {name}",
                expected="numbers from 0 to 1" + (" that add up to 1" if single else ""),
                got=f"numbers from {float(output.min()):.3g} to {float(output.max()):.3g}",
                mend=f"{part} after {last}",
            )


def _wrong(output: Tensor, target: Tensor) -> int:
    """How many decisions differ from what is right: the most probable class, or one half as the border."""
    if target.is_floating_point():
        return int(((output >= 0.5) != (target >= 0.5)).sum())
    return int((output.argmax(-1) != target).sum())
