"""A codec for values that may be missing."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Self

import torch
from torch import Tensor

from netwright.codecs.codec import Codec, by_row
from netwright.codecs.pieces import kept_if_small
from netwright.codecs.reading import Reading
from netwright.codecs.table.features import features_of, features_of_one, is_missing, missing_of, width_of
from netwright.errors import DataError, NetError


class Nullable(Codec):
    """A value that may be missing: what its codec gives, and behind it a 1 if the value is missing, else a 0.

    A missing value is None, NaN, or what pandas has in their place. It gives zeros, which stand for the mean where
    the codec standardizes. A category gives a 1 for its label among zeros.

    Shapes:
        `encode` gives w + 1, where w is the number of features of the codec: the number of labels of a category.

    Fields:
        codec: the codec of a value that is there; it learns from these only.

    Raises:
        NetError: a codec that gives anything else than numbers side by side, or a class; `Nullable` of `Nullable`.
        DataError: a value that the codec refuses; a column in which every value is missing.

    Example:
        >>> from netwright.codecs.number import Number
        >>> age = Nullable(Number(mean=30, deviation=10))
        >>> age.encode_all([40, None])
        tensor([[1., 0.],
                [0., 1.]])
    """

    codec: Codec

    def __post_init__(self) -> None:
        if isinstance(self.codec, Nullable):
            raise NetError(what="Nullable of Nullable is Nullable", got=repr(self), mend=repr(self.codec))
        width_of(self.codec)

    @property
    def encoded(self) -> str:
        width = width_of(self.codec)
        return "?" if width is None else str(width + 1)

    @property
    def decoded(self) -> str:
        return self.encoded

    @property
    def fitted(self) -> bool:
        return self.codec.fitted

    def encode(self, raw: Any) -> Tensor:
        return features_of_one(self, raw)

    def encode_all(self, raws: Sequence[Any]) -> Tensor:
        missing = torch.from_numpy(missing_of(raws))
        known = [raw for raw, gone in zip(raws, missing.tolist(), strict=True) if not gone]
        if not known:
            found = torch.zeros(0, width_of(self.codec) or 0, dtype=torch.float32, device="cpu")
        else:
            try:
                found = features_of(self.codec, known)
            except DataError:
                for _ in by_row(raws, lambda raw: is_missing(raw) or features_of_one(self.codec, raw)):
                    pass  # the error names the row
                raise
        whole = torch.zeros(len(missing), found.shape[1] + 1, dtype=torch.float32, device="cpu")
        whole[~missing, :-1] = found
        whole[missing, -1] = 1
        return whole

    def read(self, output: Tensor, reading: Reading) -> Any:
        raise DataError(
            what="a value that may be missing is an input, and no answer of a net",
            got=repr(self),
            mend=f"the codec of a value that is there: {self.codec!r}",
        )

    def takes(self, raw: Any) -> bool:
        return is_missing(raw) or self.codec.takes(raw)

    def fit(self, raws: Sequence[Any]) -> Self:
        if self.fitted:
            return self
        raws = kept_if_small(raws)
        known = [raw for raw, gone in zip(raws, missing_of(raws).tolist(), strict=True) if not gone]
        if not known:
            raise DataError(what="every value of the column is missing", mend="leave the column out")
        return replace(self, codec=self.codec.fit(known))
