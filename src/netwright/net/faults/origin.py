"""Says where a mismatch is, and follows an axis back to the leaf or the input that made it."""

from netwright.codecs.codec import Codec
from netwright.net.node import Node, field_values
from netwright.net.plan.each import user_path
from netwright.net.plan.solution import Mismatch, Scope, Solution, port_shape
from netwright.net.plan.wiring import Op, Slot
from netwright.sizes.notation import Axis, Item
from netwright.sizes.size import Size, same, unknowns
from netwright.sizes.unify import Row, Shape
from netwright.value import Value


class Origin(Value):
    """Where an axis comes from: the leaf that made it and the leaf's own name of it; no leaf for an input."""

    op: Op | None
    name: str  # of the axis in the leaf's ports, such as `out`; of the port, for an input
    axis: int  # the position among the axes that this name stands for

    @property
    def fixes(self) -> bool:
        """Whether a declared field of the leaf gives the size."""
        return self.op is not None and isinstance(field_values(self.op.leaf).get(self.name), int)

    @property
    def text(self) -> str:
        """The path of the leaf, or the name of the input."""
        return user_path(self.op.path) if self.op else f"the input {self.name}" if self.name != "input" else "the input"


class FaultSite(Value):
    """A mismatch, with all that the search for mends needs."""

    node: Node
    solution: Solution
    mismatch: Mismatch
    slot: Slot  # the value that does not fit
    expected: Shape  # both sides as far as they are known
    got: Shape

    @property
    def target(self) -> tuple[str, str]:
        """Where to insert a leaf to change the value: a leaf and its port, or an output."""
        op = self.mismatch.op
        return (op.path, self.mismatch.port or op.reads[0][0]) if op else ("", self.mismatch.port)

    @property
    def decoder(self) -> Codec | None:
        """The decoder at the place, where it is an output."""
        return None if self.mismatch.op else self.node.held.outputs.get(self.mismatch.port)


def site_of(node: Node, solution: Solution, mismatch: Mismatch) -> FaultSite:
    """The value that does not fit, and both sides as far as they are known."""
    if mismatch.op is None:
        slot = dict(solution.wiring.outputs)[mismatch.port]
    else:
        reads = dict(mismatch.op.reads)
        slot = reads.get(mismatch.port) or next(reversed(reads.values()), ("", ""))
    if mismatch.varies:
        return FaultSite(node, solution, mismatch, axis_of_weight(solution, mismatch)[0], (), mismatch.got)
    if mismatch.sentence is not None or mismatch.below != (None, None):
        got = solution.shape(slot) if slot in solution.slots else ()
        return FaultSite(node, solution, mismatch, slot, (), got)
    expected, got = _aligned(solution, mismatch)
    return FaultSite(node, solution, mismatch, slot, expected, got)


def origin(solution: Solution, slot: Slot, axis: int) -> Origin:
    """The leaf or input that made an axis of a value; axes that leaves pass on are followed back."""
    while slot[0]:
        scope = solution.scopes[slot[0]]
        port = next(port for port in scope.ports.outputs if port.name == slot[1])
        item, offset = _item_at(solution, scope, port.axes, axis)
        before = _handed_on(solution, scope, item, offset)
        if before is None:
            return Origin(scope.op, item.name if item else "", offset)
        slot, axis = before
    return Origin(None, slot[1], axis)


def maker_of(slot: Slot) -> str:
    """The path of the part that makes a value, or the name of the input that it is."""
    return user_path(slot[0]) or slot[1]


def ancestors(solution: Solution, slot: Slot) -> list[Op]:
    """Every leaf that leads to a value, in the order they run."""
    by_path = {op.path: op for op in solution.wiring.ops}
    found: set[str] = set()
    stack = [slot[0]]
    while stack:
        path = stack.pop()
        if path and path not in found:
            found.add(path)
            stack += [source[0] for _, source in by_path[path].reads]
    return [op for op in solution.wiring.ops if op.path in found]


