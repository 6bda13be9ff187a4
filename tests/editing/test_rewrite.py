"""Many edits in one pass: places, shared parts once, arrays in the same memory, errors with the whole path."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import netwright as nw
from messages import message
from netwright.editing.rewrite import spots, with_edits
from netwright.errors import NetError
from netwright.net.part import Net
from random_nets import WIDTH, nets

FEW = settings(max_examples=15, deadline=None)


def same_memory(before: Net, after: Net) -> None:
    """Every array that both nets hold is one piece of memory."""
    for path, array in after.held.arrays.items():
        if path in before.held.arrays:
            assert array.data_ptr() == before.held.arrays[path].data_ptr(), path


@FEW
@given(nets())
def test_every_path_of_a_net_is_a_use_of_one_place(net: Net) -> None:
    found = spots(net)
    paths = [path for spot in found.values() for path in spot.paths]
    assert sorted(paths) == sorted(net.paths)
    kept = {path.rpartition("/")[0] for path in net.arrays}
    assert kept <= found.keys()


@FEW
@given(nets())
def test_the_identity_of_every_part_is_the_same_net(net: Net) -> None:
    made, put = with_edits(net, {place: lambda part: part for place in spots(net)})
    assert made == net
    assert nw.digest(made) == nw.digest(net)
    assert not put
    same_memory(net, made)


@FEW
@given(nets(), st.data())
def test_a_part_that_is_used_several_times_is_edited_once_and_stays_one_part(net: Net, data: st.DataObject) -> None:
    free = [spot for spot in spots(net).values() if isinstance(spot.part, nw.Linear | nw.Elementwise | nw.LayerNorm)]
    spot = data.draw(st.sampled_from(free))
    asked: list[Net] = []

    def edit(part: Net) -> Net:
        asked.append(part)
        return nw.Linear(WIDTH, bias=False)

    made, _ = with_edits(net, {spot.place: edit})
    assert len(asked) == 1
    kept = [path for path in net.arrays if path.startswith(f"{spot.place}/")]
    assert {*asked[0].arrays} == {path[len(spot.place) + 1 :] for path in kept}
    again = next(one for one in spots(made).values() if spot.path in one.paths)
    assert again.paths == spot.paths
    assert made.plan.outputs == {"output": (WIDTH,)}
    same_memory(net, made)


def test_an_edit_within_a_shared_container_reaches_all_its_uses() -> None:
    block = nw.Shared("block", nw.Chain(nw.Linear(4), nw.relu))
    net = nw.initialize(nw.Chain(block, nw.tanh, block, input=4))
    made, _ = with_edits(net, {"@block/relu1": lambda _: nw.gelu})
    assert [made[path] for path in ("chain1/relu1", "chain2/relu1")] == [nw.gelu, nw.gelu]
    assert [*made.arrays] == [*net.arrays]
    same_memory(net, made)


def test_a_part_that_shares_its_arrays_with_another_gives_way_to_one_with_arrays_of_its_own() -> None:
    head = nw.Shared("w", nw.Linear(bias=False))
    net = nw.initialize(nw.Chain(nw.Shared("w", nw.Embedding(4)), nw.Parallel(head, head), input="n <9>"))
    spot = next(spot for spot in spots(net).values() if isinstance(spot.part, nw.Linear))
    new = nw.initialize(nw.Chain(nw.Linear(9), input=4)).with_input(None)["linear1"]
    made, _ = with_edits(net, {spot.key: lambda _: new})
    assert {*made.arrays} == {"@w/weight"} | {f"{path}/{name}" for path in spot.paths for name in ("weight", "bias")}
    assert all(made.held.arrays[f"{path}/bias"].data_ptr() == new.held.arrays["bias"].data_ptr() for path in spot.paths)
    same_memory(net, made)


def test_all_edits_are_made_at_once_so_sizes_fit_at_the_end_only() -> None:
    net = nw.Chain(nw.Linear(4), nw.Residual(nw.Linear(4)), input=3)
    wide: Any = lambda _: nw.Linear(6)  # noqa: E731
    made, _ = with_edits(net, {"linear1": wide, "residual1/body": wide})
    assert made.plan.outputs == {"output": (6,)}
    assert net.plan.outputs == {"output": (4,)}


def test_parts_are_removed_together_and_what_is_left_reads_on() -> None:
    net = nw.initialize(nw.Chain(nw.Linear(4), nw.relu, nw.Linear(5), nw.tanh, nw.Linear(4), input=4))
    made, _ = with_edits(net, {"relu1": None, "linear2": None, "tanh1": None})
    assert made.paths == ("linear1", "linear3")
    assert {*made.arrays} == {"linear1/weight", "linear1/bias", "linear3/bias"}  # the other does not fit any more
    twice = nw.Chain(nw.Repeat(2, nw.Residual([nw.Linear(4), nw.relu])), input=4)
    both = {place: None for place in spots(twice) if place.endswith("relu1")}
    assert with_edits(twice, both)[0] == nw.Chain(nw.Repeat(2, nw.Residual(nw.Chain(nw.Linear(4)))), input=4)


def test_a_fault_deep_inside_is_told_with_its_path() -> None:
    net = nw.Chain(body=nw.Chain(nw.Linear(4)), head=nw.Linear(2), input=3)
    assert message(with_edits, net, {"body/linear1": None}) == (
        "a net of no parts is no net\n  where:    body, linear1\n  mend:     net.replace('linear1', part)"
    )


def test_a_part_with_an_encoder_of_its_own_scale_is_refused_inside_too() -> None:
    net = nw.Chain(nw.Chain(nw.Linear(2), nw.relu), input=2)
    trained = nw.initialize(nw.Chain(nw.Linear(2), input=nw.Vector(2, mean=(1.0, 2.0), deviation=(3.0, 4.0))))
    with pytest.raises(NetError, match="reads values that its encoder standardized"):
        with_edits(net, {"chain1/relu1": lambda _: trained})
