"""The trial of a range test changes nothing, is the same every time, and ends where the loss has no limit."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import torch
from tests.training.prepare.tools import options

import netwright as nw
from netwright.training.batch import Batch
from netwright.training.optimizers import OPTIMIZERS, optimizer_of
from netwright.training.prepare.prepare import Prepared, prepare
from netwright.training.prepare.try_rates import TrialSteps, rate_range_of
from netwright.training.range_test import RangeTest, RateRange

XS = torch.randn(60, 4, generator=torch.Generator().manual_seed(0))
DATA = (XS, XS.sum(1))
NET = nw.Chain(6, nw.BatchNorm(), nw.relu, nw.Dropout(0.2), nw.Linear(), input=nw.Vector(4), output=nw.Number())


def prepared(**more: Any) -> Prepared:
    return prepare(NET, DATA, options(epochs=2, batch_size=9, threads=1, **more))


def steps_of(run: Prepared) -> TrialSteps:
    return TrialSteps(run.engine, run.shaping, [update for update, _ in run.updates], run.other_arrays)


def tried(run: Prepared, test: RangeTest) -> RateRange:
    return rate_range_of(steps_of(run), test, run.feed.trial(run.batch_size, run.seed, run.least), 0.01)


@pytest.mark.parametrize("optimizer", [*OPTIMIZERS, torch.optim.NAdam])
def test_nothing_is_changed(optimizer: Any) -> None:
    run, same = (prepared(optimizer=optimizer_of(optimizer)) for _ in range(2))
    tried(run, RangeTest(steps=30, highest=10))
    assert torch.equal(run.engine.flat.master, same.engine.flat.master)
    assert all(torch.equal(array, same.other_arrays[path]) for path, array in run.other_arrays.items())
    for (update, _), (other, _) in zip(run.updates, same.updates, strict=True):
        state, known = update.state(), other.state()
        assert state.plain == known.plain
        assert state.arrays.keys() == known.arrays.keys()
        assert all(torch.equal(array, known.arrays[path]) for path, array in state.arrays.items())


def test_the_losses_are_those_of_a_run_with_these_rates() -> None:
    class Rises(nw.Callback):
        def on_step(self, status: nw.Status) -> None:
            if status.step < 8:
                status.rate_factor = rates[status.step] / rates[0]

    test = RangeTest(steps=20, highest=1.0)
    rates = test.rates(0.01)
    found = tried(prepared(), test)
    run = nw.train(
        NET, DATA, epochs=2, batch_size=9, threads=1, learning_rate=rates[0], schedule="constant",
        callbacks=[Rises()], progress=False,
    )  # fmt: skip
    assert found.rates == tuple(rates)
    assert found.losses[:7] == pytest.approx(run.losses[:7], rel=1e-5)  # of the first epoch
    assert found.before[0] == found.losses[0]
    assert tried(prepared(), test) == found


def test_a_loss_without_limit_ends_it() -> None:
    run = prepared(optimizer=optimizer_of("sgd"))
    found = tried(run, RangeTest(steps=100, highest=1e6))
    assert 10 < len(found.rates) < 100
    assert found.losses[-1] - found.before[-1] > 4 * sum(found.before) / len(found.before)


def test_a_loss_that_is_not_finite_ends_it() -> None:
    def broken() -> Iterator[Batch]:
        yield from [sound] * 30
        yield replace(sound, inputs={**sound.inputs, "target": sound.inputs["target"] * float("nan")})

    run = prepared()
    sound = run.feed.first(9)
    found = rate_range_of(steps_of(run), RangeTest(lowest=1e-6, highest=1e-5), broken(), 0.01)
    assert len(found.rates) == 30
    assert torch.equal(run.engine.flat.master, prepared().engine.flat.master)


@pytest.mark.parametrize("more", [{"clip": 0.01}, {"clip_value": 0.001}, {"penalties": {"linear1": nw.L2(9.0)}}])
def test_gradients_are_shaped_as_in_the_run(more: dict[str, Any]) -> None:
    given, free = (tried(prepared(optimizer=optimizer_of("sgd"), **one), RangeTest(steps=40)) for one in (more, {}))
    assert given.losses[20] - given.before[20] != pytest.approx(free.losses[20] - free.before[20], rel=1e-3)


def test_a_stream_is_read_as_without_a_trial() -> None:
    passes = []

    def stream() -> Iterator[Any]:
        passes.append(1)
        yield from ({"input": x.tolist(), "target": float(x.sum())} for x in XS)

    given: dict[str, Any] = {"epochs": 2, "batch_size": 9, "threads": 1, "progress": False}
    run = nw.train(NET, stream, learning_rate=RangeTest(), **given)
    count, passes[:] = len(passes), []
    assert run.rate_range is not None
    assert len(run.rate_range.rates) > 20
    known = nw.train(NET, stream, learning_rate=run.rate_range.rate, **given)
    assert (known.losses, len(passes)) == (run.losses, count)


def test_few_examples_come_again() -> None:
    run = prepare(NET, (XS[:3], DATA[1][:3]), options(epochs=1, batch_size=16, threads=1))
    sizes = [batch.size for batch, _ in zip(run.feed.trial(16, 0, 2), range(5), strict=False)]
    assert sizes == [3] * 5
    assert len(tried(run, RangeTest(steps=40, highest=1.0)).rates) == 40
