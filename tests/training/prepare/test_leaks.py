"""A net that can see what it is to predict is not trained, and the way is said; no other net is refused."""

import numpy as np
import pytest
import torch

import netwright as nw
from causality.causal_nets import CAUSAL, INPUT, LEAKS, Masked, attention
from netwright.data.sources import source
from netwright.errors import TrainingError
from netwright.layers.recurrent.gru import GRU
from netwright.layers.sequence import Delay, DropFirst, DropLast, Reverse
from netwright.training.prepare.leaks import refuse_leaks, shifted_pair
from netwright.training.prepare.next_element import NextElement


def refusal(net: nw.Net, following: bool = True) -> str:
    """The whole text of the error; empty where the net may be trained."""
    try:
        refuse_leaks(net, (net.input_names[0], 1) if following else None)
    except TrainingError as error:
        return str(error)
    return ""


def alone(net: nw.Net) -> nw.Net:
    """A net with its first output alone."""
    values = nw.Chain(net, input=net.inputs["input"]) if len(net.output_names) == 1 else None
    return values or nw.Graph(net(nw.Input("input", net.inputs["input"]))[net.output_names[0]])


def against(body: object, given: nw.Net, target: nw.Net, loss: nw.Net | None = None) -> nw.Net:
    """A net that ends in its loss, and makes its target itself."""
    x = nw.Input("text", INPUT)
    return nw.Graph((loss or nw.MSE())(nw.Linear(2)(body(given(x))), target(x)))  # type: ignore[operator]


same = nw.Elementwise("tanh")


@pytest.mark.parametrize("name", CAUSAL)
def test_causal_nets_are_trained_for_the_next_element(name: str) -> None:
    assert refusal(alone(CAUSAL[name]())) == ""


@pytest.mark.parametrize("name", LEAKS)
def test_nets_with_a_planted_leak_are_not(name: str) -> None:
    make, ahead = LEAKS[name]
    text = refusal(alone(make()))
    assert text.startswith("the net can see the element that it must predict\n")
    assert f"{ahead} looks ahead (shown by perturbation)" in text


def test_the_layer_of_attention_names_its_mend() -> None:
    body = nw.Chain(nw.Embedding(8), nw.self_attention(8, 2), nw.Linear(4), nw.softmax, input=nw.Characters("abc"))
    assert refusal(body) == (
        "the net can see the element that it must predict\n"
        "  where:    input -> embedding1 -> graph1/key -> graph1/attention -> graph1/projection -> linear1 -> "
        "softmax1 -> output\n"
        "  expected: output i predicts input at i + 1, and does not see it\n"
        "  got:      in training, output i sees all of input, "
        "because graph1/attention looks ahead (shown by perturbation)\n"
        "  mend:     causal=True in graph1/attention"
    )
    assert refusal(body.replace("graph1/attention", nw.Attention(2, causal=True))) == ""


def test_attention_without_a_mask() -> None:
    assert refusal(attention()) == (
        "the net can see the element that it must predict\n"
        "  where:    input -> linear3 -> matmul2 -> output\n"
        "  expected: output i predicts input at i + 1, and does not see it\n"
        "  got:      in training, output i sees all of input, because matmul2 looks ahead (shown by perturbation)\n"
        "  mend:     mask the scores of later positions with minus infinity before the softmax"
    )
    assert refusal(attention(Masked(-1e4))) == refusal(attention())
    assert refusal(attention(Masked(float("-inf")))) == ""


def test_a_centred_convolution() -> None:
    net = nw.Chain(nw.Conv(4, 5, padding="same"), nw.relu, GRU(3), input=INPUT)
    assert refusal(alone(net)) == (
        "the net can see the element that it must predict\n"
        "  where:    input -> chain1/conv1 -> chain1/relu1 -> chain1/gru1 -> output\n"
        "  expected: output i predicts input at i + 1, and does not see it\n"
        "  got:      in training, output i sees input up to i + 2, "
        "because chain1/conv1 looks ahead (shown by perturbation)\n"
        '  mend:     padding="causal" in chain1/conv1\n'
        "  or:       nw.Delay(2) before chain1/conv1"
    )
    assert refusal(nw.Chain(Delay(2), nw.Conv(4, 5, padding="same"), input=INPUT)) == ""


def test_both_directions() -> None:
    assert refusal(nw.Chain(nw.Bidirectional(GRU(4)), nw.Linear(3), input=INPUT)) == (
        "the net can see the element that it must predict\n"
        "  where:    input -> bidirectional1/turn -> bidirectional1/backward -> bidirectional1/back"
        " -> bidirectional1/join -> linear1 -> output\n"
        "  expected: output i predicts input at i + 1, and does not see it\n"
        "  got:      in training, output i sees all of input, "
        "because bidirectional1/turn looks ahead (shown by perturbation)\n"
        "  mend:     leave out nw.Bidirectional at bidirectional1"
    )
    assert refusal(nw.Chain(Reverse(), nw.Linear(3), input=INPUT)).endswith("mend:     leave out reverse1")


