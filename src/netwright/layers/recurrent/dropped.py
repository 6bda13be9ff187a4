"""Dropout inside a recurrence: the same values are dropped at every step of an example, of its input and its state."""

from collections.abc import Callable, Sequence
from typing import TypeAlias

import torch
import torch.nn.functional as F
from torch import Tensor

from netwright.errors import NetError
from netwright.net.run.noise import Noise

Step: TypeAlias = Callable[[Tensor, Tensor, Sequence[Tensor]], tuple[Tensor, ...]]
"""The next states, from what the input and the state give to the gates, and from the states."""


def check_rates(where: str, **rates: float) -> None:
    """Refuse what is not a share below all."""
    for name, rate in rates.items():
        if not 0 <= rate < 1:
            raise NetError(
                what=f"{name} is a share of the values, from 0 up to, not with, 1", where=where, got=repr(rate)
            )


def with_dropped(x: Tensor, rate: float, random: Noise | None) -> Tensor:
    """A sequence with the same features dropped at every element of an example."""
    if not rate:
        return x
    return x * _factor((x.shape[0], x.shape[2]), rate, random, "input").to(x.dtype).unsqueeze(1)  # (b, n, in)


def dropped_scan(
    step: Step,
    x: Tensor,
    states: Sequence[Tensor],
    weights: Sequence[Tensor],
    length: Tensor | None,
    rate: float,
    random: Noise | None,
) -> tuple[Tensor, ...]:
    """A recurrence whose gates read its state with the same values dropped at every step; outputs and last states."""
    weight_ih, weight_hh, bias_ih, bias_hh = weights
    factor = _factor((x.shape[0], weight_hh.shape[1]), rate, random, "state").to(x.dtype)  # (b, out)
    given = F.linear(x, weight_ih, bias_ih)  # (b, n, in) -> (b, n, gates out)
    outputs: list[Tensor] = []
    for i in range(x.shape[1]):
        new = step(given[:, i], F.linear(states[0] * factor, weight_hh, bias_hh), states)
        if length is not None:
            going = (i < length).unsqueeze(1)  # (b, 1)
            new = tuple(torch.where(going, one, old) for one, old in zip(new, states, strict=True))
        states = new
        outputs.append(states[0])
    return torch.stack(outputs, 1), *states  # (b, n, out), (b, out), ...


def _factor(shape: tuple[int, ...], rate: float, random: Noise | None, name: str) -> Tensor:
    """What values are multiplied with: 0 with probability `rate`, else 1 / (1 − rate)."""
    assert random is not None  # a run in training mode has noise
    return random.at(f"{random.path}/{name}").kept(shape, rate).float() / (1 - rate)


def gru_step(x: Tensor, h: Tensor, states: Sequence[Tensor]) -> tuple[Tensor, ...]:
    """One step of a gated recurrent unit."""
    (xr, xz, xn), (hr, hz, hn) = x.chunk(3, -1), h.chunk(3, -1)
    z = torch.sigmoid(xz + hz)
    return ((1 - z) * torch.tanh(xn + torch.sigmoid(xr + hr) * hn) + z * states[0],)


def lstm_step(x: Tensor, h: Tensor, states: Sequence[Tensor]) -> tuple[Tensor, ...]:
    """One step of long short-term memory."""
    i, f, g, o = (x + h).chunk(4, -1)
    cell = torch.sigmoid(f) * states[1] + torch.sigmoid(i) * torch.tanh(g)
    return torch.sigmoid(o) * torch.tanh(cell), cell


def tanh_step(x: Tensor, h: Tensor, states: Sequence[Tensor]) -> tuple[Tensor, ...]:
    """One step of a plain recurrence."""
    return (torch.tanh(x + h),)


def relu_step(x: Tensor, h: Tensor, states: Sequence[Tensor]) -> tuple[Tensor, ...]:
    """One step of a plain recurrence that rectifies."""
    return (torch.relu(x + h),)
