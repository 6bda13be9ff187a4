"""The graph: parts that say what they read. The normal form of one level of any container."""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Self, cast

from netwright.codecs.codec import Codec
from netwright.errors import NetError, did_you_mean
from netwright.net.leaf import LeafNode
from netwright.net.names import check_name
from netwright.net.node import Held, Node
from netwright.net.part import Container, shared_repr
from netwright.net.plan.dead import refuse_dead
from netwright.net.plan.level import Call, Level, Ref
from netwright.net.plan.symbol import (
    DrawnInput,
    Symbol,
    as_part,
    check_part_name,
    close,
    input_ports,
    named_repr,
    output_names,
    sources_of,
)
from netwright.net.ports import PortLike, PortsLike, as_codec, as_codecs, ports_repr, present
from netwright.sizes.notation import INPUT, OUTPUT
from netwright.value import Value


class Graph(Container):
    """Parts by name, each with what it reads: other parts, or inputs of the net.

    A node is `name=(part, "what", "it", "reads")`; `"lstm.hidden"` reads another output than the first, and a mapping
    at the end feeds ports by name. The name of another node in place of the part means that node's part once more,
    with the same arrays. A node that nothing reads is an output; `outputs=` says others. The net's inputs are the
    names in `input=`, or one called `"input"`. Or call parts on `nw.Input`s and give the values that are the outputs,
    several with names of your own in a mapping: `nw.Graph({"sum": x + y, "product": x * y})`.

    Fields:
        input: the encoder of the only input, or a mapping from names to encoders or sizes; `None` says nothing yet.
        output: likewise for the outputs.
        outputs: the nodes that are outputs, where they are not just those that nothing reads; or a mapping from the
            names of the outputs to nodes.

    Raises: NetError for a cycle, an unknown name, an unconnected port; SizeError when sizes do not fit.

    Example:
        >>> import netwright as nw
        >>> net = nw.Graph(body=(nw.Linear(3), "input"), sum=(nw.Add(), "input", "body"), input=3)
        >>> net.plan.outputs
        {'output': (3,)}
    """

    ports_in: tuple[str, ...]
    calls: tuple[Call, ...]
    ports_out: tuple[tuple[str, Ref], ...]

    def __init__(
        self,
        *values: Symbol | Mapping[str, Symbol],
        input: PortsLike = None,
        output: PortsLike = None,
        outputs: Sequence[str] | Mapping[str, str] = (),
        **nodes: Any,
    ) -> None:
        codecs: dict[str, Codec] = {}
        if values:
            level, codecs = _drawn(values)
        else:
            names = tuple(input) if isinstance(input, Mapping) else (INPUT,)
            level = _declared(names, nodes, outputs)
        self._take(level, codecs, input, output)

    @classmethod
    def from_level(cls, level: Level, input: PortsLike = None, output: PortsLike = None, shared: str = "") -> Self:
        """A recorded level as a graph."""
        graph = object.__new__(cls)
        graph._take(level, {}, input, output, shared)
        return graph

    def _take(
        self, level: Level, codecs: Mapping[str, Codec], input: PortsLike, output: PortsLike, shared: str = ""
    ) -> None:
        for name, value in (("ports_in", level.inputs), ("calls", level.calls), ("ports_out", level.outputs)):
            object.__setattr__(self, name, value)
        held = Held(
            inputs={**codecs, **present(as_codecs(input, self.input_names))},
            outputs=present(as_codecs(output, self.output_names)),
            shared=shared,
        )
        self.settle(held)

    @property
    def input_names(self) -> tuple[str, ...]:
        return self.ports_in

    def flow(self, call: Callable[..., Symbol], *x: Symbol) -> dict[str, Symbol]:
        made: dict[Ref, Symbol] = {("", name): symbol for name, symbol in zip(self.ports_in, x, strict=True)}
        for node in self.calls:
            part = node.part
            values = [_made(made, ref) for _, ref in node.reads]
            ports = [port for port, _ in node.reads]
            first = [port.name for port in input_ports(part, len(values))][: len(values)]
            straight = ports == first
            more = {} if straight else dict(zip(ports, values, strict=True))
            value = call(node.name, part, *(values if straight else []), place=node.place, **more)
            made |= {(node.name, port): value[port] for port in value.names}
        return {port: _made(made, ref) for port, ref in self.ports_out}

    def children(self) -> dict[str, Node]:
        return {call.name: call.part for call in self.calls}

    def fields_with(self, children: Mapping[str, Node]) -> dict[str, Any] | None:
        calls = (Call(call.name, children.get(call.name, call.part), call.reads, call.place) for call in self.calls)
        return {"calls": tuple(calls)}

    def __repr__(self) -> str:
        made = {call.name for call in self.calls}
        several = {c.name for c in self.calls if not isinstance(c.part, LeafNode) and len(c.part.output_names) > 1}
        texts: list[str] = []
        for call in self.calls:
            again = call.place != call.name and call.place in made
            part = repr(call.place) if again else repr(call.part)
            reads = _reads_repr(call, several) or ["{}"]  # a part without inputs reads nothing
            texts.append(named_repr(call.name, f"({', '.join([part, *reads])})"))
        if self.ports_out != _sinks(self.calls):
            texts.append(f"outputs={ {name: _ref_text(ref, several) for name, ref in self.ports_out}!r}")
        ports = ports_repr(self) if self.ports_in == (INPUT,) else ports_repr(self, self.inputs)
        return shared_repr(self, f"Graph({', '.join(texts)}{ports})")


