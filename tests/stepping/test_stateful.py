"""A net fed piece by piece gives what it gives at once, and its state is a value: forked, batched, kept, refused."""

import pickle

import pytest
import torch
from torch import Tensor

import netwright as nw
from netwright.errors import DataError, SizeError

torch.set_num_threads(1)
D = 3
NETS = {
    "gru": nw.Chain(nw.GRU(4), nw.Linear(2), input=("n", D)),
    "layers": nw.Chain(
        nw.Conv(4, (3,), padding="causal"), nw.Residual(nw.LSTM(4)), nw.Positions(20), nw.Delay(), input=("n", D)
    ),
    "fold": nw.Chain(nw.Fold(nw.GRUCell(4)), nw.Map([nw.Linear(2), nw.tanh]), input=("n", D)),
    "nothing to remember": nw.Chain(nw.Linear(2), nw.tanh, input=("n", D)),
}
TEXT = nw.initialize(
    nw.Chain(
        nw.Embedding(4), nw.GRU(5), nw.Linear(), nw.softmax,
        input=nw.Characters("abc", mark_start=True), output=nw.Characters("abc", mark_end=True),
    ),
    seed=2,
)  # fmt: skip


def made(name: str) -> nw.Net:
    return nw.initialize(NETS[name], seed=1).to(dtype=torch.float64)


def fed(stateful: nw.Stateful, x: Tensor, sizes: tuple[int, ...]) -> tuple[Tensor, nw.Stateful]:
    found: list[Tensor] = []
    for piece in x.split(list(sizes)):
        result, stateful = stateful(piece)
        found.append(result)
    return torch.cat(found), stateful


