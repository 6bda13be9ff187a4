"""ViT's family: what transformers computes from the same folder, with classes or without, and the published count."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

import netwright as nw
from models.pretrained.published import ACTS, SEEDS, SIZES, drawn, saved
from netwright.models.pretrained import vit
from netwright.models.pretrained.weights import Config

PIL = pytest.importorskip("PIL.Image")
transformers = pytest.importorskip("transformers")


@pytest.mark.parametrize("classes", [True, False])
def test_equal_to_theirs(classes: bool, tmp_path: Path) -> None:
    config = transformers.ViTConfig(image_size=12, patch_size=4, **SIZES)
    config.id2label = {0: "cat", 1: "dog", 2: "cow"}
    theirs = (transformers.ViTForImageClassification if classes else transformers.ViTModel)(config)
    net = nw.pretrained(saved(theirs, tmp_path))
    picture = np.random.default_rng(0).integers(0, 256, (12, 12, 3), dtype=np.uint8)
    x = (torch.from_numpy(picture).permute(2, 0, 1)[None] / 255 - 0.5) / 0.5
    if classes:
        expected = theirs(x).logits[0].softmax(-1)
        torch.testing.assert_close(net(picture, nw.raw), expected, rtol=0, atol=1e-5)
        assert net(picture) == config.id2label[int(expected.argmax())]
    else:
        torch.testing.assert_close(net(picture), theirs(x).last_hidden_state[0], rtol=0, atol=1e-5)


@pytest.mark.parametrize("seed", SEEDS)
def test_drawn_over_the_fields(seed: int, tmp_path: Path) -> None:
    fields = drawn(
        seed, hidden_size=[8, 16], num_hidden_layers=[1, 2, 3], num_attention_heads=[1, 2, 4], hidden_act=ACTS,
        intermediate_size=[8, 24], layer_norm_eps=[1e-12, 1e-2], image_size=[8, 13, [8, 12]], patch_size=[4, [4, 2]],
        num_channels=[1, 3], qkv_bias=[True, False], encoder_stride=[4, 16], hidden_dropout_prob=[0.0, 0.5],
    )  # fmt: skip
    said = drawn(
        seed, do_normalize=[True, False, None], do_rescale=[True, False, None], rescale_factor=[1 / 255, 0.01, None],
        image_mean=[0.5, 0.1], image_std=[0.5, 2.0], resample=[0, 1, 2, 3, 4, 5, None], do_resize=[True, None],
    )  # fmt: skip
    theirs = transformers.ViTModel(transformers.ViTConfig(**fields), add_pooling_layer=bool(seed % 2))
    channels = fields["num_channels"]
    means, deviations = [said["image_mean"]] * channels, [said["image_std"]] * channels
    saved(theirs, tmp_path)
    pixels = {**said, "image_mean": means, "image_std": deviations, "image_processor_type": "ViTImageProcessor"}
    (tmp_path / "preprocessor_config.json").write_text(json.dumps(pixels))
    net = nw.pretrained(tmp_path)
    size = fields["image_size"]
    height, width = size if isinstance(size, list) else (size, size)
    picture = np.random.default_rng(seed).integers(0, 256, (2 * height, width + 3, channels), dtype=np.uint8)
    kept = PIL.Resampling(2 if said["resample"] is None else said["resample"])
    small = PIL.fromarray(picture if channels == 3 else picture[:, :, 0]).resize((width, height), kept)
    x = torch.tensor(np.array(small), dtype=torch.float64).reshape(height, width, channels)
    if said["do_rescale"] is not False:
        x = x * (said["rescale_factor"] or 1 / 255)
    if said["do_normalize"] is not False:
        x = (x - said["image_mean"]) / said["image_std"]
    expected = theirs(x.float().permute(2, 0, 1)[None]).last_hidden_state[0]
    torch.testing.assert_close(net([picture])[0], expected, rtol=0, atol=1e-5)


def test_the_published_count() -> None:
    plain = {
        "hidden_size": 768, "num_hidden_layers": 12, "num_attention_heads": 12, "intermediate_size": 3072,
        "image_size": 224, "patch_size": 16,
    }  # fmt: skip
    net = vit.vit_net(Config(plain, "here"), nw.Image(224, 224), 1000)
    assert nw.summary(net).parameters == 86_567_656
    assert {*vit.vit_table(Config(plain, "here"), "vit.", 1000)} == {*net.plan.arrays}
