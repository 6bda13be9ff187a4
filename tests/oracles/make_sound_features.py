"""Stores librosa's spectrograms, mel spectrograms and cepstra of short sounds, and its resampling, for the tests."""

import librosa
import numpy as np
from tools import store

LENGTHS = (400, 1201, 2000)
EDGES = {"zeros": {"pad_mode": "constant"}, "reflect": {"pad_mode": "reflect"}, "inside": {"center": False}}


def sounds() -> list[np.ndarray]:
    """Three sounds of different length: tones that glide, and noise."""
    draws = np.random.default_rng(0)
    found = []
    for length in LENGTHS:
        seconds = np.arange(length) / 8000
        tone = np.sin(2 * np.pi * (300 + 2000 * seconds) * seconds)
        found.append(0.5 * tone * np.exp(-3 * seconds) + 0.02 * draws.standard_normal(length))
    return found


def main() -> None:
    found = {}
    for number, wave in enumerate(sounds()):
        found[f"wave{number}"] = wave
        for edges, options in EDGES.items():
            frames = {"n_fft": 200, "hop_length": 80, **options}
            magnitude = np.abs(librosa.stft(wave, **frames))
            if number == 0:
                found[f"magnitude{number} {edges}"] = magnitude.T
            mel = librosa.feature.melspectrogram(
                S=magnitude**2, sr=8000, n_fft=200, n_mels=24, fmin=60, fmax=3800, dtype=np.float64
            )
            level = librosa.power_to_db(mel, top_db=40)
            found[f"power{number} {edges}"] = mel.T
            found[f"decibels{number} {edges}"] = level.T
            found[f"mfcc{number} {edges}"] = librosa.feature.mfcc(S=level, n_mfcc=13).T
    found["bands"] = librosa.filters.mel(sr=16000, n_fft=400, n_mels=80, dtype=np.float64)[::7].T
    store("sound_features", ["librosa", "numpy"], **found)


if __name__ == "__main__":
    main()
