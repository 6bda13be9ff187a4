"""The pure function: torch.func works on it, and it writes nowhere."""

import pytest
import torch

import netwright as nw
from netwright.errors import DataError, MissingArraysError
from netwright.net.part import Net


@pytest.fixture
def net() -> Net:
    return nw.initialize(nw.Chain(4, nw.tanh, nw.Linear(2), input=3))


def test_gradients_are_those_of_autograd(net: Net) -> None:
    x = torch.randn(5, 3)
    gradients = torch.func.grad(lambda arrays: nw.apply(net, arrays, x).square().sum())(net.arrays)
    module = nw.to_torch(net)
    module(x).square().sum().backward()
    for name, parameter in module.named_parameters():
        torch.testing.assert_close(gradients[name.replace(".", "/")], parameter.grad)


def test_vmap_runs_an_ensemble_and_gradients_of_every_example(net: Net) -> None:
    x = torch.randn(5, 3)
    members = [nw.initialize(net.holding(arrays={}), seed=seed) for seed in range(3)]
    stacked = {path: torch.stack([member.arrays[path] for member in members]) for path in net.arrays}
    together = torch.func.vmap(lambda arrays: nw.apply(net, arrays, x))(stacked)
    torch.testing.assert_close(together, torch.stack([nw.apply(member, {}, x) for member in members]))

    def loss(arrays: dict[str, torch.Tensor], row: torch.Tensor) -> torch.Tensor:
        return nw.apply(net, arrays, row.unsqueeze(0)).sum()

    each = torch.func.vmap(torch.func.grad(loss), in_dims=(None, 0))(net.arrays, x)
    whole = torch.func.grad(lambda arrays: nw.apply(net, arrays, x).sum())(net.arrays)
    for path, gradient in each.items():
        torch.testing.assert_close(gradient.sum(0), whole[path])


def test_some_arrays_may_be_the_nets_own(net: Net) -> None:
    x = torch.randn(2, 3)
    bias = {"linear2/bias": net.arrays["linear2/bias"] + 1}
    torch.testing.assert_close(nw.apply(net, bias, x), nw.apply(net, {}, x) + 1)


def test_training_mode_writes_nothing() -> None:
    net = nw.initialize(nw.Chain(nw.BatchNorm(), nw.Dropout(0.5), input=3))
    before, x = nw.digest(net), torch.randn(8, 3)
    one = nw.apply(net, net.arrays, x, training=True, seed=1)
    assert one.equal(nw.apply(net, net.arrays, x, training=True, seed=1))
    assert not one.equal(nw.apply(net, net.arrays, x, training=True, seed=1, step=1))
    assert nw.digest(net) == before


def test_ports_by_name() -> None:
    net = nw.Graph(sum=(nw.Add(), "a", "b"), flip=(nw.Elementwise("neg"), "b"), input={"a": 2, "b": 2})
    got = nw.apply(net, {}, {"a": torch.ones(1, 2), "b": torch.ones(1, 2)})
    assert {name: value.tolist() for name, value in got.items()} == {"sum": [[2, 2]], "flip": [[-1, -1]]}
    with pytest.raises(DataError) as caught:
        nw.apply(net, {}, torch.ones(1, 2))
    assert str(caught.value) == "every input of the net needs a batch\n  expected: a, b\n  got:      a"


def test_missing_arrays() -> None:
    with pytest.raises(MissingArraysError) as caught:
        nw.apply(nw.Chain(2, input=2), {"linear1/bias": torch.zeros(2)}, torch.ones(1, 2))
    assert str(caught.value) == (
        "some arrays are not given\n  where:    linear1/weight\n  mend:     net.arrays has all"
    )


@pytest.mark.parametrize(
    ("lengths", "text"),
    [
        (
            {"m": torch.tensor([1, 2])},
            "the net has no size 'm' that varies\n  where:    lengths\n  expected: n\n  got:      'm'",
        ),
        (
            {"n": torch.tensor([1, 9])},
            "these are not lengths of the batch along n\n  where:    lengths, 'n'\n"
            "  expected: whole numbers (2,) from 1 to 4\n  got:      int64 (2,) from 1 to 9",
        ),
        (
            {"n": torch.tensor([0, 4])},
            "these are not lengths of the batch along n\n  where:    lengths, 'n'\n"
            "  expected: whole numbers (2,) from 1 to 4\n  got:      int64 (2,) from 0 to 4",
        ),
        (
            {"n": torch.tensor([1, 2, 3])},
            "these are not lengths of the batch along n\n  where:    lengths, 'n'\n"
            "  expected: whole numbers (2,) from 1 to 4\n  got:      int64 (3,) from 1 to 3",
        ),
    ],
)
def test_lengths_that_the_batch_cannot_have(lengths, text) -> None:
    net = nw.initialize(nw.Chain(nw.Linear(2), nw.Mean(0), input=("n", 3)))
    with pytest.raises(nw.DataError) as caught:
        nw.apply(net, {}, torch.zeros(2, 4, 3), lengths=lengths)
    assert str(caught.value) == text


