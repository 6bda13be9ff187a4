"""Measures a net on data it has not seen: the metrics its decoders call for, streamed, with the worst examples."""

import re
from collections.abc import Iterator, Sequence
from typing import Any, TypeAlias, cast

import numpy as np
import torch
from torch import Tensor

from netwright.codecs.category import Boolean, Category
from netwright.codecs.codec import Codec
from netwright.codecs.labels import Labels
from netwright.codecs.number import Number, Vector
from netwright.codecs.reading import probabilities, raw
from netwright.data.rows import scalar
from netwright.data.sources import Source, Stream, source
from netwright.errors import DataError, NetError
from netwright.fields import plain
from netwright.metrics.classification import CLIP, Classification
from netwright.metrics.measured import Example, Measured
from netwright.metrics.regression import Regression
from netwright.metrics.several import SeveralLabels
from netwright.metrics.worst import Worst
from netwright.net.node import expect_net
from netwright.net.part import Net
from netwright.net.run.call import CHUNK, Many

Metric: TypeAlias = Classification | SeveralLabels | Regression
Chunk: TypeAlias = dict[str, Sequence[Any]]


def measure(net: Net, data: Any, *, top: Sequence[int] = (), worst: int = 10) -> Measured:
    """Run a trained net over data and compare what it says with what is right.

    The decoder says what is measured: accuracy, confusion matrix, precision, recall, F1 and log loss for `Category`
    and `Boolean`, the same for each label of `Labels`, and MSE, RMSE, MAE and R² in the target's own unit for `Number`
    and `Vector`. Each comes with its 95% interval and the naive guess. Examples are read in chunks and not kept.

    Fields:
        data: two columns `(inputs, targets)`, rows, a data set's part, …: whatever `nw.train` takes.
        top: also the top-n accuracies for these n.
        worst: how many of the worst examples to keep.

    Raises: NetError for a net without a decoder, or with several; DataError for data that does not fit, with its row.

    Example:
        >>> import netwright as nw
        >>> half = nw.Chain(nw.Linear(1), input=1, output=nw.Number(0, 1))
        >>> half = half.with_arrays({"linear1/weight": [[0.5]], "linear1/bias": [0.0]})
        >>> print(nw.measure(half, ([[1.0], [2.0], [4.0]], [0.5, 1.0, 3.0])).headline)
        MSE 0.33 (0.00-0.99, n=3), always the mean: 1.17
    """
    expect_net(net, "measure")
    if not isinstance(cast(Any, top), Sequence) or not all(type(plain(n)) is int and n > 0 for n in top):
        raise NetError(
            what="top= lists the n of the top-n accuracies",
            expected="whole numbers of 1 or more, such as top=(1, 5)",
            got=repr(top),
        )
    output, codec = _decoder(net)
    metric = _metric(codec, top, worst)
    kept = _Kept(worst)
    for chunk in _chunks(source(data, net.input_names, (TARGET,)), net):
        targets = chunk[TARGET]
        raws = {name: chunk[name] for name in net.input_names}
        try:
            given, wanted = net({name: Many(column) for name, column in raws.items()}, raw), codec.encode_all(targets)
        except DataError as error:
            raise _further(error, kept.seen) from None
        scores, right = _comparable(codec, given.float().cpu(), wanted)
        metric.update(scores, right)
        kept.update(_losses(codec, scores, right), raws, targets, given)
    return Measured(output, metric.result(), kept.examples(codec))


TARGET = "target"  # the name of the column of what is right, as in training


def _decoder(net: Net) -> tuple[str, Codec]:
    """The output that is measured, and its decoder."""
    found = {name: codec for name, codec in net.outputs.items() if codec is not None}
    if len(net.outputs) == 1 and isinstance(next(iter(found.values()), None), MEASURED):
        return next(iter(found.items()))
    if len(net.outputs) > 1:
        raise NetError(
            what="a net with several outputs is measured one output at a time",
            expected="one output",
            got=", ".join(net.outputs),
            mend='a net that ends where that output does, such as net[:"path"]',
        )
    raise NetError(
        what="this net does not say what its output means, so nothing can be compared with it",
        expected="a decoder: " + ", ".join(kind.__name__ for kind in MEASURED),
        got=repr(next(iter(found.values()))) if found else "no decoder",
        mend="net.with_output(nw.Category([…])), or another decoder",
    )


