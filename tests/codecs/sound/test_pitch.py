"""Tests for `netwright.codecs.sound.pitch`: hertz of probabilities, and probabilities of hertz."""

import numpy as np
import pytest
import torch

import netwright as nw
from netwright.codecs.sound.pitch import Pitch
from netwright.errors import DataError, NetError


def test_a_pitch_comes_back() -> None:
    hertz = np.geomspace(40, 1900, 50)
    found = Pitch().decode(Pitch().encode(hertz))
    assert np.abs(1200 * np.log2(found / hertz)).max() < 5


def test_frames_without_a_pitch() -> None:
    codec = Pitch(least=0.5)
    encoded = codec.encode([0.0, 220.0])
    assert not encoded[0].any()
    assert encoded[1].max() > 0.9
    assert codec.decode(encoded)[0] == 0
    assert codec.decode(encoded * 0.4).tolist() == [0, 0]
    assert Pitch().decode(torch.zeros(2, 360)).tolist() == [0, 0]


def test_only_the_steps_around_the_best_count() -> None:
    output = Pitch().encode([220.0])
    output[0, 300] = 0.5
    assert Pitch().decode(output)[0] == pytest.approx(220, rel=1e-3)


def test_the_sureness_is_the_best_probability() -> None:
    output = Pitch().encode([220.0]) * 0.7
    ((hertz, chance),) = Pitch().decode(output, nw.Top(1))[0].items()
    assert hertz == pytest.approx(220, rel=0.01)
    assert chance == pytest.approx(0.7, rel=0.1)
    assert len(Pitch().decode(output, nw.probabilities)[0]) == 360


def test_a_net_learns_a_pitch_by_the_binary_cross_entropy() -> None:
    net = nw.Chain(nw.Linear(360), nw.sigmoid, input="n 2", output=Pitch())
    run = nw.train(net, ([np.ones((3, 2), np.float32)] * 4, [[220.0] * 3] * 4), epochs=1, progress=False)
    assert "binary" in str(next(choice for choice in run.choices if choice.name == "loss"))


def test_what_is_no_pitch() -> None:
    with pytest.raises(DataError) as caught:
        Pitch().encode([220.0, 5.0])
    assert str(caught.value) == (
        "the pitch is outside of the steps\n"
        "  where:    frame 1\n"
        "  expected: 31.7 to 2005.5 Hz, or 0 for none\n"
        "  got:      5"
    )
    with pytest.raises(DataError):
        Pitch().encode([])
    with pytest.raises(NetError) as refused:
        Pitch(least=2)
    assert str(refused.value).startswith("a probability is from 0 to 1")
