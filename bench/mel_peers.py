"""The mel spectrogram of a sound by librosa or torchaudio, in the environment of the oracles: one turn for each line.

Called as `python bench/mel_peers.py NAME WAVE.npy THREADS`; it answers each line with the seconds of a turn.
"""

import sys
import time
from collections.abc import Callable

import numpy as np
import torch

RATE, WINDOW, HOP, BANDS = 16000, 400, 160, 80


def by_librosa(wave: np.ndarray) -> Callable[[], object]:
    """librosa's function."""
    import librosa

    return lambda: librosa.feature.melspectrogram(
        y=wave, sr=RATE, n_fft=WINDOW, hop_length=HOP, n_mels=BANDS, power=2.0
    )


def by_torchaudio(wave: np.ndarray) -> Callable[[], object]:
    """torchaudio's module."""
    import torchaudio

    module = torchaudio.transforms.MelSpectrogram(
        RATE, n_fft=WINDOW, hop_length=HOP, n_mels=BANDS, power=2.0, norm="slaney", mel_scale="slaney"
    )
    x = torch.from_numpy(wave)
    return lambda: module(x)


def main() -> None:
    """Answer lines with seconds."""
    name, place, threads = sys.argv[1:]
    torch.set_num_threads(int(threads))
    wave = np.load(place)
    call = {"librosa": by_librosa, "torchaudio": by_torchaudio}[name](wave)
    call()  # imports and the first slow call are nobody's figure
    print("ready", flush=True)
    for _ in sys.stdin:
        start = time.perf_counter()
        with torch.no_grad():
            call()
        print(time.perf_counter() - start, flush=True)


if __name__ == "__main__":
    main()
