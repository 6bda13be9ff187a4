"""What differs between two structures, place by place, in the names of the first net."""

from collections.abc import Callable

import pytest
from tests.check.test_batches import NETS

import netwright as nw
from netwright.changes.difference import PlaceChange
from netwright.changes.structure import reads_of
from netwright.net.plan.container import ContainerNode


def keys(before: nw.Net, after: nw.Net) -> list[tuple[str, str, str]]:
    return sorted(change.key for change in nw.diff(before, after).places)


NET = nw.Chain(3, nw.relu, nw.Residual([nw.Linear(3), nw.Dropout(0.5)]), input=4)


def test_options_deep_inside() -> None:
    other = nw.Chain(3, nw.relu, nw.Residual([nw.Linear(3), nw.Dropout(0.1)]), input=4)
    assert keys(NET, other) == [("option", "residual1/body/dropout1", "rate")]


def test_an_inserted_part_and_what_reads_it() -> None:
    assert keys(NET, NET.insert("relu1", nw.tanh)) == [
        ("part", "tanh1", ""),
        ("reads", "relu1", ""),
        ("reads", "tanh1", ""),
    ]


def test_places_keep_the_names_of_the_first_net() -> None:
    other = NET.rename("residual1", "block").insert("relu1", nw.tanh).rename("relu1", "act")
    changes = {change.key: change for change in nw.diff(NET, other).places}
    assert changes["name", "residual1", ""].after == "block"
    assert changes["reads", "relu1", ""] == PlaceChange(
        "reads", "relu1", "", ("", (("input", ("linear1", "output")),)), ("", (("input", ("tanh1", "output")),))
    )
    assert ("reads", "residual1", "") not in changes  # it reads relu1 as before, whatever its name


def test_a_part_of_another_kind_is_another_part() -> None:
    assert keys(NET, NET.replace("relu1", nw.LayerNorm())) == [("part", "relu1", "")]
    assert keys(NET, nw.Linear(3)) == [("encoder", "", "input"), ("part", "", "")]


def test_one_net_written_in_two_ways_differs_in_nothing() -> None:
    chain = nw.Chain(nw.Linear(3), nw.relu, input=4)
    graph = nw.Graph(linear1=(nw.Linear(3), "input"), relu1=(nw.relu, "linear1"), input=4)
    assert keys(chain, graph) == []
    one, other = nw.Chain(part=chain, end=nw.tanh), nw.Chain(part=graph, end=nw.LayerNorm())
    assert keys(one, other) == [("part", "end", "")]


def test_what_a_call_reads() -> None:
    net = nw.Graph(one=(nw.Linear(4), "input"), two=("one", "one"), input=4)
    first, second = net.level.calls
    assert reads_of(first, "one", {}) == ("", (("input", ("", "input")),))
    assert reads_of(second, "two", {"one": "first"}) == ("first", (("input", ("first", "output")),))


@pytest.mark.parametrize("make", NETS.values(), ids=NETS)
def test_the_difference_of_any_two_kinds_of_nets_gives_the_other(make: Callable[[], nw.Net]) -> None:
    net = make()
    filled = nw.initialize(net, seed=1)
    assert nw.patch(net, nw.diff(net, filled)) == filled
    assert nw.patch(filled, nw.diff(filled, net)) == net
    for path in net.paths if isinstance(net, ContainerNode) else ():
        part = net[path]
        for wrap in (lambda part: nw.Shared("kept", part), lambda part: nw.Chain(part, nw.relu)):
            try:
                edited = net.replace(path, wrap(part))
            except nw.NetwrightError:
                continue
            assert nw.patch(net, nw.diff(net, edited)) == edited
            assert nw.patch(edited, nw.diff(edited, net)) == net


def test_the_difference_of_unlike_nets_gives_the_other() -> None:
    nets = [make() for make in NETS.values()]
    for before, after in zip(nets, [*nets[1:], nets[0]], strict=True):
        assert nw.patch(before, nw.diff(before, after)) == after
