"""Edits nets: every verb takes a net and gives a new one that shares each array it did not touch."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace as with_fields
from typing import TypeAlias

from torch import Tensor

from netwright.codecs.array import Array
from netwright.codecs.codec import Codec
from netwright.errors import NetError, PathError, did_you_mean, with_article
from netwright.net.compare import same_array
from netwright.net.names import SHARED, join_path, moved, numbered
from netwright.net.node import Held, Node
from netwright.net.plan.container import ContainerNode
from netwright.net.plan.level import Call, Level, Ref
from netwright.net.plan.plan import plan_from, plan_of
from netwright.net.plan.symbol import check_part_name, input_ports, output_names
from netwright.net.ports import check_reads, check_scale, with_codecs_of
from netwright.sizes.notation import INPUT, OUTPUT

Arrays: TypeAlias = Mapping[str, Tensor]


def get(node: Node, path: str | int) -> Node:
    """The part at a path with its arrays, and the codecs of the outer ports that are its own."""
    for name in path.split("/") if isinstance(path, str) else [path]:
        node = _child(node, name)
    return node


def cut_out(node: Node, piece: slice) -> Node:
    """The parts from one place up to, not with, another; what they read from outside becomes an input."""
    level = _level(node, "a slice")
    names = [call.name for call in level.calls]
    if piece.step not in (None, 1):
        raise NetError(what="a slice of a net has no step", where=slice_text(piece), mend="net[first:last]")
    start = _bound(node, names, piece.start, 0)
    stop = _bound(node, names, piece.stop, len(names))
    if start >= stop:
        raise NetError(
            what="this slice holds no part", where=slice_text(piece), got=f"{len(names)} parts: {', '.join(names)}"
        )
    piece_level, reads = cut_level(level, start, stop)
    kept = {name: port for name, (maker, port) in reads.items() if not maker}
    inputs = {name: node.held.inputs[outer] for name, outer in kept.items() if outer in node.held.inputs}
    ends = set(piece_level.outputs) & set(level.outputs)
    outputs = {name: codec for name, codec in node.held.outputs.items() if any(name == port for port, _ in ends)}
    return _remade(node, piece_level, node.held.arrays, inputs, outputs)


def replace(node: Node, path: str | int, part: Node) -> Node:
    """The net with another part at a path. A part without arrays resets them; one with arrays keeps its own.

    A part that is called several times is one part: it is replaced at all its calls.
    """
    parent, name = _split(node, path)
    if parent:
        return _replace_below(node, parent, replace(get(node, parent), name, part))
    container, level = _container(node, path), _level(node, path)
    place = next(call.place for call in level.calls if call.name == name)
    below = f"{join_path(_root(node), place)}/"
    arrays = {there: array for there, array in node.held.arrays.items() if not there.startswith(below)}
    arrays |= _lifted(join_path(_root(node), place), part)
    uses = [call for call in level.calls if call.place == place]
    for call in uses:
        check_reads(part, call.reads, given_codecs(node), call.name)
    names = [call.name for call in uses]
    known = set(names) <= container.children().keys()
    fields = container.fields_with(dict.fromkeys(names, part.stripped())) if known else None
    if fields is not None:
        held = Held(inputs=node.held.inputs, outputs=node.held.outputs, shared=node.held.shared)
        made = with_codecs_of(container.rebuilt(held, **fields), node.input_names, node.output_names)
        return hold_arrays(made, arrays)
    calls = (with_fields(call, part=part.stripped()) if call.place == place else call for call in level.calls)
    return _remade(node, with_fields(level, calls=tuple(calls)), arrays, node.held.inputs, node.held.outputs)


def insert(node: Node, path: str | int, part: Node, name: str = "") -> Node:
    """The net with a part put before the one at a path: it reads what that one read first."""
    parent, before = _split(node, path)
    if parent:
        return _replace_below(node, parent, insert(get(node, parent), before, part, name))
    level = _level(node, path)
    at = next(call for call in level.calls if call.name == before)
    if not at.reads:
        raise NetError(what=f"{before} reads nothing: no part can stand before it", where=before)
    name = _free_name(level, part, name)
    (port, ref), *others = at.reads
    new = Call(name, part.stripped(), ((_first_input(part), ref),), name)
    check_reads(part, new.reads, given_codecs(node), name)
    later = with_fields(at, reads=((port, (name, output_names(part, 1)[0])), *others))
    calls = [c for call in level.calls for c in ((new, later) if call is at else (call,))]
    arrays = arrays_together(node.held.arrays, _lifted(join_path(_root(node), name), part), name)
    return _remade(node, with_fields(level, calls=tuple(calls)), arrays, node.held.inputs, node.held.outputs)


def delete(node: Node, path: str | int) -> Node:
    """The net without the part at a path: its readers read what it read."""
    parent, name = _split(node, path)
    if parent:
        return _replace_below(node, parent, delete(get(node, parent), name))
    changed = without_calls(_level(node, path), [name])
    return _remade(node, changed, node.held.arrays, node.held.inputs, node.held.outputs)


def without_calls(level: Level, gone: Collection[str]) -> Level:
    """The level without some calls: their readers read what they read."""
    sources: dict[str, Ref] = {}
    for call in level.calls:
        if call.name in gone and len(call.reads) != 1:
            many = f"{len(call.reads)} values: its readers cannot read them all in its place"
            raise NetError(
                what=f"{call.name} reads {many if call.reads else 'nothing: its readers would have nothing to read'}",
                where=call.name,
                mend=f"net.replace({call.name!r}, part), with a part that takes its place",
            )
        if call.name in gone:
            _, ref = call.reads[0]
            sources[call.name] = sources.get(ref[0], ref)
    if len(level.calls) == len(sources):
        first = level.calls[0].name
        raise NetError(what="a net of no parts is no net", where=first, mend=f"net.replace({first!r}, part)")
    calls = tuple(
        with_fields(call, reads=tuple((port, sources.get(ref[0], ref)) for port, ref in call.reads))
        for call in level.calls
        if call.name not in sources
    )
    return Level(level.inputs, calls, tuple((port, sources.get(ref[0], ref)) for port, ref in level.outputs))


def rename(node: Node, path: str | int, new: str) -> Node:
    """The net with another name for the part at a path; its arrays move along."""
    parent, old = _split(node, path)
    if parent:
        return _replace_below(node, parent, rename(get(node, parent), old, new))
    level = _level(node, path)
    check_part_name(new, old)
    if new == old:
        return node
    _free_name(level, node, new)

    def renamed(ref: Ref) -> Ref:
        return (new, ref[1]) if ref[0] == old else ref

    calls = tuple(
        Call(
            new if call.name == old else call.name,
            call.part,
            tuple((port, renamed(ref)) for port, ref in call.reads),
            new if call.place == old else call.place,
        )
        for call in level.calls
    )
    outputs = tuple((port, renamed(ref)) for port, ref in level.outputs)
    arrays = moved(node.held.arrays, {join_path(_root(node), old): join_path(_root(node), new)})
    return _remade(node, Level(level.inputs, calls, outputs), arrays, node.held.inputs, node.held.outputs)


def append(node: Node, part: Node, name: str = "") -> Node:
    """The net with one part more at its end; its decoder gives way to the part's own."""
    level = _level(node, "append")
    if len(level.outputs) != 1:
        raise NetError(what=f"append needs a net with one output; this has {len(level.outputs)}", where="append")
    name = _free_name(level, part, name)
    call = Call(name, part.stripped(), ((_first_input(part), level.outputs[0][1]),), name)
    check_reads(part, call.reads, given_codecs(node), name)
    outputs = tuple((port, (name, port)) for port in output_names(part, 1))
    arrays = arrays_together(node.held.arrays, _lifted(join_path(_root(node), name), part), name)
    changed = Level(level.inputs, (*level.calls, call), outputs)
    return _remade(node, changed, arrays, node.held.inputs, dict(part.held.outputs))


