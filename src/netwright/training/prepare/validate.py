"""Measures a net between epochs on data it does not learn from: loss, and the error of classes."""

from collections.abc import Iterator, Mapping

import torch
from torch import Tensor

from netwright.codecs.category import Boolean
from netwright.codecs.codec import Codec
from netwright.codecs.each import Each
from netwright.codecs.labels import Labels
from netwright.errors import TrainingError
from netwright.net.part import Net
from netwright.net.plan.plan import Plan
from netwright.net.run.assemble import program_of
from netwright.net.run.context import RunContext
from netwright.net.run.execute import Bound
from netwright.net.run.noise import Noise
from netwright.net.run.padding import own_elements
from netwright.sizes.unify import Row, Shape
from netwright.training.batch import Batch
from netwright.training.culprit import Culprit, of_values
from netwright.training.engines.engine import mean_loss
from netwright.training.prepare.feed import Feed
from netwright.training.prepare.goal import Goal, gives_classes
from netwright.training.prepare.with_loss import target_name
from netwright.value import Value

CHUNK = 256
FEW = 16  # examples that tell whether a net gives probabilities


class Validation(Value, eq=False):
    """Measures the arrays as they are now, in float32: the mean loss, and the error of classes.

    The loss is a mean over examples, as it is trained; the error of an output with a class for every position is the
    share of all positions that are wrong.

    Fields: `losses` the program of the losses, and behind them of the output whose decisions are counted against the
    port `target`, of these sizes; None where none is.
    """

    data: Feed
    bound: Bound
    losses: int
    target: tuple[str, Shape] | None

    def __call__(self) -> Mapping[str, float]:
        """The figures by name."""
        total = wrong = weight = decided = 0.0
        with torch.no_grad():
            for batch, context in self._batches():
                with Noise(0, 0, batch.examples).governing(self.data.device):  # for functions that draw by themselves
                    values = self.bound(batch.inputs, context)
                loss = sum(float(mean_loss(value, batch.weights)) for value in values[: self.losses])
                total, weight = total + loss * batch.size, weight + batch.size
                if self.target is not None:
                    port, shape = self.target
                    wrongs = _own(_wrong(values[-1], batch.inputs[port]), shape, context)
                    wrong, decided = wrong + int(wrongs.sum()), decided + wrongs.numel()
        found = {"loss": total / weight}
        return {**found, "error": wrong / decided} if self.target is not None else found

    def culprit(self) -> Culprit | None:
        """The first part that gives what is not finite, and the example of the validation data."""
        found = (of_values(self.bound, batch.inputs, context, batch.examples) for batch, context in self._batches())
        return next((culprit for culprit in found if culprit is not None), None)

    def _batches(self) -> Iterator[tuple[Batch, RunContext]]:
        for indices in self.data.by_length().split(CHUNK):
            batch = self.data.batch(indices)
            yield batch, RunContext(batch=batch.size, lengths=batch.lengths)


def validation_of(plan: Plan, data: Feed, arrays: Mapping[str, Tensor], net: Net, prefix: str) -> Validation:
    """What measures these arrays on data; the net's own paths have a prefix in the plan."""
    codecs = net.held.outputs
    name = next(iter(codecs), "")
    counts = len(codecs) == 1 and _decides(codecs[name]) and bool(prefix)
    target = target_name(net, name, several=False)
    wanted = [slot for _, slot in plan.wiring.outputs]
    losses = len(wanted)
    if counts:
        wanted.append(dict(plan.wiring.values[prefix.rstrip("/")])[name])
    bound = program_of(plan, wanted).bind(arrays)
    return Validation(data, bound, losses, (target, plan.shape(("", target))) if counts else None)


def check_net_probabilities(plan: Plan, data: Feed, arrays: Mapping[str, Tensor], net: Net, goal: Goal) -> None:
    """Refuse to train a net whose decoder reads probabilities where it gives something else, such as logits.

    It is asked of a few examples, since what a net of any parts gives cannot be told from their kinds.
    """
    wants = {name: codec for name, codec in net.held.outputs.items() if _decides(codec) or _inner(codec, Labels)}
    slots = dict(plan.wiring.values[goal.prefix.rstrip("/")])
    batch = data.batch(torch.arange(min(len(data), FEW), device="cpu"))
    with torch.no_grad(), Noise(0, 0, batch.examples).governing(data.device):  # for functions that draw by themselves
        bound = program_of(plan, [slots[name] for name in wants]).bind(arrays)
        context = RunContext(batch=batch.size, lengths=batch.lengths)
        outputs = bound(batch.inputs, context)
    for (name, codec), output in zip(wants.items(), outputs, strict=True):
        real, single = _own(output, plan.shape(slots[name]), context), gives_classes(codec)
        sound = bool(((real >= 0) & (real <= 1.01)).all())
        if single:
            sound = sound and bool(((real.sum(-1) - 1).abs() < 0.01).all())
        if not sound and bool(real.isfinite().all()):
            last, part = slots[name][0].removeprefix(goal.prefix), "nw.softmax" if single else "nw.sigmoid"
            raise TrainingError(
                what="the decoder reads probabilities, and the net gives something else",
                where=f"{last} -> {name}",
                expected="numbers from 0 to 1" + (" that add up to 1" if single else ""),
                got=f"numbers from {float(real.min()):.3g} to {float(real.max()):.3g}",
                mend=f"{part} after {last}",
            )


def _decides(codec: Codec) -> bool:
    """Whether an answer, or the answer at a position, is right or wrong."""
    return gives_classes(codec) or _inner(codec, Boolean)


def _inner(codec: Codec, kind: type[Codec]) -> bool:
    return isinstance(codec.codec if isinstance(codec, Each) else codec, kind)


def _own(x: Tensor, shape: Shape, context: RunContext) -> Tensor:
    """The values of a batch (b, *shape) that are not behind the end of an example: rows (r, …) where any are."""
    lengths = [None if isinstance(size, Row) else context.length(size) for size in shape]
    axes = [axis for axis, length in enumerate(lengths, 1) if length is not None]
    inside = own_elements(x, lengths, axes)
    if inside is None:
        return x
    up_to = x.shape[: axes[-1] + 1]
    return x[inside.flatten(axes[-1]).expand(up_to)]  # (b, *shape) -> (r, …)


def _wrong(output: Tensor, target: Tensor) -> Tensor:
    """Which decisions differ from what is right: the most probable class, or one half as the border."""
    if target.is_floating_point():
        return (output >= 0.5) != (target >= 0.5)
    return output.argmax(-1) != target
