"""Finds where the boxes and edges of a drawing go: layers from left to right, branches below each other, rows wrap."""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from netwright.value import Value

Point: TypeAlias = tuple[float, float]

BRANCH_GAP = 16.0  # between boxes of one layer
ROW_GAP = 46.0  # between rows: an edge and its label pass there
LANE = 16.0  # height that an edge takes where it passes a layer
APART = 18.0  # between the values that leave one box: a label stands there
LEAST_GAP = 30.0  # between layers, more where a label stands
BEND = 20.0  # of a gap with a label, where edges change their height: behind the label, not through it
TURN = 14.0  # how far an edge leads out before it turns to the next row


class Item(Value):
    """Something with a place in a layer: a box, or a lane for an edge that passes."""

    key: str
    width: float
    height: float


class Edge(Value):
    """From one box to another, with the text that stands at its start; `value` is which value of the box it carries."""

    start: str
    end: str
    label: str = ""
    value: str = ""


class Layout(Value):
    """Where everything is: the upper left corner of every item, the route of every edge, the size of the whole.

    `leaves` is the height at which a value leaves its box.
    """

    places: Mapping[str, Point]
    leaves: Mapping[tuple[str, str], float]
    routes: Mapping[Edge, tuple[Point, ...]]
    labels: tuple[tuple[str, Point], ...]  # text and the middle of its base line
    width: float
    height: float


@dataclass
class _Layer:
    items: list[Item] = field(default_factory=list[Item])
    x: float = 0.0
    row: int = 0
    middle: float = 0.0

    @property
    def width(self) -> float:
        return max((item.width for item in self.items), default=0.0)

    @property
    def height(self) -> float:
        return sum(item.height for item in self.items) + BRANCH_GAP * (len(self.items) - 1)


def layout(items: Sequence[Item], edges: Sequence[Edge], width: float, label_width: float) -> Layout:
    """Places for items that are given in an order in which every edge leads forward.

    `width` is where rows wrap, `label_width` how wide one character of a label is.
    """
    rank = _ranks(items, edges)
    layers = [_Layer() for _ in range(max(rank.values()) + 1)]
    for item in items:
        layers[rank[item.key]].items.append(item)
    chains = {edge: _lanes(edge, rank, layers) for edge in edges}
    _order(layers, chains)
    leaving = _leaving(edges)
    values = _values(leaving)
    bent = _bent(layers, chains, rank, values)
    gaps = _gaps(layers, edges, rank, label_width)
    bends = [BEND if r in bent and gaps[r] > LEAST_GAP else 0.0 for r in range(len(layers))]
    widest = _wrap(layers, [gap + bend for gap, bend in zip(gaps, bends, strict=True)], width)
    height = _stack(layers, leaving)
    places, middles = _places(layers)
    item_of = {item.key: item for layer in layers for item in layer.items}
    leaves = {key: middles[key[0]] + off for key, off in values.items()}
    drawn = _Drawn(item_of, middles, places, layers, rank, leaving, leaves, _rows(layers), bends)
    routes = {edge: drawn.route(edge, chain) for edge, chain in chains.items()}
    return Layout(places, leaves, routes, _labels(routes, gaps, rank, layers), widest, height)


def _leaving(edges: Sequence[Edge]) -> dict[str, list[str]]:
    """The values that leave each box."""
    found: dict[str, dict[str, None]] = {}
    for edge in edges:
        found.setdefault(edge.start, {})[edge.value] = None
    return {start: list(values) for start, values in found.items()}


def _values(leaving: Mapping[str, Sequence[str]]) -> dict[tuple[str, str], float]:
    """How far from the middle of its box each value leaves it: several values leave as lines of their own."""
    return {
        (start, value): (i - (len(values) - 1) / 2) * APART
        for start, values in leaving.items()
        for i, value in enumerate(values)
    }