def prepend(node: Node, part: Node, name: str = "") -> Node:
    """The net with one part more at its beginning; its encoder gives way to the part's own."""
    level = _level(node, "prepend")
    if len(level.inputs) != 1 or len(part.input_names) != 1:
        raise NetError(what="prepend joins a part with one input to a net with one input", where="prepend")
    name = _free_name(level, part, name)
    first: Ref = (name, output_names(part, 1)[0])
    check_scale(part.held.outputs.get(first[1]), node.held.inputs.get(level.inputs[0]), name, "net")

    def read(ref: Ref) -> Ref:
        return ref if ref[0] else first

    calls = (
        Call(name, part.stripped(), ((_first_input(part), ("", level.inputs[0])),), name),
        *(with_fields(c, reads=tuple((port, read(ref)) for port, ref in c.reads)) for c in level.calls),
    )
    outputs = tuple((port, read(ref)) for port, ref in level.outputs)
    arrays = arrays_together(node.held.arrays, _lifted(join_path(_root(node), name), part), name)
    return _remade(node, Level(level.inputs, calls, outputs), arrays, dict(part.held.inputs), node.held.outputs)


def hold_arrays(node: Node, arrays: Arrays) -> Node:
    """The net with those of the arrays that fit; the others are dropped."""
    return node.holding(arrays=fitting(node, arrays)) if arrays else node


