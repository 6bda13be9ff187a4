"""Builds the net that changes of places give: in the names of the first net, with new names put on last."""

from collections import Counter
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any, TypeAlias

from netwright.changes.difference import PlaceChange
from netwright.changes.fields import calls_of_parts, with_changed_fields
from netwright.changes.structure import OWN
from netwright.codecs.codec import Codec
from netwright.errors import NetError
from netwright.net.graph import Graph
from netwright.net.leaf import LeafNode
from netwright.net.names import SHARED, join_path
from netwright.net.node import Held, Node
from netwright.net.plan.container import ContainerNode
from netwright.net.plan.level import Call, Level, Ref

Codecs: TypeAlias = Mapping[str, Codec]
NO_CODECS: Codecs = MappingProxyType({})


class Rebuilding:
    """Changes of places, ready to be applied to a net without arrays and codecs.

    `homes` are then the places whose names changed, with their new names.
    """

    def __init__(self, changes: Iterable[PlaceChange]) -> None:
        self.homes: dict[str, str] = {}
        self._inputs = self._outputs = NO_CODECS
        self._found = {change.key: change for change in changes}
        self._options: dict[str, dict[str, Any]] = {}
        self._added: dict[str, list[str]] = {}
        self._wired: set[str] = set()  # containers in which something is added, removed, renamed or reads another value
        self._touched: set[str] = set()
        for change in self._found.values():
            above, _, name = change.path.rpartition("/")
            self._touched.update(_prefixes(change.path))
            if change.kind == "option":
                self._options.setdefault(change.path, {})[change.name] = change.after
            elif change.kind in ("name", "reads"):
                self._wired.add(above)
            elif change.kind == "ports":
                self._wired.add(change.path)
            elif change.kind == "part" and change.before is None:
                self._added.setdefault(above, []).append(name)

    def whole(self, net: Node, inputs: Codecs = NO_CODECS, outputs: Codecs = NO_CODECS) -> Node:
        """The net with the changes and these codecs, without arrays; so it is solved once."""
        self._inputs, self._outputs = inputs, outputs
        return self._part(net.stripped(), "", "", "")

    def _part(self, part: Node, path: str, home: str, place: str) -> Node:
        """A part with the changes in it. `home` is the place of its arrays before names change, `place` after that."""
        instead = self._found.get(("part", path, ""))
        if instead is not None:
            part = instead.after
        shared = self._found.get(("shared", path, ""))
        name = part.held.shared if shared is None else shared.after
        home, place = (SHARED + name, SHARED + name) if name else (home, place)
        if home != place:
            self.homes[home] = place
        if instead is not None or path not in self._touched:
            return part
        options = self._options.get(path, {})
        if isinstance(part, LeafNode):
            return with_changed_fields(part, options, self._held(path, name))
        assert isinstance(part, ContainerNode)
        return self._container(part, path, (home, place), name, options)

    def _container(
        self, old: ContainerNode, path: str, places: tuple[str, str], shared: str, options: Mapping[str, Any]
    ) -> Node:
        names = {call.name: self._name(path, call.name) for call in old.level.calls}
        calls = self._calls(old, path)
        for name, call in calls.items():
            here = join_path(places[0], call.place), join_path(places[1], names.get(call.place, call.place))
            calls[name] = Call(name, self._part(call.part, join_path(path, name), *here), call.reads, call.place)
        if path not in self._wired:
            changed = _changed_parts(old, calls)
            fields = None if changed is None else old.fields_with(changed)
            if fields is not None:
                return with_changed_fields(old, {**options, **fields}, self._held(path, shared))
        if options:
            raise NetError(
                what="parts inside change while options of the whole change too, and no net is written so",
                where=path or "the net",
                got=", ".join(options),
            )
        ports = self._found.get(("ports", path, ""))
        inputs, outputs = (old.level.inputs, old.level.outputs) if ports is None else ports.after
        level = _named(inputs, _ordered(calls, inputs, outputs, path), outputs, names)
        held = self._held(path, shared)
        made = old.of_level(level, held)
        if (made.level.inputs, made.level.outputs) != (level.inputs, level.outputs):  # a chain names its own ports
            return Graph.from_level(level, held.inputs, held.outputs, shared)
        return made

    def _held(self, path: str, shared: str) -> Held:
        """What a part holds: the whole net its codecs."""
        return Held(shared=shared) if path else Held(inputs=self._inputs, outputs=self._outputs, shared=shared)

    def _name(self, path: str, name: str) -> str:
        change = self._found.get(("name", join_path(path, name), ""))
        return name if change is None else change.after

    def _calls(self, old: ContainerNode, path: str) -> dict[str, Call]:
        """The calls by the names of the first net: those that stay, then those that are new."""
        found: dict[str, Call] = {}
        for call in old.level.calls:
            change = self._found.get(("part", join_path(path, call.name), ""))
            if change is None or change.after is not None:
                found[call.name] = self._reading(call, path)
        for name in self._added.get(path, []):
            part = self._found["part", join_path(path, name), ""].after
            found[name] = self._reading(Call(name, part, (), name), path)
        return found

    def _reading(self, call: Call, path: str) -> Call:
        change = self._found.get(("reads", join_path(path, call.name), ""))
        if change is None:
            return call
        place, reads = change.after
        return Call(call.name, call.part, reads, call.name if place == OWN else place)


