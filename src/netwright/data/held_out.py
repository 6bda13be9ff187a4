"""Chooses which examples validate, from the seed and the data alone, so that a repeated run holds out the same ones."""

from collections.abc import Hashable, Sequence
from fractions import Fraction
from functools import lru_cache
from itertools import islice
from typing import Any, TypeAlias

import numpy as np
import torch
from torch import Tensor

from netwright.data.order import generator
from netwright.errors import DataError
from netwright.value import Value

Parts: TypeAlias = tuple[Tensor, Tensor]  # the indices that train, and those that validate, each ascending

BITS = 1 << 29  # of the tables with which groups are combined: 64 MB
DRAWN = 1 << 20  # places in a stream that are drawn together


class StreamPart(Value):
    """One part of a stream: the examples at some places of a pass, for which the seed decides.

    The places are drawn for a million examples at a time, so the memory that this takes does not grow with the stream.
    A stream of at most a million examples has the parts that `random_parts` makes of the same examples in memory. Later
    passes may be longer: what is beyond the first `examples` trains.

    Fields: `examples` of a pass; how many of them are `held_out`; the `seed`; whether this part `validates` or trains.
    """

    examples: int
    held_out: int
    seed: int
    validates: bool

    def __len__(self) -> int:
        return self.held_out if self.validates else self.examples - self.held_out

    def __contains__(self, place: object) -> bool:
        assert isinstance(place, int)
        return _held_out(self.examples, self.held_out, self.seed, place // DRAWN)[place % DRAWN] == self.validates

    def __getitem__(self, index: int) -> int:
        """The place in a pass of example `index` of this part."""
        place = 0
        while True:
            held = _held_out(self.examples, self.held_out, self.seed, place // DRAWN)
            here = held.count(self.validates)
            if index < here:
                return next(islice((place + i for i in range(DRAWN) if held[i] == self.validates), index, None))
            if place >= self.examples and not here:
                raise IndexError(index)
            index, place = index - here, place + DRAWN


def stream_parts(examples: int, validation: float | int, seed: int) -> tuple[StreamPart, StreamPart]:
    """The part of a stream that trains, and the one that validates.

    Args:
        examples: of a pass.
        validation: a fraction of them (a float between 0 and 1) or their count (an int).
        seed: which ones.

    Raises:
        DataError: as in `random_parts`.

    Example:
        >>> training, validation = stream_parts(10, 0.2, seed=0)
        >>> [place for place in range(10) if place in validation] == random_parts(10, 0.2, seed=0)[1].tolist()
        True
    """
    count = _count(examples, validation)
    return StreamPart(examples, count, seed, False), StreamPart(examples, count, seed, True)


@lru_cache(maxsize=4)
def _held_out(examples: int, count: int, seed: int, number: int) -> bytes:
    """For each of the places that are drawn together, the `number`-th of such a run, whether it is held out: 1 or 0."""
    start, stop = number * DRAWN, min((number + 1) * DRAWN, examples)
    held = torch.zeros(DRAWN, dtype=torch.uint8, device="cpu")
    if start < stop:
        draw = generator(seed, "validation", number) if number else generator(seed, "validation")
        order = torch.randperm(stop - start, generator=draw, device="cpu")
        held[order[: stop * count // examples - start * count // examples]] = 1
    return held.numpy().tobytes()


def random_parts(n: int, validation: float | int, seed: int) -> Parts:
    """Parts of which each example is in one, by chance.

    Args:
        n: examples there are.
        validation: a fraction of them (a float between 0 and 1) or their count (an int).
        seed: which ones; the choice depends on nothing else.

    Returns:
        Two int64 tensors (train,), (validation,) that together hold each of 0 ... n - 1 once. A fraction is rounded to
        the nearest count, and to at least one example on each side.

    Raises:
        DataError: no data, one example, or a validation part that leaves nothing on one side.

    Example:
        >>> train, validation = random_parts(10, 0.2, seed=0)
        >>> len(train), len(validation)
        (8, 2)
    """
    count = _count(n, validation)
    order = torch.randperm(n, generator=generator(seed, "validation"), device="cpu")
    return order[count:].sort().values, order[:count].sort().values


def whole_groups(groups: Sequence[Hashable], validation: float | int, seed: int) -> Parts:
    """Parts in which every group is whole; the validation part has as nearly as possible the wanted size.

    Of the choices with the nearest size, the groups that come first in a random order are taken. Of two sizes equally
    near, the smaller one is taken.

    Raises:
        DataError: all examples are in one group, or as in `random_parts`.

    Example:
        >>> _, validation = whole_groups(["a", "a", "b", "c", "c", "c"], 3, seed=0)
        >>> validation.tolist() in ([3, 4, 5], [0, 1, 2])
        True
    """
    count, members = _count(len(groups), validation), _members(groups)
    if len(members) == 1:
        raise DataError(
            what="all examples are in one group, so no group is left to validate",
            where="by",
            got=f"{len(groups):,} examples of the group {groups[0]!r}",
            mend=("by=… with at least two groups", "validation examples of your own"),
        )
    order = torch.randperm(len(members), generator=generator(seed, "groups"), device="cpu").tolist()
    names = list(members)
    taken = _nearest_sum([len(members[names[i]]) for i in order], count, len(groups))
    return _parts(len(groups), [row for i in taken for row in members[names[order[i]]]])


def of_each_class(classes: Sequence[Hashable], validation: float | int, seed: int) -> Parts:
    """Parts in which each class has its share, rounded by the method of the largest remainder.

    Every class has at least one example that trains, so a class with one example is not validated.

    Raises:
        DataError: no class has two examples, or as in `random_parts`.

    Example:
        >>> _, validation = of_each_class(["a"] * 6 + ["b"] * 3, 3, seed=0)
        >>> [i < 6 for i in validation.tolist()]
        [True, True, False]
    """
    n, members = len(classes), _members(classes)
    share = Fraction(_count(n, validation), n)
    shared = [rows for rows in members.values() if len(rows) > 1]
    if not shared:
        raise DataError(
            what="no class has two examples, so no class can both train and validate",
            where="stratify",
            got=f"{n:,} examples of {len(members):,} classes",
            mend="stratify=lambda row: …, which gives fewer classes, such as ranges of numbers",
        )
    exact = [share * len(rows) for rows in shared]
    counts = [int(quota) for quota in exact]
    left = max(round(sum(exact)), 1) - sum(counts)
    for i in sorted(range(len(shared)), key=lambda i: counts[i] - exact[i])[: max(left, 0)]:
        counts[i] += 1
    found: list[int] = []
    for place, (rows, quota) in enumerate(zip(shared, counts, strict=True)):
        order = torch.randperm(len(rows), generator=generator(seed, "class", place), device="cpu").tolist()
        found += [rows[i] for i in order[: min(quota, len(rows) - 1)]]
    return _parts(n, found)


def single_classes(classes: Sequence[Hashable]) -> list[Hashable]:
    """The classes that have one example."""
    return [name for name, rows in _members(classes).items() if len(rows) == 1]


def latest(times: Sequence[Any], validation: float | int) -> Parts:
    """Parts of which the later one validates. Examples of equal time stay together, so the size is the nearest one.

    Raises:
        DataError: all times are equal, an example without a time, times that cannot be compared, or as in
            `random_parts`.

    Example:
        >>> latest([2020, 2022, 2021, 2023], 1)[1].tolist()
        [3]
    """
    n, count = len(times), _count(len(times), validation)
    missing = next((i for i, time in enumerate(times) if time is None or bool(time != time)), None)
    if missing is not None:
        raise DataError(what="an example has no time", where=f"time, row {missing}", got=repr(times[missing]))
    try:
        order = sorted(range(n), key=times.__getitem__)
    except TypeError as error:
        raise DataError(
            what="the times cannot be compared",
            where="time",
            expected="numbers, dates or texts, all of one kind",
            got=str(error),
        ) from None
    sizes = [n - i for i in range(n - 1, 0, -1) if times[order[i - 1]] != times[order[i]]]  # ascending
    if not sizes:
        raise DataError(
            what="all examples have the same time, so none is later than the others",
            where="time",
            got=f"{n:,} examples of the time {times[0]!r}",
        )
    size = min(sizes, key=lambda size: abs(size - count))
    return _parts(n, order[n - size :])


def _members(names: Sequence[Hashable]) -> dict[Hashable, list[int]]:
    """The examples of each name, in the order in which the names come first."""
    found: dict[Hashable, list[int]] = {}
    for i, name in enumerate(names):
        found.setdefault(name, []).append(i)
    return found


def _parts(n: int, validation: list[int]) -> Parts:
    validates = torch.zeros(n, dtype=torch.bool, device="cpu")
    validates[torch.as_tensor(validation, dtype=torch.int64, device="cpu")] = True
    return (~validates).nonzero().flatten(), validates.nonzero().flatten()


def _nearest_sum(sizes: list[int], wanted: int, total: int) -> list[int]:
    """Which sizes to take so that their sum is as near to `wanted` as possible, but neither 0 nor `total`.

    Where there are too many sizes to try all sums, the first ones are taken while they fit, and the rest is made up
    from as many of those that follow as can be tried.
    """
    taken: list[int] = []
    start, most, largest = 0, len(sizes), max(sizes)
    if len(sizes) * (wanted + largest + 1) > BITS:
        while sizes[start] <= wanted:
            taken.append(start)
            wanted, start = wanted - sizes[start], start + 1
        most = start + max(BITS // (wanted + largest + 1), 1)
    rest = sizes[start:most]
    mask = (1 << (wanted + largest + 1)) - 1
    sums = [1]  # sums[k] has bit s if some of the last k sizes have the sum s
    for size in reversed(rest):
        sums.append((sums[-1] | sums[-1] << size) & mask)
    before = sum(sizes[i] for i in taken)
    near = (s for d in range(wanted + largest + 1) for s in (wanted - d, wanted + d))
    need = next(s for s in near if s >= 0 and 0 < before + s < total and sums[-1] >> s & 1)
    for i, size in enumerate(rest):
        if size <= need and sums[len(rest) - i - 1] >> (need - size) & 1:
            taken.append(start + i)
            need -= size
    return taken


def _count(n: int, validation: float | int) -> int:
    if n == 0:
        raise DataError(what="there is no data to split", where="validation", mend="give at least two examples")
    if n == 1:
        raise DataError(
            what="one example cannot both train and validate",
            where="validation",
            got=f"1 example, validation={validation!r}",
            mend=("give more examples", "validation=None, or examples of its own"),
        )
    if isinstance(validation, float | np.floating) and 0 < validation < 1:
        return min(max(round(n * float(validation)), 1), n - 1)
    whole = isinstance(validation, int | np.integer) and not isinstance(validation, bool)
    if whole and 1 <= validation < n:
        return int(validation)
    if whole and validation >= n:
        raise DataError(
            what="the validation part would leave nothing to train on",
            where="validation",
            expected=f"at most {n - 1:,} of {n:,} examples",
            got=f"{int(validation):,}",
            mend=(f"validation={max(n // 10, 1)}", "validation=0.1"),
        )
    raise DataError(
        what="validation is neither a fraction nor a count",
        where="validation",
        expected=f"a float between 0 and 1, or an int from 1 to {n - 1:,}",
        got=repr(validation),
        mend="validation=0.1",
    )