def fitting(node: Node, arrays: Arrays) -> dict[str, Tensor]:
    """The arrays that the net has a place for, without those whose sizes it cannot have."""
    places = plan_from(node, {}).arrays
    kept = {path: array for path, array in arrays.items() if path in places}
    while True:
        facts = {path: tuple(array.shape) for path, array in kept.items()}
        unfit = {path for path, shape in facts.items() if places[path].known not in (None, shape)}
        unfit = unfit or {m.about for m in plan_from(node, facts).solution.mismatches if m.about}
        if not unfit & kept.keys():
            return kept
        kept = {path: array for path, array in kept.items() if path not in unfit}


def lift(level: Level) -> dict[str, Tensor]:
    """The arrays that parts hold, under their paths in the container; shared ones keep their shared path."""
    arrays: dict[str, Tensor] = {}
    for call in level.calls:
        lifted = _lifted(call.place, call.part)
        _check_same(arrays, lifted, call.name)
        arrays |= lifted
    return arrays


def arrays_together(arrays: Arrays, more: Arrays, name: str) -> dict[str, Tensor]:
    """The arrays of a net and those of one part more: what is shared must be the same in both."""
    _check_same(arrays, more, name)
    return {**arrays, **more}


def _check_same(arrays: Arrays, more: Arrays, name: str) -> None:
    odd = [path for path in more if path in arrays and not same_array(arrays[path], more[path])]
    if odd:
        raise NetError(
            what=f"arrays with one shared path differ between {name} and the parts before it",
            where=", ".join(odd),
            expected="the same arrays wherever a shared name is used",
            got=f"others in {name}",
            mend=(
                "one.with_arrays({path: other.arrays[path]}) for each of these paths makes them the same",
                "another name in nw.Shared in one of them keeps both",
            ),
        )


def _lifted(name: str, part: Node) -> dict[str, Tensor]:
    return {join_path(name, path): array for path, array in part.held.arrays.items()}


def given_codecs(node: Node) -> dict[Ref, Codec]:
    """The codecs of values in a net, by reference: those of its inputs and of its outputs."""
    inputs: dict[Ref, Codec] = {("", name): codec for name, codec in node.held.inputs.items()}
    ends = _level(node, "an edit").outputs
    return inputs | {ref: node.held.outputs[port] for port, ref in ends if port in node.held.outputs}


def _of_elements(codecs: Mapping[str, Codec], over: Sequence[str]) -> dict[str, Codec]:
    """The codecs of one element, as far as sizes tell; the codecs of values held whole are kept."""
    found: dict[str, Codec] = {}
    for name, codec in codecs.items():
        if name not in over:
            found[name] = codec
        elif isinstance(codec, Array):
            found[name] = Array(re.sub(r"\[\w+\]", "", " ".join(str(codec.sizes).split()[1:])) or "()")
    return found


