"""Tests for `netwright.codecs.sound.audio`: the wave of a sound as a net reads it."""

import numpy as np
import pytest
import torch

import netwright as nw
from netwright.codecs.ragged import Ragged
from netwright.codecs.sound.audio import Audio
from netwright.errors import DataError, NetError

WAVE = np.sin(np.arange(400) / 5).astype(np.float32)


def test_a_wave_has_one_channel_and_comes_back() -> None:
    codec = Audio(8000)
    encoded = codec.encode(WAVE)
    assert encoded.shape == (400, 1)
    assert encoded.dtype == torch.float32
    assert (codec.encoded, codec.decoded, codec.answer) == ("n 1", "n 1", "numbers")
    assert np.array_equal(codec.decode(encoded), WAVE)
    assert Audio(8000, length="samples").encoded == "samples 1"


def test_sounds_of_other_rates_are_resampled_and_counted() -> None:
    codec = Audio(16000)
    assert codec.encode((WAVE, 8000)).shape == (800, 1)
    assert codec.converted([WAVE, (WAVE, 8000)]) == "1 of 2 from 8000 Hz"


def test_sounds_of_a_fixed_length_are_cut_or_filled_up() -> None:
    codec = Audio(8000, seconds=0.04)
    assert codec.encoded == "320 1"
    assert np.array_equal(codec.encode(WAVE)[:, 0].numpy(), WAVE[:320])
    filled = codec.encode(WAVE[:100])[:, 0].numpy()
    assert np.array_equal(filled[:100], WAVE[:100])
    assert not filled[100:].any()
    assert codec.encode_all([WAVE, WAVE[:7]]).shape == (2, 320, 1)


def test_what_is_cut_off_before_resampling_changes_nothing() -> None:
    long = np.random.default_rng(0).standard_normal(44100 * 2).astype(np.float32)
    cut, whole = Audio(16000, seconds=0.5).encode((long, 44100)), Audio(16000).encode((long, 44100))
    assert torch.allclose(cut, whole[:8000], atol=1e-6)


def test_varying_lengths_are_ragged() -> None:
    found = Audio(8000).encode_all([WAVE, WAVE[:9]])
    assert isinstance(found, Ragged)
    assert found.lengths[0].tolist() == [400, 9]


def test_a_net_reads_arrays_alone_as_in_a_batch() -> None:
    net = nw.initialize(
        nw.Chain(nw.Conv(4, 5, padding="same"), nw.relu, nw.GlobalAvgPool(), nw.Linear(2), input=Audio(8000))
    )
    rows = net([WAVE, WAVE[:90], (WAVE[:50], 4000)])
    for row, raw in zip(rows, (WAVE, WAVE[:90], (WAVE[:50], 4000)), strict=True):
        assert torch.allclose(row, net(raw), atol=1e-6)


def test_one_sound_in_place_of_many() -> None:
    with pytest.raises(DataError) as caught:
        Audio(8000).encode_all("a.wav")
    assert str(caught.value) == ("this is one sound, not many\n  got:      'a.wav'\n  mend:     [path], a list of one")


def test_options_out_of_range() -> None:
    said = []
    for options in ({"rate": 0}, {"rate": 8000, "seconds": 1e-9}, {"rate": 8000, "length": "a b"}):
        with pytest.raises(NetError) as caught:
            Audio(**options)  # pyright: ignore[reportArgumentType]
        said.append(str(caught.value).split("\n")[0])
    assert said == [
        "the rate in hertz is a whole number of at least 1",
        "a sound has at least one sample",
        "length is the name of a size",
    ]


def test_code_gives_the_codec_back() -> None:
    codec = Audio(8000, seconds=0.5)
    assert eval(repr(codec)) == codec
    assert repr(codec) == "Audio(8000, seconds=0.5)"
