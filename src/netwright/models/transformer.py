"""The blocks of transformers as plain nets: attention with projections, norms, residuals and feed-forward layers."""

from typing import Any

from netwright.fields import with_known_arguments
from netwright.layers.attention import Attention
from netwright.layers.dropout import Dropout
from netwright.layers.join import Add, Multiply
from netwright.layers.linear import Linear
from netwright.layers.norm import LayerNorm, RMSNorm
from netwright.layers.pointwise import gelu, silu
from netwright.layers.position import Rotary
from netwright.layers.wrap import Residual
from netwright.net.chain import Chain
from netwright.net.graph import Graph
from netwright.net.part import Net

MEMORY: dict[str, Any] = {"input": None, "memory": None}  # the ports of what reads two sequences


@with_known_arguments
def self_attention(
    width: int,
    heads: int,
    *,
    groups: int | None = None,
    causal: bool = False,
    rotary: float | None = None,
    bias: bool = True,
) -> Graph:
    """Attention of a sequence to itself: queries, keys, values and the output are linear maps.

    Shapes: input (n, width), output (n, width). The parts are `query`, `key`, `value`, `attention`,
        `projection`; with `rotary` also `turned_query` and `turned_key`.

    Fields:
        width: features of an element, as many going out.
        heads: into how many equal parts queries are cut.
        groups: heads of keys and values; None, as many.
        causal: whether an element sees only itself and what came before it.
        rotary: the base of the angles by which queries and keys are turned; None, no rotation.
        bias: whether the four linear parts have one.

    Example:
        >>> import netwright as nw
        >>> nw.self_attention(64, heads=4).with_input(("n", 64)).plan.outputs
        {'output': (n, 64)}
    """
    shared = heads if groups is None else groups
    narrow = width // heads * shared
    query, key = "query", "key"
    nodes: dict[str, Any] = {
        query: (Linear(width, bias=bias), "input"),
        key: (Linear(narrow, bias=bias), "input"),
        "value": (Linear(narrow, bias=bias), "input"),
    }
    if rotary is not None:
        nodes["turned_query"], nodes["turned_key"] = (Rotary(heads, rotary), query), (Rotary(shared, rotary), key)
        query, key = "turned_query", "turned_key"
    return Graph(
        **nodes,
        attention=(Attention(heads, groups, causal=causal), query, key, "value"),
        projection=(Linear(width, bias=bias), "attention"),
    )


@with_known_arguments
def cross_attention(width: int, heads: int, *, bias: bool = True) -> Graph:
    """Attention of a sequence to another one, its memory: queries come from the one, keys and values from the other.

    Shapes: input (m, width), memory (n, any); output (m, width). The parts are those of `self_attention`.

    Fields:
        width: features of an element of the input, as many going out.
        heads: into how many equal parts queries, keys and values are cut.
        bias: whether the four linear parts have one.

    Example:
        >>> import netwright as nw
        >>> nw.cross_attention(64, heads=4).input_names
        ('input', 'memory')
    """
    return Graph(
        query=(Linear(width, bias=bias), "input"),
        key=(Linear(width, bias=bias), "memory"),
        value=(Linear(width, bias=bias), "memory"),
        attention=(Attention(heads), "query", "key", "value"),
        projection=(Linear(width, bias=bias), "attention"),
        input=MEMORY,
    )


@with_known_arguments
def encoder_block(
    width: int, heads: int, *, inner: int | None = None, activation: Any = gelu, dropout: float = 0.1
) -> Chain:
    """A block of a transformer that sees the whole sequence: attention to itself, then two layers on every element.

    Each of the two stands on a residual way, behind a norm and before dropout.

    Shapes: input (n, width), output (n, width).

    Fields:
        width: features of an element.
        heads: of the attention.
        inner: width between the two layers; None, four times `width`, as in the source.
        activation: between them; GELU, as in BERT.
        dropout: of what is added; 0.1, as in the source.

    Example:
        >>> import netwright as nw
        >>> net = nw.Chain(nw.encoder_block(64, 4), nw.encoder_block(64, 4), nw.LayerNorm(), input=("n", 64))
        >>> net.plan.outputs
        {'output': (n, 64)}

    Source: Vaswani et al. 2017, arXiv 1706.03762; norms in front: Xiong et al. 2020, arXiv 2002.04745
    Torch: torch.nn.TransformerEncoderLayer(norm_first=True)
    """
    return Chain(
        attention=Residual([LayerNorm(), self_attention(width, heads), Dropout(dropout)]),
        feed_forward=_feed_forward(width, inner, activation, dropout),
    )


