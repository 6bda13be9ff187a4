"""Numbers that fit input ports, and the sizes that lengths must not make empty."""

import torch

import netwright as nw
from netwright.net.draws import all_shapes, are_known, drawn_input, index_limit, input_shapes, varying_sizes
from netwright.seeds import generator_of


def test_sizes_that_vary_are_those_of_inputs_values_and_arithmetic() -> None:
    net = nw.Chain(nw.Conv(2, 5), nw.MaxPool(2), input=("n", 3))
    assert {str(size) for size in varying_sizes(net.plan)} >= {"n", "n - 4"}
    assert varying_sizes(nw.Chain(nw.relu, input=3).plan) == []


def test_shapes_are_known_if_they_are_numbers_and_names() -> None:
    assert are_known(all_shapes(nw.Chain(nw.Linear(2), input=("n", 3)).plan))
    assert not are_known(input_shapes(nw.Chain(nw.relu).plan))
    assert not are_known(input_shapes(nw.Chain(nw.Linear(2)).plan))
    assert not are_known(input_shapes(nw.Chain(nw.Embedding(2), input=nw.Array("n <?>")).plan))


def test_indices_are_below_their_limit() -> None:
    plan = nw.Chain(nw.Embedding(2), input=nw.Array("n <9>")).plan
    assert index_limit(plan, "input", {"n": 4}) == 9
    assert index_limit(nw.Chain(nw.relu, input=3).plan, "input", {}) is None
    drawn = drawn_input((50, 4), 9, generator_of(0))
    assert drawn.dtype == torch.int64 and set(drawn.flatten().tolist()) == {*range(9)}


def test_numbers_spread_as_asked_and_may_all_be_above_zero() -> None:
    wide = drawn_input((1000,), None, generator_of(0), spread=100)
    assert 80 < float(wide.std()) < 120 and wide.dtype == torch.float64
    positive = drawn_input((1000,), None, generator_of(0), positive=True)
    assert float(positive.min()) > 0.04 and float(positive.max()) < 0.96
