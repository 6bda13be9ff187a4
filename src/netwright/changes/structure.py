"""Finds what differs between the structures of two nets: names, parts, what they read, options, shared names."""

from collections.abc import Iterator, Mapping
from typing import Any

from torch import Tensor

from netwright.changes.difference import PlaceChange
from netwright.changes.fields import calls_of_parts, other_options, plain_fields, same_leaf, with_changed_fields
from netwright.changes.renamed import HeldArrays, renamed_parts
from netwright.errors import NetwrightError
from netwright.net.chain import Chain
from netwright.net.graph import Graph
from netwright.net.leaf import LeafNode
from netwright.net.names import SHARED, join_path
from netwright.net.node import Held, Node
from netwright.net.plan.container import ContainerNode
from netwright.net.plan.level import Call, Level
from netwright.value import Value

OWN = ""  # the place of a part whose arrays are kept under its own name


class PartPlace(Value):
    """Where a part stands in both nets.

    Fields: `path` by the names of the first net; `origin` the place of its arrays in the first net, `place` in the
    second, and `home` that in the second by the names of the first.
    """

    path: str
    origin: str
    home: str
    place: str

    def entered(self, before: Node, after: Node) -> "PartPlace":
        """The same, with the places that shared names give."""
        origin = SHARED + before.held.shared if before.held.shared else self.origin
        if after.held.shared:
            home = place = SHARED + after.held.shared
        else:
            home, place = self.home, self.place
        return PartPlace(self.path, origin, home, place)

    def below(self, name: str, origin: str, home: str, place: str) -> "PartPlace":
        """The spot of a part inside."""
        return PartPlace(
            join_path(self.path, name),
            join_path(self.origin, origin),
            join_path(self.home, home),
            join_path(self.place, place),
        )


class StructureComparison:
    """Two nets being compared.

    `homes` are the places of arrays in the second net whose names in the first are others, with these.
    """

    def __init__(self, before: Mapping[str, Tensor], after: Mapping[str, Tensor]) -> None:
        self.homes: dict[str, str] = {}
        self._arrays = HeldArrays(before, after)

    def whole(self, before: Node, after: Node) -> list[PlaceChange]:
        """The changes between two whole nets, which are not equal in structure, codecs or arrays."""
        return list(self._part(before.stripped(), after.stripped(), PartPlace("", "", "", "")))

    def _part(self, before: Node, after: Node, spot: PartPlace) -> Iterator[PlaceChange]:
        spot = spot.entered(before, after)
        if spot.home != spot.place:
            self.homes[spot.place] = spot.home
        if before is after:
            return
        inside = self._inside(before, after, spot)
        if inside is None:
            yield PlaceChange("part", spot.path, "", before, after)
            return
        if before.held.shared != after.held.shared:
            yield PlaceChange("shared", spot.path, "", before.held.shared, after.held.shared)
        yield from inside

    def _inside(self, before: Node, after: Node, spot: PartPlace) -> list[PlaceChange] | None:
        """The changes in a part; None if it is another part."""
        if isinstance(before, LeafNode) and isinstance(after, LeafNode):
            return _leaf(before, after, spot.path)
        if not (isinstance(before, ContainerNode) and isinstance(after, ContainerNode)):
            return None
        if isinstance(after, Chain | Graph):
            return self._level(before, after, spot) if before.each is None else None
        return self._fields(before, after, spot) if type(before) is type(after) else None

    def _level(self, before: ContainerNode, after: ContainerNode, spot: PartPlace) -> list[PlaceChange]:
        """The changes between two levels, part by part."""
        old, new = before.level, after.level
        names = renamed_parts(old, new, self._arrays, spot.origin, spot.place) if type(before) in (Chain, Graph) else {}
        found = [PlaceChange("name", join_path(spot.path, name), "", name, now) for now, name in names.items()]
        ports = (old.inputs, old.outputs), (new.inputs, tuple((port, _ref(ref, names)) for port, ref in new.outputs))
        if ports[0] != ports[1]:
            found.append(PlaceChange("ports", spot.path, "", *ports))
        was, now = (
            {call.name: call for call in old.calls},
            {names.get(call.name, call.name): call for call in new.calls},
        )
        for name in dict.fromkeys([*was, *now]):
            found += self._call(name, was.get(name), now.get(name), names, spot)
        return found

    def _call(
        self, name: str, old: Call | None, new: Call | None, names: Mapping[str, str], spot: PartPlace
    ) -> Iterator[PlaceChange]:
        """The changes of one call: its part, and what it reads."""
        path = join_path(spot.path, name)
        reads = None if old is None else reads_of(old, name, {}), None if new is None else reads_of(new, name, names)
        if reads[0] is None or reads[1] is None or _unordered(reads[0]) != _unordered(reads[1]):
            yield PlaceChange("reads", path, "", *reads)
        if new is None:
            assert old is not None
            yield PlaceChange("part", path, "", old.part, None)
            return
        origin = name if old is None else old.place
        below = spot.below(name, origin, names.get(new.place, new.place), new.place)
        if old is not None:
            yield from self._part(old.part, new.part, below)
            return
        below = below.entered(new.part, new.part)
        if below.home != below.place:
            self.homes[below.place] = below.home
        yield PlaceChange("part", path, "", None, new.part)

    def _fields(self, before: ContainerNode, after: ContainerNode, spot: PartPlace) -> list[PlaceChange] | None:
        """The changes of a container that is not written as a level: its options, and what is in its parts."""
        old, new = before.children(), after.children()
        changed = {name: part for name, part in new.items() if name in old and part is not old[name]}
        options = other_options(before, after)
        try:
            fields = before.fields_with(changed)
            if fields is None:
                return None
            made = before.unchecked(Held(shared=before.held.shared), **fields, **_new(options, fields))
            if not _same_level(made, after):
                return None
        except NetwrightError:  # such parts do not go with such options
            return None
        was, now = ({call.name: call for call in one.level.calls} for one in (before, after))
        found = [PlaceChange("option", spot.path, name, *both) for name, both in options.items()]
        names = calls_of_parts(before)
        for name, part in changed.items():
            if not names[name] or any(one not in now for one in names[name]):
                return None
            for one in names[name]:
                here = spot.below(one, was[one].place, now[one].place, now[one].place)
                found += self._part(old[name], part, here)
        return found


