"""Layers lead forward, are as narrow as asked, and are ordered so that few edges cross."""

from hypothesis import given
from hypothesis import strategies as st

from netwright.show.draw.items import BRANCH_GAP, LANE, Edge, Item
from netwright.show.draw.layers import layered

graphs = st.integers(1, 10).flatmap(
    lambda n: st.tuples(
        st.just(n), st.sets(st.tuples(st.integers(0, n - 1), st.integers(0, n - 1)).filter(lambda e: e[0] < e[1]))
    )
)


def items(keys: str, across: float = 40) -> list[Item]:
    return [Item(key, 100, across, across / 2) for key in keys]


def edges(*pairs: str) -> list[Edge]:
    return [Edge(a, "", b) for a, b in pairs]


@given(graphs, st.sampled_from([None, 200.0]))
def test_every_edge_leads_to_a_later_layer_and_every_layer_is_narrow(graph, breadth) -> None:
    n, pairs = graph
    found = layered(
        items("abcdefghij"[:n], 80), [Edge("abcdefghij"[a], "", "abcdefghij"[b]) for a, b in pairs], breadth
    )
    for edge, chain in found.chains.items():
        assert found.rank[edge.end] - found.rank[edge.start] == len(chain) - 1 > 0
        for r, key in enumerate(chain, found.rank[edge.start]):
            assert key in found.order[r]
    for layer in found.order if breadth else ():
        boxes = [key for key in layer if key not in found.lanes]
        wide = len(boxes) * (80 + BRANCH_GAP) - BRANCH_GAP + LANE * (len(layer) - len(boxes))
        assert wide <= breadth or len(boxes) == 1


def test_a_skipped_layer_has_a_lane_beside_the_box() -> None:
    found = layered(items("abc"), edges("ab", "bc", "ac"), None)
    assert [len(layer) for layer in found.order] == [1, 2, 1]
    assert found.order[1][1] == "b" and found.order[1][0] in found.lanes  # above it
    assert found.crossings == 0


def test_edges_with_one_value_share_their_lanes() -> None:
    found = layered(items("abcde"), edges("ab", "bc", "cd", "ad", "de", "ae"), None)
    assert len(found.lanes) == 3


def test_nested_skips_do_not_cross() -> None:
    found = layered(items("abcdefg"), edges("ab", "bc", "cd", "de", "ef", "fg", "bf", "ce", "ag"), None)
    assert found.crossings == 0


def test_what_leads_to_one_place_only_stands_close_to_it() -> None:
    found = layered(items("aibjcd"), edges("ab", "bc", "cd", "ij", "jd"), None)
    assert (found.rank["i"], found.rank["j"], found.rank["d"]) == (1, 2, 3)


def test_crossings_are_counted_where_there_is_no_way_round() -> None:
    pairs = [a + b for a in "abc" for b in "xyz"]
    assert layered(items("abcxyz"), edges(*pairs), None).crossings == 9


def test_in_turn_a_second_input_stands_behind_what_its_reader_reads_else() -> None:
    names, pairs = items("abcdxyzr"), edges("ab", "bc", "cd", "dr", "xy", "yz", "zr")
    beside, behind = (layered(names, pairs, None, in_turn=in_turn).rank for in_turn in (False, True))
    assert [beside[key] for key in "abcdxyzr"] == [0, 1, 2, 3, 1, 2, 3, 4]
    assert [behind[key] for key in "abcdxyzr"] == [0, 1, 2, 3, 4, 5, 6, 7]
    alone = layered(items("abcxr"), edges("ab", "bc", "cr", "xr"), None, in_turn=True).rank
    assert alone["x"] == alone["c"]  # a lone input stands beside


def test_a_value_that_passes_a_whole_row_is_on_a_rail_and_has_no_lanes_there() -> None:
    pairs = edges("ab", "bc", "cd", "de", "ef", "af", "bd")
    found = layered(items("abcdef"), pairs, None, spans=[(0, 2), (2, 4), (4, 6)])
    assert found.rails == {("a", ""): 0}
    far = next(chain for edge, chain in found.chains.items() if (edge.start, edge.end) == ("a", "f"))
    assert [found.rank[key] for key in far] == [0, 1, 4, 5]
    assert found.order[1][-1] == far[1]  # at the side where it leaves to its rail
