"""Shares of several processes are together the whole arrays, and the state of an optimizer is that of one process."""

import torch
from torch import Tensor

from netwright.training.engines.shards import Shards, SharedUpdate
from netwright.training.optimizers import Adam, FlatGroup
from netwright.training.processes.group import Group

SHAPES = {"a": (3, 5), "b": (7,), "c": (4, 2, 3, 3), "d": ()}
BLOCKS = {"a": 1, "b": 0, "c": 1, "d": -1}


class One(Group):
    """One of three processes; what the others hold is known."""

    size = 3

    def __init__(self, rank: int, others: list[Tensor]) -> None:
        self.rank, self.others = rank, others

    def whole(self, share: Tensor) -> Tensor:
        own = {buffer.untyped_storage().data_ptr(): buffer for buffer in self.others}
        begin = share.storage_offset()
        assert share.untyped_storage().data_ptr() in own
        return torch.cat([buffer[begin : begin + len(share)] for buffer in self.others])


def three() -> tuple[list[Shards], list[Tensor], dict[str, Tensor]]:
    draw = torch.Generator().manual_seed(0)
    arrays = {path: torch.randn(shape, generator=draw) for path, shape in SHAPES.items()}
    buffers: list[Tensor] = []
    shards = [Shards.of(BLOCKS, SHAPES, One(rank, buffers)) for rank in range(3)]
    buffers += [torch.zeros(one.size) for one in shards]
    for one, buffer in zip(shards, buffers, strict=True):
        one.fill(buffer, arrays)
    return shards, buffers, arrays


def test_shares_are_together_the_whole_arrays() -> None:
    shards, buffers, arrays = three()
    assert [piece.block for piece in shards[0].pieces] == [-1, 0, 1]
    assert all(len(own) % 32 == 0 for own in shards[0].own(buffers[0]))
    for one, buffer in zip(shards, buffers, strict=True):
        found = one.arrays(buffer)
        assert [*found] == [*arrays]
        assert all(torch.equal(found[path], array) for path, array in arrays.items())
        assert torch.equal(one.share(one.whole(buffer)), buffer)


def test_the_places_of_arrays_are_in_the_share() -> None:
    shards, buffers, arrays = three()
    for wanted in (["a"], ["c", "d"], ["b"]):
        found: list[Tensor] = []
        for one, buffer in zip(shards, buffers, strict=True):
            found += [buffer[place].clone() for place in one.places(wanted)]
            for place in one.places(wanted):
                buffer[place] = 0
        assert sum(map(len, found)) == sum(arrays[path].numel() for path in wanted)
        left = shards[0].arrays(buffers[0])
        assert {path for path, array in left.items() if not array.any()} >= {*wanted}
        assert all(torch.equal(array, arrays[path]) for path, array in left.items() if array.any())


def test_the_state_of_an_update_is_kept_as_that_of_one_process() -> None:
    shards, buffers, _ = three()
    first = shards[0]
    whole = first.whole(buffers[0])
    alone = Adam().bind(FlatGroup(whole.clone(), whole.sin(), []))
    alone(0.01)
    update = SharedUpdate(Adam().bind(FlatGroup(buffers[0], buffers[0].sin(), [])), first)
    state = alone.state()
    assert update.fits(state)
    update.restore(state)
    assert torch.equal(update.update.state().arrays["mean"], first.share(state.arrays["mean"]))
    assert float(update.update.state().arrays["count"]) == 1
    assert not update.fits(Adam().bind(FlatGroup(torch.zeros(9), torch.zeros(9), [])).state())
