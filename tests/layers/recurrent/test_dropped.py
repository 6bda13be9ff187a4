"""Dropout inside a recurrence: equal to the definition written out, alone as in a padded batch, and absent in use."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn

import netwright as nw
from messages import message
from netwright.layers.recurrent.arrays import NAMES
from netwright.net.run.noise import Noise

LEAVES = {
    "GRU": (nw.GRU, nn.GRU),
    "LSTM": (nw.LSTM, nn.LSTM),
    "tanh": (nw.RNN, nn.RNN),
    "relu": (
        lambda out, **more: nw.RNN(out, activation="relu", **more),
        lambda *x, **more: nn.RNN(*x, nonlinearity="relu", **more),
    ),
}
KINDS = pytest.mark.parametrize("kind", LEAVES)


def setting(kind: str, **rates: float) -> tuple[Any, nn.Module, dict[str, Tensor], Tensor]:
    ours, theirs = LEAVES[kind]
    torch.manual_seed(0)
    module = theirs(3, 5, batch_first=True, dtype=torch.float64)
    arrays = dict(zip(NAMES, [array.detach() for array in module.parameters()], strict=True))
    return ours(5, **rates), module, arrays, torch.randn(3, 7, 3, dtype=torch.float64)


def run(
    leaf: Any, arrays: Any, x: Tensor, examples: Tensor, length: Tensor | None = None, training: bool = True
) -> Any:
    more = {"wanted": frozenset({"output", "hidden", "cell"})} if isinstance(leaf, nw.LSTM) else {}
    lengths = {} if length is None else {"n": length}
    return leaf.forward(arrays, x, lengths=lengths, training=training, random=Noise(1, 2, examples, "gru1"), **more)


@KINDS
def test_a_share_of_none_of_the_state_is_torchs_recurrence(kind: str) -> None:
    """With nearly nothing dropped, every gate reads what torch's does."""
    leaf, module, arrays, x = setting(kind, recurrent_dropout=1e-9)
    y, *ends = run(leaf, arrays, x, torch.arange(3))
    expected, last = module(x)
    torch.testing.assert_close(y, expected, rtol=1e-6, atol=1e-6)
    for end, other in zip(ends, last if isinstance(last, tuple) else (last,), strict=True):
        torch.testing.assert_close(end, other[0], rtol=1e-6, atol=1e-6)


@KINDS
def test_the_same_features_are_dropped_at_every_element(kind: str) -> None:
    leaf, module, arrays, x = setting(kind, dropout=0.5)
    noise = Noise(1, 2, torch.arange(3), "gru1/input")
    factor = noise.kept((3, 3), 0.5).double() * 2
    assert 0 < factor.count_nonzero() < 9
    torch.testing.assert_close(run(leaf, arrays, x, torch.arange(3))[0], module(x * factor[:, None])[0])


@KINDS
def test_the_state_is_dropped_as_by_hand(kind: str) -> None:
    leaf, _, arrays, x = setting(kind, recurrent_dropout=0.5)
    factor = Noise(1, 2, torch.arange(3), "gru1/state").kept((3, 5), 0.5).double() * 2
    h, c = torch.zeros(3, 5, dtype=torch.float64), torch.zeros(3, 5, dtype=torch.float64)
    for i in range(7):
        given = x[:, i] @ arrays["weight_ih"].T + arrays["bias_ih"]
        inner = (h * factor) @ arrays["weight_hh"].T + arrays["bias_hh"]
        if kind == "GRU":
            r, z = ((given + inner)[:, k * 5 : k * 5 + 5].sigmoid() for k in (0, 1))
            h = (1 - z) * (given[:, 10:] + r * inner[:, 10:]).tanh() + z * h
        elif kind == "LSTM":
            i_, f, g, o = (given + inner).chunk(4, 1)
            c = f.sigmoid() * c + i_.sigmoid() * g.tanh()
            h = o.sigmoid() * c.tanh()
        else:
            h = getattr(torch, kind)(given + inner)
    torch.testing.assert_close(run(leaf, arrays, x, torch.arange(3))[1], h)


@KINDS
def test_alone_is_as_padded(kind: str) -> None:
    leaf, _, arrays, x = setting(kind, dropout=0.3, recurrent_dropout=0.4)
    length = torch.tensor([3, 7, 1])
    padded = x.masked_fill(torch.arange(7)[None, :, None] >= length[:, None, None], 1e4).requires_grad_()
    outputs = run(leaf, arrays, padded, torch.arange(3), length)
    for i, size in enumerate(length.tolist()):
        own = x[i : i + 1, :size].clone().requires_grad_()
        alone = run(leaf, arrays, own, torch.tensor([i]))
        torch.testing.assert_close(outputs[0][i, :size], alone[0][0])
        torch.testing.assert_close(outputs[1][i], alone[1][0])
        (slope,) = torch.autograd.grad(alone[1].sum(), own)
        (found,) = torch.autograd.grad(outputs[1][i].sum(), padded, retain_graph=True)
        torch.testing.assert_close(found[i, :size], slope[0])
        assert not found[i, size:].any()


@KINDS
def test_nothing_is_dropped_in_use(kind: str) -> None:
    leaf, module, arrays, x = setting(kind, dropout=0.3, recurrent_dropout=0.4)
    torch.testing.assert_close(run(leaf, arrays, x, torch.arange(3), training=False)[0], module(x)[0])


def test_a_net_learns_with_it_and_is_saved(tmp_path) -> None:
    net = nw.Chain(
        nw.GRU(6, dropout=0.2, recurrent_dropout=0.2), nw.Last(), nw.Linear(1), input="n 2", output=nw.Vector(1)
    )
    data = ([[[float(i % 3), 1.0]] * (2 + i % 4) for i in range(32)], [[float(i % 3)] for i in range(32)])
    trained = nw.train(net, data, epochs=20, learning_rate=0.03, seed=0, threads=1, progress=False)
    assert trained.losses[-1] < trained.losses[0]
    nw.save(trained.net, tmp_path / "a.net")
    assert nw.load(tmp_path / "a.net") == trained.net
    assert repr(nw.GRU(6, dropout=0.2, recurrent_dropout=0.2)) == "GRU(6, dropout=0.2, recurrent_dropout=0.2)"


def test_shares_beyond_all() -> None:
    for name in ("dropout", "recurrent_dropout"):
        assert message(lambda name=name: nw.LSTM(3, **{name: 1.0})) == (
            f"{name} is a share of the values, from 0 up to, not with, 1\n  where:    LSTM\n  got:      1.0"
        )
