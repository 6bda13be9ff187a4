"""Llama and its family: a causal transformer with rotary positions, shared keys and gated layers."""

from typing import Any

from netwright.layers.embedding import Embedding
from netwright.layers.linear import Linear
from netwright.layers.norm import RMSNorm
from netwright.layers.pointwise import softmax
from netwright.layers.position import Rotary
from netwright.layers.wrap import Repeat, Residual
from netwright.models.pretrained.activations import ACTIVATIONS
from netwright.models.pretrained.weights import Config, From, blocks, linear_entries
from netwright.models.transformer import gated, self_attention
from netwright.net.chain import Chain
from netwright.net.part import Net, Shared

UNREAD = (r".*rotary_emb\.inv_freq",)
"""What is in files of the family and no array of its net: a buffer."""

NORMS = {"attention/body/rmsnorm1": "input_layernorm", "feed_forward/body/rmsnorm1": "post_attention_layernorm"}
ATTENTION = {
    **{f"attention/body/graph1/{name}": f"self_attn.{name[0]}_proj" for name in ("query", "key", "value")},
    "attention/body/graph1/projection": "self_attn.o_proj",
}
FEED_FORWARD = {
    "feed_forward/body/graph1/gate/linear1": "mlp.gate_proj",
    "feed_forward/body/graph1/value": "mlp.up_proj",
    "feed_forward/body/linear1": "mlp.down_proj",
}
"""What the family calls the layers of a block."""


def llama_net(config: Config, tokens: Any, head: bool = True) -> Chain:
    """The net without its arrays: tokens in, at every position the probabilities of the next one out.

    Without a head, the vector of every position.
    """
    width, heads = config.whole("hidden_size"), config.whole("num_attention_heads")
    groups, bias = config.whole("num_key_value_heads", heads), config.yes("attention_bias", False)
    config.refuse("is_encoder_decoder", False)
    eps, angles = config.number("rms_norm_eps", 1e-6), _angles(config)
    attention = self_attention(
        config.whole("head_dim", max(1, width // heads)) * heads,
        heads,
        groups=groups,
        causal=True,
        rotary=angles["base"],
        bias=bias,
    ).replace("projection", Linear(width, bias=bias))
    for name, count in (("turned_query", heads), ("turned_key", groups)):
        attention = attention.replace(name, Rotary(count, **angles))
    block = Chain(
        attention=Residual([RMSNorm(eps=eps), attention]),
        feed_forward=Residual([RMSNorm(eps=eps), *_gated(config), Linear(width, bias=_mlp_bias(config))]),
    )
    tied = head and _is_tied(config)
    last = Shared("words", Linear(bias=False)) if tied else Linear(config.whole("vocab_size"), bias=False)
    end: dict[str, Any] = {"head": last, "softmax": softmax}
    return Chain(
        words=Shared("words", Embedding(width)) if tied else Embedding(width),
        blocks=Repeat(config.whole("num_hidden_layers"), block),
        norm=RMSNorm(eps=eps),
        **(end if head else {}),
        input=tokens,
    )


def llama_table(config: Config, prefix: str = "model.", head: bool = True) -> dict[str, From]:
    """The table of its arrays: which tensor each comes from."""
    tied, count, inside = head and _is_tied(config), config.whole("num_hidden_layers"), f"{prefix}layers."
    outside = {"@words" if tied else "words": f"{prefix}embed_tokens", "norm": f"{prefix}norm"}
    found = blocks(count, NORMS, inside, bias=False)
    found |= blocks(count, ATTENTION, inside, bias=config.yes("attention_bias", False))
    found |= blocks(count, FEED_FORWARD, inside, bias=_mlp_bias(config))
    for ours, theirs in {**outside, **({"head": "lm_head"} if head and not tied else {})}.items():
        found |= linear_entries(ours, theirs, bias=False)
    return found


def llama_unread(config: Config) -> tuple[str, ...]:
    """Patterns of names that are no arrays of the net."""
    return (*UNREAD, r"lm_head\.weight") if _is_tied(config) else UNREAD


def _is_tied(config: Config) -> bool:
    """Whether the last layer is the transposed embedding."""
    return config.yes("tie_word_embeddings", False)


def _mlp_bias(config: Config) -> bool:
    return config.yes("mlp_bias", False)


def _gated(config: Config) -> list[Net]:
    """The gated layer, with biases or without, as published."""
    inner = config.whole("intermediate_size")
    layer = gated(inner, config.choice("hidden_act", ACTIVATIONS, "silu"))
    if _mlp_bias(config):
        layer = layer.replace("gate/linear1", Linear(inner)).replace("value", Linear(inner))
    return [layer]


def _angles(config: Config) -> dict[str, Any]:
    """The fields of `Rotary`: the base is a field of its own, or in the group of fields for scaling angles."""
    both = [name for name in ("rope_parameters", "rope_scaling") if config.mapping(name)]
    said = config.group(both[0] if both else "rope_parameters")
    if len(both) > 1 and config.plain["rope_scaling"] != config.plain["rope_parameters"]:
        config.refuse("rope_scaling")
    config.refuse("rope_interleaved", False)
    for fields in (config, said):
        fields.refuse("partial_rotary_factor", 1, 1.0)
    base = said.number("rope_theta", config.number("rope_theta", 10000.0))
    kinds = {"default": "default", "linear": "linear", "llama3": "llama3"}
    kind = said.choice("rope_type", kinds, said.choice("type", kinds, "default"))
    angles: dict[str, Any] = {"base": base}
    if kind != "default":
        angles["slower"] = said.number("factor")
    if kind == "llama3":
        trained = said.whole("original_max_position_embeddings", config.whole("max_position_embeddings", 2048))
        angles["kept"] = (trained / said.number("high_freq_factor"), trained / said.number("low_freq_factor"))
    said.finish()
    return angles
