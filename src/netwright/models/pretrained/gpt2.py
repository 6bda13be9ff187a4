"""GPT-2 and its family: a causal transformer with learned positions, whose last layer is its first turned round."""

from typing import Any

from torch import Tensor

from netwright.layers.embedding import Embedding
from netwright.layers.linear import Linear
from netwright.layers.norm import LayerNorm
from netwright.layers.pointwise import softmax
from netwright.layers.position import Positions
from netwright.layers.wrap import Repeat, Residual
from netwright.models.pretrained.activations import ACTIVATIONS
from netwright.models.pretrained.weights import Config, From, blocks, linear
from netwright.models.transformer import self_attention
from netwright.net.chain import Chain
from netwright.net.part import Shared

UNREAD = (r".*\.attn\.(masked_)?bias", r"lm_head\.weight")
"""What is in files of the family and no array of its net: masks, and the last layer, which is the first."""

NORMS = {"attention/body/layernorm1": "ln_1", "feed_forward/body/layernorm1": "ln_2"}
TURNED = {
    "attention/body/graph1/projection": "attn.c_proj",
    "feed_forward/body/linear1": "mlp.c_fc",
    "feed_forward/body/linear2": "mlp.c_proj",
}
"""What the family calls the layers of a block: norms, and layers whose weights it keeps turned round."""


def net(config: Config, tokens: Any) -> Chain:
    """The net without its arrays: tokens in, at every position the probabilities of the next one out."""
    width, eps = config.whole("n_embd"), config.number("layer_norm_epsilon", 1e-5)
    inner = config.whole("n_inner", 4 * width)
    activation = config.choice("activation_function", ACTIVATIONS, "gelu_new")
    config.refuse("scale_attn_by_inverse_layer_idx", False)
    config.refuse("tie_word_embeddings", True)
    block = Chain(
        attention=Residual([LayerNorm(eps=eps), self_attention(width, config.whole("n_head"), causal=True)]),
        feed_forward=Residual([LayerNorm(eps=eps), Linear(inner), activation, Linear(width)]),
    )
    return Chain(
        words=Shared("words", Embedding(width)),
        positions=Positions(config.whole("n_positions")),
        blocks=Repeat(config.whole("n_layer"), block),
        norm=LayerNorm(eps=eps),
        head=Shared("words", Linear(bias=False)),
        softmax=softmax,
        input=tokens,
    )


def table(config: Config, prefix: str = "transformer.") -> dict[str, From]:
    """Where its arrays come from: it keeps queries, keys and values side by side, and weights turned round."""
    width, count = config.whole("n_embd"), config.whole("n_layer")
    found = {
        "@words/weight": From(f"{prefix}wte.weight"),
        "positions/positions": From(f"{prefix}wpe.weight"),
        **linear("norm", f"{prefix}ln_f"),
        **blocks(count, NORMS, f"{prefix}h."),
    }
    for i in range(count):
        ours, theirs = f"blocks/{i + 1}", f"{prefix}h.{i}"
        for place, name in enumerate(("query", "key", "value")):
            part = slice(place * width, (place + 1) * width)
            found |= _turned(f"{ours}/attention/body/graph1/{name}", f"{theirs}.attn.c_attn", part)
        for path, name in TURNED.items():
            found |= _turned(f"{ours}/{path}", f"{theirs}.{name}")
    return found


def _turned(path: str, name: str, part: slice = slice(None)) -> dict[str, From]:
    def weight(tensor: Tensor) -> Tensor:
        return tensor[:, part].t()

    def bias(tensor: Tensor) -> Tensor:
        return tensor[part]

    return {f"{path}/weight": From(f"{name}.weight", weight), f"{path}/bias": From(f"{name}.bias", bias)}
