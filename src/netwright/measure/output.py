"""One output of a net while it is measured: its tally, and the worst examples with their inputs and answers."""

import copy
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, TypeAlias, cast

import numpy as np
import torch
from torch import Tensor

from netwright.codecs.codec import Answer, Codec, by_row
from netwright.codecs.numeric import plain_number
from netwright.codecs.reading import probabilities
from netwright.codecs.text.transcript import Transcript
from netwright.errors import DataError, NetError, did_you_mean
from netwright.measure.arrays import Rows
from netwright.measure.class_metrics import ClassMetric, with_figures
from netwright.measure.classification import ClassCounts
from netwright.measure.detection import mean_average_precision
from netwright.measure.estimate import Estimate, nothing_measured
from netwright.measure.kept import KeptAnswers
from netwright.measure.named_metric import NamedMetric
from netwright.measure.own import COUNTS, AnswerList, parameters_of
from netwright.measure.positions import PositionCounts
from netwright.measure.regression import NumberSums
from netwright.measure.report import Example, Report, attribute
from netwright.measure.sequences import ElementCounts
from netwright.measure.several import LabelCounts, PositionLabels
from netwright.measure.tally import Metric, Tally
from netwright.measure.transcripts import TranscriptEdits
from netwright.measure.worst import Worst
from netwright.net.part import Net
from netwright.net.ports import target_name
from netwright.sizes.notation import Axis, port

Chunk: TypeAlias = Mapping[str, Sequence[Any]]
Tensors: TypeAlias = Sequence[Tensor] | Tensor  # one for each example: a batch, or tensors of different sizes
LABELLED = ("class", "yes or no", "labels")  # for these answers an example shows every probability


