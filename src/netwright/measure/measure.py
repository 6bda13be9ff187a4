"""Measures a net on new data, batch by batch: the metrics that its decoders ask for, and the worst examples."""

import re
import sys
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias, cast

from torch import Tensor

from netwright.codecs.codec import Codec
from netwright.codecs.numeric import plain_number
from netwright.codecs.reading import raw
from netwright.data.rows import at_rows
from netwright.data.sources import Source, source
from netwright.data.streams import Stream
from netwright.errors import DataError, NetError
from netwright.fields import plain
from netwright.measure.estimate import Estimate
from netwright.measure.groups import Groups
from netwright.measure.inner import InnerSums, inner_report, several_reports
from netwright.measure.output import FUNCTIONS, TALLIES, Chunk, OutputTally, Tensors
from netwright.measure.report import Report, attribute
from netwright.net.node import expect_net
from netwright.net.part import Net
from netwright.net.ports import following_port, target_name
from netwright.net.run.call import CHUNK
from netwright.net.run.given import Many

Metrics: TypeAlias = Sequence[str | Callable[..., Any]]  # names of figures, and functions
AT_ONCE = 2**25  # numbers that are held at once for the answers of a part of a chunk: 128 MB


def measure(
    net: Net,
    data: Any,
    *,
    at: str | Sequence[str] | None = None,
    by: str | Sequence[Any] | None = None,
    baseline: Any = None,
    metrics: Metrics | Mapping[str, Metrics] = (),
    top: Sequence[int] = (),
    worst: int = 10,
) -> Report:
    """Run a trained net over data and compare its answers with the targets.

    The `answer` of the decoder decides what is measured:

    - "class" (`Category`) and "yes or no" (`Boolean`): accuracy, log loss, confusion matrix, precision, recall and F1.
      `Each` of them counts real positions, and the examples that are right at every position; positions of one example
      are not independent, so the intervals are read from how examples differ.
    - "labels" (`Labels`): the same for each label, and the examples with every label right. `Each` of it counts real
      positions.
    - "numbers" (`Number`, `Vector`, `Array`, `Image`): MSE, RMSE, MAE and R², in the unit in which the decoder answers;
      of a picture the pixels are the numbers, from 0 to 255. `Each` of them counts real positions.
    - "boxes": mAP50 and mAP50-95, the mean average precision.
    - "elements" (`Characters`, …): bits per element, perplexity and error. End marks count as elements. If the codec
      truncates a sequence, only the rest counts.

    Each number comes with its 95% interval and the same number for a naive guess, such as always the commonest class.
    Examples are read in chunks and not kept.

    Gives a `Report`, whose figures are attributes: `report.accuracy`. For a net with several outputs the targets of
    each are the column `<name>_target`, and `report["name"]` is the report of one output.

    Args:
        data: two columns `(inputs, targets)`, rows, a data set's part, …: any form that `nw.train` takes. A net that
            predicts next elements, as `nw.NextElement()` trains it, takes one column of sequences, as in training.
        at: paths inside the net: their values are measured, and not the outputs; targets may be left out.
        by: a column of the data, or a list with the group of each example: the report of each group is in
            `report.groups`, and the text has a table of them.
        baseline: the training data, in any form that `data` may have: the naive guess is computed from their targets.
            By default it is computed from the measured data itself, which makes the guess a little better.
        metrics: further figures: names, such as `"kappa"` or `"roc_area"`, and functions; of a net with several outputs
            a mapping from output to these. The names are on the page "Measurements". A function of answers and targets,
            or of answers, targets and probabilities, gives a number; its interval comes from examples drawn anew, and
            it may give an `Estimate` of its own. A function of one argument takes the counts, such as `ClassCounts`,
            and gives an `Estimate`.
        top: also the top-n accuracies for these n.
        worst: how many of the worst examples to keep.

    Raises: NetError for a net without a decoder; DataError for data that does not fit, with its row.

    Example:
        >>> import netwright as nw
        >>> half = nw.Chain(nw.Linear(1), input=1, output=nw.Number(0, 1))
        >>> half = half.with_arrays({"linear1/weight": [[0.5]], "linear1/bias": [0.0]})
        >>> report = nw.measure(half, ([[1.0], [2.0], [4.0]], [0.5, 1.0, 3.0]))
        >>> print(report.mse)
        MSE 0.33 (0.02-47.53, n=3), always the mean: 1.17
        >>> round(float(report.mae), 3)
        0.333
        >>> def f2(seen):
        ...     "Macro F2, which counts what is missed four times as much as what is given wrongly."
        ...     return seen.over_classes("macro F2", lambda tp, fp, fn, tn: 5 * tp / (5 * tp + fp + 4 * fn))
        >>> net = nw.Chain(nw.softmax, input=2, output=nw.Category(["cat", "dog"]))
        >>> data = ([[0.0, 1.0], [1.0, 0.0], [2.0, 0.0]], ["dog", "cat", "dog"])
        >>> print(nw.measure(net, data, metrics=[f2]).macro_f2)
        macro F2 69.4% (7.9-98.4, n=3), always "dog": 45.5%
        >>> print(nw.measure(net, data, metrics=["kappa"]).kappa)
        kappa 0.40 (-0.80 to 0.96, n=3), always "dog": 0.00
    """
    expect_net(net, "measure")
    if not isinstance(cast(Any, top), Sequence) or not all(type(plain(n)) is int and n > 0 for n in top):
        raise NetError(
            what="top= lists the n of the top-n accuracies",
            expected="whole numbers of 1 or more, such as top=(1, 5)",
            got=repr(top),
        )
    if at is not None:
        return _inner(net, data, [at] if isinstance(at, str) else at, by)
    wanted = _metrics(net, metrics)
    ends = [
        OutputTally(net, name, codec, top, worst) for name, codec in _decoders(net, wanted, net.output_names).items()
    ]
    for end in ends:
        for metric in wanted.get(end.name, ()):
            end.ask(metric)
    following = following_port(net)
    ports = _ports(net, ends, by if isinstance(by, str) else None)

    def chunks(found: Source | Stream) -> Iterator[Chunk]:
        for chunk in _chunks(found, net):
            yield chunk if following is None else {**chunk, ends[0].column: chunk[following]}

    if baseline is not None:
        _learn(ends, chunks(source(baseline, *_ports(net, ends, None), codecs=net.held.inputs)))
    found = source(data, *ports, codecs=net.held.inputs)
    groups = None if by is None else Groups(by, ends)
    if groups is not None and isinstance(found, Source):
        groups.expect(len(found))
    for chunk in chunks(found):
        _measure(net, ends, chunk, groups=groups)
        for end in ends:
            end.check_names()
    reports = {end.name: end.report() for end in ends}
    if groups is not None:
        groups.expect(ends[0].tally.seen)
        reports = {name: groups.added(report, place) for place, (name, report) in enumerate(reports.items())}
    return reports[ends[0].name] if len(ends) == 1 else several_reports(reports)


