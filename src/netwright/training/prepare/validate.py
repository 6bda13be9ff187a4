"""Measures a net between epochs on data it does not learn from: loss, and the error of classes."""

from collections.abc import Callable, Iterator, Mapping, Sequence

import torch
from torch import Tensor

from netwright.codecs.codec import Answer
from netwright.errors import TrainingError
from netwright.net.part import Net
from netwright.net.plan.each import user_path
from netwright.net.plan.plan import Plan
from netwright.net.plan.wiring import Slot
from netwright.net.ports import target_name
from netwright.net.run.assemble import program_of
from netwright.net.run.context import RunContext
from netwright.net.run.execute import placement_of
from netwright.net.run.noise import Noise
from netwright.net.run.padding import own_elements
from netwright.sizes.unify import Row, Shape
from netwright.training.batch import Batch
from netwright.training.culprit import Computes, NotFinite, naming_rows, of_values
from netwright.training.engines.engine import mean_loss
from netwright.training.engines.pieces import in_halves
from netwright.training.feeds.batches import Batches
from netwright.training.prepare.goal import Goal
from netwright.training.processes.group import Group
from netwright.value import Value

CHUNK = 256  # examples in a batch, at most
CHUNK_BYTES = 32 << 20  # of the inputs of a batch, about, where the examples are large
FEW = 16  # examples that tell whether a net gives probabilities


class Probable(Value):
    """An answer that consists of probabilities.

    Fields: `one` says whether they add up to 1; `wrong`, given outputs and targets, tells which decisions are wrong;
    None if the decisions of an example are not counted.
    """

    one: bool
    wrong: Callable[[Tensor, Tensor], Tensor] | None = None


def other_class(output: Tensor, target: Tensor) -> Tensor:
    """Where the most probable class is not the target: an index, or the probabilities of mixed targets."""
    index = target.argmax(-1) if target.ndim == output.ndim else target  # (…)
    return output.argmax(-1) != index  # (…, k), (…) -> (…)


def other_side(output: Tensor, target: Tensor) -> Tensor:
    """Where the answer is yes and the target no, or the other way round; from one half on the answer is yes."""
    return (output >= 0.5) != (target >= 0.5)


PROBABLE: Mapping[Answer | None, Probable] = {
    "class": Probable(True, other_class),
    "elements": Probable(True, other_class),
    "yes or no": Probable(False, other_side),
    "labels": Probable(False),
}


class Present(Value, eq=False):
    """How values are computed from the arrays of a run as they are at that time.

    Fields:
        computing: gives the function that computes values.
        kind: the number type of the arrays.
        together: whether all processes must compute at the same time, since each holds a share of the arrays.
    """

    computing: Callable[[Sequence[Slot]], Computes]
    kind: torch.dtype | None
    together: bool = False

    @classmethod
    def of(cls, plan: Plan, arrays: Mapping[str, Tensor]) -> "Present":
        """From whole arrays."""
        return cls(lambda wanted: program_of(plan, wanted).bind(arrays), placement_of(arrays.values()).dtype)


class Validation(Value, eq=False):
    """Measures the present arrays in their own number type: the mean loss, and the error of classes.

    The loss is a mean over examples, as in training. For an output with a class at every position the error is the
    share of all positions that are wrong.

    Fields: `computed` gives the losses, `losses` in number, and last the output whose decisions are counted. `wrong`
    compares that output with the port of `target`, which has these sizes; both are None if no decisions are counted.
    `chunk` is how many examples are measured at once. `name` is what errors call the data; empty for a part of the
    training data, whose rows are counted there.
    """

    data: Batches
    present: Present
    computed: Computes
    losses: int
    target: tuple[str, Shape] | None
    wrong: Callable[[Tensor, Tensor], Tensor] | None
    group: Group
    chunk: int = CHUNK
    name: str = ""

    @property
    def figures(self) -> tuple[str, ...]:
        """The names of the figures."""
        return ("loss",) if self.target is None else ("loss", "error")

    def __call__(self) -> Mapping[str, float]:
        """The figures by name; each process measures its part of every batch."""
        sums = torch.zeros(4, dtype=torch.float64, device="cpu")
        with torch.no_grad():
            for whole in self._batches():
                part = self.group.part(whole)
                if part.share or self.present.together:
                    for measured in in_halves(part.batch, self._sums):
                        sums += measured * (part.share > 0)  # else it is measured by another process
        self.group.add(sums)
        loss, examples, wrong, decided = sums.tolist()
        found = {"loss": loss / examples}
        return {**found, "error": wrong / max(decided, 1)} if self.target is not None else found

    def _sums(self, batch: Batch) -> Tensor:
        """Of a batch the sum of the losses, the number of examples, and how many decisions are wrong and are made."""
        context = measuring(batch, self.present.kind)
        drawing = Noise(0, 0, batch.examples).governing(self.data.device)  # for functions that draw by themselves
        with drawing, naming_rows(batch.examples, self.name):
            values = self.computed(batch.inputs, context)
        loss = sum(float(mean_loss(value, batch.weights)) for value in values[: self.losses])
        wrong = decided = 0
        if self.target is not None and self.wrong is not None:
            port, shape = self.target
            target = batch.inputs[port]
            wrongs = self.wrong(values[-1], target)
            known = target >= 0 if target.shape == wrongs.shape else torch.ones_like(wrongs)  # of -1 no class is known
            wrongs, known = (_own(each, shape, context) for each in (wrongs & known, known))
            wrong, decided = int(wrongs.sum()), int(known.sum())
        found = [loss * batch.size, batch.size, wrong, decided]
        return torch.tensor(found, dtype=torch.float64, device="cpu")

    def not_finite(self) -> NotFinite | None:
        """The first part whose value is not finite, with the example of the validation data, and its batch."""
        for batch in self._batches():
            found = of_values(self.computed, batch.inputs, measuring(batch, self.present.kind), batch.examples)
            if found is not None:
                return NotFinite(found, batch, validating=True)
        return None

    def _batches(self) -> Iterator[Batch]:
        return self.data.every(self.chunk)


