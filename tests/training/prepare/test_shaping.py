"""Penalties by path: the places in the flat buffers that a pattern names."""

import torch

import netwright as nw
from engine_pairs import engines
from netwright.net.plan.plan import plan_of
from netwright.training.prepare.shaping import penalties_of


def test_a_pattern_names_places_in_the_buffers() -> None:
    net = nw.initialize(nw.Chain(3, nw.tanh, nw.Linear(2), input=4, output=nw.Vector(2)), seed=0)
    plan = plan_of(nw.with_loss(net, nw.MSE()))
    for engine in engines(net, nw.MSE()):
        flat = engine.flat
        assert not penalties_of(plan, engine, engine.paths, None, "net/")()
        found = penalties_of(plan, engine, engine.paths, {"*/weight": nw.L2(0.5), "linear2": nw.L1(2.0)}, "net/")
        before = flat.gradient.fill_(1.0).clone()
        value = found()
        arrays = {path.removeprefix("net/"): array for path, array in engine.arrays(flat.master).items()}
        squares = sum(array.square().sum() for path, array in arrays.items() if path.endswith("weight"))
        sizes = sum(array.abs().sum() for path, array in arrays.items() if path.startswith("linear2"))
        torch.testing.assert_close(torch.tensor(value), 0.5 * squares + 2.0 * sizes)
        added = {p.removeprefix("net/"): array for p, array in engine.arrays(flat.gradient - before).items()}
        for path, array in arrays.items():
            expected = (array if path.endswith("weight") else 0) + 2.0 * array.sign() * path.startswith("linear2")
            torch.testing.assert_close(added[path], expected, msg=path)


def test_neighbours_are_one_place() -> None:
    net = nw.initialize(nw.Chain(3, nw.tanh, nw.Linear(2), input=4, output=nw.Vector(2)), seed=0)
    (engine, *_) = engines(net, nw.MSE())
    plan = plan_of(nw.with_loss(net, nw.MSE()))
    (parts,) = penalties_of(plan, engine, engine.paths, {"*": nw.L2(0.5)}, "net/").parts
    assert len(parts) == 1
