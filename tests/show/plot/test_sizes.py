"""Curves of cost come from formulas, a receptive field is where gradients are, and speed is measured for each batch."""

import numpy as np
import pytest
import torch

import netwright as nw
from netwright.errors import DataError, NetError, PathError

RECURRENT = nw.Chain(nw.GRU(32), input=("n", 32))
ATTENTIVE = nw.Chain(nw.self_attention(32, 4), input=("n", 32))
CONVOLUTIONS = nw.initialize(nw.Chain(nw.Conv(4, 3), nw.tanh, nw.Conv(4, 3, stride=2), input=(12, 14, 1)), seed=0)


def slope(line) -> float:
    """By what power of the length a curve grows at its end."""
    x, y = (np.log2(np.asarray(values, dtype=float)) for values in line.get_data())
    return float((y[-1] - y[-10]) / (x[-1] - x[-10]))


def test_recurrent_nets_grow_with_the_length_and_attention_with_its_square():
    lines = nw.plot.growth({"recurrent": RECURRENT, "attention": ATTENTIVE}, "n", 1 << 20).axes[0].lines
    assert [line.get_label() for line in lines] == ["recurrent: 6,144·n", "attention: 64·n² + 4,096·n"]
    assert [slope(line) for line in lines] == pytest.approx([1, 2], abs=0.01)
    x, y = lines[1].get_data()
    assert [int(value) for value in y] == [64 * int(n) ** 2 + 4096 * int(n) for n in x]


def test_memory_grows_too():
    figure = nw.plot.growth(ATTENTIVE, "n", 64, of="kept")
    assert figure.axes[0].get_ylabel() == "bytes kept of an example"
    assert figure.axes[0].lines[0].get_label() == "656·n"


def test_the_field_of_two_convolutions():
    figure = nw.plot.receptive_field(CONVOLUTIONS, torch.rand(12, 14, 1), "conv2", (1, 2))
    assert figure.axes[0].get_title() == "conv2 at (1, 2) sees 5 × 5 of 12 × 14 inputs"
    seen = np.argwhere(np.asarray(figure.axes[0].images[0].get_array()) > 0)
    assert (seen.min(0).tolist(), seen.max(0).tolist()) == ([2, 4], [6, 8])
    frame = figure.axes[0].patches[0]
    assert (frame.get_xy(), frame.get_width(), frame.get_height()) == ((3.5, 1.5), 5, 5)


def test_the_field_of_several_examples_and_of_a_sequence():
    figure = nw.plot.receptive_field(CONVOLUTIONS, [torch.rand(12, 14, 1) for _ in range(3)], "conv1")
    assert figure.axes[0].get_title() == "conv1 at (5, 6) sees 3 × 3 of 12 × 14 inputs"
    causal = nw.initialize(nw.Chain(nw.Conv(4, 3, padding="causal"), nw.tanh, input=("n", 2)), seed=0)
    figure = nw.plot.receptive_field(causal, torch.rand(10, 2), "tanh1", (7,))
    assert figure.axes[0].get_title() == "tanh1 at 7 sees 3 of 10 inputs"
    assert [bar.get_height() > 0 for bar in figure.axes[0].patches[:10]] == [i in (5, 6, 7) for i in range(10)]


