"""The GRU over a whole sequence, forward and backward written out: work that torch repeats in every step is done once.

All input products are one product. The forward pass keeps every factor of the derivative, so a step backward is one
product with the factors, one recurrent product and one update; the gradients of the weights are two big products at the
end.
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from netwright.kernels import recurrent

tanh_backward = torch.ops.aten.tanh_backward.grad_input
sigmoid_backward = torch.ops.aten.sigmoid_backward.grad_input


class GRUFactors:
    """What the backward pass multiplies by, for every step, filled piece by piece while its values are in the cache.

    With dh the gradient of a new state: dh · gates[:, :, 0], 1 and 2 are those of r, of z and of W_hn h + b_hn before
    any activation, dh · inner that of n, dh · keep what goes on to the state before.
    """

    def __init__(self, gates: Tensor, like: Tensor, slots: int) -> None:
        steps, batch, _, out = gates.shape
        self.gates = gates
        self.inner = gates.new_empty(steps, batch, out)
        self.keep = like.new_empty(steps, batch, out)
        self.one = like.new_ones(())
        self.wide = like.new_empty(slots, batch, 3, out)

    def fill(self, begin: int, piece: "GRUChunk", count: int) -> None:
        """The factors of so many steps from `begin`."""
        place = slice(begin, begin + count)
        r, z, n, change = (value[:count] for value in (piece.r, piece.z, piece.n, piece.change))
        wide = self.wide[:count]
        spare = torch.sub(self.one, z, out=piece.spare[:count])
        tanh_backward(spare, n, grad_input=spare)
        self.inner[place].copy_(spare)
        torch.mul(spare, r, out=wide[:, :, 2])
        torch.mul(wide[:, :, 2], piece.recurrent_n[:count], out=spare)
        torch.mul(spare, torch.sub(self.one, r, out=piece.r[:count]), out=wide[:, :, 0])
        sigmoid_backward(change, z, grad_input=wide[:, :, 1])
        self.keep[place].copy_(z)
        self.gates[place].copy_(wide)


class GRUChunk:
    """The gates of a few steps, in float32: computed step by step, and read by `GRUFactors` at once."""

    def __init__(self, slots: int, batch: int, out: int, like: Tensor) -> None:
        self.inputs, self.recurrent = like.new_empty(2, slots, batch, 3 * out)
        self.recurrent_n = self.recurrent[..., 2 * out :]
        rz = like.new_empty(slots, batch, 2 * out)
        self.r, self.z = rz[..., :out], rz[..., out:]
        self.n, self.change, self.spare = like.new_empty(3, slots, batch, out)
        split = (self.inputs[..., : 2 * out], self.inputs[..., 2 * out :], self.recurrent)
        split += (self.recurrent[..., : 2 * out], self.recurrent_n, rz, self.r, self.z, self.n, self.change)
        self.views = list(zip(*(value.unbind(0) for value in split), strict=True))


def _run(x: Tensor, hidden: Tensor, weights: Sequence[Tensor], keep: bool) -> tuple[Tensor, GRUFactors | None]:
    """States (n + 1, b, out) of a sequence (n, b, in), the first one given, and the factors where they are kept."""
    weight_ih, weight_hh, bias_ih, bias_hh = weights
    (steps, batch, _), out = x.shape, weight_hh.shape[1]
    inputs = recurrent.projected(x, weight_ih, bias_ih)
    multiply = recurrent.recurrent_product(weight_hh, bias_hh, steps, batch)
    states = x.new_empty(steps + 1, batch, out)
    states[0].copy_(hidden)
    lows = states.unbind(0)
    h = states[0].to(recurrent.state_type(x.dtype), copy=True)
    slots = recurrent.slots(steps, batch * out)
    piece = GRUChunk(slots, batch, out, h)
    factors = GRUFactors(inputs.view(steps, batch, 3, out), h, slots) if keep else None  # in place of the inputs
    for begin in range(0, steps, slots):
        count = min(slots, steps - begin)
        piece.inputs[:count].copy_(inputs[begin : begin + count])
        for slot in range(count):
            x_rz, x_n, products, h_rz, h_n, rz, r, z, n, change = piece.views[slot]
            products.copy_(multiply(lows[begin + slot]))
            torch.add(h_rz, x_rz, out=rz)
            rz.sigmoid_()
            torch.addcmul(x_n, r, h_n, out=n)
            n.tanh_()
            torch.sub(h, n, out=change)
            torch.addcmul(n, z, change, out=h)
            lows[begin + slot + 1].copy_(h)
        if factors is not None:
            factors.fill(begin, piece, count)
    return states, factors


class GRUScan(torch.autograd.Function):
    """`run` with its derivative."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, hidden: Tensor, length: Tensor | None, *weights: Tensor) -> tuple[Tensor, Tensor]:
        x = recurrent.time_first(x)
        states, factors = _run(x, hidden, weights, keep=True)
        assert factors is not None
        ctx.set_materialize_grads(False)
        ctx.save_for_backward(x, states, length, weights[0], weights[1], factors.gates, factors.inner, factors.keep)
        return states[1:].transpose(0, 1), recurrent.at_end(states, length)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *arrived: Tensor | None) -> Any:  # pyright: ignore[reportIncompatibleMethodOverride]
        dy, dlast = arrived
        x, states, length, weight_ih, weight_hh, gates, inner, keep = ctx.saved_tensors
        needs = ctx.needs_input_grad
        steps, batch, _, out = gates.shape
        outside, dh = recurrent.arriving(dy, dlast, length, states)
        multiply = recurrent.recurrent_product(weight_hh.t().contiguous(), None, steps, batch)
        d, inner = recurrent.own_piece(gates, inner)
        flat = d.view(steps, batch, 3 * out)
        low = states.new_empty(batch, 1, out)
        low_h = low[:, 0]
        parts = list(zip(outside, *(value.unbind(0) for value in (d, flat, inner, keep)), strict=True))
        for more, d_each, d_flat, d_n, kept in reversed(parts):
            low_h.copy_(dh)
            d_each.mul_(low)
            d_n.mul_(low_h)
            if more is None:
                dh.mul_(kept)
            else:
                torch.addcmul(more, dh, kept, out=dh)
            dh.add_(multiply(d_flat))
        dweight_hh = recurrent.weight_gradient(needs[4], flat, states[:-1])
        (dbias_hh,) = recurrent.bias_gradients(needs[6:], flat)
        d[:, :, 2].copy_(inner)  # from here on the gradients of the input products
        return (
            recurrent.input_gradient(needs[0], flat, weight_ih),
            dh.to(states.dtype) if needs[1] else None,
            None,
            recurrent.weight_gradient(needs[3], flat, x),
            dweight_hh,
            *recurrent.bias_gradients(needs[5:6], flat),
            dbias_hh,
        )


def gru_scan(x: Tensor, hidden: Tensor, weights: Sequence[Tensor], length: Tensor | None) -> tuple[Tensor, Tensor]:
    """Outputs (b, n, out) and the state (b, out) at each example's end."""
    if recurrent.learns(x, hidden, *weights):
        y, last = GRUScan.apply(x, hidden, length, *weights)  # pyright: ignore[reportGeneralTypeIssues]
        return y, last
    states, _ = _run(recurrent.time_first(x), hidden, weights, keep=False)
    return states[1:].transpose(0, 1), recurrent.at_end(states, length)
