"""Edits many parts of a net in one pass: the net is solved once, and a part that is used several times edited once."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace as with_fields
from types import MappingProxyType
from typing import TypeAlias, cast

from torch import Tensor

from netwright.codecs.codec import Codec
from netwright.errors import NetwrightError, PathError, did_you_mean
from netwright.net import surgery
from netwright.net.names import SHARED, join_path, moved
from netwright.net.node import NOTHING, Held, Node, expect_net
from netwright.net.part import Net, Shared
from netwright.net.plan.container import ContainerNode
from netwright.net.plan.level import Call, Level, Ref
from netwright.net.plan.plan import plan_of
from netwright.net.ports import check_reads, with_codecs_of
from netwright.value import Value

Edit: TypeAlias = Callable[[Net], Node] | None
"""What becomes of a part, which is given with its arrays; None removes it."""
LevelEdit: TypeAlias = Callable[[Level], Level]
"""What becomes of the wiring of a container."""
NO_LEVELS: Mapping[str, LevelEdit] = MappingProxyType({})
NO_PLACES: Mapping[str, str] = MappingProxyType({})
NO_ARRAYS: Mapping[str, Tensor] = MappingProxyType({})


class Spot(Value, eq=False):
    """One part of a net, wherever it is used.

    Fields: its `key` among all parts; `place`, under which its arrays are kept; `paths` of all its uses, the first one
    first; the `part`, bare.
    """

    key: str
    place: str
    paths: tuple[str, ...]
    part: Node

    @property
    def path(self) -> str:
        """The path of its first use."""
        return self.paths[0]


def spots(net: Node) -> dict[str, Spot]:
    """Every part of a net by its key, at any depth, each after the parts within it.

    A part that is called several times, or that has a shared name, is one part. Different parts may share their arrays,
    such as an embedding and the last layer of a language model: they are several parts with one place.
    """
    found: dict[str, Spot] = {}
    for path, place, part in _walk(net, "", root_of(net)):
        key, number = place, 1
        while key in found and not (found[key].part is part or found[key].part == part):
            number += 1
            key = f"{place} {number}"
        before = found[key].paths if key in found else ()
        found[key] = Spot(key, place, (*before, path), part)
    return found


def spot_at(net: Node, path: str) -> Spot:
    """The part at a path.

    Raises: PathError where there is none.
    """
    known = {use: spot for spot in spots(net).values() for use in spot.paths}
    if path not in known:
        raise PathError(what=f"no part of this net has the path {path!r}", mend=did_you_mean(str(path), known))
    return known[path]


def codecs_held(net: Node) -> Held:
    """What a net holds but for its arrays and its history."""
    return Held(inputs=net.held.inputs, outputs=net.held.outputs, shared=net.held.shared)


def is_whole(net: Net) -> bool:
    """Whether a net has all its arrays."""
    return net.held.arrays.keys() >= net.plan.arrays.keys()


def root_of(net: Node) -> str:
    """The place of a net itself."""
    return SHARED + net.held.shared if net.held.shared else ""


def place_of(call: Call, place: str) -> str:
    """The place of a part that is called in a container at a place."""
    return root_of(call.part) or join_path(place, call.place)


def _walk(node: Node, path: str, place: str) -> Iterator[tuple[str, str, Node]]:
    if not isinstance(node, ContainerNode):
        return
    for call in node.level.calls:
        below, there = join_path(path, call.name), place_of(call, place)
        yield from _walk(call.part, below, there)
        yield below, there, call.part


def with_edits(
    net: Net,
    parts: Mapping[str, Edit],
    levels: Mapping[str, LevelEdit] = NO_LEVELS,
    places: Mapping[str, str] = NO_PLACES,
    more: Mapping[str, Tensor] = NO_ARRAYS,
) -> tuple[Net, dict[str, Node]]:
    """The net with other parts in the place of some, and other wirings of some containers; and the parts put in.

    A part within another one is edited first. What takes the place of a shared part is shared under its name, so all
    uses stay one part; but a part that shares its arrays with another one has its name inside an edit, and is replaced
    alone. Arrays that were not touched are the same memory; those that do not fit any more are dropped.

    Args:
        net: is not changed.
        parts: from keys to what becomes of the parts.
        levels: from keys of containers to what becomes of their wiring, after their parts were edited; the empty key
            is the net itself.
        places: from old places to new ones, to which the arrays there move. It may be filled by the edits, and so may
        more: arrays of new parts, by their paths.
    """
    expect_net(net, "an edit")
    work = _Rewriting(net, parts, levels)
    made = work.whole()
    arrays = {**moved(work.arrays, places), **more}
    for shift in work.shifts:
        arrays = moved(arrays, shift)
    return cast(Net, surgery.hold_arrays(made, arrays)), work.put


class _Rewriting:
    """A net on its way to another one: the arrays as they are by now, and the places that are done."""

    def __init__(self, net: Net, parts: Mapping[str, Edit], levels: Mapping[str, LevelEdit]) -> None:
        self.net, self.parts, self.levels = net, parts, levels
        self.arrays = dict(net.held.arrays)
        self.put: dict[str, Node] = {}
        self.shifts: list[dict[str, str]] = []  # of places within a body that an edit made, the innermost first
        self._below: dict[str, dict[str, None]] = {}  # by place, the arrays within
        self._done: dict[str, Node] = {}
        known = spots(net).values()
        self._keys = {path: spot.key for spot in known for path in spot.paths}
        self._tied = {spot.place for spot in known if spot.key != spot.place}  # places of several different parts
        for path in self.arrays:
            self._enter(path)

    def whole(self) -> Node:
        """The net with its codecs and without arrays, checked."""
        bare = codecs_held(self.net)
        if not isinstance(self.net, ContainerNode):
            return self.net.rebuilt(bare)
        return self._container(self.net, "", root_of(self.net), surgery.given_codecs(self.net), bare)

    def _part(self, node: Node, path: str, place: str, own: str, given: Mapping[Ref, Codec]) -> Node:
        """What becomes of one part; the same object where nothing changes. `own` is its place without a shared name."""
        key = self._keys[path]
        if key not in self._done:
            made = node
            if isinstance(node, ContainerNode):
                try:
                    made = self._container(node, path, place, given, Held(shared=node.held.shared))
                except NetwrightError as error:
                    raise error.within(path) from None
            edit = self.parts.get(key)
            self._done[key] = self._edited(made, edit, path, place) if edit else made
        made = self._done[key]
        if made is not node:
            self._take(made, root_of(made) or own)
        return made

    def _edited(self, part: Node, edit: Callable[[Net], Node], path: str, place: str) -> Node:
        """The part that takes the place of one, whose arrays give way to its own."""
        tied = place in self._tied
        whole = part if tied else part.unchecked(NOTHING)  # without a shared name, which what takes its place gets
        whole = cast(Net, whole.unchecked(Held(self._held(whole, place), shared=whole.held.shared)))
        made = edit(whole)
        if made is whole:
            return part
        if not tied:
            self._forget(place)
            if part.held.shared and not made.held.shared:
                made = Shared(part.held.shared, made)
        self.put[path] = made
        return made

    def _take(self, made: Node, place: str) -> None:
        """Keep the arrays that a new part has, at its place."""
        for name, array in made.held.arrays.items():
            self.arrays[join_path(place, name)] = array
            self._enter(join_path(place, name))

    def _held(self, part: Node, place: str) -> dict[str, Tensor]:
        """The arrays of a part, as it holds them itself: those that it shares with others keep their paths."""
        below = {} if part.held.shared else self._below.get(place, {})
        own = {path.removeprefix(f"{place}/"): path for path in below}
        shared = any(path.startswith(SHARED) for path in self.arrays)
        needed = plan_of(part).arrays if shared else {}
        own |= {path: path for path in needed if path.startswith(SHARED) and path in self.arrays}
        return {name: self.arrays[path] for name, path in own.items()}

    def _enter(self, path: str) -> None:
        """Note an array at all the places that it lies in."""
        pieces = path.split("/")
        for count in range(1, len(pieces)):
            self._below.setdefault("/".join(pieces[:count]), {})[path] = None

    def _forget(self, place: str) -> None:
        """Drop what a part had."""
        for path in self._below.pop(place, {}):
            self.arrays.pop(path, None)

    def _container(self, node: ContainerNode, path: str, place: str, given: Mapping[Ref, Codec], held: Held) -> Node:
        """The container with its parts edited; the same object where nothing changes, if it holds nothing."""
        level, changed, gone = node.level, dict[str, Node](), set[str]()
        for call in level.calls:
            there, key = place_of(call, place), self._keys[join_path(path, call.name)]
            if key in self.parts and self.parts[key] is None:
                gone.add(call.name)
                if there not in self._tied:
                    self._forget(there)
                continue
            inner = {("", port): given[ref] for port, ref in call.reads if ref in given} if node.each is None else {}
            made = self._part(call.part, join_path(path, call.name), there, join_path(place, call.place), inner)
            check_reads(made, call.reads, given, call.name)
            if made is not call.part:
                changed[call.name] = made.stripped()
        edit = self.levels.get(self._keys.get(path, path))
        if not (changed or gone or edit):
            return node if not path else node.rebuilt(held)
        known = not gone and edit is None and changed.keys() <= node.children().keys()
        fields = node.fields_with(changed) if known else None
        if fields is not None:  # what lies within another net is checked with it
            if path:
                return node.unchecked(held, **fields)
            return with_codecs_of(node.rebuilt(held, **fields), node.input_names, node.output_names)
        calls = tuple(with_fields(call, part=changed.get(call.name, call.part)) for call in level.calls)
        level = (
            surgery.without_calls(with_fields(level, calls=calls), gone) if gone else with_fields(level, calls=calls)
        )
        level = edit(level) if edit else level
        kept = [name for name, _ in level.outputs]
        inputs = {name: codec for name, codec in held.inputs.items() if name in level.inputs}
        outputs = {name: codec for name, codec in held.outputs.items() if name in kept}
        made = node.of_level(level, Held(inputs=inputs, outputs=outputs, shared=held.shared))
        made = with_codecs_of(made, level.inputs, kept)
        self.shifts.append(surgery.within_body(made, level, place))
        return made
