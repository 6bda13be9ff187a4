"""Decides what the proof leaves open: changes every position of an input and records which positions of a value change.

Every position is tried, since a part may look ahead at some positions only. The two inputs that are compared differ at
this position alone, and all later positions have values of another draw. All arrays are drawn at random several times
and at several sizes, also those that are zero: a branch of zeros would hide that it looks ahead, and a mask of −10,000
hides nothing from scores that are larger. Every draw has other noise, since dropout may hide an input in one draw.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import TypeAlias, cast

import torch
from torch import Tensor

from netwright.inits import Init, fans
from netwright.net.draws import all_shapes, are_known, drawn_input, index_limit, varying_sizes
from netwright.net.part import Net
from netwright.net.plan.plan import Plan
from netwright.net.plan.wiring import Slot
from netwright.net.run.assemble import program_of
from netwright.net.run.context import RunContext
from netwright.net.run.execute import Program
from netwright.net.run.noise import Noise
from netwright.seeds import drawing_from, generator_of
from netwright.sizes.size import evaluate, names
from netwright.sizes.unify import Row
from netwright.value import Value

LENGTHS = (7, 40, 80, 12, 160, 320, 6, 5, 4, 3, 2)  # tried in turn, until nothing is empty and the net runs
ENOUGH = 2  # lengths that are tried: a leaf without a declared reach may look farther than the first
ENOUGH_OF_CODE = 3  # lengths for a net with code of the user, which may look ahead at late positions only
ROOM = 3  # positions that are wanted along every axis, so that there are some before the one that is changed
MOST = 160  # positions that are changed, at most: of longer inputs that many, at irregular distances
ROWS = 8  # positions that are changed in one run, each in an example of its own: more would need much memory
TOLERANCE = 1e-9  # of the value: less is rounding
Offsets: TypeAlias = frozenset[int]
Pair: TypeAlias = tuple[int, int]
Pairs: TypeAlias = frozenset[Pair]
"""(position of a value, position of an input)."""


class Draw(Value):
    """How one set of numbers is drawn: how far arrays and inputs spread, and whether inputs are all above 0."""

    arrays: float
    inputs: float
    positive: bool = False


DRAWS = (Draw(1, 1), Draw(1, 1, positive=True), Draw(30, 100), Draw(1000, 1))


def probe(
    net: Net, along: str, source: str, slots: Mapping[Slot, int], training: bool, far: int
) -> dict[Slot, Offsets] | None:
    """For values of a net, the offsets d at which position i was seen to change with position i + d of an input.

    `slots` says the axis of each value that has the positions; `far` how far ahead they are known to look, so that
    there is room. None if the net cannot be run: sizes are not known yet, or a user's code fails on the drawn values.
    """
    plan = net.plan
    axis = next(i for i, size in enumerate(plan.inputs[source]) if not isinstance(size, Row) and along in names(size))
    whole = program_of(plan, slots)
    found: list[list[Offsets]] = []
    looked, enough = 0, ENOUGH_OF_CODE if _has_code(plan) else ENOUGH
    for lengths in _lengths(plan, far):
        run = _Run(net, whole, lengths, training)
        try:
            drawn = [run.seen(seed, source, axis, [*slots.values()]) for seed in range(len(DRAWS))]
        except Exception:  # another length may work, and a user's code may raise anything
            continue
        numbers = [[_offsets(pairs) for pairs in one] for one in drawn if one is not None]
        found += numbers
        looked += bool(numbers)
        if looked == enough:
            break
    return {slot: frozenset(d for one in found for d in one[at]) for at, slot in enumerate(slots)} if found else None


def seen_at(net: Net, along: str, source: str, slot: Slot, slot_axis: int, length: int) -> Pairs | None:
    """For a value of a net, the pairs (i, j) at which position i was seen to change with position j of an input.

    Every size that varies has this length. None if the net cannot be run so: sizes are not known yet, a position is
    missing, or a user's code fails on the drawn values.
    """
    plan = net.plan
    axis = next(i for i, size in enumerate(plan.inputs[source]) if not isinstance(size, Row) and along in names(size))
    if not are_known(all_shapes(plan)):
        return None
    known = {name for size in varying_sizes(plan) for name in names(size)}
    try:
        run = _Run(net, program_of(plan, [slot]), dict.fromkeys(sorted(known), length), False)
        drawn = [run.seen(seed, source, axis, [slot_axis], first=0) for seed in range(len(DRAWS))]
    except Exception:  # a user's code may raise anything
        return None
    numbers = [pairs for one in drawn if one is not None for pairs in one]
    return frozenset().union(*numbers) if numbers else None


def _offsets(pairs: Pairs) -> Offsets:
    """How far the positions of pairs are apart."""
    return frozenset(place - i for i, place in pairs)


def _lengths(plan: Plan, far: int) -> Iterator[dict[str, int]]:
    """Numbers for the named sizes with which no axis is empty; those with room to look around first."""
    if not are_known(all_shapes(plan)):
        return
    varying = varying_sizes(plan)
    known = sorted({name for size in varying for name in names(size)})
    tried = [*dict.fromkeys([*(max(length, far + ROOM) for length in LENGTHS), *LENGTHS])]
    for least in (ROOM, 1):
        fit = [
            length for length in tried if all(evaluate(size, dict.fromkeys(known, length)) >= least for size in varying)
        ]
        yield from (dict.fromkeys(known, length) for length in fit)
        tried = [length for length in tried if length not in fit]


class _Run:
    """A net at certain lengths, run on one set of numbers after another."""

    def __init__(self, net: Net, whole: Program, lengths: Mapping[str, int], training: bool) -> None:
        self.net, self.whole, self.lengths, self.training = net, whole, lengths, training

    def seen(self, seed: int, source: str, axis: int, axes: Sequence[int], first: int = 1) -> list[Pairs] | None:
        """Which positions of values change with which of the input; None if the values are not numbers.

        The positions of the input before `first` are left out: from the very first, nothing can be ahead.
        """
        draw = DRAWS[seed]
        bound = self.whole.bind({path: self._array(path, draw) for path in self.net.plan.arrays})

        def values(x: Mapping[str, Tensor], count: int) -> tuple[Tensor, ...]:
            noise = Noise(seed, 0, torch.arange(count, device="cpu"))
            context = RunContext(training=self.training, noise=noise, batch=count)
            with torch.no_grad(), drawing_from(seed):  # for code that draws by itself
                return bound(x, context)

        start = {name: self._input(name, draw) for name in {*self.net.required_names, source}}
        other = self._other(start[source], source, draw)
        if not all(y[0].isfinite().any() for y in values(start, len(other))):
            return None
        found: list[set[Pair]] = [set() for _ in axes]
        for places in _places(other.shape[axis + 1], first).split(1 if self._mixes else ROWS):
            which = [*[0] * len(places), 1]  # the first example for every place, and the second, which stays
            rows = {name: x[which] for name, x in start.items()}
            one, two = (
                values({**rows, source: _changed_from(starts, rows[source], other[0], axis)}, len(which))
                for starts in (places, places + 1)
            )
            for pairs, own, before, after in zip(found, axes, two, one, strict=True):
                for row, place in enumerate(places.tolist()):
                    differ = _changed(before[row].movedim(own, 0), after[row].movedim(own, 0))
                    pairs |= {(i, place) for i in differ}
        return [frozenset(pairs) for pairs in found]

    @property
    def _mixes(self) -> bool:
        """Whether examples of a batch may see each other: then one alone is changed, beside one that stays."""
        weights = [weight for step in self.net.plan.steps for weight in step.leaf.weights().values()]
        return self.training and (_has_code(self.net.plan) or any(weight.kind == "running" for weight in weights))

    def _array(self, path: str, draw: Draw) -> Tensor:
        spec = self.net.plan.arrays[path]
        shape, generator = spec.known or (), generator_of(0, draw, path)
        own, init = self.net.held.arrays.get(path), spec.weight.init
        if own is not None and not own.is_floating_point():
            return own.cpu()  # counts and places, which another draw would make wrong
        if spec.weight.kind == "running":
            # variances are above 0
            return torch.rand(shape, generator=generator, dtype=torch.float64, device="cpu") + 0.5
        if spec.weight.kind == "fixed" and (own is not None or init is not None):
            value = own.cpu() if own is not None else cast(Init, init)(shape, fans(shape), generator)
            return value.double() if value.is_floating_point() else value
        spread = draw.arrays / math.sqrt(fans(shape).into)
        return torch.randn(shape, generator=generator, dtype=torch.float64, device="cpu") * spread

    def _input(self, name: str, draw: Draw, again: bool = False) -> Tensor:
        sizes = (size for size in self.net.plan.inputs[name] if not isinstance(size, Row))
        shape = (2, *(evaluate(size, self.lengths) for size in sizes))
        below, generator = index_limit(self.net.plan, name, self.lengths), generator_of(int(again), draw, name)
        return drawn_input(shape, below, generator, draw.inputs, draw.positive)

    def _other(self, x: Tensor, name: str, draw: Draw) -> Tensor:
        """Another draw, which differs from the first at every place."""
        y = self._input(name, draw, again=True)
        count = index_limit(self.net.plan, name, self.lengths)
        return y if count is None else (x + 1 + y % max(count - 1, 1)) % count


def _has_code(plan: Plan) -> bool:
    """Whether some part runs code that is not the framework's."""
    return any(step.leaf.code() is not None for step in plan.steps)


def _places(size: int, first: int = 1) -> Tensor:
    """Places to change, from the first of them on; of very many some."""
    places = torch.arange(first if size > 1 else 0, size, device="cpu")
    if len(places) <= MOST:
        return places
    order = torch.randperm(len(places), generator=generator_of(0, "places"), device="cpu")
    return places[order[:MOST]].sort().values


def _changed_from(starts: Tensor, x: Tensor, other: Tensor, axis: int) -> Tensor:
    """A batch in which each of the first examples is another one from its start on."""
    changed = x.clone()  # (b, …)
    for row, start in zip(changed, starts.tolist(), strict=False):
        size = other.shape[axis] - start
        row.narrow(axis, start, size).copy_(other.narrow(axis, start, size))
    return changed


def _changed(before: Tensor, after: Tensor) -> list[int]:
    """The places along the first axis where two values differ by more than rounding; NaN and infinity do not count."""
    differ = before != after
    if before.is_floating_point():
        size = before.abs() + after.abs()
        differ = ((before - after).abs() > TOLERANCE * size) & size.isfinite()
    return (
        differ.flatten(1).any(1).nonzero().flatten().tolist()
        if before.ndim > 1
        else differ.nonzero().flatten().tolist()
    )
