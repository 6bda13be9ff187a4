"""No two boxes overlap, no edge goes through one, no row passes the width: for any graph; and `dot` is no better."""

import itertools
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dot_oracle import GRAPHS, level
from drawn_svg import Rect, inside, points
from netwright.show.draw.items import BRANCH_GAP, Edge, Item
from netwright.show.draw.layout import layout
from netwright.show.draw.lines import path

graphs = st.integers(1, 9).flatmap(
    lambda n: st.tuples(
        st.lists(st.tuples(st.floats(20, 150), st.floats(20, 90)), min_size=n, max_size=n),
        st.sets(st.tuples(st.integers(0, n - 1), st.integers(0, n - 1)).filter(lambda e: e[0] < e[1])),
    )
)
WIDTHS = st.one_of(st.tuples(st.floats(300, 900), st.none()), st.tuples(st.none(), st.floats(400, 900)))


@given(graphs, WIDTHS)
def test_boxes_stay_apart_and_edges_beside_them(graph, widths) -> None:
    sizes, pairs = graph
    length, breadth = widths
    items = [Item(str(i), w, h, h / 2) for i, (w, h) in enumerate(sizes)]
    edges = [Edge(str(a), "", str(b), "", 30) for a, b in sorted(pairs)]
    found = layout(items, edges, length=length, breadth=breadth)
    rects = {item.key: rect(found, item.key) for item in items}
    for a, b in itertools.combinations(rects.values(), 2):
        assert not a.overlaps(b)
    for one in rects.values():
        assert one.within(Rect(0, 0, found.along, found.across))
    for edge, route in found.routes.items():
        start, end = rects[edge.start], rects[edge.end]
        assert route[0] == pytest.approx((start.right, (start.top + start.bottom) / 2))
        assert route[-1] == pytest.approx((end.left, (end.top + end.bottom) / 2))
        way = points(path(route, down=False))
        assert not any(inside(point, one) for point in way for one in rects.values())
    assert length is None or all(reach <= length for reach, _ in found.rows)
    assert layout(items, edges, length=length, breadth=breadth) == found


def rect(found, key: str) -> Rect:
    x, y = found.places[key]
    along, across = found.sizes[key]
    return Rect(x, y, x + along, y + across)


def test_branches_stand_beside_each_other_and_rows_wrap() -> None:
    items = [Item(key, 100, 40, 20) for key in "abcd"]
    edges = [Edge("a", "", "b"), Edge("a", "", "c"), Edge("b", "", "d"), Edge("c", "", "d")]
    found = layout(items, edges, length=1000, breadth=None)
    (_, top), (_, bottom) = found.places["b"], found.places["c"]
    assert bottom - top == 40 + BRANCH_GAP
    assert found.places["a"][1] == found.places["d"][1] == (top + bottom) / 2
    wrapped = layout(items, edges, length=330, breadth=None).places
    assert wrapped["d"][1] > wrapped["c"][1] + 40


def test_even_items_of_a_layer_have_one_length() -> None:
    items = [Item("a", 50, 40, 20, even=True), Item("b", 90, 40, 20, even=True), Item("c", 30, 40, 20, even=True)]
    found = layout(items, [Edge("a", "", "c"), Edge("b", "", "c")], length=1000, breadth=None)
    assert (found.sizes["a"][0], found.sizes["b"][0], found.sizes["c"][0]) == (90, 90, 30)


STORED = json.loads((Path(__file__).parent / "dot.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", GRAPHS)
def test_graphviz_draws_no_fewer_crossings_and_not_much_narrower(name: str) -> None:
    items, edges = level(GRAPHS[name])
    found = layout(items, edges, length=None, breadth=None)
    stored = STORED["graphs"][name]
    assert (len(items), len(edges)) == (stored["items"], stored["edges"])  # it is the same graph
    assert found.crossings <= stored["crossings"] + 2
    assert found.across <= 1.25 * stored["across"] + 20