def _ranks(items: Sequence[Item], edges: Sequence[Edge]) -> dict[str, int]:
    """The layer of each item: the length of the longest way to it; items that read nothing stand first."""
    into: dict[str, list[str]] = {item.key: [] for item in items}
    for edge in edges:
        into[edge.end].append(edge.start)
    rank: dict[str, int] = {}
    for item in items:
        rank[item.key] = max((rank[start] + 1 for start in into[item.key]), default=0)
    return rank


def _lanes(edge: Edge, rank: dict[str, int], layers: Sequence[_Layer]) -> list[str]:
    """The keys an edge passes: its ends, and a new lane in every layer between."""
    chain = [edge.start]
    for r in range(rank[edge.start] + 1, rank[edge.end]):
        lane = f"{edge.start} {edge.value} -> {r}"  # edges with one value share their lanes
        if lane not in rank:
            layers[r].items.append(Item(lane, 0.0, LANE))
            rank[lane] = r
        chain.append(lane)
    return [*chain, edge.end]


def _order(layers: Sequence[_Layer], chains: Mapping[Edge, Sequence[str]]) -> None:
    """Order the items of a layer by the items that they read, so that few edges cross."""
    into: dict[str, list[str]] = {}
    for chain in chains.values():
        for start, end in itertools.pairwise(chain):
            into.setdefault(end, []).append(start)
    for before, layer in itertools.pairwise(layers):
        position = {item.key: i for i, item in enumerate(before.items)}

        def centre(item: Item, position: Mapping[str, int] = position) -> float:
            found = [position[start] for start in into.get(item.key, ()) if start in position]
            return sum(found) / len(found) if found else 0.0

        layer.items.sort(key=centre)


def _gaps(layers: Sequence[_Layer], edges: Sequence[Edge], rank: Mapping[str, int], label_width: float) -> list[float]:
    """The space after every layer."""
    gaps = [LEAST_GAP] * len(layers)
    for edge in edges:
        r = rank[edge.start]
        gaps[r] = max(gaps[r], len(edge.label) * label_width + 16)
    return gaps


def _bent(
    layers: Sequence[_Layer],
    chains: Mapping[Edge, Sequence[str]],
    rank: Mapping[str, int],
    values: Mapping[tuple[str, str], float],
) -> set[int]:
    """The layers after which an edge changes its height: heights in a row count from its middle."""
    heights: dict[str, float] = {}
    for layer in layers:
        y = -layer.height / 2
        for item in layer.items:
            heights[item.key] = y + item.height / 2
            y += item.height + BRANCH_GAP
    found: set[int] = set()
    for edge, chain in chains.items():
        for start, end in itertools.pairwise(chain):
            off = values[start, edge.value] if start == edge.start else 0.0
            if abs(heights[start] + off - heights[end]) > 0.1:
                found.add(rank[start])
    return found


def _wrap(layers: Sequence[_Layer], gaps: Sequence[float], width: float) -> float:
    """Give every layer its row and its x; the width of the widest row."""
    x, row, widest = 0.0, 0, 0.0
    for i, layer in enumerate(layers):
        if x > 0 and x + layer.width + (TURN if i + 1 < len(layers) else 0) > width:
            x, row = 2 * TURN, row + 1
        layer.x, layer.row = x, row
        widest = max(widest, x + layer.width)
        x += layer.width + gaps[i]
    return widest + (TURN if row else 0)


def _stack(layers: Sequence[_Layer], leaving: Mapping[str, Sequence[str]]) -> float:
    """Give every row its y; gives the whole height. Between rows there is space for every value that passes."""
    y, gap = 0.0, 0.0
    for inside in _by_row(layers):
        height = max(layer.height for layer in inside)
        for layer in inside:
            layer.middle = y + height / 2
        most = max(len(leaving.get(item.key, ())) for item in inside[-1].items)
        gap = ROW_GAP + APART * (max(1, most) - 1)
        y += height + gap
    return y - gap


