"""The picture of nuclei: two parts with a gap between them, and the numbers of the nuclei as they are."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from netwright.data.datasets import dataset
from netwright.data.nuclei import FILES, read_nuclei
from netwright.errors import FileError


def test_two_parts_and_a_gap(tmp_path: Path):
    shades = np.arange(4 * 52, dtype=np.uint16).reshape(4, 52)
    numbers = np.zeros((4, 52), np.uint16)
    numbers[1, 3], numbers[2, 50] = 300, 7
    for name, array in zip(FILES, (shades, numbers), strict=True):
        Image.fromarray(array).save(tmp_path / name)
    (left, left_nuclei), (right, right_nuclei) = read_nuclei(tmp_path)
    assert (left.dtype, left.shape, right.shape) == (np.uint8, (1, 4, 10), (1, 4, 10))
    assert left[0].tolist() == shades[:, :10].tolist()
    assert right[0].tolist() == shades[:, 42:].tolist()
    assert left_nuclei[0].max() == 300 and left_nuclei[0, 1, 3] == 300
    assert right_nuclei[0].max() == 7 and right_nuclei[0, 2, 8] == 7


@pytest.mark.slow
def test_the_real_nuclei(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("NETWRIGHT_CACHE", str(tmp_path))
    try:
        real = dataset("nuclei", notice=lambda text: None)
    except FileError:
        pytest.skip("no mirror answers from here")
    counts = [len(np.unique(part.targets)) - 1 for part in (real.train, real.test)]
    assert counts == [70, 51]
    assert real.train.inputs.shape == real.test.targets.shape == (1, 512, 240)
