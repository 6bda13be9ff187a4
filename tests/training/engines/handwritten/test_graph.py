"""Chains of kernels: whatever known leaves follow each other, the gradients are autograd's."""

import torch
from hypothesis import given, reject, settings
from hypothesis import strategies as st

import netwright as nw
from engine_pairs import assert_same_gradient, batch_of, engines
from netwright.training.engines.handwritten.engine import Written

torch.set_num_threads(1)
WIDTHS = st.integers(1, 9)
FUNCTIONS = st.sampled_from([nw.relu, nw.tanh, nw.sigmoid, nw.gelu, nw.Dropout(0.3)])
LINEAR = st.builds(nw.Linear, WIDTHS, bias=st.booleans())
CONV = st.builds(
    nw.Conv, st.integers(1, 6), st.sampled_from([1, 2, 3]), padding=st.integers(0, 1), stride=st.integers(1, 2),
    bias=st.booleans(),
)  # fmt: skip
POOL = st.sampled_from([nw.MaxPool(2), nw.AvgPool(2), nw.MaxPool(2, stride=1)])
DENSE = st.lists(st.one_of(LINEAR, FUNCTIONS), max_size=5)


@given(DENSE, st.booleans(), st.booleans(), st.integers(1, 6))
@settings(max_examples=40, deadline=None)
def test_dense_chains(leaves, classifies, weighted, count) -> None:
    ends = (nw.Linear(3), nw.softmax) if classifies else (nw.Linear(3),)
    net = nw.Chain(*leaves, *ends, input=4)
    one, other = engines(net, nw.CrossEntropy() if classifies else nw.MSE())
    assert isinstance(other, Written)
    torch.manual_seed(count)
    target = torch.randint(3, (count,)) if classifies else torch.randn(count, 3)
    weights = torch.rand(count) + 0.1 if weighted else None
    assert_same_gradient(one, other, batch_of(torch.randn(count, 4), target, weights), 2e-6)


@given(st.lists(st.one_of(CONV, FUNCTIONS), max_size=3), st.one_of(st.none(), POOL), CONV, st.integers(1, 4))
@settings(max_examples=40, deadline=None)
def test_chains_over_pictures(leaves, pool, conv, count) -> None:
    pools = () if pool is None else (nw.relu, pool)
    try:
        net = nw.Chain(conv, *leaves, *pools, nw.Flatten(), nw.Linear(3), nw.softmax, input=(22, 22, 2))
    except nw.SizeError:  # the windows were larger than what was left of the picture
        reject()
    one, other = engines(net, nw.CrossEntropy())
    assert isinstance(other, Written)
    torch.manual_seed(count)
    batch = batch_of(torch.randn(count, 22, 22, 2), torch.randint(3, (count,)))
    assert_same_gradient(one, other, batch, 2e-5)  # padded borders tie in windows of relu, whose gradient is 0 there


def test_values_at_every_position() -> None:
    net = nw.Chain(nw.Linear(5), nw.relu, nw.Linear(2), input=(3, 4))
    one, other = engines(net, nw.MSE())
    torch.manual_seed(0)
    assert isinstance(other, Written)
    assert_same_gradient(one, other, batch_of(torch.randn(6, 3, 4), torch.randn(6, 3, 2)), 1e-6)


def test_lenet_in_bf16_to_its_rounding() -> None:
    net = nw.Chain(
        nw.Conv(20, 5), nw.relu, nw.MaxPool(2), nw.Conv(50, 5), nw.relu, nw.MaxPool(2),
        nw.Flatten(), nw.Linear(100), nw.relu, nw.Linear(10), nw.softmax, input=(28, 28, 1),
    )  # fmt: skip
    one, other = engines(net, nw.CrossEntropy(), torch.bfloat16)
    exact, _ = engines(net, nw.CrossEntropy())
    torch.manual_seed(0)
    batch = batch_of(torch.rand(16, 28, 28, 1), torch.randint(10, (16,)))
    for engine in (one, other, exact):
        engine.gradient(batch, 0)
    for path in exact.flat.spans:
        truth, by_autograd, ours = (e.flat.view(e.flat.gradient, path) for e in (exact, one, other))
        error = (ours - truth).norm() / truth.norm()
        assert error < max(1.5 * float((by_autograd - truth).norm() / truth.norm()), 0.01), path


def test_a_net_that_begins_with_a_value_is_for_autograd() -> None:
    @nw.program(input=4)
    def scaled(input, p=nw.Parameter(4)):  # noqa: B008  # a part as a default is what a program is about
        return input * p

    x = torch.randn(64, 4, generator=torch.Generator().manual_seed(0))
    run = nw.train(scaled, (x, 3 * x), epochs=40, learning_rate=0.1, progress=False)
    assert run.losses[-1] < 0.1 * run.losses[0]
    graph = nw.Graph(c=(nw.Constant((1.0, 2.0)), {}), l=(nw.Linear(2), "input"), s=(nw.Add(), "l", "c"), input=4)
    assert nw.train(graph, (x, x[:, :2]), epochs=1, progress=False).losses
