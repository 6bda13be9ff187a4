"""A snapshot reaches every process as the first one read it."""

import torch
from torch import Tensor

from netwright.training.processes.group import Group
from netwright.training.processes.spread import spread_snapshot
from netwright.training.snapshot import Snapshot

SENT = Snapshot({"a": torch.arange(6.0).view(2, 3), "n": torch.tensor(7)}, {"step": 3, "run": {"x": [1, None]}})


class Second(Group):
    """A process that hears what the first one says, in order."""

    rank, size = 1, 2

    def __init__(self, said: list[object], arrays: list[Tensor]) -> None:
        self.said, self.arrays = said, arrays

    def agreed(self, value):
        return self.said.pop(0)

    def spread(self, arrays) -> None:
        for array, sent in zip(arrays, self.arrays, strict=True):
            assert array.dtype == sent.dtype
            array.copy_(sent)


class First(Group):
    """The first process, whose words are kept."""

    size = 2

    def __init__(self) -> None:
        self.said: list[object] = []
        self.arrays: list[Tensor] = []

    def agreed(self, value):
        self.said.append(value)
        return value

    def spread(self, arrays) -> None:
        self.arrays += arrays


def test_what_the_first_process_read_is_what_the_second_one_has() -> None:
    first = First()
    assert spread_snapshot(first, SENT) is not None
    found = spread_snapshot(Second(first.said, first.arrays), None)
    assert found is not None
    assert found.plain == SENT.plain
    assert {name: array.tolist() for name, array in found.arrays.items()} == {
        name: array.tolist() for name, array in SENT.arrays.items()
    }


def test_no_snapshot_is_none_everywhere() -> None:
    first = First()
    assert spread_snapshot(first, None) is None
    assert spread_snapshot(Second(first.said, first.arrays), SENT) is None
