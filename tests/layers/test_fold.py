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
    "bidirectional, last states": nw.Bidirectional(nw.GRU(4), last=True, input=("n", 3)),
    "bidirectional, a sum": nw.Bidirectional(nw.LSTM(4), join=nw.Add(), input=("n", 3)),
    "bidirectional, a join that learns": nw.Bidirectional(
        nw.RNN(4),
        join=nw.Graph(nw.Linear(2)(nw.Concatenate()(nw.Input("x"), nw.Input("y")))),
        last=True,
        input=("n", 3),
    ),
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


SIZES = (6, 1, 4, 2)


@pytest.mark.parametrize(("leaf", "kind"), [(nw.GRU, "GRU"), (nw.LSTM, "LSTM"), (nw.RNN, "RNN")])
@pytest.mark.parametrize("last", [True, False])
def test_both_directions_over_varying_lengths_are_torchs(leaf: type, kind: str, last: bool) -> None:
    net = nw.initialize(nw.Bidirectional(leaf(4), last=last, input=("n", 3)), seed=2).to(dtype=torch.float64)
    theirs = getattr(torch.nn, kind)(3, 4, bidirectional=True, batch_first=True, dtype=torch.float64)
    names = {path: path.split("/")[1] + "_l0" + ("_reverse" if "back" in path else "") for path in net.arrays}
    theirs.load_state_dict({names[path]: array for path, array in net.arrays.items()})
    generator = torch.Generator().manual_seed(1)
    x = torch.randn(len(SIZES), max(SIZES), 3, generator=generator, dtype=torch.float64)
    packed = torch.nn.utils.rnn.pack_padded_sequence(x, torch.tensor(SIZES), batch_first=True, enforce_sorted=False)
    outputs, states = theirs(packed)
    hidden = states[0] if kind == "LSTM" else states  # (2, b, out)
    padded, _ = torch.nn.utils.rnn.pad_packed_sequence(outputs, batch_first=True)  # (b, n, 2 out)
    arrays = {path: array.clone().requires_grad_() for path, array in net.arrays.items()}
    ours = nw.apply(net, arrays, {"input": x}, lengths={"n": torch.tensor(SIZES)})
    ours = ours if isinstance(ours, torch.Tensor) else ours["output"]
    inside = torch.arange(max(SIZES)) < torch.tensor(SIZES)[:, None]  # (b, n)
    expected = torch.cat([*hidden], -1) if last else padded[inside]
    found = ours if last else ours[inside]
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-12)
    slopes = torch.autograd.grad(found.square().sum(), [*arrays.values()])
    parameters = dict(theirs.named_parameters())
    known = torch.autograd.grad(expected.square().sum(), [parameters[names[path]] for path in arrays])
    for ours, others in zip(slopes, known, strict=True):
        torch.testing.assert_close(ours, others, rtol=0, atol=1e-11)


def test_the_joins_of_both_directions() -> None:
    beside = nw.initialize(NETS["bidirectional"], seed=3)
    x = torch.randn(5, 3)
    forward, backward = beside(x)[:, :4], beside(x)[:, 4:]  # (n, 4)
    gate = nw.Graph(sum=(nw.Add(), "x", "y"), half=(nw.Elementwise(torch.tanh), "sum"), input={"x": None, "y": None})
    joins = {nw.Add(): forward + backward, nw.Multiply(): forward * backward, gate: (forward + backward).tanh()}
    for join, expected in joins.items():
        net = nw.Bidirectional(nw.GRU(4), join=join, input=("n", 3)).with_arrays(beside.arrays)
        torch.testing.assert_close(net(x), expected)
        assert beside.replace("join", join) == net
    ends = nw.Bidirectional(nw.GRU(4), last=True, input=("n", 3)).with_arrays(beside.arrays)
    torch.testing.assert_close(ends(x), torch.cat([forward[-1], backward[0]]))
    assert ends.paths == ("forward", "turn", "backward", "forward_last", "backward_last", "join")
    rows = [torch.randn(n, 3) for n in SIZES]
    for alone, together in zip(map(ends, rows), ends(rows), strict=True):
        torch.testing.assert_close(alone, together)


