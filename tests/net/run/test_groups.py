"""Steps taken together: a cell that stands alone in a fold is its leaf, and everything else is done step by step."""

import pytest
import torch
from torch import Tensor

import netwright as nw
from netwright.net.apply import whole_program
from netwright.net.plan.plan import plan_of
from netwright.net.run.assemble import program_of
from netwright.net.run.context import RunContext
from netwright.net.run.execute import Instruction, Program
from netwright.net.run.groups import LeafGroup, lifted, made_by, read_by, units_of


def test_what_is_done_for_every_element_is_one_unit() -> None:
    inside = nw.Graph(
        wide=(nw.Linear(6), "x"), fixed=(nw.Linear(6), "memory"), sum=(nw.Add(), "wide", "fixed"),
        input={"x": 3, "memory": 5},
    )  # fmt: skip
    each = nw.Map(inside, whole="memory")
    x, memory = nw.Input("x", ("n", 3)), nw.Input("memory", 5)
    plan = plan_of(nw.Graph(nw.relu(each(x, memory, name="map"))))
    outputs = [slot for _, slot in plan.wiring.outputs]
    group, relu = units_of(plan.steps, outputs, {*outputs})
    assert isinstance(group, LeafGroup) and not isinstance(relu, LeafGroup)
    assert [step.path for step in group.inner if not isinstance(step, LeafGroup)] == [
        f"map/body/{n}" for n in ("wide", "fixed", "sum")
    ]
    assert made_by([relu]) == {*outputs}
    assert read_by([group]) == {("", "x"), ("", "memory")}
    before, rest, last = lifted([group, relu], outputs)
    assert not isinstance(before, LeafGroup) and before.path == "map/body/fixed"
    assert isinstance(rest, LeafGroup) and len(rest.inner) == 2 and last is relu


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
    quick, slow = program_of(plan_of(net), slots), program_of(plan_of(net), slots, keep=[inside])
    assert [None in leaves(built) for built in (quick, slow)] == [False, True]
    ends = {} if lengths is None else {"n": torch.tensor(lengths)}
    found = []
    for built in (quick, slow):
        arrays = {path: array.clone().requires_grad_() for path, array in net.arrays.items()}
        values = built.bind(arrays)(inputs, RunContext(lengths=ends))
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
