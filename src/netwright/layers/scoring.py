"""Attention whose scores a net gives: an additive one, a bilinear one, or any other that takes a query and a key."""

from collections.abc import Callable, Collection, Mapping
from typing import Any

from torch import Tensor

from netwright.net.leaf import Kept
from netwright.net.node import Node
from netwright.net.part import Container, Leaf
from netwright.net.plan.symbol import Symbol, as_part
from netwright.net.ports import PortsLike, held_codecs
from netwright.net.run.padding import NO_LENGTHS, Lengths, filled, length_of


class ScoredAttention(Container):
    """Attention by a net: output_i = Σ_j softmax_j(score(query_i, key_j)) value_j.

    Projections stay outside, as with `Attention`, so that each is done once for a query or key, not for every pair.
    The parts are `pair`, `score` and `weigh`.

    Shapes: query (m, d), key (n, e), value (n, v); output (m, v), scores (m, n), the weights behind the softmax.

    Fields:
        score: takes a query and a key of every pair, (m, n, d) and (m, n, e), and gives one number for it, (m, n).
        input: encoders, or sizes, by port.
        output: decoders, or sizes, by port.

    Raises: SizeError for a score that is not one number for every pair.

    Example:
        >>> import netwright as nw
        >>> query, key = nw.Input("query"), nw.Input("key")
        >>> additive = nw.Graph(nw.Slice(0)(nw.Linear(1)(nw.tanh(query + key))))
        >>> x, memory = nw.Input("x", ("m", 8)), nw.Input("memory", ("n", 6))
        >>> attend = nw.ScoredAttention(additive)
        >>> nw.Graph(attend(nw.Linear(5)(x), nw.Linear(5)(memory), memory)["output"]).plan.outputs
        {'output': (m, 6)}

    Source: additive: Bahdanau et al. 2015, arXiv 1409.0473; bilinear: Luong et al. 2015, arXiv 1508.04025
    """

    score: Node

    def __init__(self, score: Any, *, input: PortsLike = None, output: PortsLike = None) -> None:
        object.__setattr__(self, "score", as_part(score))
        self.settle(held_codecs(self, input, output))

    @property
    def input_names(self) -> tuple[str, ...]:
        return ("query", "key", "value")

    def flow(self, call: Callable[..., Symbol], *x: Symbol) -> dict[str, Symbol]:
        query, key, value = x
        pair = call("pair", Pair(), query, key)
        weighed = call("weigh", Weigh(), call("score", self.score, pair["queries"], pair["keys"]), value)
        return {"output": weighed["output"], "scores": weighed["weights"]}


class Pair(Leaf):
    """Every query beside every key, as views: what `ScoredAttention` shows its score.

    Shapes: query (m, d), key (n, e); queries (m, n, d), keys (m, n, e).

    Example:
        >>> Pair().output_names
        ('queries', 'keys')
    """

    ports = "query: m d, key: n e -> queries: m n d, keys: m n e"
    ignores_padding = True
    family = "sequence"

    def reach(self, training: bool) -> Mapping[str, tuple[float, float]]:
        return {"query": (0, 0)}

    def keeps(self, sizes: Mapping[str, Any], wanted: Collection[str]) -> Kept:
        return Kept()

    def is_view(self, training: bool) -> bool:
        return True

    def forward(self, w: Mapping[str, Tensor], query: Tensor, key: Tensor) -> tuple[Tensor, Tensor]:
        m, n = query.shape[1], key.shape[1]
        queries = query.unsqueeze(2).expand(-1, -1, n, -1)  # (b, m, d) -> (b, m, n, d)
        return queries, key.unsqueeze(1).expand(-1, m, -1, -1)  # (b, n, e) -> (b, m, n, e)


class Weigh(Leaf):
    """Means of values, weighted by the softmax of scores: output_i = Σ_j softmax_j(scores_ij) value_j.

    Shapes: scores (m, n), value (n, v); output (m, v), weights (m, n).

    Example:
        >>> Weigh().output_names
        ('output', 'weights')
    """

    ports = "scores: m n, value: n v -> output: m v, weights: m n"
    needs_float32 = True
    family = "sequence"

    def reach(self, training: bool) -> Mapping[str, tuple[float, float]]:
        return {"scores": (0, 0)}

    def keeps(self, sizes: Mapping[str, Any], wanted: Collection[str]) -> Kept:
        return Kept(inputs=("value",), outputs=("weights",))

    def forward(
        self, w: Mapping[str, Tensor], scores: Tensor, value: Tensor, *, lengths: Lengths = NO_LENGTHS
    ) -> tuple[Tensor, Tensor]:
        weights = filled(scores, length_of(lengths, "n"), float("-inf"), 2).softmax(-1)  # (b, m, n)
        return weights @ value, weights  # (b, m, n) and (b, n, v) -> (b, m, v)
