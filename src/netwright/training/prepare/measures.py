"""Measures the net of a run after each epoch, as `measurements=` asks, and says by which figure the best is chosen."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import islice
from typing import Any

from netwright.codecs.numeric import plain_number
from netwright.data.blocks import a_pass
from netwright.data.sources import Source
from netwright.errors import DataError, TrainingError, did_you_mean, shortened
from netwright.measure.measure import chosen_figures, known_figures
from netwright.measure.output import Chunk
from netwright.net.part import Net
from netwright.net.run.call import CHUNK
from netwright.training.measurement import Best, Measurement
from netwright.training.prepare import arguments
from netwright.training.prepare.choices import REPEATED, Chooser
from netwright.training.prepare.examples import TrainingExamples, other_examples
from netwright.training.prepare.options import Options
from netwright.training.prepare.validate import Validation
from netwright.value import Value

FEW = 4  # examples with which the names are looked up


class OnData(Value, eq=False):
    """What is measured on one set of examples.

    Fields: `known` is whether all examples were encoded before, so that their errors are told already.
    """

    examples: Source
    wanted: Sequence[Measurement]
    known: bool

    def figures(self, net: Net) -> dict[str, float]:
        """The figures by title, in the order in which they are wanted.

        Raises: TrainingError for a function that gives no number.
        """
        functions = {one.title: _named(one.title, one.what) for one in self.wanted if not isinstance(one.what, str)}
        figures, given = chosen_figures(
            net, _chunks(self.examples), _names(self.wanted), functions, self.examples.columns
        )
        return {
            one.title: figures[one.what].value if isinstance(one.what, str) else _number(one.title, given[one.title])
            for one in self.wanted
        }

    def less_is_better(self, net: Net) -> dict[str, bool]:
        """Of every figure that has a name whether less is better, from a few examples, or from all that are new.

        Raises: TrainingError for a name that no figure of the net has; DataError for examples that do not fit.
        """
        chunks = _chunks(self.examples)
        few = [{port: column[:FEW] for port, column in next(chunks).items()}] if self.known else chunks
        try:
            figures = chosen_figures(net, few, _names(self.wanted), ports=self.examples.columns)[0]
        except DataError as error:
            raise (error.within(self.examples.name) if self.examples.name else error) from None
        for one in self.wanted:
            if isinstance(one.what, str) and one.what not in figures:
                raise TrainingError(
                    what=f"no figure of this net has the name {one.what!r}",
                    where="measurements",
                    expected=f"one of {', '.join(figures)}, another name of docs/measuring.md, or a function",
                    mend=did_you_mean(one.what, [*figures, *known_figures(net)]) or (),
                )
        return {one.title: figures[one.what].less_is_better for one in self.wanted if isinstance(one.what, str)}


class Measures(Value, eq=False):
    """What a run measures after each epoch besides its loss.

    Fields: `sets` are the sets of examples, each read once after an epoch; `wanted` are all measurements by title.
    """

    sets: Sequence[OnData]
    wanted: Mapping[str, Measurement]

    def __call__(self, net: Net) -> dict[str, float]:
        """The figures of a net by title."""
        found = {name: value for one in self.sets for name, value in one.figures(net).items()}
        return {name: found[name] for name in self.wanted}

    def less_is_better(self, net: Net) -> dict[str, bool]:
        """Of every figure that has a name as of `nw.measure` whether less is better; they are looked up."""
        return {name: less for one in self.sets for name, less in one.less_is_better(net).items()}


def measures_of(choose: Chooser, examples: TrainingExamples, options: Options) -> Measures | None:
    """What the keywords of a call, or the choices of an earlier run, let it measure.

    Raises: TrainingError for measurements without examples; DataError for examples that do not fit.
    """
    wanted = arguments.measurements(choose.again("measurements", options.measurements))
    if not wanted:
        return None
    names = [one.what for one in wanted.values() if isinstance(one.what, str) and one.data is one.name is None]
    setting = names if len(names) == len(wanted) else tuple(wanted.values())  # a file holds names only
    choose.say("measurements", ", ".join(wanted), "given" if options.measurements else REPEATED, setting)
    own = [one for one in wanted.values() if one.data is None]
    if own and examples.held_out is None:
        raise TrainingError(
            what="measurements are made on the validation data, and nothing is validated",
            where="measurements",
            got=", ".join(one.title for one in own),
            mend=("validation=0.1, a part of the data", "nw.Measurement(…, data=…), for other data"),
        )
    sets = [OnData(examples.held_out, own, known=True)] if own and examples.held_out is not None else []
    for name, one in wanted.items():
        if one.data is not None:
            found = other_examples(examples.net, one.data, options, f"data of the measurement {name!r}")
            sets.append(OnData(found, [one], known=False))
    return Measures(sets, wanted)


def best_of(
    given: str | None, measures: Measures | None, validate: Validation | None, less: Mapping[str, bool]
) -> Best:
    """By which figure the best epoch is chosen; `less` are the figures of which that is known, as `Measures` says.

    Raises: TrainingError for a figure that is not there, and for one of which nothing says whether less is better.
    """
    wanted = {} if measures is None else measures.wanted
    known = [*(validate.figures if validate is not None else ()), *wanted]
    if given is None:
        return Best()
    if not known:
        raise TrainingError(
            what="best names the figure of the validation that chooses the epoch, and nothing is validated",
            where="best",
            got=repr(given),
            mend=("validation=0.1, a part of the data", "leave best out"),
        )
    if given not in known:
        raise TrainingError(
            what=f"no figure that is measured after an epoch has the name {given!r}",
            where="best",
            expected=f"one of {', '.join(known)}",
            mend=did_you_mean(given, known) or f"measurements=[{given!r}]",
        )
    better = wanted[given].better if given in wanted else "lower"
    if better is not None:
        return Best(given, better == "higher")
    if given not in less:
        raise TrainingError(
            what=f"nothing says whether more or less of {given!r} is better",
            where="best",
            mend=(f'nw.Measurement({given}, better="higher")', f'nw.Measurement({given}, better="lower")'),
        )
    return Best(given, not less[given])


def _names(wanted: Sequence[Measurement]) -> list[str]:
    return [one.what for one in wanted if isinstance(one.what, str)]


def _named(title: str, function: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    """The function, whose error says which measurement it is."""

    def call(answers: Any, targets: Any) -> Any:
        try:
            return function(answers, targets)
        except Exception as error:
            with suppress(AttributeError):  # an error that is a frozen dataclass takes no note
                error.add_note(f"The measurement {title!r} raised this error.")
            raise

    return call


def _number(title: str, given: Any) -> float:
    """What a function gave, as a number; it may be NaN, which is never the best.

    Raises: TrainingError.
    """
    try:
        if not isinstance(given, str):
            return float(given)
    except (TypeError, ValueError, OverflowError):
        pass
    raise TrainingError(
        what=f"the measurement {title!r} gave no number",
        where="measurements",
        expected="a number",
        got=shortened(repr(given), 80),
    )


def _chunks(found: Source) -> Iterator[Chunk]:
    """All examples as columns of at most a chunk's length; those of a stream are read from it."""
    if found.blocks is None:
        for start in range(0, len(found), CHUNK):
            yield found.read(range(start, min(start + CHUNK, len(found))))
        return
    rows = (row for _, row in a_pass(found.blocks))
    while taken := list(islice(rows, CHUNK)):
        columns = {port: [plain_number(row[port]) for row in taken] for port in taken[0]}
        yield found.blocks.form(Source(columns, name=found.name)).columns
