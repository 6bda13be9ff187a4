"""A net unrolled in time has each part once for each element, and what it sees is measured."""

from collections import Counter

import netwright as nw


def drawn(net, **options):
    axes = nw.plot.unrolled(net, **options).axes[0]
    texts = Counter(text.get_text() for text in axes.texts if text.get_text())
    return texts, sum(hasattr(text, "arrow_patch") for text in axes.texts)


def test_a_stack_of_recurrent_layers():
    texts, arrows = drawn(nw.Chain(nw.GRU(4), nw.GRU(4), input=("n", 4)), steps=4)
    assert texts["gru1"] == texts["gru2"] == 4 and texts["s₀"] == 2 and texts["y₄"] == 1
    assert arrows == 2 * (4 + 3 + 1) + 4


def test_both_directions():
    texts, arrows = drawn(nw.Chain(nw.Bidirectional(nw.GRU(2)), input=("n", 4)))
    assert texts["bidirectional1"] == 3 and texts["s₀"] == 0 and arrows == 3 + 2 * 2 + 3


def test_a_part_with_one_value_has_arrows_from_what_it_sees():
    _, of_last = drawn(nw.Chain(nw.GRU(4), nw.Last(), nw.Linear(2), input=("n", 4)))
    _, of_mean = drawn(nw.Chain(nw.GRU(4), nw.Mean(0), nw.Linear(2), input=("n", 4)))
    assert of_mean - of_last == 2


def test_a_net_that_is_one_part_is_one_row():
    texts, arrows = drawn(nw.RNN(4).with_input(("n", 4)))
    assert texts["RNN"] == 3 and arrows == 3 + 3 + 3


def test_a_window():
    texts, arrows = drawn(nw.Chain(nw.Embedding(4), nw.Conv(4, 3, padding="same"), input=nw.Characters("abc")))
    assert texts["conv1"] == 3 and arrows == 3 + 7 + 3


def test_both_directions_part_by_part():
    texts, arrows = drawn(nw.Bidirectional(nw.GRU(2), input=("n", 4)))
    assert texts["forward"] == texts["backward"] == texts["join"] == 3 and texts["turn"] == texts["back"] == 0
    assert texts["s₀"] == 2 and arrows == 3 * (1 + 1 + 2) + 2 * (2 + 1) + 3
    texts, arrows = drawn(nw.Bidirectional(nw.GRU(2), last=True, input=("n", 4)))
    assert texts["backward_last"] == texts["output"] == 1 and arrows == 3 * 2 + 2 * 3 + 1 + 1 + 2 + 1


def test_a_reversed_sequence_is_read_from_its_end():
    axes = nw.plot.unrolled(nw.Chain(nw.Reverse(), nw.GRU(2), input=("n", 4))).axes[0]
    (first,) = [text for text in axes.texts if text.get_text() == "y₁"]
    (last,) = [text for text in axes.texts if text.get_text() == "x₃"]
    assert first.get_position()[0] == last.get_position()[0]


def test_an_output_behind_what_reverses():
    texts, _ = drawn(nw.Chain(nw.Reverse(), nw.GRU(2), nw.Reverse(), input=("n", 4)))
    assert texts["gru1"] == 3 and texts["reverse1"] == texts["reverse2"] == 0


def test_the_state_of_a_fold_and_none_of_a_map():
    core = nw.Graph(sum=(nw.Add(), "input", "state"), input={"input": 1, "state": 1})
    texts, arrows = drawn(nw.Fold(core))
    assert texts["Fold"] == 3 and texts["s₀"] == 1 and arrows == 3 + 3 + 3
    sentences = nw.Chain(nw.Map(nw.Chain(nw.GRU(4), nw.Last())), nw.Linear(2), input=nw.Array("n m[n] 3"))
    texts, arrows = drawn(sentences)  # its GRU runs along m, not along n
    assert texts["map1"] == 3 and texts["s₀"] == 0 and arrows == 3 * 3


def test_the_windows_of_a_chain_add_up():
    causal = nw.Conv(2, 2, padding="causal")
    _, arrows = drawn(nw.Chain(nw.Chain(causal, causal), input=("n", 4)), steps=4)
    assert arrows == (1 + 2 + 3 + 3) + 4
