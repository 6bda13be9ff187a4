"""Two engines over the same net and batch, to compare what they leave."""

import torch

import netwright as nw
from netwright.training.batch import Batch
from netwright.training.engines.autograd import Autograd
from netwright.training.engines.engine import Engine
from netwright.training.engines.flat import Flat
from netwright.training.engines.pick import engine_of


def engines(net, loss, precision=None) -> tuple[Autograd, Engine]:
    """The autograd engine and the one that is chosen, over weights of their own."""
    whole = nw.initialize(nw.with_loss(net, loss), seed=1)
    draw = torch.Generator().manual_seed(2)
    learned = {
        path: a + 0.05 * torch.randn(a.shape, generator=draw)  # a bias that is 0 would hide what is done with it
        for path, a in whole.held.arrays.items()
        if whole.plan.arrays[path].weight.kind == "learned"
    }
    rest = {path: a.clone() for path, a in whole.held.arrays.items() if path not in learned}
    flats = [Flat.of(learned, precision, torch.device("cpu")) for _ in range(2)]
    return (
        Autograd.of(whole.plan, flats[0], rest, precision, 1),
        engine_of(whole.plan, flats[1], rest, precision, 1),
    )


def batch_of(x, target, weights=None, seed=0) -> Batch:
    """A batch whose examples are numbered from 0."""
    return Batch({"input": x, "target": target}, torch.arange(len(x)), weights)


def assert_same_gradient(one: Engine, other: Engine, batch: Batch, tolerance: float) -> None:
    """Losses and gradients agree, each array's difference measured against its length.

    A length below a tenth of the whole gradient's counts as that: a sum that cancels has no digits of its own.
    """
    losses = [engine.gradient(batch, 3) for engine in (one, other)]
    assert abs(losses[0] - losses[1]) <= tolerance * max(abs(losses[0]), 1)
    least = 0.1 * float(one.flat.gradient.norm())
    for path in one.flat.spans:
        expected, got = (engine.flat.view(engine.flat.gradient, path) for engine in (one, other))
        assert (expected - got).norm() <= tolerance * max(float(expected.norm()), least), path
