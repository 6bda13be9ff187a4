"""Finds where the boxes and edges of one level of a net go.

Nets are nearly series-parallel: a chain in which some stretches have branches. So the layout is our own, and small:
layers along the chain, the branches of a stretch beside each other, rows that wrap. No library does the wrapping, and
a library would be needed wherever a net is shown. Graphviz's `dot` is what the tests compare crossings and sizes with.
"""

import itertools
import math
from collections import Counter
from collections.abc import Mapping, Sequence

from netwright.show.draw.across import Placing, Pull
from netwright.show.draw.items import (
    BEND,
    BRANCH_GAP,
    LANE,
    LEAST_GAP,
    ROW_GAP,
    STEP,
    TRACK,
    Edge,
    Item,
    Layout,
    Source,
)
from netwright.show.draw.layers import Layers, Spans, layered, passed_layers
from netwright.show.draw.routes import DrawnRow, PlacedLevel, labels, route
from netwright.show.draw.rows import RowParts, broken, turn
from netwright.value import Value

PULL, SKIPS, PASSES = 4.0, 2.0, 6.0  # how strongly an edge wants to be straight: at a box, if it skips; in its lanes
LIGHT = 1e-9  # the weight of a lane beside a box of 1: boxes keep their line, lanes give way
TIMES = 4  # how often gaps are widened for edges that turn out to bend


def layout(items: Sequence[Item], edges: Sequence[Edge], *, length: float | None, breadth: float | None) -> Layout:
    """Places for items that are given in an order in which every edge leads forward.

    `length` is how far a row may reach along, None without rows; `breadth` is how far a layer may reach across.
    """
    edges = list(dict.fromkeys(edges))
    found: list[Layout] = []
    for in_turn in (False, True) if length is not None else (False,):
        layers = layered(items, edges, breadth, in_turn=in_turn)
        level = _Level.of(items, edges, layers, breadth, None)
        spans, one = level.solved(length)
        found.append(one)
        if len(spans) == 1:
            break
        railed = layered(items, edges, breadth, in_turn=in_turn, spans=spans)
        if railed.rails:
            found.append(_Level.of(items, edges, railed, breadth, spans).solved(length)[1])
    return min(found, key=lambda one: (length is not None and one.along > length, one.turns, len(one.rows)))


