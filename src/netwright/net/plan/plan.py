"""The plan of a net: its steps in order, with paths, slots, sizes and arrays. Everything else reads it."""

from collections.abc import Hashable, Mapping
from dataclasses import field
from functools import cached_property
from typing import cast

from netwright.codecs.codec import Codec
from netwright.net.leaf import LeafNode, Weight
from netwright.net.names import join_path
from netwright.net.node import Node, structure
from netwright.net.plan.each import AXIS, EachEntry
from netwright.net.plan.solution import Facts, Solution
from netwright.net.plan.solve import solve
from netwright.net.plan.wiring import Op, Slot, Wiring, wire
from netwright.once import once
from netwright.sizes.size import Size, names
from netwright.sizes.unify import Row, Shape
from netwright.value import Value


class ArraySpec(Value):
    """An array the net needs: its path, its sizes as far as they are known, how it is filled, who uses it."""

    path: str
    shape: Shape
    weight: Weight
    users: tuple[str, ...]

    @property
    def known(self) -> tuple[int, ...] | None:
        """The shape in numbers, once every size is one."""
        return cast(tuple[int, ...], self.shape) if fixed(self.shape) else None


class PlanStep(Value):
    """One use of one leaf, ready to run: which slots it reads and writes, and where its arrays are."""

    path: str
    leaf: LeafNode
    reads: tuple[Slot | None, ...]  # one for each input port; None for an optional port that is not connected
    writes: tuple[Slot, ...]
    arrays: Mapping[str, str]  # the leaf's own name of an array to the array's path
    within: tuple[str, ...] = ()  # the entries of the `Map`s and `Fold`s around it
    sizes: Mapping[str, Size | Shape] = field(default_factory=dict[str, Size | Shape])  # its ports' names


class Plan(Value):
    """A net walked once."""

    wiring: Wiring
    solution: Solution
    steps: tuple[PlanStep, ...]
    arrays: Mapping[str, ArraySpec]

    def shape(self, slot: Slot) -> Shape:
        """The sizes of a value."""
        return self.solution.shape(slot)

    def whole_shape(self, slot: Slot) -> Shape:
        """The sizes of a value, after those of the axes of the `Map`s and `Fold`s around it."""
        scope = self.solution.scopes.get(slot[0])
        within = () if scope is None else scope.op.within
        if scope is not None and isinstance(scope.op.leaf, EachEntry):
            within = (*within, slot[0])  # it gives the elements of its own axis
        around = tuple(self.solution.scopes[path].names[AXIS] for path in within)
        return (*self.solution.solver.shape(tuple(s for s in around if not isinstance(s, tuple))), *self.shape(slot))

    def below(self, slot: Slot) -> Size | None:
        """The size that indices are below; `None` for numbers."""
        return self.solution.below(slot)

    def value(self, path: str) -> tuple[tuple[str, Slot], ...] | None:
        """The outputs of the part at a path."""
        return self.wiring.values.get(path)

    def given(self, path: str) -> tuple[tuple[str, Slot], ...] | None:
        """What the inputs of the part at a path read."""
        return self.wiring.given.get(path)

    @cached_property
    def inputs(self) -> dict[str, Shape]:
        """The sizes of the net's inputs."""
        return {name: self.shape(("", name)) for name in self.wiring.inputs}

    @cached_property
    def varying(self) -> tuple[str, ...]:
        """The names of the sizes at the inputs that differ from example to example."""
        sizes = (size for shape in self.inputs.values() for size in shape if not isinstance(size, Row))
        return tuple(sorted({name for size in sizes for name in names(size)}))

    def moves(self, name: str, along: str) -> bool:
        """Whether an input has the size on an axis."""
        return any(along in names(size) for size in self.inputs[name] if not isinstance(size, Row))

    @cached_property
    def outputs(self) -> dict[str, Shape]:
        """The sizes of the net's outputs."""
        return {name: self.shape(slot) for name, slot in self.wiring.outputs}


def wiring_of(node: Node) -> Wiring:
    """The flat wiring of a net. Nets that differ only in arrays and codecs share it."""
    return once(structure(node), "wiring", lambda: wire(node.stripped()))


def plan_of(node: Node) -> Plan:
    """The plan of a net as it stands, made once."""
    return once(node, "plan", lambda: plan_from(node, _facts(node)))


def plan_with(node: Node, inputs: Mapping[str, Codec]) -> Plan:
    """The plan of a net for other input sizes than its own, such as those of given arrays."""
    return _planned(node, {**node.held.inputs, **inputs}, node.held.outputs, _facts(node))


def plan_from(node: Node, facts: Facts) -> Plan:
    """The plan of a net if it held arrays of these shapes."""
    return _planned(node, node.held.inputs, node.held.outputs, facts)


def fixed(shape: Shape) -> bool:
    """Whether every size is a number."""
    return all(isinstance(size, int) for size in shape)


def ranked(shape: Shape) -> bool:
    """Whether the number of axes is known."""
    return not any(isinstance(size, Row) for size in shape)


def shape_text(shape: Shape) -> str:
    """A shape as Python writes it; `?` for what is not known."""
    inner = ", ".join(str(size) for size in shape)
    return f"({inner},)" if len(shape) == 1 else f"({inner})"


def _facts(node: Node) -> dict[str, tuple[int, ...]]:
    return {path: tuple(array.shape) for path, array in node.held.arrays.items()}


def _planned(node: Node, inputs: Mapping[str, Codec], outputs: Mapping[str, Codec], facts: Facts) -> Plan:
    """The plan of any net of this structure, solved at the first request.

    If the shapes of the arrays follow without the arrays, the plan is the same with and without them.
    """
    codecs = tuple(
        tuple(sorted((name, getattr(codec, side)) for name, codec in codecs.items()))
        for side, codecs in (("encoded", inputs), ("decoded", outputs))
    )

    def planned(key: Hashable, shapes: Facts) -> Plan:
        return once(structure(node), "plan", lambda: _plan(wiring_of(node), inputs, outputs, shapes), key)

    plan = planned((codecs, ()), {})
    given = {path: shape for path, shape in facts.items() if path in plan.arrays}
    if all(plan.arrays[path].known == shape for path, shape in given.items()):
        return plan
    return planned((codecs, tuple(sorted(given.items()))), given)


def _plan(wiring: Wiring, inputs: Mapping[str, Codec], outputs: Mapping[str, Codec], facts: Facts) -> Plan:
    solution = solve(wiring, inputs, outputs, facts)
    steps: list[PlanStep] = []
    arrays: dict[str, ArraySpec] = {}
    for op in wiring.ops:
        scope = solution.scopes[op.path]
        places = {name: join_path(op.place, name) for name in scope.weights}
        reads = dict(op.reads)
        steps.append(
            PlanStep(
                op.path,
                op.leaf,
                tuple(reads.get(port.name) for port in scope.ports.inputs),
                tuple((op.path, port.name) for port in scope.ports.outputs),
                places,
                op.within,
                solution.sizes(op),
            )
        )
        _add_arrays(arrays, solution, op, places)
    return Plan(wiring, solution, tuple(steps), arrays)


def _add_arrays(arrays: dict[str, ArraySpec], solution: Solution, op: Op, places: Mapping[str, str]) -> None:
    for name, weight in solution.scopes[op.path].weights.items():
        path = places[name]
        users = (*arrays[path].users, op.path) if path in arrays else (op.path,)
        arrays[path] = ArraySpec(path, solution.array_shape(op, name), weight, users)
