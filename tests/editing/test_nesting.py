"""Nesting: parts go out of containers and into them; functions and memory stay, also of shared parts and programs."""

from typing import Any

import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import netwright as nw
from messages import message
from netwright.editing.rewrite import spots
from netwright.net.part import Net
from random_nets import WIDTH, nets

FEW = settings(max_examples=20, deadline=None)


def same(before: Net, after: Net) -> None:
    """One function, and the same arrays in the same memory, under other paths."""
    x = torch.randn(3, WIDTH, generator=torch.Generator().manual_seed(1))
    assert torch.equal(before(nw.batch(x)), after(nw.batch(x)))
    assert sorted(a.data_ptr() for a in before.held.arrays.values()) == sorted(
        a.data_ptr() for a in after.held.arrays.values()
    )
    assert after.held.arrays.keys() == after.plan.arrays.keys()


@FEW
@given(nets(), st.data())
def test_a_container_taken_apart_is_the_same_function(net: Net, data: st.DataObject) -> None:
    inner = [spot for spot in spots(net).values() if isinstance(spot.part, nw.Container)]
    assume(inner)
    spot = data.draw(st.sampled_from(inner))
    made = nw.flatten(net, data.draw(st.sampled_from(spot.paths)))
    same(net, made)
    assert sum(isinstance(one.part, nw.Container) for one in spots(made).values()) == len(inner) - 1 or made != net


@FEW
@given(nets(), st.data())
def test_nesting_some_parts_is_the_same_function_and_flattening_gives_them_back(net: Net, data: st.DataObject) -> None:
    path = data.draw(st.sampled_from(net.paths))
    parent = path.rpartition("/")[0]
    beside = [other for other in net.paths if other.rpartition("/")[0] == parent]
    last = beside[data.draw(st.integers(beside.index(path), len(beside) - 1))]
    places = {use: spot.place for spot in spots(net).values() for use in spot.paths}
    at, end = beside.index(path), beside.index(last) + 1
    within, outside = beside[at:end], [*beside[:at], *beside[end:]]
    shared = {other for other in beside if places[other].startswith("@") and places[other].count("/") == 0}
    assume(not {places[one] for one in within if one not in shared} & {places[one] for one in outside})
    made = nw.nest(net, path, last, "nested")
    same(net, made)
    assert (f"{parent}/nested" if parent else "nested") in made.paths
    if all(len(spot.paths) == 1 for spot in spots(net).values()):
        assert nw.flatten(made, f"{parent}/nested" if parent else "nested") == net


@FEW
@given(nets(), st.data())
def test_a_wrapped_part_keeps_its_arrays(net: Net, data: st.DataObject) -> None:
    kinds = (nw.Linear, nw.Elementwise, nw.LayerNorm, nw.Residual, nw.Repeat)  # of one input and one output
    path = data.draw(st.sampled_from([path for path in net.paths if isinstance(net[path], kinds)]))
    same(net, nw.wrap(net, path, lambda part: nw.Chain(part)))


def test_parts_of_a_shared_container_are_shared_themselves() -> None:
    block = nw.Shared("block", nw.Chain(nw.Linear(4), nw.relu, nw.Shared("own", nw.Linear(4))))
    net = nw.initialize(nw.Chain(block, nw.Residual(block), input=4))
    made = nw.flatten(net, "chain1")
    assert made.paths == (
        "linear1", "relu1", "linear2",
        "residual1/linear1", "residual1/relu1", "residual1/linear2", "residual1/add", "residual1",
    )  # fmt: skip
    assert {*made.arrays} == {"@block_linear1/weight", "@block_linear1/bias", "@own/weight", "@own/bias"}
    same(net, made)


