"""Looks at the nets of a run on its data: gradients by path, dead units, classes never predicted, baselines."""

from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch import Tensor

from netwright.net.part import Net
from netwright.net.plan.plan import Plan, fixed, plan_of
from netwright.net.ports import target_name
from netwright.net.run.assemble import program_of
from netwright.net.run.noise import Noise
from netwright.training.batch import Batch
from netwright.training.feeds.batches import Batches
from netwright.training.prepare.prepare import Prepared
from netwright.training.prepare.validate import CHUNK, measuring
from netwright.training.result import Run
from netwright.value import Value

EXAMPLES = 256  # of the batch whose gradient is looked at
COUNTED = 5000  # examples whose predictions are counted, at most
MSE, CROSS_ENTROPY = "MSE()", "CrossEntropy()"


class Gradients(Value):
    """The gradient of a batch.

    Fields:
        loss: of the batch.
        length: of all of it.
        relative: by path of a matrix, its length by the length of the matrix.
    """

    loss: float
    length: float
    relative: Mapping[str, float]

    @property
    def weakest(self) -> tuple[str, float]:
        """The matrix with the smallest relative gradient, and that gradient by the largest one."""
        if len(self.relative) < 2:
            return "", 1.0
        path = min(self.relative, key=self.relative.__getitem__)
        most = max(self.relative.values())
        return path, self.relative[path] / most if most > 0 else 1.0

    @property
    def strongest(self) -> str:
        """The matrix with the largest relative gradient."""
        return max(self.relative, key=self.relative.__getitem__, default="")


class Inspection(Value):
    """What the nets of a run show on its data.

    Fields:
        first, last: the gradients with which the run begins, and with its last net.
        dead: by path of a part that gives no number below 0, the share of its units that give 0 for all examples.
        unpredicted: the classes that the best net gives for no example that validates, with how many of these have
            them; where none validates, those that train are looked at.
        naive: the loss of the best net by that of the naive answer: the shares of the classes, or the mean; None if
            the loss is another one.
    """

    first: Gradients
    last: Gradients
    dead: Mapping[str, float]
    unpredicted: Mapping[str, int]
    naive: float | None


def inspected(run: Run, prepared: Prepared) -> Inspection:
    """Look at a run that was prepared again, and so has the weights with which it began."""
    engine, prefix = prepared.engine, prepared.prefix
    batch = _batch(prepared)
    first = _gradients(prepared, batch)
    engine.flat.master.copy_(engine.buffer(_prefixed(run.last, prefix)))
    last_arrays = _prefixed(run.last, prefix)
    for path, array in prepared.other_arrays.items():
        if path in last_arrays:
            array.copy_(last_arrays[path])
    plan = plan_of(prepared.net_with_loss.holding(inputs=prepared.feed.codecs))
    unpredicted, naive = _answers(run, prepared, plan)
    return Inspection(
        first=first,
        last=_gradients(prepared, batch),
        dead=_dead(plan, {**last_arrays, **_rest(prepared)}, prepared, batch),
        unpredicted=unpredicted,
        naive=naive,
    )


def _batch(prepared: Prepared) -> Batch:
    """Some examples of the first epoch, varied as in training."""
    size = max(prepared.batch_size, min(EXAMPLES, len(prepared.feed)))
    batch = next(iter(prepared.feed.epoch(1, size, prepared.seed, prepared.least)))
    return prepared.variation(batch, 0)


def _gradients(prepared: Prepared, batch: Batch) -> Gradients:
    engine = prepared.engine
    loss = engine.gradient(batch, 0)
    weights, slopes = engine.arrays(engine.flat.master), engine.arrays(engine.flat.gradient)
    relative = {
        path.removeprefix(prepared.prefix): _length(slopes[path]) / max(_length(array), 1e-12)
        for path, array in weights.items()
        if array.ndim > 1
    }
    return Gradients(loss, float(engine.length()), relative)


