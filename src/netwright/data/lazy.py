"""What is not in memory: rows that are read when they are needed, and a column of them."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from netwright.codecs.pieces import pieces
from netwright.data.reading import reading
from netwright.data.rows import at_rows
from netwright.errors import DataError


class RowBlocks(NamedTuple):
    """Runs of rows that are read at once, and the order in which they are read fast.

    Fields:
        lengths: (blocks,), the rows of each.
        parts: (blocks,), ascending: the number of the part of the data in which each lies; the blocks of a part are
            read one after the other.
        opened: parts that are read side by side, a block of each in memory.
        order: how an epoch reads them, and why, for a choice.
    """

    lengths: Tensor
    parts: Tensor
    opened: int
    order: tuple[str, str]

    def places(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        """Of each row (n,) the part in which it lies, and the number of its block in the part."""
        block = torch.bucketize(rows, self.lengths.cumsum(0), right=True, out_int32=True)  # (n,)
        first = torch.searchsorted(self.parts, self.parts, out_int32=True)  # (blocks,), the first block of its part
        return self.parts.int()[block], block - first[block]  # 32 bits hold them, in half the memory


class Rows(ABC):
    """Examples outside of memory: they are read when they are needed, many at once.

    Fields:
        kind: what they are, in a few words for a message.
        drawn: whether a row may be another one each time it is read.
    """

    kind: str
    drawn: bool = False

    @abstractmethod
    def __len__(self) -> int:
        """How many there are."""

    @abstractmethod
    def read(self, rows: NDArray[np.int64], ports: Sequence[str]) -> Mapping[str, Sequence[Any]]:
        """The values of these rows, in this order, by port; an array where values are numbers of one shape.

        An error names row i of those that are asked for as "row i".
        """

    def digest(self) -> str:
        """A short text that changes when the examples do; empty where a row may be another one each time.

        It must be cheap for any amount of data, so it may look at some of the rows only.
        """
        return ""

    def same(self, other: "Rows") -> bool:
        """Whether both read from one place, so that one reading of a row serves both."""
        return self is other

    @property
    def blocks(self) -> "RowBlocks | None":
        """The runs of rows that are read at once; None where any rows are read as fast."""
        return None


class Lazy(Sequence[Any]):
    """One port of rows that are read each time they are asked for; a slice of it is read at once.

    Fields: `indices` (n,) are the rows that it has; None where it has all.
    """

    def __init__(self, rows: Rows, port: str, indices: Tensor | None = None) -> None:
        self.rows, self.port, self.indices = rows, port, indices

    def picked(self, indices: Tensor) -> "Lazy":
        """The same column with these rows only."""
        return Lazy(self.rows, self.port, indices if self.indices is None else self.indices[indices])

    def numbers(self, indices: Sequence[int] | Tensor) -> NDArray[np.int64]:
        """The numbers that rows of this column have where they are read from."""
        own = torch.as_tensor(indices, dtype=torch.int64, device="cpu")
        return (own if self.indices is None else self.indices[own]).numpy()

    def __len__(self) -> int:
        return len(self.rows) if self.indices is None else len(self.indices)

    def __getitem__(self, index: Any) -> Any:
        places = range(len(self))[index]
        wanted = places if isinstance(places, range) else (places,)
        try:
            rows = self.numbers(wanted)
            number = int(rows[0]) if len(rows) else 0
            values = reading("row", number, self.rows.read, rows, (self.port,))[self.port]
        except DataError as error:
            raise at_rows(error, wanted) from None
        return values if isinstance(places, range) else values[0]

    def __iter__(self) -> Iterator[Any]:
        if self.rows.drawn:
            return (self[i] for i in range(len(self)))
        return (value for _, piece in pieces(self) for value in piece)