def _changed_parts(old: ContainerNode, calls: Mapping[str, Call]) -> dict[str, Node] | None:
    """The parts of a container that are others now; None where its fields cannot hold them."""
    found: dict[str, Node] = {}
    parts, names = old.children(), calls_of_parts(old)
    held = {one for called in names.values() for one in called}
    if any(call.name not in held and calls[call.name].part is not call.part for call in old.level.calls):
        return None  # a part that the container makes by itself
    for name, called in names.items():
        now = [calls[one].part for one in called]
        if any(one is not now[0] and one != now[0] for one in now):
            return None
        if now and now[0] is not parts[name]:
            found[name] = now[0]
    return found


def _ordered(
    calls: Mapping[str, Call], inputs: tuple[str, ...], outputs: tuple[tuple[str, Ref], ...], path: str
) -> list[Call]:
    """The calls, each after what it reads. Raises: NetError for what is not there, and for a cycle."""
    readers = [
        *((call.name, ref) for call in calls.values() for _, ref in call.reads),
        *(("", ref) for _, ref in outputs),
    ]
    for name, (maker, port) in readers:
        if (maker not in calls) if maker else (port not in inputs):
            raise NetError(
                what=f"{join_path(path, name) if name else 'an output'} reads a value that is not there",
                where=join_path(path, name) or "the net",
                got=maker or port,
            )
    done: dict[str, None] = {}
    opened: set[str] = set()
    stack = [(name, False) for name in reversed([*calls])]
    while stack:
        name, ready = stack.pop()
        if ready:
            done[name] = None
        elif name in opened and name not in done:
            raise NetError(what="a part would read its own output: a cycle", where=join_path(path, name))
        elif name not in done:
            opened.add(name)
            stack.append((name, True))
            stack += [(ref[0], False) for _, ref in reversed(calls[name].reads) if ref[0] and ref[0] not in done]
    return [calls[name] for name in done]


def _named(
    inputs: tuple[str, ...], calls: Iterable[Call], outputs: tuple[tuple[str, Ref], ...], names: Mapping[str, str]
) -> Level:
    """The level with new names for its parts."""

    def named(ref: Ref) -> Ref:
        return names.get(ref[0], ref[0]), ref[1]

    made = [
        Call(
            names.get(call.name, call.name),
            call.part,
            tuple((port, named(ref)) for port, ref in call.reads),
            names.get(call.place, call.place),
        )
        for call in calls
    ]
    twice = next((name for name, count in Counter(call.name for call in made).items() if count > 1), "")
    if twice:
        raise NetError(what=f"two parts would have the name {twice!r}", where=twice)
    return Level(inputs, tuple(made), tuple((port, named(ref)) for port, ref in outputs))


def _prefixes(path: str) -> list[str]:
    """The paths of all parts that a part is in, and its own."""
    pieces = path.split("/") if path else []
    return ["/".join(pieces[:i]) for i in range(len(pieces) + 1)]
