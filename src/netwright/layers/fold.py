"""Containers that do a part for every element of an axis: each by itself, from one to the next, from both ends."""

import itertools
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property, partial
from typing import Any

from netwright.codecs.array import Array
from netwright.codecs.codec import Codec
from netwright.codecs.each import Each as EachCodec
from netwright.errors import NetError, NetwrightError, SizeError, did_you_mean, shortened
from netwright.layers.join import Concatenate
from netwright.layers.sequence import Last, Reverse
from netwright.net.chain import Chain
from netwright.net.faults.edit import code
from netwright.net.graph import Graph
from netwright.net.node import Held, Node
from netwright.net.part import Container, shared_repr
from netwright.net.plan.container import ContainerNode
from netwright.net.plan.level import Level, PerElement
from netwright.net.plan.plan import plan_with
from netwright.net.plan.symbol import Symbol, as_part, input_ports, output_names
from netwright.net.ports import PortsLike, held_codecs, ports_repr
from netwright.sizes.notation import OUTPUT, Axis, port
from netwright.sizes.size import names, unknowns
from netwright.sizes.unify import Row

BODY = "body"
SIDE_BY_SIDE = Concatenate()
LETTERS = "nmklpq"  # names for the axis that a codec gets
ELEMENTS = "n"
SEQUENCES = ("n ?", "n <?>", "n", "n ? ?", "n ? ? ?")  # what a part may take: vectors, indices, numbers, pictures
MOST_GIVEN = 100  # characters of a part in an error


class Every(Container, abstract=True):
    """What is done for every element of an axis: one part, and the input ports that each element reads whole."""

    body: Node
    whole: tuple[str, ...] = ()

    @property
    def input_names(self) -> tuple[str, ...]:
        return self._ports[0]

    @property
    def each(self) -> PerElement:
        return self._ports[1]

    @cached_property
    def _ports(self) -> tuple[tuple[str, ...], PerElement]:
        """The input ports, and how the part is done for every element: asked at every level of a nest, found once."""
        names = self._inputs()
        return names, self._each(names)

    def _inputs(self) -> tuple[str, ...]:
        """The input ports."""
        raise NotImplementedError

    def _each(self, names: Sequence[str]) -> PerElement:
        """How the part, with these input ports, is done for every element."""
        raise NotImplementedError

    def flow(self, call: Callable[..., Symbol], *x: Symbol) -> Symbol:
        return call(BODY, self.body, **dict(zip(self.input_names, x, strict=True)))

    def children(self) -> dict[str, Node]:
        return {BODY: self.body}

    def lifted(
        self, inputs: Mapping[str, Codec], outputs: Mapping[str, Codec]
    ) -> tuple[dict[str, Codec], dict[str, Codec]]:
        taken = {name: each_codec(codec) if name in self.each.over else codec for name, codec in inputs.items()}
        given = {name: each_codec(outputs[inner]) for name, inner in self.each.gives if inner in outputs}
        return taken, given

    def take(self, body: Any, whole: Sequence[str]) -> None:
        """Keep the part and what is held whole: the start of every constructor."""
        object.__setattr__(self, "body", as_part(body))
        object.__setattr__(self, "whole", (whole,) if isinstance(whole, str) else tuple(whole))


class Map(Every):
    """A part done for every element of an axis by itself: y_i = body(x_i), with one set of weights.

    What sees no element, because it only reads what is held whole, is done once. Inside, real elements alone are rows:
    padding is neither computed nor seen by a norm.

    Shapes: input (n, *s) where the body takes (*s,); output (n, *t) where the body gives (*t,).

    Fields:
        body: the part, or a shorthand for one.
        whole: input ports of the body that every element reads whole, such as an attended memory; none by default.
        input: encoders, or sizes, of the whole.
        output: decoders, or sizes.

    Raises: NetError for a port that the body does not have; SizeError where sizes do not fit.

    Example:
        >>> import netwright as nw
        >>> sentences = nw.Map([nw.Linear(4), nw.tanh, nw.Mean(0)], input=nw.Array("n m[n] 3"))
        >>> sentences.plan.outputs
        {'output': (n, 4)}

    Torch: torch.vmap
    """

    def __init__(
        self, body: Any, *, whole: Sequence[str] = (), input: PortsLike = None, output: PortsLike = None
    ) -> None:
        self.take(body, whole)
        self._check(self.body)
        self.settle(held_codecs(self, input, output))

    def fields_with(self, children: Mapping[str, Node]) -> dict[str, Any] | None:
        fields = super().fields_with(children)
        if fields:
            self._check(fields[BODY])
        return fields

    def _check(self, body: Node) -> None:
        """Refuse to do a part for every element that has not the ports."""
        _check_ports(self, "whole", self.whole, body.required_names)
        _check_over(self, [name for name in body.required_names if name not in self.whole])

    def _inputs(self) -> tuple[str, ...]:
        return self.body.required_names

    def _each(self, names: Sequence[str]) -> PerElement:
        over = tuple(name for name in names if name not in self.whole)
        return PerElement(over, tuple((name, name) for name in output_names(self.body, len(names))))

    def of_level(self, level: Level, held: Held) -> ContainerNode:
        return Map(_body(level), whole=self.whole, input=held.inputs, output=held.outputs).rebuilt(held)

    def __repr__(self) -> str:
        whole = f", whole={self.whole!r}" if self.whole else ""
        return shared_repr(self, f"Map({self.body!r}{whole}{ports_repr(self)})")


