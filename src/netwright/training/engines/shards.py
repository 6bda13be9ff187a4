"""How the weights of a run lie where each process holds a share: piece by piece, and the same of every piece."""

import math
from collections.abc import Collection, Iterable, Mapping, Sequence

import torch
from torch import Tensor

from netwright.training.engines.flat import LINE, Spans, laid, shaped
from netwright.training.processes.group import Group
from netwright.training.snapshot import Snapshot
from netwright.training.updates import Update
from netwright.value import Value


class BlockSpans(Value, eq=False):
    """Arrays of one block and one learning rate, side by side; process k of n holds the k-th of n equal parts.

    Fields:
        block: of the net; `SHARED` for the arrays that are in none.
        spans: where each array begins in the piece, and its shape.
        size: in numbers, with padding, so that the processes hold equally many.
    """

    block: int
    spans: Spans
    size: int

    def views(self, whole: Tensor) -> dict[str, Tensor]:
        """The arrays by path, from all of the piece; their derivatives are joined in one step."""
        ends = [*(start for start, _ in self.spans.values()), self.size][1:]
        starts = [start for start, _ in self.spans.values()]
        parts = whole.split([end - start for start, end in zip(starts, ends, strict=True)])
        return {
            path: shaped(part[: math.prod(shape)], shape)
            for part, (path, (_, shape)) in zip(parts, self.spans.items(), strict=True)
        }


class Shards(Value, eq=False):
    """Which arrays a buffer has a share of: those of its pieces, one piece after the other.

    Fields:
        pieces: in the order of the buffer.
        spans, total: where the arrays lie where one process holds all of them, and the size of that buffer.
    """

    pieces: Sequence[BlockSpans]
    spans: Spans
    total: int
    group: Group

    @classmethod
    def of(cls, blocks: Mapping[str, int], shapes: Mapping[str, Sequence[int]], group: Group) -> "Shards":
        """Those of arrays with these shapes, in this order; `blocks` has the block of each."""
        pieces: list[BlockSpans] = []
        for block in dict.fromkeys(sorted(blocks[path] for path in shapes)):
            spans, size = laid({path: shape for path, shape in shapes.items() if blocks[path] == block})
            even = group.size * 2 * LINE  # so that each share begins on a new line too
            pieces.append(BlockSpans(block, spans, math.ceil(size / even) * even))
        return cls(pieces, *laid(shapes), group)

    @property
    def size(self) -> int:
        """How many numbers each process holds."""
        return sum(piece.size for piece in self.pieces) // self.group.size

    def own(self, buffer: Tensor) -> list[Tensor]:
        """The share of each piece, as views of a buffer."""
        return list(buffer.split([piece.size // self.group.size for piece in self.pieces]))

    def places(self, paths: Collection[str]) -> list[slice]:
        """Where the share of this process has numbers of these arrays."""
        found: list[slice] = []
        begin = 0  # of the share of a piece
        for piece in self.pieces:
            size = piece.size // self.group.size
            first = self.group.rank * size  # of its numbers in the piece
            for path, (start, shape) in piece.spans.items():
                if path in paths:
                    low, high = (min(max(at - first, 0), size) for at in (start, start + math.prod(shape)))
                    found.append(slice(begin + low, begin + high))
            begin += size
        return found

    def arrays(self, buffer: Tensor) -> dict[str, Tensor]:
        """All arrays by path, gathered from all processes onto the processor."""
        found: dict[str, Tensor] = {}
        for piece, own in zip(self.pieces, self.own(buffer), strict=True):
            views = piece.views(self.group.whole(own))
            found |= {path: view.clone(memory_format=torch.contiguous_format).cpu() for path, view in views.items()}
        return {path: found[path] for path in self.spans}

    def fill(self, buffer: Tensor, arrays: Mapping[str, Tensor]) -> None:
        """Put the share of whole arrays into a buffer."""
        for piece, own in zip(self.pieces, self.own(buffer), strict=True):
            whole = torch.zeros(piece.size, dtype=buffer.dtype, device="cpu")
            for path, view in piece.views(whole).items():
                view.copy_(arrays[path])
            own.copy_(whole[self.group.rank * len(own) : (self.group.rank + 1) * len(own)])

    def whole(self, buffer: Tensor) -> Tensor:
        """The buffer as it is where one process holds all arrays."""
        made = torch.zeros(self.total, dtype=buffer.dtype, device="cpu")
        for path, array in self.arrays(buffer).items():
            self._view(made, path).copy_(array)
        return made

    def share(self, whole: Tensor) -> Tensor:
        """What this process holds of such a buffer."""
        made = torch.zeros(self.size, dtype=whole.dtype, device="cpu")
        self.fill(made, {path: self._view(whole, path) for path in self.spans})
        return made

    def _view(self, whole: Tensor, path: str) -> Tensor:
        start, shape = self.spans[path]
        return shaped(whole[start : start + math.prod(shape)], shape)


class SharedUpdate(Update):
    """An update of the share of one process, whose state is kept as that of one process with all weights.

    It is right where every weight is updated by itself. State that has one number for each weight is gathered; other
    state is the same in all processes.
    """

    def __init__(self, update: Update, shards: Shards) -> None:
        self.update, self.shards = update, shards

    def __call__(self, rate: float) -> None:
        self.update(rate)

    def state(self) -> Snapshot:
        own = self.update.state()
        return Snapshot({name: self._whole(array) for name, array in own.arrays.items()}, own.plain)

    def fits(self, state: Snapshot) -> bool:
        shapes = {tuple(array.shape) for array in state.arrays.values()}
        return shapes <= {(), (self.shards.total,)} and self.update.fits(self._share(state))

    def restore(self, state: Snapshot) -> None:
        self.update.restore(self._share(state))

    def _whole(self, array: Tensor) -> Tensor:
        return self.shards.whole(array) if array.shape == (self.shards.size,) else array

    def _share(self, state: Snapshot) -> Snapshot:
        arrays = {name: array if not array.ndim else self.shards.share(array) for name, array in state.arrays.items()}
        return Snapshot(arrays, state.plain)


def in_order(rates: Mapping[str, float], paths: Iterable[str]) -> dict[float, list[str]]:
    """The paths by learning rate, the lowest rate first."""
    found: dict[float, list[str]] = {}
    for path in sorted(paths, key=rates.__getitem__):
        found.setdefault(rates[path], []).append(path)
    return found