def test_a_part_of_a_program_that_is_called_twice_stays_one_part() -> None:
    @nw.program(input=4)
    def twice(x: Any, block: Any = nw.Chain(nw.Linear(4), nw.tanh)) -> Any:  # noqa: B008
        return block(nw.relu(block(x)))

    net = nw.initialize(twice)
    made = nw.flatten(net, "block_2")
    assert {*made.arrays} == {"linear1/weight", "linear1/bias"}
    same(net, made)
    wrapped = nw.wrap(net, "block", nw.Residual)
    assert {*wrapped.arrays} == {"block/body/linear1/weight", "block/body/linear1/bias"}
    assert message(nw.nest, net, "block", "relu1", "half") == (
        "block_2 has the arrays of a part between block and relu1, and would stay outside\n  where:    nest\n"
        "  mend:     nw.Shared(name, part) for that part: a shared part may stand anywhere"
    )


def test_states_and_several_outputs_are_kept() -> None:
    net = nw.initialize(nw.Chain(nw.Chain(nw.LSTM(4), nw.Dropout(0.1)), nw.Last(), nw.Linear(2), input=("n", 3)))
    made = nw.flatten(net, "chain1")
    assert made.paths == ("lstm1", "dropout1", "last1", "linear1")
    assert nw.flatten(nw.nest(made, "lstm1", "dropout1", "chain1"), "chain1") == made
    assert nw.nest(made, "lstm1", "dropout1", "chain1") == net
    ends = nw.initialize(nw.Graph(both=(nw.Parallel(a=nw.Linear(2), b=nw.Linear(3)), "input"), input=4))
    flat = nw.flatten(ends, "both")
    assert flat.plan.outputs == {"a": (2,), "b": (3,)}
    assert nw.nest(flat, "a", "b", "both").plan.outputs == {"a": (2,), "b": (3,)}


def test_what_is_done_for_every_element_can_be_taken_apart_within() -> None:
    net = nw.initialize(nw.Chain(nw.Map(nw.Chain(nw.Chain(nw.Linear(2)), nw.relu)), input=("n", 3)))
    assert nw.flatten(net, "map1/body/chain1").paths == ("map1/body/linear1", "map1/body/relu1", "map1/body", "map1")


NET = nw.Chain(nw.Linear(4), nw.Chain(nw.Linear(4), nw.relu), nw.Map(nw.relu), input=("n", 4))
TIED = nw.Chain(
    nw.Shared("a", nw.Chain(nw.Linear(4), nw.relu)), nw.Shared("a", nw.Chain(nw.Linear(4), nw.tanh)), input=4
)
WRONG: list[tuple[Any, str]] = [
    (
        lambda: nw.flatten(NET, "chian1"),
        "no part of this net has the path 'chian1'\n  mend:     did you mean 'chain1'?",
    ),
    (lambda: nw.flatten(NET, "linear1"), "a Linear has no parts to take out\n  where:    linear1"),
    (
        lambda: nw.flatten(NET, "map1"),
        "a Map does its part for every element, which nothing would do without it\n  where:    map1",
    ),
    (
        lambda: nw.flatten(TIED, "chain1"),
        "its arrays are also those of chain2, another part of the shared name 'a'\n  where:    chain1\n"
        "  mend:     nw.flatten(net.replace('chain1', part), 'chain1'), with a part that is not shared",
    ),
    (
        lambda: nw.nest(NET, "linear1", "chain1/relu1", "a"),
        "parts of two containers cannot become one part\n  where:    linear1, chain1/relu1",
    ),
    (
        lambda: nw.nest(NET, "chain1", "linear1", "a"),
        "chain1 runs behind linear1\n  where:    nest\n  mend:     nw.nest(net, 'linear1', 'chain1', …)",
    ),
    (
        lambda: nw.nest(NET, "linear1", "chain1", "map1"),
        "the name 'map1' is taken\n  where:    nest\n  expected: none of map1, input",
    ),
    (
        lambda: nw.wrap(NET, "linear1", lambda part: nw.relu),
        "what wraps a part has to keep it, with its arrays\n  where:    wrap, linear1\n"
        "  expected: a container with the part in it, such as nw.Residual gives\n  got:      relu",
    ),
]


@pytest.mark.parametrize(("make", "text"), WRONG, ids=map(str, range(len(WRONG))))
def test_what_cannot_be_moved_is_refused(make: Any, text: str) -> None:
    assert message(make) == text
