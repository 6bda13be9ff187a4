"""The way of each edge between placed boxes: straight in its layers, bent in the gaps, round the ends of rows."""

import itertools
from collections.abc import Mapping, Sequence

from netwright.show.draw.items import ROW_GAP, STEP, TRACK, TURN, Edge, Item, Point, Source
from netwright.show.draw.layers import Layers
from netwright.value import Value

NEAR = 4.0  # from a box to the label of its value


class DrawnRow(Value):
    """The layers of one row, from where to where it reaches along, and from where to where across."""

    start: int
    end: int
    begins_along: float
    reaches: float
    begins: float
    ends: float


class PlacedLevel(Value):
    """Items and lanes in their places, for the routes."""

    items: Mapping[str, Item]
    layers: Layers
    rows: Sequence[DrawnRow]
    begins: Mapping[int, float]
    lengths: Sequence[float]
    gaps: Sequence[float]
    bends: Sequence[float]
    places: Mapping[str, Point]

    def row(self, r: int) -> int:
        """The row of a layer."""
        return next(i for i, row in enumerate(self.rows) if row.start <= r < row.end)

    def turning(self, row: int) -> list[Source]:
        """The values that go round the end of a row, in order across."""
        r = self.rows[row].end - 1
        found: dict[Source, float] = {}
        for edge, chain in self.layers.chains.items():
            for key in chain[:-1]:
                if self.layers.rank[key] == r:
                    found[edge.source] = self.leaves(edge, key)
        return sorted(found, key=lambda source: found[source])

    def leaves(self, edge: Edge, key: str) -> float:
        """Where an edge leaves an item or lane that it goes through, across."""
        return self.places[key][1] + (self.items[key].leaves(edge.value) if key == edge.start else 0.0)


def route(placed: PlacedLevel, edge: Edge) -> tuple[Point, ...]:
    """The points an edge goes through."""
    chain = placed.layers.chains[edge]
    rank = placed.layers.rank
    points: list[Point] = []
    for a, b in itertools.pairwise(chain):
        r = rank[a]
        y = placed.leaves(edge, a)
        end = placed.places[b][1] + (placed.items[b].enters(edge.port) if b == edge.end else 0.0)
        reach = placed.begins[r] + placed.lengths[r]
        if a == edge.start:
            inset = (placed.lengths[r] - _along(placed, a)) / 2
            points.append((reach - inset, y))
        here = placed.row(r)
        if r == placed.rows[here].end - 1:
            points += _round(placed, edge, here, placed.row(rank[b]), y, end)
        elif abs(y - end) > 0.1:
            turn = reach + placed.gaps[r] - placed.bends[r]
            points += [(turn, y), (placed.begins[r + 1], end)]
        points.append((placed.places[b][0], end))
    return tuple(_without_doubles(points))


def _along(placed: PlacedLevel, key: str) -> float:
    """How long an item is: it stands in the middle of its layer."""
    r = placed.layers.rank.get(key)
    if r is None:
        return 0.0
    return placed.lengths[r] - 2 * (placed.places[key][0] - placed.begins[r])


def _round(placed: PlacedLevel, edge: Edge, here: int, there: int, y: float, end: float) -> list[Point]:
    """The way from the end of a row to the beginning of the next, or on a rail beside the rows to that of a later one.

    The lowest value turns first and passes nearest to its row, so none of them cross.
    """
    turning = placed.turning(here)
    below = len(turning) - 1 - turning.index(edge.source)
    row, after = placed.rows[here], placed.rows[there]
    right = row.reaches + TURN + TRACK * below
    between = row.ends + ROW_GAP / 2 + STEP * below
    rail = placed.layers.rails.get(edge.source)
    left = after.begins_along - TURN - TRACK * (len(turning) - 1 - below) if rail is None else TRACK * rail
    return [(right, y), (right, between), (left, between), (left, end)]


def _without_doubles(points: Sequence[Point]) -> list[Point]:
    """The points, without those on a straight line between their neighbours."""
    found: list[Point] = []
    for point in points:
        if found and abs(found[-1][0] - point[0]) < 0.01 and abs(found[-1][1] - point[1]) < 0.01:
            continue
        while len(found) > 1 and _on_line(found[-2], found[-1], point):
            found.pop()
        found.append(point)
    return found


def _on_line(a: Point, b: Point, c: Point) -> bool:
    return any(abs(a[i] - b[i]) < 0.01 and abs(b[i] - c[i]) < 0.01 for i in (0, 1))


def labels(placed: PlacedLevel, routes: Mapping[Edge, Sequence[Point]]) -> dict[Source, Point]:
    """Where the label of each value begins: at its start, or on the way between two rows."""
    found: dict[Source, Point] = {}
    for edge, points in routes.items():
        if edge.source in found or not edge.room:
            continue
        r = placed.layers.rank[edge.start]
        here = placed.row(r)
        if r == placed.rows[here].end - 1 and len(points) > 3:
            found[edge.source] = ((points[2][0] + points[3][0] - edge.room) / 2, points[2][1])
        else:
            found[edge.source] = (points[0][0] + NEAR, points[0][1])
    return found
