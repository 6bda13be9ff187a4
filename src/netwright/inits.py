"""The ways to fill a new array: from its axes, its fan-in and a seeded generator."""

import math
from collections.abc import Callable
from functools import cache
from typing import TypeAlias

import torch
from torch import Tensor

from netwright.value import Value


class Fans(Value):
    """How many values an output of a weight depends on, and how many outputs a value reaches."""

    into: int
    out: int


Init: TypeAlias = Callable[[tuple[int, ...], Fans, torch.Generator], Tensor]


def fans(shape: tuple[int, ...]) -> Fans:
    """The fans of a weight with axes (out, in, *window), torch's order."""
    if len(shape) < 2:
        return Fans(shape[0] if shape else 1, shape[0] if shape else 1)
    window = math.prod(shape[2:])
    return Fans(shape[1] * window, shape[0] * window)


def kaiming(shape: tuple[int, ...], fan: Fans, generator: torch.Generator) -> Tensor:
    """Normal with variance 2 / fan-in: keeps the variance of ReLU nets. Source: He et al. 2015, arXiv 1502.01852."""
    return torch.randn(shape, generator=generator, dtype=torch.float32, device="cpu") * math.sqrt(2 / fan.into)


def xavier(shape: tuple[int, ...], fan: Fans, generator: torch.Generator) -> Tensor:
    """Uniform in ±√(6 / (fan-in + fan-out)). Source: Glorot and Bengio 2010."""
    bound = math.sqrt(6 / (fan.into + fan.out))
    return torch.rand(shape, generator=generator, dtype=torch.float32, device="cpu") * (2 * bound) - bound


def lecun(shape: tuple[int, ...], fan: Fans, generator: torch.Generator) -> Tensor:
    """Normal with variance 1 / fan-in: for tanh and SELU. Source: LeCun et al. 1998, "Efficient BackProp"."""
    return torch.randn(shape, generator=generator, dtype=torch.float32, device="cpu") * math.sqrt(1 / fan.into)


def orthogonal(shape: tuple[int, ...], fan: Fans, generator: torch.Generator) -> Tensor:
    """Rows, or columns where there are fewer, are orthonormal. Source: Saxe et al. 2014, arXiv 1312.6120."""
    rows, columns = shape[0], math.prod(shape[1:])
    flat = torch.randn((max(rows, columns), min(rows, columns)), generator=generator, dtype=torch.float32, device="cpu")
    q, r = torch.linalg.qr(flat)
    q = q * r.diagonal().sign()  # QR alone is not uniform over rotations
    return (q if rows >= columns else q.T).reshape(shape).contiguous()


def normal(shape: tuple[int, ...], fan: Fans, generator: torch.Generator) -> Tensor:
    """Standard normal: for embeddings, whose rows have no fan-in."""
    return torch.randn(shape, generator=generator, dtype=torch.float32, device="cpu")


def zeros(shape: tuple[int, ...], fan: Fans, generator: torch.Generator) -> Tensor:
    """All zero: for biases, which then favour no output."""
    return torch.zeros(shape, dtype=torch.float32, device="cpu")


def ones(shape: tuple[int, ...], fan: Fans, generator: torch.Generator) -> Tensor:
    """All one: for scales, which then change nothing."""
    return torch.ones(shape, dtype=torch.float32, device="cpu")


@cache
def gated_init(gates: int) -> Init:
    """Uniform in ±1/√out for arrays whose first axis is so many blocks of out: as torch does for recurrent layers."""

    def init(shape: tuple[int, ...], fan: Fans, generator: torch.Generator) -> Tensor:
        bound = math.sqrt(gates / shape[0])
        return torch.rand(shape, generator=generator, dtype=torch.float32, device="cpu") * (2 * bound) - bound

    return init


METHODS: dict[str, Init] = {"kaiming": kaiming, "xavier": xavier, "lecun": lecun, "orthogonal": orthogonal}
"""The methods a user may ask for by name; they fill matrices and kernels, never biases or scales."""
