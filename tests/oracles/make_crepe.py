"""Stores torchcrepe's probabilities of pitch for a gliding tone, by its small net and the decoding of the paper."""

import numpy as np
import torch
from tools import let_torchaudio_import, store

let_torchaudio_import()

import torchcrepe  # noqa: E402


def main() -> None:
    draws = np.random.default_rng(0)
    seconds = np.arange(3200) / 16000
    hertz = 150 * 2 ** (4 * seconds)
    phase = 2 * np.pi * np.cumsum(hertz) / 16000
    wave = sum(np.sin(k * phase) / k for k in range(1, 5)) / 4 + 0.01 * draws.standard_normal(3200)
    wave = wave.astype(np.float32)
    frames = next(torchcrepe.preprocess(torch.from_numpy(wave)[None], 16000, 160))
    with torch.no_grad():
        probabilities = torchcrepe.infer(frames, "tiny").numpy()
    cents = 1997.3794084376191 + 20 * np.arange(360)
    pitch = []
    for row in probabilities.astype(np.float64):
        near = slice(max(row.argmax() - 4, 0), row.argmax() + 5)
        pitch.append(10 * 2 ** ((row[near] * cents[near]).sum() / row[near].sum() / 1200))
    store(
        "crepe", ["torchcrepe", "torch"], wave=wave, probabilities=probabilities, pitch=np.array(pitch),
        confidence=probabilities.max(1),
    )  # fmt: skip


if __name__ == "__main__":
    main()
