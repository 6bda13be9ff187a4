"""The examples of a run: the training part, the validation part, and the net with codecs fitted to the former."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeAlias

from netwright.data.blocks import count_pass, first_block, held_out_of
from netwright.data.held_out import random_parts
from netwright.data.rows import row_kind
from netwright.data.sources import Source, source
from netwright.data.streams import Stream
from netwright.errors import DataError
from netwright.net.part import Net
from netwright.net.ports import following_port, target_name
from netwright.training.feeds.passes import collected
from netwright.training.prepare.codecs import fitted
from netwright.training.prepare.goal import ends_in_losses, mend_of_unnamed_loss
from netwright.training.prepare.leaks import shifted_pair
from netwright.training.prepare.next_element import NextElement
from netwright.training.prepare.options import Options
from netwright.value import Value

DIFFERENT = "passes over the stream differ, so a part of one pass, which is kept in memory, is held out"
DataPorts: TypeAlias = tuple[tuple[str, ...], tuple[str, ...]]  # the inputs, and the targets


class TrainingExamples(Value, eq=False):
    """Fields: `net` with its codecs fitted to `training`; `held_out` the validation part, or None."""

    net: Net
    training: Source
    held_out: Source | None


class SplitData(Value, eq=False):
    """Data that were read and split once, for several runs: each takes them as its data.

    Columns that were encoded for one run are not encoded again for another run whose codecs are equal.
    """

    training: Source
    held_out: Source | None


def split_data(net: Net, data: Any, runs: Sequence[Options]) -> SplitData | None:
    """The data as the runs of all nets with the ports of this one read them.

    None for streams, of which each run reads passes of its own, and where runs have losses of different outputs.
    """
    options, *others = runs
    objective = options.objective
    if any(_target_ports(net, other.loss) != _target_ports(net, options.loss) for other in others):
        return None
    targets = {} if isinstance(objective, NextElement) or ends_in_losses(net) else _target_ports(net, options.loss)
    ports = objective.ports(net) if isinstance(objective, NextElement) else _data_ports(net, tuple(targets))
    training, held_out = _parts(data, net, ports, targets, options)
    own = [part for part in (training, held_out) if part is not None]
    shared = all(part.again is None and part.blocks is None for part in own)
    return SplitData(training, held_out) if shared else None


def examples_of(net: Net, data: Any, options: Options) -> TrainingExamples:
    """The examples that an objective or the net's own ports ask for."""
    objective = options.objective
    if isinstance(objective, NextElement):
        ports = objective.ports(net)
        training, held_out = _parts(data, net, ports, {}, options)
        coded = objective.coded(net, training)
        held = None if held_out is None else objective.examples(coded, held_out)
        return TrainingExamples(coded, objective.examples(coded, training), held)
    targets = {} if ends_in_losses(net) else _target_ports(net, options.loss)
    ports = _data_ports(net, tuple(targets))
    training, held_out = _parts(data, net, ports, targets, options)
    return TrainingExamples(fitted(net, training, targets), training, held_out)


def other_examples(net: Net, data: Any, options: Options, name: str) -> Source:
    """Examples on which a run measures its net besides the validation data; `net` has its codecs fitted."""
    objective = options.objective
    following = isinstance(objective, NextElement)
    ports = objective.ports(net) if following else _data_ports(net, tuple(_target_ports(net, options.loss)))
    found = _unchanging(_read(data, net, ports, name=name))
    return objective.examples(net, found) if following else found


def predicted_input(net: Net, training: Source, objective: object) -> tuple[str, int] | None:
    """The input whose later elements the net must predict, and how many steps later; None if there is no such input."""
    if isinstance(objective, NextElement):
        name = following_port(net)
        return None if name is None else (name, 1)
    if ends_in_losses(net) or len(net.output_names) != 1:
        return None
    return shifted_pair(training, net.input_names, (target_name(net, net.output_names[0]),))


def _target_ports(net: Net, loss: Any) -> dict[str, str]:
    """The ports of the data that hold targets, and the output that each is compared with: those that have a loss."""
    names = [name for name in net.output_names if not isinstance(loss, Mapping) or name in loss]
    return {target_name(net, name): name for name in names or net.output_names}


def _data_ports(net: Net, targets: tuple[str, ...]) -> DataPorts:
    """The ports that data fills: inputs and targets. In a net that ends in its loss, the second input is the target."""
    names = net.input_names
    return (names, targets) if targets or len(names) != 2 else ((names[0],), (names[1],))


def _parts(
    data: Any, net: Net, ports: DataPorts, targets: Mapping[str, str], options: Options
) -> tuple[Source, Source | None]:
    """The training part and the validation part of the data, as they are read."""
    if isinstance(data, SplitData):
        return data.training, data.held_out
    return _split(_training(data, net, ports, targets, options), net, ports, options)


