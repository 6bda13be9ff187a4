"""The net of selfie segmentation is MediaPipe's: arrays, what each pixel gets, and the mask of LiteRT."""

from pathlib import Path

import numpy as np
import pytest
import torch

import netwright as nw
from netwright.models.vision.selfie import selfie_segmentation, selfie_table
from vision_oracle import stored


def test_each_array_has_its_place_in_the_file() -> None:
    net, table = selfie_segmentation(), selfie_table()
    assert net.plan.arrays.keys() == table.keys()
    assert len({source.name for source in table.values()}) == len(table) == 110  # arrays of the file
    assert net.plan.outputs == {"output": (256, 256, 2)}
    assert nw.summary(net).parameters == 106_401 + 65  # those of the file, and zeros for the background


def test_the_background_stands_beside_the_person() -> None:
    table, generator = selfie_table(), torch.Generator().manual_seed(0)
    kernel = torch.randn(1, 2, 2, 16, generator=generator)
    weight, bias = (table[f"scores/{name}"].change for name in ("weight", "bias"))
    assert weight is not None
    assert bias is not None
    assert torch.equal(weight(kernel)[:, 1, 1, 0], kernel[0, 1, 0])
    assert not weight(kernel)[:, 0].any()
    assert bias(torch.tensor([0.5])).tolist() == [0, 0.5]


@pytest.mark.slow  # weights in a package of 36 MB
def test_it_gives_the_mask_of_litert(tmp_path: Path) -> None:
    facts, net = stored("selfie"), nw.pretrained("selfie-segmentation")
    theirs = facts["person"] / 65535
    ours = net(facts["picture"], nw.probabilities)["person"]
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-3)
    mask = net(facts["picture"])
    assert mask.shape == (256, 256)
    assert np.mean(mask == (theirs > 0.5)) >= 0.995
    assert 0.5 < mask.mean() < 0.6  # of the picture is the astronaut
    nw.save(net, tmp_path / "selfie.net")
    assert np.array_equal(nw.load(tmp_path / "selfie.net")(facts["picture"]), mask)
