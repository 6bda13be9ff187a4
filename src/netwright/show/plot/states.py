"""Finds the states that a net carries along a sequence, and whether they go with it or against it."""

from collections.abc import Iterable, Mapping
from typing import Literal, TypeAlias

from netwright.causality.proof import SAME, SeenThrough, Visibility
from netwright.net.leaf import LeafNode
from netwright.net.plan.each import EachBoundary
from netwright.net.plan.wiring import Slot
from netwright.sizes.notation import ports as read_ports

Way: TypeAlias = Literal["none", "forward", "backward", "both"]
Turned: TypeAlias = Mapping[Slot, frozenset[bool]]
"""Whether the values that come from an input run against it; both, where a part has read it both ways."""


class States:
    """The states of a net along one size."""

    def __init__(self, sight: Visibility) -> None:
        self.sight = sight
        self._leaves = {op.path: op.leaf for op in sight.plan.wiring.ops}

    def reverses(self, edge: SeenThrough) -> bool:
        """Whether the elements come out of a part from the last to the first."""
        return self._leaves[edge.made[0]].reverses and self.sight.axis(edge.made) == 0

    def carries(self, edge: SeenThrough) -> bool:
        """Whether a value reads the elements before it through a state."""
        return edge.span[0] < 0 and has_state(self._leaves[edge.made[0]])

    def turned(self, sources: Iterable[Slot]) -> Turned:
        """In which direction each value runs that comes from some inputs."""
        found: dict[Slot, frozenset[bool]] = {source: frozenset([False]) for source in sources}
        changed = True
        while changed:
            changed = False
            for edge in self.sight.edges:
                given = found.get(edge.read, frozenset())
                here = frozenset(one != self.reverses(edge) for one in given) | found.get(edge.made, frozenset())
                changed |= bool(here) and here != found.get(edge.made)
                if here:
                    found[edge.made] = here
        return found

    def way(self, edges: Iterable[SeenThrough], turned: Turned) -> Way:
        """Where the states of some parts go."""
        against = {one for edge in edges if self.carries(edge) for one in turned.get(edge.read, ())}
        if len(against) == 2:
            return "both"
        return "backward" if True in against else "forward" if against else "none"

    def way_between(self, source: Slot, slot: Slot) -> Way:
        """Where the states go if an output sees other elements of an input through states alone, else `none`."""
        turned = self.turned([source])
        edges = [edge for edge in self._before(slot) if edge.read in turned]
        alone = all(edge.span == SAME or self.carries(edge) or self.reverses(edge) for edge in edges)
        return self.way(edges, turned) if alone and turned.get(slot) == frozenset([False]) else "none"

    def _before(self, slot: Slot) -> list[SeenThrough]:
        """All on which a value depends."""
        needed, found = {slot}, list[SeenThrough]()
        before = -1
        while before < len(needed):
            before = len(needed)
            found = [edge for edge in self.sight.edges if edge.made in needed]
            needed |= {edge.read for edge in found}
        return found


def has_state(leaf: LeafNode) -> bool:
    """Whether a leaf, or the end of a `Fold`, carries a state from one element to the next."""
    return bool(leaf.each.carry) if isinstance(leaf, EachBoundary) else bool(read_ports(leaf.signature(1)).states)
