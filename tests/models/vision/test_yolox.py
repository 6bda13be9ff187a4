"""YOLOX is that of another package: parameters, names of arrays, outputs, gradients of one step; and it learns."""

from collections.abc import Iterator, Mapping

import numpy as np
import pytest
from torch import Tensor

import netwright as nw
from netwright.errors import NetError, SizeError
from netwright.models.pretrained.weights import From, filled_arrays, linear_entries
from netwright.models.vision.units import UNREAD, normed_entries
from vision_oracle import assert_equal_to_stored, assert_names_are_theirs

LABELS = ["circle", "square"]
SIZES = {"tiny": (24, 1), "s": (32, 1), "m": (48, 2), "l": (64, 3), "x": (80, 4)}


def units(depth: int) -> Iterator[tuple[str, str, int]]:
    """Path, name and number in its chain of each convolution with a norm."""
    yield "stem", "backbone.stem.conv", 1
    stages = {f"stage{i}": f"backbone.stage{i}" for i in range(1, 5)}
    for path, name in stages.items():
        yield path, f"{name}.0", 1
        yield from stage(f"{path}/csp", f"{name}.{2 if path == 'stage4' else 1}", depth, path)
    for ours, theirs in (("narrow", "conv1"), ("out", "conv2")):
        yield f"stage4/pyramid/{ours}", f"backbone.stage4.1.{theirs}", 1
    for i, (narrow, up) in enumerate((("narrow32", "up16"), ("narrow16", "grid8"))):
        yield narrow, f"neck.reduce_layers.{i}", 1
        yield from stage(up, f"neck.top_down_blocks.{i}", depth, up)
    for i, grid in enumerate(("grid16", "grid32")):
        yield f"move_{grid}", f"neck.downsamples.{i}", 1
        yield from stage(grid, f"neck.bottom_up_blocks.{i}", depth, grid)
    for i, stride in enumerate((8, 16, 32)):
        yield f"head{stride}/narrow", f"neck.out_convs.{i}", 1
        for ours, theirs in (("for_classes", "cls_convs"), ("for_boxes", "reg_convs")):
            for j in (0, 1):
                yield f"head{stride}/{ours}", f"bbox_head.multi_level_{theirs}.{i}.{j}", j + 1


def stage(path: str, name: str, depth: int, kind: str) -> Iterator[tuple[str, str, int]]:
    """The same, of a stage of two halves."""
    for ours, theirs in (("through", "main_conv"), ("past", "short_conv"), ("out", "final_conv")):
        yield f"{path}/{ours}", f"{name}.{theirs}", 1
    body = "/body" if kind in ("stage1", "stage2", "stage3") else ""
    for i in range(depth * (3 if kind in ("stage2", "stage3") else 1)):
        for j in (1, 2):
            yield f"{path}/through/block{i + 1}{body}", f"{name}.blocks.{i}.conv{j}", j


def table(depth: int = 1) -> dict[str, From]:
    """Which tensor of the other net's state dict each array comes from."""
    found: dict[str, From] = {}
    for path, name, number in units(depth):
        found |= normed_entries(path, f"net.{name}.conv", f"net.{name}.bn", number)
    for i, stride in enumerate((8, 16, 32)):
        for ours, theirs in (("edges", "reg"), ("thing", "obj"), ("classes", "cls")):
            found |= linear_entries(f"head{stride}/{ours}", f"net.bbox_head.multi_level_conv_{theirs}.{i}")
    return found


@pytest.mark.parametrize("size", SIZES)
def test_it_has_the_published_parameters(size: str) -> None:
    width, depth = SIZES[size]
    assert_names_are_theirs("yolox", size, nw.yolox(range(80), width=width, depth=depth), table(depth))


def test_it_is_the_other_net() -> None:
    def make(state: Mapping[str, Tensor]) -> nw.Net:
        return filled_arrays(nw.yolox(LABELS, image=nw.Image(64, 64), width=8), state, table(), UNREAD, "")

    assert_equal_to_stored("yolox8", make, table(), until=None)


def test_it_learns_where_squares_are() -> None:
    generator = np.random.default_rng(0)
    pictures, things = np.zeros((32, 32, 32), np.uint8), []
    for picture in pictures:
        side, left, top = (int(number) for number in generator.integers((8, 0, 0), (14, 18, 18)))
        picture[top : top + side, left : left + side] = 255
        things.append([((left, top, left + side, top + side), "square")])
    net = nw.yolox(LABELS, image=nw.Image(32, 32, "gray"), width=4)
    run = nw.train(net, (pictures, things), epochs=6, batch_size=8, learning_rate=3e-3, seed=0, progress=False)
    first, *_, last = (epoch.loss for epoch in run.epochs)
    assert last < 0.8 * first


def test_its_decoder_has_the_size_of_its_pictures() -> None:
    net = nw.yolox(LABELS, image=nw.Image(64, 96, resize="letterbox"), width=4)
    assert net.outputs["output"] == nw.Boxes(LABELS, 64, 96, strides=(8, 16, 32), resize="letterbox")
    assert nw.yolox(LABELS).inputs["input"] == nw.Image(640, 640, resize="letterbox")


def test_sizes_that_cannot_be() -> None:
    with pytest.raises(SizeError):
        nw.yolox(LABELS, image=nw.Image(72, 96))
    for options, name in (({"width": 0}, "channels"), ({"depth": 0}, "blocks")):
        with pytest.raises(NetError) as caught:
            nw.yolox(LABELS, **options)
        assert caught.value.what == f"the number of {name} is a whole number of at least 1"