def Input(name: str = INPUT, port: PortLike = None) -> Symbol:
    """An input to call parts on; `nw.Graph(value)` then is the net that leads to the value.

    Example:
        >>> import netwright as nw
        >>> x = nw.Input("x", 3)
        >>> nw.Graph(nw.Add()(x, nw.Linear()(x))).plan.outputs
        {'output': (3,)}
    """
    check_name(name, "an input's name")
    return Symbol(DrawnInput(name, as_codec(port)), (name,))


def _drawn(values: Sequence[Symbol | Mapping[str, Symbol]]) -> tuple[Level, dict[str, Codec]]:
    """The level that leads to these values, and the codecs of the inputs it leads back to."""
    for value in values:
        if isinstance(value, Node):
            raise NetError(
                what="a graph is made of the values that its parts give, not of parts",
                where="Graph",
                got=repr(value),
                mend=("nw.Chain(…), for parts in a row", 'nw.Graph(name=(part, "input"), …), for parts by name'),
            )
    first, several = values[0], [value for value in values if isinstance(value, Symbol)]
    result = {f"output{i}": symbol for i, symbol in enumerate(several, 1)} if len(several) > 1 else first
    ends = [result] if isinstance(result, Symbol) else list(result.values())
    codecs = {source.name: source.codec for source in sources_of(ends) if source.codec is not None}
    return close(result), codecs


class Declared(Value):
    """A node as it was written: its part, what it reads in order and by port, and whose arrays it has."""

    part: Node
    reads: tuple[str, ...]
    more: Mapping[str, str]
    place: str


def _declared(inputs: tuple[str, ...], nodes: Mapping[str, Any], outputs: Sequence[str] | Mapping[str, str]) -> Level:
    """The level that declared nodes make, in an order that can be run."""
    if not nodes:
        raise NetError(what="a graph needs at least one node", mend='nw.Graph(dense=(nw.Linear(3), "input"))')
    parts: dict[str, Declared] = {}
    for name, node in nodes.items():
        check_part_name(name, "a node's name")
        if name in inputs:
            raise NetError(what=f"{name!r} is the name of an input and of a node", where=name, mend="rename one")
        parts[name] = _node(name, node, nodes)
    calls = [_call(name, parts) for name in _ordered(inputs, parts)]
    _check_read(calls, parts, outputs)
    if not outputs:
        return Level(inputs, tuple(calls), _sinks(calls))
    named = outputs if isinstance(outputs, Mapping) else {text.partition(".")[0]: text for text in outputs}
    for name, text in named.items():
        _check_source("an output", text, inputs, parts)
        check_name(name, "an output's name")
    chosen = tuple((name, _ref(text, parts)) for name, text in named.items())
    if len(chosen) == 1 and not isinstance(outputs, Mapping):
        chosen = ((OUTPUT, chosen[0][1]),)
    return Level(inputs, tuple(calls), chosen)


def _node(name: str, node: Any, nodes: Mapping[str, Any]) -> Declared:
    if isinstance(node, Symbol):
        raise NetError(
            what=f"{name} is a value already, and a node is a part with what it reads",
            where=name,
            mend=f"nw.Graph({{{name!r}: value}})",
        )
    if not isinstance(node, tuple) or len(node) < 2:
        raise NetError(
            what=f"{name} does not say what it reads",
            where=name,
            expected='(part, "what it reads", …)',
            got=repr(node),
            mend=f"{name}=({node!r}, 'input')" if not isinstance(node, tuple) else "",
        )
    part, *reads = cast(tuple[Any, ...], node)
    place = name
    if isinstance(part, str):
        again = nodes.get(part)
        if not isinstance(again, tuple) or _is_again(again):
            raise NetError(
                what=f"{name} is {part!r} once more, but no node of that name has a part",
                where=name,
                expected="a part, or the name of a node that has one",
                got=repr(part),
                mend=did_you_mean(part, [n for n, other in nodes.items() if n != name and not _is_again(other)]),
            )
        place, part = part, again[0]
    more = dict(reads.pop()) if isinstance(reads[-1], Mapping) else {}
    return Declared(as_part(part), tuple(map(str, reads)), more, place)


def _is_again(node: Any) -> bool:
    return isinstance(node, tuple) and isinstance(cast(tuple[Any, ...], node)[0], str)


