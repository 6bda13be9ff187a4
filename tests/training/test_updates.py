"""Bound optimizers: their state, kept and put back, gives the same next steps, bit for bit."""

import json
from functools import partial

import pytest
import torch

from netwright.errors import TrainingError
from netwright.training.optimizers import OPTIMIZERS, FlatGroup, optimizer_of
from netwright.training.snapshot import Snapshot

TORCHS = [
    torch.optim.SGD, partial(torch.optim.SGD, momentum=0.9), torch.optim.Adam, partial(torch.optim.Adam, amsgrad=True),
    torch.optim.AdamW, torch.optim.Adagrad, torch.optim.Adadelta, torch.optim.Adamax, torch.optim.ASGD,
    torch.optim.NAdam, torch.optim.RAdam, torch.optim.RMSprop, torch.optim.Rprop, torch.optim.Adafactor,
]  # fmt: skip


def bound(optimizer, weights):
    gradient = torch.zeros_like(weights)
    pieces = [(weights[:6].view(2, 3), gradient[:6].view(2, 3)), (weights[6:], gradient[6:])]
    return optimizer_of(optimizer).bind(FlatGroup(weights, gradient, pieces)), gradient


def steps(update, gradient, seeds) -> None:
    for seed in seeds:
        gradient.copy_(torch.randn(10, generator=torch.Generator().manual_seed(seed)))
        with torch.no_grad():
            update(0.01)


@pytest.mark.parametrize("optimizer", [*OPTIMIZERS.values(), *TORCHS], ids=repr)
@pytest.mark.parametrize("cut", [0, 1, 70])
def test_an_update_goes_on_from_its_state(optimizer, cut) -> None:
    weights = torch.linspace(-1, 1, 10)
    update, gradient = bound(optimizer, weights)
    steps(update, gradient, range(cut))
    kept, at = update.state(), weights.clone()
    steps(update, gradient, range(cut, cut + 70))
    plain = json.loads(json.dumps(dict(kept.plain)))  # as a file gives it back
    other = at.clone()
    again, gradient = bound(optimizer, other)
    again.restore(Snapshot(kept.arrays, plain))
    steps(again, gradient, range(cut, cut + 70))
    assert torch.equal(other, weights)
    for name, array in update.state().arrays.items():
        assert torch.equal(again.state().arrays[name], array)


class Remembers(torch.optim.SGD):
    """Keeps an object for each parameter."""

    def step(self, closure=None):
        for group in self.param_groups:
            for parameter in group["params"]:
                self.state[parameter]["seen"] = {1, 2}
        return super().step(closure)


def test_a_state_that_no_file_can_hold() -> None:
    update, gradient = bound(Remembers, torch.zeros(10))
    steps(update, gradient, [0])
    with pytest.raises(TrainingError) as caught:
        update.state()
    assert str(caught.value) == (
        "the state of Remembers cannot be kept in a file\n"
        "  where:    optimizer, 'seen'\n"
        "  expected: tensors, numbers and texts\n"
        "  got:      set\n"
        "  mend:     nw.train without folder=, or another optimizer"
    )
