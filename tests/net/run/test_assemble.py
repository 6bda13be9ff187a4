"""The program of a plan: what is needed, what is dead, and how what is done for every element is cut."""

import pytest
import torch
from torch import Tensor

import netwright as nw
from netwright.net.plan.plan import plan_of
from netwright.net.run.apply import whole_program
from netwright.net.run.assemble import program
from netwright.net.run.elements import Elements
from netwright.net.run.execute import Instruction, Program
from netwright.net.run.told import Circumstances


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
    assert isinstance(elements, Elements)
    assert paths(elements.before.program) == ["body/wide"]
    assert paths(elements.loop.program) == ["body/join", "body/linear", "body/next"]
    assert paths(elements.after.program) == ["body/head"]


def test_a_map_is_rows_alone() -> None:
    elements = whole_program(nw.Map([nw.Linear(2), nw.tanh], input=("n", 3))).instructions[0]
    assert isinstance(elements, Elements)
    assert paths(elements.before.program) == ["body/linear1", "body/tanh1"]
    assert paths(elements.loop.program) == paths(elements.after.program) == []


def test_only_what_is_asked_is_done() -> None:
    net = nw.Chain(nw.Map([nw.Linear(2), nw.tanh, nw.Linear(4)]), nw.relu, input=("n", 3))
    built = program(plan_of(net), [("map1/body/tanh1", "output")])
    assert paths(built) == ["map1"]
    elements = built.instructions[0]
    assert isinstance(elements, Elements)
    assert paths(elements.before.program) == ["map1/body/linear1", "map1/body/tanh1"]


def test_states_alone_and_values_alone() -> None:
    net = nw.initialize(fold())
    x, memory = torch.randn(2, 4, 3), torch.randn(2, 5)
    everything = nw.apply(net, {}, {"input": x, "memory": memory})
    for name, slot in plan_of(net).wiring.outputs:
        bound = program(plan_of(net), [slot]).bind(net.held.arrays)
        (value,) = bound({"input": x, "memory": memory})
        torch.testing.assert_close(value, everything[name])


def test_an_optional_port_takes_the_quick_way_where_nothing_varies() -> None:
    fixed = whole_program(nw.Chain(nw.Mean(0), input=(4, 3))).instructions[0]
    varying = whole_program(nw.Chain(nw.Mean(0), input=("n", 3))).instructions[0]
    assert fixed.ready(padded=True) is not None
    assert varying.ready(padded=True) is None
    assert varying.ready(padded=False) is not None


CELLS = {
    "GRU": (nw.GRUCell(4), nw.GRU(4)),
    "LSTM": (nw.LSTMCell(4), nw.LSTM(4)),
    "RNN": (nw.RNNCell(4), nw.RNN(4)),
    "RNN with ReLU": (nw.RNNCell(4, activation="relu"), nw.RNN(4, activation="relu")),
}


def leaves(built: Program) -> list[nw.Leaf | None]:
    return [i.leaf if isinstance(i, Instruction) else None for i in built.instructions]


def named() -> nw.Net:
    """A cell whose ports are called otherwise from outside."""
    x, past, c = nw.Input("x", 3), nw.Input("past", 4), nw.Input("c", 4)
    made = nw.LSTMCell(4)(x, past, c)
    return nw.Fold(nw.Graph({"now": made["hidden"], "c": made["cell"]}), carry={"now": "past", "c": "c"})


@pytest.mark.parametrize("name", CELLS)
def test_a_cell_alone_in_a_fold_is_its_leaf(name: str) -> None:
    cell, leaf = CELLS[name]
    for net in (nw.Chain(nw.Fold(cell), input=("n", 3)), nw.Chain(nw.Fold(nw.Chain(cell)), input=("n", 3))):
        assert [repr(made) for made in leaves(whole_program(net))] == [repr(leaf)]
    assert [repr(made) for made in leaves(whole_program(nw.Map(nw.Fold(cell), input="n m 3")))] == ["None"]


@pytest.mark.parametrize("lengths", [None, [2, 5, 1]])
@pytest.mark.parametrize("given", [False, True])
@pytest.mark.parametrize("name", [*CELLS, "named"])
def test_the_leaf_gives_what_the_steps_give(name: str, given: bool, lengths: list[int] | None) -> None:
    net = named() if name == "named" else nw.Fold(CELLS[name][0])
    states = [port for port in net.optional_names if given]
    net = nw.initialize(net.with_input({net.input_names[0]: ("n", 3)})).to(dtype=torch.float64)
    torch.manual_seed(0)
    x = torch.randn(3, 5, 3, dtype=torch.float64)
    inputs = {net.input_names[0]: x, **{state: torch.randn(3, 4, dtype=torch.float64) for state in states}}
    slots = [slot for _, slot in plan_of(net).wiring.outputs]
    inside = next(slot for step in plan_of(net).steps if step.arrays for slot in step.writes)
    quick, slow = program(plan_of(net), slots), program(plan_of(net), slots, keep=[inside])
    assert [None in leaves(built) for built in (quick, slow)] == [False, True]
    ends = {} if lengths is None else {"n": torch.tensor(lengths)}
    found = []
    for built in (quick, slow):
        arrays = {path: array.clone().requires_grad_() for path, array in net.arrays.items()}
        values = built.bind(arrays)(inputs, Circumstances(lengths=ends))
        real = [cut(value, lengths) if i == 0 else value for i, value in enumerate(values)]
        grads = torch.autograd.grad(sum(value.square().sum() for value in real), [*arrays.values()])
        found.append([*real, *grads])
    for ours, theirs in zip(*found, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-10, atol=1e-10)


def cut(y: Tensor, lengths: list[int] | None) -> Tensor:
    """Zero behind the ends."""
    if lengths is None:
        return y
    return y * (torch.arange(y.shape[1]) < torch.tensor(lengths).unsqueeze(1)).unsqueeze(-1)


def test_a_cell_goes_step_by_step_where_the_leaf_would_not_do() -> None:
    x, h, c = nw.Input("x", 4), nw.Input("h", 4), nw.Input("c", 4)
    lstm, gru = nw.LSTMCell(4)(x, h, c), nw.GRUCell(4)(x, h)
    past = nw.Input("past", 4)
    nets = {
        "states crossed": nw.Fold(nw.LSTMCell(4), carry={"hidden": "cell", "cell": "hidden"}, input=("n", 3)),
        "a state not carried": nw.Fold(nw.LSTMCell(4), carry={"cell": "cell"}, whole="hidden"),
        "cells as outputs": nw.Fold(nw.Graph({"all": lstm["cell"], "h": lstm["hidden"], "c": lstm["cell"]})),
        "old states as outputs": nw.Fold(nw.Graph({"old": h, "h": gru})),
        "a whole input": nw.Fold(nw.Graph({"h": nw.GRUCell(4)(x, h), "p": past}), whole="x"),
        "more in the body": nw.Fold(nw.Graph({"h": nw.tanh(gru)})),
    }
    for name, net in nets.items():
        assert None in leaves(whole_program(net)), name


def test_a_value_asked_for_inside_is_there() -> None:
    net = nw.initialize(nw.Chain(nw.Fold(nw.GRUCell(4)), input=("n", 3)))
    x = torch.randn(5, 3)
    torch.testing.assert_close(net(x, at="fold1/body"), net(x, at="fold1.output"))
    changed = net(x, set={"fold1/body": torch.zeros_like})
    assert not (changed["output"] if isinstance(changed, dict) else changed).any()
