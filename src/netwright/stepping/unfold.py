"""Derives the net that takes a sequence piece by piece: the memory of its leaves becomes state ports."""

from collections.abc import Mapping
from typing import cast

from netwright.causality.proof import visible_places
from netwright.codecs.array import Array
from netwright.codecs.codec import Codec
from netwright.errors import NetError
from netwright.net.graph import Graph
from netwright.net.leaf import LeafNode
from netwright.net.lineage import recorded
from netwright.net.names import join_path
from netwright.net.node import Held, Node, expect_net
from netwright.net.part import Net
from netwright.net.plan.container import ContainerNode
from netwright.net.plan.each import AXIS
from netwright.net.plan.level import Call, Level, Ref
from netwright.net.plan.plan import Plan, plan_of
from netwright.net.plan.varying import LEADING
from netwright.sizes.notation import UNKNOWN
from netwright.sizes.notation import ports as read_ports
from netwright.sizes.size import Size, names
from netwright.sizes.unify import Row, Shape
from netwright.stepping.step import Begin, Step
from netwright.value import Value


def unfold(net: Net, along: str | None = None) -> Net:
    """The step net: it takes the next elements of a sequence, one or more, and a state; it gives outputs and a state.

    A port moves if it names the size that is unfolded. A recurrent leaf and a `Fold` keep their state, a causal
    convolution its last inputs, positions the number of elements so far; parts that treat each element alone do not
    change. Fed piece by piece, the step net gives the same outputs as the net gives for the whole sequence. A state
    that is left out is that of the beginning. Paths and arrays are the net's own.

    Fields:
        along: the name of the size; None, the only one that varies at the inputs.

    Raises: NetError, with its place, for the first leaf that looks ahead or changes how many elements there are.

    Example:
        >>> import netwright as nw
        >>> step = nw.unfold(nw.Chain(nw.GRU(4), nw.Linear(2), input=("n", 3)))
        >>> step.input_names, step.output_names
        (('input', 'gru1_hidden'), ('output', 'gru1_hidden'))
    """
    expect_net(net, "unfold")
    plan = plan_of(net)
    size = along_of(plan, along)
    stepped = _Unfolding(plan, size).part(net, "").part
    inputs = {name: _plain(codec) for name, codec in net.held.inputs.items()}
    unfolded = cast(Net, stepped.rebuilt(Held(net.held.arrays, inputs, {}, net.held.shared)))
    return recorded(unfolded, net, f"unfold along {size}")


class Stepped(Value):
    """A part that steps, and its state ports: the same names as inputs and outputs."""

    part: Node
    states: tuple[str, ...] = ()


