"""Edges turn round the ends of rows side by side, and labels stand where nothing else is."""

import itertools

from netwright.show.draw.items import STEP, Edge, Item
from netwright.show.draw.layout import layout


def items(keys: str) -> list[Item]:
    return [Item(key, 100, 40, 20) for key in keys]


def crossings(routes) -> int:
    """How often the upright and level stretches of different routes cross."""
    found = 0
    for one, other in itertools.permutations(routes, 2):
        for (x1, y1), (x2, y2) in itertools.pairwise(one):
            for (u1, v1), (u2, v2) in itertools.pairwise(other):
                level = y1 == y2 and min(x1, x2) < u1 < max(x1, x2)
                found += level and u1 == u2 and min(v1, v2) < y1 < max(v1, v2)
    return found


def test_several_values_turn_side_by_side_and_do_not_cross() -> None:
    wide = Item("a", 100, 80, 40, outs={"x": 20, "y": 40, "z": 60})
    edges = [Edge("a", value, end, "", 30) for value, end in zip("xyz", "bcd", strict=True)]
    found = layout([wide, *items("bcd")], edges, length=180, breadth=None)
    upper, middle, lower = (found.routes[edge] for edge in edges)
    assert len(found.rows) == 2 and crossings([upper, middle, lower]) == 0
    assert upper[2][1] == middle[2][1] + STEP == lower[2][1] + 2 * STEP
    assert len({place[1] for place in found.labels.values()}) == 3


def test_a_label_begins_at_its_box_or_stands_between_two_rows() -> None:
    edges = [Edge("a", "", "b", "", 40), Edge("b", "", "c", "", 40)]
    straight = layout(items("abc"), edges, length=1000, breadth=None)
    assert straight.labels["a", ""] == (104, 20)
    wrapped = layout(items("abc"), edges, length=330, breadth=None)
    assert len(wrapped.rows) == 2
    x, y = wrapped.labels["b", ""] if wrapped.places["b"][1] == 0 else wrapped.labels["a", ""]
    assert 40 < y < wrapped.places["c"][1] and 0 < x < 330


def test_edges_bend_behind_their_label() -> None:
    edges = [Edge("a", "", "b", "", 50), Edge("a", "", "c", "", 50)]
    found = layout(items("abc"), edges, length=1000, breadth=None)
    route = found.routes[edges[0]]
    assert route[0] == (100, route[0][1]) and route[1][1] == route[0][1] and route[1][0] >= 150


def test_a_value_passes_whole_rows_on_a_rail_beside_them() -> None:
    pairs = ["ab", "bc", "cd", "de", "ef", "fg", "gh", "ah"]
    edges = [Edge(a, "", b, "", 30) for a, b in pairs]
    found = layout(items("abcdefgh"), edges, length=420, breadth=None)
    assert len(found.rows) > 2
    rail = found.routes[edges[-1]]
    upright = [(x, abs(v - y)) for (x, y), (u, v) in itertools.pairwise(rail) if x == u]
    assert max(upright, key=lambda stretch: stretch[1])[0] == 0  # the longest stretch is at the left border
    assert crossings([found.routes[edge] for edge in edges[:-1]]) == 0
    assert found.turns == len(found.rows) - 1 + 1