def _ports(net: Net, ends: Sequence[OutputTally], by: str | None) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The columns that are read as inputs and as targets; a column of groups is read beside the inputs."""
    following = following_port(net)
    others = tuple(name for name in net.input_names if name != following)
    group = () if by is None else (by,)
    if following is None:
        return (*net.input_names, *group), tuple(end.column for end in ends)
    if others or group:  # a column for each input, that of the predicted one last
        return (*others, *group), (following,)
    return net.input_names, ()


def _inner(net: Net, data: Any, paths: Sequence[str], by: Any) -> Report:
    """The report of the values at paths inside a net."""
    if by is not None:
        raise NetError(what="the values inside a net are measured over all data", where="measure", got="at= and by=")
    targets = tuple(target_name(net, name) for name in net.output_names)
    try:
        found = source(data, net.input_names, targets, codecs=net.held.inputs)
    except DataError as error:  # targets are not needed, and may be left out
        try:
            found = source(data, net.input_names, (), codecs=net.held.inputs)
        except DataError:
            raise error from None
    tallies = [InnerSums(path) for path in paths]
    for chunk in _chunks(found, net):
        inputs = {name: Many(chunk[name]) for name in net.input_names}
        values: Mapping[str, Any] = net(inputs, at=list(paths))
        for tally in tallies:
            tally.update(values[tally.path])
    return inner_report(tallies)


def _metrics(net: Net, metrics: Metrics | Mapping[str, Metrics]) -> Mapping[str, Metrics]:
    """Further metrics by output."""
    names = net.output_names
    if isinstance(metrics, str) or not isinstance(cast(Any, metrics), Mapping | Sequence):
        raise NetError(
            what="metrics= lists names of figures and functions",
            expected='such as metrics=["kappa", f]',
            got=repr(metrics),
            mend=f"metrics=[{metrics!r}]" if isinstance(metrics, str) else (),
        )
    fits = set(metrics) <= set(names) if isinstance(metrics, Mapping) else len(names) == 1 or not metrics
    if not fits:
        raise NetError(
            what=f"metrics are given for an output, and this net has {', '.join(names)}",
            expected=f"metrics={{{names[0]!r}: [f]}}",
            got=f"{metrics!r}",
        )
    return metrics if isinstance(metrics, Mapping) else {names[0]: metrics}


def _learn(ends: Sequence[OutputTally], chunks: Iterator[Chunk]) -> None:
    """Read the naive guesses from training data."""
    seen = 0
    for chunk in chunks:
        try:
            for end in ends:
                end.learn(chunk[end.column])
        except DataError as error:
            raise at_rows(error, range(seen, sys.maxsize)).within("baseline") from None
        seen += len(chunk[ends[0].column])
    for end in ends:
        end.check_lessons()


def _measure(
    net: Net,
    ends: Sequence[OutputTally],
    chunk: Chunk,
    keep: Callable[[Mapping[str, Tensors], Chunk], None] | None = None,
    groups: Groups | None = None,
) -> None:
    """Measure a chunk, as many examples at once as memory allows; `keep` gets outputs by name, and their examples."""
    seen = ends[0].tally.seen if ends else 0
    names = [] if groups is None else groups.of(chunk, seen)
    try:
        found = [end.encoded(chunk[end.column]) for end in ends]
    except DataError as error:
        raise at_rows(error, range(seen, sys.maxsize)) from None
    whole = [slice(0, len(next(iter(chunk.values()))))]
    for rows in _at_once(ends, found) if ends else whole:
        raws = {name: _part(chunk[name], rows) for name in net.input_names}
        try:
            answer: Any = net({name: Many(column) for name, column in raws.items()}, raw)
        except DataError as error:
            raise at_rows(error, range(seen + rows.start, sys.maxsize)) from None
        given: Mapping[str, Tensors] = answer if len(net.outputs) > 1 else {net.output_names[0]: answer}
        for place, (end, wanted) in enumerate(zip(ends, found, strict=True)):
            targets, answers = _part(chunk[end.column], rows), _on_host(given[end.name])
            end.update(raws, targets, answers, wanted[rows])
            if groups is not None:
                groups.update(names[rows], place, raws, targets, answers, wanted[rows])
        if keep is not None:
            keep(
                {name: _on_host(values) for name, values in given.items()},
                {port: _part(column, rows) for port, column in chunk.items()},
            )


def _part(column: Sequence[Any], rows: slice) -> Sequence[Any]:
    return column if rows == slice(0, len(column)) else column[rows]


def _at_once(ends: Sequence[OutputTally], found: Sequence[Tensors]) -> Iterator[slice]:
    """Parts of a chunk; they are smaller if answers are large, as for long texts and pictures."""
    sizes = [0] * len(found[0])
    for end, wanted in zip(ends, found, strict=True):
        sizes = [size + row.numel() * end.tally.width for size, row in zip(sizes, wanted, strict=True)]
    first, held = 0, 0
    for row, size in enumerate(sizes):
        if row > first and held + size > AT_ONCE:
            yield slice(first, row)
            first, held = row, 0
        held += size
    yield slice(first, len(sizes))


def _decoders(net: Net, wanted: Mapping[str, Metrics], outputs: Iterable[str]) -> dict[str, Codec]:
    """These outputs with their decoders; one whose answers have no known meaning is measured by functions alone."""
    found: dict[str, Codec] = {}
    for name in outputs:
        codec = net.outputs[name]
        measured = codec is not None and (codec.answer in TALLIES or codec.answer in FUNCTIONS)
        if codec is None or not (measured or any(map(callable, wanted.get(name, ())))):
            several = len(net.outputs) > 1
            decoder = f"{{{name!r}: nw.Category([…])}}" if several else "nw.Category([…])"
            raise NetError(
                what="the output of this net has no meaning that can be measured",
                where=f"output {name!r}" if several else "",
                expected=f"a decoder whose answer is {', '.join(map(repr, [*TALLIES, *FUNCTIONS]))}",
                got="no decoder" if codec is None else f"{codec!r}, whose answer is None",
                mend=f"net.with_output({decoder}), or another decoder"
                if codec is None
                else "metrics=[f], a function of answers and targets",
            )
        found[name] = codec
    return found


def _chunks(found: Source | Stream, net: Net) -> Iterator[Chunk]:
    """The data as columns of at most a chunk's length."""
    if isinstance(found, Source):
        for start in range(0, len(found), CHUNK):
            yield found.read(range(start, min(start + CHUNK, len(found))))
        return
    waiting: Chunk = {}
    for item in found:
        batched = found.batched
        if batched is None:  # only the encoder can tell one example from a batch
            codecs = [(net.inputs[name], item[name]) for name in net.input_names]
            batched = not all(codec is not None and codec.takes(value) for codec, value in codecs)
        columns = {port: list(value) if batched else [value] for port, value in item.items()}
        waiting = {port: [*waiting.get(port, ()), *map(plain_number, column)] for port, column in columns.items()}
        if len(next(iter(waiting.values()))) >= CHUNK:
            yield waiting
            waiting = {}
    if waiting:
        yield waiting