class Fold(Every):
    """A part done for one element of an axis after another: (y_i, s_i) = body(x_i, s_{i-1}).

    States start at zero unless their ports are fed. The outputs of the body come out as sequences; the last state comes
    out at a port of the state's name. What does not depend on a state is done for all elements at once.

    Shapes: input (n, *s), a state (*t,); output (n, *u), the last state (*t,).

    Fields:
        body: the part, or a shorthand for one.
        carry: from outputs of the body to the input ports they feed at the next element; by default every output whose
            name is an input port's too, else the first output, into the second input port.
        whole: input ports of the body that every element reads whole, such as an attended memory; none by default.
        input: encoders, or sizes, of the whole.
        output: decoders, or sizes.

    Raises: NetError for a port that the body does not have; SizeError where sizes do not fit.

    Example:
        >>> import netwright as nw
        >>> core = nw.Graph(
        ...     join=(nw.Concatenate(), "input", "state"), linear=(nw.Linear(2), "join"), tanh=(nw.tanh, "linear"),
        ...     input={"input": 3, "state": 2},
        ... )
        >>> nw.Fold(core).plan.outputs
        {'output': (n, 2), 'state': (2,)}

    Torch: torch.nn.RNNCell and its like, in a loop
    """

    carry: tuple[tuple[str, str], ...] = ()

    def __init__(
        self,
        body: Any,
        *,
        carry: Mapping[str, str] | None = None,
        whole: Sequence[str] = (),
        input: PortsLike = None,
        output: PortsLike = None,
    ) -> None:
        self.take(body, whole)
        object.__setattr__(self, "carry", self._pairs(self.body, None if carry is None else tuple(dict(carry).items())))
        self.settle(held_codecs(self, input, output))

    def fields_with(self, children: Mapping[str, Node]) -> dict[str, Any] | None:
        """Another body carries what is usual for it, where this one does."""
        fields = super().fields_with(children)
        if not fields:
            return fields
        return {**fields, "carry": self._pairs(fields[BODY], None if self._is_usual else self.carry)}

    @property
    def _is_usual(self) -> bool:
        """Whether it carries what it carries by default."""
        return self.carry == _carried(_taken(self.body), output_names(self.body, 2), self.whole)

    def _pairs(self, body: Node, carry: tuple[tuple[str, str], ...] | None) -> tuple[tuple[str, str], ...]:
        """What is carried from one element of a part to the next, held against its ports."""
        names, outputs = _taken(body), output_names(body, 2)
        pairs = _carried(names, outputs, self.whole) if carry is None else carry
        _check_ports(self, "whole", self.whole, names)
        _check_ports(self, "carry", [state for _, state in pairs], names)
        _check_ports(self, "carry", [output for output, _ in pairs], outputs)
        if not pairs:
            raise NetError(
                what="a fold carries a state from one element to the next, and this part has nothing to carry",
                where="Fold",
                expected="an output that is an input too",
                got=f"inputs {', '.join(names)}; outputs {', '.join(outputs)}",
                mend=("carry={'output': 'state'}", "nw.Map(…), where elements are done each by itself"),
            )
        states = {state for _, state in pairs}
        fed = {*self.whole, *states}
        _check_over(self, [port.name for port in input_ports(body, 2) if not port.optional and port.name not in fed])
        return pairs

    def _inputs(self) -> tuple[str, ...]:
        states = {state for _, state in self.carry}
        return tuple(p.name for p in input_ports(self.body, 2) if not p.optional or p.name in states)

    def _each(self, names: Sequence[str]) -> PerElement:
        states = {state: output for output, state in self.carry}
        over = tuple(name for name in names if name not in self.whole and name not in states)
        outputs = [name for name in output_names(self.body, 2) if name not in states]
        gives = [(name, name) for name in outputs] or [(OUTPUT, self.carry[0][0])]
        return PerElement(over, tuple(gives), tuple(states.items()))

    def of_level(self, level: Level, held: Held) -> ContainerNode:
        made = Fold(_body(level), carry=dict(self.carry), whole=self.whole, input=held.inputs, output=held.outputs)
        return made.rebuilt(held)

    def __repr__(self) -> str:
        carry = "" if self._is_usual else f", carry={dict(self.carry)!r}"
        whole = f", whole={self.whole!r}" if self.whole else ""
        return shared_repr(self, f"Fold({self.body!r}{carry}{whole}{ports_repr(self)})")


