"""The step net ready to run: made once a net, values and states in and out, in the net's own type."""

import torch

import netwright as nw
from netwright.use.stepping import Stepping, reordered

NET = nw.initialize(nw.Chain(nw.GRU(4), nw.Linear(2), input=("n", 3)), seed=0)


def test_it_is_made_once_a_net() -> None:
    assert Stepping.of(NET) is Stepping.of(NET)
    assert Stepping.of(NET.to(dtype=torch.float64)) is not Stepping.of(NET)


def test_values_and_states_in_and_out() -> None:
    stepping, x = Stepping(NET, "n"), torch.randn(2, 5, 3)
    first, state = stepping.run({"input": x[:, :2]}, {})
    second, after = stepping.run({"input": x[:, 2:]}, state)
    whole = nw.apply(NET, {}, x)
    torch.testing.assert_close(torch.cat([first["output"], second["output"]], 1), whole)
    assert state.keys() == after.keys() == {*stepping.states} == {"gru1_hidden"}


def test_what_comes_in_is_brought_to_the_type_of_the_arrays() -> None:
    double = Stepping.of(NET.to(dtype=torch.float64))
    values, state = double.run({"input": torch.randn(1, 2, 3)}, {"gru1_hidden": torch.zeros(1, 4)})
    assert values["output"].dtype == state["gru1_hidden"].dtype == torch.float64


def test_rows_of_a_state() -> None:
    state = {"a": torch.arange(3.0), "b": torch.arange(6).view(3, 2)}
    turned = reordered(state, torch.tensor([2, 0, 2]))
    assert turned["a"].tolist() == [2.0, 0.0, 2.0]
    assert turned["b"].tolist() == [[4, 5], [0, 1], [4, 5]]
