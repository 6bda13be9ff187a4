"""Reads and encodes batches in other processes, through torch's DataLoader, where the code of a user is slow."""

import signal
import threading
from collections.abc import Generator, Iterator, Mapping, Sequence
from multiprocessing.reduction import ForkingPickler
from typing import Any, cast

from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from netwright.codecs.codec import Codec
from netwright.data.order import batch_sizes
from netwright.data.reading import reading
from netwright.data.sources import Source
from netwright.errors import DataError, NetwrightError, TrainingError
from netwright.net.run.lengths import Stored
from netwright.training.batch import Batch
from netwright.training.feeds.batches import Batches
from netwright.training.feeds.feed import Feed, encoded_rows


class Workers(Batches):
    """The batches of a feed, in the same order, read and encoded by so many processes.

    The processes begin with an epoch, or a validation, and end with it. What is in memory is not sent to them.
    """

    def __init__(self, feed: Feed, count: int) -> None:
        self.feed, self.count = feed, count
        self.codecs, self.device, self.typical = feed.codecs, feed.device, feed.typical

    def __len__(self) -> int:
        return len(self.feed)

    @property
    def raw(self) -> bool:
        return False  # the processes read ahead already

    def epoch(self, number: int, size: int, seed: int, least: int = 1, skip: int = 0) -> Generator[Batch]:
        sizes = batch_sizes(len(self.feed), size, least)
        return self._read(self.feed.order(size, seed, number).split(sizes)[skip:], skip, to_vary=True)

    def _read(self, batches: Sequence[Tensor], first: int = 0, to_vary: bool = False) -> Generator[Batch]:
        loading = self._started(batches)
        try:
            for number, indices in enumerate(batches, first):
                yield self.feed.batch(indices, self._next(loading, number), to_vary)
        finally:
            # torch ends the processes when nothing refers to `loading`; an error refers to it as long as it is kept
            loading._shutdown_workers()

    def trial(self, size: int, seed: int, least: int = 1) -> Generator[Batch]:
        return self.feed.trial(size, seed, least)

    def first(self, count: int) -> Batch:
        return self.feed.first(count)

    def every(self, size: int) -> Iterator[Batch]:
        return self._read(self.feed.by_length().split(size))

    @property
    def stored(self) -> Mapping[str, Stored]:
        return self.feed.stored

    def digests(self) -> Mapping[str, str]:
        return self.feed.digests()

    def composition(self, size: int, seed: int) -> tuple[str, str] | None:
        return self.feed.composition(size, seed)

    def _started(self, batches: Sequence[Tensor]) -> Any:
        """The processes at work on an epoch."""
        raw = self.feed.raws
        source = Source(raw, rows=self.feed.source.rows, name=self.feed.source.name)
        # batch_size=None: an item is a batch already. torch's sampler may be any list
        loader = DataLoader(
            EncodedRows(source, {port: self.codecs[port] for port in raw}), batch_size=None,
            sampler=cast(Any, batches), num_workers=self.count, collate_fn=_as_it_is, worker_init_fn=_deaf,
        )  # fmt: skip
        before = signal.getsignal(signal.SIGCHLD) if hasattr(signal, "SIGCHLD") else None
        try:
            loading = iter(loader)
        except (TypeError, AttributeError, OSError, RuntimeError, ValueError) as error:
            if _sendable(loader.dataset):
                raise
            raise DataError(
                what="the data cannot be sent to another process",
                where=f"workers={self.count}",
                got=f"{type(error).__name__}: {error}",
                mend=("a class and functions of a module, without lambdas and open files", "leave workers= out"),
            ) from None
        if before is not None and threading.current_thread() is threading.main_thread():
            # torch would raise its error in the middle of a step when a process ends; asked for the next batch, it
            # notices that too
            signal.signal(signal.SIGCHLD, before)
        return loading

    def _next(self, loading: Any, number: int) -> Mapping[str, Stored]:
        try:
            found = reading("batch", number, loading.__next__)
        except RuntimeError as error:
            if "worker" not in str(error):
                raise
            raise TrainingError(
                what="a process that reads the data has ended",
                where=f"workers={self.count}",
                got=str(error).splitlines()[0],
                mend=(
                    "fewer workers or smaller batches, if memory had ended: the system ends processes then",
                    "the same call again, which goes on, if the run has a folder",
                ),
            ) from None
        if isinstance(found, BaseException):
            raise found
        return found


class EncodedRows(Dataset[Any]):
    """Items are batches: the examples at some indices, encoded, by port; or the error that they raise."""

    def __init__(self, source: Source, codecs: Mapping[str, Codec]) -> None:
        self.source, self.codecs = source, codecs

    def __getitem__(self, index: Any) -> Mapping[str, Stored] | Exception:
        try:
            return encoded_rows(self.source, self.codecs, index)
        except Exception as error:
            return error if isinstance(error, NetwrightError) or _sendable(error) else _told(error)


def with_workers(batches: Batches, count: int | None) -> Batches:
    """The same batches, read by so many processes; 0 and None are none.

    Raises: DataError for a stream.
    """
    if not count:
        return batches
    if not isinstance(batches, Feed):
        raise DataError(
            what="a stream is read by one process, since it comes in one order",
            where=f"workers={count}",
            expected="data with a length, such as a torch Dataset with __len__ and __getitem__",
            mend=("leave workers= out", "a DataLoader(…, num_workers=…) of your own, as the data"),
        )
    return Workers(batches, count)


def validated_with_workers(batches: Batches, count: int | None) -> Batches:
    """What validates a run, read by so many processes; a stream and what is in memory are read by the run itself."""
    return with_workers(batches, count) if isinstance(batches, Feed) and batches.raw else batches


def _as_it_is(item: Any) -> Any:
    return item


def _deaf(number: int) -> None:
    """Let only the run itself hear Ctrl-C: it ends the processes when its step is done."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _sendable(thing: Any) -> bool:
    """Whether torch can send it to another process."""
    try:
        ForkingPickler.dumps(thing)
        return True
    except Exception:
        return False


def _told(error: Exception) -> DataError:
    """An error that cannot be sent, as one that can."""
    notes: list[str] = getattr(error, "__notes__", [])
    return DataError(what="the data raised an error", where=", ".join(notes), got=f"{type(error).__name__}: {error}")
