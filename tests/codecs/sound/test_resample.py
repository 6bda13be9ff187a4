"""Tests for `netwright.codecs.sound.resample`."""

import pytest
import torch
from torch import Tensor

from netwright.codecs.sound.resample import at_rate

MIDDLE = slice(1000, -1000)


def tone(hertz: float, rate: int, seconds: float = 1.0) -> Tensor:
    return torch.sin(2 * torch.pi * hertz * torch.arange(round(rate * seconds), dtype=torch.float64) / rate)


@pytest.mark.parametrize("rates", [(44100, 16000), (8000, 16000), (48000, 16000), (22050, 16000), (16000, 11025)])
def test_tones_that_both_rates_can_hold_are_the_same_tones(rates: tuple[int, int]) -> None:
    old, new = rates
    for share in (0.01, 0.5, 0.88):
        hertz = share * min(rates) / 2
        found, expected = at_rate(tone(hertz, old), old, new), tone(hertz, new)
        assert found.shape == expected.shape
        assert (found - expected)[MIDDLE].abs().max() < 1e-4


def test_tones_that_the_new_rate_cannot_hold_are_a_hundred_decibels_weaker() -> None:
    for hertz in (8050, 9000, 15000, 20000):
        assert at_rate(tone(hertz, 44100), 44100, 16000)[MIDDLE].abs().max() < 1e-5


def test_a_mean_stays_and_the_length_is_rounded_up() -> None:
    found = at_rate(torch.ones(4410, dtype=torch.float64), 44100, 16000)
    assert (found[500:-500] - 1).abs().max() < 1e-4
    assert len(at_rate(torch.ones(101), 3, 2)) == 68
    assert len(at_rate(torch.ones(1), 44100, 8000)) == 1


def test_rates_without_a_common_divisor() -> None:
    found = at_rate(tone(440, 16001), 16001, 16000)
    assert (found - tone(440, 16000)[: len(found)])[MIDDLE].abs().max() < 1e-4


def test_one_rate_changes_nothing_and_types_stay() -> None:
    wave = torch.randn(100)
    assert at_rate(wave, 8000, 8000) is wave
    assert at_rate(wave, 8000, 16000).dtype == torch.float32
