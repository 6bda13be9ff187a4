"""Moves parts between the levels of a net: out of a container, into one, and each into a wrapper."""

from collections.abc import Callable, Mapping
from typing import Any

from netwright.editing.rewrite import LevelEdit, Spot, place_of, root_of, spot_at, spots, with_edits
from netwright.editing.select import select
from netwright.errors import NetError, shortened, with_article
from netwright.net.chain import Chain, chained
from netwright.net.graph import Graph
from netwright.net.lineage import recorded
from netwright.net.names import SHARED, Numbers, join_path
from netwright.net.node import Held, Node, expect_net
from netwright.net.part import Net, Shared
from netwright.net.plan.container import ContainerNode
from netwright.net.plan.level import Call, Level, Ref
from netwright.net.plan.symbol import as_part, check_part_name
from netwright.net.surgery import cut_level


def flatten(net: Net, path: str) -> Net:
    """The net in which the parts of a container stand in its place, as parts of what was around it.

    They keep their names where these are free, and are numbered otherwise. Arrays are the same memory, under the new
    paths. A container that is used several times is taken apart at all its uses, and each of its parts stays one part;
    the parts of a shared container are then shared themselves.

    Raises: PathError for a path that is not there; NetError for a part that is no container, and for one that is done
        for every element, such as `nw.Map`.

    Example:
        >>> import netwright as nw
        >>> net = nw.Chain(4, nw.Chain(3, nw.relu), 2, input=5)
        >>> nw.flatten(net, "chain1").paths
        ('linear1', 'linear3', 'relu1', 'linear2')
    """
    expect_net(net, "flatten")
    spot = spot_at(net, path)
    kind = with_article(type(spot.part).__name__)
    if not isinstance(spot.part, ContainerNode):
        raise NetError(what=f"{kind} has no parts to take out", where=path)
    if spot.part.each is not None:
        raise NetError(
            what=f"{kind} does its part for every element, which nothing would do without it",
            where=path,
        )
    every = spots(net).values()
    tied = next((other for other in every if other.place == spot.place and other.key != spot.key), None)
    if tied is not None:
        raise NetError(
            what=f"its arrays are also those of {tied.path}, another part of the shared name {spot.part.held.shared!r}",
            where=path,
            mend=f"nw.flatten(net.replace({path!r}, part), {path!r}), with a part that is not shared",
        )
    known = {use: other for other in every for use in other.paths}
    parents = {known[parent].key: known[parent].place for use in spot.paths if (parent := use.rpartition("/")[0])}
    if any("/" not in use for use in spot.paths):
        parents[""] = root_of(net)
    work = _Flattening(net, spot, spot.part)
    made, _ = with_edits(net, {}, {key: work.of(place) for key, place in parents.items()}, work.moves)
    return recorded(made, net, f"flatten {path}")


class _Flattening:
    """Takes a container apart wherever it is called; `moves` fills with the new places of its arrays."""

    def __init__(self, net: Net, spot: Spot, container: ContainerNode) -> None:
        self.place, self.part, self.level = spot.place, spot.part, container.level
        self.moves: dict[str, str] = {}
        self.shared: dict[str, str] = {}  # the names under which parts of a shared container are shared
        taken = {root_of(other.part) for other in spots(net).values()}
        stem = spot.part.held.shared
        for place in dict.fromkeys(call.place for call in self.level.calls) if stem else ():
            own = f"{self.place}/{place}"
            if any(path.startswith(f"{own}/") for path in net.plan.arrays):
                numbers = Numbers(name.removeprefix(SHARED) for name in taken)
                self.shared[place] = numbers.kept(f"{stem}_{place}", f"{stem}_{place}_")
                taken.add(SHARED + self.shared[place])
                self.moves[own] = SHARED + self.shared[place]

    def of(self, around: str) -> LevelEdit:
        """The edit of the container at a place."""
        return lambda level: self._flattened(level, around)

    def _flattened(self, level: Level, around: str) -> Level:
        here = [call for call in level.calls if place_of(call, around) == self.place]
        inside = {call.name for call in here if call.part is self.part or call.part == self.part}
        names = Numbers([*level.inputs, *(call.name for call in level.calls if call.name not in inside)])
        homes: dict[str, str] = {}  # the name of the first call of each place
        made: dict[Ref, Ref] = {}
        calls: list[Call] = []
        for call in level.calls:
            reads = tuple((port, made.get(ref, ref)) for port, ref in call.reads)
            if call.name in inside:
                calls += self._inlined(call.name, dict(reads), names, homes, made)
            else:
                calls.append(Call(call.name, call.part, reads, call.place))
        free = {place: home for place, home in homes.items() if place not in self.shared}
        self.moves |= {join_path(self.place, place): join_path(around, home) for place, home in free.items()}
        return Level(level.inputs, tuple(calls), tuple((port, made.get(ref, ref)) for port, ref in level.outputs))

    def _inlined(
        self, name: str, reads: Mapping[str, Ref], names: Numbers, homes: dict[str, str], made: dict[Ref, Ref]
    ) -> list[Call]:
        """The calls of the container in place of one call of it; `made` fills with what its values are now."""
        called: dict[str, str] = {}

        def source(ref: Ref) -> Ref | None:
            """What a reference in the container means outside; None for a state that is not given."""
            return (called[ref[0]], ref[1]) if ref[0] else reads.get(ref[1])

        calls: list[Call] = []
        for call in self.level.calls:
            called[call.name] = names.kept(call.name, call.part.kind_name)
            sources = [(port, source(ref)) for port, ref in call.reads]
            part: Node = call.part
            home = homes.setdefault(call.place, called[call.name])
            if call.place in self.shared and not part.held.shared:
                part, home = Shared(self.shared[call.place], part), called[call.name]
            found = tuple((port, ref) for port, ref in sources if ref is not None)
            calls.append(Call(called[call.name], part, found, home))
        for port, ref in self.level.outputs:
            there = source(ref)
            if there is not None:
                made[name, port] = there
        return calls


