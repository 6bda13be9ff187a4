"""A part has another name only if its numbers say so, or, where they say nothing, what it reads."""

import torch

import netwright as nw
from netwright.changes.renamed import HeldArrays, renamed_parts, uniform
from netwright.net.plan.container import ContainerNode


def renamed(before: nw.Net, after: nw.Net) -> dict[str, str]:
    assert isinstance(before, ContainerNode) and isinstance(after, ContainerNode)
    return renamed_parts(before.level, after.level, HeldArrays(before.held.arrays, after.held.arrays), "", "")


def test_equal_numbers_say_that_it_is_one_part() -> None:
    net = nw.initialize(nw.Chain(2, nw.relu, nw.Linear(2), input=2))
    assert renamed(net, net) == {}
    assert renamed(net, net.rename("linear2", "head").rename("linear1", "body")) == {
        "head": "linear2",
        "body": "linear1",
    }
    copied = net.rename("linear1", "body")
    assert renamed(net, copied.with_arrays(copied.arrays)) == {"body": "linear1"}
    swapped = nw.Chain(one=net["linear2"], act=nw.relu, two=net["linear1"], input=2)
    assert renamed(net, swapped) == {"one": "linear2", "two": "linear1", "act": "relu1"}


def test_a_part_that_was_changed_inside_is_known_by_its_numbers() -> None:
    net = nw.initialize(nw.Chain(body=nw.Chain(nw.Linear(3), nw.Dropout(0.5)), end=nw.Linear(2), input=3))
    other = net.rename("body/linear1", "first").replace("body/dropout1", nw.Dropout(0.1)).rename("body", "block")
    assert renamed(net, other) == {"block": "body"}
    assert renamed(net, other.with_arrays(other.arrays)) == {"block": "body"}


def test_other_numbers_say_that_it_is_another() -> None:
    net = nw.initialize(nw.Chain(a=nw.Linear(2), input=2), seed=0)
    assert renamed(net, nw.initialize(nw.Chain(b=nw.Linear(2), input=2), seed=1)) == {}
    assert renamed(net, nw.Chain(b=nw.Linear(3), input=2)) == {}


def test_where_numbers_say_nothing_it_is_what_the_part_reads() -> None:
    net = nw.Chain(nw.relu, nw.Dropout(0.5), nw.relu, input=2)
    assert renamed(net, net.rename("relu2", "last").rename("relu1", "first")) == {"first": "relu1", "last": "relu2"}
    norms = nw.initialize(nw.Chain(nw.LayerNorm(), nw.relu, nw.LayerNorm(), input=2))
    other = norms.rename("layernorm2", "last")
    assert renamed(norms, other.with_arrays(other.arrays)) == {"last": "layernorm2"}


def test_or_it_is_the_only_one_of_its_kind() -> None:
    net = nw.Chain(nw.relu, nw.Dropout(0.5), input=2)
    assert renamed(net, net.rename("relu1", "act").insert("act", nw.tanh)) == {"act": "relu1"}
    two = net.rename("relu1", "act").insert("act", nw.relu, "more")
    assert renamed(net, two) == {"more": "relu1"}  # it reads what relu1 read


def test_arrays_of_one_number() -> None:
    assert uniform(torch.zeros(3)) and uniform(torch.zeros(0)) and not uniform(torch.tensor([0.0, 1.0]))
