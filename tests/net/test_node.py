"""What every net is made of: names, paths, the arguments that give a value back."""

import pytest

import netwright as nw
from netwright.errors import NetError
from netwright.net.node import PARTS, arguments, check_name, join, keyword_arguments, kind, numbered


def test_paths_join_and_a_shared_place_starts_anew() -> None:
    assert join("a", "", "b") == "a/b"
    assert join("a", "@shared", "b") == "@shared/b"


def test_names_by_kind() -> None:
    assert (kind(nw.MaxPool(2)), kind(nw.relu)) == ("maxpool", "relu")
    assert numbered(["relu1", "relu3"], "relu") == "relu2"
    check_name("12", "a place")
    with pytest.raises(NetError) as caught:
        check_name("a b", "a place")
    assert str(caught.value) == (
        "a part's name is a Python name\n  where:    a place\n  got:      'a b'\n"
        "  mend:     letters, digits and underscores"
    )


def test_arguments_leave_defaults_out() -> None:
    assert arguments(nw.Linear(3)) == "3"
    assert arguments(nw.Linear(bias=False)) == "bias=False"


def test_the_table_of_parts_holds_finished_classes() -> None:
    assert PARTS["Linear"] is nw.Linear
    assert "Leaf" not in PARTS


def test_keyword_arguments_of_a_forward() -> None:
    assert keyword_arguments(nw.Dropout().forward) >= {"training", "random"}
    assert keyword_arguments(nw.Linear().forward) == frozenset()
