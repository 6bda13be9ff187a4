"""One level of wiring: what a container's flow draws, and what it must not."""

from typing import Any

import pytest

import netwright as nw
from netwright.errors import NetError


class Twofold(nw.Container):
    """A part under names that its fields do not have."""

    body: nw.Net

    def flow(self, call: Any, *x: Any) -> Any:
        return call("second", self.body, call("first", self.body, *x))


class Clumsy(nw.Container):
    """Gives two parts one name."""

    body: nw.Net

    def flow(self, call: Any, *x: Any) -> Any:
        return call("same", self.body, call("same", self.body, *x))


def test_a_container_of_ones_own() -> None:
    trained = nw.initialize(nw.Chain(3, input=3))["linear1"]
    net = Twofold(trained)
    assert net.paths == ("first", "second")
    assert sorted(net.arrays) == ["first/bias", "first/weight", "second/bias", "second/weight"]
    assert net.body.arrays == {}
    assert net == nw.Chain(first=trained, second=trained)
    edited = net.replace("second", nw.relu)
    assert edited == nw.Chain(first=trained, second=nw.relu)
    assert nw.Chain(net, nw.relu)["twofold1/first"] == trained


def test_a_name_twice_is_refused() -> None:
    with pytest.raises(NetError) as caught:
        Clumsy(nw.relu)
    assert str(caught.value) == (
        "two parts have the name 'same'\n  where:    same\n  mend:     give one of them another name"
    )


def test_too_many_values_and_unknown_ports() -> None:
    x = nw.Input()
    with pytest.raises(NetError) as caught:
        nw.relu(x, x)
    assert str(caught.value) == (
        "relu is given more values than it has input ports\n"
        "  where:    relu\n  expected: 1: input\n  got:      2\n"
        "  mend:     read 1 of them, or join them first, with nw.Concatenate() or nw.Add()"
    )
    with pytest.raises(NetError) as caught:
        nw.where(x, x, c=x)
    assert str(caught.value) == (
        "where has no free input port 'c'\n  where:    where\n  expected: condition, a, b\n  got:      c"
    )
    with pytest.raises(NetError) as caught:
        x["hidden"]
    assert str(caught.value) == "there is no output port 'hidden'\n  expected: input\n  got:      'hidden'"


def test_deep_nets_are_asked_for_their_ports_once_a_level():
    net = nw.relu
    for _ in range(45):
        net = nw.Chain(a=net)
    assert net.required_names == ("input",)
    assert net.optional_names == ()
