"""Sorts items into layers, in which every edge leads forward, and orders each layer so that few edges cross.

Layers follow the longest way to an item. Where a picture is narrow, items move to later layers until each layer fits,
in the end one item to a layer, with the edges that pass it beside it. Edges that pass a layer have a *lane* there.

Source: Sugiyama, Tagawa and Toda 1981, "Methods for visual understanding of hierarchical system structures"
"""

import bisect
import itertools
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import TypeAlias

from netwright.show.draw.items import BRANCH_GAP, LANE, Edge, Item, Source
from netwright.value import Value

SWEEPS = 16  # through all layers, half of them back
_Near: TypeAlias = dict[str, list[tuple[str, float]]]
_Piece: TypeAlias = tuple[str, float, str, float]  # from an item or lane, where on it, to another, where on it


Spans: TypeAlias = Sequence[tuple[int, int]]  # the first layer of each row, and the one after its last


class Layers(Value):
    """Items and lanes by layer, in order across; `chains` are the keys that each edge goes through.

    Fields:
        rank: the layer of each item and lane.
        lanes: the keys of the lanes.
        rails: values that pass whole rows beside them, from one row to a later one, and the number of their rail.
    """

    rank: Mapping[str, int]
    lanes: AbstractSet[str]
    order: tuple[tuple[str, ...], ...]
    chains: Mapping[Edge, tuple[str, ...]]
    rails: Mapping[Source, int]
    crossings: int


def layered(
    items: Sequence[Item],
    edges: Sequence[Edge],
    breadth: float | None,
    *,
    in_turn: bool = False,
    spans: Spans | None = None,
) -> Layers:
    """Layers of items that are given in an order in which every edge leads forward.

    `breadth` is how far a layer may reach across; None, as far as it needs. `in_turn` puts the layers of a second
    input behind those of the first, where else they would be beside them. `spans` are the rows, where they are known:
    a value that passes a whole row goes beside it then, on a rail.
    """
    rank = _ranks(items, edges, in_turn=in_turn)
    if breadth is not None:
        _narrow(items, edges, rank, breadth)
    dense = {r: i for i, r in enumerate(sorted(set(rank.values())))}
    rank = {key: dense[r] for key, r in rank.items()}
    rails = _rails(edges, rank, spans) if spans else {}
    lanes: set[str] = set()
    low: set[str] = set()  # on the side of the rails
    layers: list[list[str]] = [[] for _ in range(max(rank.values(), default=0) + 1)]
    for item in items:
        layers[rank[item.key]].append(item.key)
    chains: dict[Edge, tuple[str, ...]] = {}
    for edge in edges:
        passed = passed_layers(edge, rank, spans if edge.source in rails else None)
        keys = [f"{edge.start}\n{edge.value}\n{r}" for r in passed]
        for r, key in zip(passed, keys, strict=True):
            if key not in lanes:
                lanes.add(key)
                layers[r].append(key)
                rank[key] = r
                low |= {key} if edge.source in rails else set()
        chains[edge] = (edge.start, *keys, edge.end)
    order, crossings = _ordered(layers, lanes, low, items, chains)
    return Layers(rank, lanes, tuple(tuple(layer) for layer in order), chains, rails, crossings)


def passed_layers(edge: Edge, rank: Mapping[str, int], spans: Spans | None) -> list[int]:
    """The layers between the ends of an edge; with rows, only those in the rows of its ends."""
    between = range(rank[edge.start] + 1, rank[edge.end])
    if spans is None:
        return list(between)
    rows = {row_of(rank[edge.start], spans), row_of(rank[edge.end], spans)}
    return [r for r in between if row_of(r, spans) in rows]


def row_of(r: int, spans: Spans) -> int:
    """The row of a layer."""
    return next(row for row, (start, end) in enumerate(spans) if start <= r < end)


def _rails(edges: Sequence[Edge], rank: Mapping[str, int], spans: Spans) -> dict[Source, int]:
    """The values that pass a whole row, numbered from the first."""
    far = [e for e in edges if row_of(rank[e.end], spans) - row_of(rank[e.start], spans) > 1]
    return {
        source: i for i, source in enumerate(dict.fromkeys(e.source for e in sorted(far, key=lambda e: rank[e.start])))
    }


