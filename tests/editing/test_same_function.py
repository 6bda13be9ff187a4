"""Wider and deeper nets, and residual branches: the same function to 1e-6, in layers of every kind; and they train."""

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import netwright as nw
from messages import message
from netwright.net.part import Net
from random_nets import WIDTH, chains

FEW = settings(max_examples=15, deadline=None)
LENET = nw.initialize(
    nw.Chain(
        nw.Conv(6, 5), nw.BatchNorm(), nw.relu, nw.MaxPool(2), nw.Conv(8, 3), nw.relu,
        nw.Flatten(), nw.Linear(20), nw.relu, nw.Linear(), nw.softmax,
        input=(16, 16, 1), output=nw.Category(range(10)),
    )
)  # fmt: skip
PICTURES = nw.batch(torch.randn(5, 16, 16, 1, generator=torch.Generator().manual_seed(1)))


def same(before: Net, after: Net, x: Any) -> None:
    torch.testing.assert_close(after(x, nw.raw), before(x, nw.raw), rtol=0, atol=1e-6)
    for path, array in after.held.arrays.items():
        if path in before.held.arrays and array.shape == before.held.arrays[path].shape:
            assert array.data_ptr() == before.held.arrays[path].data_ptr(), path


@pytest.mark.parametrize(("path", "by"), [("conv1", 3), ("conv2", 20), ("linear1", 7)])
def test_a_wider_layer_of_a_convolutional_net(path: str, by: int) -> None:
    made = nw.widen(LENET, path, by)
    same(LENET, made, PICTURES)
    before, after = (net.plan.shape((path, "output"))[-1] for net in (LENET, made))
    assert (before, after) == (before, before + by)  # pyright: ignore


@pytest.mark.parametrize("kind", [nw.RNN, nw.GRU, nw.LSTM])
@pytest.mark.parametrize("position", [0, 1])
def test_a_wider_layer_of_a_recurrent_net(kind: Any, position: int) -> None:
    net = nw.initialize(nw.Chain(nw.Embedding(5), kind(4), nw.Last(), nw.Linear(2), input="n <7>"))
    made = nw.widen(net, net.paths[position], 6)
    x = nw.batch(torch.randint(7, (3, 9), generator=torch.Generator().manual_seed(1)))
    same(net, made, x)


@FEW
@given(chains(), st.data())
def test_deeper_random_nets_are_the_same_function(net: Net, data: st.DataObject) -> None:
    paths = [path for path in net.paths if isinstance(net[path], nw.Linear)]
    x = nw.batch(torch.randn(4, WIDTH, generator=torch.Generator().manual_seed(2)))
    if paths:
        path = data.draw(st.sampled_from(paths))
        same(net, nw.deepen(net, path), x)
    path = data.draw(st.sampled_from([path for path in net.paths if not isinstance(net[path], nw.Parallel)]))
    same(net, nw.add_residual(net, path, [nw.Linear(3), nw.relu, nw.Linear()]), x)


def test_a_new_layer_stands_behind_an_activation_that_may_be_repeated() -> None:
    assert nw.deepen(LENET, "conv1").paths[:6] == ("conv1", "batchnorm1", "relu1", "conv3", "relu4", "maxpool1")
    same(LENET, nw.deepen(LENET, "conv1"), PICTURES)
    same(LENET, nw.deepen(LENET, "linear2"), PICTURES)
    net = nw.initialize(nw.Chain(nw.Linear(4), nw.tanh, input=3))
    assert nw.deepen(net, "linear1").paths == ("linear1", "linear2", "tanh1")
    even = nw.initialize(nw.Chain(nw.Conv(4, 2, stride=2), nw.relu, input=(8, 8, 1)))
    same(even, nw.deepen(even, "conv1"), nw.batch(torch.ones(2, 8, 8, 1)))


@pytest.mark.parametrize(
    ("part", "path"),
    [
        (nw.Map([nw.Linear(4), nw.tanh]), "body/linear1"),
        (nw.Map(nw.Linear(4)), "body"),
        (nw.Fold(nw.GRUCell(4)), "body"),
        (nw.Bidirectional(nw.GRU(4)), "forward"),
        (nw.Repeat(2, nw.Linear(3)), "2"),
        (nw.Residual(nw.Linear(3)), "body"),
        (nw.Parallel(nw.Linear(4)), "linear1"),
        (nw.encoder_block(3, 1), "feed_forward/body/linear1"),
    ],
)
def test_a_branch_and_a_new_layer_in_every_container(part: Net, path: str) -> None:
    net = nw.initialize(nw.Chain(part=part, last=nw.Last(), head=nw.Linear(2), input=("n", 3)))
    x = nw.batch(torch.randn(3, 5, 3, generator=torch.Generator().manual_seed(3)))
    made = nw.add_residual(net, f"part/{path}", [nw.Linear()])
    torch.testing.assert_close(made(x, nw.raw), net(x, nw.raw), rtol=0, atol=1e-6)
    if isinstance(net[f"part/{path}"], nw.Linear):
        made = nw.deepen(net, f"part/{path}")
        torch.testing.assert_close(made(x, nw.raw), net(x, nw.raw), rtol=0, atol=1e-6)


