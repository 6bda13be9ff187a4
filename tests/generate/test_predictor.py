"""The step net of a net that predicts: chunks give what the whole gives, states are values, other nets are refused."""

import pytest
import torch

import netwright as nw
from netwright.errors import DataError, MissingArraysError, NetError
from netwright.generate.predictor import LEAST, Predictor
from netwright.stepping.step_net import StepNet, reordered

torch.set_num_threads(1)


def predicting(letters: str = "abc", seed: int = 0) -> nw.Net:
    net = nw.Chain(
        nw.Embedding(8), nw.GRU(8), nw.Conv(8, (3,), padding="causal"), nw.tanh, nw.Linear(), nw.softmax,
        input=nw.Characters(letters, mark_start=True), output=nw.Characters(letters, mark_end=True),
    )  # fmt: skip
    return nw.initialize(net, seed=seed)


NET = predicting()


def test_chunks_are_the_whole():
    stepper = Predictor(NET)
    prompt = stepper.prompt("abcab")
    assert prompt == [3, 0, 1, 2, 0, 1]
    whole, _ = stepper(torch.tensor([prompt]), {})
    full = NET("abcab", nw.raw)[-1].log()
    torch.testing.assert_close(whole[0], full, rtol=0, atol=1e-5)
    state = {}
    for part in ([3], [0, 1, 2], [0], [1]):
        logs, state = stepper(torch.tensor([part]), state)
    torch.testing.assert_close(logs, whole, rtol=0, atol=1e-5)
    assert state.keys() == {*StepNet.of(NET).states}


def test_states_are_reordered():
    stepper = Predictor(NET)
    _, state = stepper(torch.tensor([[3, 0], [3, 1]]), {})
    turned = reordered(state, torch.tensor([1, 1, 0]))
    logs, _ = stepper(torch.tensor([[2], [2], [2]]), turned)
    alone, _ = stepper(torch.tensor([[3, 1, 2]]), {})
    torch.testing.assert_close(logs[:2], alone.expand(2, -1), rtol=0, atol=1e-5)
    assert not torch.allclose(logs[2], logs[1])


def test_what_is_impossible_has_a_logarithm():
    sure = NET.with_arrays({"linear1/bias": [1000.0, 0.0, 0.0, 0.0]})
    logs, _ = Predictor(sure)(torch.tensor([[3]]), {})
    assert logs.isfinite().all() and logs.min() == pytest.approx(torch.tensor(LEAST).log().item(), rel=1e-3)


def test_the_first_of_several_outputs_says_what_comes_next():
    read = nw.Input("input", NET.inputs["input"])
    state = nw.GRU(8)(nw.Embedding(8)(read))["output"]
    both = nw.Graph({"next": nw.softmax(nw.Linear()(state)), "beside": nw.Linear(2)(state)})
    both = nw.initialize(both.with_output({"next": NET.outputs["output"]}), seed=0)
    logs, _ = Predictor(both)(torch.tensor([[3, 0]]), {})
    torch.testing.assert_close(logs[0], both("a", nw.raw)["next"][-1].log(), rtol=0, atol=1e-5)


def test_the_start_alone():
    assert Predictor(NET).prompt("") == [3]
    tokens = nw.initialize(
        nw.Chain(
            nw.Embedding(3), nw.GRU(3), nw.Linear(), nw.softmax,
            input=nw.Tokens(["x", "y"], mark_start=True), output=nw.Tokens(["x", "y"], mark_end=True),
        )
    )  # fmt: skip
    assert Predictor(tokens).prompt("") == Predictor(tokens).prompt(()) == [2]


def test_no_start_element_and_no_start():
    net = NET.with_input(nw.Characters("abcd"))  # as many elements
    net = nw.initialize(net.with_output(nw.Characters("abcd")))
    with pytest.raises(DataError) as caught:
        nw.generate(net)
    assert str(caught.value) == (
        "the prompt is empty, and the net has no start element\n"
        "  where:    generate\n"
        "  got:      ''\n"
        "  mend:     prompt='…'\n"
        "  or:       nw.train(net, texts, objective=nw.NextElement()), whose nets have a start element"
    )
    assert Predictor(net).prompt("ab") == [0, 1]
    with pytest.raises(DataError) as caught:
        nw.generate(net, 3)
    assert str(caught.value) == "Characters takes a text\n  expected: str\n  got:      3 of type int"


@pytest.mark.parametrize(
    ("net", "got"),
    [
        (nw.Chain(nw.Linear(2), input=3), "input Array, output nothing"),
        (NET.with_output(None), "input Characters, output nothing"),
        (nw.Chain(nw.Embedding(2), nw.Linear(), nw.softmax, input=nw.Array("n <3>"), output=nw.Characters("abc")),
         "input Array, output Characters"),
    ],
)  # fmt: skip
def test_nets_that_do_not_predict(net, got):
    with pytest.raises(NetError) as caught:
        nw.generate(net)
    assert str(caught.value) == (
        "only a net that reads a sequence and predicts its next element can generate\n"
        "  where:    generate\n"
        "  expected: an encoder and a decoder of sequences, such as nw.Characters, that go together\n"
        f"  got:      {got}\n"
        "  mend:     nw.train(net, texts, objective=nw.NextElement()).net"
    )


def test_codecs_that_do_not_go_together():
    with pytest.raises(NetError) as caught:
        nw.generate(NET.with_output(nw.Characters("xyz", mark_end=True)))
    assert str(caught.value) == (
        "the net's encoder and decoder have different elements, so it cannot read what it generates\n"
        "  where:    generate\n"
        "  expected: a decoder for the elements of Characters('abc', mark_start=True)\n"
        "  got:      Characters('xyz', mark_end=True)\n"
        "  mend:     nw.train(net, texts, objective=nw.NextElement()).net, whose codecs go together"
    )


def test_arrays_that_are_missing_and_nets_that_look_ahead():
    bare = nw.Chain(nw.Embedding(2), nw.GRU(2), nw.Linear(), nw.softmax)
    bare = bare.with_input(nw.Characters("ab", mark_start=True)).with_output(nw.Characters("ab", mark_end=True))
    with pytest.raises(MissingArraysError):
        nw.generate(bare)
    ahead = nw.Chain(
        nw.Embedding(2), nw.Bidirectional(nw.GRU(2)), nw.Linear(), nw.softmax,
        input=nw.Characters("ab", mark_start=True), output=nw.Characters("ab", mark_end=True),
    )  # fmt: skip
    with pytest.raises(NetError) as caught:
        nw.generate(nw.initialize(ahead))
    assert caught.value.where == "bidirectional1/turn"
