"""The step net ready to run: made once a net, values and states in and out, in the net's own type."""

from typing import Any

import pytest
import torch

import netwright as nw
from netwright.stepping.step_net import StepNet, reordered

NET = nw.initialize(nw.Chain(nw.GRU(4), nw.Linear(2), input=("n", 3)), seed=0)


def test_it_is_made_once_a_net() -> None:
    assert StepNet.of(NET) is StepNet.of(NET)
    assert StepNet.of(NET.to(dtype=torch.float64)) is not StepNet.of(NET)


def test_values_and_states_in_and_out() -> None:
    stepping, x = StepNet(NET, "n"), torch.randn(2, 5, 3)
    first, state = stepping.run({"input": x[:, :2]}, {})
    second, after = stepping.run({"input": x[:, 2:]}, state)
    whole = nw.apply(NET, {}, x)
    torch.testing.assert_close(torch.cat([first["output"], second["output"]], 1), whole)
    assert state.keys() == after.keys() == {*stepping.states} == {"gru1_hidden"}


def block(read: Any) -> Any:
    """Attention and a net at every position, as in a decoder."""
    attended = nw.Attention(2, causal=True)(*(nw.Linear(4)(nw.Rotary()(read)) for _ in range(3)))["output"]
    return nw.Chain(nw.LayerNorm(), nw.Linear(6), nw.gelu, nw.Linear(4))(attended + read) + read


LAST = {
    "recurrent": (
        nw.Chain(nw.GRU(4), nw.LayerNorm(), nw.Linear(2), nw.softmax, input=("n", 3)),
        {"layernorm1", "linear1"},
    ),
    "ending in what remembers": (nw.Chain(nw.Linear(3), nw.GRU(4), input=("n", 3)), set[str]()),
    "of single elements": (nw.Chain(nw.Linear(3), nw.tanh, input=("n", 3)), {"linear1", "tanh1"}),
    "attending": (nw.Graph(block(block(nw.Linear(4)(nw.Input("input", ("n", 3)))))), {"chain2/linear2"}),
    "the same of all elements": (
        nw.Graph({"a": (gru := nw.GRU(4)(nw.Input("input", ("n", 3))))["output"], "b": nw.Linear(2)(gru["hidden"])}),
        set[str](),
    ),
    "turned": (nw.Chain(nw.GRU(4), nw.Transpose(1, 0), nw.tanh, input=("n", 3)), {"transpose1", "tanh1"}),
    "another axis": (nw.Chain(nw.Map(nw.Linear(2)), nw.tanh, input=("n", 5, 3)), {"tanh1"}),
}


@pytest.mark.parametrize("name", LAST)
def test_the_last_element_alone(name: str) -> None:
    net, parts = LAST[name]
    net = nw.initialize(net, seed=0)
    stepping, x = StepNet(net, "n"), torch.randn(2, 7, *(5,) * (name == "another axis"), 3)
    assert parts <= {i.path for i in stepping._last.program.instructions}
    assert not {i.path for i in stepping._last.program.instructions} & {
        i.path for i in stepping._whole.program.instructions
    }
    _, state = stepping.run({"input": x[:, :3]}, {})
    values, after = stepping.run({"input": x[:, 3:]}, state)
    lasts, same = stepping.last({"input": x[:, 3:]}, state)
    assert same.keys() == after.keys()
    for one, other in zip(same.values(), after.values(), strict=True):
        torch.testing.assert_close(one, other)
    for output, value in values.items():
        axis = 2 if name == "turned" else 1
        expected = value if value.ndim == 2 else value.narrow(axis, 3, 1)  # a state is of no element
        torch.testing.assert_close(lasts[output], expected)


def test_what_comes_in_is_brought_to_the_type_of_the_arrays() -> None:
    double = StepNet.of(NET.to(dtype=torch.float64))
    values, state = double.run({"input": torch.randn(1, 2, 3)}, {"gru1_hidden": torch.zeros(1, 4)})
    assert values["output"].dtype == state["gru1_hidden"].dtype == torch.float64


def test_rows_of_a_state() -> None:
    state = {"a": torch.arange(3.0), "b": torch.arange(6).view(3, 2)}
    turned = reordered(state, torch.tensor([2, 0, 2]))
    assert turned["a"].tolist() == [2.0, 0.0, 2.0]
    assert turned["b"].tolist() == [[4, 5], [0, 1], [4, 5]]


def test_values_that_are_changed_are_changed_once_in_every_way_to_run() -> None:
    x = torch.randn(2, 5, 3)
    changes = {"gru1.output": lambda y: 2 * y + 1}  # pyright: ignore[reportUnknownLambdaType]
    name = NET.output_names[0]
    found = NET(nw.batch(x), nw.raw, set=changes)
    whole = found[name] if isinstance(found, dict) else found
    stepping = StepNet(NET, "n", changes)
    torch.testing.assert_close(stepping.run({"input": x}, {})[0][name], whole)
    torch.testing.assert_close(stepping.last({"input": x}, {})[0][name], whole[:, -1:])