def _call(name: str, parts: Mapping[str, Declared]) -> Call:
    node = parts[name]
    ports = input_ports(node.part, len(node.reads))
    if len(node.reads) > len(ports):
        raise NetError(
            what=f"{name} reads more values than it has input ports",
            where=name,
            expected=f"{len(ports)}: {', '.join(port.name for port in ports)}",
            got=f"{len(node.reads)}: {', '.join(node.reads)}",
            mend=f"{name}=(nw.Chain(nw.Concatenate(), {node.part!r}), {', '.join(map(repr, node.reads))})",
        )
    given = dict(zip((port.name for port in ports), node.reads, strict=False)) | dict(node.more)
    return Call(name, node.part, tuple((port, _ref(text, parts)) for port, text in given.items()), node.place)


def _check_read(
    calls: Sequence[Call], parts: Mapping[str, Declared], outputs: Sequence[str] | Mapping[str, str]
) -> None:
    """Refuse a node of several outputs of which the first alone is read, where parts made the others."""
    given = [_ref(text, parts) for text in (outputs.values() if isinstance(outputs, Mapping) else outputs)]
    for name, node in parts.items():
        read = {port for maker, port in given if maker == name}
        read |= {port for call in calls for _, (maker, port) in call.reads if maker == name}
        texts = {reader: (*other.reads, *other.more.values()) for reader, other in parts.items()}
        whole = next((reader for reader, found in texts.items() if name in found), "")
        if whole and len(output_names(node.part, len(node.reads))) > 1:
            refuse_dead(name, node.part, read, whole)


def _check_source(name: str, text: str, inputs: Sequence[str], parts: Mapping[str, Declared]) -> None:
    source = text.partition(".")[0]
    if source in parts or source in inputs:
        return
    raise NetError(
        what=f"{name} reads {source!r}, but no node or input has this name",
        where=name,
        expected=f"a node or an input: {', '.join([*inputs, *parts])}",
        mend=did_you_mean(source, [*inputs, *(p for p in parts if p != name)])
        or f"input={{{', '.join(f'{i!r}: …' for i in (*inputs, source))}}} to make it an input",
    )


def _ordered(inputs: tuple[str, ...], parts: Mapping[str, Declared]) -> list[str]:
    """The names of the nodes, each after what it reads; a cycle and an unknown name are errors."""
    done: dict[str, None] = {}
    open_: list[str] = []

    def visit(name: str) -> None:
        if name in done:
            return
        if name in open_:
            cycle = [*open_[open_.index(name) :], name]
            raise NetError(
                what="the net reads its own output: a cycle",
                where=" -> ".join(reversed(cycle)),
                mend=f"let {cycle[0]} read something that comes before it, such as {inputs[0]!r}",
            )
        open_.append(name)
        for text in (*parts[name].reads, *parts[name].more.values()):
            _check_source(name, text, inputs, parts)
            source = text.partition(".")[0]
            if source in parts:
                visit(source)
        open_.pop()
        done[name] = None

    for name in parts:
        visit(name)
    return list(done)


def _ref(text: str, parts: Mapping[str, Declared]) -> Ref:
    source, _, port = text.partition(".")
    if source not in parts:
        return ("", source)
    names = output_names(parts[source].part, len(parts[source].reads))
    if port and port not in names:
        raise _no_output(source, port, names)
    return (source, port or names[0])


def _made(made: Mapping[Ref, Symbol], ref: Ref) -> Symbol:
    """The output that is read; an error if the part has no such output, as after `replace`."""
    if ref not in made:
        raise _no_output(*ref, [port for source, port in made if source == ref[0]])
    return made[ref]


def _no_output(source: str, port: str, names: Sequence[str]) -> NetError:
    return NetError(
        what=f"{source} has no output port {port!r}",
        where=source,
        expected=", ".join(names),
        mend=did_you_mean(port, names),
    )


def _sinks(calls: Sequence[Call]) -> tuple[tuple[str, Ref], ...]:
    """The outputs that nothing reads; the ports of the only sink keep their names, several sinks give theirs."""
    read = {ref[0] for call in calls for _, ref in call.reads}
    sinks = [call for call in calls if call.name not in read]
    if len(sinks) == 1:
        sink = sinks[0]
        return tuple((port, (sink.name, port)) for port in output_names(sink.part, len(sink.reads)))
    return tuple((sink.name, (sink.name, output_names(sink.part, len(sink.reads))[0])) for sink in sinks)


def _ref_text(ref: Ref, several: Collection[str]) -> str:
    """The text of each read; for a container with several outputs it names the output."""
    if ref[0] in several:
        return f"{ref[0]}.{ref[1]}"
    return ref[0] if ref[0] and ref[1] == "output" else ref[1] if not ref[0] else f"{ref[0]}.{ref[1]}"


def _reads_repr(call: Call, several: Collection[str]) -> list[str]:
    ports = [port.name for port in input_ports(call.part, len(call.reads))]
    positional = [port for port, _ in call.reads] == ports[: len(call.reads)]
    texts = [repr(_ref_text(ref, several)) for _, ref in call.reads]
    if positional:
        return texts
    return ["{" + ", ".join(f"{port!r}: {text}" for (port, _), text in zip(call.reads, texts, strict=True)) + "}"]