class Bidirectional(Container):
    """A part run from both ends, and what it gives joined: y_i = join(forward(x)_i, backward(x)_i), weights for each.

    With `last`, it is one value for the whole sequence: what the forward part gives at the last element, joined with
    what the backward part gives at the first. Each of the two has then read every element. Padding is never read.

    The parts are `forward` and `backward`, `turn`, which reverses, and `join`; also `back`, which reverses what the
    backward part gives, or with `last` the two that take the last element, `forward_last` and `backward_last`.

    Shapes: input (n, *s), output (n, 2 d) where the part gives (n, d), and (2 d,) with `last`; (n, d) or (d,) where
        `join` adds or multiplies.

    Fields:
        body: the part, or a shorthand for one. It takes a sequence and gives one; its first output is joined.
        join: what makes one value of the two, any part with two inputs: `nw.Add()`, `nw.Multiply()`, `nw.where(…)`, a
            graph. The features side by side by default, so that nothing of the two is lost.
        last: whether only the last element of each direction is joined: the final states of recurrent layers. False,
            since every element has an output in most nets with both directions.
        input: the encoder, or the sizes of an example.
        output: the decoder, or sizes.

    Raises: NetError for a `join` that does not take two values; SizeError for a part that gives no sequence, as one
        that ends in `nw.Last()`, and where sizes do not fit.

    Example:
        >>> import netwright as nw
        >>> nw.Bidirectional(nw.GRU(4), input=("n", 3)).plan.outputs
        {'output': (n, 8)}
        >>> nw.Bidirectional(nw.GRU(4), join=nw.Add(), last=True, input=("n", 3)).plan.outputs
        {'output': (4,)}

    Source: Schuster and Paliwal 1997, "Bidirectional recurrent neural networks"
    Torch: torch.nn.GRU(bidirectional=True) and its like; with `last`, both rows of its final states
    """

    body: Node
    join: Node = SIDE_BY_SIDE
    last: bool = False

    def __init__(
        self,
        body: Any,
        *,
        join: Any = SIDE_BY_SIDE,
        last: bool = False,
        input: PortsLike = None,
        output: PortsLike = None,
    ) -> None:
        object.__setattr__(self, "body", as_part(body))
        object.__setattr__(self, "join", as_part(join))
        object.__setattr__(self, "last", last)
        _check_sequence(self.body, join, input, output)
        self.settle(held_codecs(self, input, output))

    def flow(self, call: Callable[..., Symbol], *x: Symbol) -> Symbol:
        forward = _first(call("forward", self.body, *x))
        backward = _first(call("backward", self.body, call("turn", Reverse(), *x)))
        if self.last:
            forward, backward = call("forward_last", Last(), forward), call("backward_last", Last(), backward)
        else:
            backward = call("back", Reverse(), backward)
        return call("join", self.join, forward, backward)

    def children(self) -> dict[str, Node]:
        return {"forward": self.body, "backward": self.body, "join": self.join}

    def fields_with(self, children: Mapping[str, Node]) -> dict[str, Any] | None:
        """The body, where both directions have the same one; otherwise a graph has to say it."""
        found = {**self.children(), **children}
        known = children.keys() <= self.children().keys()
        if not known or found["forward"] != found["backward"]:
            return None
        _check_sequence(found["forward"], found["join"])
        return {"body": found["forward"], "join": found["join"]}

    def __repr__(self) -> str:
        join = "" if self.join == SIDE_BY_SIDE else f", join={self.join!r}"
        last = f", last={self.last!r}" if self.last else ""
        return shared_repr(self, f"Bidirectional({self.body!r}{join}{last}{ports_repr(self)})")


