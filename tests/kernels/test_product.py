"""Products with weights that stay: the same numbers however they are laid out, and what keeps out of it."""

import pytest
import torch
import torch.nn.functional as F

import netwright as nw
from netwright.kernels.product import FEW, LEAST, MANY, SOME, Forms, LinearProduct
from netwright.layers.linear import Linear
from netwright.net.run import call

pytestmark = pytest.mark.usefixtures("asked_anew")


@pytest.mark.parametrize("rows", [0, 1, FEW, SOME, MANY, 3 * MANY])
@pytest.mark.parametrize("out", [20, 40])
@pytest.mark.parametrize("biased", [True, False])
@pytest.mark.parametrize("gelu", [True, False])
def test_every_form_gives_the_product(rows: int, out: int, biased: bool, gelu: bool) -> None:
    torch.manual_seed(0)
    w, b = torch.randn(out, 30), torch.randn(out) if biased else None
    product = LinearProduct(Forms(w), b, gelu)
    x = torch.randn(rows, 30)
    for given in (x, x[None], x.t().contiguous().t(), x * torch.inf):
        expected = F.linear(given, w, b)
        expected = F.gelu(expected) if gelu else expected
        with torch.no_grad():
            torch.testing.assert_close(product(given), expected, rtol=1e-4, atol=1e-4, equal_nan=True)


@pytest.mark.parametrize("rows", [FEW, MANY])
def test_gradients_pass(rows: int) -> None:
    x, w = torch.randn(rows, 3, requires_grad=True), torch.randn(4, 3)
    LinearProduct(Forms(w), None)(x).sum().backward()
    assert x.grad is not None
    torch.testing.assert_close(x.grad, w.sum(0).expand(rows, 3))


def test_who_settles() -> None:
    big, small = torch.randn(LEAST // 64, 64), torch.randn(4, 64)
    assert isinstance(Linear(4).prepared({"weight": big})["product"], LinearProduct)
    for weight in (small, big.double(), big.bfloat16(), big.to("meta")):
        assert "product" not in Linear(4).prepared({"weight": weight})


def test_without_torchs_operators_nothing_settles(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.ops.mkldnn, "_reorder_linear_weight", None, raising=False)
    assert "product" not in Linear(4).prepared({"weight": torch.randn(LEAST // 64, 64)})


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
        torch.testing.assert_close(net(nw.batch(x)), expected, rtol=1e-4, atol=1e-5)
    (bound, _), *_ = net.__dict__["_found"]["bound"].values()
    assert any("product" in w for w in bound.weights) == room
    assert {array.shape for array in bound.arrays()} == {(512, 64), (512,), (3, 512), (3,)}


def test_what_follows_is_done_at_once_where_nobody_looks_between() -> None:
    chain = nw.Chain(nw.Linear(512), nw.gelu, nw.gelu, nw.Linear(600), nw.relu, nw.Linear(512), nw.gelu, input=64)
    net, x = nw.initialize(chain), torch.randn(SOME, 64)
    y = net(nw.batch(x))
    (bound, _), *_ = net.__dict__["_found"]["bound"].values()
    assert [i.path for i in bound.program.instructions] == ["gelu1", "gelu2", "linear2", "relu1", "gelu3"]
    with torch.no_grad():
        torch.testing.assert_close(y, nw.apply(net, {}, x), rtol=1e-4, atol=1e-5)
        between = nw.apply(net[:1], {}, x)
    torch.testing.assert_close(net(nw.batch(x), at="linear1"), between, rtol=1e-4, atol=1e-5)
    both = net(nw.batch(x), at=("linear1", "gelu1"))
    torch.testing.assert_close(both["gelu1"], F.gelu(both["linear1"]))
    assert not net(nw.batch(x), at="gelu1", set={"linear1": torch.zeros_like}).any()


def test_a_value_that_is_read_twice_is_not_taken_away() -> None:
    x = nw.Input("x", 64)
    wide = nw.Linear(512)(x)
    net = nw.initialize(nw.Graph(nw.Add()(nw.gelu(wide), wide)))
    given = torch.randn(SOME, 64)
    with torch.no_grad():
        torch.testing.assert_close(net(nw.batch(given)), nw.apply(net, {}, given), rtol=1e-4, atol=1e-5)


def test_all_questions_share_one_form() -> None:
    net, x = nw.initialize(nw.Chain(nw.Linear(512), nw.relu, nw.Linear(64), input=64)), torch.randn(MANY, 64)
    for at in (None, "linear1", "relu1", ["linear1", "linear2"]):
        net(nw.batch(x), at=at)
    products = [
        w["product"] for bound, _ in net.__dict__["_found"]["bound"].values() for w in bound.weights if "product" in w
    ]
    assert len(products) == 6
    assert len({id(product._weight) for product in products}) == 2
