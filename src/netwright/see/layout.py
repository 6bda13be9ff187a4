"""Finds where the boxes and edges of a drawing go: layers from left to right, branches below each other, rows wrap."""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

Point: TypeAlias = tuple[float, float]

BRANCH_GAP = 16.0  # between boxes of one layer
ROW_GAP = 46.0  # between rows: an edge and its label pass there
LANE = 16.0  # height that an edge takes where it passes a layer
LEAST_GAP = 30.0  # between layers, more where a label stands
LINE = 12.0  # between two labels in a stack
TURN = 14.0  # how far an edge leads out before it turns to the next row


@dataclass(frozen=True)
class Item:
    """Something with a place in a layer: a box, or a lane for an edge that passes."""

    key: str
    width: float
    height: float


@dataclass(frozen=True)
class Edge:
    """From one box to another, with the text that stands at its start."""

    start: str
    end: str
    label: str = ""


@dataclass(frozen=True)
class Layout:
    """Where everything is: the upper left corner of every item, the route of every edge, the size of the whole."""

    places: Mapping[str, Point]
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
    gaps = _gaps(layers, edges, rank, label_width)
    widest = _wrap(layers, gaps, width)
    height = _stack(layers)
    places, middles = _places(layers)
    item_of = {item.key: item for layer in layers for item in layer.items}
    routes = {edge: _route(chain, item_of, middles, places, layers, rank) for edge, chain in chains.items()}
    return Layout(places, routes, _labels(routes, gaps, rank, layers), widest, height)


def _ranks(items: Sequence[Item], edges: Sequence[Edge]) -> dict[str, int]:
    """How many boxes stand before each at most; what nothing leads to stands first."""
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
        lane = f"{edge.start} -> {r}"  # edges from one box share their lanes
        if all(item.key != lane for item in layers[r].items):
            layers[r].items.append(Item(lane, 0.0, LANE))
            rank[lane] = r
        chain.append(lane)
    return [*chain, edge.end]


def _order(layers: Sequence[_Layer], chains: Mapping[Edge, Sequence[str]]) -> None:
    """Put the items of a layer in the order of what leads to them, so that few edges cross."""
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


def _stack(layers: Sequence[_Layer]) -> float:
    """Give every row its y; the height of the whole."""
    y = 0.0
    for row in range(layers[-1].row + 1):
        inside = [layer for layer in layers if layer.row == row]
        height = max(layer.height for layer in inside)
        for layer in inside:
            layer.middle = y + height / 2
        y += height + ROW_GAP
    return y - ROW_GAP


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


def _route(
    chain: Sequence[str],
    item_of: Mapping[str, Item],
    middles: Mapping[str, float],
    places: Mapping[str, Point],
    layers: Sequence[_Layer],
    rank: Mapping[str, int],
) -> tuple[Point, ...]:
    """The points an edge goes through: out of each item on the right, into the next on the left, round row ends."""
    points: list[Point] = []
    for start, end in itertools.pairwise(chain):
        out = (places[start][0] + item_of[start].width, middles[start])
        into = (places[end][0], middles[end])
        here, there = layers[rank[start]], layers[rank[end]]
        points.append(out)
        if here.row != there.row:
            inside = [layer for layer in layers if layer.row == here.row]
            right = max(layer.x + layer.width for layer in inside) + TURN
            bottom = max(layer.middle + layer.height / 2 for layer in inside) + ROW_GAP / 2
            points += [(right, out[1]), (right, bottom), (there.x - TURN, bottom), (there.x - TURN, into[1])]
        else:  # heights change in the gap alone, where no box stands
            points += [(here.x + here.width, out[1]), (there.x, into[1])]
        points.append(into)
    return tuple(points)


def _labels(
    routes: Mapping[Edge, Sequence[Point]], gaps: Sequence[float], rank: Mapping[str, int], layers: Sequence[_Layer]
) -> tuple[tuple[str, Point], ...]:
    """One label for each value, above the start of its edge, or above the stretch between two rows."""
    found: dict[tuple[str, str], tuple[str, Point]] = {}
    for edge, route in routes.items():
        if not edge.label or (edge.start, edge.label) in found:
            continue
        r = rank[edge.start]
        above = 6 + LINE * sum(start == edge.start for start, _ in found)  # several values of one part stand in a stack
        if layers[r + 1].row != layers[r].row:
            place = ((route[2][0] + route[3][0]) / 2, route[2][1] - above)
        else:
            place = (route[0][0] + gaps[r] / 2 - 3, route[0][1] - above)
        found[edge.start, edge.label] = (edge.label, place)
    return tuple(found.values())
