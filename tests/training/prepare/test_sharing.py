"""Each process holds a share of the net where the whole does not fit; what does not fit at all is refused at once."""

from typing import Any

import pytest
import torch

import netwright as nw
from netwright.errors import TrainingError
from netwright.models.transformer import encoder_block
from netwright.training.engines.engine import Turn
from netwright.training.optimizers import Adam, Optimizer, Torch
from netwright.training.prepare import sharing
from netwright.training.prepare.choices import Chooser
from netwright.training.prepare.sharing import Sharing, held_by, sharing_of
from netwright.training.processes.group import Group


class Two(Group):
    size = on_machine = 2


def chosen(monkeypatch: Any, free: int, optimizer: Optimizer | None = None) -> tuple[Sharing, Chooser]:
    monkeypatch.setattr(sharing, "free_memory", lambda device: free)
    net = nw.with_loss(
        nw.Chain(*[encoder_block(16, 2) for _ in range(20)], input="5 16", output=nw.Array("5 16")), nw.MSE()
    )
    choose = Chooser((), Two())
    made = sharing_of(choose, net.plan, net.plan.arrays, optimizer or Adam(), 1000, torch.device("cpu"), None)
    return made, choose


def test_the_whole_is_held_where_it_fits(monkeypatch: pytest.MonkeyPatch) -> None:
    made, choose = chosen(monkeypatch, 10_000_000)
    assert (made.owners, made.most) == (None, 65_600)
    assert [str(choice) for choice in choose.made] == [
        "sharing: each process holds the whole net (weights, gradient, optimizer, the best net so far and values take "
        "about 1.6 MB; 5.0 MB are free for each process)"
    ]


def test_a_share_is_held_where_the_whole_does_not_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    made, choose = chosen(monkeypatch, 2_400_000)
    assert made.owners is not None
    assert made.most == 65_600 // 2 + 65_600 // 20
    assert [str(choice) for choice in choose.made] == [
        "sharing: each process holds 1/2 of the net (weights, gradient, optimizer, the best net so far and values take "
        "about 1.6 MB for the whole net, and 0.8 MB for a share; 1.2 MB are free for each process)"
    ]


def test_what_does_not_fit_even_as_a_share_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(TrainingError) as caught:
        chosen(monkeypatch, 400_000)
    assert str(caught.value) == (
        "the run does not fit in memory, although each process would hold a share of the net\n"
        "  where:    device 'cpu', 2 processes\n  expected: at least 0.8 MB for each process\n"
        "  got:      0.2 MB free\n"
        "  mend:     more processes on more devices, a smaller net, or shorter examples"
    )


def test_an_optimizer_that_may_need_whole_arrays_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(TrainingError, match="the net does not fit whole, and this optimizer may need whole arrays"):
        chosen(monkeypatch, 2_400_000, Torch(torch.optim.Adagrad))


def test_parts_that_learn_in_turn_need_the_whole_net(monkeypatch: pytest.MonkeyPatch) -> None:
    made, _ = chosen(monkeypatch, 2_400_000)
    net = nw.initialize(nw.Chain(2, input=2), seed=0)
    turns = [Turn("linear1", "output", ("linear1", "output"), ("linear1/weight",))]
    with pytest.raises(TrainingError) as caught:
        held_by(made, net, net.plan, {}, Adam(), None, 0, torch.device("cpu"), Two(), turns)
    assert str(caught.value) == (
        "parts that learn in turn need the whole net in each process, and it does not fit\n  where:    objective\n"
        "  got:      2 processes\n  mend:     a smaller net, or devices with more memory"
    )
