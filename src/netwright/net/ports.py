"""The outer ports of a net: their codecs, which are checked when nets are joined, and what they are compared with."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TypeAlias, TypeVar

from netwright.codecs.array import Array
from netwright.codecs.codec import Codec
from netwright.codecs.text.elements import Elements
from netwright.errors import NetError, PathError, did_you_mean
from netwright.net.node import Held, Node
from netwright.net.plan.level import Level, Ref

TARGET = "target"
N = TypeVar("N", bound=Node)
PortLike: TypeAlias = Codec | tuple[int | str, ...] | int | str | None
PortsLike: TypeAlias = PortLike | Mapping[str, PortLike]


def as_codec(port: PortLike) -> Codec | None:
    """The codec that a shorthand means: sizes as a tuple, a number or in the notation of ports."""
    return port if isinstance(port, Codec) or port is None else Array(port)


def as_codecs(port: PortsLike, names: Sequence[str], optional: Sequence[str] = ()) -> dict[str, Codec | None]:
    """Codecs by port: one for the only port that is not optional, or a mapping."""
    if not isinstance(port, Mapping):
        if len(names) - len(optional) > 1 and port is not None:
            raise NetError(
                what=f"a net with {len(names)} ports needs a codec for each",
                expected="{" + ", ".join(f"{name!r}: …" for name in names) + "}",
                got=repr(port),
            )
        return {} if port is None else {names[0]: as_codec(port)}
    for name in port:
        if name not in names:
            raise PathError(
                what=f"this net has no port {name!r}",
                expected=", ".join(names),
                mend=did_you_mean(name, names),
            )
    return {name: as_codec(value) for name, value in port.items()}


def codecs_of(port: PortsLike, names: Sequence[str], optional: Sequence[str] = ()) -> dict[str, Codec | None]:
    """Codecs by port, where `None` takes all of them away."""
    return dict.fromkeys(names) if port is None else as_codecs(port, names, optional)


def present(codecs: Mapping[str, Codec | None]) -> dict[str, Codec]:
    """The ports that have a codec."""
    return {name: codec for name, codec in codecs.items() if codec is not None}


def held_codecs(container: Node, input: PortsLike, output: PortsLike) -> Held:
    """What a container holds for its ports, from the arguments `input` and `output` of its constructor."""
    return Held(
        inputs=present(as_codecs(input, container.input_names, container.optional_names)),
        outputs=present(as_codecs(output, container.output_names)),
    )


def check_reads(part: Node, reads: Iterable[tuple[str, Ref]], given: Mapping[Ref, Codec], name: str) -> None:
    """Check the values that a part reads in a net against its own encoders; `given` has the codecs of these values."""
    for port, ref in reads:
        check_scale(given.get(ref), part.held.inputs.get(port), ref[0] or ref[1], name)


def check_scale(before: Codec | None, after: Codec | None, maker: str, reader: str) -> None:
    """Raise an error if a part trained on standardized values would read values that are not standardized.

    `before` is the codec of the given value. `after` is the part's own encoder, which is not used inside a net.
    """
    if after is None or after.scale is None or (before is not None and before.scale == after.scale):
        return
    raise NetError(
        what="a part reads values that its encoder standardized, and inside a net no encoder does",
        where=f"{maker} -> {reader}",
        expected=f"values as of {after!r}",
        got="values as they are" if before is None else f"values as of {before!r}",
        mend=(
            f"{reader}.with_input(None), if they come so, or all is trained anew",
            f"{reader} trained on values as they are: the sizes alone for input=",
        ),
    )


def check_same(known: Codec, own: Codec, name: str, reader: str) -> None:
    """Raise an error if two parts encode one input in different ways although the sizes fit."""
    sizes = isinstance(known, Array) or isinstance(own, Array)
    if known.scale == own.scale and (sizes or known == own):
        return
    raise NetError(
        what="two parts read one input, each by another encoder",
        where=f"input {name!r} -> {reader}",
        expected=f"{known!r}, as of the part before",
        got=f"{own!r}",
        mend=(f"{reader}.with_input(None), if that encoder suits both", f"input={{{name!r}: …}}, which counts for all"),
    )


def outer_codecs(level: Level, codecs: Mapping[str, Codec]) -> tuple[dict[str, Codec], dict[str, Codec]]:
    """The codecs of parts that stand at the net's own ports: they become the net's, where it says none itself."""
    inputs: dict[str, Codec] = {}
    for made in level.calls:
        for port, (maker, name) in made.reads:
            if not maker and port in made.part.held.inputs:
                own = made.part.held.inputs[port]
                if name not in codecs:
                    check_same(inputs.setdefault(name, own), own, name, made.name)
    outputs: dict[str, Codec] = {}
    for name, (maker, port) in level.outputs:
        part = level.part(maker)
        if part is not None and port in part.held.outputs:
            outputs[name] = part.held.outputs[port]
    return inputs, outputs


def ports_repr(node: Node, inputs: Mapping[str, Codec | None] | None = None) -> str:
    """The codecs of a container as arguments; `inputs` are its input ports if their names are needed."""
    texts: list[str] = []
    if inputs is not None:
        texts.append(f"input={dict(inputs)!r}")
    elif held := node.held.inputs:
        texts.append(f"input={_one_or_all(held, node.required_names)}")
    if held := node.held.outputs:
        texts.append(f"output={_one_or_all(held, node.output_names)}")
    return "".join(f", {text}" for text in texts)


def ports_verbs(node: Node) -> str:
    """The codecs of a leaf as calls of `with_input` and `with_output`, since its arguments are its fields."""
    held = node.held
    inputs = f".with_input({_one_or_all(held.inputs, node.required_names)})" if held.inputs else ""
    outputs = f".with_output({_one_or_all(held.outputs, node.output_names)})" if held.outputs else ""
    return inputs + outputs


def _one_or_all(codecs: Mapping[str, Codec], names: Sequence[str]) -> str:
    alone = len(names) == 1 and {*codecs} == {*names}
    return repr(next(iter(codecs.values())) if alone else dict(codecs))


def target_name(net: Node, output: str) -> str:
    """The name of the target of an output: of its port, and of its column in the data, whichever outputs have a loss.

    It is `target` in a net with one output, `NAME_target` in one with several, or with an input called `target`.
    """
    return f"{output}_{TARGET}" if len(net.output_names) > 1 or TARGET in net.input_names else TARGET


def following_port(net: Node) -> str | None:
    """The input that a net predicts: its encoder adds a start mark, and the net's decoder an end mark.

    `NextElement` sets both; None for a net that does something else.
    """
    if len(net.output_names) != 1:
        return None
    decoder = net.held.outputs.get(net.output_names[0])
    for name, encoder in net.held.inputs.items():
        if (
            isinstance(encoder, Elements)
            and isinstance(decoder, Elements)
            and encoder.mark_start
            and decoder == replace(encoder, mark_start=False, mark_end=decoder.mark_end or True)
            and (not encoder.fitted or decoder.size == encoder.size)
        ):
            return name
    return None


def with_codecs_of(node: N, inputs: Sequence[str], outputs: Sequence[str]) -> N:
    """A net that was just edited, with its codecs at the ports that it has, where these had other names before.

    A chain has the ports of its ends: without its first part, its input may have another name.
    """
    sides = {
        side: {new: codecs[old] for old, new in zip(before, now, strict=True) if old in codecs}
        for side, codecs, before, now in (
            ("inputs", node.held.inputs, inputs, node.input_names),
            ("outputs", node.held.outputs, outputs, node.output_names),
        )
        if tuple(before) != now and len(before) == len(now) and codecs
    }
    return node.holding(**sides) if sides else node
