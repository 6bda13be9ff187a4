"""The plain recurrent layer over a whole sequence, forward and backward written out, in the way of `kernels/gru`."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from netwright.kernels import recurrent

tanh_backward = torch.ops.aten.tanh_backward.grad_input


def _run(
    x: Tensor, hidden: Tensor, weights: Sequence[Tensor], activation: str, length: Tensor | None, keep: bool
) -> tuple[Tensor, Tensor | None]:
    """States (n + 1, b, out) of a sequence (n, b, in), and the derivative of every activation where it is kept."""
    weight_ih, weight_hh, bias_ih, bias_hh = weights
    (steps, batch, _), out = x.shape, weight_hh.shape[1]
    inputs = recurrent.projected(x, weight_ih, bias_ih)
    if activation == "relu" and length is not None:  # zero behind an example's end, where it could grow without bound
        behind = torch.arange(steps, device=x.device)[:, None] >= length
        inputs.masked_fill_(behind[..., None], -torch.inf)
    multiply = recurrent.recurrent_product(weight_hh, bias_hh, steps, batch)
    states = x.new_empty(steps + 1, batch, out)
    states[0].copy_(hidden)
    wide = states.new_empty(batch, out, dtype=recurrent.state_type(x.dtype))
    hs, activate = states.unbind(0), torch.tanh_ if activation == "tanh" else torch.relu_
    for inputs_, before, after in zip(inputs.unbind(0), hs[:-1], hs[1:], strict=True):
        wide.copy_(multiply(before))
        wide.add_(inputs_)
        after.copy_(activate(wide))
    return states, _slopes(states[1:], activation) if keep else None


def _slopes(y: Tensor, activation: str) -> Tensor:
    """The derivative of the activation from its values."""
    return 1 - y * y if activation == "tanh" else (y > 0).to(y.dtype)


class RNNScan(torch.autograd.Function):
    """`run` with its derivative."""

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, hidden: Tensor, activation: str, length: Tensor | None, *weights: Tensor
    ) -> tuple[Tensor, Tensor]:
        x = recurrent.time_first(x)
        states, slopes = _run(x, hidden, weights, activation, length, keep=True)
        ctx.set_materialize_grads(False)
        ctx.save_for_backward(x, states, length, weights[0], weights[1], slopes)
        return states[1:].transpose(0, 1), recurrent.at_end(states, length)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *arrived: Tensor | None) -> Any:  # pyright: ignore[reportIncompatibleMethodOverride]
        dy, dlast = arrived
        x, states, length, weight_ih, weight_hh, slopes = ctx.saved_tensors
        needs = ctx.needs_input_grad
        steps, batch, _ = slopes.shape
        outside, dh = recurrent.arriving(dy, dlast, length, states)
        multiply = recurrent.recurrent_product(weight_hh.t().contiguous(), None, steps, batch)
        (d,) = recurrent.own_piece(slopes)
        for more, d_ in reversed(list(zip(outside, d.unbind(0), strict=True))):
            torch.mul(dh, d_, out=d_)
            dh.copy_(multiply(d_))
            if more is not None:
                dh.add_(more)
        return (
            recurrent.input_gradient(needs[0], d, weight_ih),
            dh.to(states.dtype) if needs[1] else None,
            None,
            None,
            recurrent.weight_gradient(needs[4], d, x),
            recurrent.weight_gradient(needs[5], d, states[:-1]),
            *recurrent.bias_gradients(needs[6:], d),
        )


def rnn_scan(
    x: Tensor, hidden: Tensor, weights: Sequence[Tensor], length: Tensor | None, activation: str
) -> tuple[Tensor, Tensor]:
    """Outputs (b, n, out) and the state (b, out) at each example's end."""
    if recurrent.learns(x, hidden, *weights):
        y, last = RNNScan.apply(x, hidden, activation, length, *weights)  # pyright: ignore[reportGeneralTypeIssues]
        return y, last
    states, _ = _run(recurrent.time_first(x), hidden, weights, activation, length, keep=False)
    return states[1:].transpose(0, 1), recurrent.at_end(states, length)