def _ranks(items: Sequence[Item], edges: Sequence[Edge], *, in_turn: bool) -> dict[str, int]:
    """The layer of each item: the longest way to it. What only leads to one place stands as close to it as it can."""
    into: dict[str, set[str]] = {item.key: set() for item in items}
    out: dict[str, set[str]] = {item.key: set() for item in items}
    for edge in edges:
        into[edge.end].add(edge.start)
        out[edge.start].add(edge.end)
    private: set[str] = set()  # it and all before it lead nowhere else
    for item in items:
        if item.place == "" and all(start in private and len(out[start]) == 1 for start in into[item.key]):
            private.add(item.key)
    rank = _longest(items, into)
    if in_turn:
        into = _behind(items, into, out, private, rank)
        out = {item.key: set() for item in items}
        for end, starts in into.items():
            for start in starts:
                out[start].add(end)
        rank = _longest(items, into)
    last = max(rank.values(), default=0)
    rank.update((item.key, last) for item in items if item.place == "last")
    for item in reversed(items):
        if item.key in private and out[item.key]:
            rank[item.key] = min(rank[end] for end in out[item.key]) - 1
    return rank


def _longest(items: Sequence[Item], into: Mapping[str, AbstractSet[str]]) -> dict[str, int]:
    """The length of the longest way to each item."""
    rank = {item.key: 0 for item in items}
    for _ in items:  # once would be enough, were the items in an order of `into`
        before = dict(rank)
        for item in items:
            rank[item.key] = max((rank[start] + 1 for start in into[item.key]), default=0)
        if rank == before:
            break
    return rank


def _behind(
    items: Sequence[Item],
    into: Mapping[str, set[str]],
    out: Mapping[str, AbstractSet[str]],
    private: AbstractSet[str],
    rank: Mapping[str, int],
) -> dict[str, set[str]]:
    """What each item stands behind, if the beginning of a side chain also stands behind what its reader reads else."""
    found = dict(into)
    for item in items:
        main = max(into[item.key], key=lambda one: rank[one], default="")
        for start in into[item.key] - {main}:
            only = all(rank[end] >= rank[item.key] for end in out[start])
            if start in private and only and into[start]:  # a chain, and no lone input
                found |= {key: {*into[key], main} for key in _beginnings(start, into)}
    return found


def _beginnings(key: str, into: Mapping[str, AbstractSet[str]]) -> set[str]:
    """What an item ultimately follows from."""
    return {first for start in into[key] for first in _beginnings(start, into)} or {key}


def _narrow(items: Sequence[Item], edges: Sequence[Edge], rank: dict[str, int], breadth: float) -> None:
    """Move items to later layers until each layer fits into the breadth, or has one item beside its lanes."""
    into: dict[str, set[str]] = {item.key: set() for item in items}
    until: dict[Source, set[str]] = {}
    for edge in edges:
        into[edge.end].add(edge.start)
        until.setdefault(edge.source, set()).add(edge.end)
    r = 0
    while r <= max(rank.values()):
        here = [item for item in items if rank[item.key] == r]
        lanes = sum(rank[s] < r < max(rank[end] for end in ends) for (s, _), ends in until.items())
        free = [item for item in here if not item.place]
        wide = sum(item.across for item in here) + BRANCH_GAP * (len(here) - 1)
        while wide + LANE * lanes > breadth and len(free) > 1:
            moved = free.pop()
            lanes += len(into[moved.key])
            wide -= moved.across + BRANCH_GAP
            rank[moved.key] = r + 1
        for item in items:
            least = max((rank[start] + 1 for start in into[item.key]), default=0)
            rank[item.key] = max(rank[item.key], least)
        r += 1
    last = max(rank.values())
    rank.update((item.key, last) for item in items if item.place == "last")


def _ordered(
    layers: list[list[str]],
    lanes: AbstractSet[str],
    low: AbstractSet[str],
    items: Sequence[Item],
    chains: Mapping[Edge, Sequence[str]],
) -> tuple[list[list[str]], int]:
    """The order in each layer with the fewest crossings that sweeps by barycentres find."""
    rank = {key: r for r, layer in enumerate(layers) for key in layer}
    pieces = {piece for piece in _pieces(items, chains) if rank[piece[2]] == rank[piece[0]] + 1}
    near: tuple[_Near, _Near] = ({}, {})  # what is before an item or lane, and what is after it
    for a, leaves, b, enters in pieces:
        near[0].setdefault(b, []).append((a, leaves))
        near[1].setdefault(a, []).append((b, enters))
    best, fewest = layers, -1
    for back in (False, True, False, True):  # from several beginnings, since sweeps end at the nearest good order
        found, count = _swept([layer[::-1] for layer in best] if fewest > 0 else layers, lanes, low, pieces, near, back)
        if fewest < 0 or count < fewest:
            best, fewest = found, count
        if fewest == 0:
            break
    return best, fewest


