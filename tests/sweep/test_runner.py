"""A trial goes on exactly where it was, stops at the end of an epoch, and is the run that `nw.train` makes."""

from typing import Any

import pytest
import torch
from tests.sweep.tools import DATA, NET, NUMBERS, OF_NUMBERS

import netwright as nw
from netwright.sweep.runner import Runner, pause_after, runners
from netwright.sweep.variants import variants_of
from netwright.training.prepare.examples import split_data
from netwright.training.prepare.options import options_of

GIVEN: dict[str, Any] = {"validation": 30, "epochs": 6, "batch_size": 16, "threads": 1}


def runner_of(**more: Any) -> Runner:
    options = options_of({**GIVEN, **more})
    (make,) = runners(variants_of(NET, {"linear1.out": [5]}), split_data(NET, DATA, [options]), [options])
    return make()


@pytest.mark.parametrize(
    ("share", "steps", "epochs", "step"),
    [
        (1.0, 90, 9, None),
        (1 / 9, 90, 9, 10),
        (1 / 9, 99, 9, 11),
        (1 / 9, 100, 10, 20),
        (1 / 9, 90, 2, 10),
        (0.01, 3, 1, 1),
    ],
)
def test_it_stops_at_the_end_of_an_epoch_if_it_comes_so_far(
    share: float, steps: int, epochs: int, step: int | None
) -> None:
    assert pause_after(share, steps, epochs) == step


@pytest.mark.parametrize("more", [{}, {"ema": 0.9}, {"epochs": 1}, {"schedule": "one-cycle", "optimizer": "sgd"}])
def test_a_trial_of_several_stretches_is_the_run_of_train(more: dict[str, Any]) -> None:
    runner = runner_of(**more)
    for share in (1 / 9, 1 / 3, 1.0):
        runner.train(share)
    run = nw.train(NET.replace("linear1", nw.Linear(5)), DATA, progress=False, **{**GIVEN, **more})
    trial = runner.trial
    assert (trial.run.losses, trial.run.best, trial.run.ended) == (run.losses, run.best, "all epochs done")
    assert trial.net == run.net and trial.run.last == run.last
    assert nw.replay(trial.run, DATA, progress=False).equal


def test_a_trial_that_was_left_behind_can_be_replayed() -> None:
    runner = runner_of()
    runner.train(1 / 3)
    trial = runner.trial
    assert (trial.steps, trial.planned, trial.run.ended) == (12, 36, "stopped")
    assert nw.replay(trial.run, DATA, progress=False).equal


def test_patience_ends_a_trial_for_good() -> None:
    runner = runner_of(patience=1, learning_rate=1e-12, epochs=9)
    runner.train(1 / 3)
    steps = runner.trial.steps
    assert runner.trial.run.ended == "no better validation loss in 1 epoch"
    runner.train(1.0)
    assert (runner.trial.steps, runner.rounds) == (steps, 2)


def test_a_loss_that_is_not_finite_is_the_end_of_the_trial() -> None:
    changes = variants_of(OF_NUMBERS, {"learning_rate": [1e20]})
    (make,) = runners(changes, NUMBERS, [options_of({**GIVEN, "optimizer": "sgd", "learning_rate": 1e20})])
    runner = make()
    runner.train(1.0)
    assert runner.failed.startswith("the loss is not finite (step ")
    assert runner.figures is None
    assert runner.key[0]
    assert all(array.isfinite().all() for array in runner.trial.net.arrays.values())


def test_the_frozen_front_is_computed_once_for_all_trials() -> None:
    body = nw.initialize(nw.Chain(8, nw.tanh, input=3), seed=3)
    net = nw.Chain(body=body, head=[nw.Linear(4), nw.relu, nw.Linear(), nw.softmax], output=nw.Category(["no", "yes"]))
    options = options_of({**GIVEN, "learning_rate": {"body/*": 0}})
    variants = variants_of(net, {"head/linear1.out": [4, 5]})
    made = [make() for make in runners(variants, split_data(net, DATA, [options]), [options] * 2)]
    for runner, out in zip(made, (4, 5), strict=True):
        runner.train(1.0)
        assert [choice.name for choice in runner.trial.run.choices][-1] == "frozen front"
        assert not any("body" in path for path in runner.loop.prepared.net_with_loss.paths)
        run = nw.train(
            net.replace("head/linear1", nw.Linear(out)), DATA, progress=False, learning_rate={"body/*": 0}, **GIVEN
        )
        torch.testing.assert_close(
            torch.tensor(runner.trial.run.losses), torch.tensor(run.losses), rtol=1e-5, atol=1e-6
        )
        assert torch.equal(runner.trial.net.arrays["body/linear1/weight"], body.arrays["linear1/weight"])
        again = nw.replay(runner.trial.run, DATA, progress=False)
        torch.testing.assert_close(torch.tensor(again.run.losses), torch.tensor(run.losses), rtol=1e-5, atol=1e-6)
    first, second = (runner.loop.prepared.feed for runner in made)
    assert first.stored["input"] is second.stored["input"]


@pytest.mark.parametrize("other", [{"learning_rate": 0.1}, {"learning_rate": {"body/*": 0}, "mixup": 0.2}])
def test_a_trial_that_trains_the_front_or_mixes_its_examples_is_the_run_of_train(other: dict[str, Any]) -> None:
    net = nw.Chain(8, nw.tanh, input=3)
    net = nw.Chain(body=net, head=[nw.Linear(4), nw.relu, nw.Linear(), nw.softmax], output=nw.Category(["no", "yes"]))
    frozen = {"learning_rate": {"body/*": 0}}
    options = [options_of({**GIVEN, **own}) for own in (frozen, other)]
    variants = variants_of(net, [frozen, other])
    made = [make() for make in runners(variants, split_data(net, DATA, options), options)]
    for runner in made:
        runner.train(1.0)
    assert [made[0].trial.run.choices[-1].name, made[1].trial.run.choices[-1].name == "frozen front"] == [
        "frozen front",
        False,
    ]
    run = nw.train(net, DATA, progress=False, **GIVEN, **other)
    assert made[1].trial.run.losses == run.losses and made[1].trial.run.net == run.net


def test_streams_are_read_by_each_trial() -> None:
    def stream() -> Any:
        return zip(*DATA, strict=True)

    options = options_of({**GIVEN, "validation": DATA, "epochs": 2})
    assert split_data(NET, stream, [options]) is None
    (make,) = runners(variants_of(NET, {"linear1.out": [5]}), stream, [options])
    runner = make()
    runner.train(1 / 2)
    runner.train(1.0)
    run = nw.train(
        NET.replace("linear1", nw.Linear(5)), stream, progress=False, **{**GIVEN, "validation": DATA, "epochs": 2}
    )
    assert runner.trial.run.losses == run.losses
