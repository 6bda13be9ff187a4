"""BERT and its family: a transformer that sees the whole text, with norms after each residual sum."""

from typing import Any

from netwright.layers.embedding import Embedding
from netwright.layers.linear import Linear
from netwright.layers.norm import LayerNorm
from netwright.layers.pointwise import tanh
from netwright.layers.position import Positions, Segments
from netwright.layers.sequence import First
from netwright.layers.wrap import Repeat, Residual
from netwright.models.pretrained.activations import ACTIVATIONS
from netwright.models.pretrained.weights import Config, From, blocks, linear_entries
from netwright.models.transformer import self_attention
from netwright.net.chain import Chain
from netwright.net.graph import Graph

UNREAD = (r".*position_ids", r"cls\..*")
"""What is in files of the family and no part of its net: a buffer, and the heads of its own training."""

BLOCK = {
    **{f"attention/body/{name}": f"attention.self.{name}" for name in ("query", "key", "value")},
    "attention/body/projection": "attention.output.dense",
    "attention_norm": "attention.output.LayerNorm",
    "feed_forward/body/linear1": "intermediate.dense",
    "feed_forward/body/linear2": "output.dense",
    "feed_forward_norm": "output.LayerNorm",
}
"""What the family calls the layers of a block."""


def bert_net(config: Config, tokens: Any, pooled: bool = True) -> Graph:
    """The net without its arrays: tokens in, a vector for each out, and where it is `pooled` one for the text.

    The input `segment` says for every token in which of two texts that follow one another it stands; without it all
    stand in the first.
    """
    width, eps = config.whole("hidden_size"), config.number("layer_norm_eps", 1e-12)
    activation = config.choice("hidden_act", ACTIVATIONS, "gelu")
    config.refuse("position_embedding_type", "absolute")
    for name in ("is_decoder", "add_cross_attention", "is_encoder_decoder"):
        config.refuse(name, False)
    block = Chain(
        attention=Residual(self_attention(width, config.whole("num_attention_heads"))),
        attention_norm=LayerNorm(eps=eps),
        feed_forward=Residual([Linear(config.whole("intermediate_size")), activation, Linear(width)]),
        feed_forward_norm=LayerNorm(eps=eps),
    )
    kinds = config.whole("type_vocab_size", 2)
    text: dict[str, Any] = {"first": (First(), "blocks"), "pooled": ([Linear(width), tanh], "first")}
    return Graph(
        words=(Embedding(width), "input"),
        positions=(Positions(config.whole("max_position_embeddings")), "words"),
        segments=(Segments(kinds), "positions", "segment"),
        norm=(LayerNorm(eps=eps), "segments"),
        blocks=(Repeat(config.whole("num_hidden_layers"), block), "norm"),
        **(text if pooled else {}),
        outputs={"output": "blocks", "pooled": "pooled"} if pooled else {"output": "blocks"},
        input={"input": tokens, "segment": f"n <{kinds}>"},
    )


def bert_table(config: Config, prefix: str = "", pooled: bool = True) -> dict[str, From]:
    """The table of its arrays: which tensor each comes from."""
    return {
        "words/weight": From(f"{prefix}embeddings.word_embeddings.weight"),
        "positions/positions": From(f"{prefix}embeddings.position_embeddings.weight"),
        "segments/weight": From(f"{prefix}embeddings.token_type_embeddings.weight"),
        **linear_entries("norm", f"{prefix}embeddings.LayerNorm"),
        **(linear_entries("pooled/linear1", f"{prefix}pooler.dense") if pooled else {}),
        **blocks(config.whole("num_hidden_layers"), BLOCK, f"{prefix}encoder.layer."),
    }
