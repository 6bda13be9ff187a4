"""Refuses to train a net that can see the element that it must predict: its loss would fall, but it learns nothing."""

from collections.abc import Sequence
from math import inf, isinf
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor

from netwright.causality.causality import ahead_of, offsets_of, parts, place_text, seen_text
from netwright.causality.proof import Visibility
from netwright.data.sources import Source
from netwright.errors import TrainingError
from netwright.net.part import Net
from netwright.net.plan.wiring import Op, Slot
from netwright.sizes.size import names
from netwright.sizes.unify import Row
from netwright.training.prepare.goal import ends_in_losses
from netwright.value import Value

SAMPLE = 16  # pairs that tell whether a target is its input moved along
LONGEST = 9  # a path with more parts is shown by its ends and by the part that looks ahead


class LeakQuestion(Value):
    """The question whether a prediction sees its own target.

    Fields: `prediction` is the value, `source` the input whose position i + `target` it must predict at i; `most` is
    the last offset that it must not see; `end` names the part that reads the prediction, `word` the prediction itself.
    """

    sight: Visibility
    source: Slot
    prediction: Slot
    target: int
    most: float
    end: str
    word: str

    @property
    def may_leak(self) -> bool:
        """Whether the prediction may see the target, by the declared reach of the leaves."""
        low, high = self.sight.of(self.prediction)[self.source]
        return low <= self.most and high >= self.target


def refuse_leaks(net: Net, following: tuple[str, int] | None) -> None:
    """Raise TrainingError if a net sees, in training, the elements that it must predict.

    `following` is the input whose later elements the net predicts, and how many steps later. If it is None, only a net
    that ends in losses is checked: its target may be a later position of an input, such as `nw.DropFirst()` of it, or,
    in a net that sees no later position, the same position. A net that sees both sides of a position and is compared
    with that position itself only returns its input, which is not a prediction.
    """
    if following is None and not ends_in_losses(net):
        return
    for along in net.plan.varying if following is None else _first_size(net, following[0]):
        sight = Visibility(net.plan, along, training=True)
        for question in _of_losses(net, sight) if following is None else _of_output(net, sight, following[1]):
            _check(net, question)


def _first_size(net: Net, port: str) -> list[str]:
    """The name of the size along which an input is a sequence."""
    shape = net.plan.inputs[port]
    return [] if not shape or isinstance(shape[0], Row) else sorted(names(shape[0]))


def shifted_pair(data: Source, inputs: Sequence[str], targets: Sequence[str]) -> tuple[str, int] | None:
    """The input whose later elements are the target, and how many steps later; None if the target is something else."""
    if len(targets) != 1:
        return None
    places = torch.linspace(0, len(data) - 1, min(SAMPLE, len(data)), dtype=torch.float64, device="cpu")
    rows = [data.row(int(i)) for i in places]
    pairs = {name: [(_elements(row[name]), _elements(row[targets[0]])) for row in rows] for name in inputs}
    for name, columns in pairs.items():
        shortest = min(len(x) for x, _ in columns)
        for steps in range(1, shortest // 2 + 1):
            if all(len(x) == len(y) and x != y and x[steps:] == y[: len(y) - steps] for x, y in columns):
                return name, steps
    return None


def _elements(raw: Any) -> str | list[Any]:
    """The elements of a sequence; an empty list for anything else."""
    if isinstance(raw, str):
        return raw
    if isinstance(raw, np.ndarray | Tensor) and raw.ndim:
        return raw.tolist()
    return list(cast(Sequence[Any], raw)) if isinstance(raw, list | tuple) else []


def _of_output(net: Net, sight: Visibility, steps: int) -> list[LeakQuestion]:
    ((name, slot),) = net.plan.wiring.outputs
    return [LeakQuestion(sight, source, slot, steps, inf, name, "output") for source in sight.of(slot)]


def _of_losses(net: Net, sight: Visibility) -> list[LeakQuestion]:
    found: list[LeakQuestion] = []
    for op in net.plan.wiring.leaves:
        if not op.leaf.is_loss or op.within or len(op.reads) != 2:
            continue
        (_, prediction), (_, right) = op.reads
        for source in sight.of(right):
            if source in sight.of(prediction):
                found += _of_loss(net, sight, op, source, (prediction, right))
    return found


def _of_loss(net: Net, sight: Visibility, op: Op, source: Slot, slots: tuple[Slot, Slot]) -> list[LeakQuestion]:
    """The question for one loss, if its target is a shifted input."""
    prediction, right = slots
    target = _moved_by(net, sight, source, right)
    low, high = sight.of(prediction)[source]
    if target is None or target < 0 or (target == 0 and (high > 0 or low == 0)):
        return []
    return [LeakQuestion(sight, source, prediction, target, target, op.path, "prediction")]


def _moved_by(net: Net, sight: Visibility, source: Slot, right: Slot) -> int | None:
    """How many positions later in the input the target is; None if the target is not a shifted input."""
    low, high = sight.of(right)[source]
    if low == high:
        return int(low)
    offsets = offsets_of(net, sight, source, right)
    return next(iter(offsets[right])) if offsets is not None and len(offsets[right]) == 1 else None


def _check(net: Net, question: LeakQuestion) -> None:
    if not question.may_leak:
        return
    sight, source, slot = question.sight, question.source, question.prediction
    found = offsets_of(net, sight, source, slot)
    if found is not None and not any(question.target <= offset <= question.most for offset in found[slot]):
        return
    edges = sight.path(source, slot)
    ahead, (low, high) = ahead_of(edges), sight.of(slot)[source]
    how = "perturbation could not decide it" if found is None else "shown by perturbation"
    looks = "may look ahead" if found is None else "looks ahead"
    cause = f"{ahead} {looks}" if ahead else "no part hides it"
    raise TrainingError(
        what="the net can see the element that it must predict",
        where=_way_text(source[1], parts(sight, edges), question.end, ahead),
        expected=f"{question.word} i predicts {source[1]} at {place_text(question.target)}, and does not see it",
        got=f"in training, {question.word} i sees {seen_text(source[1], low, high)}, because {cause} ({how})",
        mend=_mends(net, question, parts(sight, edges), ahead, high),
    )


def _way_text(source: str, way: tuple[str, ...], end: str, ahead: str) -> str:
    """A path through the net as text; a long one is shown without its middle."""
    if len(way) > LONGEST:
        kept = {*way[:3], *way[-3:], ahead}
        runs = [path if path in kept else "…" for path in way]
        way = tuple(path for i, path in enumerate(runs) if i == 0 or path != "…" or runs[i - 1] != "…")
    return " -> ".join([source, *way, end])


def _mends(net: Net, question: LeakQuestion, way: tuple[str, ...], ahead: str, high: float) -> tuple[str, ...]:
    """Edits that would hide the target, the likeliest first."""
    if not ahead:
        return (
            f"nw.Delay() before {way[0] if way else question.end}, so that no position sees its own element",
            "nw.DropLast() after the input, and nw.DropFirst() before the target",
        )
    hidden = [mend for op in net.plan.wiring.leaves if op.path == ahead for mend in op.leaf.hides_future(ahead)]
    shift = int(high) - question.target + 1 if not isinf(high) else 0
    if shift:
        hidden.append(f"nw.Delay({'' if shift == 1 else shift}) before {ahead}")
    return tuple(hidden) or (f"leave out {ahead}, or declare in its reach(training) that it sees no later positions",)
