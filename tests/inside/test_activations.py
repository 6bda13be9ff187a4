"""The values inside a net: computed when they are asked for, equal to those of torch's hooks."""

from typing import Any

import pytest
import torch
from hypothesis import given, settings
from torch import Tensor

import netwright as nw
import random_nets
from inside.nets import classifier, folded, of_torch, rows
from messages import message
from netwright.net.run.execute import Bound


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Counts the runs of programs."""
    seen: list[Any] = []
    own = Bound.__call__

    def counted(self: Bound, *x: Any) -> Any:
        seen.append(self)
        return own(self, *x)

    monkeypatch.setattr(Bound, "__call__", counted)
    return seen


def test_they_are_what_hooks_of_torch_see() -> None:
    net, x = classifier(), rows(6, 3)
    module, seen = of_torch(net), list[Tensor]()
    for part in module:
        part.register_forward_hook(lambda _, __, y: seen.append(y))
    module(x)
    values = nw.activations(net, x)
    assert list(values) == ["linear1", "tanh1", "linear2", "softmax1"]
    for mine, theirs in zip(values.values(), seen, strict=True):
        torch.testing.assert_close(mine, theirs.detach())


def test_nothing_runs_before_it_is_asked_for_and_all_run_at_once(runs: list[Any]) -> None:
    values = nw.activations(classifier(), rows(6, 3))
    assert len(runs) == 0
    assert values["tanh1"].shape == (6, 5)
    assert "tanh1" in values
    assert len(values) == 4
    assert len(runs) == 1
    assert values["tanh1"] is dict(values)["tanh1"]
    assert next(iter(values.items()))[0] == "linear1"
    assert len(runs) == 2


def test_some_are_selected_by_path_or_pattern() -> None:
    net, x = classifier(), rows(3)
    assert list(nw.activations(net, x, "linear2")) == ["linear2"]
    assert list(nw.activations(net, x, ["softmax1", "linear*"])) == ["softmax1", "linear1", "linear2"]
    assert nw.activations(net, x, "*")["linear2"].shape == (4,)


@settings(max_examples=20)
@given(random_nets.nets())
def test_they_are_those_of_a_call(net: nw.Net) -> None:
    x = rows(3, random_nets.WIDTH)
    for path, value in nw.activations(net, x).items():
        torch.testing.assert_close(value, net(x, at=path))


def test_a_part_with_several_outputs_and_sequences_of_different_lengths() -> None:
    values = nw.activations(folded(), [rows(3, 4), rows(5, 4)])
    assert [*values][-2:] == ["fold1.output", "fold1.hidden"]
    assert [tuple(row.shape) for row in values["map1/body/linear1"]] == [(3, 3), (5, 3)]
    assert values["fold1.hidden"].shape == (2, 2)


def test_they_cannot_be_changed_and_say_what_they_are() -> None:
    values = nw.activations(classifier(), rows(3))
    assert not hasattr(values, "__setitem__")
    assert repr(values) == "Activations(4 values: linear1, tanh1, linear2, softmax1)"
    assert message(values.__getitem__, "linear3") == (
        "there is no value of 'linear3' here\n"
        "  where:    activations\n"
        "  expected: one of 4 paths\n"
        "  mend:     did you mean 'linear2' or 'linear1'?"
    )


def test_what_is_no_input_or_no_part_is_said_at_once() -> None:
    with pytest.raises(nw.DataError):
        nw.activations(classifier(), rows(4))
    with pytest.raises(nw.PathError):
        nw.activations(classifier(), rows(3), "linear3")


def test_a_graph_is_kept() -> None:
    x = rows(3).requires_grad_()
    assert nw.activations(classifier(), x)["linear2"].requires_grad


def test_a_net_of_one_layer_has_its_output() -> None:
    dense = nw.initialize(nw.Linear(2).with_input(3), seed=1)
    x = torch.rand(5, 3)
    values = nw.activations(dense, nw.batch(x))
    assert list(values) == ["linear"]
    torch.testing.assert_close(values["linear"], dense(nw.batch(x)))
    gated = nw.initialize(nw.GRU(2).with_input(("n", 3)), seed=1)
    found = nw.activations(gated, x)
    assert list(found) == ["gru.output", "gru.hidden"]
    torch.testing.assert_close(dict(found), {f"gru.{name}": value for name, value in gated(x).items()})
    assert list(nw.activations(gated, x, at="gru.hidden")) == ["gru.hidden"]