@pytest.mark.parametrize("sizes", [(1,) * 8, (3, 1, 4), (8,)])
@pytest.mark.parametrize("name", NETS)
def test_pieces_are_the_whole(name, sizes):
    net = made(name)
    x = torch.randn(8, D, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    whole, _ = fed(nw.Stateful(net), x, sizes)
    torch.testing.assert_close(whole, net(x), rtol=0, atol=1e-10)


def test_a_state_is_forked():
    net = made("layers")
    x = torch.randn(8, D, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    _, there = nw.Stateful(net)(x[:5])
    kept = there.state
    one, _ = there(x[5:])
    other, _ = there(-x[5:])
    again, _ = there(x[5:])
    assert not torch.equal(one, other)
    assert torch.equal(one, again)
    assert all(torch.equal(kept[name], tensor) for name, tensor in there.state.items())
    for tensor in there.state.values():
        tensor.zero_()  # a copy
    assert torch.equal(there(x[5:])[0], one)


def test_a_batch_goes_on_side_by_side():
    net = made("gru")
    x = torch.randn(3, 6, D, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    first, there = nw.Stateful(net)(list(x[:, :2]))
    second, there = there(list(x[:, 2:]))
    torch.testing.assert_close(torch.cat([first, second], 1), net(nw.batch(x)), rtol=0, atol=1e-10)
    assert there.state["gru1_hidden"].shape == (3, 4)


@pytest.mark.parametrize("name", NETS)
def test_state_and_pickle_come_back(name):
    net = made(name)
    x = torch.randn(8, D, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    beginning = nw.Stateful(net)
    _, there = beginning(x[:5])
    for again in (nw.Stateful(net, there.state), pickle.loads(pickle.dumps(there))):
        assert again == there and hash(again) == hash(there) and repr(again) == repr(there)
        assert torch.equal(again(x[5:])[0], there(x[5:])[0])
    assert pickle.loads(pickle.dumps(beginning)) == beginning != there
    assert there != 3


def test_texts_are_fed_in_pieces():
    whole = TEXT("abcab", nw.raw)  # the start element, then five characters
    first, there = nw.Stateful(TEXT)("ab", nw.raw)
    second, there = there("c", nw.raw)
    third, _ = there("ab", nw.raw)
    torch.testing.assert_close(torch.cat([first, second, third]), whole)
    assert [len(first), len(second), len(third)] == [3, 1, 2]
    said, _ = nw.Stateful(TEXT)("", nw.probabilities)  # the start element alone: what a text begins with
    assert list(said[0]) == ["a", "b", "c", "<edge>"]
    assert isinstance(nw.Stateful(TEXT)("ab")[0], str)
    assert [len(p) for p in nw.Stateful(TEXT)(["ab", "ca"], nw.probabilities)[0]] == [3, 3]


def test_what_a_batch_draws_is_drawn_for_each():
    texts, _ = nw.Stateful(TEXT)(["ab"] * 8, nw.Sample(seed=3))
    assert len(set(texts)) > 1


def test_several_inputs_and_outputs():
    both = nw.Graph(
        join=(nw.Add(), "x", "y"), turn=(nw.GRU(4), "join"), out=(nw.Linear(2), "turn"),
        input={"x": ("n", D), "y": D}, outputs={"state": "turn", "out": "out"},
    )  # fmt: skip
    net = nw.initialize(both, seed=1).to(dtype=torch.float64)
    x = torch.randn(6, D, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    whole = net({"x": x, "y": x[0]})
    first, there = nw.Stateful(net)({"x": x[:2], "y": x[0]})
    second, _ = there({"x": x[2:], "y": x[0]})
    for name in ("state", "out"):
        torch.testing.assert_close(torch.cat([first[name], second[name]]), whole[name], rtol=0, atol=1e-10)
    with pytest.raises(DataError) as caught:
        there({"x": x})
    assert str(caught.value) == ("this net has 2 inputs, and each needs a piece\n  expected: x, y\n  got:      x")
    with pytest.raises(DataError) as caught:
        there({"x": [x, x], "y": [x[0]]})
    assert str(caught.value) == "the inputs do not hold equally many pieces\n  got:      x: 2, y: 1"


def test_a_value_stays():
    with pytest.raises(AttributeError, match="a Stateful is immutable"):
        nw.Stateful(made("gru")).net = None
    assert repr(nw.Stateful(TEXT)).endswith("at the beginning)")
    assert repr(nw.Stateful(TEXT)("a")[1]).endswith("with gru1_hidden (1, 5))")


def test_states_that_are_not_the_net_s():
    net = made("gru")
    with pytest.raises(SizeError) as caught:
        nw.Stateful(net, {"gru1_hiden": torch.zeros(1, 4)})
    assert str(caught.value) == (
        "the net remembers nothing under the name 'gru1_hiden'\n"
        "  where:    Stateful\n"
        "  expected: gru1_hidden\n"
        "  got:      'gru1_hiden'\n"
        "  mend:     did you mean 'gru1_hidden'?"
    )
    with pytest.raises(SizeError) as caught:
        nw.Stateful(net, {"gru1_hidden": torch.zeros(1, 5)})
    assert str(caught.value) == (
        "the state gru1_hidden has another size than the net's\n"
        "  where:    Stateful\n"
        "  expected: (1, 4)\n"
        "  got:      (1, 5)"
    )
    lstm = nw.initialize(nw.Chain(nw.LSTM(4), input=("n", D)))
    names = list(nw.Stateful(lstm)(torch.zeros(1, D))[1].state)
    with pytest.raises(SizeError) as caught:
        nw.Stateful(lstm, {names[0]: torch.zeros(1, 4), names[1]: torch.zeros(2, 4)})
    assert str(caught.value) == (
        "the states are of different numbers of examples\n"
        "  where:    Stateful\n"
        f"  got:      {names[0]}: 1, {names[1]}: 2"
    )


def test_pieces_that_do_not_fit():
    net = made("gru")
    x = torch.zeros(4, D)
    _, there = nw.Stateful(net)([x, x])
    with pytest.raises(DataError) as caught:
        there(x)
    assert str(caught.value) == (
        "the number of sequences has changed\n"
        "  where:    state 'gru1_hidden'\n"
        "  expected: 2 sequences\n"
        "  got:      1 sequence"
    )
    with pytest.raises(DataError) as caught:
        there([x, x[:2]])
    assert str(caught.value) == (
        "pieces that are fed side by side are equally long\n"
        "  where:    input 'input'\n"
        "  got:      4, 2\n"
        "  mend:     one Stateful for each sequence, or pieces of one length"
    )
    _, there = nw.Stateful(TEXT)("a")
    with pytest.raises(DataError) as caught:
        there("")
    assert str(caught.value).splitlines()[0] == "an empty text has no elements"


def test_an_input_that_says_nothing():
    net = nw.Graph(
        turn=(nw.GRU(4), "x"), beside=(nw.Linear(2), "y"), input={"x": ("n", D), "y": D},
        outputs={"turn": "turn", "beside": "beside"},
    )  # fmt: skip
    net = nw.initialize(net).with_input({"y": None})
    with pytest.raises(DataError) as caught:
        nw.Stateful(net)({"x": torch.zeros(1, D), "y": torch.zeros(D)})
    assert str(caught.value) == (
        "this input has neither an encoder nor sizes\n"
        "  where:    input 'y'\n"
        "  expected: an encoder, or sizes\n"
        "  mend:     net.with_input({'y': ('n', 3)})"
    )
