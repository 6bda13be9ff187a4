"""Llama and its family: a causal transformer with rotary positions, shared keys and gated layers."""

from collections.abc import Mapping
from typing import Any, cast

from netwright.layers.embedding import Embedding
from netwright.layers.linear import Linear
from netwright.layers.norm import RMSNorm
from netwright.layers.pointwise import softmax
from netwright.layers.wrap import Repeat
from netwright.net.chain import Chain
from netwright.net.part import Shared
from netwright.pretrained.weights import Config, From, linear
from netwright.zoo.transformer import llama_block

UNREAD = (r".*rotary_emb\.inv_freq",)
"""What is in files of the family and no array of its net: a buffer."""


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
    prefix = "model."
    found = linear("norm", f"{prefix}norm", bias=False)
    if _tied(config):
        found["@words/weight"] = From(f"{prefix}embed_tokens.weight")
    else:
        found["words/weight"] = From(f"{prefix}embed_tokens.weight")
        found["head/weight"] = From("lm_head.weight")
    for i in range(config.whole("num_hidden_layers")):
        ours, theirs = f"blocks/{i + 1}", f"{prefix}layers.{i}"
        attention, forward = f"{ours}/attention/body", f"{ours}/feed_forward/body"
        for one, other in (("query", "q"), ("key", "k"), ("value", "v"), ("projection", "o")):
            found |= linear(f"{attention}/graph1/{one}", f"{theirs}.self_attn.{other}_proj", bias=False)
        found |= linear(f"{attention}/rmsnorm1", f"{theirs}.input_layernorm", bias=False)
        found |= linear(f"{forward}/rmsnorm1", f"{theirs}.post_attention_layernorm", bias=False)
        found |= linear(f"{forward}/graph1/gate/linear1", f"{theirs}.mlp.gate_proj", bias=False)
        found |= linear(f"{forward}/graph1/value", f"{theirs}.mlp.up_proj", bias=False)
        found |= linear(f"{forward}/linear1", f"{theirs}.mlp.down_proj", bias=False)
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
