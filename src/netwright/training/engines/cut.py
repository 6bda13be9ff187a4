"""Cuts the net of a run into blocks in the order of its steps, so that one block at a time can be whole on a device."""

from collections.abc import Callable, Collection, Mapping, Sequence
from itertools import groupby

from netwright.net.plan.plan import Plan
from netwright.net.plan.wiring import Slot
from netwright.net.run.assemble import assemble
from netwright.net.run.execute import Program
from netwright.net.run.groups import LeafGroup, Unit, made_by, read_by, unit_steps, units_of
from netwright.value import Value

LARGE = 1 / 16  # part of all weights from which a part of a net is cut into its own parts
SMALL = 1 / 64  # and up to which neighbours are one block: each block is gathered in one message
SHARED = -1  # the block of an array that several blocks use, or none


class Block(Value, eq=False):
    """A piece of a program: the values that it reads and gives. Its own arrays are those that no other block uses."""

    program: Program
    takes: Sequence[Slot]
    gives: Sequence[Slot]


def owners_of(plan: Plan, wanted: Sequence[Slot], sizes: Mapping[str, int]) -> dict[str, int]:
    """The block of each array, numbered from 0 in the order in which they run; `SHARED` where it is not one alone.

    A container of the net is one block, unless it has more than a sixteenth of all weights and can be cut.

    Args: `wanted` are the values that are computed; `sizes` are the numbers of weights of the arrays, by path.
    """

    def weights(units: Collection[Unit]) -> int:
        return sum(sizes[path] for path in {path for unit in units for path in _arrays(unit)} & sizes.keys())

    total = sum(sizes.values())
    blocks: list[list[Unit]] = []
    for run in _cut(units_of(plan.steps, wanted, {*wanted}), 1, lambda units: weights(units) > LARGE * total):
        both = [*blocks[-1], *run] if blocks else []
        if blocks and (weights(both) <= SMALL * total or not weights(run) or not weights(blocks[-1])):
            blocks[-1] = both
        else:
            blocks.append(run)
    owners: dict[str, int] = {}
    for number, block in enumerate(blocks):
        for path in {path for unit in block for path in _arrays(unit)} & sizes.keys():
            owners[path] = number if owners.get(path, number) == number else SHARED
    return {path: owners.get(path, SHARED) for path in sizes}


def block_numbers(owners: Mapping[str, int]) -> range:
    """The numbers of all blocks; there is one also where no array is one block's alone."""
    return range(max([0, *owners.values()]) + 1)


def cut_into_blocks(plan: Plan, wanted: Sequence[Slot], owners: Mapping[str, int]) -> list[Block]:
    """The blocks that compute these values; each has its own arrays and the steps that follow their first use."""
    parts: list[list[Unit]] = [[] for _ in block_numbers(owners)]
    at = 0
    for unit in units_of(plan.steps, wanted, {*wanted}):
        at = max([at, *(owners.get(path, SHARED) for path in _arrays(unit))])
        parts[at].append(unit)
    blocks: list[Block] = []
    for number, units in enumerate(parts):
        takes = sorted(read_by(units) - made_by(units))
        later = read_by([unit for part in parts[number + 1 :] for unit in part]) | {*wanted}
        gives = sorted(made_by(units) & later)
        blocks.append(Block(assemble(plan, units, [(slot, slot) for slot in takes], gives), takes, gives))
    return blocks


def _cut(units: Sequence[Unit], depth: int, large: Callable[[Sequence[Unit]], bool]) -> list[list[Unit]]:
    """The units in runs of one container each, where large containers are cut into their parts."""
    found: list[list[Unit]] = []
    for path, parts in groupby(units, lambda unit: tuple(_path(unit).split("/")[:depth])):
        run = list(parts)
        ends = len(path) < depth  # a part without parts
        found += [run] if len(run) == 1 or ends or not large(run) else _cut(run, depth + 1, large)
    return found


def _path(unit: Unit) -> str:
    return unit.entry.path if isinstance(unit, LeafGroup) else unit.path


def _arrays(unit: Unit) -> set[str]:
    return {path for step in unit_steps(unit) for path in step.arrays.values()}