class _Unfolding:
    """Parts of a net as parts that step along one size."""

    def __init__(self, plan: Plan, along: str) -> None:
        self.plan, self.along = plan, along

    def part(self, node: Node, path: str) -> Stepped:
        """The part at a path."""
        if isinstance(node, LeafNode):
            return self._leaf(node, path)
        assert isinstance(node, ContainerNode)
        if node.each is not None:
            return self._each(node, path)
        made = {call.name: self.part(call.part, join_path(path, call.name)) for call in node.level.calls}
        if not any(
            one.states or one.part is not call.part for call, one in zip(node.level.calls, made.values(), strict=True)
        ):
            return Stepped(node)
        return self._level(node, made)

    def _level(self, node: ContainerNode, made: Mapping[str, Stepped]) -> Stepped:
        level, begin = node.level, Begin()
        calls: list[Call] = []
        states: dict[str, Ref] = {}
        for call in level.calls:
            one = made[call.name]
            own = {port: f"{call.name}_{port}" for port in one.states}
            reads = {port: ref for port, ref in call.reads if port not in own}
            reads |= {port: ("", name) for port, name in own.items()}
            for port, start in call.reads:
                if port in own:  # a value fed to a state is the state to begin from
                    begun = f"{own[port]}_begun"
                    calls.append(Call(begun, begin, (("state", ("", own[port])), ("start", start)), begun))
                    reads[port] = (begun, "output")
            calls.append(Call(call.name, one.part.stripped(), tuple(reads.items()), call.place))
            states |= {name: (call.name, port) for port, name in own.items()}
        outputs = (*level.outputs, *states.items())
        graph = Graph.from_level(Level((*level.inputs, *states), tuple(calls), outputs))
        return Stepped(graph, tuple(states))

    def _leaf(self, leaf: LeafNode, path: str) -> Stepped:
        own = path or next(iter(self.plan.steps)).path
        if not self._mixes(own):
            return Stepped(leaf)
        both = read_ports(leaf.signature(1)).states
        if both:
            return Stepped(leaf, both)
        memory = leaf.memory()
        if memory is None and self._at_its_place(leaf, own):
            return Stepped(leaf)
        if memory is None:
            self._refuse(leaf, own)
        return Stepped(Step(leaf), tuple(memory or ()))

    def _each(self, node: ContainerNode, path: str) -> Stepped:
        each = node.each
        own = path or next(iter(self.plan.steps)).path
        assert each is not None
        axis = self.plan.solution.scopes[own].names[AXIS]
        inside = [step for step in self.plan.steps if own in step.within]
        mixing = next((step for step in inside if self._mixes(step.path)), None)
        if mixing is not None:
            raise NetError(
                what=f"a net cannot be unfolded along {self.along} inside a Map or Fold over another axis",
                where=mixing.path,
                mend=f"nw.unfold of the part inside: nw.unfold(net[{join_path(path, 'body')!r}])",
            )
        return Stepped(node, node.optional_names if self.along in self._names(axis) else ())

    def _mixes(self, path: str) -> bool:
        """Whether an axis that the leaf at this path names, not a leading one, is the size."""
        scope = self.plan.solution.scopes[path]
        items = (item for port in (*scope.ports.inputs, *scope.ports.outputs) for item in port.axes)
        own = {item.name for item in items} - {"", UNKNOWN, LEADING}
        return any(self.along in self._names(scope.names[name]) for name in own if name in scope.names)

    def _at_its_place(self, leaf: LeafNode, path: str) -> bool:
        """Whether outputs have the elements of the moving inputs, and each depends on those at its position alone."""
        scope = self.plan.solution.scopes[path]
        sizes = self.plan.solution.sizes(scope.op)
        ports = {port.name: visible_places(port, sizes) for port in scope.ports.inputs}
        moving = {port: self._moving(self.plan.shape(slot)) for port, slot in scope.op.reads}
        moving = {port: axes for port, axes in moving.items() if axes}  # inputs that do not move may be seen whole
        outputs = [self._moving(self.plan.shape((path, port.name))) for port in scope.ports.outputs]
        kept = all([*axes.values()] == [*next(iter(moving.values()), {}).values()] for axes in outputs)
        return kept and all(
            leaf.span(port, place.place, place.run, training=False) == (0, 0)
            for port, axes in moving.items()
            for place in (ports[port][axis] for axis in axes)
        )

    def _moving(self, shape: Shape) -> dict[int, Size]:
        """The axes that have the size."""
        sizes = ((axis, size) for axis, size in enumerate(shape) if not isinstance(size, Row))
        return {axis: size for axis, size in sizes if self.along in names(size)}

    def _names(self, value: Size | Shape) -> set[str]:
        shape = self.plan.solution.solver.shape(value if isinstance(value, tuple) else (value,))
        return {name for size in shape if not isinstance(size, Row) for name in names(size)}

    def _refuse(self, leaf: LeafNode, path: str) -> None:
        raise NetError(
            what=f"a net steps along {self.along} only if no part looks ahead or changes how many elements there are",
            where=path,
            got=repr(leaf),
            mend="a part that sees what came before only, such as nw.Conv(…, padding='causal'), nw.GRU, nw.Delay",
        )


def along_of(plan: Plan, along: str | None) -> str:
    """The size that is unfolded."""
    found = plan.varying
    if along is not None and along in found:
        return along
    if along is None and len(found) == 1:
        return found[0]
    raise NetError(
        what="a net is unfolded along one size that varies at its inputs",
        where="unfold",
        expected=" or ".join(map(repr, found)) or "a size with a name: input=('n', 3), or a codec of sequences",
        got=repr(along),
        mend=f"nw.unfold(net, {found[0]!r})" if found else "",
    )


def _plain(codec: Codec) -> Codec:
    """The sizes of a codec alone: pieces of a sequence are no whole text."""
    return codec if isinstance(codec, Array) else Array(codec.encoded)
