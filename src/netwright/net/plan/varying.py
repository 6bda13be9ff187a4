"""Refuses what cannot work with sizes that vary: arrays of a fixed size, and leaves that ignore lengths."""

from netwright.net.leaf import Unfit
from netwright.net.plan.each import AXIS, EachBoundary
from netwright.net.plan.solution import Mismatch, Scope, Solution, port_shape
from netwright.sizes import notation
from netwright.sizes.notation import UNKNOWN
from netwright.sizes.size import Size, names
from netwright.sizes.unify import Row, Shape

LEADING = "..."  # the run of axes that a leaf never mixes


def refuse_varying_arrays(solution: Solution) -> None:
    """Report arrays whose size would depend on the length of the example."""
    faulty = {m.op.path for m in solution.mismatches if m.op is not None}
    for scope in solution.scopes.values():
        for name, weight in scope.weights.items():
            for item in notation.axes(weight.axes):
                sizes = solution.solver.shape(port_shape(scope, (item,)))
                if scope.op.path not in faulty and any(not isinstance(size, Row) and names(size) for size in sizes):
                    solution.mismatches.append(Mismatch(scope.op, name, got=sizes, varies=item.name))
                    faulty.add(scope.op.path)


def refuse_without_lengths(solution: Solution) -> None:
    """Report leaves that mix along a length that varies, but neither take lengths nor are right without them."""
    faulty = {m.op.path for m in solution.mismatches if m.op is not None}
    for scope in solution.scopes.values():
        if scope.op.path in faulty:
            continue
        sizes = {name for value in _mixed(scope) for size in _sizes(solution, value) for name in names(size)}
        ragged = _ragged(solution, scope)
        inner = sorted(name for name in sizes if solution.within.get(name, "") in ragged)
        led = {name for size in _sizes(solution, scope.names.get(LEADING, ())) for name in names(size)}
        inner += sorted(name for name in led if solution.within.get(name, "") in ragged & sizes)  # m varies in n
        if inner and not isinstance(scope.op.leaf, EachBoundary) and not _still(solution, scope):
            outer = solution.within[inner[0]]
            unfit = Unfit(
                f"it mixes along {inner[0]}, which differs from element to element of {outer}",
                expected=f"one example at a time: nw.Map(…) over {outer}",
            )
        elif sizes and not (scope.op.leaf.ignores_padding or scope.op.leaf.takes_lengths):
            unfit = Unfit(
                "it does not take the lengths of examples, and its input varies in " + ", ".join(sorted(sizes))
            )
        else:
            continue
        solution.mismatches.append(Mismatch(scope.op, "", sentence=unfit))


def _still(solution: Solution, scope: Scope) -> bool:
    """Whether every output element depends only on the input elements at its own position, along all axes."""
    seen = scope.op.leaf.reach(training=True)
    for port in scope.ports.outputs:
        before: set[str] = set()
        for size in _sizes(solution, port_shape(scope, port.axes)):
            if not {solution.within[name] for name in names(size) & solution.within.keys()} <= before:
                return False  # an axis would stand before the one within which it varies
            before |= names(size)
    return scope.op.leaf.ignores_padding and all(seen.get(p.name, seen.get("*")) == (0, 0) for p in scope.ports.inputs)


def _mixed(scope: Scope) -> list[Size | Shape]:
    """The sizes of the axes that a leaf names: all but the leading ones."""
    items = (item for port in (*scope.ports.inputs, *scope.ports.outputs) for item in port.axes)
    named_ = {item.name for item in items if item.name and item.name != UNKNOWN} - {LEADING}
    return [scope.names[name] for name in sorted(named_) if name in scope.names]


def _sizes(solution: Solution, value: Size | Shape) -> list[Size]:
    shape = solution.solver.shape(value if isinstance(value, tuple) else (value,))
    return [size for size in shape if not isinstance(size, Row)]


def _ragged(solution: Solution, scope: Scope) -> set[str]:
    """The sizes along which this leaf does not work element by element, so that nothing may vary within them."""
    outer = {solution.scopes[path].names[AXIS] for path in scope.op.within}
    done = {name for value in outer for size in _sizes(solution, value) for name in names(size)}
    return {*solution.within.values()} - done
