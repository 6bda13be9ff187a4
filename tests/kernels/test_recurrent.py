"""The guards around torch's private operators, and where gradients arrive."""

import pytest
import torch

from netwright.kernels import private, recurrent

pytestmark = pytest.mark.usefixtures("asked_anew")


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16])
@pytest.mark.parametrize("steps", [1, recurrent.PACKED_FROM])
@pytest.mark.parametrize("there", [True, False])
def test_products(monkeypatch, there, steps, dtype) -> None:
    if not there:
        monkeypatch.setattr(torch.ops.mkldnn, "_reorder_linear_weight", None, raising=False)
        assert not private.packs_linear(dtype)
    torch.manual_seed(0)
    x, w, b = torch.randn(3, 2, 4).to(dtype), torch.randn(6, 4).to(dtype), torch.randn(6).to(dtype)
    expected = torch.nn.functional.linear(x.double(), w.double(), b.double())
    near = {"atol": 5e-2 if dtype == torch.bfloat16 else 1e-5, "rtol": 1e-2}
    torch.testing.assert_close(recurrent.projected(x, w, b).double(), expected, **near)
    torch.testing.assert_close(recurrent.recurrent_product(w, b, steps, 2)(x[0]).double(), expected[0], **near)


def test_states_at_the_ends() -> None:
    states = torch.arange(8.0).view(4, 2, 1)  # (n + 1, b, out)
    assert recurrent.at_end(states, None).flatten().tolist() == [6, 7]
    assert recurrent.at_end(states, torch.tensor([0, 2])).flatten().tolist() == [0, 5]


@pytest.mark.parametrize("padded", [False, True])
def test_gradients_that_arrive(padded) -> None:
    states, dy, dlast = torch.zeros(4, 2, 1), torch.arange(6.0).view(2, 3, 1), torch.tensor([[10.0], [20.0]])
    length = torch.tensor([1, 3]) if padded else None
    before, last = recurrent.arriving(dy, dlast, length, states)
    told = [[0.0, 0.0] if one is None else one.flatten().tolist() for one in before]
    assert told == ([[0, 0], [10, 3], [1, 4]] if padded else [[0, 0], [0, 3], [1, 4]])
    assert last.flatten().tolist() == ([2, 25] if padded else [12, 25])


def test_a_graph_that_is_kept_keeps_its_values() -> None:
    class Writes(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x.clone())
            return x * 2

        @staticmethod
        def backward(ctx, dy):
            (kept,) = recurrent.own_piece(*ctx.saved_tensors)
            return kept.mul_(dy)

    x = torch.ones(2, requires_grad=True)
    y = Writes.apply(x).sum() * 3
    assert [torch.autograd.grad(y, x, retain_graph=keep)[0].tolist() for keep in (True, False)] == [[3, 3]] * 2


def test_biases_get_gradients_of_their_own() -> None:
    one, other = recurrent.bias_gradients([True, True], torch.ones(3, 2, 4))
    assert one.tolist() == other.tolist() == [6] * 4
    assert one.data_ptr() != other.data_ptr()


@pytest.mark.parametrize(
    ("dtype", "steps", "learning", "pays"),
    [
        (torch.float32, 100, True, False),
        (torch.bfloat16, 8, True, True),
        (torch.bfloat16, 7, True, False),
        (torch.bfloat16, 15, False, False),
        (torch.bfloat16, 16, False, True),
    ],
)
def test_where_ours_pay(dtype, steps, learning, pays) -> None:
    assert recurrent.scan_pays(torch.zeros(2, steps, 3, dtype=dtype), learning) == pays
