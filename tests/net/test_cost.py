"""Summary, mends and the choices of training count by the same rules: what a net costs before it runs."""

import torch

import netwright as nw
from netwright.layers.fold import Map
from netwright.net.cost import (
    activation_bytes,
    bytes_of_arrays,
    multiply_adds,
    multiply_adds_each,
    parameters,
    step_multiply_adds,
)

SHARED = nw.Shared("layer", nw.Linear(3))


def test_parameters_are_learned_numbers_and_shared_ones_count_once() -> None:
    plan = nw.Chain(SHARED, nw.BatchNorm(), SHARED, input=3).plan
    assert parameters(plan.arrays.values()) == 3 * 3 + 3 + 3 + 3
    assert bytes_of_arrays(plan.arrays.values(), {}) == 4 * (3 * 3 + 3 + 4 * 3)
    assert parameters(nw.Chain(nw.Linear(2)).plan.arrays.values()) is None
    assert bytes_of_arrays(nw.Chain(nw.Linear(2)).plan.arrays.values(), {}) is None


def test_bytes_of_arrays_that_exist_are_their_own() -> None:
    net = nw.initialize(nw.Chain(nw.Linear(3), input=2), seed=0).to(dtype=torch.float64)
    assert bytes_of_arrays(net.plan.arrays.values(), net.arrays) == 8 * (3 * 2 + 3)


def test_multiply_adds_and_activations_of_a_net() -> None:
    plan = nw.Chain(nw.Conv(20, 5), nw.relu, nw.Flatten(), nw.Linear(10), input=(28, 28, 1)).plan
    assert multiply_adds(plan) == 24 * 24 * 20 * 25 + 24 * 24 * 20 * 10
    assert activation_bytes(plan) == 8 * (3 * 24 * 24 * 20 + 10)


def test_multiply_adds_and_activations_grow_with_the_length() -> None:
    plan = nw.Chain(nw.Conv(4, 3), nw.relu, nw.Linear(5), input=("n", 2)).plan
    assert (multiply_adds(plan), activation_bytes(plan)) == (0, 0)
    assert multiply_adds(plan, {"n": 12}) == 10 * 4 * 2 * 3 + 10 * 4 * 5
    assert activation_bytes(plan, {"n": 12}) == 8 * 10 * (4 + 4 + 5)


def test_looking_up_an_index_multiplies_nothing() -> None:
    plan = nw.Chain(nw.Embedding(8), nw.Linear(5), input=nw.Array("n <1000>")).plan
    assert multiply_adds(plan, {"n": 3}) == 3 * 8 * 5


def test_segments_are_added_where_nothing_feeds_them_too() -> None:
    assert multiply_adds(nw.Chain(nw.Segments(2), nw.Linear(5), input=(3, 8)).plan) == 3 * 8 * 5


def test_positions_are_added_and_attention_multiplies() -> None:
    net = nw.Chain(nw.Positions(10), nw.self_attention(8, 2), nw.Linear(4), input=(10, 8))
    four_layers, scores_and_means, linear = 4 * 10 * 8 * 8, 2 * 10 * 10 * 8, 10 * 8 * 4
    assert multiply_adds(net.plan) == four_layers + scores_and_means + linear
    assert nw.summary(net).multiply_adds == multiply_adds(net.plan)
    assert step_multiply_adds(net.plan, net.plan.steps[0]) == 0


def test_a_recurrent_leaf_multiplies_its_input_and_its_state() -> None:
    assert multiply_adds(nw.Chain(nw.GRU(5), input=(7, 2)).plan) == 7 * 3 * (5 * 2 + 5 * 5)


def test_what_is_done_for_every_element_counts_so_many_times() -> None:
    plan = nw.Chain(Map(nw.Linear(5)), input=("n", 2)).plan
    assert (multiply_adds(plan, {"n": 7}), multiply_adds(plan, {"n": 14})) == (7 * 10, 14 * 10)
    assert (activation_bytes(plan, {"n": 7}), activation_bytes(plan, {"n": 14})) == (8 * 7 * 5, 8 * 14 * 5)


def test_what_multiplies_is_counted_by_part() -> None:
    plan = nw.Chain(nw.Linear(4), nw.relu, nw.BatchNorm(), nw.Linear(5), input=3).plan
    assert multiply_adds_each(plan) == [3 * 4, 4 * 5]
    assert multiply_adds_each(nw.Chain(nw.relu, input=3).plan) == []
