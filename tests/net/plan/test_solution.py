"""A solution answers with sizes as far as they follow."""

import netwright as nw


def test_sizes_of_values_names_and_arrays() -> None:
    plan = nw.Chain(nw.Conv(4, 3), nw.relu, input=(8, 7, 2)).plan
    op = plan.wiring.leaves[0]
    assert plan.solution.shape(("conv1", "output")) == (6, 5, 4)
    assert plan.solution.sizes(op)["in"] == 2
    assert plan.solution.array_shape(op, "weight") == (4, 2, 3, 3)


def test_a_value_that_is_passed_on_is_what_an_index_is_below() -> None:
    solution = nw.Chain(nw.Reverse(), nw.Embedding(3), input="n <5>").plan.solution
    assert solution.below(("reverse1", "output")) == 5
    assert solution.below(("embedding1", "output")) is None
