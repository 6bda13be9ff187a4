"""Sorts items into layers, in which every edge leads forward, and orders each layer so that few edges cross.

Layers follow the longest way to an item. Where a picture is narrow, items move to later layers until each layer fits,
in the end one item to a layer, with the edges that pass it beside it. Edges that pass a layer have a *lane* there.

Source: Sugiyama, Tagawa and Toda 1981, "Methods for visual understanding of hierarchical system structures"
"""

import bisect
import itertools
from collections.abc import Iterable, Mapping, Sequence
from typing import TypeAlias

from netwright.show.draw.items import BRANCH_GAP, LANE, Edge, Item, Source
from netwright.value import Value

SWEEPS = 16  # through all layers, half of them back
_Near: TypeAlias = dict[str, list[tuple[str, float]]]
_Piece: TypeAlias = tuple[str, float, str, float]  # from an item or lane, where on it, to another, where on it


class Lane(Value):
    """Where an edge passes a layer."""

    key: str
    source: Source


class Layers(Value):
    """Items and lanes by layer, in order across; `chains` are the keys that each edge goes through."""

    rank: Mapping[str, int]
    lanes: Mapping[str, Lane]
    order: tuple[tuple[str, ...], ...]
    chains: Mapping[Edge, tuple[str, ...]]
    crossings: int


def layered(items: Sequence[Item], edges: Sequence[Edge], breadth: float | None) -> Layers:
    """Layers of items that are given in an order in which every edge leads forward.

    `breadth` is how far a layer may reach across; None, as far as it needs.
    """
    rank = _ranks(items, edges)
    if breadth is not None:
        _narrow(items, edges, rank, breadth)
    lanes: dict[str, Lane] = {}
    layers: list[list[str]] = [[] for _ in range(max(rank.values(), default=0) + 1)]
    for item in items:
        layers[rank[item.key]].append(item.key)
    chains: dict[Edge, tuple[str, ...]] = {}
    for edge in edges:
        passed = [f"{edge.start}\n{edge.value}\n{r}" for r in range(rank[edge.start] + 1, rank[edge.end])]
        for r, key in enumerate(passed, rank[edge.start] + 1):
            if key not in lanes:
                lanes[key] = Lane(key, edge.source)
                layers[r].append(key)
        chains[edge] = (edge.start, *passed, edge.end)
    order, crossings = _ordered(layers, lanes, items, chains)
    return Layers(rank, lanes, tuple(tuple(layer) for layer in order), chains, crossings)


def _ranks(items: Sequence[Item], edges: Sequence[Edge]) -> dict[str, int]:
    """The layer of each item: the longest way to it. What only leads to one place stands as close to it as it can."""
    into: dict[str, set[str]] = {item.key: set() for item in items}
    out: dict[str, set[str]] = {item.key: set() for item in items}
    for edge in edges:
        into[edge.end].add(edge.start)
        out[edge.start].add(edge.end)
    rank: dict[str, int] = {}
    for item in items:
        rank[item.key] = max((rank[start] + 1 for start in into[item.key]), default=0)
    last = max(rank.values(), default=0)
    private: set[str] = set()  # it and all before it lead nowhere else
    for item in items:
        if item.place == "last":
            rank[item.key] = last
        if item.place == "" and all(start in private and len(out[start]) == 1 for start in into[item.key]):
            private.add(item.key)
    for item in reversed(items):
        if item.key in private and out[item.key]:
            rank[item.key] = min(rank[end] for end in out[item.key]) - 1
    return rank


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
    layers: list[list[str]], lanes: Mapping[str, Lane], items: Sequence[Item], chains: Mapping[Edge, Sequence[str]]
) -> tuple[list[list[str]], int]:
    """The order in each layer with the fewest crossings that sweeps by barycentres find."""
    pieces = _pieces(items, chains)
    near: tuple[_Near, _Near] = ({}, {})  # what is before an item or lane, and what is after it
    for a, leaves, b, enters in pieces:
        near[0].setdefault(b, []).append((a, leaves))
        near[1].setdefault(a, []).append((b, enters))
    best, fewest = layers, -1
    for back in (False, True, False, True):  # from several beginnings, since sweeps end at the nearest good order
        found, count = _swept([layer[::-1] for layer in best] if fewest > 0 else layers, lanes, pieces, near, back)
        if fewest < 0 or count < fewest:
            best, fewest = found, count
        if fewest == 0:
            break
    return best, fewest


def _swept(
    layers: list[list[str]], lanes: Mapping[str, Lane], pieces: Iterable[_Piece], near: tuple[_Near, _Near], back: bool
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
                (centre, key not in lanes, index[key], key) for centre, key in zip(centres, layers[r], strict=True)
            ]
            layers[r] = [key for *_, key in sorted(keyed)]
        if sweep >= SWEEPS // 2:
            _switch(layers, near)
        count = _crossings(layers, pieces)
        if fewest < 0 or count < fewest:
            best, fewest = layers, count
        if fewest == 0:
            break
    return best, fewest


def _switch(layers: list[list[str]], near: tuple[_Near, _Near]) -> None:
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
            if then < now:
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
