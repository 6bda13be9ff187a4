"""CREPE: the architecture, torchcrepe's numbers, and the pitch of tones that are known."""

from pathlib import Path

import numpy as np
import pytest
import torch

import netwright as nw
from netwright.errors import FileError
from netwright.models.sound.crepe import crepe_net, crepe_table, read_crepe

STORED = np.load(Path(__file__).parents[2] / "oracles" / "stored" / "crepe.npz")


def tone(hertz: float, rate: int = 16000) -> np.ndarray:
    return np.sin(2 * np.pi * hertz * np.arange(rate // 2) / rate).astype(np.float32)


@pytest.mark.slow  # 72 MB
@pytest.mark.parametrize("hertz", [110, 220, 440, 880])
def test_tones_have_their_pitch_within_20_cents(hertz: float) -> None:
    net = nw.pretrained("crepe-tiny")
    for sound in (tone(hertz), (tone(hertz, 44100), 44100)):
        found = net(sound)[3:-3]  # the first and the last frames are half silent
        assert np.abs(1200 * np.log2(found / hertz)).max() < 20


@pytest.mark.slow
def test_the_numbers_are_those_of_torchcrepe() -> None:
    net = nw.pretrained("crepe-tiny")
    probabilities = net(STORED["wave"], nw.raw).numpy()
    assert np.abs(probabilities - STORED["probabilities"]).max() < 1e-4
    sure = STORED["confidence"] > 0.3
    assert sure.sum() > 10
    assert np.allclose(net(STORED["wave"])[sure], STORED["pitch"][sure], rtol=1e-3)
    confidence = [max(frame.values()) for frame in net(STORED["wave"], nw.Top(1))]
    assert np.allclose(confidence, STORED["confidence"], atol=1e-4)


@pytest.mark.slow
def test_it_is_saved_and_hears_a_file(tmp_path: Path) -> None:
    soundfile = pytest.importorskip("soundfile")
    net = nw.pretrained("crepe-tiny")
    nw.save(net, tmp_path / "crepe.net")
    soundfile.write(tmp_path / "a.wav", tone(440, 22050), 22050)
    again = nw.load(tmp_path / "crepe.net")
    assert np.median(again(tmp_path / "a.wav")) == pytest.approx(440, rel=0.01)
    assert nw.summary(net).parameters == 486_552 + 2 * 1024  # those of torchcrepe, and the norm of a frame


def test_the_architecture() -> None:
    net = crepe_net()
    assert net.plan.outputs["output"][-1] == 360
    assert crepe_table().keys() == net.plan.arrays.keys()


def test_silence_has_no_nan() -> None:
    net = nw.initialize(crepe_net())
    assert net(np.zeros(1600, np.float32), nw.raw).isfinite().all()


def test_files_that_hold_no_weights(tmp_path: Path) -> None:
    path = tmp_path / "tiny.pth"
    path.write_bytes(b"no weights")
    with pytest.raises(FileError) as caught:
        read_crepe(path)
    assert str(caught.value).startswith(f"these weights cannot be read\n  where:    {path}\n")
    torch.save({"other": torch.zeros(3)}, path)
    with pytest.raises(FileError) as caught:
        read_crepe(path)
    assert str(caught.value).startswith("the weights are not those of the net that the configuration describes\n")
