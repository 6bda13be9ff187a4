"""Solves the sizes of a whole net in both directions, before a weight or an example exists; all faults at once."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any

from netwright.codecs.codec import Codec
from netwright.errors import NetError
from netwright.net.leaf import LeafNode, Unfit
from netwright.net.plan.each import EachBoundary
from netwright.net.plan.solution import Facts, Mismatch, Scope, Solution, item_shape, port_shape, take
from netwright.net.plan.varying import refuse_varying_arrays, refuse_without_lengths
from netwright.net.plan.wiring import Op, Slot, Wiring
from netwright.sizes import notation
from netwright.sizes.notation import UNKNOWN, Axis, Item, Port
from netwright.sizes.size import Size, Unknown, named, names, of, unknowns
from netwright.sizes.unify import Clash, Row, Shape, Solver


def solve(wiring: Wiring, inputs: Mapping[str, Codec], outputs: Mapping[str, Codec], arrays: Facts) -> Solution:
    """Find the sizes of a net from its encoders, its leaves, its decoders and the arrays that are there."""
    solution = Solution(wiring, Solver(), {}, {}, {})
    for name in wiring.inputs:
        _declare_input(solution, name, inputs.get(name))
    for op in wiring.ops:
        _connect(solution, op)
    _relate(solution)
    for name, slot in wiring.outputs:
        if name in outputs:
            _decode(solution, name, slot, outputs[name])
    _relate(solution)
    _agree_on_arrays(solution, arrays)
    _relate(solution)
    _presume(solution)
    if any(names(size) for name in wiring.inputs for size in solution.slots["", name] if not isinstance(size, Row)):
        refuse_varying_arrays(solution)
        refuse_without_lengths(solution)
    return solution


def _declare_input(solution: Solution, name: str, codec: Codec | None) -> None:
    slot = ("", name)
    if codec is None:
        solution.slots[slot] = (Row("", name),)
        return
    port = notation.port(codec.encoded, name)
    solution.within |= {item.name: item.within for item in port.axes if isinstance(item, Axis) and item.within}
    solution.slots[slot] = tuple(_outer(item, name) for item in port.axes)
    below = None if port.below is None else _outer(port.below, name)
    assert not isinstance(below, Row)
    solution.kinds[slot] = below


def _outer(item: Item, port: str) -> Size | Row:
    """An axis of an outer port: its names are lengths that vary, its question marks are to be found."""
    if not isinstance(item, Axis):
        return Row("", port)
    if item.name == UNKNOWN:
        return of(Unknown("", port)) * item.times
    return item.times * named(item.name) if item.name else item.times


def _connect(solution: Solution, op: Op) -> None:
    """Bring one leaf use in: its own names, its arrays, its inputs, then what its arithmetic says."""
    solver = solution.solver
    scope = Scope(op, notation.ports(op.leaf.signature(op.count)), {}, op.leaf.sizes(), op.leaf.weights())
    solution.scopes[op.path] = scope
    ports = {port.name: port for port in scope.ports.inputs}
    for name, slot in op.reads:
        axes, got = ports[name].axes, solution.slots[slot]
        known = solver.known(got)
        if known is None or not take(scope, axes, known):
            expected = port_shape(scope, axes)
            if not solver.fits(expected, got, op.path):
                solution.mismatches.append(Mismatch(op, name, expected, got))
        _same_kind(solution, op, ports[name], slot)
    for port in scope.ports.inputs:
        if port.optional:
            port_shape(scope, port.axes)  # a port that is not connected has names too
    for port in scope.ports.outputs:
        solution.slots[op.path, port.name] = port_shape(scope, port.axes)
        if not op.leaf.passes_values:
            solution.kinds[op.path, port.name] = _below(scope, port)
    for name, weight in scope.weights.items():
        scope.arrays[name] = port_shape(scope, notation.axes(weight.axes))
    if _has_arithmetic(scope) and (not solution.mismatches or solution.mismatches[-1].op is not op):
        _relate_one(solution, scope)


def _has_arithmetic(scope: Scope) -> bool:
    """Whether sizes follow from others in a way that the ports do not say."""
    return type(scope.op.leaf).relate is not LeafNode.relate


def _same_kind(solution: Solution, op: Op, port: Port, slot: Slot) -> None:
    """Require that both sides are numbers, or both are indices below the same size."""
    if op.leaf.passes_values:
        return
    slot = solution.origin(slot)
    wanted = _below(solution.scopes[op.path], port)
    if slot not in solution.kinds:
        solution.kinds[slot] = wanted
        return
    given = solution.kinds[slot]
    if wanted is None and given is None:
        return
    try:
        if wanted is None or given is None:
            raise Clash
        solution.solver.equate(wanted, given, op.path)
    except Clash:
        solution.mismatches.append(Mismatch(op, port.name, below=(wanted, given)))


def _below(scope: Scope, port: Port) -> Size | None:
    if port.below is None:
        return None
    size = item_shape(scope, port.below)
    assert not isinstance(size, tuple | Row)
    return size


def _decode(solution: Solution, name: str, slot: Slot, codec: Codec) -> None:
    expected = tuple(_outer(item, name) for item in notation.port(codec.decoded, name).axes)
    solution.claim(f"output {name}", Mismatch(None, name, expected, solution.slots[slot]))


def _relate(solution: Solution) -> None:
    """Ask every leaf again until nothing new follows, forwards and backwards in turn."""
    solver = solution.solver
    asked = [scope for scope in solution.scopes.values() if _has_arithmetic(scope)]
    faulty = {m.op.path for m in solution.mismatches if m.op is not None}
    while True:
        before = (len(solver.values), len(solver.rows))
        for scope in (*asked, *reversed(asked)):
            if scope.op.path not in faulty and not _relate_one(solution, scope):
                faulty.add(scope.op.path)
        for cause in solver.settle():
            false = _false_claim(solution, cause)
            if false.op is None or false.op.path not in faulty:
                solution.mismatches.append(false)
                faulty |= {false.op.path} if false.op else set()
        if (len(solver.values), len(solver.rows)) == before:
            return


def _presume(solution: Solution) -> None:
    """Settle the rank of states that depend only on themselves, unless an input may still settle it."""
    solver, slots = solution.solver, solution.slots
    ends = [scope for scope in solution.scopes.values() if isinstance(scope.op.leaf, EachBoundary)]
    states = [(s.op.path, p.name, dict(s.op.reads).get(p.name)) for s in ends for p in s.ports.inputs if p.optional]
    begun = [(path, name) for path, name, given in states if given is None or not given[0]]  # not set by a part
    inputs = {("", name) for name in solution.wiring.inputs} - {given for _, _, given in states}
    circles = {path for path, name in begun if _known(solver, slots[path, name]) is None}
    if not circles or any(_known(solver, slots[slot]) is None for slot in inputs):
        return
    for scope in [scope for scope in solution.scopes.values() if circles & {*scope.op.within}]:
        known = {name: _known(solver, value) for name, value in scope.names.items()}
        for name, value in (scope.op.leaf.presume(known) or {}).items():
            with suppress(Clash):
                _learn(scope, solver, name, value)
    _relate(solution)


def _false_claim(solution: Solution, cause: str) -> Mismatch:
    """The mismatch to report when a deferred equation turns out false."""
    scope = solution.scopes.get(cause)
    if scope is None:
        return solution.claims[cause]
    for port in scope.ports.inputs:
        claim = Mismatch(scope.op, port.name, port_shape(scope, port.axes))
        slot = dict(scope.op.reads).get(port.name)
        try:
            if slot:
                claim = replace(claim, got=solution.slots[slot])
                solution.solver.match(claim.expected, claim.got, cause)
        except Clash:
            return claim
    return Mismatch(scope.op, "", sentence=Unfit("its sizes contradict each other"))


def _relate_one(solution: Solution, scope: Scope) -> bool:
    """Add what one leaf's arithmetic implies now; `False` if it cannot hold."""
    if scope.complete:
        return True
    solver = solution.solver
    known = {name: _known(solver, value) for name, value in scope.names.items()}
    name, value = "", None
    try:
        for name, value in (scope.op.leaf.relate(known) or {}).items():
            _learn(scope, solver, name, value)
    except Unfit as unfit:
        solution.mismatches.append(Mismatch(scope.op, "", sentence=unfit))
        return False
    except Clash:
        solution.mismatches.append(Mismatch(scope.op, "", sentence=_contradiction(scope, solver, name, value)))
        return False
    except NetError as error:  # a size that is too large to write down
        raise error.within(scope.op.path) from None
    scope.complete = all(v is not None and not (isinstance(v, tuple) and None in v) for v in known.values())
    return True


