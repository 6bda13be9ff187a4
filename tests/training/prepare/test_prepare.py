"""What is settled before the first step: every choice is said, and nothing of the net or the machine is changed."""

import numpy as np
import pytest
import torch
from tests.training.prepare.tools import options

import netwright as nw
from netwright.training.prepare.prepare import prepare

NET = nw.Chain(4, nw.BatchNorm(), nw.Linear(), input=nw.Number(), output=nw.Number())
DATA = ([float(i) for i in range(40)], [float(i) for i in range(40)])


def test_what_was_settled_is_said() -> None:
    prepared = prepare(NET, DATA, options(validation=0.25, clip=1.0))
    said = {choice.name: choice.setting for choice in prepared.choices}
    assert (said["batch size"], said["epochs"], said["threads"]) == (
        prepared.batch_size,
        prepared.epochs,
        prepared.threads,
    )
    assert (prepared.shaping.clip, said["clip"], said["schedule"]) == (1.0, 1.0, "warmup-stable-decay")
    assert (len(prepared.feed), prepared.least, prepared.prefix) == (30, 2, "net/")
    assert prepared.validate is not None


def test_preparing_again_from_the_choices_settles_the_same() -> None:
    first = prepare(NET, DATA, options(batch_size=10, learning_rate={"linear2": 0.5}, precision="float32"))
    again = prepare(NET, DATA, options(choices=first.choices))
    assert [choice.setting for choice in again.choices] == [choice.setting for choice in first.choices]
    assert {choice.why for choice in again.choices if choice.name != "loss"} == {"copied from the given choices"}
    assert again.batch_size == 10
    assert [rate for _, rate in again.updates] == [rate for _, rate in first.updates]


def test_nothing_is_changed() -> None:
    net, threads = nw.initialize(NET, seed=1), torch.get_num_threads()
    before = {path: array.clone() for path, array in net.held.arrays.items()}
    prepare(net, DATA, options(seed=3))
    assert all(torch.equal(array, net.held.arrays[path]) for path, array in before.items())
    assert torch.get_num_threads() == threads


@pytest.mark.parametrize("optimizer", ["adam", nw.SGD(), nw.Lion(weight_decay=0.1), torch.optim.Adagrad])
def test_the_trial_of_threads_makes_whole_steps_and_leaves_no_trace(monkeypatch, optimizer) -> None:
    tried: list[int] = []

    def trial(step) -> int:
        tried.extend([step(), step(), step()])
        return 1

    net = nw.Chain(nw.Linear(6), nw.BatchNorm(), nw.relu, nw.Dropout(0.3), nw.Linear(), input=nw.Vector(3),
                   output=nw.Number())  # fmt: skip
    draw = np.random.default_rng(0)
    data = (draw.normal(size=(40, 3)).astype("float32"), draw.normal(size=40).tolist())
    settings = {"epochs": 2, "batch_size": 8, "optimizer": optimizer, "penalties": {"*/weight": nw.L2(0.01)},
                "clip": 1.0, "learning_rate": 0.05, "progress": False}  # fmt: skip
    monkeypatch.setattr("netwright.training.prepare.prepare.fastest_thread_count", trial)
    monkeypatch.setattr("netwright.training.prepare.choices.WORK_FOR_THREADS", 0)
    found = nw.train(net, data, **settings)
    assert len(tried) == 3
    given = nw.train(net, data, threads=1, **settings)
    assert found.losses == given.losses
    assert found.net == given.net
    assert found.choice("threads").why == "more threads were not faster in a trial"
