"""Measures a net on data it has not seen: the metrics its decoders call for, streamed, with the worst examples."""

import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeAlias, cast

import numpy as np
import torch
from torch import Tensor

from netwright.codecs.category import Boolean, Category
from netwright.codecs.codec import Codec
from netwright.codecs.each import Each
from netwright.codecs.labels import Labels
from netwright.codecs.number import Number, Vector
from netwright.codecs.ragged import Ragged
from netwright.codecs.reading import probabilities, raw
from netwright.codecs.text.elements import EDGE, UNKNOWN, Elements
from netwright.data.rows import at_rows, scalar
from netwright.data.sources import Source, Stream, source
from netwright.errors import DataError, NetError
from netwright.fields import plain
from netwright.measure.classification import CLIP, Classification
from netwright.measure.measured import Example, Measured, MeasuredOutputs
from netwright.measure.positions import ClassifiedPositions
from netwright.measure.regression import Regression
from netwright.measure.sequences import Sequences
from netwright.measure.several import SeveralLabels
from netwright.measure.worst import Worst
from netwright.net.node import expect_net
from netwright.net.part import Net
from netwright.net.run.call import CHUNK, Many
from netwright.training.prepare.next_element import NextElement, following_port
from netwright.training.prepare.with_loss import target_name

Metric: TypeAlias = Classification | ClassifiedPositions | Sequences | SeveralLabels | Regression
Rows: TypeAlias = Sequence[Tensor] | Tensor  # one for each example: a tensor with a batch axis, or tensors that differ
Chunk: TypeAlias = dict[str, Sequence[Any]]
AT_ONCE = 2**25  # probabilities of the elements of texts that are held at once: 128 MB


def measure(net: Net, data: Any, *, top: Sequence[int] = (), worst: int = 10) -> Any:
    """Run a trained net over data and compare what it says with what is right.

    The decoder says what is measured: accuracy, confusion matrix, precision, recall, F1 and log loss for `Category`
    and `Boolean`, the same for each label of `Labels`, and MSE, RMSE, MAE and R² in the target's own unit for `Number`
    and `Vector`. `Each` of a category counts real positions, and the examples that are right at every position;
    positions of one example are not independent, so its intervals are read from how examples differ. A codec of
    sequences, such as `Characters`, is measured by its elements: bits per element, perplexity and the part that is not
    the most probable, the mark of the end counted, and of a sequence that the codec truncates what is left of it; the
    naive guesses know how often each element is a target in the measured data, and nothing else.
    Each number comes with its 95% interval and the naive guess. Examples are read in chunks and not kept.

    Gives a `Measured`; of a net with several outputs a mapping from the name of each to its `Measured`.

    Fields:
        data: two columns `(inputs, targets)`, rows, a data set's part, …: whatever `nw.train` takes; of a net with
            several outputs, what is right for each is the column `<name>_target`. A net that predicts what comes next,
            as `nw.NextElement()` trains it, takes one column of sequences, as it did in training.
        top: also the top-n accuracies for these n.
        worst: how many of the worst examples to keep.

    Raises: NetError for a net without a decoder; DataError for data that does not fit, with its row.

    Example:
        >>> import netwright as nw
        >>> half = nw.Chain(nw.Linear(1), input=1, output=nw.Number(0, 1))
        >>> half = half.with_arrays({"linear1/weight": [[0.5]], "linear1/bias": [0.0]})
        >>> print(nw.measure(half, ([[1.0], [2.0], [4.0]], [0.5, 1.0, 3.0])).headline)
        MSE 0.33 (0.02-47.53, n=3), always the mean: 1.17
    """
    expect_net(net, "measure")
    if not isinstance(cast(Any, top), Sequence) or not all(type(plain(n)) is int and n > 0 for n in top):
        raise NetError(
            what="top= lists the n of the top-n accuracies",
            expected="whole numbers of 1 or more, such as top=(1, 5)",
            got=repr(top),
        )
    ends = [_Output(net, name, codec, top, worst) for name, codec in _decoders(net).items()]
    following = following_port(net)
    ports = (net.input_names, tuple(end.column for end in ends)) if following is None else NextElement().ports(net)
    for chunk in _chunks(source(data, *ports), net):
        whole = chunk if following is None else {**chunk, ends[0].column: chunk[following]}
        _measure(net, ends, whole)
    done = {end.name: Measured(end.name, end.metric.result(), end.kept.examples()) for end in ends}
    return MeasuredOutputs(done) if len(ends) > 1 else done[ends[0].name]


