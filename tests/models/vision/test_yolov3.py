"""YOLOv3-tiny is the net of Darknet's file: parameters, outputs, gradients of one step, files of weights, boxes."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

import netwright as nw
from netwright.errors import FileError
from netwright.fetch import Package, fetch
from netwright.models.vision.yolov3 import darknet_state, yolo_v3_tiny_table
from vision_oracle import assert_equal_to_stored, assert_names_are_theirs, stored

FEW = ["cat", "dog"]
PHOTOGRAPH = Package(
    "pip",
    "ultralytics",
    "8.3.0",
    "ultralytics/assets/",
    digest="3137c4921c18c8ddf610f64f1badc2dad2a9fd182e10218c2bbb29caee308b9e",
    wheel="any",
)
SHA256 = {"bus.jpg": "c02019c4979c191eb739ddd944445ef408dad5679acab6fd520ef9d434bfbc63"}


def test_it_has_the_published_parameters() -> None:
    net = nw.yolo_v3_tiny(range(80))
    assert_names_are_theirs("yolov3", "tiny", net, yolo_v3_tiny_table())
    held = sum(int(np.prod(spec.known or ())) for spec in net.plan.arrays.values())
    assert held == 8_858_734  # with the statistics of the norms, as the file has them


def test_it_is_darknets_net() -> None:
    def make(state: Mapping[str, Tensor]) -> nw.Net:
        return nw.yolo_v3_tiny(FEW, image=nw.Image(64, 64), weights=state)

    assert_equal_to_stored("yolov3_2", make, yolo_v3_tiny_table(), until=None)


def written(path: Path, net: nw.Net) -> None:
    """Write weights 0, 1, 2, … as Darknet does."""
    count = sum(int(np.prod(spec.known or ())) for spec in net.plan.arrays.values())
    path.write_bytes(np.array([0, 2, 0, 0, 0], "<i4").tobytes() + np.arange(count, dtype="<f4").tobytes())


def test_a_file_is_read_in_its_order(tmp_path: Path) -> None:
    net, path = nw.yolo_v3_tiny(FEW), tmp_path / "tiny.weights"
    written(path, net)
    state = darknet_state(net, path)
    first = [float(state[f"norm1.{name}"][0]) for name in ("bias", "weight", "running_mean", "running_var")]
    assert first == [0, 16, 32, 48]
    assert state["conv1.weight"].flatten()[:2].tolist() == [64, 65]
    assert float(state["conv10.bias"][0]) == float(state["conv9.weight"].max()) + 1
    filled = nw.yolo_v3_tiny(FEW, weights=state)
    assert torch.equal(filled.arrays["fine/conv13/weight"], state["conv13.weight"])


def test_files_that_do_not_fit(tmp_path: Path) -> None:
    net, path = nw.yolo_v3_tiny(FEW), tmp_path / "tiny.weights"
    written(path, net)
    with pytest.raises(FileError) as caught:
        darknet_state(nw.yolo_v3_tiny(["cat"]), path)
    assert str(caught.value) == (
        "the file has another number of weights than the net\n"
        f"  where:    {path}\n"
        "  expected: 8,676,244, in 34,704,996 bytes\n"
        "  got:      34,714,236 bytes"
    )
    for text in ("", "no weights of a net"):
        path.write_text(text)
        with pytest.raises(FileError) as other:
            darknet_state(net, path)
        assert str(other.value) == f"this file does not hold weights of Darknet\n  where:    {path}"


@pytest.mark.slow  # weights in a package of 66 MB
def test_it_finds_the_things_of_opencv_in_a_photograph(tmp_path: Path) -> None:
    facts, net = stored("yolov3_photograph"), nw.pretrained("yolov3-tiny")
    photograph = fetch("pictures/bus", (PHOTOGRAPH,), SHA256) / "bus.jpg"
    labels = net.outputs["output"].labels
    found = net(photograph)
    assert [thing.label for thing in found] == [labels[int(row[4])] for row in facts["things"]]
    assert [thing.label for thing in found] == ["person", "person", "bus", "person"]
    for thing, row in zip(found, facts["things"], strict=True):
        assert thing.box == pytest.approx(row[:4], abs=0.1)
        assert thing.score == pytest.approx(row[5], abs=1e-4)
    candidates = net(photograph, nw.raw).float()
    np.testing.assert_allclose(candidates[:, 4].sigmoid(), facts["objectness"], rtol=0, atol=1e-4)
    sure = candidates[torch.from_numpy(facts["sure"])]
    np.testing.assert_allclose(sure[:, :4], facts["candidates"][:, :4], rtol=1e-4, atol=1e-2)
    scores = (sure[:, 4:5].sigmoid() * sure[:, 5:].sigmoid()).numpy()
    theirs = facts["candidates"][:, 5:]  # OpenCV leaves out small ones
    np.testing.assert_allclose(np.where(theirs > 0, scores, 0), theirs, rtol=0, atol=1e-4)
    nw.save(net, tmp_path / "yolo.net")
    assert nw.load(tmp_path / "yolo.net")(photograph) == found
