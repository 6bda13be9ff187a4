"""Summary, mends and the choices of training count by the same rules: what a net costs before it runs."""

from collections.abc import Mapping

import pytest
import torch
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

import netwright as nw
from net.families import BATCH, FAMILIES, Family, examples
from netwright.layers.fold import Map
from netwright.net.cost import (
    bytes_of_arrays,
    multiply_adds,
    multiply_adds_each,
    parameters,
    step_multiply_adds,
)
from netwright.net.run.assemble import program_of

CASES = [(family, lengths) for family in FAMILIES for lengths in family.lengths]
NAMES = [f"{family.name} {dict(lengths) or ''}".strip() for family, lengths in CASES]
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


def test_multiply_adds_of_a_net() -> None:
    plan = nw.Chain(nw.Conv(20, 5), nw.relu, nw.Flatten(), nw.Linear(10), input=(28, 28, 1)).plan
    assert multiply_adds(plan) == 24 * 24 * 20 * 25 + 24 * 24 * 20 * 10


def test_multiply_adds_grow_with_the_length() -> None:
    plan = nw.Chain(nw.Conv(4, 3), nw.relu, nw.Linear(5), input=("n", 2)).plan
    assert multiply_adds(plan) == 0
    assert multiply_adds(plan, {"n": 12}) == 10 * 4 * 2 * 3 + 10 * 4 * 5


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


def test_what_multiplies_is_counted_by_part() -> None:
    plan = nw.Chain(nw.Linear(4), nw.relu, nw.BatchNorm(), nw.Linear(5), input=3).plan
    assert multiply_adds_each(plan) == [3 * 4, 4 * 5]
    assert multiply_adds_each(nw.Chain(nw.relu, input=3).plan) == []


@pytest.mark.filterwarnings("ignore:TF32 acceleration")  # torch says so wherever oneDNN is switched off
@pytest.mark.parametrize(("family", "lengths"), CASES, ids=NAMES)
def test_multiply_adds_are_those_that_torch_counts(family: Family, lengths: Mapping[str, int]) -> None:
    net = nw.initialize(family.net, seed=0)
    x = examples(net, lengths)
    bound = program_of(net.plan, [slot for _, slot in net.plan.wiring.outputs]).bind(net.arrays)
    counter = FlopCounterMode(display=False)
    # the kernels in which it sees no products are left out: attention and the LSTM are then products step by step
    with torch.no_grad(), sdpa_kernel(SDPBackend.MATH), torch.backends.mkldnn.flags(enabled=False), counter:
        bound(x)
    assert counter.get_total_flops() == 2 * BATCH * multiply_adds(net.plan, lengths)