def _dead(plan: Plan, arrays: Mapping[str, Tensor], prepared: Prepared, batch: Batch) -> dict[str, float]:
    steps = [step for step in plan.steps if step.leaf.bounds()[0] == 0 and step.leaf.gives() == "numbers"]
    own = [step for step in steps if not step.leaf.is_loss and not step.within and not step.arrays]
    if not own:
        return {}
    bound = program_of(plan, [step.writes[0] for step in own]).bind(arrays)
    with torch.no_grad(), Noise(0, 0, batch.examples).governing(prepared.feed.device):
        values = bound(batch.inputs, measuring(batch, bound.placement.dtype))
    found: dict[str, float] = {}
    for step, value in zip(own, values, strict=True):
        if value.ndim > 1:
            silent = (value == 0).flatten(0, -2).all(0)  # (b, …, units) -> (units,)
            found[step.path.removeprefix(prepared.prefix)] = float(silent.double().mean())
    return found


def _answers(run: Run, prepared: Prepared, plan: Plan) -> tuple[dict[str, int], float | None]:
    """The classes that are never predicted, and the loss by that of the naive answer."""
    net, prefix = prepared.net, prepared.prefix
    if len(net.held.outputs) != 1 or not prefix:
        return {}, None
    ((name, codec),) = net.held.outputs.items()
    target, held = target_name(net, name), prepared.validate
    if codec.answer not in ("class", "numbers") or not fixed(plan.shape(("", target))):
        return {}, None
    measured = prepared.feed if held is None else held.data
    trained = torch.cat([batch.inputs[target].cpu() for batch in _some(prepared.feed)])
    if codec.answer == "numbers":
        judged = torch.cat([batch.inputs[target].cpu() for batch in _some(measured)])
        naive = float((judged - trained.mean(0)).double().square().mean())
        return {}, _by_naive(run, naive, MSE)
    labels: list[Any] = list(codec.names)
    known = torch.bincount(_classes(trained), minlength=len(labels)).double()
    judged = _classes(torch.cat([batch.inputs[target].cpu() for batch in _some(measured)]))
    actual, predicted = torch.bincount(judged, minlength=len(labels)), _predictions(run, prepared, plan, name, measured)
    never = {str(labels[i]): int(actual[i]) for i in range(len(labels)) if i not in predicted and actual[i]}
    chances = (known + 1) / (known + 1).sum()  # plus one, since a class may be missing in the examples that were taken
    return never, _by_naive(run, -float((actual.double() / actual.sum() * chances.log()).sum()), CROSS_ENTROPY)


def _classes(targets: Tensor) -> Tensor:
    """The known targets as classes; those of a run that mixes examples are shares of all classes, (…, k)."""
    found = (targets.argmax(-1) if targets.is_floating_point() else targets).flatten()
    return found[found >= 0]


def _predictions(run: Run, prepared: Prepared, plan: Plan, name: str, data: Batches) -> set[int]:
    """The classes that the best net gives for some examples."""
    slot = dict(plan.wiring.values[prepared.prefix.rstrip("/")])[name]
    bound = program_of(plan, [slot]).bind({**_prefixed(run.net, prepared.prefix), **_rest(prepared, run.net)})
    found: set[int] = set()
    for batch in _some(data):
        with torch.no_grad(), Noise(0, 0, batch.examples).governing(data.device):
            found |= {*bound(batch.inputs, measuring(batch, bound.placement.dtype))[0].argmax(-1).flatten().tolist()}
    return found


def _by_naive(run: Run, naive: float, loss: str) -> float | None:
    """The loss of the best epoch by the naive one, where the run has the plain loss of the answer."""
    plain = any(choice.name == "loss" and choice.value == loss for choice in run.choices)
    if not plain or not run.epochs or naive <= 0:
        return None
    return min(epoch.validation.get("loss", epoch.loss) for epoch in run.epochs) / naive


def _some(feed: Batches) -> Iterator[Batch]:
    """Batches of at most so many examples in all."""
    seen = 0
    for batch in feed.every(CHUNK):
        yield batch
        seen += batch.size
        if seen >= COUNTED:
            return


def _prefixed(net: Net, prefix: str) -> dict[str, Tensor]:
    return {f"{prefix}{path}": array for path, array in net.held.arrays.items()}


def _rest(prepared: Prepared, net: Net | None = None) -> dict[str, Tensor]:
    """The arrays that are none of the net's, such as those of its loss."""
    own = {} if net is None else _prefixed(net, prepared.prefix)
    return {path: array for path, array in prepared.other_arrays.items() if path not in own}


def _length(array: Tensor) -> float:
    return float(array.double().norm())