@with_known_arguments
def decoder_block(
    width: int,
    heads: int,
    *,
    memory: bool,
    inner: int | None = None,
    activation: Any = gelu,
    dropout: float = 0.1,
) -> Net:
    """A block of a transformer that sees only what came before and, where it has one, a memory.

    Attention to itself, then to the memory, then two layers on every element; each stands on a residual way, behind a
    norm and before dropout. Without a memory it is a block of a GPT.

    Shapes: input (m, width), memory (n, any) where it has one; output (m, width).

    Fields:
        width: features of an element.
        heads: of the attentions.
        memory: whether there is another sequence to look at; no default, since it is another port.
        inner: width between the two layers; None, four times `width`, as in the source.
        activation: between them; GELU, as in GPT.
        dropout: of what is added; 0.1, as in the source.

    Example:
        >>> import netwright as nw
        >>> nw.decoder_block(64, 4, memory=True).input_names
        ('input', 'memory')

    Source: Vaswani et al. 2017, arXiv 1706.03762; without memory: Radford et al. 2018
    Torch: torch.nn.TransformerDecoderLayer(norm_first=True)
    """
    attention = Residual([LayerNorm(), self_attention(width, heads, causal=True), Dropout(dropout)])
    feed_forward = _feed_forward(width, inner, activation, dropout)
    if not memory:
        return Chain(attention=attention, feed_forward=feed_forward)
    return Graph(
        attention=(attention, "input"),
        norm=(LayerNorm(), "attention"),
        cross=(cross_attention(width, heads), "norm", "memory"),
        dropout=(Dropout(dropout), "cross"),
        add=(Add(), "attention", "dropout"),
        feed_forward=(feed_forward, "add"),
        input=MEMORY,
    )


@with_known_arguments
def llama_block(
    width: int, heads: int, *, groups: int, inner: int, rotary: float = 10000.0, eps: float = 1e-6
) -> Chain:
    """A block of a Llama: causal attention with rotary positions and shared keys, then a gated layer on every element.

    Each of the two stands on a residual way, behind an RMS norm. Nothing has a bias.

    Shapes: input (n, width), output (n, width).

    Fields:
        width: features of an element.
        heads: of the queries.
        groups: heads of keys and values.
        inner: width of the gated layer.
        rotary: the base of the angles; 10000 as in the source, more for longer texts.
        eps: of the norms; 1e-6, `RMSNorm`'s own.

    Example:
        >>> import netwright as nw
        >>> nw.Chain(nw.llama_block(64, 4, groups=2, inner=128), input=("n", 64)).plan.outputs
        {'output': (n, 64)}

    Source: Touvron et al. 2023, arXiv 2302.13971; the gated layer: Shazeer 2020, arXiv 2002.05202
    """
    attention = self_attention(width, heads, groups=groups, causal=True, rotary=rotary, bias=False)
    return Chain(
        attention=Residual([RMSNorm(eps=eps), attention]),
        feed_forward=Residual([RMSNorm(eps=eps), gated(inner, silu), Linear(width, bias=False)]),
    )


@with_known_arguments
def gated(inner: int, activation: Any) -> Graph:
    """A gated unit: what one linear layer says, times the activation of another.

    y = activation(W x) · V x, without biases.

    Fields:
        inner: width of both.
        activation: of the gate: `nw.silu` makes it SwiGLU, `nw.gelu` GEGLU, `nw.sigmoid` GLU.

    Example:
        >>> import netwright as nw
        >>> nw.Chain(nw.gated(8, nw.silu), input=3).plan.outputs
        {'output': (8,)}

    Source: Shazeer 2020, arXiv 2002.05202
    """
    return Graph(
        gate=([Linear(inner, bias=False), activation], "input"),
        value=(Linear(inner, bias=False), "input"),
        multiply=(Multiply(), "gate", "value"),
    )


def _feed_forward(width: int, inner: int | None, activation: Any, dropout: float) -> Residual:
    between = 4 * width if inner is None else inner
    return Residual([LayerNorm(), Linear(between), activation, Linear(width), Dropout(dropout)])