def reads_of(call: Call, name: str, names: Mapping[str, str]) -> tuple[str, tuple[tuple[str, tuple[str, str]], ...]]:
    """What a call reads, and the place of its arrays where that is not its own name, by the names of the first net."""
    place = names.get(call.place, call.place)
    reads = tuple((port, _ref(ref, names)) for port, ref in call.reads)
    return (OWN if place == name else place), reads


def _leaf(before: LeafNode, after: LeafNode, path: str) -> list[PlaceChange] | None:
    """The options that differ; None where they do not say all that differs."""
    if same_leaf(before, after):
        return []
    if type(before) is not type(after):
        return None
    options = other_options(before, after)
    try:
        made = with_changed_fields(before, _new(options, {}), Held(shared=before.held.shared))
        if not options or not isinstance(made, LeafNode) or not same_leaf(made, after):
            return None
    except NetwrightError:
        return None
    return [PlaceChange("option", path, name, *both) for name, both in options.items()]


def _new(options: Mapping[str, tuple[Any, Any]], fields: Mapping[str, Any]) -> dict[str, Any]:
    """The new values of options, but for fields that are said already."""
    return {name: both[1] for name, both in options.items() if name not in fields}


def _same_level(made: ContainerNode, wanted: ContainerNode) -> bool:
    """Whether two containers wire equal parts in the same way."""
    left, right = made.level, wanted.level
    if made.each != wanted.each or (left.inputs, left.outputs) != (right.inputs, right.outputs):
        return False
    if plain_fields(made) != plain_fields(wanted) or len(left.calls) != len(right.calls):
        return False
    return all(_same_call(one, right) for one in left.calls)


def _same_call(call: Call, level: Level) -> bool:
    other = next((one for one in level.calls if one.name == call.name), None)
    if other is None or (call.place, call.reads) != (other.place, other.reads):
        return False
    return call.part is other.part or call.part == other.part


def _ref(ref: tuple[str, str], names: Mapping[str, str]) -> tuple[str, str]:
    return names.get(ref[0], ref[0]), ref[1]


def _unordered(reads: tuple[str, tuple[tuple[str, tuple[str, str]], ...]]) -> tuple[str, dict[str, tuple[str, str]]]:
    return reads[0], dict(reads[1])