class _Level(Value):
    """The layers of one level, and what is known of every item and lane."""

    items: Mapping[str, Item]
    edges: Sequence[Edge]
    layers: Layers
    pulls: Sequence[tuple[int, Pull]]  # with the layer of the first key
    even: Sequence[float]  # the size along of the even items of each layer
    breadth: float | None
    spans: Spans | None  # the rows, where they are known

    @staticmethod
    def of(
        items: Sequence[Item], edges: Sequence[Edge], layers: Layers, breadth: float | None, spans: Spans | None
    ) -> "_Level":
        of_key = {item.key: item for item in items}
        for key in layers.lanes:
            of_key[key] = Item(key, 0.0, 0.0, 0.0)
        pulls: dict[tuple[str, str, float, float], tuple[int, Pull]] = {}
        readers = Counter(edge.source for edge in edges)
        for edge, chain in layers.chains.items():
            for i, (a, b) in enumerate(itertools.pairwise(chain)):
                leaves = of_key[a].leaves(edge.value) if i == 0 else 0.0
                enters = of_key[b].enters(edge.port) if b == edge.end else 0.0
                skips = len(chain) > 2 and readers[edge.source] > 1  # past what others do with the same value
                strength = PASSES if a in layers.lanes and b in layers.lanes else SKIPS if skips else PULL
                pulls[a, b, leaves, enters] = (layers.rank[a], (a, b, leaves - enters, strength))
        even = [max((of_key[key].along for key in layer if of_key[key].even), default=0.0) for layer in layers.order]
        return _Level(of_key, edges, layers, list(pulls.values()), even, breadth, spans)

    def solved(self, length: float | None) -> tuple[Spans, Layout]:
        """The rows, and everything in its place; gaps are widened for edges that turn out to bend there."""
        bends: list[float] = [0.0] * len(self.layers.order)
        spans, at = self.rows(bends, length)
        for _ in range(TIMES):
            wanted = self.bends(spans, at)
            if all(has >= wants for has, wants in zip(bends, wanted, strict=True)):
                break
            bends = [max(pair) for pair in zip(bends, wanted, strict=True)]
            spans, at = self.rows(bends, length)
        return spans, self.placed(spans, at, bends, length)

    def along(self, key: str) -> float:
        """How long an item is: even items of a layer are as long as the longest."""
        item = self.items[key]
        return self.even[self.layers.rank[key]] if item.even else item.along

    def rows(self, bends: Sequence[float], length: float | None) -> tuple[Spans, dict[str, float]]:
        """The layers of each row, and where each item and lane begins across in its row."""
        order = self.layers.order
        spans = self.spans or ([(0, len(order))] if length is None else broken(self._parts(bends), length))
        at: dict[str, float] = {}
        reach = {key: item.across for key, item in self.items.items()}
        lanes = self.layers.lanes
        weight = {key: LIGHT if key in lanes else 1.0 for key in self.items}
        for start, end in spans:
            gap: dict[str, float] = {}
            for layer in order[start:end]:
                for a, b in itertools.zip_longest(layer, layer[1:]):
                    gap[a] = BRANCH_GAP if b is not None and a not in lanes and b not in lanes else LANE
            inside = [pull for r, pull in self.pulls if start <= r < end - 1]
            at.update(
                Placing(order[start:end], reach, gap, weight, inside, self._axis(), self.breadth or math.inf).solve()
            )
        return spans, at

    def _axis(self) -> dict[str, float]:
        """In a narrow picture boxes that are alone in their layer stand in one column."""
        if self.breadth is None:
            return {}
        boxes = [[key for key in layer if key not in self.layers.lanes] for layer in self.layers.order]
        alone = [self.items[layer[0]] for layer in boxes if len(layer) == 1]
        return {item.key: -item.middle for item in alone if not item.place}

    def bends(self, spans: Spans, at: Mapping[str, float]) -> list[float]:
        """The room that each gap needs for edges that change their place across in it; more for a wide change."""
        needed = [0.0] * len(self.layers.order)
        ends = {end - 1 for _, end in spans}
        for r, (a, b, shift, _) in self.pulls:
            change = abs(at[a] + shift - at[b])
            if r not in ends and change > 0.1:
                needed[r] = max(needed[r], min(BEND + 0.1 * change, 2.5 * BEND))
        return needed

    def placed(self, spans: Spans, at: Mapping[str, float], bends: Sequence[float], length: float | None) -> Layout:
        """Everything in its place: rows below each other, routes, labels."""
        parts = self._parts(bends)
        rows: list[DrawnRow] = []
        begins: dict[int, float] = {}
        below = 0.0
        left = max((turn(parts.cuts[start - 1]) for start, _ in spans[1:]), default=0.0)
        left += TRACK * len(self.layers.rails)
        for number, (start, end) in enumerate(spans):
            place = left if number else 0.0
            for r in range(start, end):
                begins[r] = place
                place += parts.lengths[r] + parts.gaps[r]
            reaches = begins[end - 1] + parts.lengths[end - 1]
            inside = [key for layer in self.layers.order[start:end] for key in layer]
            high = max(at[key] + self.items[key].across for key in inside)
            rows.append(DrawnRow(start, end, begins[start], reaches, below, below + high))
            below += high + ROW_GAP + STEP * max(0, parts.cuts[end - 1] - 1)
        placed = PlacedLevel(
            self.items,
            self.layers,
            rows,
            begins,
            parts.lengths,
            parts.gaps,
            bends,
            self._places(rows, begins, parts, at),
        )
        routes = {edge: route(placed, edge) for edge in self.edges}
        turns = [*(turn(parts.cuts[row.end - 1]) for row in rows[:-1]), 0.0]
        whole = max(row.reaches + beyond for row, beyond in zip(rows, turns, strict=True))
        sizes = {
            key: (self.along(key), item.across) for key, item in self.items.items() if key not in self.layers.lanes
        }
        return Layout(
            {key: placed.places[key] for key in sizes},
            sizes,
            routes,
            labels(placed, routes),
            whole,
            rows[-1].ends,
            tuple((row.reaches, length or whole) for row in rows),
            self.layers.crossings,
            sum(parts.cuts[row.end - 1] for row in rows[:-1]),
        )

    def _places(
        self, rows: Sequence[DrawnRow], begins: Mapping[int, float], parts: RowParts, at: Mapping[str, float]
    ) -> dict[str, tuple[float, float]]:
        """Where each item and lane begins; an item stands in the middle of its layer."""
        found: dict[str, tuple[float, float]] = {}
        for row in rows:
            for r in range(row.start, row.end):
                for key in self.layers.order[r]:
                    free = 0.0 if key in self.layers.lanes else (parts.lengths[r] - self.along(key)) / 2
                    found[key] = (begins[r] + free, row.begins + at[key])
        return found

    def _parts(self, bends: Sequence[float]) -> RowParts:
        """Lengths, gaps and passing values of the layers, for the breaking into rows."""
        order, rank = self.layers.order, self.layers.rank
        lengths = [max((self.along(key) for key in layer), default=0.0) for layer in order]
        rooms = [0.0] * len(order)
        passing: list[set[Source]] = [set() for _ in order]
        for edge in self.edges:
            rooms[rank[edge.start]] = max(rooms[rank[edge.start]], edge.room)
            railed = edge.source in self.layers.rails
            for r in (rank[edge.start], *passed_layers(edge, rank, self.spans if railed else None)):
                passing[r].add(edge.source)
        gaps = [max(LEAST_GAP, room + bend) for room, bend in zip(rooms, bends, strict=True)]
        ends = {
            self.items[layer[0]].place: r
            for r, layer in enumerate(order)
            if layer and all(self.items[key].place for key in layer)
        }
        glued = {r for place, r in ends.items() if place == "first"} | {
            r - 1 for place, r in ends.items() if place == "last"
        }
        return RowParts(lengths, gaps, [len(values) for values in passing], frozenset(glued - {-1, len(order) - 1}))
