"""A number among the numbers of a table: how far it lies into each of several bins."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any, Self

import numpy as np
import torch
from torch import Tensor

from netwright.codecs.codec import Codec
from netwright.codecs.number import Number
from netwright.codecs.numeric import per_component
from netwright.codecs.reading import Reading
from netwright.errors import DataError, NetError
from netwright.fields import at_least
from netwright.sizes.free import FREE, Free

NUMBERS_A_BIN = 100


class Bins(Codec):
    """A number, standardized, and behind it how far it lies into each of several bins.

    With the edges b₀ < b₁ < … < bₖ the numbers are (x − mean) / deviation, then for each bin
    min(max((x − bₜ₋₁) / (bₜ − bₜ₋₁), 0), 1): 1 for a bin below x, 0 for one above it. A linear map of them is any
    function that is straight within each bin, so a net learns steps and bends sooner than from the number alone.

    Shapes:
        `encode` gives 1 + k, where k is the number of bins.

    Fields:
        edges: of the bins, from the lowest to the highest, at least two; by default numbers of the training data, its
            quantiles at equal steps, so that each bin has about as many of its numbers. Equal quantiles are one edge,
            so a column of few different numbers has few bins; if all are equal, it has one of width 1.
        mean, deviation: as of `nw.Number`.
        size: how many bins are learned at most; 16, and fewer from fewer than 1,600 numbers: 100 for each bin, of which
            it takes about as many to tell its slope from noise.

    Raises:
        NetError: edges that do not rise, fewer than two, or a size below 1.
        DataError: as `nw.Number`.

    Example:
        >>> Bins(edges=(0, 10, 20), mean=0, deviation=5).encode(15)
        tensor([3.0000, 1.0000, 0.5000])

    Source: Gorishniy, Rubachev and Babenko 2022, "On Embeddings for Numerical Features in Tabular Deep Learning",
        arXiv 2203.05556
    """

    edges: Iterable[float] | Free = FREE
    mean: float | Free = FREE
    deviation: float | Free = FREE
    size: int = 16

    def __post_init__(self) -> None:
        at_least(1, self.size, "the number of bins", "Bins")
        for name in ("mean", "deviation"):
            object.__setattr__(self, name, per_component(name, getattr(self, name), 1))
        if self.edges is not FREE:
            edges = tuple(float(edge) for edge in self.edges)
            if len(edges) < 2 or not all(np.isfinite(edges)) or not all(np.diff(edges) > 0):
                raise NetError(
                    what="the edges of bins rise, and there are at least two",
                    where="Bins",
                    expected="such as (0, 1, 10)",
                    got=repr(edges),
                )
            object.__setattr__(self, "edges", edges)

    @property
    def fitted(self) -> bool:
        return self.edges is not FREE and self._number.fitted

    @property
    def encoded(self) -> str:
        return "?" if self.edges is FREE else str(len(self._known("edges")))

    @property
    def decoded(self) -> str:
        return self.encoded

    @property
    def _number(self) -> Number:
        return Number(self.mean, self.deviation)

    def encode(self, raw: Any) -> Tensor:
        return self._features(self._number.encode(raw)[None])[0]

    def encode_all(self, raws: Sequence[Any]) -> Tensor:
        return self._features(self._number.encode_all(raws))

    def _features(self, values: Tensor) -> Tensor:
        edges = torch.tensor(self._known("edges"), dtype=torch.float64, device="cpu")
        within = (values.double() - edges[:-1]) / edges.diff()  # (n, k)
        return torch.cat([self._number.prepare(values), within.clamp(0, 1).float()], 1)

    def read(self, output: Tensor, reading: Reading) -> Any:
        raise DataError(
            what="a number and its bins are an input, and no answer of a net", got=repr(self), mend="nw.Number()"
        )

    def fit(self, raws: Sequence[Any]) -> Self:
        if self.fitted:
            return self
        number = self._number.fit(raws)
        edges = self.edges
        if edges is FREE:
            values = self._number.encode_all(raws)[:, 0].double().numpy()
            count = max(min(self.size, len(values) // NUMBERS_A_BIN), 1)
            found = np.unique(np.quantile(values, np.linspace(0, 1, count + 1), method="nearest"))
            edges = tuple(found.tolist()) if len(found) > 1 else (float(found[0]), float(found[0]) + 1)
        return replace(self, edges=edges, mean=number.mean, deviation=number.deviation)