def _measure(net: Net, ends: "Sequence[_Output]", chunk: Chunk) -> None:
    """Measure a chunk, as many examples at once as memory is meant for."""
    seen = ends[0].kept.seen
    try:
        found = [end.encoded(chunk[end.column]) for end in ends]
    except DataError as error:
        raise at_rows(error, range(seen, sys.maxsize)) from None
    for rows in _at_once(ends, found):
        raws = {name: _part(chunk[name], rows) for name in net.input_names}
        try:
            answer = net({name: Many(column) for name, column in raws.items()}, raw)
        except DataError as error:
            raise at_rows(error, range(seen + rows.start, sys.maxsize)) from None
        given: Mapping[str, Rows] = answer if len(net.outputs) > 1 else {ends[0].name: answer}
        for end, wanted in zip(ends, found, strict=True):
            end.update(raws, _part(chunk[end.column], rows), _on_host(given[end.name]), wanted[rows])


def _part(column: Sequence[Any], rows: slice) -> Sequence[Any]:
    return column if rows == slice(0, len(column)) else column[rows]


def _at_once(ends: "Sequence[_Output]", found: Sequence[Rows]) -> Iterator[slice]:
    """Parts of a chunk, smaller ones where texts are long and have many elements to choose from."""
    sizes = [0] * len(found[0])
    for end, wanted in zip(ends, found, strict=True):
        if isinstance(end.codec, Elements):
            sizes = [size + len(row) * end.codec.size for size, row in zip(sizes, wanted, strict=True)]
    first, held = 0, 0
    for row, size in enumerate(sizes):
        if row > first and held + size > AT_ONCE:
            yield slice(first, row)
            first, held = row, 0
        held += size
    yield slice(first, len(sizes))


class _Output:
    """One output of the net: the column it is compared with, and what was measured there so far."""

    def __init__(self, net: Net, name: str, codec: Codec, top: Sequence[int], worst: int) -> None:
        self.name, self.codec = name, codec
        self.several = len(net.outputs) > 1
        self.column = target_name(net, name, several=self.several)
        self.metric = _metric(codec, top, worst)
        self.kept = _Kept(codec, worst)

    def encoded(self, targets: Sequence[Any]) -> Rows:
        """What is right, encoded."""
        try:
            if isinstance(self.codec, Elements):
                rows = self.codec.encode_all(targets)
                return rows.values.split(rows.lengths[0].tolist()) if isinstance(rows, Ragged) else rows
            if _positions(self.codec):
                return _each_encoded(self.codec, targets)
            return cast(Rows, self.codec.encode_all(targets))
        except DataError as error:
            raise (error.within(f"port {self.column!r}") if self.several else error) from None

    def update(self, raws: Chunk, targets: Sequence[Any], given: Rows, wanted: Rows) -> None:
        """Add a chunk."""
        if isinstance(self.metric, ClassifiedPositions | Sequences):
            losses = self._update_positions(self.metric, given, wanted)
        else:
            scores, right = _comparable(self.codec, cast(Tensor, given), cast(Tensor, wanted))
            self.metric.update(scores, right)
            losses = _losses(self.codec, scores, right)
        self.kept.update(losses, raws, targets, given)

    def _update_positions(self, metric: ClassifiedPositions | Sequences, given: Rows, wanted: Rows) -> np.ndarray:
        yes_or_no = isinstance(self.codec, Each) and isinstance(self.codec.codec, Boolean)
        scores: list[np.ndarray] = []
        right: list[np.ndarray] = []
        for row, (p, target) in enumerate(zip(given, wanted, strict=True), self.kept.seen):
            places = tuple(p.shape) if yes_or_no else tuple(p.shape[:-1])
            if tuple(target.shape) != places:
                raise DataError(
                    what="what is right has other positions than the net gives",
                    where=f"{self.column}, row {row}",
                    expected=f"{places}, one class for each position",
                    got=f"{tuple(target.shape)}",
                )
            scores.append(p.reshape(target.numel(), -1).numpy())  # (positions, k), or (positions, 1) for yes or no
            right.append(target.reshape(-1).long().numpy())
        metric.update(scores, right)
        return np.array([_position_losses(p, target).mean() for p, target in zip(scores, right, strict=True)])


def _decoders(net: Net) -> dict[str, Codec]:
    """Every output with its decoder."""
    found: dict[str, Codec] = {}
    for name, codec in net.outputs.items():
        if codec is None or not (isinstance(codec, (*MEASURED, Elements)) or _positions(codec)):
            several = len(net.outputs) > 1
            decoder = f"{{{name!r}: nw.Category([…])}}" if several else "nw.Category([…])"
            raise NetError(
                what="this net does not say what its output means, so nothing can be compared with it",
                where=f"output {name!r}" if several else "",
                expected=f"a decoder: {', '.join(kind.__name__ for kind in MEASURED)}, {OF_POSITIONS}",
                got="no decoder" if codec is None else repr(codec),
                mend=f"net.with_output({decoder}), or another decoder",
            )
        found[name] = codec
    return found


