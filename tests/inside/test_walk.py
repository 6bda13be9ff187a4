"""A walk through a net: each part as soon as it has run, with what it reads and gives."""

import pytest
import torch
from hypothesis import given, settings

import netwright as nw
import random_nets
from inside.nets import classifier, folded, language, rows


def test_each_part_is_shown_with_what_it_reads_and_gives() -> None:
    net, x = classifier(), rows(2, 3)
    visits = list(nw.walk(net, x))
    assert [visit.path for visit in visits] == ["linear1", "tanh1", "linear2", "softmax1"]
    assert visits[0].part == net["linear1"]
    torch.testing.assert_close(visits[0].inputs["input"], x)
    for visit in visits:
        torch.testing.assert_close(visit.outputs["output"], net(x, at=visit.path))
    torch.testing.assert_close(visits[2].inputs["input"], visits[1].outputs["output"])
    assert repr(visits[3]) == "softmax1: input (2, 4) -> output (2, 4)"


def test_parts_run_as_the_walk_goes_on() -> None:
    ran: list[str] = []

    def noted(x: torch.Tensor) -> torch.Tensor:
        ran.append("second")
        return x

    net = nw.initialize(nw.Chain(nw.Linear(2), nw.Function(noted, "... -> ..."), input=2))
    ran.clear()
    walk = nw.walk(net, rows(2))
    assert next(walk).path == "linear1"
    assert ran == []
    assert torch.is_grad_enabled()
    assert next(walk).outputs["output"].shape == (2,)
    assert ran == ["second"]
    with pytest.raises(StopIteration):
        next(walk)


@settings(max_examples=20)
@given(random_nets.nets())
def test_every_part_of_random_nets_does_what_it_is_shown_to_do(net: nw.Net) -> None:
    x = rows(3, random_nets.WIDTH)
    for visit in nw.walk(net, x):
        if len(visit.inputs) == 1:
            made = visit.part(nw.batch(next(iter(visit.inputs.values()))), nw.raw)
            torch.testing.assert_close(visit.outputs["output"], made)
        torch.testing.assert_close(visit.outputs["output"], net(x, at=visit.path))


def test_what_is_inside_a_fold_has_the_axis_of_its_elements() -> None:
    net = folded()
    assert [repr(visit) for visit in nw.walk(net, rows(3, 4))] == [
        "map1/body/linear1: input (3, 4) -> output (3, 3)",
        "map1/body/tanh1: input (3, 3) -> output (3, 3)",
        "fold1/body: input (3, 3), hidden (3, 2) -> hidden (3, 2)",
    ]
    xs = [rows(3, 4), rows(5, 4)]
    last = list(nw.walk(net, xs))[-1]
    hidden, before = last.outputs["hidden"], last.inputs["hidden"]
    for i in range(2):
        torch.testing.assert_close(hidden[i], net(xs, at="fold1/body")[i])
        torch.testing.assert_close(before[i][1:], hidden[i][:-1])
        assert not before[i][0].any()
    assert (
        repr(last)
        == "fold1/body: input 2 of different sizes, hidden 2 of different sizes -> hidden 2 of different sizes"
    )


def test_deep_nets_and_single_layers() -> None:
    net = language()
    paths = [visit.path for visit in nw.walk(net, "abc")]
    assert [path for path in net.paths if path in paths] == paths
    assert [visit.path for visit in nw.walk(nw.relu, nw.batch([1.0]))] == ["relu"]


def test_an_input_that_does_not_fit_is_refused_at_once() -> None:
    with pytest.raises(nw.DataError):
        nw.walk(classifier(), rows(4))
    with pytest.raises(nw.MissingArraysError):
        nw.walk(nw.Chain(2, input=3), rows(3))
