"""Tests for `netwright.codecs.sound.recording`: files, bytes and arrays, and what is no sound."""

import io
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import torch

from netwright.codecs.sound.audio import Audio
from netwright.codecs.sound.recording import rate_of, rates_in_words, samples_of, takes_sound
from netwright.errors import DataError, MissingExtraError

WAVE = np.sin(np.arange(800) / 5).astype(np.float32) / 2


def content(form: str = "WAV", subtype: str | None = None, wave: Any = WAVE, rate: int = 8000) -> bytes:
    made = io.BytesIO()
    soundfile.write(made, wave, rate, format=form, subtype=subtype)
    return made.getvalue()


@pytest.mark.parametrize(("form", "subtype", "near"), [
    ("WAV", "PCM_16", 1e-4), ("WAV", "FLOAT", 0), ("WAV", "PCM_U8", 1e-2), ("FLAC", "PCM_16", 1e-4),
    ("OGG", "VORBIS", 0.1), ("AIFF", "PCM_24", 1e-6),
])  # fmt: skip
def test_files_of_many_kinds(tmp_path: Path, form: str, subtype: str, near: float) -> None:
    path = tmp_path / "sound"
    path.write_bytes(content(form, subtype))
    for raw in (path, str(path), path.read_bytes()):
        wave, rate = samples_of(raw, 16000)
        assert rate == 8000
        assert wave.dtype == torch.float32
        assert np.abs(wave.numpy() - WAVE).max() <= near


def test_channels_are_averaged(tmp_path: Path) -> None:
    both = np.stack([WAVE, -WAVE / 2], 1)
    soundfile.write(tmp_path / "a.wav", both, 8000, subtype="FLOAT")
    for raw in (tmp_path / "a.wav", both, torch.from_numpy(both)):
        assert np.allclose(samples_of(raw, 8000)[0].numpy(), WAVE / 4)


def test_arrays_of_integers_are_divided_by_their_largest_value() -> None:
    assert samples_of(np.array([-32768, 0, 16384], np.int16), 8)[0].tolist() == [-1, 0, 0.5]
    assert samples_of(np.array([-(2**31), 2**30], np.int32), 8)[0].tolist() == [-1, 0.5]
    assert samples_of(np.array([0, 128, 192], np.uint8), 8)[0].tolist() == [-1, 0, 0.5]
    assert samples_of(np.array([0.5], np.float16), 8)[0].dtype == torch.float32
    assert samples_of(np.array([0.5]), 8)[0].dtype == torch.float64


def test_an_array_with_its_rate() -> None:
    assert samples_of((WAVE, 44100), 16000)[1] == 44100
    assert samples_of(WAVE, 16000)[1] == 16000
    assert rate_of((WAVE, 44100), 16000) == 44100
    assert rate_of(content(), 16000) == 8000
    assert rate_of("no such file", 16000) == 16000


def test_the_rates_of_many_sounds_in_words() -> None:
    sounds = [WAVE, (WAVE, 8000), (WAVE, 44100), content()]
    assert rates_in_words(sounds, 16000) == "2 of 4 from 8000 Hz, 1 of 4 from 44100 Hz"
    assert rates_in_words([WAVE], 16000) == ""


def test_what_is_one_sound_by_its_form() -> None:
    assert all(map(takes_sound, ("a.wav", Path("a.wav"), b"RIFF", WAVE, (WAVE, 8), np.zeros((50, 2)))))
    assert not any(map(takes_sound, ([WAVE], (WAVE, WAVE), np.zeros((2, 50)), np.zeros((50, 2, 2)), 3)))


def fault(raw: Any) -> str:
    with pytest.raises(DataError) as caught:
        samples_of(raw, 16000)
    return str(caught.value)


def test_what_is_no_sound(tmp_path: Path) -> None:
    assert fault(3) == (
        "this is not a sound\n"
        "  expected: a path, the bytes of a file, an array of samples, or (samples, rate in hertz)\n"
        "  got:      3 of type int"
    )
    assert fault((WAVE, "8000")) == (
        "this is not a sound with its rate\n"
        "  expected: (samples, rate in hertz), an array and a whole number\n"
        "  got:      (an array of shape (800,) and type float32, '8000' of type str)"
    )
    assert fault(np.zeros((2, 800))) == (
        "the array does not have the axes of a sound\n"
        "  expected: (samples,) or (samples, channels), with at most 8 channels\n"
        "  got:      (2, 800)\n"
        "  mend:     array.T, if the channels come first"
    )
    assert fault(np.zeros(3, np.int64)) == (
        "it is not known how loud these integers can be\n"
        "  expected: floats in -1..1, or int16, int32 or uint8\n"
        "  got:      an array of shape (3,) and type int64\n"
        "  mend:     divide by the largest value that they can have"
    )


def test_empty_sounds_and_numbers_that_are_none(tmp_path: Path) -> None:
    assert fault(np.zeros(0)) == "the sound is empty\n  got:      0 samples\n  mend:     leave it out"
    broken = WAVE.copy()
    broken[17] = np.nan
    said = "the sound holds NaN\n  where:    sample 17\n  mend:     leave it out, or fill in a value"
    assert fault(broken) == said
    soundfile.write(tmp_path / "a.wav", broken, 8000, subtype="FLOAT")
    assert fault(tmp_path / "a.wav") == said.replace("sample 17", f"{tmp_path / 'a.wav'}, sample 17")
    broken[17] = np.inf
    assert fault(broken).startswith("the sound holds infinity\n")
    soundfile.write(tmp_path / "b.wav", WAVE[:0], 8000)
    assert fault(tmp_path / "b.wav").startswith("the sound is empty\n")


def test_files_that_are_no_sounds(tmp_path: Path) -> None:
    text = tmp_path / "text.wav"
    text.write_text("This is a text, and no sound at all.")
    assert fault(text).startswith(
        f"this file cannot be read as a sound\n  where:    {text}\n"
        "  expected: a file of WAV, FLAC, OGG, MP3, AIFF or AU, whole\n  got:      "
    )
    empty = tmp_path / "empty.wav"
    empty.write_bytes(b"")
    assert fault(empty) == (f"the file is empty\n  where:    {empty}\n  expected: a sound file\n  got:      0 bytes")
    soundfile.write(tmp_path / "speech.wav", WAVE, 8000)
    assert fault(tmp_path / "spech.wav").startswith(
        f"there is no such file\n  where:    {tmp_path / 'spech.wav'}\n  mend:     did you mean 'speech.wav'"
    )
    assert fault(tmp_path).startswith(f"this is not a file\n  where:    {tmp_path}\n  expected: a sound file\n")


def test_a_small_file_that_claims_hours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("netwright.codecs.sound.recording.MEMORY", 0)
    monkeypatch.setattr("netwright.codecs.sound.recording.MEMORY_A_BYTE", 1)
    assert fault(content("FLAC", wave=np.zeros(8000))).startswith(
        "the sound has too many samples for the size of its file\n  expected: at most "
    )


def test_a_row_is_named() -> None:
    with pytest.raises(DataError) as caught:
        Audio(16000).encode_all([WAVE, WAVE, np.zeros(0)])
    assert str(caught.value) == (
        "the sound is empty\n  where:    row 2\n  got:      0 samples\n  mend:     leave it out"
    )


def test_a_file_without_the_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "soundfile", None)
    with pytest.raises(MissingExtraError) as caught:
        samples_of(tmp_path / "a.wav", 8000)
    assert str(caught.value) == (
        "reading a sound from a file needs the package soundfile, which is not installed\n"
        '  mend:     pip install "netwright[sound]"'
    )
