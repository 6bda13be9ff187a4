"""Llama and its family: a causal transformer with rotary positions, shared keys and gated layers."""

from collections.abc import Mapping
from typing import Any, cast

from netwright.layers.embedding import Embedding
from netwright.layers.linear import Linear
from netwright.layers.norm import RMSNorm
from netwright.layers.pointwise import softmax
from netwright.layers.wrap import Repeat
from netwright.models.pretrained.weights import Config, From, blocks, linear
from netwright.models.transformer import llama_block
from netwright.net.chain import Chain
from netwright.net.part import Shared

UNREAD = (r".*rotary_emb\.inv_freq",)
"""What is in files of the family and no array of its net: a buffer."""

BLOCK = {
    **{f"attention/body/graph1/{name}": f"self_attn.{name[0]}_proj" for name in ("query", "key", "value")},
    "attention/body/graph1/projection": "self_attn.o_proj",
    "attention/body/rmsnorm1": "input_layernorm",
    "feed_forward/body/rmsnorm1": "post_attention_layernorm",
    "feed_forward/body/graph1/gate/linear1": "mlp.gate_proj",
    "feed_forward/body/graph1/value": "mlp.up_proj",
    "feed_forward/body/linear1": "mlp.down_proj",
}
"""What the family calls the layers of a block."""


def net(config: Config, tokens: Any) -> Chain:
    """The net without its arrays: tokens in, at every position the probabilities of the next one out."""
    width, heads = config.whole("hidden_size"), config.whole("num_attention_heads")
    config.refuse("attention_bias", False)
    config.refuse("mlp_bias", False)
    config.refuse("head_dim", width // heads)
    config.refuse("hidden_act", "silu")
    eps = config.number("rms_norm_eps", 1e-6)
    block = llama_block(
        width,
        heads,
        groups=config.whole("num_key_value_heads", heads),
        inner=config.whole("intermediate_size"),
        rotary=_base(config),
        eps=eps,
    )
    tied = _tied(config)
    return Chain(
        words=Shared("words", Embedding(width)) if tied else Embedding(width),
        blocks=Repeat(config.whole("num_hidden_layers"), block),
        norm=RMSNorm(eps=eps),
        head=Shared("words", Linear(bias=False)) if tied else Linear(config.whole("vocab_size"), bias=False),
        softmax=softmax,
        input=tokens,
    )


def table(config: Config) -> dict[str, From]:
    """Where its arrays come from."""
    own = {"words": "model.embed_tokens", "head": "lm_head"}
    outside = {"@words": "model.embed_tokens"} if _tied(config) else own
    found = blocks(config.whole("num_hidden_layers"), BLOCK, "model.layers.", bias=False)
    for ours, theirs in {**outside, "norm": "model.norm"}.items():
        found |= linear(ours, theirs, bias=False)
    return found


def unread(config: Config) -> tuple[str, ...]:
    """Patterns of names that are no arrays of the net."""
    return (*UNREAD, r"lm_head\.weight") if _tied(config) else UNREAD


def _tied(config: Config) -> bool:
    return config.yes("tie_word_embeddings", False)


def _base(config: Config) -> float:
    """The base of the rotary angles: its own entry, or one of a group of them in later files."""
    group = config.plain.get("rope_parameters") or config.plain.get("rope_scaling") or {}
    if isinstance(group, Mapping):
        said = Config(cast(Mapping[str, Any], group), config.where)
        said.refuse("rope_type", "default")
        said.refuse("type", "default")
        if "rope_theta" in said.plain:
            return said.number("rope_theta")
    return config.number("rope_theta", 10000.0)
