"""Splits a batch that does not fit in memory: the gradient is summed over its pieces, and the step is the same."""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TypeVar

import torch
from torch import Tensor

from netwright.errors import TrainingError
from netwright.training.batch import Batch
from netwright.training.culprit import Culprit
from netwright.training.engines.engine import Engine

ENDED = ("can't allocate memory", "not enough memory", "bad_alloc", "out of memory")  # in errors that torch raises
R = TypeVar("R")


def memory_ended(error: BaseException) -> bool:
    """Whether an error says that there was no more memory: torch has a class for it on accelerators only."""
    said = str(error).lower()
    return isinstance(error, MemoryError | torch.OutOfMemoryError) or (
        isinstance(error, RuntimeError) and any(text in said for text in ENDED)
    )


def size_text(count: float) -> str:
    """A number of bytes for a reader: "1.2 GB"."""
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{count / 1e6:,.1f} MB"


def in_halves(batch: Batch, work: Callable[[Batch], R]) -> list[R]:
    """The results of work on a batch; where memory ends, those of its halves."""
    try:
        return [work(batch)]
    except (MemoryError, RuntimeError) as error:
        if batch.size == 1 or not memory_ended(error):
            raise
    # here and not above, where the error still holds the values that filled the memory
    return [result for half in batch.split(2) for result in in_halves(half, work)]


class InPieces(Engine):
    """Another engine, which gets a batch in pieces. Where memory ends, it is twice as many, and the step is made again.

    The loss is a mean over examples and all noise is that of an example, so loss and gradient are those of the whole
    batch up to the last digits.

    Fields:
        engine: computes the gradient of a piece.
        count: in how many pieces a batch comes.
        example: bytes that the values and gradients of an example take, as forecast.
        joined: why the examples of a batch cannot be split; empty where they can.
    """

    def __init__(self, engine: Engine, count: int, example: int, joined: str = "") -> None:
        self.engine, self.flat, self.group = engine, engine.flat, engine.group
        self.shared, self.turns = engine.shared, engine.turns
        self.count, self.example, self.joined = count, example, joined

    @property
    def paths(self) -> Sequence[str]:
        return self.engine.paths

    @property
    def turn(self) -> int:  # pyright: ignore[reportIncompatibleVariableOverride]  # the other engine says it
        return self.engine.turn

    def arrays(self, buffer: Tensor) -> dict[str, Tensor]:
        return self.engine.arrays(buffer)

    def buffer(self, arrays: Mapping[str, Tensor]) -> Tensor:
        return self.engine.buffer(arrays)

    def places(self, paths: Collection[str]) -> list[slice]:
        return self.engine.places(paths)

    def length(self) -> Tensor:
        return self.engine.length()

    def gradient(self, batch: Batch, step: int) -> float:
        while True:
            try:
                return self._summed(batch, step)
            except (MemoryError, RuntimeError) as error:
                if not memory_ended(error):
                    raise
                said = str(error).strip().splitlines()[-1] if str(error).strip() else "no memory is left"
            self._use_less(batch, step, said)  # here the values that filled the memory are gone

    def broken(self) -> str | None:
        return self.engine.broken()

    def release(self) -> None:
        self.engine.release()

    def culprit(self, batch: Batch, step: int) -> Culprit | None:
        return self.engine.culprit(batch, step)

    def _summed(self, batch: Batch, step: int) -> float:
        """The mean loss of the batch; each piece counts as many examples as it has."""
        if self.count == 1:
            return self.engine.gradient(batch, step)
        gradient, loss = torch.zeros_like(self.flat.gradient), 0.0
        for piece in batch.split(self.count):
            share = piece.size / batch.size
            loss += self.engine.gradient(piece, step) * share
            gradient.add_(self.flat.gradient, alpha=share)
        self.flat.gradient.copy_(gradient)
        return loss

    def _use_less(self, batch: Batch, step: int, said: str) -> None:
        """Use twice as many pieces from now on.

        Raises: TrainingError where a piece is one example already, or a batch cannot be split.
        """
        self.engine.release()
        joined = self.joined or ("other processes wait for this one within the step" if self.group.size > 1 else "")
        if not joined and self.count < batch.size:
            self.count = min(2 * self.count, batch.size)
            return
        alone = batch.size == 1 or not joined
        raise TrainingError(
            what=f"{'one example' if alone else 'a batch'} does not fit in memory",
            where=f"step {step + 1}",
            expected=f"about {size_text(self.example * (1 if alone else batch.size))}, as forecast",
            got=said,
            mend="a smaller net, shorter examples, or a machine with more memory"
            if alone
            else f"batch_size={max(batch.size // 2, 1)}, since {joined}",
        )
