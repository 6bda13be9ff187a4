"""Stores what Silero's own ONNX file says about sounds like vowels, and about noise, piece by piece."""

from importlib.metadata import files
from pathlib import Path

import numpy as np
import onnxruntime
from tools import store

PIECE, CONTEXT = 512, 64


def sound() -> np.ndarray:
    """Silence, vowels of a gliding voice with pauses, noise: two seconds at 16 kHz, as 16-bit integers."""
    draws = np.random.default_rng(0)
    seconds = np.arange(30000) / 16000
    phase = 2 * np.pi * np.cumsum(130 + 30 * np.sin(2 * np.pi * 3 * seconds)) / 16000
    first = 500 + 250 * np.sin(2 * np.pi * 2.5 * seconds)
    wave = np.zeros_like(seconds)
    for k in range(1, 30):
        hertz = k * 130
        shape = np.exp(-(((hertz - first) / 180) ** 2)) + 0.5 * np.exp(-(((hertz - 2.6 * first) / 250) ** 2)) + 0.02
        wave += shape * np.sin(k * phase)
    wave *= np.clip(np.sin(2 * np.pi * 3.5 * seconds) + 0.6, 0, 1) * (seconds > 0.3) * (seconds < 1.5)
    wave = wave / np.abs(wave).max() * 0.5 + 0.005 * draws.standard_normal(len(wave))
    return np.round(wave * 32767).astype(np.int16)


def main() -> None:
    path = next(Path(str(file.locate())) for file in files("silero-vad") or [] if file.name == "silero_vad.onnx")
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    given = sound()
    wave = given.astype(np.float32) / 32768
    wave = np.pad(wave, (CONTEXT, -len(wave) % PIECE))
    state = np.zeros((2, 1, 128), np.float32)
    found = []
    for start in range(0, len(wave) - CONTEXT, PIECE):
        piece = wave[None, start : start + CONTEXT + PIECE]
        output, state = session.run(None, {"input": piece, "state": state, "sr": np.array(16000, np.int64)})
        found.append(float(output[0, 0]))
    print(np.round(found, 2))
    store("silero", ["silero-vad", "onnxruntime"], wave=given, probabilities=np.array(found, np.float32))


if __name__ == "__main__":
    main()
