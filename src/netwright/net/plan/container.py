"""What the tracer needs of a container: its `flow` is walked once, on symbols, and gives its level."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, Never

from netwright.errors import NetError
from netwright.net.node import Held, Node, structure
from netwright.net.plan.level import Level, PerElement
from netwright.net.plan.symbol import DrawnInput, Symbol, check_part_name, close, input_ports, use
from netwright.once import once

MOST_NESTED = 50  # containers in each other: deeper ones cannot be saved, and at some hundred Python's own stack ends
MOST_LEAVES = 100_000  # planning takes about ten seconds for so many; the largest published nets have some thousands


class ContainerNode(Node, abstract=True):
    """What the tracer needs of a container; `Container` is its public face."""

    repeats: ClassVar[str] = ""  # the field that says how often its parts are used, where one does

    @property
    def each(self) -> PerElement | None:
        """How the parts are applied to every element of an axis; None if the container does not do that."""
        return None

    @property
    def level(self) -> "Level":
        """The level that `flow` draws. Nets that differ only in arrays and codecs share it."""
        return once(structure(self), "level", lambda: record(self, self.input_names))

    @property
    def optional_names(self) -> tuple[str, ...]:
        return once(structure(self), "optional", self._optional_names)  # asked at every level of a nest

    def _optional_names(self) -> tuple[str, ...]:
        if self.each is not None:
            return tuple(name for name, _ in self.each.carry)
        read: dict[str, bool] = {}  # whether all that read an input can do without
        for call in self.level.calls:
            free = {port.name for port in input_ports(call.part, len(call.reads)) if port.optional}
            for port, (maker, name) in call.reads:
                if not maker:
                    read[name] = read.get(name, True) and port in free
        given_back = {name for _, (maker, name) in self.level.outputs if not maker}
        return tuple(name for name in self.input_names if read.get(name, False) and name not in given_back)

    @property
    def output_names(self) -> tuple[str, ...]:
        if self.each is not None:
            return tuple(name for name, _ in (*self.each.gives, *self.each.carry))
        return tuple(name for name, _ in self.level.outputs)

    def flow(self, call: Callable[..., Any], *x: Any) -> Any:
        """Wire the parts: `value = call(name, part, *values)`."""
        raise NotImplementedError

    def children(self) -> dict[str, Node]:
        """The parts that the fields hold, under the names by which `flow` calls them."""
        raise NotImplementedError

    def fields_with(self, children: Mapping[str, Node]) -> dict[str, Any] | None:
        """The fields with other parts under the same names; `None` if the fields cannot hold them."""
        raise NotImplementedError

    def of_level(self, level: "Level", held: Held) -> "ContainerNode":
        """A container with this level and this held content, of the same kind if possible, checked once."""
        raise NotImplementedError


class Unseen:
    """Replaces arrays and codecs while `flow` is walked, since the wiring must not depend on them."""

    def __getattr__(self, name: str) -> Never:
        raise NetError(
            what="flow looks at what the net holds: the wiring of a net follows from its fields alone",
            where=f"self.held.{name}",
            mend="a field of the container for what flow has to know",
        )


def record(container: ContainerNode, inputs: Sequence[str]) -> Level:
    """The level that a container's `flow` draws."""
    container = container.unchecked(container.held)
    object.__setattr__(container, "held", Unseen())
    sources = [DrawnInput(name) for name in inputs]
    taken: set[str] = set()

    def call(name: str, part: Node, *x: Symbol, place: str = "", **more: Symbol) -> Symbol:
        check_part_name(name, type(part).__name__)
        if name in taken:
            raise NetError(what=f"two parts have the name {name!r}", where=name, mend="give one of them another name")
        taken.add(name)
        return use(part, *x, name=name, place=place, **more)

    return close(container.flow(call, *(Symbol(source, (source.name,)) for source in sources)), sources)


def leaf_uses(node: Node) -> int:
    """How many leaves run, each counted as often as it is used; found level by level, without expanding them."""
    if not isinstance(node, ContainerNode):
        return 1
    return once(structure(node), "uses", lambda: sum(leaf_uses(call.part) for call in node.level.calls))


def check_leaf_uses(uses: int, where: str) -> None:
    """Refuse a net of more leaves than can be planned in some seconds, before they are written out."""
    if uses > MOST_LEAVES:
        raise NetError(
            what="the net has too many parts",
            where=where,
            expected=f"at most {MOST_LEAVES:,}, each counted as often as it is used",
            got=f"{uses:,}" if uses < 10**15 else "more than a quadrillion",
            mend="nw.Fold or nw.Map, which use one part for every element",
        )


def check_nesting(container: ContainerNode) -> None:
    """Refuse containers that are too deep in each other."""
    if _nesting(container) > MOST_NESTED:
        raise NetError(
            what=f"nets nest at most {MOST_NESTED} deep",
            where=type(container).__name__,
            got=f"{_nesting(container)} containers in each other",
            mend="nw.Chain(…) or nw.Repeat(count, part) puts parts one after the other, however many",
        )


def _nesting(node: Node) -> int:
    """How many containers are in each other, this one included; counted once for each value."""
    if not isinstance(node, ContainerNode):
        return 0
    return once(structure(node), "nesting", lambda: 1 + max(map(_nesting, node.children().values()), default=0))
