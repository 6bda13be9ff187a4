"""The sizes of a net as far as they follow, and every place where they disagree."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from netwright.errors import NetError
from netwright.net.leaf import Unfit, Weight
from netwright.net.plan.each import passed
from netwright.net.plan.wiring import Op, Slot, Wiring
from netwright.sizes.notation import UNKNOWN, Axis, AxisRun, Item, Ports
from netwright.sizes.size import Size, Unknown, of
from netwright.sizes.unify import Row, Shape, Solver
from netwright.value import Value

Facts: TypeAlias = Mapping[str, tuple[int, ...]]  # the shapes of arrays that are there, by path


class Mismatch(Value):
    """A fault as the solver sees it: the place, both sides as they were written, and the leaf's sentence if any.

    `op` is the leaf that cannot take its input, `None` at an output of the net. `about` is the path of an array that
    does not fit; `varies` is the axis of an array whose size would differ between examples.
    """

    op: Op | None
    port: str
    expected: Shape = ()
    got: Shape = ()
    below: tuple[Size | None, Size | None] = (None, None)  # the size that indices must be below, on both sides
    sentence: Unfit | None = None
    about: str = ""
    varies: str = ""


@dataclass
class Scope:
    """The names in the ports of one use of a leaf, and the sizes they stand for."""

    op: Op
    ports: Ports
    names: dict[str, Size | Shape]
    given: Mapping[str, Any]  # the fields by which names are given as numbers
    weights: dict[str, Weight] = field(default_factory=dict[str, Weight])
    arrays: dict[str, Shape] = field(default_factory=dict[str, Shape])  # by the names of `weights`, as written
    complete: bool = False  # every size was known when the leaf was last asked, so it is not asked again


@dataclass
class Solution:
    """The sizes of a net as far as they follow, and every place where they disagree."""

    wiring: Wiring
    solver: Solver
    slots: dict[Slot, Shape]
    kinds: dict[Slot, Size | None]  # the size that indices are below; None for numbers; absent while unknown
    scopes: dict[str, Scope]
    mismatches: list[Mismatch] = field(default_factory=list[Mismatch])
    claims: dict[str, Mismatch] = field(default_factory=dict[str, Mismatch])  # to report, by causes other than leaves

    within: dict[str, str] = field(default_factory=dict[str, str])  # `m[n]`: the size that a size varies in

    def below(self, slot: Slot) -> Size | None:
        """The size that indices are below, as far as it is known; None for numbers."""
        kind = self.kinds.get(self.origin(slot))
        return None if kind is None else self.solver.size(kind)

    def origin(self, slot: Slot) -> Slot:
        """The original of a value that leaves only pass on."""
        scope = self.scopes.get(slot[0])
        while scope is not None and scope.op.leaf.passes_values:
            reads = dict(scope.op.reads)
            source = reads.get(passed(scope.op.leaf, slot[1]) or next(iter(reads)))
            if source is None:
                break
            slot = source
            scope = self.scopes.get(slot[0])
        return slot

    def claim(self, cause: str, claimed: Mismatch) -> bool:
        """Make both sides of a mismatch equal, else report it; reported later too, if it turns out false."""
        self.claims.setdefault(cause, claimed)
        if self.solver.fits(claimed.expected, claimed.got, cause):
            return True
        self.mismatches.append(claimed)
        return False

    def shape(self, slot: Slot) -> Shape:
        """The sizes of a value as far as they are known."""
        return self.solver.shape(self.slots[slot])

    def sizes(self, op: Op) -> dict[str, Size | Shape]:
        """What the names of a leaf's ports stand for, as far as it is known."""
        solver = self.solver
        return {
            name: solver.shape(value) if isinstance(value, tuple) else solver.size(value)
            for name, value in self.scopes[op.path].names.items()
        }

    def array_shape(self, op: Op, name: str) -> Shape:
        """The sizes of an array of a leaf as far as they are known."""
        return self.solver.shape(self.scopes[op.path].arrays[name])


def port_shape(scope: Scope, items: tuple[Item, ...]) -> Shape:
    """What the axes of a port, or of an array, stand for in this use, as it was written."""
    shape: list[Size | Row] = []
    for item in items:
        value = item_shape(scope, item)
        shape.extend(value) if isinstance(value, tuple) else shape.append(value)
    return tuple(shape)


def item_shape(scope: Scope, item: Item) -> Size | Shape:
    """What an axis or a run of a port stands for in this use; a name that is a declared field is that field."""
    times = item.times if isinstance(item, Axis) else 1
    if not item.name:
        return times
    if item.name == UNKNOWN:
        return of(Unknown(scope.op.path, UNKNOWN)) * times
    value = scope.names.get(item.name)
    if value is None:
        value = scope.names[item.name] = _new(scope, item)
    return value if times == 1 or isinstance(value, tuple) else value * times


def take(scope: Scope, items: tuple[Item, ...], shape: Shape) -> bool:
    """Give the names of a port the sizes of its value, which are known. If it returns False, nothing is given.

    An equation would find the same sizes, but it makes several objects for each name. It is needed only where a size
    is to be found from another one, and where the sizes do not fit.
    """
    run = len(shape) - len(items) + 1  # the axes of a run, where there is one
    if run < 0 or (run != 1 and not any(isinstance(item, AxisRun) for item in items)):
        return False
    found: dict[str, Size | Shape] = {}
    at = 0
    for item in items:
        value, at = (shape[at], at + 1) if isinstance(item, Axis) else (shape[at : at + run], at + run)
        if item.name == UNKNOWN:
            continue
        if isinstance(item, Axis) and item.name and item.times != 1:
            return False
        held = _held(scope, item) if item.name not in found else found[item.name]
        if held is None and not isinstance(value, Row) and value != 0:
            found[item.name] = value
        elif held != value:
            return False
    scope.names |= found
    return True


def _held(scope: Scope, item: Item) -> Size | Shape | None:
    """What an item is known to be before any value is looked at; None: nothing."""
    if isinstance(item, Axis) and not item.name:
        return item.times
    held = scope.names.get(item.name)
    return _given(scope, item) if held is None else held


def _given(scope: Scope, item: Item) -> Size | Shape | None:
    """The field that gives a name its size, or a run its sizes; None: no field does."""
    given = scope.given.get(item.name)
    if isinstance(item, AxisRun):
        return given if isinstance(given, tuple) else None
    if not isinstance(given, int):
        return None
    if given < 1:
        what = f"{item.name} must be a whole number of at least 1"
        raise NetError(what=what, where=scope.op.path or type(scope.op.leaf).__name__, got=repr(given))
    return given


def _new(scope: Scope, item: Item) -> Size | Shape:
    given, path = _given(scope, item), scope.op.path
    if given is not None:
        return given
    return of(Unknown(path, item.name)) if isinstance(item, Axis) else (Row(path, item.name),)
