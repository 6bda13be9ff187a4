"""What a container's flow draws, and what it must not."""

from typing import Any

import pytest
import torch

import netwright as nw
from netwright.errors import NetError
from netwright.net.node import PARTS


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


@pytest.mark.parametrize("name", ["arrays", "inputs", "outputs", "shared"])
def test_a_flow_cannot_look_at_what_the_net_holds(name: str) -> None:
    class Curious(nw.Container):
        body: nw.Net

        def flow(self, call: Any, *x: Any) -> Any:
            return call("full" if getattr(self.held, name) else "empty", self.body, *x)

    try:
        with pytest.raises(NetError) as caught:
            Curious(nw.Linear(3))
    finally:
        del PARTS["Curious"]
    assert str(caught.value) == (
        "flow looks at what the net holds: the wiring of a net follows from its fields alone\n"
        f"  where:    self.held.{name}\n"
        "  mend:     a field of the container for what flow has to know"
    )


def test_nets_that_differ_in_what_they_hold_have_one_wiring() -> None:
    net = Twofold(nw.Linear(3)).with_input(3)
    trained = nw.initialize(net)
    assert isinstance(net, Twofold)
    assert isinstance(trained, Twofold)
    assert trained.level is net.level
    assert trained.plan is net.plan
    assert trained.to(torch.float64).plan is net.plan
    assert trained.with_input(4).plan is not net.plan
    shared = nw.Shared("both", net)
    assert shared.plan.arrays.keys() == {
        "@both/first/weight",
        "@both/first/bias",
        "@both/second/weight",
        "@both/second/bias",
    }


def test_a_name_twice_is_refused() -> None:
    with pytest.raises(NetError) as caught:
        Clumsy(nw.relu)
    assert str(caught.value) == (
        "two parts have the name 'same'\n  where:    same\n  mend:     give one of them another name"
    )


def test_deep_nets_are_asked_for_their_ports_once_a_level():
    net = nw.relu
    for _ in range(45):
        net = nw.Chain(a=net)
    assert net.required_names == ("input",)
    assert net.optional_names == ()


class Wide(nw.Container, abstract=True):
    """A part that is used very often."""

    body: nw.Net
    often: int

    def flow(self, call: Any, *x: Any) -> Any:
        for i in range(self.often):
            x = (call(f"part{i}", self.body, *x),)
        return x[0]


@pytest.mark.parametrize(
    ("made", "where", "uses"),
    [
        (lambda: nw.Repeat(10**9, nw.relu), "Repeat", "1,000,000,000"),
        (lambda: nw.Repeat(400, nw.Repeat(400, nw.relu)), "Repeat", "160,000"),
        (lambda: Wide(nw.Repeat(317, nw.relu), 317), "Wide", "100,489"),
    ],
)
def test_a_net_of_very_many_leaves_is_refused_before_they_are_written_out(made: Any, where: str, uses: str) -> None:
    with pytest.raises(NetError) as caught:
        made().plan  # noqa: B018
    assert str(caught.value) == (
        "the net has too many parts\n"
        f"  where:    {where}\n"
        "  expected: at most 100,000, each counted as often as it is used\n"
        f"  got:      {uses}\n"
        "  mend:     nw.Fold or nw.Map, which use one part for every element"
    )