def test_a_small_net_becomes_a_residual_one_step_by_step_and_still_trains() -> None:
    body = [nw.Conv(4, 3, padding="same"), nw.relu, nw.Conv(kernel=3, padding="same")]
    made = nw.add_residual(LENET, "relu1", body, name="branch")
    made = nw.add_residual(made, "relu2", body)
    same(LENET, made, PICTURES)
    assert "branch/body/gate" in made.paths
    assert made.arrays["branch/body/gate/value"].tolist() == [0.0]
    xs = np.random.default_rng(0).normal(size=(32, 16, 16, 1)).astype(np.float32)
    run = nw.train(made, (xs, [i % 10 for i in range(32)]), epochs=2, progress=False)
    assert run.net.arrays["branch/body/gate/value"].tolist() != [0.0]


def test_copies_of_a_unit_part_in_training() -> None:
    net = nw.initialize(nw.Chain(nw.Linear(3), nw.tanh, nw.Linear(1), input=2))
    made = nw.widen(net, "linear1", 3)
    xs = np.random.default_rng(0).normal(size=(64, 2)).astype(np.float32)
    run = nw.train(made, (xs, xs[:, :1] * xs[:, 1:]), epochs=3, progress=False)
    weight = run.net.arrays["linear1/weight"]
    assert not torch.allclose(weight[:3], weight[3:])


def test_a_residual_is_widened_where_its_sizes_follow() -> None:
    net = nw.initialize(nw.Chain(nw.Linear(5), nw.Residual(nw.Linear()), nw.Linear(2), input=3))
    same(net, nw.widen(net, "linear1", 3), nw.batch(torch.randn(4, 3)))


def test_nets_without_arrays_change_in_their_sizes() -> None:
    net = nw.Chain(nw.Linear(4), nw.relu, nw.Linear(2), input=3)
    assert nw.widen(net, "linear1", 2) == nw.Chain(nw.Linear(6), nw.relu, nw.Linear(2), input=3)
    assert not nw.deepen(net, "linear1").arrays
    assert not nw.add_residual(net, "relu1", [nw.Linear()]).arrays


NORM = nw.initialize(nw.Chain(nw.Linear(5), nw.LayerNorm(), nw.Linear(2), input=3))
WRONG: list[tuple[Any, str]] = [
    (
        lambda: nw.widen(NORM, "linear1", 3),
        "the net would not stay the same function\n  where:    linear1 -> output",
    ),
    (
        lambda: nw.widen(NORM, "layernorm1", 3),
        "LayerNorm has no width of its own\n  where:    layernorm1\n"
        "  expected: a layer with a width, such as nw.Linear, nw.Conv or nw.LSTM",
    ),
    (
        lambda: nw.widen(NORM, "linear1", 0),
        "the number of new units is a whole number of at least 1\n  where:    widen\n  got:      0",
    ),
    (
        lambda: nw.widen(NORM, "linear1", 10**13),
        "an array does not fit in memory\n  where:    linear1\n  got:      (10000000000005,), 40,000 GB\n"
        "  mend:     smaller sizes",
    ),
    (
        lambda: nw.widen(NORM, "liner1", 1),
        "no part of this net has the path 'liner1'\n  mend:     did you mean 'linear1'?",
    ),
    (
        lambda: nw.deepen(NORM, "layernorm1"),
        "a layer that changes nothing is known for Linear and Conv, not for LayerNorm\n  where:    layernorm1\n"
        "  mend:     nw.add_residual(net, 'layernorm1', part), for a branch with any part in it",
    ),
    (
        lambda: nw.add_residual(NORM, "linear1", nw.Linear(), name="linear2"),
        "the name 'linear2' is taken\n  where:    linear2\n  expected: none of linear1, layernorm1, linear2, input",
    ),
]


@pytest.mark.parametrize(("make", "text"), WRONG, ids=map(str, range(len(WRONG))))
def test_what_would_not_stay_the_same_is_refused(make: Any, text: str) -> None:
    assert message(make) == text
