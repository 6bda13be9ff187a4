"""Files that the tests of several commands read: small nets with known weights, and pictures."""

import numpy as np
import pytest

import netwright as nw
from netwright.show.pictures import png


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    picture = nw.Chain(nw.Flatten(), nw.Linear(2), nw.softmax, input=nw.Image(2, 2, "gray"), output=nw.Category([3, 7]))
    weight = [[0.0] * 4, [2.0] * 4]
    nw.save(picture.with_arrays({"linear1/weight": weight, "linear1/bias": [0.0, 0.5]}), "picture.net")
    number = nw.Chain(nw.Linear(1), input=nw.Number(0, 1), output=nw.Number(0, 1))
    nw.save(number.with_arrays({"linear1/weight": [[2.0]], "linear1/bias": [1.0]}), "number.net")
    tags = nw.Chain(nw.Linear(2), nw.Elementwise("sigmoid"), input=2, output=nw.Labels(["a", "b"]))
    nw.save(tags.with_arrays({"linear1/weight": [[9.0, 0.0], [0.0, 9.0]], "linear1/bias": [0.0, 0.0]}), "tags.net")
    (tmp_path / "white.png").write_bytes(png(np.full((2, 2), 255, np.uint8)))
    (tmp_path / "black.png").write_bytes(png(np.zeros((2, 2), np.uint8)))
    return tmp_path
