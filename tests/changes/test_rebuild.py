"""Changes of places give a net, or an error that says why there is none."""

import pytest

import netwright as nw
from netwright.changes.difference import PlaceChange
from netwright.changes.rebuild import Rebuilding
from netwright.errors import NetError

NET = nw.Chain(nw.Linear(3), nw.relu, nw.Linear(2), input=3)


def reads(path: str, maker: str) -> PlaceChange:
    return PlaceChange("reads", path, "", None, ("", (("input", (maker, "output")),)))


def fault(*changes: PlaceChange, net: nw.Net = NET) -> str:
    with pytest.raises(NetError) as caught:
        Rebuilding(changes).whole(net)
    return str(caught.value)


def test_without_changes_it_is_the_net() -> None:
    assert Rebuilding([]).whole(NET) == NET.bare()
    bare = NET.stripped()
    assert Rebuilding([]).whole(bare) is bare


def test_names_are_put_on_last() -> None:
    changes = [
        PlaceChange("name", "relu1", "", "relu1", "act"),
        PlaceChange("part", "new", "", None, nw.tanh),
        reads("new", "relu1"),
        reads("linear2", "new"),
    ]
    made = Rebuilding(changes).whole(NET)
    assert made == nw.Chain(linear1=nw.Linear(3), act=nw.relu, new=nw.tanh, linear2=nw.Linear(2))


def test_what_is_untouched_is_the_same_object() -> None:
    net = nw.Chain(body=nw.Chain(nw.Linear(3), nw.relu), end=nw.Dropout(0.5), input=3)
    made = Rebuilding([PlaceChange("option", "end", "rate", 0.5, 0.1)]).whole(net)
    assert made.children()["body"] is net.children()["body"]  # type: ignore[attr-defined]


def test_what_makes_no_net() -> None:
    assert fault(reads("relu1", "gone")) == (
        "relu1 reads a value that is not there\n  where:    relu1\n  got:      gone"
    )
    assert fault(reads("linear1", "linear2")) == ("a part would read its own output: a cycle\n  where:    linear1")
    assert fault(PlaceChange("ports", "", "", None, (("input",), (("output", ("gone", "output")),)))) == (
        "an output reads a value that is not there\n  where:    the net\n  got:      gone"
    )
    assert fault(PlaceChange("name", "relu1", "", "relu1", "linear2")) == (
        "two parts would have the name 'linear2'\n  where:    linear2"
    )
    both = PlaceChange("option", "", "count", 2, 3), PlaceChange("part", "1/relu1", "", nw.relu, nw.tanh)
    assert fault(*both, net=nw.Repeat(2, [nw.Linear(3), nw.relu])) == (
        "parts inside change while options of the whole change too, and no net is written so\n"
        "  where:    the net\n"
        "  got:      count"
    )