def _training(data: Any, net: Net, ports: DataPorts, targets: Mapping[str, str], options: Options) -> Source:
    """The training data. A stream that is not kept is counted, and what codecs learn from is read with it."""
    part = isinstance(options.validation, int | float)
    endless = options.steps_per_epoch is not None
    whole = _read(data, net, ports, options.weights, keep=options.keep and not endless, part=part)
    blocks = whole.blocks
    if endless and (blocks is None or options.keep or part):
        raise _not_endless(whole, options)
    if blocks is None or endless:
        return whole if blocks is None else replace(whole, blocks=replace(blocks, examples=None))
    codecs = {**net.held.inputs, **{port: net.held.outputs.get(output) for port, output in targets.items()}}
    learning = [port for port in whole.columns if (codec := codecs.get(port)) is None or not codec.fitted]
    short = blocks.first is not None and blocks.first.last
    if not short and (blocks.examples is None or learning):
        with whole.errors():
            count, columns = count_pass(blocks, learning)
        blocks = replace(blocks, examples=blocks.examples or count, columns=columns)
    return replace(whole, blocks=blocks)


def _read(
    data: Any, net: Net, ports: DataPorts, weights: Any = None, keep: bool = False, part: bool = False, name: str = ""
) -> Source:
    """The data as a source: all of it, or the first examples of a stream. Errors contain the name.

    A stream of which a `part` will be held out has one order in all passes, and two readers at different places.
    """
    try:
        spare = tuple(target_name(net, name) for name in net.output_names)
        found = source(data, *ports, weights, net.held.inputs, spare)
        if isinstance(found, Stream):
            kept = keep or found.single or (part and found.shuffles)
            found = replace(found, placed=None) if part else found
            found = (collected if kept else first_block)(found, {**net.held.inputs})
    except DataError as error:
        mends = tuple(mend for mend in (mend_of_unnamed_loss(net), *error.mend) if mend)
        fault = error.changed(mend=mends)
        raise (fault.within(name) if name else fault) from None
    return replace(found, name=name)


def _not_endless(found: Source, options: Options) -> DataError:
    """The error for `steps_per_epoch` where the examples can be counted, or must be."""
    steps = f"steps_per_epoch={options.steps_per_epoch}"
    if found.blocks is None:
        why = "an iterator, which is kept in memory" if found.once else f"{len(found):,} examples"
        return DataError(
            what="steps_per_epoch is for streams that can be opened again, and these examples are counted",
            where=steps,
            got=why,
            mend="the function that makes the iterator" if found.once else "leave it out",
        )
    return DataError(
        what="a stream of which an epoch is a number of steps is not read to its end",
        where=steps,
        got="keep=True" if options.keep else f"validation={options.validation!r}, a part of the stream",
        mend="leave keep=True out" if options.keep else "validation=…, examples of your own",
    )


def _split(whole: Source, net: Net, ports: DataPorts, options: Options) -> tuple[Source, Source | None]:
    """The training part, and the validation part, which is held out of the data or given separately."""
    validation = options.validation
    if validation is None:
        return whole, None
    if isinstance(validation, int | float) and not isinstance(validation, bool):
        seed = options.seed or 0
        if whole.blocks is not None:
            parts = held_out_of(whole, validation, seed)
            if parts is not None:
                return parts
            whole = replace(collected(whole.blocks.stream, whole.blocks.codecs), once=DIFFERENT)
        kept, held = random_parts(len(whole), validation, seed)
        return _counted("training", whole.take(kept)), _counted("validation", whole.take(held))
    if whole.blocks is not None and whole.blocks.stream.placed is not None and validation is whole.blocks.stream.placed:
        raise DataError(
            what="training and validation read the same object, which is at one place only",
            where="validation",
            got=row_kind(validation),
            mend="make the object a second time, for validation",
        )
    return whole, _unchanging(_read(validation, net, ports, keep=options.keep, name="validation data"))


def _counted(part: str, found: Source) -> Source:
    """A part of the examples, of which some count."""
    if found.weights is not None and not found.weights.any():
        raise DataError(
            what=f"every weight of the {part} part is 0, so no example of it counts",
            where="weights",
            got=f"{len(found):,} example{'' if len(found) == 1 else 's'} of the weight 0",
            mend=("validation=…, examples of your own", "leave the examples of weight 0 out of the data"),
        )
    return found


def _unchanging(given: Source) -> Source:
    """The same examples for every epoch; those of a stream are read anew each time."""
    once = "so that every epoch is measured on the same examples" if given.again is not None else given.once
    blocks = None if given.blocks is None else replace(given.blocks, first=None)
    return replace(given, again=None, blocks=blocks, once=once)