def _learn(scope: Scope, solver: Solver, name: str, value: Any) -> None:
    path = scope.op.path
    if isinstance(value, tuple):
        run = scope.names.setdefault(name, (Row(path, name),))
        assert isinstance(run, tuple)
        _learn_run(solver, solver.shape(run), value, path)
    elif value is not None:
        size = scope.names.setdefault(name, of(Unknown(path, name)))
        assert not isinstance(size, tuple)
        solver.equate(size, value, path)


def _learn_run(solver: Solver, run: Shape, sizes: tuple[Size | None, ...], path: str) -> None:
    """The rank of a run, and those of its sizes that are not `None`."""
    if any(isinstance(item, Row) for item in run) or len(run) != len(sizes):
        solver.match(run, tuple(of(Unknown(path, "?")) if size is None else size for size in sizes), path)
        return
    for item, size in zip(run, sizes, strict=True):
        if size is not None and not isinstance(item, Row):
            solver.equate(item, size, path)


def _known(solver: Solver, value: Size | Shape) -> Any:
    """A name's value for `relate`: a size, a tuple of sizes, `None` for what is not known."""
    if not isinstance(value, tuple):
        size = solver.size(value)
        return None if unknowns(size) else size
    shape = solver.shape(value)
    if any(isinstance(item, Row) for item in shape):
        return None
    return tuple(None if not isinstance(item, Row) and unknowns(item) else item for item in shape)


def _contradiction(scope: Scope, solver: Solver, name: str, value: Any) -> Unfit:
    """The fault where a leaf's arithmetic gives another size than the net needs."""
    needed = scope.names[name]
    return Unfit(
        f"its arithmetic gives another {name} than the net needs",
        expected=_text(solver.shape(needed if isinstance(needed, tuple) else (needed,))),
        got=_text(value if isinstance(value, tuple) else (value,)),
    )


def _text(shape: tuple[Size | Row | None, ...]) -> str:
    inner = ", ".join("?" if item is None else str(item) for item in shape)
    return f"({inner},)" if len(shape) == 1 else f"({inner})"


def _agree_on_arrays(solution: Solution, arrays: Facts) -> None:
    """Require that all uses of an array agree in size, and that an existing array keeps its size."""
    first: dict[str, Shape] = {}
    for scope in solution.scopes.values():
        for name, axes in scope.arrays.items():
            path = f"{scope.op.place}/{name}" if scope.op.place else name
            other = first[path] if path in first else arrays.get(path)
            if other is not None:
                cause = f"{'shared' if path in first else 'array'} {path}"
                solution.claim(cause, Mismatch(scope.op, name, tuple(other), axes, about=path))
            first.setdefault(path, axes)
