"""Examples of different length as one flat tensor, so that a column of a hundred thousand texts is two arrays."""

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from netwright.errors import DataError
from netwright.value import Value


class Ragged(Value, eq=False):
    """Examples of different length, one after the other in one tensor.

    An example is a list of elements, or a list of lists of them, and so on; an element is a tensor of a fixed shape.

    Shapes:
        `values` is (total, *rest): all elements of all examples; `len` is the number of examples b.

    Fields:
        values: the elements, those of the first example first.
        lengths: `lengths[0]`, int64 (b,), how many parts every example has; `lengths[1]`, int64 (sum of
            `lengths[0]`,), how many parts each of those has; the last one counts elements. All are at least 1.

    Raises:
        DataError: lengths below 1, none, or that do not sum to what they count.

    Example:
        >>> texts = Ragged.of([torch.tensor([1, 2, 3]), torch.tensor([4])], depth=1)
        >>> texts
        Ragged(2 examples of 1 to 3, 4 elements of torch.int64)
        >>> texts.padded()
        (tensor([[1, 2, 3],
                [4, 4, 4]]), (tensor([3, 1]),))
    """

    values: Tensor
    lengths: tuple[Tensor, ...]

    def __post_init__(self) -> None:
        if not self.lengths:
            raise DataError(what="a Ragged has lengths", expected="one tensor or more", got="()")
        counted = [*map(len, self.lengths[1:]), len(self.values)]
        for level, (lengths, count) in enumerate(zip(self.lengths, counted, strict=True)):
            if lengths.ndim != 1 or lengths.dtype != torch.int64:
                raise DataError(
                    what="lengths are one row of integers",
                    where=f"lengths[{level}]",
                    expected="int64 (examples,)",
                    got=f"{str(lengths.dtype).removeprefix('torch.')} {tuple(lengths.shape)}",
                )
            if bool((lengths < 1).any()):
                row = int((lengths < 1).nonzero()[0])
                raise DataError(
                    what="a length is at least 1", where=f"lengths[{level}], row {row}", got=f"{int(lengths[row])}"
                )
            if int(lengths.sum()) != count:
                raise DataError(
                    what="the lengths do not sum to what they count",
                    where=f"lengths[{level}]",
                    expected=f"{count}",
                    got=f"{int(lengths.sum())}",
                )

    @classmethod
    def of(cls, rows: Sequence[Tensor] | Sequence[Sequence[Any]], depth: int) -> "Ragged":
        """From one tensor for each example, whose first `depth` axes may differ; or from lists of such tensors."""
        parts: list[Any] = list(rows)
        if not parts:
            raise DataError(what="there are no examples")
        lengths: list[Tensor] = []
        for level in range(depth):
            counts = [len(part) for part in parts]
            if not all(counts):
                raise DataError(what="an empty list has no elements", where=_first_empty(rows, depth))
            lengths.append(torch.tensor(counts, dtype=torch.int64, device="cpu"))
            if level < depth - 1:
                parts = [inner for part in parts for inner in part]
        shapes = {tuple(part.shape[1:]): None for part in parts}
        if len(shapes) > 1:
            raise DataError(what="the elements have different sizes", got=" and ".join(map(str, shapes)))
        return cls(torch.cat(parts), tuple(lengths))

    def __len__(self) -> int:
        return len(self.lengths[0])

    def __repr__(self) -> str:
        count = f"{len(self):,} examples"
        if len(self):
            count += f" of {int(self.lengths[0].min()):,} to {int(self.lengths[0].max()):,}"
        shape = f" {tuple(self.values.shape[1:])}" if self.values.ndim > 1 else ""
        return f"Ragged({count}, {len(self.values):,} elements of {self.values.dtype}{shape})"

    def index_select(self, indices: Tensor) -> "Ragged":
        """The examples with these numbers, int64 (k,), in this order."""
        lengths: list[Tensor] = []
        for starts, counts in zip(self._starts, self.lengths, strict=True):
            lengths.append(counts[indices])
            indices = spans(starts[indices], lengths[-1])
        return Ragged(self.values.index_select(0, indices), tuple(lengths))

    def padded(self) -> tuple[Tensor, tuple[Tensor, ...]]:
        """All examples as one tensor (b, N, …, *rest), and the lengths (b,), (b, N), ….

        Behind the end of an example its last part is repeated, so a part that is padding has the last part's length.
        """
        places = torch.arange(len(self), device=self.values.device)  # of the parts in their level, (b,)
        lengths: list[Tensor] = []
        for starts, counts in zip(self._starts, self.lengths, strict=True):
            lengths.append(counts[places])
            longest = int(lengths[-1].max()) if len(self) else 0
            steps = torch.arange(longest, device=places.device)
            steps = torch.minimum(steps, lengths[-1].unsqueeze(-1) - 1)  # (b, …, longest)
            places = starts[places].unsqueeze(-1) + steps  # (b, …, longest)
        values = self.values.index_select(0, places.reshape(-1))
        return values.reshape(*places.shape, *self.values.shape[1:]), tuple(lengths)

    def row(self, number: int) -> Tensor:
        """One example without its padding: (n, *rest); of lists in lists (n, N, …, *rest), padded inside."""
        return self.index_select(torch.tensor([number], device=self.values.device, dtype=torch.int64)).padded()[0][0]

    def compact(self) -> "Tensor | Ragged":
        """The same without the inner levels whose lengths are all equal: these are axes; a tensor if all are."""
        values, lengths = self.values, self.lengths
        while lengths and len(lengths[-1]) and bool((lengths[-1] == lengths[-1][0]).all()):
            values = values.reshape(len(lengths[-1]), -1, *values.shape[1:])
            lengths = lengths[:-1]
        return Ragged(values, lengths) if lengths else values

    @property
    def nbytes(self) -> int:
        """The memory of the values and the lengths."""
        return sum(tensor.nbytes for tensor in (self.values, *self.lengths))

    def to(self, device: torch.device | str) -> "Ragged":
        """The same on another device."""
        return Ragged(self.values.to(device), tuple(lengths.to(device) for lengths in self.lengths))

    @cached_property
    def _starts(self) -> tuple[Tensor, ...]:
        """For every level, where the parts of each item begin in the level below."""
        return tuple(lengths.cumsum(0) - lengths for lengths in self.lengths)


def _first_empty(rows: Sequence[Any], depth: int, above: tuple[int, ...] = ()) -> str:
    """The position of the first list without elements; the empty text if there is none."""
    for number, part in enumerate(rows):
        place = (*above, number)
        if not len(part):
            return f"row {place[0] if len(place) == 1 else place}"
        if depth > 1 and (found := _first_empty(part, depth - 1, place)):
            return found
    return ""


def spans(starts: Tensor, counts: Tensor) -> Tensor:
    """The numbers start, start + 1, … of every span, one span after the other.

    Example:
        >>> spans(torch.tensor([5, 0]), torch.tensor([2, 3]))
        tensor([5, 6, 0, 1, 2])
    """
    before = counts.cumsum(0) - counts
    total = int(counts.sum())
    return (starts - before).repeat_interleave(counts, output_size=total) + torch.arange(total, device=starts.device)