OF_POSITIONS = "Each(Category), Each(Boolean), Characters, …"
MEASURED: tuple[type[Codec], ...] = (Category, Boolean, Labels, Number, Vector)


def _positions(codec: Codec) -> bool:
    """Whether it is a class for every position."""
    return isinstance(codec, Each) and isinstance(codec.codec, Category | Boolean)


def _each_encoded(codec: Codec, targets: Sequence[Any]) -> list[Tensor]:
    """Each target by itself: examples may differ in length."""
    rows: list[Tensor] = []
    for row, target in enumerate(targets):
        try:
            rows.append(codec.encode(target))
        except DataError as error:
            raise error.within(f"row {row}") from None
    return rows


def _on_host(rows: Rows) -> Rows:
    return rows.float().cpu() if isinstance(rows, Tensor) else [row.float().cpu() for row in rows]


def _metric(codec: Codec, top: Sequence[int], worst: int) -> Metric:
    inner = codec.codec if isinstance(codec, Each) else codec
    if isinstance(codec, Elements):
        extra = {codec.edge: EDGE, codec.unknown_index: UNKNOWN}
        named = [extra.get(i) or _shown(element) for i, element in enumerate(codec.elements)]
        return Sequences(named, top=top, worst=worst)
    if isinstance(inner, Category | Boolean):
        labels = tuple(cast(Any, (False, True) if isinstance(inner, Boolean) else inner.labels))
        return (ClassifiedPositions if inner is not codec else Classification)(labels, top=top, worst=worst)
    if isinstance(codec, Labels):
        return SeveralLabels(tuple(cast(Any, codec.labels)), worst=worst)
    return Regression(worst=worst)


def _shown(element: Any) -> str:
    """An element in a table: a text as it is where it can be seen."""
    plain_text = isinstance(element, str) and element.isprintable() and element.strip() == element != ""
    return element if plain_text else repr(element)


def _chunks(found: Source | Stream, net: Net) -> Iterator[Chunk]:
    """The data as columns of at most a chunk's length."""
    if isinstance(found, Source):
        for start in range(0, len(found), CHUNK):
            rows = range(start, min(start + CHUNK, len(found)))
            taken = torch.tensor(rows, dtype=torch.int64, device="cpu")
            yield dict(found.read(rows) if found.drawn else found.take(taken).columns)
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
        return _position_losses(scores, right)
    if isinstance(codec, Boolean | Labels):
        hit = right.reshape(scores.shape) != 0
        return -np.log(np.maximum(np.where(hit, scores, 1 - scores).astype(np.float64), CLIP)).mean(axis=1)
    return ((scores - right) ** 2).mean(axis=1)


def _position_losses(p: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Cross entropy of each row, (p,), of probabilities (p, k), or (p, 1) of yes alone."""
    chances = np.concatenate([1 - p, p], axis=1) if p.shape[1] == 1 else p
    return -np.log(np.maximum(chances[np.arange(len(right)), right].astype(np.float64), CLIP))


class _Kept:
    """The worst examples so far, with all that is shown of them; nothing else of the data is kept."""

    def __init__(self, codec: Codec, count: int) -> None:
        self.codec, self.order = codec, Worst(count)
        self.seen = 0
        self.rows: dict[int, Example] = {}

    def update(self, losses: np.ndarray, raws: Chunk, targets: Sequence[Any], given: Rows) -> None:
        """Add a chunk."""
        start, self.seen = self.seen, self.seen + len(losses)
        self.order.update(losses)
        found = self.order.result()
        rows: dict[int, Example] = {}
        for index, loss in zip(found.indices, found.losses, strict=True):
            if index < start:
                rows[index] = self.rows[index]
                continue
            i = index - start
            values = {name: column[i] for name, column in raws.items()}
            value = next(iter(values.values())) if len(values) == 1 else values
            rows[index] = self._example(index, loss, value, scalar(targets[i]), given[i])
        self.rows = rows

    def _example(self, index: int, loss: float, value: Any, actual: Any, given: Tensor) -> Example:
        labelled = isinstance(self.codec, Category | Boolean | Labels)
        chances = self.codec.decode(given, probabilities) if labelled else {}
        return Example(index, value, actual, self.codec.decode(given), loss, chances)

    def examples(self) -> tuple[Example, ...]:
        """The worst first."""
        return tuple(self.rows[index] for index in self.order.result().indices)