def validation_of(
    plan: Plan, data: Batches, present: Present, net: Net, prefix: str, group: Group | None = None
) -> Validation:
    """The validation of a net on data; the net's own paths have a prefix in the plan."""
    codecs = net.held.outputs
    name = next(iter(codecs), "")
    probable = PROBABLE.get(codecs[name].answer) if len(codecs) == 1 and prefix else None
    wrong = None if probable is None else probable.wrong
    target = target_name(net, name)
    wanted = [slot for _, slot in plan.wiring.outputs]
    losses = len(wanted)
    if wrong is not None:
        wanted.append(dict(plan.wiring.values[prefix.rstrip("/")])[name])
    compared = None if wrong is None else (target, plan.shape(("", target)))
    computed = present.computing(wanted)
    return Validation(data, present, computed, losses, compared, wrong, group or Group(), at_once(data))


def at_once(data: Batches) -> int:
    """How many examples are computed at once where nothing is learned: the larger they are, the fewer."""
    one = sum(value.nbytes for value in data.first(1).inputs.values())
    return max(min(CHUNK, CHUNK_BYTES // max(one, 1)), 1)


def check_net_probabilities(plan: Plan, data: Batches, arrays: Mapping[str, Tensor], net: Net, goal: Goal) -> None:
    """Raise an error if the decoder reads probabilities but the net gives something else, such as logits.

    A few examples are run, since the kinds of the parts do not always tell what the net gives. A net that ends in its
    own loss has no decoder whose output a loss reads.
    """
    if not goal.prefix:
        return
    wants = {name: PROBABLE[codec.answer] for name, codec in net.held.outputs.items() if codec.answer in PROBABLE}
    slots = dict(plan.wiring.values[goal.prefix.rstrip("/")])
    batch = data.first(FEW)
    with torch.no_grad(), Noise(0, 0, batch.examples).governing(data.device):  # for functions that draw by themselves
        bound = program_of(plan, [slots[name] for name in wants]).bind(arrays)
        batch = batch.on(bound.placement.device)
        context = measuring(batch, bound.placement.dtype)
        outputs = bound(batch.inputs, context)
    for (name, probable), output in zip(wants.items(), outputs, strict=True):
        real = _own(output, plan.shape(slots[name]), context)
        sound = bool(((real >= 0) & (real <= 1.01)).all())
        if probable.one:
            sound = sound and bool(((real.sum(-1) - 1).abs() < 0.01).all())
        if not sound and bool(real.isfinite().all()):
            last, part = (
                user_path(slots[name][0].removeprefix(goal.prefix)),
                "nw.softmax" if probable.one else "nw.sigmoid",
            )
            raise TrainingError(
                what="the decoder reads probabilities, and the net gives something else",
                where=f"{last} -> {name}",
                expected="numbers from 0 to 1" + (" that add up to 1" if probable.one else ""),
                got=f"numbers from {float(real.min()):.3g} to {float(real.max()):.3g}",
                mend=f"{part} after {last}",
            )


def measuring(batch: Batch, kind: torch.dtype | None) -> RunContext:
    """The context in which a batch is measured; inputs are float32, and become float64 where arrays have this type.

    Noise is the same in every measurement, for parts that draw in use too.
    """
    wider = torch.float64 if kind == torch.float64 else None
    noise = Noise(0, 0, batch.examples)
    return RunContext(noise=noise, batch=batch.size, lengths=batch.lengths, precision=wider)


def _own(x: Tensor, shape: Shape, context: RunContext) -> Tensor:
    """The values of a batch (b, *shape) without padding: rows (r, …) if there is any padding."""
    lengths = [None if isinstance(size, Row) else context.length(size) for size in shape]
    axes = [axis for axis, length in enumerate(lengths, 1) if length is not None]
    inside = own_elements(x, lengths, axes)
    if inside is None:
        return x
    up_to = x.shape[: axes[-1] + 1]
    return x[inside.flatten(axes[-1]).expand(up_to)]  # (b, *shape) -> (r, …)
