"""Computes the frozen front of a net once for all examples, so that a run trains what is behind it on these values."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, TypeGuard, cast

import torch
from torch import Tensor

from netwright.codecs.array import Array
from netwright.data.sources import Source
from netwright.errors import PathError
from netwright.machine import free_memory
from netwright.net.leaf import declared_keywords
from netwright.net.names import matches
from netwright.net.part import Net
from netwright.net.plan.container import ContainerNode
from netwright.net.plan.plan import fixed
from netwright.net.run.assemble import program_of
from netwright.net.surgery import hold_arrays
from netwright.training.engines.engine import steady_parts
from netwright.training.events import Choice
from netwright.training.feeds.ahead import Ahead
from netwright.training.feeds.batches import Batches
from netwright.training.feeds.feed import Feed
from netwright.training.feeds.workers import Workers
from netwright.training.prepare.examples import SplitData
from netwright.training.prepare.options import Options
from netwright.training.prepare.prepare import Prepared, prepare
from netwright.training.prepare.validate import at_once, measuring
from netwright.value import Value

WHY = "no step changes it, so its values for all examples are computed once"


class FrozenFront(Value, eq=False):
    """The first parts of a net, which a run does not change, and what they give for all examples.

    Fields:
        net: these parts, with their arrays.
        data: the examples with the values of the last of these parts in place of the inputs.
    """

    net: Net
    data: SplitData


def frozen_front(prepared: Prepared, options: Options) -> FrozenFront | None:
    """The longest frozen front of a net that gives one value of one size; None where there is none.

    A part is constant if all its arrays are frozen and its values depend on the example alone. So a dropout by itself
    ends the front, which differs in training, and so do a part that is not frozen and code of the user's own. There is
    none for examples that vary or may be drawn anew; none for values that would take more than a quarter of the free
    memory; none in float64, since examples are float32; and none where several processes train, or where an objective
    makes the examples.
    """
    data, feeds = prepared.data, _feeds(prepared)
    if data is None or feeds is None or options.objective is not None or prepared.group.size > 1:
        return None
    whole = whole_net(prepared)
    for count in range(_constant(prepared, whole), 0, -1):
        front, rest = whole[:count], whole[count:]
        if len(front.output_names) == len(rest.input_names) == 1 and front.held.arrays:
            values = _computed(front, rest.input_names[0], feeds, data)
            return None if values is None else FrozenFront(front, values)
    return None


def behind_front(prepared: Prepared, front: FrozenFront, options: Options) -> Prepared | None:
    """The same run, which trains on the values of the front; None if its front is another one, or cannot be left out.

    That this run has the same front is not enough: its own settings may train the front, or mix its examples. All
    choices are those of the whole run. The nets of the run are whole.
    """
    whole, count = whole_net(prepared), len(front.net)
    if _constant(prepared, whole) < count or whole[:count] != front.net:
        return None
    held = front.data.training.columns
    (port,) = whole[count:].input_names
    rest = whole[count:].with_input(Array(tuple(held[port][0].shape)))
    options = replace(options, choices=prepared.choices, learning_rate=_rates(prepared, rest))
    try:
        run = prepare(rest, front.data, options)
    except PathError:  # a setting by path is of the front alone
        return None
    arrays = {f"{prepared.prefix}{path}": array for path, array in front.net.held.arrays.items()}
    said = Choice("frozen front", f"the first {count} parts", WHY)
    return replace(
        run, net=prepared.net, other_arrays={**arrays, **run.other_arrays}, choices=(*prepared.choices, said)
    )


def whole_net(prepared: Prepared) -> Net:
    """The net of a run with the arrays that it has now."""
    arrays = {**prepared.engine.arrays(prepared.engine.flat.master), **prepared.other_arrays}
    held = {path.removeprefix(prepared.prefix): array for path, array in arrays.items()}
    return cast(Net, hold_arrays(prepared.net, held))


def _feeds(prepared: Prepared) -> list[Feed] | None:
    """The examples of the run, to train and to validate; None if some of them are not the same in every epoch."""
    own = [prepared.feed] if prepared.validate is None else [prepared.feed, prepared.validate.data]
    found = [_read_here(batches) for batches in own]
    return [feed for feed in found if _repeats(feed)] if all(map(_repeats, found)) else None


def _read_here(batches: Batches) -> Batches:
    """The same batches without the threads and processes that read them, so that these do not decide about a front."""
    batches = batches.batches if isinstance(batches, Ahead) else batches
    return batches.feed if isinstance(batches, Workers) else batches


def _repeats(batches: Batches) -> TypeGuard[Feed]:
    return isinstance(batches, Feed) and not batches.source.drawn and not batches.ragged


def _constant(prepared: Prepared, net: Net) -> int:
    """How many parts at the beginning of the net of a run are constant; 0 where they cannot be left out."""
    varies = bool(prepared.variation.codecs) or prepared.variation.mixup is not None
    measured = prepared.measures is not None  # on examples as they are
    if varies or measured or prepared.kind == torch.float64 or not isinstance(net, ContainerNode):
        return 0
    frozen = {path.removeprefix(prepared.prefix) for path in prepared.frozen}
    steady = steady_parts(net.plan, frozen)
    changing = {
        step.path
        for step in net.plan.steps
        if not frozen >= {*step.arrays.values()}
        or (declared_keywords(type(step.leaf)) & {"training", "random"} and step.path not in steady)
        or step.leaf.code() is not None
    }
    names = [call.name for call in net.level.calls]
    for count, name in enumerate(names):
        if any(path == name or path.startswith(f"{name}/") for path in changing):
            return count
    return len(names) - 1


def _computed(front: Net, port: str, feeds: list[Feed], data: SplitData) -> SplitData | None:
    """The examples with what the front gives, under the name of the input of the rest; None if this is too much."""
    ((_, slot),) = front.plan.wiring.outputs
    shape = front.plan.shape(slot)
    if not fixed(shape):
        return None
    one = torch.empty(cast("tuple[int, ...]", shape), dtype=torch.float32, device="meta").nbytes
    if one * sum(map(len, feeds)) > free_memory(torch.device("cpu")) // 4:
        return None
    sources = [source for source in (data.training, data.held_out) if source is not None]
    parts = [_with(source, front, port, _values(front, feed)) for source, feed in zip(sources, feeds, strict=True)]
    return SplitData(parts[0], parts[1] if len(parts) > 1 else None)


def _values(front: Net, feed: Feed) -> Tensor:
    """What the front gives for each example, (n, …)."""
    ((_, slot),) = front.plan.wiring.outputs
    bound = program_of(front.plan, [slot]).bind(front.held.arrays, {})
    found: list[Tensor] = []
    with torch.no_grad():
        for rows in torch.arange(len(feed), device="cpu").split(at_once(feed)):
            batch = feed.batch(rows)
            found.append(bound(batch.inputs, measuring(batch, bound.placement.dtype))[0].float().cpu())
    return torch.cat(found)  # of (chunk, …): (n, …)


def _with(source: Source, front: Net, port: str, values: Tensor) -> Source:
    """The examples with values in place of the inputs of the front."""
    columns: dict[str, Any] = {name: column for name, column in source.columns.items() if name not in front.input_names}
    return replace(source, columns={port: values, **columns})


def _rates(prepared: Prepared, rest: Net) -> Mapping[str, float]:
    """The learning rates by path that the run has, for the arrays behind the front."""
    base, by_path = next(choice.setting for choice in prepared.choices if choice.name == "learning rate")
    own = {name: rate for name, rate in by_path.items() if any(matches(path, name) for path in rest.plan.arrays)}
    return {"*": base, **own}