def _by_row(layers: Sequence[_Layer]) -> list[list[_Layer]]:
    """The layers of each row."""
    return [list(inside) for _, inside in itertools.groupby(layers, key=lambda layer: layer.row)]


def _rows(layers: Sequence[_Layer]) -> list[Point]:
    """Where each row ends on the right, and below."""
    return [
        (max(layer.x + layer.width for layer in inside), max(layer.middle + layer.height / 2 for layer in inside))
        for inside in _by_row(layers)
    ]


def _places(layers: Sequence[_Layer]) -> tuple[dict[str, Point], dict[str, float]]:
    """The upper left corner of every item, and the y at which edges meet it."""
    places: dict[str, Point] = {}
    middles: dict[str, float] = {}
    for layer in layers:
        y = layer.middle - layer.height / 2
        for item in layer.items:
            places[item.key] = (layer.x + (layer.width - item.width) / 2, y)
            middles[item.key] = y + item.height / 2
            y += item.height + BRANCH_GAP
    return places, middles


class _Drawn(Value):
    """The layout that the edges need: where items are, and where values leave them."""

    item_of: Mapping[str, Item]
    middles: Mapping[str, float]
    places: Mapping[str, Point]
    layers: Sequence[_Layer]
    rank: Mapping[str, int]
    leaving: Mapping[str, Sequence[str]]
    leaves: Mapping[tuple[str, str], float]
    rows: Sequence[Point]
    bends: Sequence[float]

    def route(self, edge: Edge, chain: Sequence[str]) -> tuple[Point, ...]:
        """The points an edge goes through: out of each item on the right, into the next on the left, round row ends."""
        points: list[Point] = []
        for start, end in itertools.pairwise(chain):
            y = self.leaves[start, edge.value] if start == edge.start else self.middles[start]
            out = (self.places[start][0] + self.item_of[start].width, y)
            into = (self.places[end][0], self.middles[end])
            here, there = self.layers[self.rank[start]], self.layers[self.rank[end]]
            points.append(out)
            if here.row != there.row:
                points += self._round(edge, start, out, into)
            else:  # heights change in the gap alone, where no box stands
                bend = self.bends[self.rank[start]]
                points += [(there.x - bend if bend else here.x + here.width, y), (there.x, into[1])]
            points.append(into)
        return tuple(points)

    def _round(self, edge: Edge, start: str, out: Point, into: Point) -> list[Point]:
        """The way of an edge from the end of one row, between the rows, to the beginning of the next."""
        here, there = self.layers[self.rank[start]], self.layers[self.rank[start] + 1]
        own = self.leaving.get(start, ())
        place = own.index(edge.value) if start == edge.start else 0
        below, count = len(own) - 1 - place, max(1, len(own))  # the lowest line turns first, so that none cross
        right, bottom = self.rows[here.row]
        right += TURN * (below + 1) / count
        bottom += ROW_GAP / 2 + APART * below
        left = there.x - TURN * (1 + place / count)
        return [(right, out[1]), (right, bottom), (left, bottom), (left, into[1])]


def _labels(
    routes: Mapping[Edge, Sequence[Point]], gaps: Sequence[float], rank: Mapping[str, int], layers: Sequence[_Layer]
) -> tuple[tuple[str, Point], ...]:
    """One label for each value, above the start of its edge, or above the stretch between two rows."""
    found: dict[tuple[str, str], tuple[str, Point]] = {}
    for edge, route in routes.items():
        if not edge.label or (edge.start, edge.value) in found:
            continue
        r = rank[edge.start]
        if layers[r + 1].row != layers[r].row:
            place = ((route[2][0] + route[3][0]) / 2, route[2][1] - 6)
        else:
            place = (route[0][0] + gaps[r] / 2 - 3, route[0][1] - 6)
        found[edge.start, edge.value] = (edge.label, place)
    return tuple(found.values())
