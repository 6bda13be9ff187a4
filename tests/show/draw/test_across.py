"""Lines are straight where they can be, what forks is in the middle, and neighbours keep apart."""

import itertools
import math

from hypothesis import given
from hypothesis import strategies as st

from netwright.show.draw.across import Placing


def placed(layers, pulls, *, light="", axis=None, breadth=math.inf, reach=40.0):
    keys = [key for layer in layers for key in layer]
    weight = {key: 1e-9 if key in light else 1.0 for key in keys}
    sizes = {key: 0.0 if key in light else reach for key in keys}
    pulls = [(a, b, sizes[a] / 2 - sizes[b] / 2, 2.0 if a + b in ("al", "md") else 4.0) for a, b in pulls]
    return Placing(layers, sizes, dict.fromkeys(keys, 10.0), weight, pulls, axis or {}, breadth).solve()


def test_a_chain_is_straight() -> None:
    assert placed(["a", "b", "c"], ["ab", "bc"]) == {"a": 0, "b": 0, "c": 0}


def test_a_fork_is_in_the_middle_of_its_branches() -> None:
    found = placed(["a", "bcd", "e"], ["ab", "ac", "ad", "be", "ce", "de"])
    assert found["a"] == found["c"] == found["e"] == 50 and (found["b"], found["d"]) == (0, 100)


def test_a_lane_gives_way_to_a_box_and_is_straight() -> None:
    found = placed(["a", "lb", "mc", "d"], ["ab", "bc", "cd", "al", "lm", "md"], light="lm")
    assert abs(found["a"] - found["b"]) < 1e-6 and abs(found["b"] - found["d"]) < 1e-6
    assert found["l"] == found["m"] and found["l"] + 10 <= found["b"] + 1e-6


@given(st.lists(st.integers(1, 4), min_size=1, max_size=5), st.data())
def test_neighbours_keep_apart_and_stay_within(counts, data) -> None:
    letters = iter("abcdefghijklmnopqrst")
    layers = ["".join(next(letters) for _ in range(count)) for count in counts]
    pairs = [a + b for left, right in itertools.pairwise(layers) for a in left for b in right]
    pulls = data.draw(st.lists(st.sampled_from(pairs), unique=True)) if pairs else []
    found = placed(layers, pulls, breadth=200.0)
    for layer in layers:
        for a, b in itertools.pairwise(layer):
            assert found[a] + 50 <= found[b] + 1e-6
    assert all(-1e-6 <= place <= 160 + 1e-6 for place in found.values())


def test_items_with_a_place_have_it() -> None:
    found = placed(["a", "bc", "d"], ["ab", "bd"], axis={"a": -20.0, "d": -20.0})
    assert found["a"] == found["d"]