def test_statistics_over_positions_in_training() -> None:
    assert refusal(nw.Chain(nw.Conv(4, 2, padding="causal"), nw.BatchNorm(), input=INPUT)) == (
        "the net can see the element that it must predict\n"
        "  where:    input -> conv1 -> batchnorm1 -> output\n"
        "  expected: output i predicts input at i + 1, and does not see it\n"
        "  got:      in training, output i sees all of input, because batchnorm1 looks ahead (shown by perturbation)\n"
        "  mend:     nw.LayerNorm() in place of batchnorm1, whose statistics in training are of all positions"
    )


def test_other_parts_that_look_ahead() -> None:
    shifted = refusal(nw.Chain(nw.tanh, Delay(-1), nw.Linear(3), input=INPUT))
    assert shifted == (
        "the net can see the element that it must predict\n"
        "  where:    input -> tanh1 -> delay1 -> linear1 -> output\n"
        "  expected: output i predicts input at i + 1, and does not see it\n"
        "  got:      in training, output i sees input at i + 1, because delay1 looks ahead (shown by perturbation)\n"
        "  mend:     nw.Delay() before delay1"
    )
    x = nw.Input("input", INPUT)
    mean = nw.Graph(nw.Add()(x, nw.Mean(0)(x)))
    assert refusal(mean).endswith(
        "mend:     leave out mean1, or declare in its reach(training) that it sees no later positions"
    )


def test_a_long_way_without_its_middle() -> None:
    net = nw.Chain(*[nw.tanh] * 6, nw.Conv(2, 3, padding="same"), *[nw.tanh] * 6, input=INPUT)
    assert refusal(net).splitlines()[1] == (
        "  where:    input -> tanh1 -> tanh2 -> tanh3 -> … -> conv1 -> … -> tanh10 -> tanh11 -> tanh12 -> output"
    )


def test_what_cannot_be_settled_is_refused() -> None:
    net = nw.Chain(nw.Bidirectional(GRU(3)), nw.Linear(), input=INPUT)
    assert "bidirectional1/turn may look ahead (perturbation could not decide it)" in refusal(net)
    assert refusal(nw.Chain(GRU(3), nw.Linear(), input=INPUT)) == ""  # proved, though it cannot be run yet


def test_targets_of_its_own_are_later_positions() -> None:
    """Teacher forcing by hand: what is read leaves the last element out, what is compared with the first."""
    cut, later = nw.Slice((None, -1), axis=0), nw.Slice((1, None), axis=0)
    for given, target in ((DropLast(), DropFirst()), (cut, later), (DropLast(), later)):
        assert refusal(against(GRU(4), given, target), False) == ""
        assert refusal(against(nw.Conv(4, 3, padding="causal"), given, target), False) == ""
        assert "looks ahead" in refusal(against(nw.Bidirectional(GRU(4)), given, target), False)
        assert "looks ahead" in refusal(against(nw.Conv(4, 3, padding="same"), given, target), False)
    assert refusal(against(nw.Conv(4, 3, padding="same"), DropLast(), DropFirst(), nw.MAE()), False) == (
        "the net can see the element that it must predict\n"
        "  where:    text -> droplast1 -> conv1 -> linear1 -> mae1\n"
        "  expected: prediction i predicts text at i + 1, and does not see it\n"
        "  got:      in training, prediction i sees text from i - 1 to i + 1, "
        "because conv1 looks ahead (shown by perturbation)\n"
        '  mend:     padding="causal" in conv1\n'
        "  or:       nw.Delay() before conv1"
    )


def test_a_target_that_is_not_shifted() -> None:
    assert refusal(against(GRU(4), same, same), False) == (
        "the net can see the element that it must predict\n"
        "  where:    text -> tanh1 -> gru1 -> linear1 -> mse1\n"
        "  expected: prediction i predicts text at i, and does not see it\n"
        "  got:      in training, prediction i sees text up to i, because no part hides it (shown by perturbation)\n"
        "  mend:     nw.Delay() before tanh1, so that no position sees its own element\n"
        "  or:       nw.DropLast() after the input, and nw.DropFirst() before the target"
    )
    assert refusal(against(GRU(4), Delay(), same), False) == ""
    assert "conv1 looks ahead" in refusal(against(nw.Conv(4, 3, padding="same"), Delay(), same), False)


def test_what_gives_its_input_back_predicts_nothing() -> None:
    assert refusal(against(nw.Bidirectional(GRU(4)), same, same), False) == ""
    assert refusal(against(nw.Conv(4, 3, padding="same"), same, same), False) == ""
    assert refusal(against(nw.Linear(1), same, same), False) == ""
    assert refusal(against(GRU(4), same, Delay()), False) == ""  # what was is to be remembered, not foretold