def test_throughput_has_a_point_for_each_batch():
    net = nw.initialize(nw.Chain(8, nw.relu, 2, input=4), seed=0)
    (line,) = nw.plot.throughput(net, torch.rand(3, 4), batches=np.array([1, 4, 16])).axes[0].lines
    x, y = line.get_data()
    assert list(x) == [1, 4, 16] and all(rate > 0 for rate in y)


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (
            lambda: nw.plot.growth(RECURRENT, "m"),
            NetError,
            "the cost is no curve along 'm'\n  where:    plot.growth\n"
            "  expected: a net that depends on 'm' and on no other size\n  got:      n",
        ),
        (
            lambda: nw.plot.growth({"dense": nw.Chain(3, 2)}, "n"),
            NetError,
            "the cost of 'dense' is no curve along 'n'\n  where:    plot.growth\n"
            "  expected: a net that depends on 'n' and on no other size\n  got:      sizes that are not known",
        ),
        (
            lambda: nw.plot.growth(RECURRENT, "n", of="keep"),  # pyright: ignore[reportArgumentType]
            NetError,
            "there is no such cost\n  where:    plot.growth\n  expected: multiply_adds, kept, training, use\n"
            "  got:      'keep'\n  mend:     did you mean 'kept'?",
        ),
        (
            lambda: nw.plot.growth(RECURRENT, "n", 1),
            NetError,
            "the longest length is a whole number of at least 2\n  where:    plot.growth\n  got:      1",
        ),
        (
            lambda: nw.plot.growth({}, "n"),
            NetError,
            "there is no net whose cost could be drawn\n  where:    plot.growth\n"
            "  expected: a net, or several by name\n  got:      {}",
        ),
        (
            lambda: nw.plot.growth(RECURRENT, "n", of=["kept"]),  # pyright: ignore[reportArgumentType]
            NetError,
            "there is no such cost\n  where:    plot.growth\n  expected: multiply_adds, kept, training, use\n"
            "  got:      ['kept']\n  mend:     did you mean 'kept'?",
        ),
        (
            lambda: nw.plot.throughput(CONVOLUTIONS, 5),  # pyright: ignore[reportArgumentType]
            DataError,
            "these are not several values\n  where:    plot.throughput\n"
            "  expected: a list: examples, as the net takes them\n  got:      5",
        ),
        (
            lambda: nw.plot.throughput(CONVOLUTIONS, torch.rand(1, 12, 14, 1), 8),  # pyright: ignore[reportArgumentType]
            DataError,
            "these are not several values\n  where:    plot.throughput\n"
            "  expected: a list: how many are given at once\n  got:      8",
        ),
        (
            lambda: nw.plot.throughput(CONVOLUTIONS, []),
            DataError,
            "there is nothing to measure\n  where:    plot.throughput\n  expected: an example and a batch at least\n"
            "  got:      0 examples, 9 batches",
        ),
        (
            lambda: nw.plot.throughput(CONVOLUTIONS, torch.rand(1, 12, 14, 1), batches=(0,)),
            NetError,
            "a batch is a whole number of at least 1\n  where:    plot.throughput\n  got:      0",
        ),
        (
            lambda: nw.plot.receptive_field(CONVOLUTIONS, torch.rand(12, 14, 1), "conv2", (9, 9)),
            DataError,
            "the output of conv2 has no such place\n  where:    plot.receptive_field\n"
            "  expected: a place of 4 × 5, counted from 0\n  got:      (9, 9)",
        ),
    ],
)
def test_bad_input_is_a_plain_error(call, error, text):
    with pytest.raises(error) as caught:
        call()
    assert str(caught.value) == text


def test_a_vector_has_no_field_that_can_be_drawn():
    with pytest.raises(DataError) as caught:
        nw.plot.receptive_field(nw.initialize(nw.Chain(8, 2, input=4), seed=0), torch.rand(4), "linear1")
    assert "only pictures and sequences of numbers have a receptive field" in str(caught.value)
    with pytest.raises(PathError):
        nw.plot.receptive_field(CONVOLUTIONS, torch.rand(12, 14, 1), "conv7")


@pytest.mark.parametrize("place", [5, ("a", 0), (1.5, 0), (0, 0, 0)])
def test_what_is_no_place(place):
    net = nw.initialize(nw.Chain(nw.Conv(2, 3), input=(5, 5, 1)))
    with pytest.raises(DataError) as error:
        nw.plot.receptive_field(net, torch.rand(5, 5, 1), "conv1", place)
    assert str(error.value) == (
        "the output of conv1 has no such place\n  where:    plot.receptive_field\n"
        f"  expected: a place of 3 × 3, counted from 0\n  got:      {place!r}"
    )
