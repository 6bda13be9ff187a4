"""A net is cut into blocks by its containers; the blocks in turn compute what the whole net computes."""

import torch

import netwright as nw
from netwright.models.transformer import encoder_block
from netwright.net.run.assemble import program_of
from netwright.training.engines.cut import SHARED, block_numbers, cut_into_blocks, owners_of


def net_of(blocks: int, *more: object) -> nw.Net:
    return nw.initialize(
        nw.with_loss(
            nw.Chain(*[encoder_block(8, 2) for _ in range(blocks)], *more, input="n 8", output=nw.Array("n 8")),
            nw.MSE(),
        ),
        seed=1,
    )


def sizes_of(net: nw.Net) -> dict[str, int]:
    return {path: array.numel() for path, array in net.held.arrays.items()}


def wanted_of(net: nw.Net) -> list[tuple[str, str]]:
    return [slot for _, slot in net.plan.wiring.outputs]


def test_a_block_of_a_deep_net_is_a_block_of_its_own() -> None:
    net = net_of(20)
    owners = owners_of(net.plan, wanted_of(net), sizes_of(net))
    assert set(owners.values()) == set(range(20))
    assert len({path.split("/")[1] for path, owner in owners.items() if owner == 7}) == 1


def test_a_large_part_is_cut_into_its_parts_and_small_neighbours_are_joined() -> None:
    net = net_of(2)
    owners = owners_of(net.plan, wanted_of(net), sizes_of(net))
    most = max(sum(size for path, size in sizes_of(net).items() if owners[path] == n) for n in range(len(owners)))
    assert most < sum(sizes_of(net).values()) / 4
    assert max(owners.values()) + 1 < len(owners)


def test_an_array_of_two_blocks_is_in_none() -> None:
    twice = nw.Shared("twice", nw.Linear(8, bias=False))
    net = net_of(1, twice, nw.tanh, nw.Linear(8), twice)
    owners = owners_of(net.plan, wanted_of(net), sizes_of(net))
    assert [path for path, owner in owners.items() if owner == SHARED] == ["@twice/weight"]


def test_a_net_of_which_every_array_is_used_twice_is_one_block() -> None:
    again = nw.Shared("again", nw.Linear(8))
    net = nw.initialize(nw.Chain(again, nw.tanh, again, input=8), seed=1)
    owners = owners_of(net.plan, wanted_of(net), sizes_of(net))
    assert {*owners.values()} == {SHARED}
    assert len(cut_into_blocks(net.plan, wanted_of(net), owners)) == len(block_numbers(owners)) == 1


def test_the_blocks_in_turn_compute_what_the_whole_net_computes() -> None:
    twice = nw.Shared("twice", nw.Linear(8))
    net = net_of(2, twice, nw.tanh, twice)
    draw = torch.Generator().manual_seed(0)
    given = {name: torch.randn(3, 5, 8, generator=draw) for name in net.plan.wiring.inputs}
    inner = dict(net.plan.wiring.values["net"])["output"]
    for wanted in ([*wanted_of(net)], [*wanted_of(net), inner]):
        values = {("", name): value for name, value in given.items()}
        cut = cut_into_blocks(net.plan, wanted, owners_of(net.plan, wanted_of(net), sizes_of(net)))
        for block in cut:
            bound = block.program.bind(net.held.arrays)
            values |= dict(zip(block.gives, bound({slot: values[slot] for slot in block.takes}), strict=True))
        whole = program_of(net.plan, wanted).bind(net.held.arrays)(given)
        for slot, value in zip(wanted, whole, strict=True):
            torch.testing.assert_close(values[slot], value, rtol=0, atol=0)
