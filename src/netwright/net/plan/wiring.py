"""Flattens nested containers into one list of leaf uses, each with its path, its inputs and the place of its arrays."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from netwright.net.node import SHARED, LeafNode, Node, join, kind
from netwright.net.plan.level import ContainerNode, Level, output_names

Slot: TypeAlias = tuple[str, str]  # (path of a leaf, its output port); ("", input port) for an input of the net


@dataclass(frozen=True)
class Op:
    """One use of one leaf."""

    path: str
    leaf: LeafNode
    reads: tuple[tuple[str, Slot], ...]  # (input port, what it reads)
    place: str  # where its arrays are: the path, or the name they are shared under

    @property
    def count(self) -> int:
        """How many values it is given: which signature a variadic leaf has here."""
        return len(self.reads)


@dataclass(frozen=True)
class Wiring:
    """A whole net as leaf uses, in an order that can be run."""

    inputs: tuple[str, ...]
    ops: tuple[Op, ...]
    outputs: tuple[tuple[str, Slot], ...]
    values: Mapping[str, tuple[tuple[str, Slot], ...]]  # the outputs of every part, by path, at any depth

    @property
    def slots(self) -> dict[Slot, list[tuple[Op, str]]]:
        """Who reads each slot."""
        readers: dict[Slot, list[tuple[Op, str]]] = {("", name): [] for name in self.inputs}
        for op in self.ops:
            for port, slot in op.reads:
                readers.setdefault(slot, []).append((op, port))
        return readers


def wire(node: Node) -> Wiring:
    """The flat wiring of any net."""
    ops: list[Op] = []
    values: dict[str, tuple[tuple[str, Slot], ...]] = {}
    inputs = {name: ("", name) for name in node.input_names}
    outputs = _expand(node, "", "", inputs, ops, values)
    return Wiring(tuple(inputs), tuple(ops), outputs, values)


def _expand(
    node: Node,
    path: str,
    place: str,
    given: Mapping[str, Slot],
    ops: list[Op],
    values: dict[str, tuple[tuple[str, Slot], ...]],
) -> tuple[tuple[str, Slot], ...]:
    place = SHARED + node.held.shared if node.held.shared else place
    if isinstance(node, LeafNode):
        own = path or kind(node)  # a leaf that is the whole net is called by its kind: the empty path is the inputs'
        ops.append(Op(own, node, tuple(given.items()), place))
        outputs = tuple((name, (own, name)) for name in output_names(node, len(given)))
    else:
        assert isinstance(node, ContainerNode)
        outputs = _expand_level(node.level, path, place, given, ops, values)
    if path:
        values[path] = outputs
    return outputs


def _expand_level(
    level: Level,
    path: str,
    place: str,
    given: Mapping[str, Slot],
    ops: list[Op],
    values: dict[str, tuple[tuple[str, Slot], ...]],
) -> tuple[tuple[str, Slot], ...]:
    made: dict[Slot, Slot] = {("", name): slot for name, slot in given.items()}
    for call in level.calls:
        reads = {port: made[ref] for port, ref in call.reads}
        outputs = _expand(call.part, join(path, call.name), join(place, call.place), reads, ops, values)
        made |= {(call.name, port): slot for port, slot in outputs}
    return tuple((port, made[ref]) for port, ref in level.outputs)
