"""Tests for `netwright.codecs.sound.frames`: where frames lie, and how they are standardized."""

import numpy as np
import pytest
import torch

from netwright.codecs.ragged import Ragged
from netwright.codecs.sound.frames import Frames
from netwright.errors import DataError, NetError
from netwright.sizes.free import FREE

WAVE = np.arange(1, 11, dtype=np.float32)


def frames(edges: str, window: int = 4, hop: int = 3, wave: np.ndarray = WAVE) -> list[list[float]]:
    codec = Frames(10, window=window, hop=hop, edges=edges)  # pyright: ignore[reportArgumentType]
    found = codec.encode(wave)
    assert len(found) == codec.frames_in(len(wave))
    return found.tolist()


def test_where_frames_lie() -> None:
    assert frames("inside") == [[1, 2, 3, 4], [4, 5, 6, 7], [7, 8, 9, 10]]
    assert frames("fill", hop=4) == [[1, 2, 3, 4], [5, 6, 7, 8], [9, 10, 0, 0]]
    assert frames("zeros") == [[0, 0, 1, 2], [2, 3, 4, 5], [5, 6, 7, 8], [8, 9, 10, 0]]
    assert frames("reflect") == [[3, 2, 1, 2], [2, 3, 4, 5], [5, 6, 7, 8], [8, 9, 10, 9]]
    assert frames("fill", wave=WAVE[:1]) == [[1, 0, 0, 0]]


@pytest.mark.parametrize("edges", ["zeros", "reflect", "inside", "fill"])
@pytest.mark.parametrize("window", [1, 2, 5])
def test_the_number_of_frames_is_that_of_every_length(edges: str, window: int) -> None:
    for length in range(window, 20):
        assert frames(edges, window, 3, np.ones(length, np.float32))


def test_windows_follow_from_the_rate() -> None:
    codec = Frames(8000)
    assert (codec.samples_of_frame, codec.step, codec.encoded) == (200, 80, "n 200")
    assert Frames(8000, seconds=1).encoded == "101 200"


def test_alone_as_in_a_batch() -> None:
    codec = Frames(10, window=4, hop=2)
    found = codec.encode_all([WAVE, WAVE[:5]])
    assert isinstance(found, Ragged)
    assert torch.equal(found.row(1), codec.encode(WAVE[:5]))


def test_long_sounds_are_computed_in_pieces() -> None:
    wave = np.random.default_rng(0).standard_normal(12000).astype(np.float32)
    assert np.array_equal(Frames(8000, window=2, hop=2, edges="inside").encode(wave), wave.reshape(-1, 2))


def test_mean_and_deviation_are_learned() -> None:
    codec = Frames(10, window=2, hop=2, edges="inside", mean=FREE, deviation=FREE)
    assert not codec.fitted
    fitted = codec.fit([WAVE, WAVE[:4]])
    assert fitted.mean == pytest.approx((29 / 7, 36 / 7), abs=1e-4)  # of 1 3 5 7 9 1 3, and of 2 4 6 8 10 2 4
    ready = fitted.prepare(torch.cat([fitted.encode(WAVE), fitted.encode(WAVE[:4])]))
    assert torch.allclose(ready.mean(0), torch.zeros(2), atol=1e-4)
    assert np.allclose(fitted.decode(fitted.prepare(fitted.encode(WAVE))), fitted.encode(WAVE), atol=1e-4)


def test_a_sound_shorter_than_a_frame() -> None:
    with pytest.raises(DataError) as caught:
        Frames(10, window=20, edges="inside").encode(WAVE)
    assert str(caught.value) == (
        "the sound is shorter than a frame needs\n"
        "  expected: at least 20 samples at 10 Hz, 2 s\n"
        "  got:      10\n"
        '  mend:     edges="zeros", which puts silence around it'
    )


def test_options_out_of_range() -> None:
    with pytest.raises(NetError) as caught:
        Frames(10, edges="none")  # pyright: ignore[reportArgumentType]
    assert "edges" in str(caught.value)
    with pytest.raises(NetError) as caught:
        Frames(10, hop=0)
    assert str(caught.value).startswith("the hop in samples is a whole number of at least 1")
