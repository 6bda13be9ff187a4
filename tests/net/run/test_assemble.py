"""The program of a plan: what is needed, and how what is done for every element is cut."""

import torch

import netwright as nw
from netwright.net.apply import whole_program
from netwright.net.plan.plan import plan_of
from netwright.net.run.assemble import program_of
from netwright.net.run.execute import Program
from netwright.net.run.per_element import ElementLoop


def paths(part: Program) -> list[str]:
    return [instruction.path for instruction in part.instructions]


def fold() -> nw.Net:
    body = nw.Graph(
        wide=(nw.Linear(6), "input"), fixed=(nw.Linear(5), "memory"),
        join=(nw.Concatenate(), "wide", "state", "fixed"), linear=(nw.Linear(2), "join"), next=(nw.tanh, "linear"),
        head=(nw.Linear(4), "next"), input={"input": 3, "state": 2, "memory": 5},
        outputs={"output": "head", "next": "next"},
    )  # fmt: skip
    return nw.Fold(body, carry={"next": "state"}, whole="memory")


def test_a_fold_is_cut_into_what_can_be_done_at_once() -> None:
    built = whole_program(fold())
    assert paths(built) == ["body/fixed", "fold"]
    elements = built.instructions[1]
    assert isinstance(elements, ElementLoop)
    assert paths(elements.before.program) == ["body/wide"]
    assert paths(elements.loop.program) == ["body/join", "body/linear", "body/next"]
    assert paths(elements.after.program) == ["body/head"]


def test_a_map_is_rows_alone() -> None:
    elements = whole_program(nw.Map([nw.Linear(2), nw.tanh], input=("n", 3))).instructions[0]
    assert isinstance(elements, ElementLoop)
    assert paths(elements.before.program) == ["body/linear1", "body/tanh1"]
    assert paths(elements.loop.program) == paths(elements.after.program) == []


def test_only_what_is_asked_is_done() -> None:
    net = nw.Chain(nw.Map([nw.Linear(2), nw.tanh, nw.Linear(4)]), nw.relu, input=("n", 3))
    built = program_of(plan_of(net), [("map1/body/tanh1", "output")])
    assert paths(built) == ["map1"]
    elements = built.instructions[0]
    assert isinstance(elements, ElementLoop)
    assert paths(elements.before.program) == ["map1/body/linear1", "map1/body/tanh1"]


def test_states_alone_and_values_alone() -> None:
    net = nw.initialize(fold())
    x, memory = torch.randn(2, 4, 3), torch.randn(2, 5)
    everything = nw.apply(net, {}, {"input": x, "memory": memory})
    for name, slot in plan_of(net).wiring.outputs:
        bound = program_of(plan_of(net), [slot]).bind(net.held.arrays)
        (value,) = bound({"input": x, "memory": memory})
        torch.testing.assert_close(value, everything[name])


def test_an_optional_port_takes_the_quick_way_where_nothing_varies() -> None:
    fixed = whole_program(nw.Chain(nw.Mean(0), input=(4, 3))).instructions[0]
    varying = whole_program(nw.Chain(nw.Mean(0), input=("n", 3))).instructions[0]
    assert fixed.ready(padded=True) is not None
    assert varying.ready(padded=True) is None
    assert varying.ready(padded=False) is not None


def test_a_value_asked_for_inside_is_there() -> None:
    net = nw.initialize(nw.Chain(nw.Fold(nw.GRUCell(4)), input=("n", 3)))
    x = torch.randn(5, 3)
    torch.testing.assert_close(net(x, at="fold1/body"), net(x, at="fold1.output"))
    changed = net(x, set={"fold1/body": torch.zeros_like})
    assert not (changed["output"] if isinstance(changed, dict) else changed).any()