class OutputTally:
    """One output of the net: the column of its targets, and its measurement so far.

    Fields:
        asked: the metrics beside those that are always shown.
        functions: of one's own, of answers and targets.
    """

    def __init__(self, net: Net, name: str, codec: Codec, top: Sequence[int], worst: int) -> None:
        self.name, self.codec = name, codec
        self.several = len(net.outputs) > 1
        self._inputs = net.held.inputs
        self.column = target_name(net, name)
        make = None if codec.answer is None else TALLIES.get(codec.answer)
        self._counts = make is not None
        self.tally = UnknownAnswers() if make is None else make(codec, top)
        self.kept = KeptExamples(codec, worst if self._counts else 0)
        self.asked: list[Metric] = []
        self.functions: list[Callable[..., Any]] = []
        self._shown = FUNCTIONS.get(codec.answer or "", ())
        self._names: list[str] = []  # that may be of figures which are always shown
        self._answers = AnswerList(codec)
        self._lessons = 0  # numbers of the targets that the naive guess was learned from

    def emptied(self) -> "OutputTally":
        """The same measurement, with its naive guess, of no example yet; it keeps no worst examples."""
        made = copy.copy(self)
        made.tally = copy.deepcopy(self.tally)
        made.kept, made._answers = KeptExamples(self.codec, 0), AnswerList(self.codec)
        return made

    def ask(self, wanted: "str | Callable[..., Any]") -> None:
        """Add a metric: by the name of its figure, or a function of counts, or of answers and targets.

        Raises: DataError for a function that takes other arguments.
        """
        if isinstance(wanted, str):
            further = {attribute(metric.title): metric for metric in self.tally.further}
            if wanted not in further:
                self._names.append(wanted)
                return
            wanted = further[wanted]
        if wanted in self.asked or wanted in self.functions:
            return
        if parameters_of(wanted) > COUNTS:
            self.functions.append(wanted)
            return
        self.asked.append(wanted)
        if isinstance(wanted, NamedMetric) and wanted.keeps and self.tally.kept is None:
            self.tally.kept = KeptAnswers()

    def check_names(self) -> None:
        """Refuse a name that no figure of this output has, once there are examples that count.

        Raises: NetError.
        """
        if not self._names or not self.tally.n:
            return
        shown = [attribute(metric(self.tally).name) for metric in self.tally.metrics]
        names, self._names = self._names, []
        for name in names:
            if name not in shown:
                raise NetError(
                    what=f"no figure of this net has the name {name!r}",
                    where="metrics",
                    expected=f"one of {', '.join(dict.fromkeys([*shown, *self.further]))}; or a function",
                    mend=did_you_mean(name, [*shown, *self.further]) or (),
                )

    @property
    def further(self) -> list[str]:
        """The names of the figures that are computed only where they are asked for."""
        return [attribute(metric.title) for metric in self.tally.further]

    def encoded(self, targets: Sequence[Any]) -> Tensors:
        """The targets, encoded; of a decoder whose answers have no known meaning they are left as they are."""
        if not self._counts:
            return torch.zeros(len(targets), 0, dtype=torch.float32, device="cpu")
        try:
            rows = self.codec.encode_all(targets)
        except DataError as error:
            raise (error.within(f"port {self.column!r}") if self.several else error) from None
        if isinstance(rows, Tensor):
            return rows
        one = len(rows.lengths) == 1
        return rows.values.split(rows.lengths[0].tolist()) if one else [*by_row(targets, self.codec.encode)]

    def learn(self, targets: Sequence[Any]) -> None:
        """Add targets of training data, for the baseline."""
        rows = self.encoded(targets)
        rows = [row[row >= 0] for row in rows] if self.codec.partial else rows
        self._lessons += sum(row.numel() for row in rows)
        self.tally.learn(self._numbers([self._prepared(row) for row in rows]) if self._plain else rows)

    def check_lessons(self) -> None:
        """Refuse training data in which nothing counts; it is called after all of them were learned from.

        Raises: DataError.
        """
        if self.codec.partial and not self._lessons:
            raise DataError(
                what="no position of these examples counts, so that no naive guess follows from them",
                where="baseline" + (f", port {self.column!r}" if self.several else ""),
                expected="at least one position whose target is known",
            )

    def update(self, raws: Chunk, targets: Sequence[Any], given: Tensors, wanted: Tensors) -> None:
        """Add a part of a chunk."""
        if self._counts and _runs(self.codec):
            self._check_positions(given, wanted)
        answers = given
        if self.codec.partial:  # positions whose class is not known do not count
            known = [row >= 0 for row in wanted]
            given, wanted = ([row[of] for row, of in zip(rows, known, strict=True)] for rows in (given, wanted))
        if self._plain:
            right = [self._prepared(row) for row in wanted]
            losses = self.tally.update(self._numbers(given), self._numbers(right))
        else:
            losses = self.tally.update(given, wanted)
        self.kept.update(losses, raws, targets, answers)
        if self.functions or self._shown:
            self._answers.add(answers, targets, self._places(raws))

    def _places(self, raws: Chunk) -> Sequence[Any] | None:
        """Where each raw input lies in its encoded form, for answers about places in it, such as boxes."""
        if not self.codec.about_places:
            return None
        for name, codec in self._inputs.items():
            if codec.has_places:
                return [codec.place_of(one) for one in raws[name]]
        return None

    def figures(self) -> list[Estimate]:
        """All figures: those that are always shown, then those that were asked for, then those of functions."""
        tally, guess = self.tally, self.tally.guess
        shown = [metric(tally) for metric in tally.metrics]
        shown += [self._answers.figure(function, guess) for function in self._shown]
        asked = [metric(tally) for metric in self.asked]
        return [*shown, *asked, *(self._answers.figure(function, guess) for function in self.functions)]

    def report(self) -> Report:
        """The report.

        Raises: DataError where nothing was measured.
        """
        tally = self.tally
        if not tally.n:
            raise nothing_measured(tally.without)
        named = [metric for metric in self.asked if isinstance(metric, NamedMetric)]
        each = [metric for metric in self.asked if isinstance(metric, NamedMetric | ClassMetric)]
        columns = [metric.each(cast(Any, tally)) for metric in each if metric.each is not None]
        notes = [note for metric in named if metric.notes is not None for note in metric.notes(tally)]
        figures = tuple(self.figures())
        return Report(
            kind=str(self.codec.answer or "answers"),
            n=tally.n,
            unit=tally.unit,
            counted=tally.counted,
            figures=figures,
            asked=tuple(figure.name for figure in figures[len(tally.metrics) + len(self._shown) :]),
            classes=with_figures(tally.classes(), columns),
            confusion=tally.confusion(),
            baseline_from="the training data" if tally.informed else "the measured data",
            notes=(*self._left_out(), *tally.notes(), *notes),
            curves=tuple(curve for metric in named if metric.curves is not None for curve in metric.curves(tally)),
            worst=self.kept.examples(),
            output=self.name,
        )

    def _left_out(self) -> tuple[str, ...]:
        """A note on the examples that do not count."""
        count = self.tally.without
        return (f"examples without a position that counts, left out: {count:,}",) if count else ()

    @property
    def _plain(self) -> bool:
        """Whether the answer is numbers, which are compared in their own unit."""
        return self.codec.answer == "numbers"

    def _prepared(self, row: Tensor) -> Tensor:
        """The output that the net should give, from an encoded target."""
        return self.codec.prepare(row[None])[0]

    def _numbers(self, rows: Tensors) -> list[np.ndarray]:
        """The numbers of each example as the decoder gives them."""
        return [_flat(self.codec.decode(row)) for row in rows]

    def _check_positions(self, given: Tensors, wanted: Tensors) -> None:
        one = self.codec.answer in ("class", "elements")
        for row, (output, target) in enumerate(zip(given, wanted, strict=True), self.tally.seen):
            positions = tuple(output.shape[:-1] if one else output.shape)
            if tuple(target.shape) != positions:
                raise DataError(
                    what="a target has other positions than the net's output",
                    where=f"{self.column}, row {row}",
                    expected=f"{positions}, {'one class for each position' if one else 'as the net gives'}",
                    got=f"{tuple(target.shape)}",
                )


