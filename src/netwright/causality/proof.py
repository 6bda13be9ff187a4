"""Proves on the plan alone which positions of an input every value of a net may see, along a size with a name.

Every leaf declares its reach: how far an output position sees along its input. Reaches add up along a path and unite
where paths meet. Axes are identified by position, never by size: a value in which two axes carry the name, or none,
sees everything. Inside a `Map` or `Fold` the axis that was taken apart still counts as one.
"""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from math import inf
from typing import TypeAlias

from netwright.net.leaf import LeafNode, Span
from netwright.net.plan.each import AXIS, EachEntry, EachExit, exit_path
from netwright.net.plan.plan import Plan, PlanStep, ranked
from netwright.net.plan.varying import LEADING
from netwright.net.plan.wiring import Op, Slot
from netwright.sizes.notation import Axis, Port
from netwright.sizes.size import Size, names
from netwright.sizes.unify import Row
from netwright.value import Value

Carrier: TypeAlias = int | str
"""An axis that carries the name: its place in the shape, or the path of the `Map` or `Fold` that took it apart."""

ALL: Span = (-inf, inf)
SAME: Span = (0, 0)
PATIENCE = 8  # after so many rounds, a span that still grows through a carried state is taken as infinite


class SeenThrough(Value):
    """One value that reads another: which of its positions each position sees."""

    read: Slot
    made: Slot
    span: Span


