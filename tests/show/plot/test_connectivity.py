"""Graphs of connections show what is measured on the net."""

import pytest

import netwright as nw
from netwright.errors import NetError
from netwright.show.plot.connectivity import connections, subscript


def seen(part, length=5, **ports):
    (one,) = connections(nw.Chain(part, **(ports or {"input": ("n", 4)})), "n", length)
    return {i: [j for at, j in one.seen if at == i] for i in range(length)}, one.state


def test_a_convolution_sees_its_window_and_no_holes_of_it():
    assert seen(nw.Conv(4, 3, padding="same"))[0][2] == [1, 2, 3]
    assert seen(nw.Conv(4, 2, padding="causal", dilation=2))[0][4] == [2, 4]


def test_attention_sees_everything_or_the_past():
    full, state = seen(nw.self_attention(4, 1))
    assert full[2] == [0, 1, 2, 3, 4] and state == "none"
    causal, state = seen(nw.self_attention(4, 1, causal=True))
    assert causal[2] == [0, 1, 2] and state == "none"


def test_a_recurrent_net_sees_the_past_through_its_state():
    for part in (nw.GRU(4), nw.Chain(nw.GRU(4), nw.RNN(4))):
        past, state = seen(part)
        assert past[2] == [0, 1, 2] and state == "forward"
    past, state = seen(nw.Chain(nw.Conv(4, 3, padding="causal"), nw.GRU(4)))
    assert past[2] == [0, 1, 2] and state == "none"  # its convolution sees the past without the state


def test_the_graph_of_a_net():
    axes = nw.plot.connectivity(nw.Chain(nw.Conv(4, 3, padding="same"), input=("n", 4)), length=4).axes[0]
    assert axes.get_title() == "output from input: 10 connections"
    assert [text.get_text() for text in axes.texts if text.get_text()] == [
        "x₁",
        "y₁",
        "x₂",
        "y₂",
        "x₃",
        "y₃",
        "x₄",
        "y₄",
    ]
    assert len([text for text in axes.texts if hasattr(text, "arrow_patch")]) == 10
    recurrent = nw.plot.connectivity(nw.Chain(nw.GRU(4), input=("n", 4)), length=4).axes[0]
    assert len([text for text in recurrent.texts if hasattr(text, "arrow_patch")]) == 4 + 3


def test_states_in_both_directions():
    everything, state = seen(nw.Bidirectional(nw.GRU(2)))
    assert everything[0] == [0, 1, 2, 3, 4] and state == "both"
    axes = nw.plot.connectivity(nw.Chain(nw.Bidirectional(nw.GRU(2)), input=("n", 4)), length=4).axes[0]
    assert axes.get_title() == "output from input: 10 connections"
    assert len([text for text in axes.texts if hasattr(text, "arrow_patch")]) == 4 + 2 * 3


def test_one_more_element():
    net = nw.Chain(nw.Embedding(4), nw.self_attention(4, 1, causal=True), input=nw.Characters("abc"))
    axes = nw.plot.connectivity(net, length=4, step=True).axes[0]
    assert [text.get_text() for text in axes.texts if text.get_text()] == ["x₁", "x₂", "x₃", "x₄", "y₄"]
    recurrent = nw.plot.connectivity(nw.Chain(nw.GRU(4), input=("n", 4)), length=4, step=True).axes[0]
    assert [text.get_text() for text in recurrent.texts if text.get_text()] == ["y₃", "x₄", "y₄"]


def test_what_cannot_be_drawn():
    with pytest.raises(NetError) as error:
        nw.plot.connectivity(nw.Chain(nw.self_attention(4, 1), input=("n", 4)), step=True)
    assert str(error.value) == (
        "a net that looks ahead cannot be computed element by element\n"
        "  where:    output from input\n"
        "  expected: a net in which no output sees a later input\n"
        "  mend:     no step=True, which draws all connections"
    )
    with pytest.raises(NetError) as error:
        nw.plot.connectivity(nw.Chain(nw.GRU(4), nw.Last(), input=("n", 4)))
    assert str(error.value) == (
        "no output of this net has positions along n\n"
        "  where:    plot.connectivity\n"
        "  expected: an output for every element of the input"
    )


def test_numbers_below_letters():
    assert subscript("x", 10) == "x₁₀"


def test_a_sequence_that_is_turned_round_sees_no_more_than_it_does():
    turned, state = seen(nw.Reverse())
    assert turned == {i: [4 - i] for i in range(5)} and state == "none"
    past, _ = seen(nw.Chain(nw.GRU(2), nw.Reverse()))
    assert past == {i: [*range(5 - i)] for i in range(5)}
    window, _ = seen(nw.Chain(nw.Conv(2, 2, padding="causal"), nw.Reverse()))
    assert window == {0: [3, 4], 1: [2, 3], 2: [1, 2], 3: [0, 1], 4: [0]}
    both, _ = seen(nw.Residual(nw.Reverse()))
    assert both == {i: sorted({i, 4 - i}) for i in range(5)}
