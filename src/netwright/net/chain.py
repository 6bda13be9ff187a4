"""The chain: parts one after the other."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Self

from torch import Tensor

from netwright import elsewhere
from netwright.errors import NetError
from netwright.net import surgery
from netwright.net.graph import Graph
from netwright.net.leaf import LeafNode
from netwright.net.names import Numbers, join_path
from netwright.net.node import NOTHING, Held, Node
from netwright.net.part import Container, shared_repr
from netwright.net.plan.container import ContainerNode
from netwright.net.plan.level import Level
from netwright.net.plan.symbol import Symbol, named_parts, parts_repr
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
        for name, value in named.items():
            if "input" in elsewhere.ARGUMENTS.get(name, ()) and not isinstance(value, Node):
                raise NetError(what=f"a chain takes no {name!r}", got=repr(value), mend=f"input={value!r}")
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

    @classmethod
    def of_parts(cls, parts: Iterable[tuple[str, Node]], held: Held = NOTHING) -> Self:
        """The chain of parts that are already named."""
        chain = object.__new__(cls)
        object.__setattr__(chain, "parts", tuple(parts))
        chain.settle(held)
        return chain

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

    def of_level(self, level: Level, held: Held) -> ContainerNode:
        return chained(level, held)

    @classmethod
    def joined(cls, left: Node, right: Node) -> "Chain":
        """Two nets one after the other; the parts of chains stand side by side, a name taken twice is numbered."""
        parts: dict[str, Node] = {}
        arrays: Mapping[str, Tensor] = {}
        numbers = Numbers()
        for side in (left, right):
            own, held = _parts(side)
            names = {name: numbers.kept(name, part.kind_name) for name, part in own.items()}
            parts |= {names[name]: part for name, part in own.items()}
            arrays = surgery.arrays_together(arrays, _renamed(held, names), names[next(iter(own))])
        ends = (left.held.outputs.get(left.output_names[0]), right.held.inputs.get(right.input_names[0]))
        check_scale(*ends, "left", "right")
        return cls.of_parts(parts.items(), Held(arrays, left.held.inputs, right.held.outputs))

    def __repr__(self) -> str:
        return shared_repr(self, f"Chain({', '.join(parts_repr(self.parts))}{ports_repr(self)})")


def chained(level: Level, held: Held) -> ContainerNode:
    """A level as a chain; as a graph if some part reads another value than that of the part before it."""
    if _is_straight(level):
        return Chain.of_parts(((call.name, call.part) for call in level.calls), held)
    return Graph.from_level(level, held.inputs, held.outputs, held.shared)


def _parts(node: Node) -> tuple[dict[str, Node], Mapping[str, Tensor]]:
    """The parts of a chain, or a net of another kind as one part, and the arrays under their names."""
    if isinstance(node, Chain) and not node.held.shared:
        return dict(node.parts), node.held.arrays
    name = f"{node.kind_name}1"
    return {name: node.stripped()}, {join_path(name, path): array for path, array in node.held.arrays.items()}


def _renamed(arrays: Mapping[str, Tensor], names: Mapping[str, str]) -> dict[str, Tensor]:
    """The arrays under the new names of their parts; shared arrays keep their paths."""
    pieces = ((path.partition("/"), array) for path, array in arrays.items())
    return {f"{names.get(first, first)}{slash}{rest}": array for (first, slash, rest), array in pieces}


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
