"""The arrays of recurrent leaves: torch's names, shapes, order of gates and initial values."""

from collections.abc import Mapping, Sequence

from torch import Tensor

from netwright.inits import gated_init
from netwright.net.leaf import Weight

NAMES = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")


def weights(gates: int) -> dict[str, Weight]:
    """What a recurrent leaf with so many gates owns, in torch's names, shapes and initial values."""
    init = gated_init(gates)
    wide = "out" if gates == 1 else f"{gates}*out"
    axes = (f"{wide} in", f"{wide} out", wide, wide)
    return {name: Weight(one, init) for name, one in zip(NAMES, axes, strict=True)}


def weights_of(w: Mapping[str, Tensor], x: Tensor) -> list[Tensor]:
    """The four weights in the order and precision of the kernels."""
    return [w[name].to(x.dtype) for name in NAMES]


def started(state: Tensor | None, x: Tensor, weights: Sequence[Tensor]) -> Tensor:
    """The state to start from: the given one, or zeros (b, out)."""
    return x.new_zeros(x.shape[0], weights[1].shape[1]) if state is None else state.to(x.dtype)