def between(solution: Solution, first: Op | None, slot: Slot) -> list[Op]:
    """The leaves on the ways from one leaf, itself left out, or from the inputs, to a value."""
    led = ancestors(solution, slot)
    if first is None:
        return led
    reached = {first.path}
    for op in led:
        reached |= {op.path} if any(source[0] in reached for _, source in op.reads) else set()
    return [op for op in led if op.path in reached and op is not first]


def axis_of_weight(solution: Solution, mismatch: Mismatch) -> tuple[Slot, int]:
    """The value, and its axis, that gives an array the axis in which it does not fit; no slot where none does."""
    op = mismatch.op
    assert op is not None
    scope = solution.scopes[op.path]
    names = scope.weights[mismatch.port].axes.split()
    solver = solution.solver
    pairs = zip(names, solver.shape(mismatch.expected), solver.shape(mismatch.got), strict=False)
    odd = mismatch.varies or next((name for name, one, other in pairs if differ(one, other)), "")
    reads = dict(op.reads)
    for port in scope.ports.inputs:
        axis = next((i for i, item in enumerate(port.axes) if isinstance(item, Axis) and item.name == odd), None)
        if axis is not None and port.name in reads:
            return reads[port.name], axis - len(port.axes)
    return ("", ""), 0


def differ(one: Size | Row, other: Size | Row) -> bool:
    """Whether two sizes are known and not the same."""
    if isinstance(one, Row) or isinstance(other, Row):
        return False
    return not unknowns(one) and not unknowns(other) and not same(one, other)


def _item_at(solution: Solution, scope: Scope, items: tuple[Item, ...], axis: int) -> tuple[Item | None, int]:
    """The item of a port that an axis belongs to, and its position within the item."""
    lengths = [len(_spread(solution, scope, item)) for item in items]
    if axis < 0:
        axis += sum(lengths)
    for item, length in zip(items, lengths, strict=True):
        if axis < length:
            return item, axis
        axis -= length
    return None, 0


def _handed_on(solution: Solution, scope: Scope, item: Item | None, offset: int) -> tuple[Slot, int] | None:
    """The value and axis that an item of an output port was before; `None` where this leaf made it."""
    if item is None or not item.name:
        return None
    reads = dict(scope.op.reads)
    for port in scope.ports.inputs:
        if port.name not in reads or item not in port.axes:
            continue
        start = sum(len(_spread(solution, scope, one)) for one in port.axes[: port.axes.index(item)])
        return reads[port.name], start + offset
    return None


def _spread(solution: Solution, scope: Scope, item: Item) -> Shape:
    return solution.solver.shape(port_shape(scope, (item,)))


def _aligned(solution: Solution, mismatch: Mismatch) -> tuple[Shape, Shape]:
    """Both sides, the axes that could agree made equal from the end, to say as much of each as there is to say."""
    solver = solution.solver
    expected, got = solver.shape(mismatch.expected), solver.shape(mismatch.got)
    expected = _without_run(expected, got)
    known: dict[int, Size] = {}
    for i, (left, right) in enumerate(zip(reversed(expected), reversed(got), strict=False)):
        if isinstance(left, Row) or isinstance(right, Row):
            break
        if isinstance(left, int) and not isinstance(right, int):
            known[len(got) - 1 - i] = left
    filled = tuple(known.get(i, size) if str(size) == "?" else size for i, size in enumerate(got))
    return expected, filled


def _without_run(expected: Shape, got: Shape) -> Shape:
    """What is expected, its run of axes filled with the axes of the other side where there are enough."""
    at = next((i for i, size in enumerate(expected) if isinstance(size, Row)), None)
    if at is None or any(isinstance(size, Row) for size in got) or len(got) < len(expected) - 1:
        return expected
    after = len(expected) - at - 1
    return (*expected[:at], *got[at : len(got) - after], *expected[at + 1 :])