class Visibility:
    """What every value of a net may see of each input, along one size, in training or in use."""

    def __init__(self, plan: Plan, along: str, training: bool) -> None:
        self.plan, self.along, self.training = plan, along, training
        self.elements: dict[Slot, frozenset[str]] = {}  # the Maps and Folds whose elements have values of their own
        for op in plan.wiring.ops:
            self._place(op)
        self.edges = tuple(edge for op in plan.wiring.ops for edge in self._edges(op))
        self.spans = spans_through(self.edges, {source: self._start(source) for source in self.sources})

    @cached_property
    def sources(self) -> tuple[Slot, ...]:
        """The inputs that have the size on an axis."""
        slots = [("", name) for name in self.plan.wiring.inputs]
        return tuple(slot for slot in slots if any(self.along in names(size) for size in _sizes(self.plan, slot)))

    def of(self, slot: Slot) -> Mapping[Slot, Span]:
        """What a value may see, by input; an input that is not there cannot change it at all."""
        return self.spans.get(slot, {})

    def carriers(self, slot: Slot) -> tuple[Carrier, ...] | None:
        """The axes of a value that carry the name; None where the number of axes is not known."""
        shape = self.plan.shape(slot)
        if not ranked(shape):
            return None
        apart = [path for path in sorted(self.elements.get(slot, ())) if self.along in names(self._apart(path))]
        return (*apart, *(i for i, size in enumerate(_sizes(self.plan, slot)) if self.along in names(size)))

    def axis(self, slot: Slot) -> int | None:
        """The axis of a value, without the batch's, on which its positions lie; None where there is not just one."""
        carriers = self.carriers(slot)
        return carriers[0] if carriers is not None and len(carriers) == 1 and isinstance(carriers[0], int) else None

    def is_positionwise(self, step: PlanStep) -> bool:
        """Whether a step treats each position by itself: no value at one position depends on another position."""
        if any(self.axis(slot) is None for slot in step.writes):
            return False
        queue = [*step.writes]
        while queue:
            for edge in self._into.get(queue.pop(), ()):
                if edge.span != SAME:
                    return False
                if edge.read not in step.reads:  # a value inside a merged step
                    queue.append(edge.read)
        return True

    @property
    def lookahead(self) -> int:
        """How many positions ahead all leaves together look; leaves that may look to the end are not counted."""
        return int(sum(edge.span[1] for edge in self.edges if 0 < edge.span[1] < inf))

    def path(self, source: Slot, slot: Slot) -> tuple[SeenThrough, ...]:
        """The shortest path, from the input on, by which a value depends on positions so far ahead."""
        if source == slot:
            return ()
        return self._back(source, slot, tight=True) or self._back(source, slot, tight=False)

    def _back(self, source: Slot, slot: Slot, tight: bool) -> tuple[SeenThrough, ...]:
        """The shortest way back to an input; where a span grew around a state, none is tight from end to end."""
        ways: dict[Slot, tuple[SeenThrough, ...]] = {slot: ()}
        queue = [slot]
        while queue and source not in ways:
            made = queue.pop(0)
            for edge in self._into.get(made, ()):
                if edge.read not in ways and (self._tight(source, edge) or not tight):
                    ways[edge.read] = (edge, *ways[made])
                    queue.append(edge.read)
        return ways.get(source, ())

    @cached_property
    def _into(self) -> dict[Slot, list[SeenThrough]]:
        into: dict[Slot, list[SeenThrough]] = {}
        for edge in self.edges:
            if edge.read in self.spans:
                into.setdefault(edge.made, []).append(edge)
        return into

    def _tight(self, source: Slot, edge: SeenThrough) -> bool:
        """Whether this edge accounts for how far ahead a value sees."""
        given = self.of(edge.read).get(source)
        return given is not None and given[1] + edge.span[1] == self.of(edge.made)[source][1]

    def _start(self, source: Slot) -> Span:
        carriers = self.carriers(source)
        return SAME if carriers is not None and len(carriers) == 1 else ALL

    def _apart(self, path: str) -> Size:
        """The size of the axis that a `Map` or `Fold` takes apart."""
        size = self.plan.solution.sizes(self.plan.solution.scopes[path].op)[AXIS]
        assert not isinstance(size, tuple)
        return size

    def _place(self, op: Op) -> None:
        """Record the `Map`s and `Fold`s in which the outputs of a leaf differ from element to element."""
        read = frozenset[str]().union(*(self.elements.get(slot, frozenset()) for _, slot in op.reads))
        if isinstance(op.leaf, EachEntry):
            read = frozenset((*op.within, op.path))
        elif isinstance(op.leaf, EachExit):
            read = read - {op.path.removesuffix("/")}
        for port in self.plan.solution.scopes[op.path].ports.outputs:
            self.elements[op.path, port.name] = read

    def _edges(self, op: Op) -> Iterator[SeenThrough]:
        if isinstance(op.leaf, EachEntry):
            for port, slot in op.reads:
                yield self._end_edge(slot, (op.path, port), op.path, taken=port in op.leaf.each.over)
            for state, _ in op.leaf.each.carry:
                far = self.plan.solution.scopes[exit_path(op.path)].op
                yield self._carried(dict(far.reads)[f"next_{state}"], (op.path, state), op.path)
        elif isinstance(op.leaf, EachExit):
            reads, own = dict(op.reads), op.path.removesuffix("/")
            for name, _ in op.leaf.each.gives:
                yield self._end_edge(reads[f"gives_{name}"], (op.path, name), own, given=True)
            for state, _ in op.leaf.each.carry:
                yield self._end_edge(reads[f"next_{state}"], (op.path, state), own)
        else:
            ports = self.plan.solution.scopes[op.path].ports
            for (port, slot), made in itertools.product(op.reads, ports.outputs):
                given = next(one for one in ports.inputs if one.name == port)
                yield SeenThrough(slot, (op.path, made.name), self._leaf_span(op, given, slot, made))

    def _pair(self, read: Slot, made: Slot) -> tuple[Carrier, Carrier] | None:
        """The one axis that carries the name on either side; None where there is not exactly one on each."""
        given, gives = self.carriers(read), self.carriers(made)
        if given is None or gives is None or len(given) != 1 or len(gives) != 1:
            return None
        return given[0], gives[0]

    def _leaf_span(self, op: Op, port: Port, read: Slot, output: Port) -> Span:
        """How far a leaf sees along the one axis that carries the name on either side."""
        made = (op.path, output.name)
        pair = self._pair(read, made)
        if pair is None:
            return ALL
        given, gives = pair
        if isinstance(given, str) or isinstance(gives, str):  # elements are rows of its batch
            return SAME if given == gives and not (self.training and _mixes_rows(op.leaf)) else ALL
        sizes = self.plan.solution.sizes(op)
        one, other = visible_places(port, sizes)[given], visible_places(output, sizes)[gives]
        if LEADING in (one.item, other.item):
            return SAME if one == other else ALL
        longer = _sizes(self.plan, made)[gives] - _sizes(self.plan, read)[given]
        if self.along in names(longer):  # the rate changes: positions on the two sides do not correspond
            return ALL
        return op.leaf.span(port.name, one.place, one.run, self.training) or ALL

    def _end_edge(self, read: Slot, made: Slot, own: str, taken: bool = False, given: bool = False) -> SeenThrough:
        """Through an end of a `Map` or `Fold`: its axis is taken off a value, or given back, all others stay."""
        pair = self._pair(read, made)
        if pair is None:
            return SeenThrough(read, made, ALL)
        one, other = pair
        if taken:
            one = own if one == 0 else one - 1 if isinstance(one, int) else one
        if given:
            one = 0 if one == own else one + 1 if isinstance(one, int) else one
        return SeenThrough(read, made, SAME if one == other else ALL)

    def _carried(self, read: Slot, made: Slot, own: str) -> SeenThrough:
        """From the next state of one element to the state of the element that follows."""
        pair = self._pair(read, made)
        if pair is None or pair[0] != pair[1]:
            return SeenThrough(read, made, ALL)
        return SeenThrough(read, made, (-1, -1) if pair[0] == own else SAME)