def shows_chances(codec: Codec | None) -> bool:
    """Whether an example has one answer with a probability for each label."""
    return codec is not None and codec.answer in LABELLED and not _runs(codec)


def _runs(codec: Codec) -> bool:
    """Whether an example has an answer at each of its positions."""
    axes = len(port(codec.decoded).axes)
    if codec.answer == "transcript":
        return False
    if codec.answer == "numbers":
        return _fixed(codec) < axes
    return codec.answer == "elements" or axes > 1


def _fixed(codec: Codec) -> int:
    """How many of the last axes of the decoded output have a number as their size; `?` counts as a number."""
    axes = port(codec.decoded).axes
    varied = [i for i, axis in enumerate(axes, 1) if not isinstance(axis, Axis) or axis.name not in ("", "?")]
    return len(axes) - max(varied, default=0)


def _components(codec: Codec) -> int:
    """How many numbers stand beside each other at one position: the last axes that do not vary."""
    axes = port(codec.decoded).axes
    sizes = [axis.times for axis in axes[len(axes) - _fixed(codec) :] if isinstance(axis, Axis)]
    return int(np.prod(sizes)) if sizes else 1


class UnknownAnswers(Tally):
    """Counts the examples where only functions of one's own know what an answer means."""

    @property
    def metrics(self) -> Sequence[Metric]:
        return ()

    def learn(self, right: Rows) -> None:
        """Nothing is learned: no naive guess is known."""

    def update(self, given: Rows, right: Rows) -> np.ndarray:
        self.n += len(given)
        return np.zeros(len(given))


def _class_tally(codec: Codec, top: Sequence[int]) -> Tally:
    yes = 1 if codec.answer == "yes or no" else None
    return (PositionCounts if _runs(codec) else ClassCounts)(codec.names, top, yes)


def _label_tally(codec: Codec, top: Sequence[int]) -> Tally:
    del top  # independent labels have no top n
    return (PositionLabels if _runs(codec) else LabelCounts)(codec.names)


def _number_tally(codec: Codec, top: Sequence[int]) -> Tally:
    del top
    return NumberSums(_components(codec), "positions" if _runs(codec) else "examples")


TALLIES: Mapping[Answer, Callable[[Codec, Sequence[int]], Tally]] = {
    "class": _class_tally,
    "yes or no": _class_tally,
    "labels": _label_tally,
    "numbers": _number_tally,
    "transcript": lambda codec, top: TranscriptEdits(cast(Transcript, codec)),
    "elements": lambda codec, top: ElementCounts([_shown(element) for element in codec.names], top),
}


FUNCTIONS: Mapping[str, Sequence[Callable[..., Estimate]]] = {
    "boxes": (partial(mean_average_precision, iou=0.5), mean_average_precision),
}
"""For kinds of answers without counts the functions of answers and targets whose figures are always shown."""


def _flat(numbers: Any) -> np.ndarray:
    """All numbers in one row, of lists of any depth."""
    if isinstance(numbers, list | tuple):
        return np.concatenate([_flat(number) for number in cast(Sequence[Any], numbers)])
    return np.asarray(numbers, np.float64).reshape(-1)


def _shown(element: Any) -> str:
    """An element in a table: a text without quotes if it is visible."""
    plain_text = isinstance(element, str) and element.isprintable() and element.strip() == element != ""
    return element if plain_text else repr(element)


class KeptExamples:
    """The worst examples so far, with everything a report shows of them; no other data is kept."""

    def __init__(self, codec: Codec, count: int) -> None:
        self.codec, self.order = codec, Worst(count)
        self.seen = 0
        self.rows: dict[int, Example] = {}

    def update(self, losses: np.ndarray, raws: Chunk, targets: Sequence[Any], given: Tensors) -> None:
        """Add a chunk."""
        start, self.seen = self.seen, self.seen + len(losses)
        self.order.update(losses)
        rows: dict[int, Example] = {}
        for index, loss in self.order.result():
            if index < start:
                rows[index] = self.rows[index]
                continue
            i = index - start
            values = {name: column[i] for name, column in raws.items()}
            value = next(iter(values.values())) if len(values) == 1 else values
            rows[index] = self._example(index, loss, value, plain_number(targets[i]), given[i])
        self.rows = rows

    def _example(self, index: int, loss: float, value: Any, actual: Any, given: Tensor) -> Example:
        chances = self.codec.decode(given, probabilities) if shows_chances(self.codec) else {}
        return Example(index, value, actual, self.codec.decode(given), loss, chances)

    def examples(self) -> tuple[Example, ...]:
        """The worst first."""
        return tuple(self.rows[index] for index, _ in self.order.result())
