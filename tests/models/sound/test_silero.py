"""Silero VAD: equal to its own ONNX file, whole and piece by piece."""

from pathlib import Path

import numpy as np
import pytest
import torch

import netwright as nw
from netwright.errors import FileError
from netwright.models.sound.silero import read_silero, silero_net, silero_table

STORED = np.load(Path(__file__).parents[2] / "oracles" / "stored" / "silero.npz")
PIECE = 512


def test_the_numbers_are_those_of_its_own_onnx_file() -> None:
    net = nw.pretrained("silero-vad")
    found = net(STORED["wave"], nw.raw)[:, 0].numpy()
    assert STORED["probabilities"].max() > 0.5 > STORED["probabilities"].min()
    assert np.abs(found - STORED["probabilities"]).max() < 1e-4
    assert net(STORED["wave"]) == [bool(p >= 0.5) for p in STORED["probabilities"]]


def test_piece_by_piece() -> None:
    listening = nw.Stateful(nw.pretrained("silero-vad"))
    found: list[float] = []
    for start in range(0, len(STORED["wave"]), PIECE):
        chance, listening = listening(STORED["wave"][start : start + PIECE], nw.raw)
        found.append(float(chance))
    assert np.abs(np.array(found) - STORED["probabilities"]).max() < 1e-4


def test_alone_as_in_a_batch() -> None:
    net = nw.initialize(silero_net(), seed=1)
    waves = [STORED["wave"][:5000], STORED["wave"][:1000]]
    for found, wave in zip(net(waves, nw.raw), waves, strict=True):
        torch.testing.assert_close(found, net(wave, nw.raw), rtol=0, atol=1e-5)


def test_the_architecture() -> None:
    assert silero_table().keys() == silero_net().plan.arrays.keys()
    assert nw.summary(nw.initialize(silero_net())).parameters == 309_633


def test_a_file_that_holds_no_weights(tmp_path: Path) -> None:
    path = tmp_path / "silero.onnx"
    path.write_bytes(b"no weights")
    with pytest.raises(FileError) as caught:
        read_silero(path)
    assert str(caught.value).startswith(f"the weights of this file cannot be read\n  where:    {path}\n")