MEASURED = (Category, Boolean, Labels, Number, Vector)


def _metric(codec: Codec, top: Sequence[int], worst: int) -> Metric:
    if isinstance(codec, Category | Boolean):
        labels = (False, True) if isinstance(codec, Boolean) else codec.labels
        return Classification(tuple(cast(Any, labels)), top=top, worst=worst)
    if isinstance(codec, Labels):
        return SeveralLabels(tuple(cast(Any, codec.labels)), worst=worst)
    return Regression(worst=worst)


def _chunks(found: Source | Stream, net: Net) -> Iterator[Chunk]:
    """The data as columns of at most a chunk's length."""
    if isinstance(found, Source):
        for start in range(0, len(found), CHUNK):
            yield dict(found.take(torch.arange(start, min(start + CHUNK, len(found)))).columns)
        return
    waiting: Chunk = {}
    for item in found:
        batched = found.batched
        if batched is None:  # only the encoder can tell one example from a batch
            codecs = [(net.inputs[name], item[name]) for name in net.input_names]
            batched = not all(codec is not None and codec.takes(value) for codec, value in codecs)
        columns = {port: list(value) if batched else [value] for port, value in item.items()}
        waiting = {port: [*waiting.get(port, ()), *map(scalar, column)] for port, column in columns.items()}
        if len(next(iter(waiting.values()))) >= CHUNK:
            yield waiting
            waiting = {}
    if waiting:
        yield waiting


def _further(error: DataError, seen: int) -> DataError:
    """The same error with the row counted from the start of the data, not of the chunk."""
    where = re.sub(r"\brow (\d+)", lambda found: f"row {int(found[1]) + seen}", error.where)
    return DataError(what=error.what, where=where, expected=error.expected, got=error.got, mend=error.mend)


def _comparable(codec: Codec, given: Tensor, wanted: Tensor) -> tuple[np.ndarray, np.ndarray]:
    """What the metric compares: probabilities with indices or bits, numbers with numbers in the target's own unit."""
    if isinstance(codec, Category | Labels):
        return given.numpy(), wanted.numpy()
    if isinstance(codec, Boolean):
        return given.numpy(), wanted.long().flatten().numpy()  # (b, 1) -> (b,)
    return np.stack([np.ravel(codec.decode(row)) for row in given]), wanted.double().numpy()


def _losses(codec: Codec, scores: np.ndarray, right: np.ndarray) -> np.ndarray:
    """What orders the worst examples, (b,): cross entropy of each for labels, squared error for numbers."""
    if isinstance(codec, Category):
        return -np.log(np.maximum(scores[np.arange(len(right)), right].astype(np.float64), CLIP))
    if isinstance(codec, Boolean | Labels):
        hit = right.reshape(scores.shape) != 0
        return -np.log(np.maximum(np.where(hit, scores, 1 - scores).astype(np.float64), CLIP)).mean(axis=1)
    return ((scores - right) ** 2).mean(axis=1)


class _Kept:
    """The worst examples so far, with all that is shown of them; nothing else of the data is kept."""

    def __init__(self, count: int) -> None:
        self.order = Worst(count)
        self.seen = 0
        self.rows: dict[int, tuple[Any, Any, Tensor]] = {}

    def update(self, losses: np.ndarray, raws: Chunk, targets: Sequence[Any], given: Tensor) -> None:
        """Add a chunk."""
        start, self.seen = self.seen, self.seen + len(losses)
        self.order.update(losses)
        rows: dict[int, tuple[Any, Any, Tensor]] = {}
        for index in self.order.result().indices:
            if index < start:
                rows[index] = self.rows[index]
                continue
            i = index - start
            values = {name: column[i] for name, column in raws.items()}
            rows[index] = (next(iter(values.values())) if len(values) == 1 else values, scalar(targets[i]), given[i])
        self.rows = rows

    def examples(self, codec: Codec) -> tuple[Example, ...]:
        """The worst first."""
        found = self.order.result()
        labelled = isinstance(codec, Category | Boolean | Labels)
        made: list[Example] = []
        for index, loss in zip(found.indices, found.losses, strict=True):
            value, actual, given = self.rows[index]
            chances = codec.decode(given, probabilities) if labelled else {}
            made.append(Example(index, value, actual, codec.decode(given), loss, chances))
        return tuple(made)
