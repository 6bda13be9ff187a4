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
