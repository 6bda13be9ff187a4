"""Tests for `netwright.codecs.sound.spectrum`: the numbers are librosa's, alone and in a batch."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from netwright.codecs.ragged import Ragged
from netwright.codecs.sound.frames import FramedCodec
from netwright.codecs.sound.spectrum import MFCC, Mel, Spectrogram, mel_bands
from netwright.errors import NetError

STORED = np.load(Path(__file__).parents[2] / "oracles" / "stored" / "sound_features.npz")
FRAMES: dict[str, Any] = {"window": 200, "hop": 80}
MELS: dict[str, Any] = {**FRAMES, "low": 60, "high": 3800}
CODECS = {
    "magnitude": lambda edges: Spectrogram(8000, unit="magnitude", edges=edges, **FRAMES),
    "power": lambda edges: Mel(8000, 24, unit="power", edges=edges, **MELS),
    "decibels": lambda edges: Mel(8000, 24, top_db=40, edges=edges, **MELS),
    "mfcc": lambda edges: MFCC(8000, 13, bands=24, top_db=40, edges=edges, **MELS),
}
STORED_NAMES = [name for name in STORED.files if " " in name]


def waves() -> list[Tensor]:
    return [torch.from_numpy(STORED[f"wave{number}"]) for number in range(3)]


@pytest.mark.parametrize("name", STORED_NAMES)
def test_the_numbers_are_those_of_librosa(name: str) -> None:
    what, edges = name.split(" ")
    codec: FramedCodec = CODECS[what[:-1]](edges)
    wave, expected = waves()[int(what[-1])], torch.from_numpy(STORED[name])
    largest = expected.abs().max()
    assert (codec.features(wave) - expected).abs().max() < 1e-9 * max(float(largest), 1)
    assert (codec.features(wave.float()) - expected).abs().max() < 1e-5 * largest
    assert (codec.encode(wave.numpy()) - expected).abs().max() < 1e-6 * largest


def test_the_bands_are_those_of_librosa() -> None:
    assert np.abs(mel_bands(16000, 400, 80, 0.0, None)[:, ::7] - STORED["bands"]).max() < 1e-12


@pytest.mark.parametrize("make", CODECS.values())
def test_alone_as_in_a_batch(make: Any) -> None:
    codec: FramedCodec = make("zeros")
    found = codec.encode_all(waves())
    assert isinstance(found, Ragged)
    for number, wave in enumerate(waves()):
        assert torch.equal(found.row(number), codec.encode(wave))
    together = codec.features(torch.stack([waves()[0], waves()[1][:400]]))
    assert torch.allclose(together[1], codec.features(waves()[1][:400]))


def test_features_have_gradients() -> None:
    wave = waves()[0].requires_grad_()
    CODECS["mfcc"]("zeros").features(wave).sum().backward()
    assert wave.grad is not None
    assert wave.grad.isfinite().all()


def test_silence_is_quiet_and_finite() -> None:
    assert (Mel(16000).encode(np.zeros(800)) == -100).all()
    assert Mel(16000).encode(np.zeros(800)).isfinite().all()


def test_decibels_end_below_the_loudest() -> None:
    loud = Mel(8000, 24, **MELS).encode(np.r_[np.zeros(4000), np.sin(np.arange(4000))])
    assert loud.min() == loud.max() - 80
    assert Mel(8000, 24, top_db=None, **MELS).encode(np.r_[np.zeros(4000), np.sin(np.arange(4000))]).min() == -100


def test_a_tone_is_in_the_band_that_holds_it() -> None:
    tone = np.sin(2 * np.pi * 1000 * np.arange(16000) / 16000)
    strongest = int(Mel(16000, 40).encode(tone)[50].argmax())
    bands = mel_bands(16000, 400, 40, 0.0, None)
    assert bands[1000 * 400 // 16000, strongest] == bands[1000 * 400 // 16000].max()


FAULTS: list[tuple[Any, str]] = [
    (lambda: Mel(16000, unit="bel"), "unit"),
    (lambda: Mel(16000, top_db=0), "top_db is a number of decibels above 0, or None"),
    (lambda: Mel(16000, low=9000), "the bands lie between two frequencies of the sound"),
    (lambda: Mel(16000, high=9000), "the bands lie between two frequencies of the sound"),
    (lambda: Mel(16000, 0), "the number of bands is a whole number of at least 1"),
    (lambda: MFCC(16000, 30, bands=20), "there are no more coefficients than bands"),
    (
        lambda: Mel(16000, 160),
        "the bands are narrower than the steps of the spectrum: 4 of 160 hold no frequency\n"
        "  where:    Mel\n"
        "  expected: fewer bands, or a longer window than 400 samples\n"
        "  mend:     bands=80\n"
        "  or:       window=800",
    ),
]


@pytest.mark.parametrize(("make", "said"), FAULTS)
def test_options_out_of_range(make: Any, said: str) -> None:
    with pytest.raises(NetError) as caught:
        make()
    assert said in str(caught.value)


def test_code_gives_the_codec_back() -> None:
    for codec in (Mel(16000, 40, top_db=None), MFCC(8000, 13, bands=24), Spectrogram(8000, unit="power", hop=80)):
        assert eval(repr(codec)) == codec
