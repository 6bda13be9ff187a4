"""The activations of published nets, by the names that their configurations give them."""

from netwright.layers.pointwise import gelu, gelu_tanh, quick_gelu, relu, silu, tanh
from netwright.net.part import Net

ACTIVATIONS: dict[str, Net] = {
    "gelu": gelu,
    "gelu_new": gelu_tanh,
    "gelu_fast": gelu_tanh,
    "gelu_pytorch_tanh": gelu_tanh,
    "quick_gelu": quick_gelu,
    "relu": relu,
    "silu": silu,
    "swish": silu,
    "tanh": tanh,
}
