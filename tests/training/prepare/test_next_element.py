"""Training for the next element: codecs and data follow from one column, and what does not fit is a plain error."""

import pytest
import torch

import netwright as nw
from netwright.codecs.codec import LONGEST
from netwright.codecs.text.characters import Characters
from netwright.codecs.text.tokens import Tokens
from netwright.codecs.text.words import Words
from netwright.errors import DataError, SizeError, TrainingError
from netwright.layers.recurrent.gru import GRU
from netwright.net.ports import following_port
from netwright.training.prepare.next_element import NextElement

TEXTS = ["abc", "abcabc", "ab", "abcab"] * 8
LISTS = [["do", "re", "mi"], ["do", "re"], ["re", "mi", "do", "re"]] * 8


def net(*last, **options):
    return nw.Chain(nw.Embedding(4), GRU(8), *(last or (nw.Linear(), nw.softmax)), **options)


def train(part, data, **options):
    return nw.train(part, data, **{"objective": NextElement(), "epochs": 2, "progress": False, **options})


def test_codecs_follow_from_texts_and_the_net_carries_them() -> None:
    run = train(net(), TEXTS)
    assert run.net.inputs["input"] == Characters("abc", mark_start=True)
    assert run.net.outputs["output"] == Characters("abc", mark_end=True)
    assert str(run.choices[0]) == "objective: NextElement() (given)"
    assert "loss: CrossEntropy() (the decoder is Characters('abc', mark_end=True))" in map(str, run.choices)
    assert any(choice.name == "batches" for choice in run.choices)


def test_what_comes_next_is_learned() -> None:
    run = train(net(), TEXTS, epochs=250, validation=TEXTS[:4])
    after = run.net("abcab", nw.raw)  # at position i, what follows i letters
    assert after.shape == (6, 4)
    each = {text: 1 / (len(text) + 1) for text in TEXTS}  # what a position counts: each text counts the same
    ends = [
        each.get("abcab"[:i], 0) / sum(each[text] for text in each if text.startswith("abcab"[:i])) for i in range(6)
    ]
    torch.testing.assert_close(after[:, 3], torch.tensor(ends), atol=0.03, rtol=0)
    assert after[:, :3].argmax(-1).tolist() == [0, 1, 2, 0, 1, 2]
    assert run.epochs[-1].validation["error"] == pytest.approx(
        3 / 20
    )  # the ends of ab, abc and, of the longer two, one


@pytest.mark.parametrize(
    ("codec", "data"),
    [
        (Characters(), TEXTS),
        (Characters("abcd", unknown=True, max_length=4), TEXTS),
        (Characters("abc", mark_end=True, length="letters"), TEXTS),
        (Words(), ["a b", "b a a", "a"] * 4),
        (Tokens(), LISTS),
        (Tokens(["do", "re", "mi"]), LISTS),
    ],
)
def test_codecs_of_sequences(codec, data) -> None:
    run = train(net(input=codec), data, epochs=1)
    encoder, decoder = run.net.inputs["input"], run.net.outputs["output"]
    assert (encoder.mark_start, encoder.mark_end, decoder.mark_start, decoder.mark_end) == (True, False, False, True)
    assert (encoder.size, encoder.max_length, encoder.length) == (decoder.size, codec.max_length, codec.length)
    target = decoder.encode(data[0])
    assert torch.equal(encoder.encode(data[0])[1:], target[:-1])


def test_marks_of_their_own_are_kept() -> None:
    named = Words(mark_start="<s>", mark_end="</s>")
    run = train(net(input=named), ["a b", "b a a", "a"] * 4, epochs=1)
    encoder, decoder = run.net.inputs["input"], run.net.outputs["output"]
    assert encoder == Words(["<s>", "</s>", "a", "b"], mark_start="<s>")
    assert decoder == Words(["<s>", "</s>", "a", "b"], mark_end="</s>")
    assert following_port(run.net) == "input"
    again = train(run.net, ["a b"] * 8, epochs=1).net
    assert (again.inputs, again.outputs) == (run.net.inputs, run.net.outputs)
    said = net(input=Words(mark_start="<s>"), output=Words(mark_end="</s>"))
    assert train(said, ["a b", "b a a", "a"] * 4, epochs=1).net.inputs == run.net.inputs


def test_only_one_mark_with_a_name_is_refused() -> None:
    assert refused(net(input=Characters(mark_start="^")), TEXTS) == (
        "only one of the two marks of a sequence has a name\n"
        "  where:    input 'input'\n"
        "  expected: names for both marks, or for none\n"
        "  got:      mark_start='^', mark_end=True\n"
        "  mend:     Characters(…, mark_start='^', mark_end='…')"
    )


def test_a_window_that_looks_back_alone() -> None:
    back = nw.Chain(nw.Embedding(4), nw.Conv(8, 3, padding="causal"), nw.relu, nw.Linear(), nw.softmax)
    run = train(back, TEXTS, epochs=100, learning_rate=0.02)
    assert run.net("abcab", nw.raw)[:, :3].argmax(-1).tolist() == [0, 1, 2, 0, 1, 2]


