"""The plan: made once, with the sizes, arrays and steps of a net."""

import netwright as nw
from netwright.codecs.array import Array
from netwright.net.plan.plan import plan_of, plan_with
from netwright.once import KEPT


def test_a_plan_is_made_once_and_says_everything() -> None:
    net = nw.Chain(nw.Conv(4, 3), nw.relu, nw.Flatten(), nw.Linear(), input=(6, 6, 1), output=2)
    plan = plan_of(net)
    assert plan_of(net) is plan is net.plan
    assert [step.path for step in plan.steps] == ["conv1", "relu1", "flatten1", "linear1"]
    assert {path: spec.known for path, spec in plan.arrays.items()} == {
        "conv1/weight": (4, 1, 3, 3),
        "conv1/bias": (4,),
        "linear1/weight": (2, 64),
        "linear1/bias": (2,),
    }
    assert plan.shape(("flatten1", "output")) == (64,)
    assert (plan.inputs, plan.outputs) == ({"input": (6, 6, 1)}, {"output": (2,)})
    assert plan.value("relu1") == (("output", ("relu1", "output")),)
    assert plan.value("relu2") is None


def test_arrays_that_are_shared_know_all_their_users() -> None:
    part = nw.Shared("same", nw.Linear(3, bias=False))
    plan = nw.Chain(part, nw.relu, part, input=3).plan
    assert {path: spec.users for path, spec in plan.arrays.items()} == {"@same/weight": ("linear1", "linear2")}


def test_plans_for_other_sizes_are_kept_up_to_a_number() -> None:
    net = nw.Chain(nw.relu)
    first = plan_with(net, {"input": Array("1")})
    assert plan_with(net, {"input": Array("1")}) is first
    for size in range(2, KEPT + 2):
        plan_with(net, {"input": Array(str(size))})
    again = plan_with(net, {"input": Array("1")})
    assert again is not first  # it gave way
    assert again.outputs == first.outputs == {"output": (1,)}


def test_what_an_index_is_below() -> None:
    plan = nw.Chain(nw.Embedding(4), input="n <50>").plan
    assert plan.below(("", "input")) == 50
    assert plan.below(("embedding1", "output")) is None
