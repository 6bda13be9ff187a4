"""Products with weights that stay: the same numbers however they are laid out, and what keeps out of it."""

import pytest
import torch
import torch.nn.functional as F

import netwright as nw
from netwright.layers.linear import Linear
from netwright.layers.product import FEW, LEAST, MANY, Product, packs
from netwright.net.run import call


@pytest.fixture(autouse=True)
def _asked_anew():
    packs.cache_clear()
    yield
    packs.cache_clear()


@pytest.mark.parametrize("rows", [0, 1, FEW, MANY - 1, MANY, 3 * MANY])
@pytest.mark.parametrize("biased", [True, False])
def test_every_form_gives_the_product(rows: int, biased: bool) -> None:
    torch.manual_seed(0)
    w, b = torch.randn(40, 30), torch.randn(40) if biased else None
    x = torch.randn(rows, 30)
    with torch.no_grad():
        torch.testing.assert_close(Product(w, b)(x), F.linear(x, w, b), rtol=1e-4, atol=1e-4)
        torch.testing.assert_close(Product(w, b)(x[None])[0], F.linear(x, w, b), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("rows", [FEW, MANY])
def test_gradients_pass(rows: int) -> None:
    x, w = torch.randn(rows, 3, requires_grad=True), torch.randn(4, 3)
    Product(w, None)(x).sum().backward()
    assert x.grad is not None
    torch.testing.assert_close(x.grad, w.sum(0).expand(rows, 3))


def test_who_settles() -> None:
    big, small = torch.randn(LEAST // 64, 64), torch.randn(4, 64)
    assert isinstance(Linear(4).settled({"weight": big})["product"], Product)
    for weight in (small, big.double(), big.bfloat16(), big.to("meta")):
        assert "product" not in Linear(4).settled({"weight": weight})


def test_without_torchs_operators_nothing_settles(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.ops.mkldnn, "_reorder_linear_weight", None, raising=False)
    assert "product" not in Linear(4).settled({"weight": torch.randn(LEAST // 64, 64)})


@pytest.mark.parametrize("count", [1, FEW, MANY])
@pytest.mark.parametrize("room", [True, False])
def test_a_call_gives_what_the_function_gives(monkeypatch: pytest.MonkeyPatch, count: int, room: bool) -> None:
    if not room:
        monkeypatch.setattr(call, "SETTLED", 0)
    net = nw.initialize(nw.Chain(nw.Linear(512), nw.relu, nw.Linear(3), input=64))
    x = torch.randn(count, 64)
    with torch.no_grad():
        expected = nw.apply(net, {}, x)
    for _ in range(2):
        torch.testing.assert_close(net(nw.many(x)), expected, rtol=1e-4, atol=1e-5)
    (bound, _), *_ = net.__dict__["_bound"].values()
    assert any("product" in w for w in bound.weights) == room
    assert {array.shape for array in bound.arrays()} == {(512, 64), (512,), (3, 512), (3,)}
