"""GPT-2 and its family: a causal transformer with learned positions, whose last layer is the transposed embedding."""

from typing import Any

from torch import Tensor

from netwright.layers.attention import Attention
from netwright.layers.embedding import Embedding
from netwright.layers.linear import Linear
from netwright.layers.norm import LayerNorm
from netwright.layers.pointwise import softmax
from netwright.layers.position import Positions
from netwright.layers.wrap import Repeat, Residual
from netwright.models.pretrained.activations import ACTIVATIONS
from netwright.models.pretrained.weights import Config, From, blocks, linear_entries
from netwright.models.transformer import self_attention
from netwright.net.chain import Chain
from netwright.net.part import Shared

UNREAD = (r".*\.attn\.(masked_)?bias",)
"""What is in files of the family and no array of its net: masks."""

NORMS = {"attention/body/layernorm1": "ln_1", "feed_forward/body/layernorm1": "ln_2"}
TURNED = {
    "attention/body/graph1/projection": "attn.c_proj",
    "feed_forward/body/linear1": "mlp.c_fc",
    "feed_forward/body/linear2": "mlp.c_proj",
}
"""What the family calls the layers of a block: norms, and layers whose weights it keeps turned round."""


def gpt2_net(config: Config, tokens: Any, head: bool = True) -> Chain:
    """The net without its arrays: tokens in, at every position the probabilities of the next one out.

    Without a head, the vector of every position.
    """
    width, eps = config.whole("n_embd"), config.number("layer_norm_epsilon", 1e-5)
    inner = config.whole("n_inner", 4 * width)
    activation = config.choice("activation_function", ACTIVATIONS, "gelu_new")
    for name in ("scale_attn_by_inverse_layer_idx", "add_cross_attention", "is_encoder_decoder"):
        config.refuse(name, False)
    heads, tied = config.whole("n_head"), head and _is_tied(config)
    attention = self_attention(width, heads, causal=True)
    if not config.yes("scale_attn_weights", True):
        attention = attention.replace("attention", Attention(heads, causal=True, scale=1.0))
    last = Shared("words", Linear(bias=False)) if tied else Linear(config.whole("vocab_size"), bias=False)
    end: dict[str, Any] = {"head": last, "softmax": softmax}
    block = Chain(
        attention=Residual([LayerNorm(eps=eps), attention]),
        feed_forward=Residual([LayerNorm(eps=eps), Linear(inner), activation, Linear(width)]),
    )
    return Chain(
        words=Shared("words", Embedding(width)) if tied else Embedding(width),
        positions=Positions(config.whole("n_positions")),
        blocks=Repeat(config.whole("n_layer"), block),
        norm=LayerNorm(eps=eps),
        **(end if head else {}),
        input=tokens,
    )


def gpt2_table(config: Config, prefix: str = "transformer.", head: bool = True) -> dict[str, From]:
    """The table of its arrays: queries, keys and values are stored side by side, and weights transposed."""
    width, count = config.whole("n_embd"), config.whole("n_layer")
    tied = head and _is_tied(config)
    found = {
        "@words/weight" if tied else "words/weight": From(f"{prefix}wte.weight"),
        **({"head/weight": From("lm_head.weight")} if head and not tied else {}),
        "positions/positions": From(f"{prefix}wpe.weight"),
        **linear_entries("norm", f"{prefix}ln_f"),
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


def gpt2_unread(config: Config) -> tuple[str, ...]:
    """Patterns of names that are no arrays of the net."""
    return (*UNREAD, r"lm_head\.weight") if _is_tied(config) else UNREAD


def _is_tied(config: Config) -> bool:
    """Whether the last layer is the transposed embedding."""
    return config.yes("tie_word_embeddings", True)


def _turned(path: str, name: str, part: slice = slice(None)) -> dict[str, From]:
    def weight(tensor: Tensor) -> Tensor:
        return tensor[:, part].t()

    def bias(tensor: Tensor) -> Tensor:
        return tensor[part]

    return {f"{path}/weight": From(f"{name}.weight", weight), f"{path}/bias": From(f"{name}.bias", bias)}
