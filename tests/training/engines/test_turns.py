"""An engine for each part: one gradient a step, the others are 0."""

import torch

import netwright as nw
from netwright.training.batch import Batch
from netwright.training.engines.autograd import Autograd
from netwright.training.engines.engine import Turn
from netwright.training.engines.flat import Flat
from netwright.training.engines.turns import InTurn, Turns
from netwright.training.snapshot import Snapshot
from netwright.training.updates import InPlace


def engine() -> tuple[Turns, Autograd]:
    x = nw.Input("x", 2)
    hidden = nw.tanh(nw.Shared("body", nw.Linear(3))(x))
    loss = nw.Function(lambda y: y.square().mean(1), "k -> loss: ()")
    net = nw.initialize(nw.Graph({"one": loss(hidden), "other": loss(nw.Linear(2)(hidden))}), seed=0)
    flats = [Flat.of(dict(net.held.arrays), None, torch.device("cpu")) for _ in range(2)]
    slots, paths = dict(net.plan.wiring.outputs), (*net.held.arrays,)
    body, head = (tuple(p for p in paths if ("body" in p) == inside) for inside in (True, False))
    turns = (Turn("body", "one", slots["one"], body), Turn("head", "other", slots["other"], head))
    made = Turns.of(net.plan, flats[0], {}, None, 0, (), None, turns)
    return made, Autograd.of(net.plan, flats[1], {}, None, 0)


BATCH = Batch({"x": torch.randn(5, 2, generator=torch.Generator().manual_seed(0))}, torch.arange(5), None)


def test_each_step_has_the_gradient_of_one_part() -> None:
    made, whole = engine()
    losses: list[float] = []
    for step in range(3):
        losses.append(made.gradient(BATCH, step))
        assert made.turn == step % 2
        moved = {path for path, array in made.arrays(made.flat.gradient).items() if array.any()}
        assert moved == {*made.turns[step % 2].paths}
    assert losses[0] == losses[2]
    assert whole.gradient(BATCH, 0) == torch.tensor(losses[:2]).sum()
    made.gradient(BATCH, 1)  # the head is in its own loss alone
    for path in made.turns[1].paths:
        own, both = (e.flat.view(e.flat.gradient, path) for e in (made, whole))
        torch.testing.assert_close(own, both)


def test_what_is_not_finite_is_found_in_the_turn() -> None:
    made, _ = engine()
    assert made.broken() is None and made.culprit(BATCH, 0) is None
    made.flat.view(made.flat.master, made.turns[1].paths[0]).fill_(float("nan"))
    assert made.broken() == made.turns[1].paths[0]


def test_an_update_waits_for_its_turn() -> None:
    made, _ = engine()
    rates: list[float] = []
    update = InTurn(InPlace(rates.append, {"velocity": torch.zeros(2)}), made, 1)
    for step in range(4):
        made.gradient(BATCH, step)
        update(0.1 * step)
    assert rates == [0.1, 0.1 * 3]
    kept = update.state()
    assert kept.plain == {"steps": 2} and update.fits(kept) and not update.fits(Snapshot({}, {}))
    update.restore(Snapshot({"velocity": torch.ones(2)}, {"steps": 5}))
    assert update.state().plain == {"steps": 5}