def test_targets_from_elsewhere_are_not_known() -> None:
    x, y = nw.Input("x", INPUT), nw.Input("y", INPUT)
    assert refusal(nw.Graph(nw.MSE()(nw.Conv(2, 3, padding="same")(x), y)), False) == ""
    assert refusal(nw.Chain(nw.Bidirectional(GRU(3)), input=INPUT), False) == ""
    assert refusal(nw.Chain(nw.Linear(3), input=2), False) == ""
    blurred = nw.Graph(nw.MSE()(nw.Conv(2, 3, padding="same")(x), nw.AvgPool(3, stride=1, padding=1)(x)))
    assert refusal(blurred, False) == ""  # no single position


def test_every_loss_and_every_size_is_asked() -> None:
    x, y = nw.Input("x", ("n", 2)), nw.Input("y", ("m", 2))
    good = nw.MSE()(nw.Linear(2)(GRU(3)(DropLast()(x))), DropFirst()(x))
    bad = nw.MSE()(nw.Linear(2)(nw.Conv(3, 3, padding="same")(DropLast()(y))), DropFirst()(y))
    assert refusal(nw.Graph({"one": good, "two": bad}), False).splitlines()[1] == (
        "  where:    y -> droplast2 -> conv1 -> linear2 -> mse2"
    )
    assert refusal(nw.Graph({"one": good}), False) == ""


TEXTS = ["abc", "abcabc", "ab", "abcab"] * 4


def test_training_is_refused_before_it_begins() -> None:
    net = nw.Chain(nw.Embedding(4), nw.Bidirectional(GRU(4)), nw.Linear(), nw.softmax)
    with pytest.raises(TrainingError) as caught:
        nw.train(net, TEXTS, objective=NextElement(), epochs=1, progress=False)
    assert str(caught.value) == (
        "the net can see the element that it must predict\n"
        "  where:    input -> embedding1 -> bidirectional1/turn -> bidirectional1/backward -> bidirectional1/back"
        " -> bidirectional1/join -> linear1 -> softmax1 -> output\n"
        "  expected: output i predicts input at i + 1, and does not see it\n"
        "  got:      in training, output i sees all of input, "
        "because bidirectional1/turn looks ahead (shown by perturbation)\n"
        "  mend:     leave out nw.Bidirectional at bidirectional1"
    )
    rows = torch.rand(6, 5, 2, generator=torch.Generator().manual_seed(0)).tolist()
    with pytest.raises(TrainingError, match="the net can see the element that it must predict"):
        nw.train(
            against(nw.Conv(4, 3, padding="same"), DropLast(), DropFirst()), {"text": rows}, epochs=1, progress=False
        )
    nw.train(against(GRU(4), DropLast(), DropFirst()), {"text": rows}, epochs=1, progress=False)


SERIES = np.random.default_rng(0).normal(size=(20, 12, 1)).astype(np.float32)
TEXTS = ["hello world", "anna and hannah", "bananas"] * 5


@pytest.mark.parametrize("steps", [1, 3])
def test_pairs_of_a_sequence_and_what_follows_are_asked_as_the_next_element_is(steps) -> None:
    net = nw.Chain(nw.Bidirectional(nw.GRU(4)), nw.Linear(1), input=("n", 1))
    with pytest.raises(TrainingError) as caught:
        nw.train(net, (SERIES[:, :-steps], SERIES[:, steps:]), epochs=1, progress=False)
    assert caught.value.what == "the net can see the element that it must predict"
    assert caught.value.expected == f"output i predicts input at i + {steps}, and does not see it"
    assert caught.value.mend == ("leave out nw.Bidirectional at bidirectional1",)
    sound = nw.Chain(nw.GRU(4), nw.Linear(1), input=("n", 1))
    nw.train(sound, (SERIES[:, :-steps], SERIES[:, steps:]), epochs=1, progress=False)


def test_what_is_a_pair_moved_along() -> None:
    def found(inputs, targets):
        return shifted_pair(source((inputs, targets)), ["input"], ["target"])

    assert found([text[:-1] for text in TEXTS], [text[1:] for text in TEXTS]) == ("input", 1)
    assert found(SERIES[:, :-2], SERIES[:, 2:]) == ("input", 2)
    assert found(SERIES, SERIES) is None  # it gives its input back
    assert found(TEXTS, [text.upper() for text in TEXTS]) is None
    assert found(TEXTS, range(15)) is None


def test_rows_of_a_mixed_table_are_no_shifted_pairs() -> None:
    rows = np.array([[1, 2.5, True], [2, 3.5, False]], dtype=object)
    assert shifted_pair(source((rows, [1.0, 2.0])), ["input"], ["target"]) is None
