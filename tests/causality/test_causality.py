"""What a net sees is proved, or shown by perturbation: every planted leak is found both ways, and no net is wronged."""

import pytest

import netwright as nw
from causality.causal_nets import CAUSAL, INPUT, LEAKS, Masked, attention
from netwright.causality.causality import causality, offsets_of, seen_text, sight_of
from netwright.errors import NetError
from netwright.layers.recurrent.gru import GRU
from netwright.layers.sequence import Delay, DropFirst


def shown(net: nw.Net, training: bool) -> frozenset[int]:
    """The offsets at which perturbation shows a change in the first output, whatever was proved."""
    sight = sight_of(net, "n", training)
    found = offsets_of(net, sight, sight.sources[0], net.plan.wiring.outputs[0][1])
    assert found is not None
    return found[net.plan.wiring.outputs[0][1]]


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("name", CAUSAL)
def test_a_causal_net_is_proved_to_be_one(name: str, training: bool) -> None:
    net = CAUSAL[name]()
    found = causality(net, training=training)
    assert found.causal
    first = found.dependencies[0]
    assert (first.verdict, first.ahead if first.high < 0 else "") == ("proved", "")
    if "sequences" not in name:
        assert max(shown(net, training)) == first.high


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("name", LEAKS)
def test_a_planted_leak_is_found_by_proof_and_by_perturbation(name: str, training: bool) -> None:
    make, ahead = LEAKS[name]
    net = make()
    found = causality(net, training=training)
    assert not found.causal
    first = found.dependencies[0]
    assert first.high > 0
    assert (first.verdict, first.ahead) == ("shown", ahead)
    assert max(shown(net, training)) > 0


def test_a_norm_over_positions_looks_ahead_in_training_alone() -> None:
    for norm in (nw.BatchNorm(), nw.Map([nw.Linear(3), nw.BatchNorm()])):
        net = nw.Chain(GRU(3), norm, input=INPUT)
        use, training = causality(net), causality(net, training=True)
        assert (use.causal, use.dependencies[0].verdict, max(shown(net, False))) == (True, "proved", 0)
        assert (training.causal, training.dependencies[0].verdict) == (False, "shown")


def test_what_is_not_proved_and_not_shown_is_allowed_and_said() -> None:
    found = causality(attention(Masked(float("-inf"))))
    assert found.causal
    assert str(found) == (
        "along n, in use: causal\noutput i sees all of input: matmul2 may look ahead, but perturbation showed nothing"
    )


def test_what_cannot_be_run_yet_is_open() -> None:
    found = causality(nw.Chain(nw.Bidirectional(GRU(3)), nw.Linear(), input=INPUT), training=True)
    assert not found.causal
    assert str(found) == (
        "along n, in training: not causal\n"
        "output i sees all of input: bidirectional1/turn may look ahead, and perturbation could not decide it"
    )


def test_an_output_without_positions_is_not_ahead_of_anything() -> None:
    found = causality(nw.Chain(GRU(3), input=INPUT))
    assert str(found) == (
        "along n, in use: causal\n"
        "output i sees input up to i: proved\n"
        "hidden sees all of input: it has no positions of its own"
    )


def test_every_input_and_output_has_its_own_answer() -> None:
    x, y = nw.Input("x", ("n", 2)), nw.Input("y", ("n", 2))
    net = nw.Graph(
        {"late": Delay(2)(x), "both": nw.Add()(DropFirst()(x), nw.Slice((None, -1), axis=0)(y)), "plain": nw.tanh(y)}
    )
    assert [(d.output, d.input, d.low, d.high, d.verdict, d.path) for d in causality(net).dependencies] == [
        ("late", "x", -2, -2, "proved", ("delay1",)),
        ("both", "x", 1, 1, "shown", ("dropfirst1", "add1")),
        ("both", "y", 0, 0, "proved", ("slice1", "add1")),
        ("plain", "y", 0, 0, "proved", ("tanh1",)),
    ]


def test_along_a_size_within_another() -> None:
    inner = nw.Chain(nw.Map([nw.Conv(3, 3, padding="same"), GRU(2)]), input=nw.Array("n m[n] 2"))
    assert str(causality(inner, "m")) == (
        "along m, in use: not causal\n"
        "output i sees input up to i + 1: map1/body/conv1 looks ahead, shown by perturbation\n"
        "hidden sees all of input: it has no positions of its own"
    )
    assert str(causality(inner)) == (
        "along n, in use: causal\noutput i sees input at i: proved\nhidden i sees input at i: proved"
    )
    assert inner.plan.varying == ("m", "n")


def test_a_size_that_no_input_has() -> None:
    with pytest.raises(NetError) as caught:
        causality(nw.Chain(GRU(3), input=("length", 2)), "lenght")
    assert str(caught.value) == (
        "no input of the net has a size 'lenght'\n"
        "  where:    causality\n"
        "  expected: length\n"
        "  mend:     did you mean 'length'?"
    )
    with pytest.raises(NetError) as caught:
        causality(nw.Chain(3, input=2))
    assert str(caught.value) == (
        "no input of the net has a size 'n'\n  where:    causality\n  expected: an input such as input=('n', 3)"
    )


@pytest.mark.parametrize(
    ("low", "high", "text"),
    [
        (float("-inf"), float("inf"), "all of x"),
        (float("-inf"), -1, "x up to i - 1"),
        (2, float("inf"), "x from i + 2 on"),
        (-1, 1, "x from i - 1 to i + 1"),
        (0, 0, "x at i"),
    ],
)
def test_positions_in_words(low: float, high: float, text: str) -> None:
    assert seen_text("x", low, high) == text


def test_its_repr_is_its_text() -> None:
    found = causality(nw.Chain(nw.GRU(3), input=("n", 2)))
    assert repr(found) == str(found)