def test_training_goes_on_from_a_trained_net_and_the_objective_is_repeated() -> None:
    first = train(net(), TEXTS, epochs=1)
    again = train(first.net, TEXTS, epochs=1)
    assert again.net.inputs == first.net.inputs
    assert again.net != first.net
    same = nw.train(net(), TEXTS, choices=first.choices, progress=False)
    assert same.net == first.net


def test_the_vocabulary_is_of_the_training_part_alone() -> None:
    with pytest.raises(DataError) as caught:
        train(net(), TEXTS, validation=["abx"])
    assert "'x'" in str(caught.value)
    assert caught.value.where.startswith("validation data, port 'input', row 0")


def test_weights_count_sequences() -> None:
    texts = ["a", "b"] * 10
    run = train(net(), texts, weights=[1.0, 3.0] * 10, epochs=60, learning_rate=0.03)
    torch.testing.assert_close(run.net("", nw.raw)[0, :2], torch.tensor([0.25, 0.75]), atol=0.05, rtol=0)


def refused(part, data, kind=TrainingError, **options):
    with pytest.raises(kind) as caught:
        train(part, data, **options)
    return str(caught.value)


def test_which_of_several_inputs_is_predicted() -> None:
    both = nw.Graph(sum=(nw.Add(), "left", "right"), input={"left": 3, "right": 3})
    assert refused(both, TEXTS) == (
        "it is not clear which of several inputs the net predicts\n"
        "  where:    objective\n"
        "  expected: exactly one input whose sequence is as long as the output\n"
        "  got:      output (3,); left (3,), right (3,)\n"
        "  mend:     encoders whose sizes have names of their own, such as nw.Characters(length='m')"
    )


def seq2seq(start: str = "source", said: str = "target") -> nw.Net:
    """The state after the source starts the decoder."""
    source, target = nw.Input(start, Characters()), nw.Input(said, Characters(length="m"))
    state = GRU(16)(nw.Embedding(8)(source))["hidden"]
    read = GRU(16)(nw.Embedding(8)(target), hidden=state)["output"]
    return nw.Graph(nw.softmax(nw.Linear()(read)))


@pytest.mark.parametrize("said", ["target", "said"])
def test_what_is_said_of_a_source(said: str) -> None:
    pairs = [("ab", "ba"), ("abc", "cba"), ("b", "b"), ("ca", "ac")] * 8
    run = train(seq2seq(said=said), pairs, epochs=150, learning_rate=0.01, validation=pairs[:4])
    assert run.net.inputs["source"] == Characters("abc")
    assert run.net.inputs[said] == Characters("abc", length="m", mark_start=True)
    assert run.net.outputs["output"] == Characters("abc", length="m", mark_end=True)
    assert run.epochs[-1].validation["error"] < 0.1
    assert nw.measure(run.net, pairs[:4]).error.value < 0.1
    columns = tuple(map(list, zip(*pairs, strict=True)))
    again = train(seq2seq(said=said), columns, epochs=1, learning_rate=0.01, validation=pairs[:4])
    rows = train(seq2seq(said=said), [{"source": a, said: b} for a, b in pairs], epochs=1, learning_rate=0.01)
    assert again.losses == rows.losses


def test_a_net_that_ends_in_its_loss() -> None:
    whole = nw.with_loss(net(input=Characters("abc")), nw.CrossEntropy())
    assert refused(whole, TEXTS) == (
        "the next element is predicted by a net with inputs and one output, without its loss\n"
        "  where:    objective\n"
        "  got:      inputs input, target; outputs loss"
    )


def test_another_encoder_than_one_of_sequences() -> None:
    for codec in (nw.Array("n <3>"), nw.Each(nw.Category([0, 1, 2]))):
        assert refused(net(input=codec), LISTS) == (
            "predicting the next element needs an encoder of sequences\n"
            "  where:    input 'input'\n"
            "  expected: nw.Characters(), nw.Bytes(), nw.Words(), nw.Subwords() or nw.Tokens()\n"
            f"  got:      {codec}\n"
            "  mend:     net.with_input(nw.Tokens())"
        )
    assert refused(nw.Chain(4, nw.softmax, input=nw.Number(0.0, 1.0)), [1.0, 2.0]) == (
        "the next element comes from a vocabulary, and these data are numbers\n"
        "  where:    input 'input'\n"
        "  expected: nw.Characters(), nw.Bytes(), nw.Words(), nw.Subwords() or nw.Tokens()\n"
        "  got:      Number(0.0, 1.0)\n"
        "  mend:     nw.train(net, ([x[:-1] for x in series], [x[1:] for x in series])), without an objective"
    )
    assert refused(net(), LISTS) == (
        "predicting the next element needs an encoder of sequences\n"
        "  where:    input 'input'\n"
        "  expected: nw.Characters(), nw.Bytes(), nw.Words(), nw.Subwords() or nw.Tokens()\n"
        "  got:      a list, and a net without an encoder\n"
        "  mend:     net.with_input(nw.Tokens())"
    )


