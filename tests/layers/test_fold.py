"""Map, Fold and Bidirectional as containers: ports, codecs, printing, surgery, saving, and what is refused."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

import netwright as nw
from netwright.errors import NetError, SizeError
from netwright.layers.fold import each_codec


def core(**sizes: int) -> nw.Net:
    return nw.Graph(
        join=(nw.Concatenate(), "input", "state"), linear=(nw.Linear(2), "join"), tanh=(nw.tanh, "linear"),
        input={"input": sizes.get("input"), "state": sizes.get("state")},
    )  # fmt: skip


NETS = {
    "map": nw.Map([nw.Linear(4), nw.tanh], input=("n", 3)),
    "map of a leaf": nw.Map(nw.Linear(4), input=("n", 3)),
    "map with a whole": nw.Map(nw.MatMul(), whole="right", input={"left": ("n", 3, 4), "right": (4, 5)}),
    "fold": nw.Fold(core(input=3, state=2)),
    "fold of a cell": nw.Fold(nw.GRUCell(4), input={"input": ("n", 3)}),
    "fold that says what it carries": nw.Fold(core(), carry={"output": "state"}, input={"input": ("n", 3)}),
    "bidirectional": nw.Bidirectional(nw.GRU(4), input=("n", 3)),
}


@pytest.mark.parametrize("name", NETS)
def test_a_value_like_any_net(name: str, tmp_path: Path) -> None:
    net = nw.initialize(NETS[name], seed=3)
    assert eval(repr(net), vars(nw)) == NETS[name]
    nw.save(net, tmp_path / "a.net")
    assert nw.load(tmp_path / "a.net") == net
    for path in net.paths:
        assert net.replace(path, net[path]) == net
    assert nw.summary(net)


def test_the_ports_of_a_fold() -> None:
    fold = NETS["fold"]
    assert (fold.input_names, fold.optional_names, fold.output_names) == (
        ("input", "state"), ("state",), ("output", "state"),
    )  # fmt: skip
    cell = NETS["fold of a cell"]
    assert (cell.input_names, cell.output_names) == (("input", "hidden"), ("output", "hidden"))


def test_the_codecs_of_the_body_become_those_of_sequences() -> None:
    assert dict(NETS["fold"].inputs) == {"input": nw.Array("n 3"), "state": nw.Array("2")}
    assert each_codec(nw.Array("n 3")) == nw.Array("m n[m] 3")
    assert each_codec(nw.Array("<9>")) == nw.Array("n <9>")
    assert each_codec(nw.Category(["a", "b"])) == nw.Each(nw.Category(["a", "b"]))


def test_a_fold_of_a_cell_is_the_leaf() -> None:
    for cell, leaf in ((nw.GRUCell(4), nw.GRU(4)), (nw.LSTMCell(4), nw.LSTM(4)), (nw.RNNCell(4), nw.RNN(4))):
        fold = nw.initialize(nw.Fold(cell, input={"input": ("n", 3)}), seed=1).to(dtype=torch.float64)
        same = leaf.with_input(("n", 3)).with_arrays({k.removeprefix("body/"): v for k, v in fold.arrays.items()})
        x = torch.randn(2, 6, 3, dtype=torch.float64)
        lengths = {"n": torch.tensor([6, 2])}
        ours, theirs = (nw.apply(net, {}, {"input": x}, lengths=lengths) for net in (fold, same))
        torch.testing.assert_close(ours["hidden"], theirs["hidden"], rtol=0, atol=1e-12)
        torch.testing.assert_close(ours["output"][0], theirs["output"][0], rtol=0, atol=1e-12)
        torch.testing.assert_close(ours["output"][1, :2], theirs["output"][1, :2], rtol=0, atol=1e-12)


def test_a_part_put_beside_the_body() -> None:
    net = NETS["map"].insert("body/tanh1", nw.LayerNorm())
    assert repr(net) == "Map(Chain(Linear(4), LayerNorm(), tanh), input=Array('n 3'))"
    both = NETS["map of a leaf"].append(nw.relu)
    assert both.plan.outputs == {"output": NETS["map"].plan.outputs["output"]}


@pytest.mark.parametrize("part", [nw.Mean(0), nw.Max(0), nw.Sum(-1), nw.GlobalAvgPool(), nw.MatMul()])
def test_a_map_of_any_leaf_alone(part: nw.Net) -> None:
    x = {name: torch.randn(5, 4, 4) for name in part.required_names}
    net = nw.Map(part, input=dict.fromkeys(x, ("n", 4, 4)))
    rows = [part({name: [value[i]] for name, value in x.items()})[0] for i in range(5)]
    torch.testing.assert_close(net(x), torch.stack(rows))


def test_both_directions() -> None:
    net = nw.initialize(NETS["bidirectional"])
    x = torch.randn(5, 3)
    forward, backward = net["forward"].with_input(("n", 3)), net["backward"].with_input(("n", 3))
    expected = torch.cat([forward(x)["output"], backward(x.flip(0))["output"].flip(0)], -1)
    torch.testing.assert_close(net(x), expected)


def test_nothing_to_carry() -> None:
    with pytest.raises(NetError) as caught:
        nw.Fold(nw.Linear(3))
    assert str(caught.value) == (
        "a fold carries a state from one element to the next, and this part has nothing to carry\n"
        "  where:    Fold\n"
        "  expected: an output that is an input too\n"
        "  got:      inputs input; outputs output\n"
        "  mend:     carry={'output': 'state'}\n"
        "  or:       nw.Map(…), where elements are done each by itself"
    )


def test_a_port_that_is_not_there() -> None:
    with pytest.raises(NetError) as caught:
        nw.Fold(core(), carry={"output": "stat"})
    assert str(caught.value) == (
        "the part has no port 'stat'\n"
        "  where:    Fold, carry\n"
        "  expected: input, state\n"
        "  got:      'stat'\n"
        "  mend:     did you mean 'state'?"
    )
    with pytest.raises(NetError, match="the part has no port 'memory'"):
        nw.Map(nw.Linear(3), whole="memory")


def test_another_cell_carries_what_is_usual_for_it() -> None:
    net = nw.initialize(nw.Chain(nw.Fold(nw.LSTMCell(3)), input=("n", 2)))
    edited = net.replace("fold1/body", nw.GRUCell(3))
    assert edited.bare() == nw.Chain(nw.Fold(nw.GRUCell(3)))
    assert nw.initialize(edited)(torch.randn(5, 2))["hidden"].shape == (3,)
    states = nw.Fold(nw.LSTMCell(3), input={"input": ("n", 2), "hidden": 3, "cell": 3})
    assert dict(states.replace("body", nw.GRUCell(3)).inputs) == {"input": nw.Array("n 2"), "hidden": nw.Array("3")}
    said = nw.Graph(
        a=(nw.Linear(1), "input"), b=([nw.Reshape(4, 1), nw.Linear(1)], "state"), sum=(nw.Add(), "a", "b"),
        tanh=(nw.tanh, "sum"), input={"input": None, "state": None},
    )  # fmt: skip
    mended = nw.initialize(nw.Chain(nw.Fold(said), nw.Map(nw.GRU(2)), input=(3, 2)))
    assert mended(torch.randn(3, 2))["output"].shape == (3, 4, 2)


@pytest.mark.parametrize(
    ("edit", "text"),
    [
        (
            lambda: nw.Fold(nw.LSTMCell(3), carry={"cell": "cell"}).replace("body", nw.GRUCell(3)),
            "the part has no port 'cell'\n  where:    Fold, carry\n  expected: input, hidden\n  got:      'cell'",
        ),
        (
            lambda: NETS["map with a whole"].replace("body", nw.Linear(3)),
            "the part has no port 'right'\n  where:    Map, whole\n  expected: input\n  got:      'right'",
        ),
        (
            lambda: nw.Map(nw.MatMul(), whole=("left", "right")),
            "no input port is left to be taken apart into elements\n"
            "  where:    Map\n"
            "  expected: an input port of the part that is neither held whole nor a state",
        ),
        (
            lambda: nw.Fold(nw.GRUCell(3), whole="input"),
            "no input port is left to be taken apart into elements\n"
            "  where:    Fold\n"
            "  expected: an input port of the part that is neither held whole nor a state",
        ),
    ],
)
def test_a_body_without_the_ports(edit: Callable[[], nw.Net], text: str) -> None:
    with pytest.raises(NetError) as caught:
        edit()
    assert str(caught.value) == text


def test_a_state_of_another_size() -> None:
    with pytest.raises(SizeError, match=r"3"):
        nw.Fold(core(state=3), input={"input": ("n", 3)})


def test_a_layer_that_mixes_sentences() -> None:
    with pytest.raises(SizeError) as caught:
        nw.Chain(nw.GRU(3), input=nw.Array("n m[n]"))
    assert "m" in str(caught.value)
    with pytest.raises(SizeError) as caught:
        nw.Chain(nw.Mean(1), input=nw.Array("n m[n] 3"))
    assert str(caught.value) == (
        "mean1 mixes along m, which differs from element to element of n\n"
        "  where:    input -> mean1\n"
        "  expected: one example at a time: nw.Map(…) over n\n"
        "  got:      (n, m, 3) from the input"
    )


def test_the_ports_of_a_nest_are_found_once() -> None:
    maps, folds = nw.relu, nw.GRUCell(3)
    for _ in range(20):  # asked anew at every level, they would take hours
        maps, folds = nw.Map(maps), nw.Fold(folds)
    assert (maps.output_names, folds.output_names) == (("output",), ("output", "hidden"))


def textbook(read: object, out: object = nw.FREE) -> nw.Net:
    """The cell tanh(W x + U s), whose state has the axes of the sum and nothing that says so."""
    return nw.Graph(
        a=(read, "input"), b=(nw.Linear(out), "state"), sum=(nw.Add(), "a", "b"), tanh=(nw.tanh, "sum"),
        input={"input": None, "state": None},
    )  # fmt: skip


@pytest.mark.parametrize(
    ("read", "size", "state"),
    [
        (nw.Linear(1), ("n", 2), (1,)),
        (nw.Linear(4), ("n", 2), (4,)),
        (nw.Linear(4), ("n", 5, 2), (5, 4)),
        ([nw.Conv(2, 3), nw.Flatten(), nw.Linear(4)], ("n", 5, 2), (4,)),
    ],
)
def test_the_state_of_a_sum_has_the_axes_of_its_other_values(
    read: object, size: tuple[object, ...], state: tuple[int, ...]
) -> None:
    net = nw.initialize(nw.Chain(nw.Fold(textbook(read, state[-1])), input=size))
    assert net.plan.outputs["state"] == state
    assert nw.Fold(textbook(nw.Linear(4)), input={"input": ("n", 2)}).plan.outputs["state"] == (4,)  # U's size too
    x = torch.randn(6, *(n for n in size if isinstance(n, int)))
    expected = torch.zeros(state)
    a, b = net["fold1/body/a"], net["fold1/body/b"]
    for element in x:
        expected = (a(nw.batch(element[None]))[0] + b(nw.batch(expected[None]))[0]).tanh()
    torch.testing.assert_close(net(x)["state"], expected)
    assert nw.causality(net).causal


OPEN_STATE = (
    "a state begins at zeros, and how many does not follow from the net\n"
    "  where:    fold1, state 'state'\n"
    "  expected: a number for every axis\n"
    "  got:      (?, 1)\n"
    "  mend:     nw.Reshape(…) inside, before what reads 'state': it says the sizes\n"
    "  or:       a value for 'state'"
)


def test_a_state_of_which_a_size_is_open_does_not_begin() -> None:
    net = nw.Chain(nw.Fold(textbook(nw.Linear(1), 1)), nw.Map(nw.GRU(2)), input=(3, 2))
    arrays = {path: torch.zeros(spec.known) for path, spec in net.plan.arrays.items()}
    for start in (lambda: nw.initialize(net), lambda: net.with_arrays(arrays)(torch.randn(3, 2))):
        with pytest.raises(SizeError) as caught:
            start()
        assert str(caught.value) == OPEN_STATE
    said = nw.Graph(
        a=(nw.Linear(1), "input"), b=([nw.Reshape(4, 1), nw.Linear(1)], "state"), sum=(nw.Add(), "a", "b"),
        tanh=(nw.tanh, "sum"), input={"input": None, "state": None},
    )  # fmt: skip
    mended = nw.initialize(nw.Chain(nw.Fold(said), nw.Map(nw.GRU(2)), input=(3, 2)))
    assert mended(torch.randn(3, 2))["output"].shape == (3, 4, 2)
