"""Paths join, names get numbers, and a name that no path can hold is refused."""

import pytest

from netwright.errors import NetError
from netwright.net.names import Numbers, check_name, join_path, matches, moved, numbered, outermost


def test_paths_join_and_a_shared_place_starts_anew() -> None:
    assert join_path("a", "", "b") == "a/b"
    assert join_path("a", "@shared", "b") == "@shared/b"


def test_numbered_names_and_names_of_places() -> None:
    assert numbered(["relu1", "relu3"], "relu") == "relu2"
    for name in ("12", "4b", "conv_1"):
        check_name(name, "a place")
    with pytest.raises(NetError) as caught:
        check_name("a b", "a place")
    assert str(caught.value) == (
        "a part's name has letters, digits and underscores only\n  where:    a place\n  got:      'a b'"
    )


def test_names_with_numbers_go_on_where_the_last_one_ended() -> None:
    numbers = Numbers(["conv2", "dense"])
    assert [numbers.new("conv") for _ in range(3)] == ["conv1", "conv3", "conv4"]
    assert [numbers.again("dense"), numbers.again("dense")] == ["dense_2", "dense_3"]
    assert [numbers.again("gate"), numbers.again("gate")] == ["gate", "gate_2"]
    assert [numbers.kept("relu1", "relu"), numbers.kept("conv1", "conv")] == ["relu1", "conv5"]
    assert numbers.new("relu") == "relu2"


def test_a_pattern_means_a_path_or_a_part_around_it() -> None:
    paths = ["conv1/weight", "block/conv1/weight", "block/conv2/bias", "@layer/weight"]
    wanted = {
        "conv1": [0],
        "conv*": [0],
        "*conv1": [0, 1],
        "block": [1, 2],
        "block/conv?": [1, 2],
        "*/weight": [0, 1, 3],
        "@layer": [3],
        "conv": [],
    }
    assert {one: [i for i, path in enumerate(paths) if matches(path, one)] for one in wanted} == wanted
    assert outermost("block/conv1", "*conv1")
    assert not outermost("block/conv1", "b*")


def test_places_move_at_once_the_innermost_one_first() -> None:
    things = {"b/b/w": 1, "b/c/w": 2, "@a/w": 3, "x": 4}
    assert moved(things, {"b/b": "b", "b/c": "c"}) == {"b/w": 1, "c/w": 2, "@a/w": 3, "x": 4}
    assert moved({"a/w": 1, "b/w": 2}, {"a": "b", "b": "a"}) == {"b/w": 1, "a/w": 2}
