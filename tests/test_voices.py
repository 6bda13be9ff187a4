"""Made words of the page about sound: what is varied stays a sound of the same word, and tones say what letters are."""

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "book"))

import voices
from recordings import RATE, Said
from voices import Varied, made, sung, varied


def test_a_text_is_sung_with_a_tone_for_each_letter():
    one, other = sung(["ab", "c"], "low", 0.9)
    assert (one.speaker, one.text, other.text) == ("low", "ab", "c")
    assert np.abs(one.wave).max() == pytest.approx(1)
    spectrum = np.abs(np.fft.rfft(other.wave))
    assert spectrum.argmax() * RATE / len(other.wave) == pytest.approx(270 * 2 ** (2 / 9), rel=0.02)


def test_a_varied_wave_is_faster_or_slower_and_never_the_same_twice():
    wave = np.sin(np.arange(4000) / 3).astype(np.float32)
    lengths = [len(varied(wave, np.random.default_rng(seed))) for seed in range(20)]
    assert min(lengths) >= 4000 / 1.25 - 1 and max(lengths) <= 4000 / 0.8 + 2 * RATE // 8
    assert len(set(lengths)) > 10
    pairs = Varied([Said("a", "word", wave)] * 3, seed=0)
    assert len(pairs) == 3 and pairs[0][1] == "word"
    assert not np.array_equal(pairs[1][0], pairs[1][0])
    assert np.array_equal(Varied(pairs.examples, seed=1)[0][0], Varied(pairs.examples, seed=1)[0][0])


@pytest.mark.parametrize(("voice", "program"), [("slt", "flite"), (("en-us", 50, 160), "espeak-ng")])
def test_a_program_that_is_not_installed_is_named(voice, program, monkeypatch, tmp_path):
    monkeypatch.setenv("NETWRIGHT_CACHE", str(tmp_path))
    monkeypatch.setattr(voices.shutil, "which", lambda name: None)
    with pytest.raises(FileNotFoundError) as caught:
        made(["seven"], [voice])
    assert str(caught.value) == f"the program {program} is not installed: apt-get install {program}"
