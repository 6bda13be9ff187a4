"""Attention: every query takes a mean of values, weighted by how well the query goes with each value's key."""

import math
from collections.abc import Collection, Mapping, MutableMapping
from math import inf
from threading import Lock
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.utils.weak import WeakIdKeyDictionary

from netwright.errors import DataError, NetError
from netwright.fields import at_least
from netwright.net.leaf import Kept
from netwright.net.part import Leaf
from netwright.net.run.padding import NO_LENGTHS, Lengths, inside, length_of
from netwright.sizes.size import same

Memory = Mapping[str, Tensor] | None
OUTPUT = frozenset({"output"})
SMALL = 1 << 16  # numbers that are copied as fast as a place for more is found
SHORT = 256  # keys up to which a bf16 gradient is faster step by step


class Attention(Leaf):
    """Scaled dot-product attention, without projections: those are `Linear`s around it.

    output_i = Σ_j scores_ij value_j with scores_ij = softmax_j(scale · query_i · key_j + bias_ij), in every head by
    itself: the features of a position are those of its heads, one head after the other.

    Shapes: query (m, heads d), key (n, groups d), value (n, groups e), mask (m, n), all allowed if nothing feeds it,
        bias (heads, m, n), 0 if nothing feeds it; output (m, heads e), scores (heads, m, n). Where it is causal, m is
        n.

    Fields:
        heads: how many means are taken side by side; 1.
        groups: heads that keys and values have, each for heads / groups of the queries'; None, as many.
        causal: whether position i sees the keys of positions up to i alone; then it steps, and keeps keys and values.
        scale: what scores are multiplied with; None, 1/√d, so that they vary as much whatever d is.
        window: how many positions a query sees in each direction, its own among them: positions i − window + 1 to
            i + window − 1, or to i where it is causal. Then m is n, and what steps keeps so many keys. None, all.

    A mask is 0 where a query must not look, anything else where it may. A query that may look nowhere gets 0. A bias
    is a finite number for each pair, such as a learned one for each distance. One for all heads, (m, n), is repeated by
    `nw.Add` with a constant (heads, 1, 1).

    Raises:
        NetError: a number that is not a whole one of at least 1, heads that the groups do not divide, a scale that is
            not above 0.
        SizeError: features that are not a multiple of the heads, or a bias for another number of heads.
        DataError: a mask or a bias where the net takes a sequence in pieces.

    Example:
        >>> import netwright as nw
        >>> x, memory = nw.Input("x", ("m", 8)), nw.Input("memory", ("n", 8))
        >>> nw.Graph(nw.Attention(2)(x, memory, memory)["output"]).plan.outputs
        {'output': (m, 8)}

    Source: Vaswani et al. 2017, arXiv 1706.03762; groups: Ainslie et al. 2023, arXiv 2305.13245; bias: Raffel et al.
        2019, arXiv 1910.10683; window: Beltagy et al. 2020, arXiv 2004.05150
    Torch: torch.nn.functional.scaled_dot_product_attention, whose attn_mask of numbers is the bias
    """

    heads: int = 1
    groups: int | None = None
    causal: bool = False
    scale: float | None = None
    window: int | None = None
    family = "sequence"

    def __post_init__(self) -> None:
        for name, count in (("heads", self.heads), ("groups", self._groups)):
            at_least(1, count, f"the number of {name}", "Attention")
        if self.heads % self._groups:
            raise NetError(
                what="every group of keys and values serves as many heads as every other",
                where="Attention",
                expected=f"groups that divide {self.heads} heads",
                got=f"groups={self._groups}",
            )
        if self.window is not None:
            at_least(1, self.window, "the window", "Attention")
        if self.scale is not None and not self.scale > 0:
            raise NetError(what="the scale of scores is a number above 0", where="Attention", got=repr(self.scale))

    @property
    def ports(self) -> str:  # pyright: ignore[reportIncompatibleVariableOverride]  # the ports follow from the fields
        """Named by what they are; one that is causal or has a window has as many queries as keys."""
        h, g, m = self.heads, self._groups, self._queries
        inputs = f"query: {m} {h}*d, key: n {g}*d, value: n {g}*e, mask?: {m} n, bias?: {h} {m} n"
        return f"{inputs} -> output: {m} {h}*e, scores: {h} {m} n"

    @property
    def _queries(self) -> str:
        return "n" if self.causal or self.window is not None else "m"

    @property
    def _groups(self) -> int:
        return self.heads if self.groups is None else self.groups

    def products(self, sizes: Mapping[str, Any]) -> Any:
        asked = sizes[self._queries]
        return asked * sizes["n"] * (self.heads * (sizes["d"] + sizes["e"]))  # what is masked is computed all the same

    def reach(self, training: bool) -> Mapping[str, tuple[float, float]]:
        if not self.causal and self.window is None:
            return {"query": (0.0, 0.0)}
        far = inf if self.window is None else self.window - 1.0
        seen = (-far, 0.0 if self.causal else far)
        return {"query": (0.0, 0.0), "key": seen, "value": seen}

    def hides_future(self, path: str) -> tuple[str, ...]:
        return () if self.causal else (f"causal=True in {path}",)

    def memory(self) -> Mapping[str, str] | None:
        g = self._groups
        return {"keys": f"past {g}*d", "values": f"past {g}*e"} if self.causal else None

    def keeps(self, sizes: Mapping[str, Any], wanted: Collection[str]) -> Kept:
        m, n, h = sizes[self._queries], sizes["n"], self.heads
        scaled, scores = 4 * m * sizes["d"] * h, 4 * m * n * h
        if "scores" in wanted:
            return Kept(inputs=("key", "value"), outputs=("scores",), bytes=scaled, in_use=scores)
        if not same(sizes["d"], sizes["e"]):  # torch has no kernel for it
            grouped = self._groups < h  # then keys and values are repeated
            repeated = 4 * n * (sizes["d"] + sizes["e"]) * h if grouped else 0
            made = scaled + scores + repeated
            return Kept(inputs=() if grouped else ("key", "value"), bytes=made, in_use=2 * scores + repeated)
        return Kept(inputs=("query", "key", "value"), outputs=("output",), bytes=4 * m * h)

    def forward(
        self,
        w: Mapping[str, Tensor],
        query: Tensor,
        key: Tensor,
        value: Tensor,
        mask: Tensor | None = None,
        bias: Tensor | None = None,
        *,
        lengths: Lengths = NO_LENGTHS,
        wanted: Collection[str] = OUTPUT,
    ) -> tuple[Tensor, Tensor | None]:
        length = None if self.causal else length_of(lengths, "n")  # what is causal sees no padding before its own
        return self._attend(query, key, value, mask, bias, length, "scores" in wanted)

    def step(
        self, w: Mapping[str, Tensor], memory: Memory, *inputs: Tensor | None, wanted: Collection[str] = OUTPUT
    ) -> tuple[tuple[Tensor, Tensor | None], dict[str, Tensor]]:
        query, key, value, mask, bias = inputs
        assert query is not None and key is not None and value is not None
        for name, given in (("mask", mask), ("bias", bias)):
            if given is not None:
                raise DataError(
                    what=f"a {name} is for a whole sequence, not for pieces of one",
                    where="Attention",
                    expected=f"no {name}, since it has a number for each pair of positions, and a piece has only some",
                    mend=f"nw.Attention(causal=True) without a {name}",
                )
        if memory is not None:
            key, value = longer(memory["keys"], key), longer(memory["values"], value)
        kept = {"keys": key, "values": value}
        if self.window is not None:  # the next query sees its own key and so many before it
            kept = {name: x[:, max(0, x.shape[1] - self.window + 1) :] for name, x in kept.items()}
        return self._attend(query, key, value, None, None, None, "scores" in wanted), kept

    def _attend(
        self,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        mask: Tensor | None,
        bias: Tensor | None,
        length: Tensor | None,
        weighing: bool,
    ) -> tuple[Tensor, Tensor | None]:
        (b, m, _), n = query.shape, key.shape[1]
        q, k, v = (
            x.unflatten(-1, (count, x.shape[-1] // count)).transpose(1, 2)  # (b, n, heads d) -> (b, heads, n, d)
            for x, count in ((query, self.heads), (key, self._groups), (value, self._groups))
        )
        single = m == 1 and not torch.compiler.is_exporting()  # an exported net takes one query and many
        if single:  # heads that share keys ask them as queries of one head would, at a third of the time
            q = query.view(
                b, self._groups, self.heads // self._groups, q.shape[-1]
            )  # (b, 1, heads d) -> (b, groups, heads / groups, d)
        allowed = None if length is None else inside(length, n)[:, None, None]  # (b, n) -> (b, 1, 1, n)
        if mask is not None:
            own = (mask != 0).unsqueeze(1)  # (b, m, n) -> (b, 1, m, n)
            allowed = own if allowed is None else allowed & own
        causal = self.causal and not single
        if causal and (allowed is not None or bias is not None or m < n or self.window is not None):
            before = torch.ones(m, n, dtype=torch.bool, device=q.device).tril(n - m)  # the last of n is the last of m
            causal, allowed = False, before if allowed is None else allowed & before
        if self.window is not None and not single:
            near = torch.ones(m, n, dtype=torch.bool, device=q.device).triu(n - m - self.window + 1)
            near = near if self.causal else near.tril(n - m + self.window - 1)
            allowed = near if allowed is None else allowed & near
        dark = mask is not None or (self.window is not None and length is not None)  # whether a query may see nothing
        blind = ~allowed.any(-1, keepdim=True) if dark and allowed is not None else None  # (b, 1, m, 1)
        if blind is not None and allowed is not None:
            allowed = allowed | blind  # what may look nowhere looks everywhere, and then gets 0: no 0 / 0 on the way
        if bias is not None:
            bias = bias.to(q.dtype)  # (b, heads, m, n)
            if single:
                bias = bias.reshape(*q.shape[:3], n)  # (b, heads, 1, n) -> (b, groups, heads / groups, n)
            allowed = bias if allowed is None else bias.masked_fill(~allowed, -inf)
        kernel = weighed if weighing or by_hand(q, k, v) else fused
        y, scores = kernel(q, k, v, allowed, causal, self.scale)
        if blind is not None:
            y, scores = y.masked_fill(blind, 0.0), None if scores is None else scores.masked_fill(blind, 0.0)
        if single:
            whole = y.reshape(b, 1, self.heads * y.shape[-1])  # (b, groups, heads / groups, e) -> (b, 1, heads e)
            return whole, None if scores is None else scores.reshape(b, self.heads, 1, n)
        return y.transpose(1, 2).flatten(2), scores  # (b, heads, m, e) -> (b, m, heads e)


class _Room:
    """Memory for a sequence that grows, with what is kept of it in its first places and `count` taken."""

    def __init__(self, kept: Tensor, count: int) -> None:
        self.buffer = kept.new_empty(len(kept), 2 * count, kept.shape[2])  # (b, 2 count, f)
        self.buffer[:, : kept.shape[1]] = kept
        self._taken, self._lock = count, Lock()

    def take(self, start: int, end: int) -> bool:
        """Whether these places are there and free; then they belong to this caller, not to another thread."""
        writable = self.buffer.is_inference() == torch.is_inference_mode_enabled()
        with self._lock:
            free = writable and self._taken == start and end <= self.buffer.shape[1]
            if free:
                self._taken = end
        return free


ROOMS: MutableMapping[Tensor, _Room] = WeakIdKeyDictionary()  # beside the values, so that they are saved without


def longer(kept: Tensor, x: Tensor) -> Tensor:
    """What is kept and a chunk behind it, (b, n, f) and (b, k, f) -> (b, n + k, f), as values that stay as they are.

    To copy all that is kept at each step takes longer than a step of attention. So there is room behind it, and a chunk
    goes there if it is the first that follows what is kept; a second one that follows it gets a copy.
    """
    n, count = kept.shape[1], kept.shape[1] + x.shape[1]
    if torch.is_grad_enabled() or kept.numel() < SMALL:
        return torch.cat([kept, x], 1)
    room = ROOMS.get(kept)
    if room is None or not room.take(n, count):
        room = _Room(kept, count)
    room.buffer[:, n:count] = x
    found = room.buffer[:, :count]  # (b, n + k, f)
    ROOMS[found] = room
    return found


def by_hand(q: Tensor, k: Tensor, v: Tensor) -> bool:
    """Whether step by step is faster: in bf16 on a processor, where torch's kernel goes back slowly over short ones.

    Measured for 512 heads on AMX: 15 times at 25 keys, 4 times at 128; at 512 it is twice as slow.
    """
    learning = torch.is_grad_enabled() and (q.requires_grad or k.requires_grad or v.requires_grad)
    return learning and q.dtype == torch.bfloat16 and q.device.type == "cpu" and k.shape[2] <= SHORT


def fused(
    q: Tensor, k: Tensor, v: Tensor, allowed: Tensor | None, causal: bool, scale: float | None
) -> tuple[Tensor, None]:
    """Attention by torch's kernels, which keep no scores: (b, h, m, d), (b, g, n, d), (b, g, n, e) -> (b, h, m, e).

    `allowed` says for each pair whether the query may look; or, in numbers, what is added to its score.
    """
    gqa = k.shape[1] < q.shape[1]
    return F.scaled_dot_product_attention(q, k, v, allowed, is_causal=causal, scale=scale, enable_gqa=gqa), None


def weighed(
    q: Tensor, k: Tensor, v: Tensor, allowed: Tensor | None, causal: bool, scale: float | None
) -> tuple[Tensor, Tensor]:
    """The same step by step, and the scores (b, h, m, n)."""
    (b, h, m, d), (_, g, n, _) = q.shape, k.shape
    if causal:
        allowed = torch.ones(m, n, dtype=torch.bool, device=q.device).tril()
    q = q * (1 / math.sqrt(d) if scale is None else scale)
    scores = q.reshape(b, g, h // g * m, d) @ k.mT  # (b, h, m, d) -> (b, g, h / g m, d) -> (b, g, h / g m, n)
    if allowed is not None:
        pairs = scores.view(b, h, m, n)
        pairs = pairs.masked_fill(~allowed, -inf) if allowed.dtype == torch.bool else pairs + allowed
        scores = pairs.view(scores.shape)  # (b, h, m, n) -> (b, g, h / g m, n)
    scores = scores.softmax(-1, dtype=torch.promote_types(q.dtype, torch.float32)).to(v.dtype)
    y = scores @ v  # (b, g, h / g m, n) -> (b, g, h / g m, e)
    return y.view(b, h, m, y.shape[-1]), scores.view(b, h, m, n)