def too_short(part: str, shape: str, n: str = "n = 1", row: int = 0) -> str:
    return (
        f"an example is too short for this net\n  where:    row {row}, {part}\n"
        f"  expected: at least 1 position in {shape}\n  got:      {n}"
    )


@pytest.mark.parametrize("last", [nw.GlobalMaxPool(), nw.GlobalAvgPool()])
def test_examples_that_are_too_short_are_refused_as_when_the_net_is_called(last: Net) -> None:
    net = nw.initialize(nw.Chain(nw.Conv(1, (3,)), last, input=("n", 3)))
    x = torch.randn(2, 4, 3)
    for ask in (
        lambda: nw.apply(net, {}, x, lengths={"n": torch.tensor([1, 4])}),
        lambda: nw.apply(net, {}, x[:1, :1]),
        lambda: nw.to_torch(net)(x[:1, :1]),
        lambda: net([x[0, :1], x[1]]),
    ):
        with pytest.raises(DataError) as caught:
            ask()
        assert str(caught.value) == too_short("conv1", "(n - 2, 1)")


def test_what_only_a_part_asks_for_is_checked_too() -> None:
    net = nw.Chain(nw.Slice((None, 2), axis=0), nw.Sum(), input=("n", 1))
    with pytest.raises(DataError) as caught:
        nw.apply(net, {}, torch.ones(2, 4, 1), lengths={"n": torch.tensor([4, 1])})
    assert str(caught.value) == too_short("slice1", "(n - 1,)", row=1)


def test_of_lengths_within_an_axis_the_real_ones_count() -> None:
    pooled = nw.Map([nw.Conv(1, (3,)), nw.GlobalMaxPool()])
    net = nw.initialize(nw.Chain(pooled, nw.Mean(0), input=nw.Array("n m[n] 2")))
    x, m = torch.randn(2, 2, 4, 2), torch.tensor([[3, 4], [4, 1]])
    got = nw.apply(net, {}, x, lengths={"n": torch.tensor([2, 1]), "m": m})
    torch.testing.assert_close(got[1], net([x[1, :1]])[0])
    with pytest.raises(DataError) as caught:
        nw.apply(net, {}, x, lengths={"n": torch.tensor([2, 2]), "m": m})
    assert str(caught.value) == too_short("map1/body/conv1", "(m - 2, 1)", "m = 1", row=1)


@pytest.mark.parametrize("dtype", [torch.uint8, torch.int8, torch.int16, torch.int32, torch.uint16, torch.uint32])
def test_lengths_are_whole_numbers_of_any_type(dtype: torch.dtype) -> None:
    net = nw.initialize(nw.Chain(nw.GRU(3), nw.Last(), input=("n", 2)))
    x, n = torch.randn(2, 5, 2), torch.tensor([2, 5])
    torch.testing.assert_close(
        nw.apply(net, {}, x, lengths={"n": n.to(dtype)}), nw.apply(net, {}, x, lengths={"n": n}), rtol=0, atol=0
    )


@pytest.mark.parametrize(
    ("x", "text"),
    [
        (
            torch.ones(4, 3),
            "a batch has one axis more than an example of the net\n"
            "  where:    input 'input'\n  expected: (batch, n, 3)\n  got:      (4, 3)",
        ),
        (
            torch.ones(2, 4, 5),
            "an example is not as long at port 'input' as the net needs\n"
            "  where:    row 0\n  expected: 3, the net's size\n  got:      5 at port 'input'",
        ),
    ],
)
def test_a_batch_that_is_not_the_nets(x, text) -> None:
    net = nw.initialize(nw.Chain(nw.Linear(2), nw.Mean(0), input=("n", 3)))
    with pytest.raises(DataError) as caught:
        nw.apply(net, {}, x)
    assert str(caught.value) == text


def test_lengths_of_no_example() -> None:
    net = nw.initialize(nw.Chain(nw.Linear(2), nw.Mean(0), input=("n", 3)))
    none = torch.zeros(0, dtype=torch.int64)
    assert nw.apply(net, {}, torch.ones(0, 4, 3), lengths={"n": none}).shape == (0, 2)
