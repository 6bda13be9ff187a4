"""Puts values of one run into another, one place after another, and measures what each of them changes."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from netwright.causality.proof import Visibility
from netwright.errors import DataError, NetError, SizeError
from netwright.inside.behind import Behind, behind
from netwright.inside.derivative import check_depends
from netwright.inside.locations import Location, Names, find_locations, input_locations, part_locations
from netwright.inside.targets import Of, Target, targets_of
from netwright.machine import without_autocast
from netwright.net.node import expect_net
from netwright.net.part import Net
from netwright.net.plan.plan import Plan, shape_text
from netwright.net.plan.wiring import Slot
from netwright.net.run.assemble import program_of
from netwright.net.run.call import check_arrays
from netwright.net.run.context import RunContext
from netwright.net.run.execute import placement_of
from netwright.net.run.given import Given
from netwright.sizes.size import names
from netwright.sizes.unify import Row
from netwright.value import Value

ROOM = 1 << 25  # numbers of the largest value of a run: as many places at once as fit
LISTED = 10  # places in the text of a report

Values = Mapping[Slot, Tensor]


class Effects(Value, eq=False):
    """What comes back when values of the clean run are put into the corrupted one; prints the strongest places.

    Fields:
        clean: the score of the clean run.
        corrupted: of the corrupted one.
        scores: by path the score with the clean value there: () for the whole value, or (n,), one for each position.
    """

    clean: float
    corrupted: float
    scores: Mapping[str, Tensor]

    @property
    def effects(self) -> dict[str, Tensor]:
        """The same as a part of the way from the corrupted score, 0, to the clean one, 1."""
        return {path: (score - self.corrupted) / (self.clean - self.corrupted) for path, score in self.scores.items()}

    @property
    def strongest(self) -> list[tuple[str, int | None, float]]:
        """All places with their effect, the largest first: path, position or None, effect."""
        found: list[tuple[str, int | None, float]] = []
        for path, effect in self.effects.items():
            several = [(None, effect.item())] if effect.ndim == 0 else enumerate(effect.tolist())
            found += [(path, position, float(one)) for position, one in several]
        return sorted(found, key=lambda one: -one[2])

    def __repr__(self) -> str:
        return str(self)

    def __str__(self) -> str:
        places = self.strongest
        lines = [
            f"score {self.clean:.4g} clean, {self.corrupted:.4g} corrupted; {len(places)} places, of which come back"
        ]
        lines += [
            f"  {effect:7.1%}  {path}" + ("" if position is None else f", position {position}")
            for path, position, effect in places[:LISTED]
        ]
        return "\n".join(lines)


@torch.no_grad()
@without_autocast()
def trace_effect(net: Net, clean: Any, corrupted: Any, *, at: Names, of: Of = None) -> Effects:
    """Activation patching: which values of a clean run bring its answer back, if they are put into a corrupted run.

    For each place the net runs on the corrupted input with one value of the clean run in it, and the score is
    measured. Along an axis whose size varies, such as that of a text, each position is a place of its own. The places
    of a part are run together as a batch, and only what comes behind the part is computed again.

    Fields:
        clean: an example whose answer is right.
        corrupted: an example of the same sizes, in which something is changed.
        at: where values are put: a path, a pattern such as `"block*"`, an input port, or a list of these.
        of: the score, as in `nw.gradients`: `lambda y: y[-1, 7]` of the output, or a mapping from paths to functions.
            None: the probability of the class that the clean run finds most probable, at the last position of a
            sequence; of an output that gives no such probabilities the sum.

    Returns: the scores, and the part of the way from the corrupted score to the clean one, by path and position.

    Raises: PathError for what names nothing; SizeError for inputs that differ in size; NetError for a place inside a
        `Map` or `Fold`; DataError for several examples, or where both runs have the same score.

    Example:
        >>> import netwright as nw, torch
        >>> net = nw.Chain(nw.Linear(1, bias=False), nw.Sum(0), input=("n", 1)).with_arrays({"linear1/weight": [[2.0]]})
        >>> clean, corrupted = torch.tensor([[1.0], [2.0], [3.0]]), torch.tensor([[1.0], [0.0], [3.0]])
        >>> found = nw.trace_effect(net, clean, corrupted, at="linear1")
        >>> found.scores["linear1"].tolist(), found.effects["linear1"].tolist()
        ([8.0, 12.0, 8.0], [0.0, 1.0, 0.0])

    Source: Meng et al. 2022, Locating and Editing Factual Associations in GPT, arXiv 2202.05262
    """
    expect_net(net, "trace_effect")
    first, second = Given.of(net, clean), Given.of(net, corrupted)
    check_arrays(net, first.plan)
    _check_pair(first, second)
    plan = second.plan
    tracing = _Tracing(net, first, second, of)
    locations = find_locations(at, [*input_locations(plan), *part_locations(plan)], "trace_effect")
    locations = check_depends(plan, tracing.targets, locations, at, "trace_effect")
    inside = [
        location for location in locations.found if any(location.slot in s.writes and s.within for s in plan.steps)
    ]
    if inside:
        around = next(step.within[0] for step in plan.steps if inside[0].slot in step.writes)
        raise NetError(
            what=f"{inside[0].name} is inside a Map or Fold, whose elements run together, so nothing can be put there",
            where="trace_effect",
            mend=f"at={around!r}",
        )
    return tracing.effects(locations.found)


class _Tracing:
    """The two runs, and the runs with values of the first in the second."""

    def __init__(self, net: Net, first: Given, second: Given, of: Of) -> None:
        self.net, self.plan, self.given = net, second.plan, second
        self.placement = placement_of(net.held.arrays.values())
        self.runs = [next(given.batches(self.placement, 1)) for given in (first, second)]
        answer = _answer(self.plan, self._values(0, _outputs(self.plan))) if of is None else None
        self.targets = targets_of(net, self.plan, of, "trace_effect") if answer is None else [answer]
        self.wanted = [slot for target in self.targets if (slot := target.location.slot) is not None]
        along = self.plan.varying
        self.sight = Visibility(self.plan, along[0], training=False) if answer is not None and len(along) == 1 else None

    def effects(self, locations: Sequence[Location]) -> Effects:
        """The scores at all places."""
        slots = [location.slot for location in locations if location.slot is not None]
        arrays = self.net.held.arrays
        programs = [behind(self.plan, arrays, slot, self.wanted, self.sight) for slot in slots]
        read = [slot for program in programs for slot in program.takes]
        clean = self._values(0, [*self.wanted, *slots])
        corrupted = self._values(1, dict.fromkeys([*self.wanted, *read, *slots]))
        ends = [self._scores(values, self.runs[run][1]) for run, values in enumerate((clean, corrupted))]
        right, wrong = (float(end[0]) for end in ends)
        if right == wrong:
            raise DataError(
                what="both runs have the same score, so no value can bring it back",
                where="trace_effect",
                got=f"{right:g}",
                mend="of=…, a score in which they differ",
            )
        pairs = zip(locations, programs, strict=True)
        scores = {location.name: self._patched(location, program, clean, corrupted) for location, program in pairs}
        return Effects(right, wrong, scores)

    def _patched(self, location: Location, program: Behind, clean: Values, corrupted: Values) -> Tensor:
        """The score for each position of a value; of one without positions the score with all of it."""
        slot = location.slot or ("", "")
        good, bad = clean[slot], corrupted[slot]
        if good.shape != bad.shape:
            raise SizeError(
                what="the two inputs give values of different sizes, so their positions do not belong together",
                where=location.name,
                expected=shape_text(tuple(bad.shape[1:])),
                got=shape_text(tuple(good.shape[1:])),
                mend="inputs of the same length",
            )
        axis = _axis(self.plan, slot)
        size = 1 if axis is None else good.shape[axis]
        largest = max(corrupted[one].numel() for one in (slot, *program.takes, *self.wanted))
        found: list[Tensor] = []
        for places in torch.arange(size, device="cpu").split(max(ROOM // max(largest, 1), 1)):
            rows = len(places)
            values = {one: _repeated(corrupted[one], rows) for one in program.takes}
            values[slot] = _repeated(good, rows) if axis is None else _with_positions(bad, good, axis, places)
            found.append(self._scores(*program.run(values, _context(self.runs[1][1], rows))))
        whole = torch.cat(found)
        return whole[0] if axis is None else whole

    def _scores(self, values: Values, context: RunContext) -> Tensor:
        """The score of each example of a batch, (b,)."""
        rows = [
            [target.number(row).double() for row in self.given.own(slot, values[slot], context)]
            for target, slot in zip(self.targets, self.wanted, strict=True)
        ]
        return torch.stack([torch.stack(several).sum() for several in zip(*rows, strict=True)]).cpu()

    def _values(self, run: int, slots: Any) -> dict[Slot, Tensor]:
        """Values of one of the two runs, (1, …) each."""
        wanted = [*dict.fromkeys(slots)]
        inputs, context = self.runs[run]
        bound = program_of(self.plan, wanted).bind(self.net.held.arrays)
        return dict(zip(wanted, bound(inputs, _context(context, 1)), strict=True))


def _answer(plan: Plan, values: Values) -> Target | None:
    """The probability of the class that the clean run finds most probable; None where the output is another one."""
    (name, slot), *others = plan.wiring.outputs
    maker = plan.solution.scopes.get(plan.solution.origin(slot)[0])
    if others or maker is None or maker.op.leaf.gives() != "class probabilities":
        return None
    last = values[slot].reshape(-1, values[slot].shape[-1])[-1]  # (1, …, k) -> (k,)
    best = int(last.argmax())
    return Target(Location(name, name, slot), lambda y: y.reshape(-1, y.shape[-1])[-1, best])


def _outputs(plan: Plan) -> list[Slot]:
    return [slot for _, slot in plan.wiring.outputs]


def _axis(plan: Plan, slot: Slot) -> int | None:
    """The first axis of a batch of a value whose size varies; None where none does."""
    sizes = enumerate(plan.whole_shape(slot), 1)
    return next((axis for axis, size in sizes if not isinstance(size, Row | int) and names(size)), None)


def _repeated(x: Tensor, rows: int) -> Tensor:
    return x.expand(rows, *x.shape[1:]).clone(memory_format=torch.contiguous_format)


def _with_positions(bad: Tensor, good: Tensor, axis: int, places: Tensor) -> Tensor:
    """A value once for each position along an axis, each time with the other value at this position."""
    put = _repeated(bad, len(places))
    for row, place in enumerate(places.tolist()):
        put[row].select(axis - 1, place).copy_(good[0].select(axis - 1, place))
    return put


def _context(one: RunContext, rows: int) -> RunContext:
    """The context of so many examples that are as long as one."""
    lengths = {
        name: length.expand(rows, *length.shape[1:]) if isinstance(length, Tensor) else length
        for name, length in one.lengths.items()
    }
    return RunContext(batch=rows, lengths=lengths)


def _check_pair(first: Given, second: Given) -> None:
    """Refuse several examples, and examples of different sizes."""
    if not (first.single and second.single):
        raise DataError(
            what="an effect is traced between one clean and one corrupted example",
            where="trace_effect",
            expected="two examples",
            got=f"{len(first.examples)} and {len(second.examples)}",
            mend="[nw.trace_effect(net, a, b, at=…) for a, b in pairs]",
        )
    if first.plan is not second.plan:
        sizes = [", ".join(shape_text(shape) for shape in given.plan.inputs.values()) for given in (first, second)]
        raise SizeError(
            what="the two inputs have different sizes, so their values do not belong together",
            where="trace_effect",
            expected=sizes[0],
            got=sizes[1],
        )