def test_numbers_without_an_encoder() -> None:
    series = [[0.5, 1.5, 2.5]] * 8
    assert refused(nw.Chain(nw.GRU(4), nw.Linear(1)), series) == (
        "the next element comes from a vocabulary, and these data are numbers\n"
        "  where:    input 'input'\n"
        "  expected: nw.Characters(), nw.Bytes(), nw.Words(), nw.Subwords() or nw.Tokens()\n"
        "  got:      [0.5, 1.5, 2.5] of type list\n"
        "  mend:     nw.train(net, ([x[:-1] for x in series], [x[1:] for x in series])), without an objective"
    )


def test_an_output_that_is_not_one_for_every_position() -> None:
    assert refused(net(nw.GlobalMaxPool(), nw.Linear(), nw.softmax), TEXTS) == (
        "the net does not predict the next element at every position\n"
        "  where:    output 'output'\n"
        "  expected: (n, ?), a distribution for every element\n"
        "  got:      (?,)\n"
        "  mend:     leave out parts that combine positions, such as nw.Last() or pooling"
    )


def test_another_decoder_than_the_encoder_s_own() -> None:
    assert refused(net(input=Characters("abc"), output=Characters("abcd", mark_end=True)), TEXTS) == (
        "a net that predicts the next element decodes as it encodes\n"
        "  where:    output 'output'\n"
        "  expected: Characters('abc', mark_end=True)\n"
        "  got:      Characters('abcd', mark_end=True)\n"
        "  mend:     leave the decoder out"
    )


def test_a_long_vocabulary_is_cut_in_the_message() -> None:
    many = "".join(map(chr, range(0x4E00, 0x4F00)))
    text = refused(net(input=Characters("abc"), output=Characters(many, mark_end=True)), TEXTS)
    (got,) = [line for line in text.splitlines() if line.startswith("  got:")]
    assert got == "  got:      " + repr(Characters(many, mark_end=True))[: LONGEST - 1] + "…"


def test_an_output_of_another_width_than_the_vocabulary() -> None:
    assert "(n, 4)" in refused(net(nw.Linear(7), nw.softmax), TEXTS, SizeError)


def test_logits_where_the_decoder_reads_probabilities() -> None:
    assert "nw.softmax after linear1" in refused(net(nw.Linear()), TEXTS)


def test_a_net_that_sees_what_it_is_to_predict() -> None:
    both = nw.Chain(nw.Embedding(4), nw.Conv(8, 3, padding="same"), nw.Linear(), nw.softmax)
    assert refused(both, TEXTS).startswith(
        "the net can see the element that it must predict\n"
        "  where:    input -> embedding1 -> conv1 -> linear1 -> softmax1 -> output\n"
    )


def test_columns_where_one_is_wanted() -> None:
    assert refused(net(), (TEXTS, TEXTS), DataError).startswith(
        "a tuple of two columns fits a net with one input and one target"
    )


@pytest.mark.parametrize("wrong", [NextElement, "next"])
def test_an_objective_that_is_none(wrong) -> None:
    assert refused(net(), TEXTS, objective=wrong) == (
        "this is not an objective of training\n"
        "  where:    objective\n"
        "  expected: nw.NextElement(), nw.Alternate(…), or None to compare with the targets in the data\n"
        f"  got:      {wrong!r}\n"
        "  mend:     loss=…, for a function of outputs and targets"
    )


def test_numbers_are_predicted_from_pairs() -> None:
    net = nw.Chain(nw.GRU(4), nw.Linear(1), input=("n", 1))
    with pytest.raises(TrainingError) as caught:
        nw.train(net, [[[1.0], [2.0]], [[3.0], [4.0]]], objective=nw.NextElement(), progress=False)
    assert str(caught.value) == (
        "the next element comes from a vocabulary, and these data are numbers\n"
        "  where:    input 'input'\n"
        "  expected: nw.Characters(), nw.Bytes(), nw.Words(), nw.Subwords() or nw.Tokens()\n"
        "  got:      Array('n 1')\n"
        "  mend:     nw.train(net, ([x[:-1] for x in series], [x[1:] for x in series])), without an objective"
    )


def peek(x, *, lengths):
    """The next element in the place of every 16th."""
    places = torch.arange(x.shape[1])
    ahead = (places % 16 == 9) & (places + 1 < x.shape[1])  # (n,)
    return torch.where(ahead[None, :, None], x.roll(-1, 1), x)  # (b, n, d)


def test_a_net_that_seldom_looks_ahead_is_refused_too() -> None:
    leaks = nw.Chain(nw.Embedding(4), nw.Function(peek, "n d -> n d"), nw.Linear(), nw.softmax)
    with pytest.raises(TrainingError, match="the net can see the element that it must predict"):
        train(leaks, TEXTS)
