"""Layers that tell a sequence's elements where they stand: added, by turning, or as a value of its own."""

import math
from collections.abc import Collection, Mapping
from functools import lru_cache
from typing import Any, TypeAlias

import torch
import torch.nn.functional as F
from torch import Tensor

from netwright.errors import DataError, NetError
from netwright.fields import at_least
from netwright.inits import normal, zeros
from netwright.net.leaf import Kept, Unfit, Weight
from netwright.net.part import Leaf
from netwright.net.run.padding import NO_LENGTHS, Lengths, length_of

Memory = Mapping[str, Tensor] | None
PLACE = {"place": ""}  # how many elements were there before, one number an example


class Positions(Leaf):
    """A learned vector for every position, added: yᵢ = xᵢ + positionsᵢ.

    Shapes: input (n, d), output (n, d), n at most `most`; positions (most, d).

    Fields:
        most: how many positions there are; no default, since sequences that are longer are refused.

    Raises:
        NetError: a number of positions that is not a whole number of at least 1.
        SizeError: a sequence of fixed size is longer.
        DataError: a sequence of varying size is longer.

    Example:
        >>> import netwright as nw
        >>> nw.Chain(nw.Positions(512), input=("n", 64)).plan.outputs
        {'output': (n, 64)}

    Source: Gehring et al. 2017, arXiv 1705.03122
    Torch: x + torch.nn.Embedding(most, d)(torch.arange(n))
    """

    most: int
    ports = "n d -> n d"
    family = "sequence"

    def __post_init__(self) -> None:
        at_least(1, self.most, "the number of positions", "Positions")

    def weights(self) -> dict[str, Weight]:
        return {"positions": Weight("most d", normal)}  # as large as an embedding, so that neither drowns the other

    def relate(self, known: Mapping[str, Any]) -> dict[str, Any] | None:
        if isinstance(known["n"], int) and known["n"] > self.most:
            raise Unfit(
                "its input has more elements than it has positions",
                expected=f"at most {self.most} elements",
                got=f"{known['n']} elements",
            )
        return None

    def reach(self, training: bool) -> Mapping[str, tuple[float, float]]:
        return {"input": (0, 0)}

    def memory(self) -> Mapping[str, str] | None:
        return PLACE

    def keeps(self, sizes: Mapping[str, Any], wanted: Collection[str]) -> Kept:
        return Kept()

    def forward(self, w: Mapping[str, Tensor], x: Tensor, *, lengths: Lengths = NO_LENGTHS) -> Tensor:
        size = x.shape[1]
        if size <= self.most:
            return x + w["positions"][:size]  # (b, n, d) + (n, d)
        length = length_of(lengths, "n")
        self._check(size if length is None else int(length.max()))
        places = torch.arange(size, device=x.device).clamp_max(self.most - 1)  # (n,), padding may reach further
        return x + F.embedding(places, w["positions"])  # (b, n, d) + (n, d)

    def step(self, w: Mapping[str, Tensor], memory: Memory, *inputs: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        (x,) = inputs  # (b, n, d)
        places, memory = moved_on(memory, x)  # (b, n)
        if not torch.compiler.is_compiling():
            self._check(int(memory["place"].max()))
        return x + F.embedding(places, w["positions"]), memory  # (b, n, d) + (b, n, d)

    def _check(self, size: int) -> None:
        if size > self.most:
            raise DataError(
                what="a sequence has more elements than there are positions",
                where="Positions",
                expected=f"at most {self.most} elements",
                got=f"{size} elements",
                mend=(f"nw.Positions({size}), trained anew", "nw.SinePositions(), which has no end"),
            )


class SinePositions(Leaf):
    """Waves of different lengths added, so that every position has a pattern of its own.

    yᵢ = xᵢ + pᵢ with p of feature 2j being sin(i / 10000^(2j/d)), of feature 2j + 1 the cosine of the same, i from 0.

    Shapes: input (n, d), output (n, d).

    Example:
        >>> import netwright as nw
        >>> nw.SinePositions()(nw.batch([[[0.0, 0.0]] * 2])).tolist()[0][0]
        [0.0, 1.0]

    Source: Vaswani et al. 2017, arXiv 1706.03762
    """

    ports = "n d -> n d"
    ignores_padding = True
    family = "sequence"

    def reach(self, training: bool) -> Mapping[str, tuple[float, float]]:
        return {"input": (0, 0)}

    def memory(self) -> Mapping[str, str] | None:
        return PLACE

    def keeps(self, sizes: Mapping[str, Any], wanted: Collection[str]) -> Kept:
        return Kept()

    def forward(self, w: Mapping[str, Tensor], x: Tensor) -> Tensor:
        return x + sines(torch.arange(x.shape[1], device=x.device), x)  # (b, n, d) + (n, d)

    def step(self, w: Mapping[str, Tensor], memory: Memory, *inputs: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        (x,) = inputs  # (b, n, d)
        places, memory = moved_on(memory, x)  # (b, n)
        return x + sines(places, x), memory  # (b, n, d) + (b, n, d)


class Segments(Leaf):
    """A learned vector for the segment in which an element stands, added: yᵢ = xᵢ + weight[segmentᵢ].

    So a net that reads two texts one behind the other knows which is which. Without segments all stand in the first.

    Shapes: input (n, d), segments (n) of integers below count, output (n, d); weight (count, d).

    Fields:
        count: how many segments there are; 2, a text and another.

    Raises: NetError for a number of segments that is not a whole number of at least 1.

    Example:
        >>> import netwright as nw
        >>> x, segments = nw.Input("x", ("n", 4)), nw.Input("segments", "n <2>")
        >>> nw.Graph(nw.Segments()(x, segments)).plan.outputs
        {'output': (n, 4)}

    Source: Devlin et al. 2018, arXiv 1810.04805
    Torch: x + torch.nn.Embedding(count, d)(segments)
    """

    count: int = 2
    ignores_padding = True
    family = "linear"

    def __post_init__(self) -> None:
        at_least(1, self.count, "the number of segments", "Segments")

    @property
    def ports(self) -> str:  # pyright: ignore[reportIncompatibleVariableOverride]  # the ports follow from the fields
        """The segments are indices, and may be left out."""
        return f"input: n d, segments?: n <{self.count}> -> output: n d"

    def weights(self) -> dict[str, Weight]:
        return {"weight": Weight("count d", normal)}

    def reach(self, training: bool) -> Mapping[str, tuple[float, float]]:
        return {"input": (0, 0), "segments": (0, 0)}

    def keeps(self, sizes: Mapping[str, Any], wanted: Collection[str]) -> Kept:
        return Kept(inputs=("segments",))

    def forward(self, w: Mapping[str, Tensor], x: Tensor, segments: Tensor | None = None) -> Tensor:
        if segments is None:
            return x + w["weight"][0]  # (b, n, d) + (d,)
        return x + F.embedding(segments.long(), w["weight"])  # (b, n, d) + (b, n, d)


class Indices(Leaf):
    """The numbers of the elements of a sequence: y = 1, 2, … n, n being the example's own length.

    Shapes: input (n, ...), output (n,).

    Fields:
        start: the number of the first element; 1.

    Example:
        >>> import netwright as nw
        >>> nw.Indices()(nw.batch([[0.5, 0.5, 0.5]])).tolist()
        [[1.0, 2.0, 3.0]]

    Torch: torch.arange
    """

    start: int = 1
    ports = "n ... -> n"
    ignores_padding = True
    needs_float32 = True
    family = "shape"

    def reach(self, training: bool) -> Mapping[str, tuple[float, float]]:
        return {"input": (0, 0)}

    def memory(self) -> Mapping[str, str] | None:
        return PLACE

    def keeps(self, sizes: Mapping[str, Any], wanted: Collection[str]) -> Kept:
        return Kept()

    def forward(self, w: Mapping[str, Tensor], x: Tensor) -> Tensor:
        return self._of(torch.arange(x.shape[1], device=x.device), x).expand(x.shape[0], -1)  # (n,) -> (b, n)

    def step(self, w: Mapping[str, Tensor], memory: Memory, *inputs: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        (x,) = inputs  # (b, n, ...)
        places, memory = moved_on(memory, x)  # (b, n)
        return self._of(places, x).expand(x.shape[:2]), memory

    def _of(self, places: Tensor, x: Tensor) -> Tensor:
        return (places + self.start).to(x.dtype if x.is_floating_point() else torch.get_default_dtype())


class RelativeBias(Leaf):
    """A learned number for each distance of a query and a key, as the bias of attention: yₕᵢⱼ = weightₕ(j − i).

    Distances of `most` and more count as `most` − 1, in either direction.

    Shapes: query (m, ...), key (n, ...), of which only m and n count; output (heads, m, n). weight (heads, 2 most − 1),
        the distance 1 − most first.

    Fields:
        heads: of the attention; each has numbers of its own.
        most: how many distances are told apart in either direction, 0 among them.

    Raises: NetError for numbers that are not whole ones of at least 1.

    Example:
        >>> import netwright as nw
        >>> x = nw.Input("x", "n 8")
        >>> nw.Graph(nw.Attention(2)(x, x, x, bias=nw.RelativeBias(2, 16)(x, x))["output"]).plan.outputs
        {'output': (n, 8)}

    Source: Raffel et al. 2019, arXiv 1910.10683, where far distances share numbers; Shaw et al. 2018, arXiv 1803.02155
    """

    heads: int
    most: int
    ports = "query: m ..., key: n *rest -> heads m n"
    ignores_padding = True
    family = "sequence"

    def __post_init__(self) -> None:
        at_least(1, self.heads, "the number of heads", "RelativeBias")
        at_least(1, self.most, "the number of distances", "RelativeBias")

    def weights(self) -> dict[str, Weight]:
        return {"weight": Weight(f"heads {2 * self.most - 1}", zeros)}

    def keeps(self, sizes: Mapping[str, Any], wanted: Collection[str]) -> Kept:
        return Kept()

    def forward(self, w: Mapping[str, Tensor], query: Tensor, key: Tensor) -> Tensor:
        m, n = query.shape[1], key.shape[1]
        places = torch.arange(n, device=key.device) - torch.arange(m, device=key.device).unsqueeze(1)  # (m, n)
        places = places.clamp(1 - self.most, self.most - 1) + self.most - 1
        bias = w["weight"][:, places]  # (heads, m, n)
        return bias.expand(query.shape[0], *bias.shape)  # (b, heads, m, n)


class Rotary(Leaf):
    """Queries and keys turned by angles that grow with the position, so that their products see distances alone.

    In every head, feature j and its partner half a head away are turned as a point of the plane: (a, b) becomes
    (a cos t − b sin t, b cos t + a sin t) with t = i / base^(2j/d) at position i from 0, j below d/2.

    Shapes: input (n, heads d), output (n, heads d), d even.

    Fields:
        heads: how many there are side by side in the features; 1.
        base: how slowly the slowest pair turns; 10000 as in the source, more for longer texts.
        slower: so many times slower all pairs turn, for texts that are as much longer than those of the training; 1.
        kept: two wavelengths in positions: pairs that come round within the first turn as they did, those that take
            longer than the second are made slower, and between them it goes over smoothly, as in Llama 3. None, all
            pairs are made slower alike.

    Raises:
        NetError: a number of heads that is not a whole number of at least 1, a base that is not above 1, a `slower`
            that is not above 0, wavelengths that are not above 0 and in order.
        SizeError: heads of odd width.

    Example:
        >>> import netwright as nw
        >>> turned = nw.Rotary()(nw.batch([[[1.0, 0.0]] * 2]))
        >>> [round(x, 3) for x in turned[0, 1].tolist()]
        [0.54, 0.841]

    Source: Su et al. 2021, arXiv 2104.09864, where partners are neighbours: another order of the same features; slower:
        Chen et al. 2023, arXiv 2306.15595; kept: Grattafiori et al. 2024, arXiv 2407.21783
    """

    heads: int = 1
    base: float = 10000.0
    slower: float = 1.0
    kept: tuple[float, float] | None = None
    ignores_padding = True
    family = "sequence"

    def __post_init__(self) -> None:
        at_least(1, self.heads, "the number of heads", "Rotary")
        if not self.base > 1:
            raise NetError(what="the base of the angles is a number above 1", where="Rotary", got=repr(self.base))
        if not 0 < self.slower < math.inf:
            raise NetError(what="slower is a finite number above 0", where="Rotary", got=repr(self.slower))
        if self.kept is not None and not 0 < self.kept[0] < self.kept[1] < math.inf:
            raise NetError(
                what="kept is two wavelengths above 0, the shorter one first", where="Rotary", got=repr(self.kept)
            )

    @property
    def ports(self) -> str:  # pyright: ignore[reportIncompatibleVariableOverride]  # the ports follow from the fields
        """The features are those of the heads, each of pairs."""
        return f"n {2 * self.heads}*pairs -> n {2 * self.heads}*pairs"

    def reach(self, training: bool) -> Mapping[str, tuple[float, float]]:
        return {"input": (0, 0)}

    def memory(self) -> Mapping[str, str] | None:
        return PLACE

    def keeps(self, sizes: Mapping[str, Any], wanted: Collection[str]) -> Kept:
        return Kept()

    def forward(self, w: Mapping[str, Tensor], x: Tensor) -> Tensor:
        places = torch.arange(x.shape[1], device=x.device)  # (n,)
        return self._turned(x, *turns(places, *self._asked(x)))  # (b, n, heads d)

    def step(self, w: Mapping[str, Tensor], memory: Memory, *inputs: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        (x,) = inputs  # (b, n, heads d)
        places, memory = moved_on(memory, x)  # (b, n)
        asked = self._asked(x)
        if places.device.type == "cpu":  # elsewhere to ask which places these are takes longer than to compute
            return self._turned(x, *_known_turns(tuple(map(tuple, places.tolist())), *asked)), memory
        return self._turned(x, *turns(places, *asked)), memory

    def _asked(self, x: Tensor) -> "tuple[int, Angles, torch.dtype]":
        return x.shape[-1] // self.heads, (self.base, self.slower, self.kept), x.dtype

    def _turned(self, x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
        pairs = x.unflatten(-1, (self.heads, 2, x.shape[-1] // self.heads // 2))  # (b, n, heads, 2, d / 2)
        return torch.addcmul(pairs * cos, pairs.flip(-2), sin).view(x.shape)  # (b, n, heads d)


Angles: TypeAlias = tuple[float, float, tuple[float, float] | None]  # the base, how much slower, what is kept


def turns(places: Tensor, width: int, angles: Angles, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
    """What turns pairs at these places, (..., n), in every head: how much stays, and how much comes from the partner.

    The first is the cosine, (..., n, 1, 1, width / 2); the second minus and plus the sine, (..., n, 1, 2, width / 2).
    """
    exact = torch.promote_types(dtype, torch.float32)  # a place beyond 256 is no number of bfloat16
    evens = torch.arange(0, width, 2, device=places.device, dtype=exact)  # (width / 2,)
    base, slower, kept = angles
    speeds = torch.exp(evens * (-math.log(base) / width))  # (width / 2,)
    if slower != 1:
        speeds = speeds * _slowed(speeds, slower, kept)  # (width / 2,)
    turned = places.to(exact).unsqueeze(-1) * speeds  # (..., n, width / 2)
    sin = turned.sin().to(dtype)
    return turned.cos().to(dtype)[..., None, None, :], torch.stack([-sin, sin], -2).unsqueeze(-3)


def _slowed(speeds: Tensor, slower: float, kept: tuple[float, float] | None) -> Tensor | float:
    """With what speeds are multiplied: 1 for pairs that are kept, 1/slower for those that are not."""
    if kept is None:
        return 1 / slower
    near, far = (1 / length for length in kept)  # turns in a position: the most, and the fewest
    share = ((speeds / (2 * math.pi) - far) / (near - far)).clamp(0, 1)  # (width / 2,), 1 where a pair is kept
    return share + (1 - share) / slower


@lru_cache(maxsize=16)
def _known_turns(
    places: tuple[tuple[int, ...], ...], width: int, angles: Angles, dtype: torch.dtype
) -> tuple[Tensor, Tensor]:
    """The same, computed once for all queries and keys of all blocks, which step together."""
    with torch.inference_mode(False):  # who asks next may be learning
        return turns(torch.tensor(places, dtype=torch.int64, device="cpu"), width, angles, dtype)


def moved_on(memory: Memory, x: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
    """The places of the elements of a chunk, (b, n), and what is remembered after it."""
    place = torch.zeros(x.shape[0], dtype=torch.int64, device=x.device) if memory is None else memory["place"]  # (b,)
    places, size = place.unsqueeze(1), x.shape[1]
    return places if size == 1 else places + torch.arange(size, device=x.device), {"place": place + size}


def sines(places: Tensor, x: Tensor) -> Tensor:
    """The waves at these places for the features of x, in its type: (..., n) -> (..., n, d)."""
    width = x.shape[-1]
    exact = torch.promote_types(x.dtype, torch.float32)  # a place beyond 256 is no number of bfloat16
    evens = torch.arange(0, width, 2, device=x.device, dtype=exact)  # (⌈d / 2⌉,)
    angles = places.to(exact).unsqueeze(-1) * torch.exp(evens * (-math.log(10000) / width))  # (..., n, ⌈d / 2⌉)
    waves = torch.stack([angles.sin(), angles.cos()], -1).flatten(-2)  # (..., n, ⌈d / 2⌉, 2) -> (..., n, d or d + 1)
    return waves[..., :width].to(x.dtype)  # (..., n, d)
