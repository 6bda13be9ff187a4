"""Nets whose insides are looked at: plain torch says what is right."""

import torch
from torch import Tensor, nn

import netwright as nw
from netwright.net.part import Net


def rows(*shape: int, seed: int = 0) -> Tensor:
    """Random numbers."""
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def classifier() -> Net:
    """Three numbers to the probabilities of four classes."""
    parts = nw.Chain(nw.Linear(5), nw.tanh, nw.Linear(4), nw.softmax, input=3, output=nw.Category(list("abcd")))
    return nw.initialize(parts, seed=3)


def of_torch(net: Net) -> nn.Sequential:
    """The classifier as plain torch."""
    made = nn.Sequential(nn.Linear(3, 5), nn.Tanh(), nn.Linear(5, 4), nn.Softmax(-1))
    names = {"linear1": "0", "linear2": "2"}
    pieces = [(path.split("/"), array) for path, array in net.arrays.items()]
    made.load_state_dict({f"{names[part]}.{name}": array for (part, name), array in pieces})
    return made


def folded() -> Net:
    """A `Map` and a `Fold` over sequences."""
    inner = nw.Map([nw.Linear(3), nw.tanh])
    return nw.initialize(nw.Chain(inner, nw.Fold(nw.RNNCell(2)), input=("n", 4)), seed=2)


def language() -> Net:
    """A small causal transformer over letters."""
    letters = nw.Characters("abcdefgh ")
    block = nw.Chain(
        nw.Residual([nw.LayerNorm(), nw.self_attention(16, 2, causal=True)]),
        nw.Residual([nw.LayerNorm(), nw.Linear(32), nw.gelu, nw.Linear(16)]),
    )
    parts = nw.Chain(nw.Embedding(16), blocks=nw.Repeat(3, block), head=nw.Linear(), softmax=nw.softmax)
    return nw.initialize(parts.with_input(letters).with_output(letters), seed=5)
