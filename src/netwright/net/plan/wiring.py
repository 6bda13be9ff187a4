"""Flattens nested containers into one list of leaf uses, each with its path, its inputs and the place of its arrays."""

from collections.abc import Mapping
from typing import TypeAlias

from netwright.net.leaf import LeafNode
from netwright.net.names import SHARED, join_path
from netwright.net.node import Node
from netwright.net.plan.container import ContainerNode, check_leaf_uses, leaf_uses
from netwright.net.plan.each import EachBoundary, EachEntry, EachExit, exit_path
from netwright.net.plan.level import Level, PerElement
from netwright.net.plan.symbol import output_names
from netwright.value import Value

Slot: TypeAlias = tuple[str, str]  # (path of a leaf, its output port); ("", input port) for an input of the net


class Op(Value):
    """One use of one leaf."""

    path: str
    leaf: LeafNode
    reads: tuple[tuple[str, Slot], ...]  # (input port, what it reads)
    place: str  # where its arrays are: the path, or the name they are shared under
    within: tuple[str, ...] = ()  # the paths of the entries of the `Map`s and `Fold`s around it

    @property
    def count(self) -> int:
        """How many values it is given, which selects the signature of a variadic leaf."""
        return len(self.reads)


class Wiring(Value):
    """A whole net as leaf uses, in an order that can be run.

    The parts of a `Map` or `Fold` stand between its two ends, an `EachEntry` and an `EachExit`.
    """

    inputs: tuple[str, ...]
    ops: tuple[Op, ...]
    outputs: tuple[tuple[str, Slot], ...]
    values: Mapping[str, tuple[tuple[str, Slot], ...]]  # the outputs of every part, by path, at any depth
    given: Mapping[str, tuple[tuple[str, Slot], ...]]  # what the inputs of every part read

    @property
    def leaves(self) -> tuple[Op, ...]:
        """The uses of the user's leaves: all but the ends of `Map`s and `Fold`s."""
        return tuple(op for op in self.ops if not isinstance(op.leaf, EachBoundary))

    @property
    def slots(self) -> dict[Slot, list[tuple[Op, str]]]:
        """The uses that read each slot."""
        readers: dict[Slot, list[tuple[Op, str]]] = {("", name): [] for name in self.inputs}
        for op in self.ops:
            for port, slot in op.reads:
                readers.setdefault(slot, []).append((op, port))
        return readers


def wire(node: Node) -> Wiring:
    """The flat wiring of any net.

    Raises: NetError for a net of too many leaves.
    """
    check_leaf_uses(leaf_uses(node), type(node).__name__)
    wiring = _Flattening()
    inputs = {name: ("", name) for name in node.input_names}
    outputs = wiring.expand(node, "", "", inputs, ())
    return Wiring(tuple(inputs), tuple(wiring.ops), outputs, wiring.values, wiring.given)


Outputs: TypeAlias = tuple[tuple[str, Slot], ...]


class _Flattening:
    """Leaf uses and values found so far."""

    def __init__(self) -> None:
        self.ops: list[Op] = []
        self.values: dict[str, Outputs] = {}
        self.given: dict[str, Outputs] = {}

    def expand(self, node: Node, path: str, place: str, given: Mapping[str, Slot], within: tuple[str, ...]) -> Outputs:
        """Add a part's leaves; gives the slots of its outputs."""
        place = SHARED + node.held.shared if node.held.shared else place
        own = path or node.kind_name  # the leaf is the whole net, and the empty path stands for the inputs
        if isinstance(node, LeafNode):
            self.ops.append(Op(own, node, tuple(given.items()), place, within))
            outputs = tuple((name, (own, name)) for name in output_names(node, len(given)))
        else:
            assert isinstance(node, ContainerNode)
            each = node.each
            if each is None:
                outputs = self._level(node.level, path, place, given, within)
            else:
                inner = self._enter(each, own, given, within)
                outputs = self._level(node.level, path, place, inner, (*within, own))
                outputs = self._leave(each, own, given, dict(outputs), within)
        if path:
            self.values[path] = outputs
            self.given[path] = tuple(given.items())
        return outputs

    def _level(
        self, level: Level, path: str, place: str, given: Mapping[str, Slot], within: tuple[str, ...]
    ) -> Outputs:
        made: dict[Slot, Slot] = {("", name): slot for name, slot in given.items()}
        for call in level.calls:
            reads = {port: made[ref] for port, ref in call.reads if ref in made}  # a state that is not given is absent
            outputs = self.expand(call.part, join_path(path, call.name), join_path(place, call.place), reads, within)
            made |= {(call.name, port): slot for port, slot in outputs}
        return tuple((port, made[ref]) for port, ref in level.outputs)

    def _enter(self, each: PerElement, own: str, given: Mapping[str, Slot], within: tuple[str, ...]) -> dict[str, Slot]:
        states = [port for port, _ in each.carry]
        reads = {port: given[port] for port in (*each.over, *states) if port in given}
        self.ops.append(Op(own, EachEntry(each), tuple(reads.items()), own, within))
        return {**given, **{port: (own, port) for port in (*each.over, *states)}}

    def _leave(
        self, each: PerElement, own: str, given: Mapping[str, Slot], made: Mapping[str, Slot], within: tuple[str, ...]
    ) -> Outputs:
        reads = {"like": given[each.over[0]]}
        reads |= {f"gives_{name}": made[output] for name, output in each.gives}
        for name, output in each.carry:
            reads |= {f"next_{name}": made[output], f"first_{name}": (own, name)}
        far = exit_path(own)
        self.ops.append(Op(far, EachExit(each), tuple(reads.items()), far, within))
        return tuple((name, (far, name)) for name, _ in (*each.gives, *each.carry))
