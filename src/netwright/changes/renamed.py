"""Finds the parts that only have another name: equal parts with the same numbers, or that read the same."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cached_property

from torch import Tensor

from netwright.net.compare import array_bytes, same_array
from netwright.net.names import join_path
from netwright.net.node import Node
from netwright.net.plan.container import ContainerNode
from netwright.net.plan.level import Call, Level

LONGEST_MARK = 64  # numbers of an array by which equal ones are looked up


class HeldArrays:
    """The arrays of two nets, found by the places they are below."""

    def __init__(self, before: Mapping[str, Tensor], after: Mapping[str, Tensor]) -> None:
        self._before, self._after = before, after

    @cached_property
    def _sorted(self) -> tuple[list[str], list[str]]:
        return sorted(self._before), sorted(self._after)

    def before(self, place: str) -> list[Tensor]:
        """The arrays below a place of the first net."""
        return _below(self._sorted[0], self._before, place)

    def after(self, place: str) -> list[Tensor]:
        """The arrays below a place of the second net."""
        return _below(self._sorted[1], self._after, place)


def renamed_parts(old: Level, new: Level, arrays: HeldArrays, origin: str, place: str) -> dict[str, str]:
    """The parts of the second level that only have another name, with the name in the first.

    Equal numbers tell it. Where there are none to tell it, it is an equal part that reads the same, or that is the
    only one of its kind.
    """
    was, now = {call.name for call in old.calls}, {call.name for call in new.calls}
    gone = {call.name: call for call in old.calls if call.name not in now}
    come = {call.name: call for call in new.calls if call.name not in was} if gone else {}
    if not come:
        return {}
    held = {name: arrays.before(join_path(origin, call.place)) for name, call in gone.items()}
    holds = {name: arrays.after(join_path(place, call.place)) for name, call in come.items()}
    found = _by_numbers(gone, come, held, holds)
    silent = {name for name, few in (*held.items(), *holds.items()) if all(map(uniform, few))}
    kinds: dict[int, list[str]] = {}
    for name, call in gone.items():
        kinds.setdefault(hash(call.part), []).append(name)
    several = Counter(hash(call.part) for call in come.values())
    for reads in (True, False):
        for name, call in come.items():
            rivals = kinds.get(hash(call.part), []) if name not in found else []
            taken = set(found.values()) if rivals else set[str]()
            for one in rivals:
                only = len(rivals) == several[hash(call.part)] == 1
                told = _reads_same(gone[one], call, found) if reads else only
                if one not in taken and (one in silent or name in silent) and told and gone[one].part == call.part:
                    found[name] = one
                    break
    return found


def _by_numbers(
    gone: Mapping[str, Call],
    come: Mapping[str, Call],
    held: Mapping[str, Sequence[Tensor]],
    holds: Mapping[str, Sequence[Tensor]],
) -> dict[str, str]:
    """The parts of one kind that hold an equal array; new biases are equal by chance, so they must be the same ones."""
    owners: dict[object, list[tuple[str, Tensor]]] = {}
    for name, few in held.items():
        for array in few:
            owners.setdefault(_mark(array), []).append((name, array))
    found: dict[str, str] = {}
    taken: set[str] = set()
    for name, few in holds.items():
        for array in few:
            same = (one for one, other in owners.get(_mark(array), []) if same_array(array, other))
            one = next(
                (one for one in same if one not in taken and _kind(gone[one].part) == _kind(come[name].part)), ""
            )
            if one:
                found[name] = one
                taken.add(one)
                break
    return found


def _mark(array: Tensor) -> object:
    """What is equal for equal arrays, and seldom for others; for an array of one number its place in memory."""
    if uniform(array):
        return array.data_ptr()
    return tuple(array.shape), array.dtype, array_bytes(array.flatten()[:LONGEST_MARK])


def _kind(part: Node) -> type:
    return ContainerNode if isinstance(part, ContainerNode) else type(part)


def uniform(array: Tensor) -> bool:
    """Whether all numbers of the array are equal, or it has none."""
    return array.numel() == 0 or bool((array == array.flatten()[0]).all())


def _reads_same(old: Call, new: Call, found: Mapping[str, str]) -> bool:
    """Whether two calls read the same, but for names already found."""
    return dict(old.reads) == {port: (found.get(maker, maker), name) for port, (maker, name) in new.reads}


def _below(paths: list[str], arrays: Mapping[str, Tensor], place: str) -> list[Tensor]:
    """The arrays below a place."""
    start, found = f"{place}/", list[Tensor]()
    for path in paths[bisect_left(paths, start) :]:
        if not path.startswith(start):
            break
        found.append(arrays[path])
    return found