def union(one: Span, other: Span) -> Span:
    """The least span that holds both."""
    return min(one[0], other[0]), max(one[1], other[1])


def displaced(span: Span, edge: Span) -> Span:
    """What is seen through an edge by a value that sees a span."""
    return span[0] + edge[0], span[1] + edge[1]


def spans_through(edges: Sequence[SeenThrough], starts: Mapping[Slot, Span]) -> dict[Slot, dict[Slot, Span]]:
    """Compute what every value sees of each input: update value after value until nothing changes."""
    spans: dict[Slot, dict[Slot, Span]] = {source: {source: start} for source, start in starts.items()}
    for turn in itertools.count():
        changed = False
        for edge in edges:
            for source, span in [*spans.get(edge.read, {}).items()]:
                known, reached = spans.setdefault(edge.made, {}), displaced(span, edge.span)
                old = known.get(source)
                new = reached if old is None else union(old, reached)
                if old is not None and new != old and turn >= PATIENCE:
                    new = (-inf if new[0] < old[0] else new[0], inf if new[1] > old[1] else new[1])
                changed |= new != old
                known[source] = new
        if not changed:
            break
    return spans


def _mixes_rows(leaf: LeafNode) -> bool:
    """Whether a leaf takes statistics of its batch in training, whose rows may be the elements of one example."""
    return any(weight.kind == "running" for weight in leaf.weights().values())


class PlaceInPort(Value):
    """Where an axis stands in the notation of a port: which item it belongs to, and its place in a run of so many.

    An axis that is named by itself has the place -1.
    """

    item: str
    place: int = -1
    run: int = 1


def visible_places(port: Port, sizes: Mapping[str, Size | tuple[Size | Row, ...]]) -> list[PlaceInPort]:
    """The place of every axis of a port's value."""
    found: list[PlaceInPort] = []
    for item in port.axes:
        if isinstance(item, Axis):
            found.append(PlaceInPort(item.name))
            continue
        run = sizes[item.name]
        assert isinstance(run, tuple)
        found += [PlaceInPort(item.name, i, len(run)) for i in range(len(run))]
    return found


def _sizes(plan: Plan, slot: Slot) -> list[Size]:
    return [size for size in plan.shape(slot) if not isinstance(size, Row)]
