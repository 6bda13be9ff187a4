"""ViT's family: what transformers computes from the same folder, with classes or without, and the published count."""

from pathlib import Path

import numpy as np
import pytest
import torch

import netwright as nw
from models.pretrained.published import SIZES, saved
from netwright.models.pretrained import vit
from netwright.models.pretrained.weights import Config

transformers = pytest.importorskip("transformers")


@pytest.mark.parametrize("classes", [True, False])
def test_equal_to_theirs(classes: bool, tmp_path: Path) -> None:
    config = transformers.ViTConfig(image_size=12, patch_size=4, **SIZES)
    config.id2label = {0: "cat", 1: "dog", 2: "cow"}
    theirs = (transformers.ViTForImageClassification if classes else transformers.ViTModel)(config)
    net = nw.model(saved(theirs, tmp_path))
    picture = np.random.default_rng(0).integers(0, 256, (12, 12, 3), dtype=np.uint8)
    x = (torch.from_numpy(picture).permute(2, 0, 1)[None] / 255 - 0.5) / 0.5
    if classes:
        expected = theirs(x).logits[0].softmax(-1)
        torch.testing.assert_close(net(picture, nw.raw), expected, rtol=0, atol=1e-5)
        assert net(picture) == config.id2label[int(expected.argmax())]
    else:
        torch.testing.assert_close(net(picture), theirs(x).last_hidden_state[0], rtol=0, atol=1e-5)


def test_the_published_count() -> None:
    plain = {
        "hidden_size": 768, "num_hidden_layers": 12, "num_attention_heads": 12, "intermediate_size": 3072,
        "image_size": 224, "patch_size": 16,
    }  # fmt: skip
    net = vit.net(Config(plain, "here"), nw.Image(224, 224), 1000)
    assert nw.summary(net).parameters == 86_567_656
    assert {*vit.table(Config(plain, "here"), "vit.", 1000)} == {*net.plan.arrays}