def nest(net: Net, first: str, last: str, name: str) -> Net:
    """The net in which some parts of one container, from the first to the last, are one part with a name.

    Both are nested, unlike the end of a slice, since the names are those of the parts that one sees. Parts in a row
    become a chain, others a graph. Arrays are the same memory, under the new paths.

    Args:
        net: is not changed.
        first: path of the first part.
        last: path of the last part, in the same container; parts stand in the order they run.
        name: of the new part in that container.

    Raises: PathError for a path that is not there; NetError for parts of two containers, a name that is taken, or a
        part that is called inside and outside the new one.

    Example:
        >>> import netwright as nw
        >>> net = nw.Chain(4, nw.relu, 3, nw.softmax, input=5)
        >>> nw.nest(net, "linear1", "relu1", "body").paths
        ('body/linear1', 'body/relu1', 'body', 'linear2', 'softmax1')
    """
    expect_net(net, "nest")
    for path in (first, last):
        spot_at(net, path)  # the error of a part that is not there
    (parent, _, start), (other, _, stop) = first.rpartition("/"), last.rpartition("/")
    if parent != other:
        raise NetError(what="parts of two containers cannot become one part", where=f"{first}, {last}")
    check_part_name(name, "nest")
    around, key = root_of(net), ""
    if parent:
        around, key = spot_at(net, parent).place, spot_at(net, parent).key
    moves: dict[str, str] = {}

    def nested(level: Level) -> Level:
        names = [call.name for call in level.calls]
        at, end = names.index(start), names.index(stop) + 1
        if at >= end:
            raise NetError(
                what=f"{first} runs behind {last}", where="nest", mend=f"nw.nest(net, {last!r}, {first!r}, …)"
            )
        taken = [*names[:at], *names[end:], *level.inputs]
        if name in taken:
            raise NetError(what=f"the name {name!r} is taken", where="nest", expected=f"none of {', '.join(taken)}")
        places = {call.place for call in level.calls[at:end]}
        outside = [call.name for call in (*level.calls[:at], *level.calls[end:]) if call.place in places]
        if outside:
            raise NetError(
                what=f"{outside[0]} has the arrays of a part between {first} and {last}, and would stay outside",
                where="nest",
                mend="nw.Shared(name, part) for that part: a shared part may stand anywhere",
            )
        moves.update({join_path(around, place): join_path(around, name, place) for place in places})
        return _with_nested(level, at, end, name)

    made, _ = with_edits(net, {}, {key: nested}, moves)
    return recorded(made, net, f"nest {first} to {last} as {name}")


def _with_nested(level: Level, at: int, end: int, name: str) -> Level:
    """The level with some of its calls as one."""
    inner, reads = cut_level(level, at, end)
    part: Node = chained(inner, Held())
    start, last = level.calls[at], level.calls[end - 1]
    outputs = {ref: (name, port) for port, ref in reversed(inner.outputs)}
    given = tuple(reads.items())
    if isinstance(part, Chain):  # a chain has the ports of its ends
        given = start.reads
        outputs = {(last.name, port): (name, port) for port in part.output_names}
        if {port for port, _ in given} != {*part.input_names}:
            part, given = Graph.from_level(inner), tuple(reads.items())
            outputs = {ref: (name, port) for port, ref in reversed(inner.outputs)}
    call = Call(name, part, given, name)
    after = tuple(
        Call(c.name, c.part, tuple((port, outputs.get(ref, ref)) for port, ref in c.reads), c.place)
        for c in level.calls[end:]
    )
    ends = tuple((port, outputs.get(ref, ref)) for port, ref in level.outputs)
    return Level(level.inputs, (*level.calls[:at], call, *after), ends)


def wrap(net: Net, path: str, wrapper: Callable[[Net], Any]) -> Net:
    """The net in which a part, with its arrays, stands in a container: `nw.wrap(net, "conv2", nw.Residual)`.

    Args:
        net: is not changed.
        path: of the part, or a pattern for several.
        wrapper: gives a container with the part in it: `nw.Residual`, `nw.Map`, or a function such as
            `lambda part: nw.Chain(nw.LayerNorm(), part)`.

    Raises: PathError for a path that is not there; NetError for a wrapper that does not keep the part and its arrays;
        SizeError for sizes that do not fit.

    Example:
        >>> import netwright as nw
        >>> net = nw.Chain(4, nw.Linear(4), nw.relu, input=5)
        >>> nw.wrap(net, "linear2", nw.Residual)["linear2"]
        Residual(Linear(4))
    """
    expect_net(net, "wrap")

    def wrapped(part: Net) -> Net:
        made = as_part(wrapper(part))
        inside = spots(made).values()
        kept = {array.data_ptr() for array in made.held.arrays.values()}
        held = part.held.arrays.values()
        if part.bare() in [spot.part for spot in inside] and {array.data_ptr() for array in held} <= kept:
            return made  # pyright: ignore[reportReturnType]
        raise NetError(
            what="what wraps a part has to keep it, with its arrays",
            where=f"wrap, {path}",
            expected="a container with the part in it, such as nw.Residual gives",
            got=shortened(repr(made), 100),
        )

    return recorded(select(net, path).replace(wrapped), net, f"wrap {path}")
