"""Nets with published weights say what is in a picture, with the scores of independent implementations."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import netwright as nw
from netwright.errors import FileError
from netwright.models.vision.known import squeezenet_state
from vision_oracle import stored

NETS = [pytest.param("squeezenet"), pytest.param("efficientnet-lite0", marks=pytest.mark.slow)]  # 5 and 17 MB
SCORES = {"squeezenet": "squeezenet", "efficientnet-lite0": "lite0"}


@pytest.mark.parametrize("name", NETS)
def test_it_says_egyptian_cat(name: str, tmp_path: Path) -> None:
    facts, net = stored("imagenet"), nw.pretrained(name)
    path = tmp_path / "cat.png"
    Image.fromarray(facts["cat"]).save(path)
    assert net(path) == "Egyptian cat"
    scores = net[:"softmax"](path).numpy()
    np.testing.assert_allclose(scores, facts[SCORES[name]], rtol=0, atol=1e-4)


def test_it_is_an_ordinary_net(tmp_path: Path) -> None:
    net = nw.pretrained("squeezenet")
    assert nw.summary(net).parameters == 1_235_496
    nw.save(net, tmp_path / "squeezenet.net")
    assert nw.load(tmp_path / "squeezenet.net") == net
    pets = net.with_output(nw.Category(["cat", "dog"]))
    assert nw.diff(net, pets).of("reset") == ("conv10/conv1/weight", "conv10/conv1/bias")


def test_weights_of_another_net_are_refused() -> None:
    with pytest.raises(FileError) as caught:
        squeezenet_state({"conv1": [], "conv2": []})
    assert str(caught.value) == "these are not the weights of SqueezeNet 1.1\n  got:      conv1, conv2"