def _child(node: Node, name: str | int) -> Node:
    level = _level(node, name)
    names = [call.name for call in level.calls]
    call = level.calls[_position(node, names, name)]
    below = f"{join_path(_root(node), call.place)}/"
    arrays = {path: array for path, array in node.held.arrays.items() if path.startswith(SHARED)}
    if arrays:
        needed = plan_of(call.part).arrays
        arrays = {path: array for path, array in arrays.items() if path in needed}
    arrays |= {path.removeprefix(below): a for path, a in node.held.arrays.items() if path.startswith(below)}
    inputs = {port: node.held.inputs[ref[1]] for port, ref in call.reads if not ref[0] and ref[1] in node.held.inputs}
    each = node.each if isinstance(node, ContainerNode) else None
    if each is not None:
        return call.part.holding(arrays=arrays, inputs=_of_elements(inputs, each.over))
    outputs = {
        ref[1]: node.held.outputs[port]
        for port, ref in level.outputs
        if ref[0] == call.name and port in node.held.outputs
    }
    return call.part.unchecked(Held(arrays, inputs, outputs, call.part.held.shared))


def _replace_below(node: Node, path: str, part: Node) -> Node:
    """The net with a part that was edited inside put back; a shared part must be edited at all its uses."""
    before = get(node, path)
    if before.held.shared and before.stripped() != part.stripped():
        raise NetError(
            what=f"the part {before.held.shared!r} is shared: an edit inside one use would leave the others behind",
            where=path,
            mend=f"net.replace({path!r}, part) for this use, with a part not shared, or shared under a new name",
        )
    return replace(node, path, part)


def _root(node: Node) -> str:
    """What the paths of a net's own arrays begin with: the shared name of the net itself, if it has one."""
    return SHARED + node.held.shared if node.held.shared else ""


def within_body(made: Node, level: Level, place: str) -> dict[str, str]:
    """From old places to new ones, where the parts of an edited level came to stand within the body of a `Map`."""
    container = _container(made, place)
    body = container.level.calls[0].name
    if container.each is None or [call.name for call in level.calls] == [body]:
        return {}
    return {join_path(place, call.place): join_path(place, body, call.place) for call in level.calls}


def _container(node: Node, where: object) -> ContainerNode:
    if not isinstance(node, ContainerNode):
        raise PathError(what=f"{with_article(type(node).__name__)} has no parts", where=str(where))
    return node


def _level(node: Node, where: object) -> Level:
    return _container(node, where).level


def _position(node: Node, names: Sequence[str], at: str | int) -> int:
    """The position of a part; an error with close names if there is none."""
    if isinstance(at, str):
        if at not in names:
            raise PathError(
                what=f"no part of this {type(node).__name__} has the name {at!r}",
                expected=f"one of {', '.join(names)}",
                mend=did_you_mean(at, names),
            )
        return names.index(at)
    if not -len(names) <= at < len(names):
        raise PathError(
            what=f"no part stands at position {at}", expected=f"{-len(names)} to {len(names) - 1}: {', '.join(names)}"
        )
    return at % len(names)


def _bound(node: Node, names: Sequence[str], at: str | int | None, default: int) -> int:
    """An end of a slice; numbers past the ends mean the ends, as everywhere in Python."""
    if at is None:
        return default
    if isinstance(at, str):
        return _position(node, names, at)
    return slice(at, None).indices(len(names))[0]


def slice_text(piece: slice) -> str:
    """A slice of a net as Python writes it."""
    step = "" if piece.step is None else f":{piece.step!r}"
    return "[" + ":".join("" if end is None else repr(end) for end in (piece.start, piece.stop)) + step + "]"


