"""The run behind gradients: what is seen on the way, and which places a value depends on."""

import torch

import netwright as nw
from inside.nets import classifier, folded, rows
from netwright.inside.derivative import Derivative, by_what, check_depends
from netwright.inside.targets import targets_of
from netwright.net.run.given import Given


def test_a_batch_is_run_with_a_graph_and_derived_again_and_again() -> None:
    net, x = classifier(), rows(2, 3)
    given = Given.of(net, x)
    targets = targets_of(net, given.plan, "linear2", "gradients")
    locations = by_what(given.plan, ["input", "linear2/bias"], "gradients").found
    derivative = Derivative(net, given, targets, locations)
    (recorded,) = derivative.batches(4)
    assert recorded.count == 2
    value = recorded.values[0]
    assert isinstance(value, torch.Tensor)
    first = derivative.gradient(recorded, value[:, 0].sum(), again=True)
    second = derivative.gradient(recorded, value[:, 0].sum())
    assert first.keys() == {"input", "linear2/bias"}
    for name, gradient in first.items():
        torch.testing.assert_close(gradient, second[name])
    assert derivative.gradient(recorded, torch.zeros(())) == {}


def test_a_part_of_a_fold_is_seen_at_each_element() -> None:
    net = folded()
    given = Given.of(net, rows(3, 4))
    targets = targets_of(net, given.plan, "fold1.hidden", "gradients")
    derivative = Derivative(net, given, targets, by_what(given.plan, "fold1/body", "gradients").found)
    (recorded,) = derivative.batches(1)
    assert [len(tensors) for tensors in recorded.seen.values()] == [3]


def test_of_a_pattern_only_what_matters_is_kept() -> None:
    net = classifier()
    targets = targets_of(net, net.plan, "tanh1", "gradients")
    locations = by_what(net.plan, "*", "gradients")
    kept = check_depends(net.plan, targets, locations, "*", "gradients")
    assert [location.name for location in kept.found] == ["input", "linear1", "tanh1"]


def test_indices_are_left_out_of_patterns() -> None:
    net = nw.Chain(nw.Embedding(4), nw.Linear(2), input=nw.Characters("ab"))
    assert [location.name for location in by_what(net.plan, "*", "gradients").found] == ["embedding1", "linear1"]
