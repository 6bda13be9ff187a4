"""Compares two nets: everything that differs between them, as one value."""

from collections.abc import Iterable, Mapping

from torch import Tensor

from netwright.changes.array_state import ArrayState, relative_change
from netwright.changes.difference import Change, Difference, Kind, PlaceChange
from netwright.changes.renamed import uniform
from netwright.changes.structure import StructureComparison
from netwright.net.compare import equal, same_array
from netwright.net.names import SHARED
from netwright.net.node import Node, expect_net
from netwright.net.plan.plan import plan_of


def diff(before: Node, after: Node) -> Difference:
    """Everything that differs between two nets: parts, what they read, options, codecs, shared names and arrays.

    An array is *kept* if it has the same values, *renamed* or *shared* if it has them under another path or now under
    a shared name, *changed* by |after - before| / |before|, *reshaped*, *added*, *removed*, or *reset*: it no longer
    fitted and was dropped, to be filled by training.

    Fields:
        before, after: two nets, which may be quite different. The history of a net is no difference.

    Returns: a value that can be printed, saved (`nw.save_difference`) and applied (`nw.patch`). `.of("reset")` gives
        the paths of arrays with one fate, and `.equal` says whether nothing differs.

    Example:
        >>> import netwright as nw
        >>> net = nw.initialize(nw.Chain(3, nw.relu, nw.Linear(), input=4, output=nw.Category(["a", "b"])))
        >>> print(nw.diff(net, net.insert("linear2", nw.Dropout(0.3)).with_output(nw.Category(["a", "b", "c"]))))
        added     dropout1  Dropout(0.3), reads relu1
        rewired   linear2  relu1 -> dropout1
        decoder   output.labels  ('a', 'b') -> ('a', 'b', 'c')
        reset     linear2/weight  (2, 3) -> (3, 3)
        reset     linear2/bias  (2,) -> (3,)
        kept      2 arrays
        >>> print(nw.diff(nw.Chain(nw.Dropout(0.5)), nw.Chain(nw.Dropout(0.2))))
        option    dropout1.rate  0.5 -> 0.2
    """
    expect_net(before, "diff")
    expect_net(after, "diff")
    comparison = StructureComparison(before.held.arrays, after.held.arrays)
    places: list[PlaceChange] = []
    if not equal(before, after):
        places = [*comparison.whole(before, after), *_codecs(before, after)]
    changes = tuple(_arrays(before, after, comparison.homes))
    if not places and before.stripped() != after.stripped():
        places = [PlaceChange("part", "", "", before.stripped(), after.stripped())]
    return Difference(tuple(places), changes)


def _codecs(before: Node, after: Node) -> list[PlaceChange]:
    sides: tuple[tuple[Kind, Mapping[str, object], Mapping[str, object]], ...] = (
        ("encoder", before.held.inputs, after.held.inputs),
        ("decoder", before.held.outputs, after.held.outputs),
    )
    return [
        PlaceChange(kind, "", port, old.get(port), new.get(port))
        for kind, old, new in sides
        for port in dict.fromkeys([*old, *new])
        if old.get(port) != new.get(port)
    ]


def _arrays(before: Node, after: Node, homes: Mapping[str, str]) -> list[Change]:
    """Every array with its fate."""
    old = before.held.arrays
    new = {home_of(path, homes): array for path, array in after.held.arrays.items()}
    paths = {home_of(path, homes): path for path in plan_of(after).arrays}
    wanted = {home_of(path, homes): spec.known for path, spec in plan_of(after).arrays.items()}
    removed = {home: array for home, array in old.items() if home not in wanted}
    moved = _moved(removed, {home: new[home] for home in wanted if home in new and home not in old})
    changes = [
        found
        for home, shape in wanted.items()
        if (found := _change(home, paths[home], moved.get(home, ""), old, new.get(home), shape)) is not None
    ]
    gone = removed.keys() - set(moved.values())
    for home, array in removed.items():
        if home in gone:
            changes.append(Change(home, "removed", tuple(array.shape), None, home=home, old=ArrayState.of(array)))
    return changes


def _change(
    home: str, path: str, source: str, old: Mapping[str, Tensor], now: Tensor | None, shape: tuple[int, ...] | None
) -> Change | None:
    """What became of one array that the second net has a place for."""
    was = old.get(source or home)
    if now is None:
        if was is None:
            return None
        return Change(path, "reset", tuple(was.shape), shape, home=home, old=ArrayState.of(was))
    after, name = tuple(now.shape), home if home != path else ""
    if was is None:
        return Change(path, "added", None, after, home=home, new=ArrayState.of(now))
    if source:
        fate = "shared" if home.startswith(SHARED) and not source.startswith(SHARED) else "renamed"
        return Change(path, fate, after, after, source, home=home, source=source, old=ArrayState.of(was))
    if same_array(was, now):
        return Change(path, "renamed" if name else "kept", after, after, name, home=home)
    states = ArrayState.of(was), ArrayState.of(now)
    if was.shape != now.shape:
        return Change(path, "reshaped", tuple(was.shape), after, name, None, home, "", *states)
    return Change(path, "changed", after, after, name, relative_change(was, now), home, "", *states)


def home_of(path: str, homes: Mapping[str, str]) -> str:
    """The path of an array by other names of the places it is in."""
    place = path
    while homes and (place := place.rpartition("/")[0]):
        if place in homes:
            return homes[place] + path[len(place) :]
    return path


def _moved(removed: Mapping[str, Tensor], added: Mapping[str, Tensor]) -> dict[str, str]:
    """The arrays that only have another path now, each new path with the old one.

    An array with equal values is the same array. Arrays of one repeated number, such as new biases, are often equal
    by chance, so they follow the part whose other arrays moved.
    """
    left = dict(removed)
    found: dict[str, str] = {}

    def find(path: str, candidates: Iterable[str]) -> None:
        old = next((old for old in candidates if same_array(left[old], added[path])), None)
        if old is not None:
            found[path] = old
            del left[old]

    for path, array in added.items():
        memory = [old for old, was in left.items() if was.data_ptr() == array.data_ptr()]
        find(path, memory if uniform(array) else [*memory, *left])
    parts = {(_part(old), _part(path)) for path, old in found.items()}
    for path in [path for path in added if path not in found]:
        find(path, [old for old in left if (_part(old), _part(path)) in parts])
    return found


def _part(path: str) -> str:
    return path.rpartition("/")[0]