def test_both_directions_as_a_picture_and_as_steps() -> None:
    net = nw.Chain(nw.Bidirectional(nw.GRU(4), join=nw.Add(), last=True), nw.Linear(2), input=("n", 3))
    assert "Add" in nw.draw(net["bidirectional1"].with_input(("n", 3))).svg
    with pytest.raises(NetError, match="bidirectional1/turn"):
        nw.unfold(net)


def test_directions_that_are_not_the_same_are_a_graph() -> None:
    net = nw.initialize(NETS["bidirectional, last states"])
    other = net.replace("backward", nw.RNN(4))
    assert isinstance(other, nw.Graph) and other.paths == net.paths
    assert other.plan.outputs == net.plan.outputs


WRONG = [
    (
        lambda: nw.Bidirectional(nw.GRU(4), join=nw.Linear(3)),
        "join is given more values than it has input ports\n"
        "  where:    join\n"
        "  expected: 1: input\n"
        "  got:      2\n"
        "  mend:     read 1 of them, or join them first, with nw.Concatenate() or nw.Add()",
    ),
    (
        lambda: nw.Bidirectional(nw.GRU(4), join=nw.Add(), last=nw.Last()),
        "last of Bidirectional cannot be this\n"
        "  where:    Bidirectional\n"
        "  expected: True or False\n"
        "  got:      Last(), of type Last",
    ),
]


@pytest.mark.parametrize(("make", "text"), WRONG)
def test_a_join_that_is_none(make: Callable[[], nw.Net], text: str) -> None:
    with pytest.raises(NetError) as caught:
        make()
    assert str(caught.value) == text


ONE_VALUE = [
    ([nw.GRU(4), nw.Last()], {}, "nw.Bidirectional(nw.GRU(4), last=True)"),
    (
        [nw.GRU(4), nw.Last(), nw.Linear(2)],
        {"join": nw.Add(), "input": (6, 3)},
        "nw.Chain(nw.Bidirectional(nw.GRU(4), join=nw.Add(), last=True), nw.Linear(2))",
    ),
    ([nw.GRU(4), nw.Last()], {"last": True, "input": ("n", 3)}, "nw.Bidirectional(nw.GRU(4), last=True)"),
    ([nw.GRU(4), nw.Max(0)], {}, "nw.Chain(nw.Bidirectional(nw.GRU(4)), nw.Max(0))"),
    ([nw.Embedding(4), nw.LSTM(4), nw.GlobalAvgPool()], {},
     "nw.Chain(nw.Bidirectional(nw.Chain(nw.Embedding(4), nw.LSTM(4))), nw.GlobalAvgPool())"),
    ([nw.GRU(4), nw.Last()], {"output": 5}, ""),  # no mend gives five values
    (nw.Last(), {}, ""),
]  # fmt: skip


@pytest.mark.parametrize(("body", "options", "mend"), ONE_VALUE)
def test_both_directions_of_what_gives_no_sequence(body: object, options: dict[str, object], mend: str) -> None:
    part = nw.Chain(*body) if isinstance(body, list) else body
    with pytest.raises(SizeError) as caught:
        nw.Bidirectional(body, **options)  # type: ignore[arg-type]
    assert str(caught.value) == (
        "a part that is run from both ends gives a sequence, and this one does not\n"
        "  where:    Bidirectional\n"
        "  expected: an output for every element, such as nw.GRU(4) gives\n"
        f"  got:      {part!r}, whose output has no axis of elements" + (f"\n  mend:     {mend}" if mend else "")
    )
    if mend:
        given = {"input": options.get("input", (6, 3))}
        net = nw.initialize(nw.Chain(eval(mend, {"nw": nw}), input=given["input"] if "Embed" not in mend else "n <9>"))
        assert len(net.plan.outputs["output"]) == 1


@pytest.mark.parametrize(
    "body",
    [nw.Conv(4, 3), [nw.Conv(4, 3, stride=2), nw.relu], [nw.Embedding(3), nw.GRU(4)], nw.LSTM(4), nw.DropLast(),
     nw.Map([nw.GRU(4), nw.Last()]), nw.Linear(3), nw.Mean(-1), nw.Conv(2, (3, 3)), nw.softmax],
)  # fmt: skip
def test_both_directions_of_what_gives_a_sequence(body: object) -> None:
    assert "turn" in nw.Bidirectional(body).paths


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