def _split(node: Node, path: str | int) -> tuple[str, str]:
    """The path of the container and the name in it; checked to exist."""
    parent, _, name = path.rpartition("/") if isinstance(path, str) else ("", "", path)
    owner = get(node, parent) if parent else node
    names = [call.name for call in _level(owner, path).calls]
    return parent, names[_position(owner, names, name)]


def _free_name(level: Level, part: Node, name: str) -> str:
    taken = [*(call.name for call in level.calls), *(call.place for call in level.calls), *level.inputs]
    if not name:
        return numbered(taken, part.kind_name)
    check_part_name(name, "a part's name")
    if name in taken:
        raise NetError(
            what=f"the name {name!r} is taken", where=name, expected=f"none of {', '.join(dict.fromkeys(taken))}"
        )
    return name


def _first_input(part: Node) -> str:
    return input_ports(part, 1)[0].name


def cut_level(level: Level, start: int, stop: int) -> tuple[Level, dict[str, Ref]]:
    """Some calls of a level, and what its inputs read in the whole.

    Outside values they read become inputs, values read outside become outputs.
    """
    calls = level.calls[start:stop]
    inside = {call.name for call in calls}
    outside = list(dict.fromkeys(ref for call in calls for _, ref in call.reads if ref[0] not in inside))
    fresh = _port_names(outside)
    if len(outside) == 1 and outside[0][0]:
        fresh = {outside[0]: INPUT}
    inner_calls = tuple(
        with_fields(c, reads=tuple((p, ("", fresh[ref]) if ref in fresh else ref) for p, ref in c.reads)) for c in calls
    )
    rest = (*level.calls[:start], *level.calls[stop:])
    read = {ref for call in rest for _, ref in call.reads if ref[0] in inside}
    outputs = [(port, ref) for port, ref in level.outputs if ref[0] in inside]
    shown = {ref for _, ref in outputs}
    inner = [ref for ref in dict.fromkeys(ref for c in calls for ref in _outputs_of(c)) if ref in read - shown]
    alone = len(inner) == 1 and not outputs
    outputs += [(OUTPUT if alone else name, ref) for ref, name in _port_names(inner).items()]
    return Level(tuple(fresh.values()), inner_calls, tuple(outputs)), {name: ref for ref, name in fresh.items()}


def _port_names(refs: Sequence[Ref]) -> dict[Ref, str]:
    """Names for values that become ports: an input keeps its own, a part's value has the part's, then the port's."""
    once = [ref[0] for ref in refs]
    return {
        (maker, port): port if not maker else maker if once.count(maker) == 1 else f"{maker}_{port}"
        for maker, port in refs
    }


def _outputs_of(call: Call) -> list[Ref]:
    return [(call.name, port) for port in output_names(call.part, len(call.reads))]


def _remade(
    node: Node,
    changed: Level,
    arrays: Arrays,
    inputs: Mapping[str, Codec],
    outputs: Mapping[str, Codec],
) -> Node:
    """The edited net with its codecs, and with every array that still fits."""
    changed, arrays = _housed(changed, arrays, _root(node))
    given, gives = changed.inputs, [name for name, _ in changed.outputs]
    held = Held(
        inputs={name: codec for name, codec in inputs.items() if name in given},  # ports may have gone
        outputs={name: codec for name, codec in outputs.items() if name in gives},
        shared=node.held.shared,
    )
    made = with_codecs_of(_container(node, "an edit").of_level(changed, held), given, gives)
    return hold_arrays(made, moved(arrays, within_body(made, changed, _root(node))))


def _housed(level: Level, arrays: Arrays, root: str) -> tuple[Level, Arrays]:
    """The level with places renamed, if an edit removed the call that had the name of the place."""
    users: dict[str, list[str]] = {}
    for call in level.calls:
        users.setdefault(call.place, []).append(call.name)
    homes = {place: names[0] for place, names in users.items() if place not in names}
    arrays = moved(arrays, {join_path(root, place): join_path(root, home) for place, home in homes.items()})
    calls = tuple(with_fields(call, place=homes.get(call.place, call.place)) for call in level.calls)
    return with_fields(level, calls=calls), arrays