def _on_host(rows: Tensors) -> Tensors:
    return rows.float().cpu() if isinstance(rows, Tensor) else [row.float().cpu() for row in rows]


def chosen_figures(
    net: Net,
    chunks: Iterable[Chunk],
    names: Collection[str] = (),
    functions: Mapping[str, Callable[[Any, Any], Any]] | None = None,
    ports: Collection[str] | None = None,
) -> tuple[Mapping[str, Estimate], Mapping[str, Any]]:
    """Figures of a net as a run wants them, without baselines of training data and without worst examples.

    Args:
        chunks: examples as columns, by port.
        names: of the figures, as `attribute` makes them; what is asked for besides accuracies of the top n has no
            effect, since all figures are made. None are made where no names are given.
        functions: by name; each takes answers and targets, a list of them for each output, of a single output itself.
        ports: those of the examples; an output without targets is left out. None: there are targets for each output.

    Gives the figures by name, those of a net with several outputs as `output figure`; and what the functions gave.
    """
    top = sorted({int(found[1]) for name in names if (found := re.fullmatch(r"(?:.* )?top_(\d+)_accuracy", name))})
    named = {name: target_name(net, name) for name in net.output_names}
    columns = {name: column for name, column in named.items() if ports is None or column in ports}
    decoders = _decoders(net, {}, columns) if names else {}
    ends = [OutputTally(net, name, codec, top, 0) for name, codec in decoders.items()]
    several = len(named) > 1
    for end in ends:
        for name in names:
            if not several or name.startswith(f"{end.name} "):
                end.ask(name.removeprefix(f"{end.name} ") if several else name)
    answers: dict[str, list[Any]] = {name: [] for name in columns}
    targets: dict[str, list[Any]] = {name: [] for name in columns}

    def keep(given: Mapping[str, Tensors], chunk: Chunk) -> None:
        for name in columns:
            rows, codec = given[name], net.outputs[name]
            answers[name] += [row if codec is None else codec.decode(row) for row in rows]
            targets[name] += list(chunk[columns[name]])

    for chunk in chunks:
        _measure(net, ends, chunk, keep if functions else None)
    figures = {
        f"{end.name} {attribute(figure.name)}" if several else attribute(figure.name): figure
        for end in ends
        for figure in end.figures()
    }
    both = (answers, targets) if several else (next(iter(answers.values())), next(iter(targets.values())))
    return figures, {name: function(*both) for name, function in (functions or {}).items()}


def known_figures(net: Net) -> list[str]:
    """The names of the figures that are computed only where they are asked for, as `chosen_figures` writes them."""
    several = len(net.output_names) > 1
    measured = [name for name, codec in net.outputs.items() if codec is not None and codec.answer in TALLIES]
    found = [OutputTally(net, name, codec, (), 0) for name, codec in _decoders(net, {}, measured).items()]
    return [f"{end.name} {name}" if several else name for end in found for name in end.further]
