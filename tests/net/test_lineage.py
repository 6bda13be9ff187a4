"""Every edit of a net adds one entry to its history, and nothing but the history tells two such nets apart."""

import pickle
from collections.abc import Callable

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import netwright as nw
from netwright.net.history import MOST
from random_nets import WIDTH, chains, nets

EDITS: dict[str, Callable[[nw.Net], nw.Net]] = {
    "take part linear1": lambda net: net["linear1"],
    "take parts [1:]": lambda net: net[1:],
    "replace linear2 by Linear(5, bias=False)": lambda net: net.replace("linear2", nw.Linear(5, bias=False)),
    "replace 1 by Chain of 2 parts": lambda net: net.replace(1, [nw.tanh, nw.tanh]),
    "insert LayerNorm() before relu1": lambda net: net.insert("relu1", nw.LayerNorm()),
    "delete relu1": lambda net: net.delete("relu1"),
    "append tanh": lambda net: net.append(nw.tanh),
    "prepend Linear(4)": lambda net: net.prepend(nw.Linear(4)),
    "rename relu1 to act": lambda net: net.rename("relu1", "act"),
    "with_input Array('4')": lambda net: net.with_input(4),
    "with_output None": lambda net: net.with_output(None),
    "with_arrays linear1/bias, linear1/weight, linear2/bias and 1 more": lambda net: net.with_arrays(net.arrays),
    "to torch.float64": lambda net: net.to(dtype=torch.float64),
    "bare": lambda net: net.bare(),
    "join Linear(1)": lambda net: net >> nw.Linear(1),
    "Shared layer": lambda net: nw.Shared("layer", net),
}


def filled() -> nw.Net:
    return nw.initialize(nw.Chain(3, nw.relu, nw.Linear(2), input=4))


def texts(net: nw.Net) -> list[str]:
    return [str(entry) for entry in net.history]


@pytest.mark.parametrize("text", EDITS)
def test_every_edit_adds_one_entry(text: str) -> None:
    net = filled()
    edited = EDITS[text](net)
    assert texts(edited) == [
        "made         Chain of 3 parts", "initialized  4 arrays, seed 0", f"edit         {text}",
    ]  # fmt: skip
    assert texts(net) == texts(edited)[:2]


def test_what_changes_nothing_adds_nothing() -> None:
    net = filled()
    assert net.rename("relu1", "relu1").history == net.history
    assert net.bare().bare().history == net.bare().history
    assert nw.initialize(net).history == net.history


def test_a_part_that_takes_its_own_place_is_an_edit() -> None:
    net = filled()
    same = net.replace("linear1", net["linear1"])
    assert same == net
    assert texts(same)[2:] == [
        "made         linear1: Chain of 3 parts",
        "initialized  linear1: 4 arrays, seed 0",
        "edit         linear1: take part linear1",
        "edit         replace linear1 by Linear(3)",
    ]


def test_a_net_of_parts_has_their_histories() -> None:
    trained, head = filled(), nw.Linear(2)
    assert texts(nw.Chain(body=trained, head=head)) == [
        "made         body: Chain of 3 parts",
        "initialized  body: 4 arrays, seed 0",
        "made         Chain of 2 parts",
    ]
    assert texts(nw.Chain(3, nw.relu)) == ["made         Chain of 2 parts"]
    assert texts(nw.Linear(3)) == ["made         Linear(3)"]
    assert texts(nw.Chain(outer=nw.Chain(inner=trained)))[0] == "made         outer/inner: Chain of 3 parts"
    layer = nw.initialize(nw.Linear(2, bias=False).with_input(2))
    assert len(nw.Chain(nw.Shared("same", layer), nw.Shared("same", layer)).history) == 9
    assert len(nw.Graph(one=(layer, "input"), two=("one", "one")).history) == 4
    assert texts(trained >> nw.initialize(nw.Chain(1, input=2)))[2:] == [
        "made         right: Chain of 1 part",
        "initialized  right: 2 arrays, seed 0",
        "edit         join Chain of 1 part",
    ]


def test_code_is_named_without_its_address() -> None:
    def scale(x: torch.Tensor) -> torch.Tensor:
        return 2 * x

    net = filled().append(nw.Function(scale, "... -> ..."))
    assert net.history[-1].text == "append Function"


def test_seed_and_method() -> None:
    net = nw.initialize(nw.Chain(3, input=2), seed=7, method="xavier")
    assert (net.history[-1]["seed"], net.history[-1]["method"]) == ("7", "xavier")
    assert str(net.history[-1]) == "initialized  2 arrays, seed 7, method xavier"


def test_no_arrays_are_no_edit() -> None:
    net = nw.Residual(nw.relu, input=4)
    assert net.with_arrays({}) is net


def test_a_history_stays_bounded() -> None:
    net = nw.Linear(1).with_input(1)
    for _ in range(MOST + 5):
        net = net.to(dtype=torch.float32)
    assert len(net.history) == MOST
    assert net.history.left_out == 7
    assert net.history[0].kind == "made"


@settings(deadline=None, max_examples=30)
@given(net=nets(), edits=st.lists(st.sampled_from(["append", "bare", "input", "pickle", "arrays"]), max_size=4))
def test_only_the_history_tells_them_apart(net: nw.Net, edits: list[str]) -> None:
    edited, count = net, len(net.history)
    for edit in edits:
        if edit == "append":
            edited, count = edited.append(nw.relu).delete(-1), count + 2
        elif edit == "input":
            edited, count = edited.with_input(None).with_input(WIDTH), count + 2
        elif edit == "bare":
            edited, count = edited.bare().with_input(WIDTH).with_arrays(net.arrays), count + 2 + bool(net.arrays)
        elif edit == "arrays" and net.arrays:
            edited, count = edited.with_arrays(net.arrays), count + 1
        elif edit == "pickle":
            edited = pickle.loads(pickle.dumps(edited))
    assert len(edited.history) == count
    if "append" not in edits:  # a container of another kind than a chain is a graph now
        assert edited == net
    assert (edited == net, hash(edited) == hash(net)) == (True, True) and nw.digest(edited) == nw.digest(net)


@settings(deadline=None, max_examples=20)
@given(net=chains())
def test_cut_and_joined_it_is_equal_and_says_both(net: nw.Net) -> None:
    if len(net) < 2:
        return
    joined = nw.join(net[:1], net[1:])
    assert joined == net
    assert texts(joined)[-1].startswith("edit         join")
    assert len(joined.history) == 2 * (len(net.history) + 1) + 1