def _swept(
    layers: list[list[str]],
    lanes: AbstractSet[str],
    low: AbstractSet[str],
    pieces: Iterable[_Piece],
    near: tuple[_Near, _Near],
    back: bool,
) -> tuple[list[list[str]], int]:
    """The best order that sweeps find from a beginning; the first one goes forward or back."""
    index = {key: i for i, key in enumerate(itertools.chain.from_iterable(layers))}
    best, fewest = layers, -1
    for sweep in range(SWEEPS):
        layers = [list(layer) for layer in layers]
        side = (sweep + back) % 2
        for r in range(len(layers) - 2, -1, -1) if side else range(1, len(layers)):
            place = {key: float(i) for i, key in enumerate(layers[r + 1 if side else r - 1])}
            centres = [_centre(near[side].get(key, ()), place, i) for i, key in enumerate(layers[r])]
            keyed = [
                (key in low, centre, key not in lanes, index[key], key)
                for centre, key in zip(centres, layers[r], strict=True)
            ]
            layers[r] = [key for *_, key in sorted(keyed)]
        if sweep >= SWEEPS // 2:
            _switch(layers, low, near)
        count = _crossings(layers, pieces)
        if fewest < 0 or count < fewest:
            best, fewest = layers, count
        if fewest == 0:
            break
    return best, fewest


def _switch(layers: list[list[str]], low: AbstractSet[str], near: tuple[_Near, _Near]) -> None:
    """Switch neighbours in a layer wherever fewer edges cross then."""
    for r, layer in enumerate(layers):
        beside = [layers[side] if 0 <= side < len(layers) else [] for side in (r - 1, r + 1)]
        places = [{key: float(i) for i, key in enumerate(keys)} for keys in beside]
        for i in range(len(layer) - 1):
            a, b = layer[i : i + 2]
            ends = [
                [[place[key] + part for key, part in near[side].get(one, ()) if key in place] for one in (a, b)]
                for side, place in enumerate(places)
            ]
            now = sum(x > y for left, right in ends for x in left for y in right)
            then = sum(x < y for left, right in ends for x in left for y in right)
            if then < now and (a in low) == (b in low):
                layer[i : i + 2] = [b, a]


def _pieces(items: Sequence[Item], chains: Mapping[Edge, Sequence[str]]) -> set[_Piece]:
    """Each stretch of an edge from one layer to the next, once."""
    of_key = {item.key: item for item in items}
    found: set[_Piece] = set()
    for edge, chain in chains.items():
        start, end = of_key[edge.start], of_key[edge.end]
        leaves, enters = start.leaves(edge.value) / (start.across + 1), end.enters(edge.port) / (end.across + 1)
        for a, b in itertools.pairwise(chain):
            found.add((a, leaves if a == edge.start else 0.5, b, enters if b == edge.end else 0.5))
    return found


def _centre(near: Iterable[tuple[str, float]], place: Mapping[str, float], own: float) -> float:
    """The mean of the places to which an item is connected; its own where there are none."""
    found = [place[key] + part for key, part in near if key in place]
    return sum(found) / len(found) if found else own


def _crossings(layers: Sequence[Sequence[str]], pieces: Iterable[_Piece]) -> int:
    """How often stretches of edges cross, between layers next to each other."""
    place = {key: i for layer in layers for i, key in enumerate(layer)}
    rank = {key: r for r, layer in enumerate(layers) for key in layer}
    between: dict[int, list[tuple[float, float]]] = {}
    for a, leaves, b, enters in pieces:
        between.setdefault(rank[a], []).append((place[a] + leaves, place[b] + enters))
    total = 0
    for gap in between.values():
        ends: list[float] = []
        for _, end in sorted(gap):
            total += len(ends) - bisect.bisect_right(ends, end)
            bisect.insort(ends, end)
    return total
