"""ViT: a transformer over the patches of a picture, with a learned vector in front, which predicts the classes."""

from typing import Any

from torch import Tensor

from netwright.layers.conv import Conv
from netwright.layers.join import Concatenate
from netwright.layers.linear import Linear
from netwright.layers.norm import LayerNorm
from netwright.layers.pointwise import softmax
from netwright.layers.position import Positions
from netwright.layers.reshape import Reshape, Slice
from netwright.layers.source import Parameter
from netwright.layers.wrap import Repeat, Residual
from netwright.models.pretrained.activations import ACTIVATIONS
from netwright.models.pretrained.weights import Config, From, blocks, linear_entries
from netwright.models.transformer import self_attention
from netwright.net.chain import Chain
from netwright.net.graph import Graph

UNREAD = (r"pooler\..*",)
"""What is in files of the family and no part of its net: a layer that only its first training used."""

ATTENTION = ("query", "key", "value")
BLOCK = {
    "attention/body/graph1/projection": "attention.output.dense",
    "attention/body/layernorm1": "layernorm_before",
    "feed_forward/body/layernorm1": "layernorm_after",
    "feed_forward/body/linear1": "intermediate.dense",
    "feed_forward/body/linear2": "output.dense",
}
"""What the family calls the layers of a block."""


def vit_net(config: Config, image: Any, classes: int) -> Graph:
    """The net without its arrays: a picture in, the probabilities of the classes out.

    Without classes, the vectors of the first place and of the patches.
    """
    width, eps = config.whole("hidden_size"), config.number("layer_norm_eps", 1e-12)
    size, patch = config.pair("image_size"), config.pair("patch_size")
    config.refuse("is_encoder_decoder", False)
    activation = config.choice("hidden_act", ACTIVATIONS, "gelu")
    inner, count = config.whole("intermediate_size"), (size[0] // patch[0]) * (size[1] // patch[1])
    attention = self_attention(width, config.whole("num_attention_heads"))
    if not _has_bias(config):
        for name in ATTENTION:
            attention = attention.replace(name, Linear(width, bias=False))
    block = Chain(
        attention=Residual([LayerNorm(eps=eps), attention]),
        feed_forward=Residual([LayerNorm(eps=eps), Linear(inner), activation, Linear(width)]),
    )
    nodes: dict[str, Any] = {
        "patches": ([Conv(width, patch, stride=patch), Reshape(count, width)], "input"),
        "mark": (Parameter(1, width), {}),
        "all": (Concatenate(axis=0), "mark", "patches"),
        "positions": (Positions(count + 1), "all"),
        "blocks": (Repeat(config.whole("num_hidden_layers"), block), "positions"),
        "norm": (LayerNorm(eps=eps), "blocks"),
    }
    if classes:
        nodes["first"] = (Slice(0, axis=0), "norm")
        nodes["head"] = ([Linear(classes), softmax], "first")
    return Graph(**nodes, input=image)


def vit_table(config: Config, prefix: str, classes: int) -> dict[str, From]:
    """The table of its arrays: which tensor each comes from."""
    return {
        "mark/value": From(f"{prefix}embeddings.cls_token", _first),
        "positions/positions": From(f"{prefix}embeddings.position_embeddings", _first),
        **linear_entries("patches/conv1", f"{prefix}embeddings.patch_embeddings.projection"),
        **linear_entries("norm", f"{prefix}layernorm"),
        **(linear_entries("head/linear1", "classifier") if classes else {}),
        **blocks(config.whole("num_hidden_layers"), BLOCK, f"{prefix}encoder.layer."),
        **blocks(
            config.whole("num_hidden_layers"),
            {f"attention/body/graph1/{name}": f"attention.attention.{name}" for name in ATTENTION},
            f"{prefix}encoder.layer.",
            bias=_has_bias(config),
        ),
    }


def _has_bias(config: Config) -> bool:
    return config.yes("qkv_bias", True)


def _first(tensor: Tensor) -> Tensor:
    return tensor[0]