def _first(value: Symbol) -> Symbol:
    return value[value.names[0]]


def _check_sequence(body: Node, join: Any, input: PortsLike = None, output: PortsLike = None) -> None:
    """Refuse to run from both ends what gives no sequence: reversing its output would reverse the features."""
    if _gives_sequence(body):
        return
    given = shortened(repr(body), MOST_GIVEN)
    raise SizeError(
        what="a part that is run from both ends gives a sequence, and this one does not",
        where="Bidirectional",
        expected="an output for every element, such as nw.GRU(4) gives",
        got=f"{given}, whose output has no axis of elements",
        mend=_outside(body, join, input, output),
    )


def _gives_sequence(body: Node) -> bool:
    """Whether the first axis of what a part gives grows with the first of what it takes; true where it is not known."""
    taken = body.required_names
    for sizes in SEQUENCES if len(taken) == 1 else ():
        plan = plan_with(body.stripped(), {taken[0]: Array(sizes)})
        if plan.solution.mismatches:
            continue
        shape = next(iter(plan.outputs.values()))
        first = shape[0] if shape else 0
        if isinstance(first, Row):
            return True
        return ELEMENTS in names(first) or any(unknown.owner for unknown in unknowns(first))
    return True


def _outside(body: Node, join: Any, input: PortsLike, output: PortsLike) -> str:
    """The mend for a chain: what no longer works on a sequence stands behind both directions, and `last` for `Last`."""
    parts = [*body.children().values()] if isinstance(body, Chain) else []
    count = max((i for i in range(1, len(parts)) if _gives_sequence(Chain(*parts[:i]))), default=0)
    inner, behind = parts[:count], parts[count:]
    if not inner:
        return ""
    last = isinstance(behind[0], Last)
    both = partial(Bidirectional, inner[0] if count == 1 else Chain(*inner), join=join, last=last)
    rest = behind[1:] if last else behind
    try:
        Chain(both(), *rest, input=input, output=output)
    except NetwrightError:
        return ""
    return code(Chain(both(), *rest) if rest else both())


def _taken(body: Node) -> tuple[str, ...]:
    """The input ports of a part that may be given an element and a state."""
    return tuple(port.name for port in input_ports(body, 2))


def _carried(inputs: Sequence[str], outputs: Sequence[str], whole: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """What is carried by default: outputs that are inputs too, else the first output into the second input."""
    same = tuple((name, name) for name in outputs if name in inputs)
    free = [name for name in inputs if name not in whole]
    return same or (((outputs[0], free[1]),) if len(free) > 1 else ())


def _check_ports(container: Container, field: str, given: Sequence[str], known: Sequence[str]) -> None:
    for name in given:
        if name not in known:
            raise NetError(
                what=f"the part has no port {name!r}",
                where=f"{type(container).__name__}, {field}",
                expected=", ".join(known),
                got=repr(name),
                mend=did_you_mean(str(name), known),
            )


def _check_over(container: Container, over: Sequence[str]) -> None:
    """Something is taken apart: it says how many elements there are."""
    if not over:
        raise NetError(
            what="no input port is left to be taken apart into elements",
            where=type(container).__name__,
            expected="an input port of the part that is neither held whole nor a state",
        )


def _body(level: Level) -> Node:
    """The one part of a level, or all of it as a graph."""
    if len(level.calls) == 1 and level.calls[0].name == BODY:
        made = level.calls[0]
        straight = all(ref == ("", name) for name, ref in made.reads)
        if straight and all(ref == (BODY, name) for name, ref in level.outputs):
            return made.part
    return Graph.from_level(level)


def each_codec(codec: Codec) -> Codec:
    """The codec of a sequence of what a codec is for."""
    if not isinstance(codec, Array):
        return codec if isinstance(codec, EachCodec) else EachCodec(codec)
    found = port(str(codec.sizes))
    names = {axis.name for axis in found.axes if isinstance(axis, Axis)}
    letters = itertools.chain(LETTERS, map("n{}".format, itertools.count()))
    new = next(letter for letter in letters if letter not in names)
    axes = [
        str(Axis(axis.times, axis.name, axis.within or new)) if isinstance(axis, Axis) and axis.name else str(axis)
        for axis in found.axes
    ]
    below = [f"<{found.below}>"] if found.below else []
    return Array(" ".join([new, *axes, *below]))
