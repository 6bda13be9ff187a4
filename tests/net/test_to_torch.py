"""Nets as plain modules: equal to 1e-6, trained by torch's own loop, and back again."""

import copy

import pytest
import torch
import torch.nn.functional as F

import netwright as nw
from netwright.errors import MissingArraysError, NetError
from netwright.net.part import Net


@pytest.fixture
def net() -> Net:
    return nw.initialize(
        nw.Chain(
            nw.Conv(4, 3),
            nw.BatchNorm(),
            nw.relu,
            nw.MaxPool(2),
            nw.Flatten(),
            nw.Dropout(0.5),
            nw.Linear(),
            input=nw.Image(8, 8, "gray"),
            output=3,
        )
    )


def test_equal_to_the_net(net: Net) -> None:
    module, x = nw.to_torch(net).eval(), torch.randn(5, 1, 8, 8)
    torch.testing.assert_close(module(x), nw.apply(net, {}, x.movedim(1, -1)), rtol=0, atol=1e-6)
    last = nw.to_torch(net, layout="channels_last").eval()
    torch.testing.assert_close(last(x.movedim(1, -1)), module(x), rtol=0, atol=1e-6)
    assert set(module.state_dict()) == {path.replace("/", ".") for path in net.arrays}
    assert {name for name, _ in module.named_buffers()} == {"batchnorm1.mean", "batchnorm1.variance"}


def test_it_trains_in_an_ordinary_loop_and_comes_back(net: Net) -> None:
    torch.manual_seed(1)
    module = nw.to_torch(net)
    x, y = torch.randn(30, 1, 8, 8), torch.arange(30) % 3
    optimizer = torch.optim.AdamW(module.parameters(), lr=0.01)
    losses: list[float] = []
    module.train()
    for _ in range(30):
        optimizer.zero_grad()
        loss = F.cross_entropy(module(x), y)
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < losses[0] / 2
    back = net.with_arrays(module.state_dict())
    assert nw.diff(net, back).of("changed") == tuple(net.plan.arrays)
    torch.testing.assert_close(nw.apply(back, {}, x.movedim(1, -1)), module.eval()(x), rtol=0, atol=1e-6)
    assert net.with_arrays(nw.to_torch(net).state_dict()) == net


def test_noise_follows_torchs_seed(net: Net) -> None:
    module, x = nw.to_torch(net).train(), torch.randn(5, 1, 8, 8)
    torch.manual_seed(3)
    first = module(x)
    assert not first.equal(module(x))
    torch.manual_seed(3)
    assert first.equal(module(x))
    assert module.eval()(x).equal(module(x))


def test_copies_are_independent(net: Net) -> None:
    module, x = nw.to_torch(net).eval(), torch.randn(2, 1, 8, 8)
    before = module(x)
    twin = copy.deepcopy(module)
    with torch.no_grad():
        for parameter in twin.parameters():
            parameter.zero_()
    assert module(x).equal(before)
    assert not twin(x).any()
    twin.load_state_dict(module.state_dict())
    assert twin(x).equal(before)
    swapped = torch.func.functional_call(module, {"linear1.bias": torch.full((3,), 100.0)}, (x,))
    torch.testing.assert_close(swapped, before - net.arrays["linear1/bias"] + 100)
    assert module.to(torch.float64)(x.double()).dtype == torch.float64


def test_shared_parts_are_one_parameter_and_names_may_be_those_of_methods() -> None:
    part = nw.Shared("same", nw.Linear(3))
    net = nw.initialize(nw.Chain(forward=part, train=nw.Linear(3), eval=part, input=3))
    module = nw.to_torch(net)
    assert [*module.state_dict()] == ["@same.weight", "@same.bias", "train.weight", "train.bias"]
    assert module(torch.ones(2, 3)).equal(nw.apply(net, {}, torch.ones(2, 3)))


def test_several_ports_and_sequences() -> None:
    net = nw.Graph(sum=(nw.Add(), "a", "b"), flip=(nw.Elementwise("neg"), "b"), input={"a": (4, 2), "b": (4, 2)})
    module = nw.to_torch(net)
    a, b = torch.randn(3, 4, 2), torch.randn(3, 4, 2)
    got = module(a, b)
    assert got["sum"].equal(a + b)
    assert got["flip"].equal(-b)
    with pytest.raises(NetError) as caught:
        module(a)
    assert str(caught.value) == "this module takes 2 tensors\n  expected: a, b\n  got:      1"


def test_a_net_without_arrays_is_refused() -> None:
    with pytest.raises(MissingArraysError) as caught:
        nw.to_torch(nw.Chain(2, input=2))
    assert caught.value.what == "2 of the 2 arrays of this net do not exist yet"


def attending(causal: bool) -> Net:
    turned = nw.Chain(nw.Linear(8), nw.Rotary(2))
    attention = nw.Graph(
        query=(turned, "input"),
        key=(turned, "input"),
        value=(nw.Linear(8), "input"),
        attended=(nw.Attention(heads=2, causal=causal), "query", "key", "value"),
    )
    return nw.Chain(nw.Embedding(8), attention, nw.LayerNorm(), nw.Linear(5), input="n <20>")


foreign = nw.Module(torch.nn.Sequential(torch.nn.Embedding(20, 8), torch.nn.Linear(8, 5)), "... <20> -> ... 5")


@pytest.mark.parametrize(
    "made",
    [
        attending(causal=False),
        attending(causal=True),
        nw.Chain(nw.Embedding(8), nw.Conv(5, (3,), padding=1), nw.GlobalMaxPool(), nw.Linear(3), input="n <20>"),
        nw.Chain(foreign, nw.Linear(3), input="n <20>"),
    ],
    ids=["attention", "causal", "conv", "module"],
)
def test_export_keeps_the_batch_and_the_lengths_free(made: Net) -> None:
    module = nw.to_torch(nw.initialize(made)).eval()
    x = torch.randint(0, 20, (4, 9))
    free = {0: torch.export.Dim.DYNAMIC, 1: torch.export.Dim.DYNAMIC}
    exported = torch.export.export(module, (x[:2, :7].clone(),), dynamic_shapes=((free,),)).module()
    for batch, length in ((1, 1), (1, 9), (4, 1), (3, 5)):
        part = x[:batch, :length].clone()
        torch.testing.assert_close(exported(part), module(part))


def test_export_keeps_the_batch_of_pictures_and_of_foreign_statistics_free(net: Net) -> None:
    norm = nw.Module(torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.BatchNorm1d(4)))
    both = ((net, torch.randn(5, 1, 8, 8)), (nw.Chain(norm, nw.Reshape(2, -1), input=3), torch.randn(5, 3)))
    for made, x in both:
        module = nw.to_torch(made).eval()
        free = (({0: torch.export.Dim.DYNAMIC},),)
        exported = torch.export.export(module, (x[:2].clone(),), dynamic_shapes=free).module()
        for batch in (1, 5):
            torch.testing.assert_close(exported(x[:batch]), module(x[:batch]))


def test_no_examples_give_none() -> None:
    module = nw.to_torch(nw.initialize(attending(causal=True)))
    assert module(torch.zeros(0, 7, dtype=torch.int64)).shape == (0, 7, 5)
    assert nw.to_torch(nw.Chain(nw.Reshape(-1, 2), input=(3, 4)))(torch.zeros(0, 3, 4)).shape == (0, 6, 2)
