"""Classes as probabilities, so that targets can be mixed: 1 for the class of an example and 0 for the others."""

from collections.abc import Sequence
from typing import Any, Self

import torch
import torch.nn.functional as F
from torch import Tensor

from netwright.codecs.codec import Answer, Codec
from netwright.codecs.ragged import Ragged
from netwright.codecs.reading import Reading


class ClassChances(Codec):
    """Another codec of classes, whose target the net sees as the probability of each class, a byte in memory.

    Shapes:
        `encode` gives k bytes, 1 and zeros; `decode` takes what the other codec takes, k probabilities.

    Fields:
        codec: of one class an example.

    Example:
        >>> from netwright.codecs.category import Category
        >>> chances = ClassChances(Category(["cat", "dog", "rat"]))
        >>> chances.prepare(chances.encode_all(["dog", "cat"]))
        tensor([[0., 1., 0.],
                [1., 0., 0.]])
    """

    codec: Codec

    @property
    def answer(self) -> Answer | None:
        return self.codec.answer

    @property
    def names(self) -> tuple[Any, ...]:
        return self.codec.names

    @property
    def encoded(self) -> str:
        return self.codec.decoded

    @property
    def decoded(self) -> str:
        return self.codec.decoded

    @property
    def fitted(self) -> bool:
        return self.codec.fitted

    def encode(self, raw: Any) -> Tensor:
        return self._chances(self.codec.encode(raw))

    def encode_all(self, raws: Sequence[Any]) -> Tensor | Ragged:
        index = self.codec.encode_all(raws)
        return Ragged(self._chances(index.values), index.lengths) if isinstance(index, Ragged) else self._chances(index)

    def prepare(self, stored: Tensor) -> Tensor:
        return stored.to(torch.float32)

    def read(self, output: Tensor, reading: Reading) -> Any:
        return self.codec.read(output, reading)

    def takes(self, raw: Any) -> bool:
        return self.codec.takes(raw)

    def fit(self, raws: Sequence[Any]) -> Self:
        return type(self)(self.codec.fit(raws))

    def _chances(self, index: Tensor) -> Tensor:
        return F.one_hot(index.long(), len(self.names)).to(torch.uint8)  # (…) -> (…, k)
