"""Affine maps of the last axis."""

from collections.abc import Collection, Mapping
from dataclasses import KW_ONLY
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from netwright.inits import kaiming, zeros
from netwright.kernels.private import packs_linear
from netwright.kernels.product import LEAST, Forms, LinearProduct
from netwright.net.leaf import Kept, Weight
from netwright.net.part import Leaf
from netwright.sizes.free import FREE, Free


class Linear(Leaf):
    """Affine map of the last axis: y = x Wᵀ + b.

    Shapes: input (..., in), output (..., out); weight (out, in), bias (out,).

    Fields:
        out: width of the output; FREE takes it from what follows, such as the decoder's number of classes.
        bias: whether b is added; off before a norm, which removes it again.

    Example:
        >>> import netwright as nw
        >>> nw.Chain(nw.Linear(5), input=3).plan.outputs
        {'output': (5,)}

    Torch: torch.nn.Linear
    """

    out: int | Free = FREE
    _: KW_ONLY
    bias: bool = True
    ports = "... in -> ... out"
    family = "linear"

    def weights(self) -> dict[str, Weight]:
        return {"weight": Weight("out in", kaiming), **({"bias": Weight("out", zeros)} if self.bias else {})}

    def keeps(self, sizes: Mapping[str, Any], wanted: Collection[str]) -> Kept:
        return Kept(inputs=("*",))

    def forward(self, w: Mapping[str, Any], x: Tensor) -> Tensor:
        if "product" in w:
            return w["product"](x)  # (..., in) -> (..., out)
        return F.linear(x, w["weight"], w.get("bias"))  # (..., in) -> (..., out)

    def prepared(self, w: Mapping[str, Tensor]) -> Mapping[str, Any]:
        weight = w["weight"]
        suits = weight.device.type == "cpu" and weight.dtype == torch.float32 and weight.numel() >= LEAST
        return (
            {**w, "product": LinearProduct(Forms(weight), w.get("bias"))} if suits and packs_linear(weight.dtype) else w
        )
