"""The LSTM over a whole sequence, forward and backward written out, in the way of `kernels/gru`."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from netwright.kernels import recurrent

tanh_backward = torch.ops.aten.tanh_backward.grad_input
sigmoid_backward = torch.ops.aten.sigmoid_backward.grad_input


class LSTMFactors:
    """What the backward pass multiplies by, for every step, filled piece by piece while its values are in the cache.

    With dh the gradient of a new hidden state and dc that of the new cell: dc + dh · inward is the whole of dc; times
    gates[:, :, :3] it gives those of i, f, g before their activations, times keep what goes on to the cell before;
    dh · gates[:, :, 3] is that of o.
    """

    def __init__(self, gates: Tensor, like: Tensor, slots: int) -> None:
        steps, batch, _, out = gates.shape
        self.gates = gates
        self.inward, self.keep = like.new_empty(2, steps, batch, out)
        self.wide = like.new_empty(slots, batch, 4, out)

    def fill(self, begin: int, gates: Tensor, before: Tensor, squashed: Tensor) -> None:
        """The factors of the steps from `begin`, from gates (k, b, 4, ·), the cells before, tanh of those after."""
        place = slice(begin, begin + len(gates))
        i, f, g, o = gates.unbind(2)
        wide = self.wide[: len(gates)]
        sigmoid_backward(g, i, grad_input=wide[:, :, 0])
        sigmoid_backward(before, f, grad_input=wide[:, :, 1])
        tanh_backward(i, g, grad_input=wide[:, :, 2])
        sigmoid_backward(squashed, o, grad_input=wide[:, :, 3])
        tanh_backward(o, squashed, grad_input=self.inward[place])
        self.keep[place].copy_(f)
        self.gates[place].copy_(wide)


def _run(
    x: Tensor, hidden: Tensor, cell: Tensor, weights: Sequence[Tensor], keep: bool
) -> tuple[Tensor, Tensor, LSTMFactors | None]:
    """Hidden states and cells (n + 1, b, out) of a sequence (n, b, in), and the factors where they are kept."""
    weight_ih, weight_hh, bias_ih, bias_hh = weights
    (steps, batch, _), out = x.shape, weight_hh.shape[1]
    inputs = recurrent.projected(x, weight_ih, bias_ih)
    multiply = recurrent.recurrent_product(weight_hh, bias_hh, steps, batch)
    states = x.new_empty(steps + 1, batch, out)
    cells = x.new_empty(steps + 1, batch, out, dtype=recurrent.state_type(x.dtype))
    states[0].copy_(hidden)
    cells[0].copy_(cell)
    slots = recurrent.slots(steps, batch * out)
    gates, squashed = cells.new_empty(slots, batch, 4, out), cells.new_empty(slots, batch, out)
    flat = gates.view(slots, batch, 4 * out)
    split = (flat, flat[..., : 2 * out], *gates.unbind(2), squashed)
    views = list(zip(*(value.unbind(0) for value in split), strict=True))
    factors = LSTMFactors(inputs.view(steps, batch, 4, out), cells, slots) if keep else None  # in place of the inputs
    hs, cs, xs = states.unbind(0), cells.unbind(0), inputs.unbind(0)
    for begin in range(0, steps, slots):
        count = min(slots, steps - begin)
        for slot, t in enumerate(range(begin, begin + count)):
            all_gates, i_f, i, f, g, o, squashed_ = views[slot]
            all_gates.copy_(multiply(hs[t]))
            all_gates.add_(xs[t])
            i_f.sigmoid_()
            g.tanh_()
            o.sigmoid_()
            c = torch.mul(f, cs[t], out=cs[t + 1])
            c.addcmul_(i, g)
            torch.tanh(c, out=squashed_)
            torch.mul(o, squashed_, out=hs[t + 1])
        if factors is not None:
            factors.fill(begin, gates[:count], cells[begin : begin + count], squashed[:count])
    return states, cells, factors


class LSTMScan(torch.autograd.Function):
    """`run` with its derivative."""

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, hidden: Tensor, cell: Tensor, length: Tensor | None, *weights: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        x = recurrent.time_first(x)
        states, cells, factors = _run(x, hidden, cell, weights, keep=True)
        assert factors is not None
        ctx.set_materialize_grads(False)
        ctx.save_for_backward(x, states, length, weights[0], weights[1], factors.gates, factors.inward, factors.keep)
        last_cell = recurrent.at_end(cells, length).to(x.dtype)
        return states[1:].transpose(0, 1), recurrent.at_end(states, length), last_cell

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *arrived: Tensor | None) -> Any:  # pyright: ignore[reportIncompatibleMethodOverride]
        dy, dlast, dcell = arrived
        x, states, length, weight_ih, weight_hh, gates, inward, keep = ctx.saved_tensors
        needs = ctx.needs_input_grad
        steps, batch, _, out = gates.shape
        outside, dh = recurrent.arriving(dy, dlast, length, states)
        outside_cell, dc = recurrent.arriving(None, dcell, length, states)
        multiply = recurrent.recurrent_product(weight_hh.t().contiguous(), None, steps, batch)
        (d,) = recurrent.own_piece(gates)
        flat = d.view(steps, batch, 4 * out)
        low_dh, low_dc = states.new_empty(batch, out), states.new_empty(batch, 1, out)
        split = (d[:, :, :3], d[:, :, 3], flat, inward, keep)
        parts = list(zip(outside, outside_cell, *(value.unbind(0) for value in split), strict=True))
        for more, more_cell, d_cell, d_o, d_flat, into_cell, kept in reversed(parts):
            dc.addcmul_(dh, into_cell)
            low_dc[:, 0].copy_(dc)
            low_dh.copy_(dh)
            d_cell.mul_(low_dc)
            d_o.mul_(low_dh)
            dc.mul_(kept)
            if more_cell is not None:
                dc.add_(more_cell)
            dh.copy_(multiply(d_flat))
            if more is not None:
                dh.add_(more)
        return (
            recurrent.input_gradient(needs[0], flat, weight_ih),
            dh.to(states.dtype) if needs[1] else None,
            dc.to(states.dtype) if needs[2] else None,
            None,
            recurrent.weight_gradient(needs[4], flat, x),
            recurrent.weight_gradient(needs[5], flat, states[:-1]),
            *recurrent.bias_gradients(needs[6:], flat),
        )


def lstm_scan(
    x: Tensor, hidden: Tensor, cell: Tensor, weights: Sequence[Tensor], length: Tensor | None
) -> tuple[Tensor, Tensor, Tensor]:
    """Outputs (b, n, out), the hidden state and the cell (b, out) at each example's end."""
    if recurrent.learns(x, hidden, cell, *weights):
        y, last, last_cell = LSTMScan.apply(x, hidden, cell, length, *weights)  # pyright: ignore[reportGeneralTypeIssues]
        return y, last, last_cell
    states, cells, _ = _run(recurrent.time_first(x), hidden, cell, weights, keep=False)
    return states[1:].transpose(0, 1), recurrent.at_end(states, length), recurrent.at_end(cells, length).to(x.dtype)
