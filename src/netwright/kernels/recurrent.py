"""What every recurrent kernel shares: time first, packed products, ends of examples, gradients that arrive.

Kernels run over (n, b, ...) buffers. States and gates are float32, float64 for float64 inputs; what goes into a product
is in the precision of the input.
"""

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias, cast

import torch
import torch.nn.functional as F
from torch import Tensor

from netwright.kernels.private import packed, packed_product, packs_linear

PACKED_FROM = 16  # steps: packing a weight costs what these many products save
LEARNING_FROM = 8  # steps: from here on a backward pass written out is faster than torch's
PIECE = 1 << 15  # values of a state that are worked on at once, so that all that belongs to them stays in the L2 cache

Product: TypeAlias = Callable[[Tensor], Tensor]


def recurrent_product(weight: Tensor, bias: Tensor | None, steps: int, batch: int) -> Product:
    """x Wᵀ + b for (batch, in) matrices, made ready for so many steps."""
    if steps < PACKED_FROM or not batch or weight.device.type != "cpu" or not packs_linear(weight.dtype):
        return lambda x: F.linear(x, weight, bias)
    blocks = packed(weight, batch)
    return lambda x: packed_product(x, blocks, bias)


def projected(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """x Wᵀ + b of all steps at once: (n, b, in) -> (n, b, k)."""
    if (
        x.device.type == "cpu" and x.numel() and packs_linear(x.dtype)
    ):  # F.linear would first copy the bias into every row
        y = packed_product(rows(x), weight, bias)
    else:
        y = F.linear(rows(x), weight, bias)
    return y.view(*x.shape[:2], len(weight))


def own_piece(*values: Tensor) -> tuple[Tensor, ...]:
    """Saved tensors that the backward pass may overwrite; clones if the graph is kept."""
    try:
        again = cast(Any, torch)._C._autograd._get_current_graph_task_keep_graph()
    except AttributeError:  # the attribute is private and no longer exists
        again = True
    return tuple(value.clone() for value in values) if again else values


def time_first(x: Tensor) -> Tensor:
    """(b, n, in) as (n, b, in), without a copy where the kernel before has laid it out so."""
    return x.transpose(0, 1).contiguous()


def state_type(dtype: torch.dtype) -> torch.dtype:
    """The precision of gates and states for an input of this type."""
    return torch.promote_types(dtype, torch.float32)


def slots(steps: int, size: int) -> int:
    """How many steps of states of this size make one piece."""
    return min(steps, max(1, PIECE // max(1, size)))


def learns(*values: Tensor) -> bool:
    """Whether a gradient may be needed."""
    return torch.is_grad_enabled() and any(value.requires_grad for value in values)


def scan_pays(x: Tensor, learning: bool) -> bool:
    """Whether these kernels win over torch's step by step: in bf16 on a CPU, over enough steps.

    Measured with batches of 1 to 128 and states of 32 to 512; other devices have fast functions of torch.
    """
    steps = LEARNING_FROM if learning else PACKED_FROM
    return x.device.type == "cpu" and x.dtype == torch.bfloat16 and x.shape[1] >= steps


def at_end(states: Tensor, length: Tensor | None) -> Tensor:
    """The state each example has at its end, from states (n + 1, b, out) that begin with the first."""
    if length is None:
        return states[-1].clone()  # (b, out)
    return states[length, torch.arange(states.shape[1], device=states.device)]  # (n + 1, b, out) -> (b, out)


def arriving(
    dy: Tensor | None, dlast: Tensor | None, length: Tensor | None, like: Tensor
) -> tuple[Sequence[Tensor | None], Tensor]:
    """The gradients that reach the states 0 … n − 1 from outside, and a fresh buffer with that of state n.

    Fields:
        dy: gradient of the outputs (b, n, out).
        dlast: of the state at each example's end (b, out).
        like: states (n + 1, b, out): their sizes.
    """
    steps, wide = len(like) - 1, state_type(like.dtype)
    if length is not None and dlast is not None:
        whole = torch.zeros(like.shape, dtype=wide, device=like.device)
        if dy is not None:
            whole[1:].copy_(dy.transpose(0, 1))
        whole[length, torch.arange(like.shape[1], device=like.device)] += dlast
        return whole.unbind(0)[:-1], whole[-1].clone()
    last = torch.zeros(like.shape[1:], dtype=wide, device=like.device)
    if dlast is not None:
        last += dlast
    if dy is None:
        return [None] * steps, last
    pieces = dy.unbind(1)
    last += pieces[-1]
    return [None, *pieces[:-1]], last


def rows(x: Tensor) -> Tensor:
    """Every step of every example as a row of one matrix."""
    return x.view(-1, x.shape[-1])  # (n, b, k) -> (n * b, k)


def weight_gradient(needed: bool, d: Tensor, x: Tensor) -> Tensor | None:
    """That of W in x Wᵀ, of all steps at once, from the gradients d (n, b, k) of the products."""
    return rows(d).t() @ rows(x) if needed else None


def bias_gradients(needed: Sequence[bool], d: Tensor) -> tuple[Tensor | None, ...]:
    """The sum over all steps and examples, once for each bias that needs a gradient."""
    total = rows(d).sum(0)
    return tuple(total.clone() if one else None for one in needed)  # clones, since the receiver may write into them


def input_gradient(needed: bool, d: Tensor, weight: Tensor) -> Tensor | None:
    """That of x (b, n, in) in x Wᵀ."""
    return (rows(d) @ weight).view(*d.shape[:2], weight.shape[1]).transpose(0, 1) if needed else None
