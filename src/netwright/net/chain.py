"""The chain: parts one after the other."""

from collections.abc import Callable, Mapping
from typing import Any, Self

from netwright.errors import NetError
from netwright.net.node import Held, LeafNode, Node, kind, numbered
from netwright.net.part import Container, shared_repr
from netwright.net.plan.level import Call, ContainerNode, Level, Symbol, named_parts, named_repr
from netwright.net.ports import PortsLike, as_codecs, check_scale, ports_repr, present


class Chain(Container):
    """Parts one after the other: each reads the first output of the one before.

    Parts are named by their kind, `conv1`, `linear2`, or by the keyword they are given under. Shorthand: an integer is
    a `Linear` that wide, a function of torch an elementwise leaf, a list a chain. A part that takes any number of
    inputs, such as `nw.Add()`, takes all outputs of the one before.

    Fields:
        input: the encoder, or the sizes of an example, such as `(28, 28, 1)` or `("n", 3)`.
        output: the decoder, or sizes.

    Raises: SizeError when sizes do not fit, with every fault at once; NetError for a name twice or no part at all.

    Example:
        >>> import netwright as nw
        >>> net = nw.Chain(4, nw.relu, nw.Linear(), nw.softmax, input=2, output=nw.Category(["a", "b", "c"]))
        >>> net.paths
        ('linear1', 'relu1', 'linear2', 'softmax1')
        >>> net.plan.outputs
        {'output': (3,)}
    """

    parts: tuple[tuple[str, Node], ...]

    def __init__(self, *parts: Any, input: PortsLike = None, output: PortsLike = None, **named: Any) -> None:
        found = named_parts(parts, named)
        if not found:
            raise NetError(what="a chain needs at least one part", mend="nw.Chain(nw.Linear(10), nw.softmax)")
        if len(found) < len(parts) + len(named):
            raise NetError(what="two parts have the same name", got=", ".join(found), mend="give one another name")
        object.__setattr__(self, "parts", tuple(found.items()))
        held = Held(
            inputs=present(as_codecs(input, self.input_names)), outputs=present(as_codecs(output, self.output_names))
        )
        self.settle(held)

    @property
    def input_names(self) -> tuple[str, ...]:
        return self.parts[0][1].required_names

    def flow(self, call: Callable[..., Symbol], *x: Symbol) -> Symbol:
        (name, first), *rest = self.parts
        value = call(name, first, *x)
        for name, part in rest:
            several = isinstance(part, LeafNode) and part.variadic
            value = call(name, part, *([value[port] for port in value.names] if several else [value]))
        return value

    def children(self) -> dict[str, Node]:
        return dict(self.parts)

    def fields_with(self, children: Mapping[str, Node]) -> dict[str, Any] | None:
        return {"parts": tuple((name, children.get(name, part)) for name, part in self.parts)}

    def of_level(self, level: Level) -> ContainerNode:
        return self._of_calls(level.calls) if _is_straight(level) else super().of_level(level)

    @classmethod
    def _of_calls(cls, calls: tuple[Call, ...]) -> Self:
        chain = object.__new__(cls)
        object.__setattr__(chain, "parts", tuple((call.name, call.part) for call in calls))
        chain.settle(Held())
        return chain

    @classmethod
    def joined(cls, left: Node, right: Node) -> "Chain":
        """Two nets one after the other; the parts of chains stand side by side, a name taken twice is numbered."""
        parts = dict(_parts(left))
        for name, part in _parts(right):
            parts[name if name not in parts else numbered(parts, kind(part))] = part
        ends = (left.held.outputs.get(left.output_names[0]), right.held.inputs.get(right.input_names[0]))
        check_scale(*ends, "left", "right")
        held = Held(inputs=left.held.inputs, outputs=right.held.outputs)
        chain = object.__new__(cls)
        object.__setattr__(chain, "parts", tuple(parts.items()))
        chain.settle(held)
        return chain

    def __repr__(self) -> str:
        automatic: dict[str, None] = {}
        for _, part in self.parts:
            automatic[numbered(automatic, kind(part))] = None
        plain = list(automatic) == [name for name, _ in self.parts]
        texts = [repr(part) if plain else named_repr(name, repr(part)) for name, part in self.parts]
        return shared_repr(self, f"Chain({', '.join(texts)}{ports_repr(self)})")


def _parts(node: Node) -> list[tuple[str, Node]]:
    """The parts of a chain with their arrays, or a net of another kind as one part."""
    if not isinstance(node, Chain) or node.held.shared:
        return [(f"{kind(node)}1", node)]
    found: list[tuple[str, Node]] = []
    for name, part in node.parts:
        below = f"{name}/"
        arrays = {p.removeprefix(below): a for p, a in node.held.arrays.items() if p.startswith((below, "@"))}
        found.append((name, part.holding(arrays=arrays) if arrays else part))
    return found


def _is_straight(level: Level) -> bool:
    """Whether every call reads the first output of the one before, and the last one is the output."""
    before = ""
    for call in level.calls:
        ports = [ref for _, ref in call.reads]
        if call.place != call.name or any(ref[0] != before for ref in ports):
            return False
        if before and len(ports) != 1:
            return False
        before = call.name
    return all(ref[0] == before for _, ref in level.outputs)
