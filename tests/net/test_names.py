"""Paths join, names get numbers, and a name that no path can hold is refused."""

import pytest

from netwright.errors import NetError
from netwright.net.names import Numbers, check_name, join_path, numbered


def test_paths_join_and_a_shared_place_starts_anew() -> None:
    assert join_path("a", "", "b") == "a/b"
    assert join_path("a", "@shared", "b") == "@shared/b"


def test_numbered_names_and_names_of_places() -> None:
    assert numbered(["relu1", "relu3"], "relu") == "relu2"
    check_name("12", "a place")
    with pytest.raises(NetError) as caught:
        check_name("a b", "a place")
    assert str(caught.value) == (
        "a part's name is a Python name\n  where:    a place\n  got:      'a b'\n"
        "  mend:     letters, digits and underscores"
    )


def test_names_with_numbers_go_on_where_the_last_one_ended() -> None:
    numbers = Numbers(["conv2", "dense"])
    assert [numbers.new("conv") for _ in range(3)] == ["conv1", "conv3", "conv4"]
    assert [numbers.again("dense"), numbers.again("dense")] == ["dense_2", "dense_3"]
    assert [numbers.again("gate"), numbers.again("gate")] == ["gate", "gate_2"]
    assert [numbers.kept("relu1", "relu"), numbers.kept("conv1", "conv")] == ["relu1", "conv5"]
    assert numbers.new("relu") == "relu2"
