"""Chooses whether each process holds the whole net or a share of it, by the memory that either takes."""

import math
from collections.abc import Collection, Mapping, Sequence
from typing import cast

import torch
from torch import Tensor

from netwright.errors import TrainingError
from netwright.machine import free_memory
from netwright.net.part import Net
from netwright.net.plan.plan import Plan
from netwright.net.plan.wiring import Slot
from netwright.training.engines.cut import SHARED, owners_of
from netwright.training.engines.engine import Engine, Turn
from netwright.training.engines.flat import weight_type
from netwright.training.engines.pick import engine_of
from netwright.training.engines.pieces import size_text
from netwright.training.optimizers import OPTIMIZERS, Optimizer
from netwright.training.prepare.choices import Chooser
from netwright.training.prepare.rates import copied, rates_by_path, updates_in_turn
from netwright.training.prepare.validate import Present
from netwright.training.processes.group import Group
from netwright.training.processes.launched import Processes
from netwright.training.processes.refusals import refuse_unequal
from netwright.training.room import held_bytes
from netwright.training.updates import Update
from netwright.value import Value

GATHERED = 4  # times the largest block: its weights and gradient, and those of its neighbour, which is sent meanwhile


class Sharing(Value, eq=False):
    """How the arrays of a run are held.

    Fields:
        owners: the block of each trained array, where each process holds a share; None where it holds all.
        most: how many weights a process holds at once, those of gathered blocks included.
    """

    owners: Mapping[str, int] | None
    most: int


def sharing_of(
    choose: Chooser,
    plan: Plan,
    trained: Collection[str],
    optimizer: Optimizer,
    values: int,
    device: torch.device,
    precision: torch.dtype | None,
) -> Sharing:
    """A share of the net for each process where the whole does not fit.

    Args: `values` are the bytes that the values of the smallest piece of a batch take, with their gradients.

    Raises: TrainingError where a share does not fit, or the optimizer needs whole arrays.
    """
    group, sizes = choose.group, {path: math.prod(cast(Sequence[int], plan.arrays[path].shape)) for path in trained}
    count = sum(sizes.values())
    if group.size == 1:
        return Sharing(None, count)
    numbers = sum(math.prod(cast(Sequence[int], spec.shape)) for spec in plan.arrays.values())
    refuse_unequal(group, {"data": f"a net of {numbers:,} numbers follows from the data"})
    values = group.highest(values)
    wide = weight_type(precision)
    low = 0 if precision in (None, wide) else precision.itemsize
    each = held_bytes(1, optimizer, wide.itemsize)
    free = free_memory(device) // (group.on_machine if device.type == "cpu" else 1)
    free = -group.highest(-free)  # the least of all processes
    whole = count * (each + low) + values
    if whole <= free:
        choose.say("sharing", "each process holds the whole net", _why(whole, "", free))
        return Sharing(None, count)
    owners = owners_of(plan, _losses(plan), sizes)
    blocks = {owner: sum(sizes[path] for path in sizes if owners[path] == owner) for owner in {*owners.values()}}
    gathered = blocks.pop(SHARED, 0) + max(blocks.values(), default=0)
    share = math.ceil(count / group.size) * each + gathered * (GATHERED * wide.itemsize + low) + values
    if share > free:
        raise TrainingError(
            what="the run does not fit in memory, although each process would hold a share of the net",
            where=f"device {str(device)!r}, {group.size} processes",
            expected=f"at least {size_text(share)} for each process",
            got=f"{size_text(free)} free",
            mend="more processes on more devices, a smaller net, or shorter examples",
        )
    if type(optimizer) not in {type(known) for known in OPTIMIZERS.values()}:
        raise TrainingError(
            what="the net does not fit whole, and this optimizer may need whole arrays",
            where="optimizer",
            expected=f"one of {', '.join(OPTIMIZERS)}, which change each weight by itself",
            got=repr(optimizer),
            mend=('optimizer="adamw"', "devices with more memory"),
        )
    why = _why(whole, f" for the whole net, and {size_text(share)} for a share", free)
    choose.say("sharing", f"each process holds 1/{group.size} of the net", why)
    return Sharing(owners, math.ceil(count / group.size) + gathered)


class Placed(Value, eq=False):
    """The arrays of a run where they are trained.

    Fields:
        engine: has those that are trained.
        others: those that no gradient trains, by path.
        updates: each update of the optimizer with its peak learning rate.
        present: how values are computed from them.
    """

    engine: Engine
    others: dict[str, Tensor]
    updates: Sequence[tuple[Update, float]]
    present: Present


def held_by(
    sharing: Sharing,
    net: Net,
    plan: Plan,
    rates: Mapping[str, float],
    optimizer: Optimizer,
    precision: torch.dtype | None,
    seed: int,
    device: torch.device,
    group: Group,
    turns: Sequence[Turn] = (),
) -> Placed:
    """The arrays of a net on the device: all of them, or the share of this process.

    Raises: TrainingError for parts that learn in turn where a process has only a share.
    """
    if sharing.owners is None:
        net = net.to(device)
        flat, others = rates_by_path(net, plan, rates, precision, device, turns)
        group.spread([flat.master, *others.values()])
        engine = engine_of(plan, flat, others, precision, seed, others.keys() - rates.keys(), group, turns)
        present = Present.of(plan, {**others, **flat.views(flat.master)})
        return Placed(engine, others, updates_in_turn(engine, rates, optimizer), present)
    if turns:
        raise TrainingError(
            what="parts that learn in turn need the whole net in each process, and it does not fit",
            where="objective",
            got=f"{group.size} processes",
            mend="a smaller net, or devices with more memory",
        )
    from netwright.training.engines.sharded import (
        Sharded,  # imported here, so that `import netwright` does not load FSDP
    )

    assert isinstance(group, Processes)
    arrays = {path: net.held.arrays[path] for path in rates if plan.arrays[path].weight.kind == "learned"}
    others = {path: copied(a, precision).to(device) for path, a in net.held.arrays.items() if path not in arrays}
    group.spread(others.values())
    frozen = others.keys() - rates.keys()
    engine = Sharded(plan, arrays, rates, others, precision, seed, frozen, group, device, sharing.owners)
    present = Present(engine.computing, engine.flat.master.dtype, together=True)
    return Placed(engine, others, engine.updates(optimizer), present)


def _why(whole: int, more: str, free: int) -> str:
    return (
        f"weights, gradient, optimizer, the best net so far and values take about {size_text(whole)}{more}; "
        f"{size_text(free)} are free for each process"
    )


def _losses(plan: Plan) -> list[Slot]:
    return [slot for _, slot in plan.wiring.outputs]
