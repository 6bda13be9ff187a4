"""No two boxes may overlap, no edge may lead back, no row may pass the width: for any graph."""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from netwright.show.layout import APART, BEND, ROW_GAP, Edge, Item, layout

graphs = st.integers(1, 9).flatmap(
    lambda n: st.tuples(
        st.lists(st.tuples(st.floats(20, 150), st.floats(20, 90)), min_size=n, max_size=n),
        st.sets(st.tuples(st.integers(0, n - 1), st.integers(0, n - 1)).filter(lambda e: e[0] < e[1])),
        st.floats(200, 900),
    )
)


@given(graphs)
def test_boxes_stay_apart_and_within(graph):
    sizes, pairs, width = graph
    items = [Item(str(i), w, h) for i, (w, h) in enumerate(sizes)]
    edges = [Edge(str(a), str(b), "(3,)") for a, b in sorted(pairs)]
    found = layout(items, edges, width, 6.0)
    boxes = [(*found.places[item.key], item) for item in items]
    for (x, y, a), (u, v, b) in itertools.combinations(boxes, 2):
        assert x + a.width <= u or u + b.width <= x or y + a.height <= v or v + b.height <= y
    for x, y, item in boxes:
        assert x >= -1e-6 and x + item.width <= found.width + 1e-6 <= max(width, 28 + item.width) + 15
        assert y >= -1e-6 and y + item.height <= found.height + 1e-6
    for edge, route in found.routes.items():
        start, end = items[int(edge.start)], items[int(edge.end)]
        x, y = found.places[edge.start]
        u, v = found.places[edge.end]
        assert route[0] == (x + start.width, y + start.height / 2)
        assert route[-1] == (u, v + end.height / 2)


def test_branches_stand_below_each_other_and_rows_wrap():
    items = [Item(key, 100, 40) for key in "abcd"]
    edges = [Edge("a", "b"), Edge("a", "c"), Edge("b", "d"), Edge("c", "d")]
    found = layout(items, edges, 1000, 6.0)
    assert found.places == {"a": (0, 28), "b": (130, 0), "c": (130, 56), "d": (260, 28)}
    wrapped = layout(items, edges, 300, 6.0).places
    assert wrapped["d"][0] == 28 and wrapped["d"][1] > wrapped["c"][1] + 40


def test_one_label_for_one_value():
    items = [Item(key, 100, 40) for key in "abc"]
    found = layout(items, [Edge("a", "b", "(3,)"), Edge("a", "c", "(3,)")], 1000, 6.0)
    assert [text for text, _ in found.labels] == ["(3,)"]


def test_each_of_several_values_leaves_by_itself_and_has_its_own_label():
    items = [Item(key, 100, 40) for key in "ab"]
    edges = [Edge("a", "b", "(3,)", "x"), Edge("a", "b", "(3,)", "y")]
    found = layout(items, edges, 1000, 6.0)
    assert found.leaves == {("a", "x"): 11.0, ("a", "y"): 29.0}
    (_, (x, y)), (_, (u, v)) = found.labels
    assert (x, y + APART) == (u, v)
    upper, lower = (found.routes[edge] for edge in edges)
    assert upper[0] == (100, 11) and lower[0] == (100, 29) and upper[-1] == lower[-1]
    assert upper[1][1] == 11 and upper[1][0] > u  # straight until behind the label


def test_several_values_go_round_the_end_of_a_row_side_by_side():
    items = [Item("a", 100, 40), Item("b", 100, 40), Item("c", 100, 40)]
    edges = [Edge("a", "b", "(3,)", "x"), Edge("a", "c", "(4,)", "y")]
    found = layout(items, edges, 120, 6.0)
    upper, lower = (found.routes[edge] for edge in edges)
    assert upper[2][1] == lower[2][1] + APART  # the lower one turns first
    assert upper[1][0] > lower[1][0] and upper[3][0] > lower[3][0] > 0
    assert found.places["b"][1] >= 40 + ROW_GAP + APART


def test_edges_bend_behind_the_label():
    items = [Item(key, 100, 40) for key in "abc"]
    straight = layout(items[:2], [Edge("a", "b", "(3, 3, 3)")], 1000, 6.0)
    bent = layout(items, [Edge("a", "b", "(3, 3, 3)"), Edge("a", "c", "(3, 3, 3)")], 1000, 6.0)
    assert bent.places["b"][0] == straight.places["b"][0] + BEND
    assert bent.labels[0][1][0] == straight.labels[0][1][0]
