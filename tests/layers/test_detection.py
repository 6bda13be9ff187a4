"""Parts of detectors: where cells look, which thing a cell takes, and sizes that cannot be."""

from pathlib import Path

import numpy as np
import pytest
import torch

import netwright as nw
from messages import message
from netwright.layers.detection import overlap_and_giou
from netwright.net.apply import whole_program
from netwright.net.run.context import RunContext


def cost(loss: nw.DetectionLoss, input: torch.Tensor, *things: tuple[float, ...]) -> float:
    rows = torch.tensor([*things, (0.0, 0.0, 0.0, 0.0, -1.0)])
    return float(loss({"input": nw.batch(input[None]), "target": nw.batch(rows[None])}))


def sure(boxes: list[list[float]], there: list[float]) -> torch.Tensor:
    """Candidates of one class with these boxes and logits of a thing."""
    return torch.tensor([[*box, logit, 30.0] for box, logit in zip(boxes, there, strict=True)])


def test_a_cell_takes_the_smallest_thing():
    loss = nw.DetectionLoss(8, 16, (8,))
    large, small = (0.0, 0.0, 16.0, 8.0, 0.0), (1.0, 1.0, 7.0, 7.0, 0.0)
    found = sure([[1, 1, 7, 7], [0, 0, 16, 8]], [30.0, 30.0])
    assert cost(loss, found, large, small) == pytest.approx(0, abs=1e-5)
    assert cost(loss, found.flip(0), large, small) > 5


def test_the_cell_that_the_middle_lies_in_takes_a_tiny_thing():
    loss = nw.DetectionLoss(8, 16, (8,))
    tiny = (0.5, 0.5, 1.5, 1.5, 0.0)
    assert cost(loss, sure([[0.5, 0.5, 1.5, 1.5], [0, 0, 1, 1]], [30.0, -30.0]), tiny) == pytest.approx(0, abs=1e-5)
    assert cost(loss, sure([[0, 0, 1, 1], [0.5, 0.5, 1.5, 1.5]], [-30.0, 30.0]), tiny) > 5


def test_a_long_thing_belongs_to_the_next_grid():
    loss = nw.DetectionLoss(16, 16, (8, 16))
    assert loss.grids == [(2, 2), (1, 1)]
    nothing = [[0.0, 0, 1, 1]] * 4
    short, fine = (3.0, 3.0, 13.0, 13.0, 0.0), [[3.0, 3, 13, 13]] * 4
    assert cost(loss, sure([*fine, [0, 0, 1, 1]], [30.0] * 4 + [-30.0]), short) == pytest.approx(0, abs=1e-5)
    wide = nw.DetectionLoss(16, 16, (1, 16))
    long = (0.0, 0.0, 9.0, 9.0, 0.0)
    rows = sure([[0.0, 0, 1, 1]] * 256 + [[0, 0, 9, 9]], [-30.0] * 256 + [30.0])
    assert cost(wide, rows, long) == pytest.approx(0, abs=1e-5)
    assert cost(loss, sure([*nothing, [0, 0, 1, 1]], [-30.0] * 5)) == pytest.approx(0, abs=1e-5)


def test_giou_falls_with_the_distance():
    box = torch.tensor([0.0, 0, 2, 2])
    near, far = (overlap_and_giou(box, torch.tensor([x, 0.0, x + 2, 2])) for x in (4.0, 40.0))
    assert near[0] == far[0] == 0
    assert 0 > near[1] > far[1] > -1


def test_no_box_is_infinite():
    boxes = nw.GridBoxes(8)(nw.batch(torch.full((1, 1, 1, 5), 1e9)))
    assert bool(boxes[..., :4].isfinite().all()) and bool((boxes[..., 2:4] > boxes[..., :2]).all())


def test_sizes_that_cannot_be():
    assert "the grids have another number of cells" in message(
        lambda: (
            nw.Chain(nw.Conv(7, 1), nw.GridBoxes(8), input=(4, 4, 3), output=nw.Boxes(["a", "b"], 32, 32))
            and nw.with_loss(nw.Chain(nw.Conv(7, 1), input=(5, 4, 3)), nw.DetectionLoss(32, 32, (8,)))
        )
    )
    assert "a box has four numbers" in message(lambda: nw.Chain(nw.GridBoxes(8), input=(4, 4, 3)))
    assert message(nw.GridBoxes, 0).startswith("the stride of a grid in pixels is a whole number of at least 1")
    assert message(nw.DetectionLoss, 32, 32, ()) == (
        "a detector has at least one grid\n  where:    DetectionLoss\n  got:      strides=()"
    )


def test_overlaps_are_those_of_torchvision_and_coco():
    stored = np.load(Path(__file__).parents[1] / "oracles" / "stored" / "boxes.npz")
    left, right = (torch.from_numpy(stored[side]) for side in ("left", "right"))
    share, wider = overlap_and_giou(left[:, None], right[None])
    assert np.allclose(share, stored["iou"], atol=1e-6)
    assert np.allclose(share, stored["coco_iou"], atol=1e-6)
    assert np.allclose(wider, stored["giou"], atol=1e-6)
    left.requires_grad_()
    (1 - overlap_and_giou(left, right)[1]).sum().backward()
    assert left.grad is not None
    assert np.allclose(left.grad, stored["slope"], atol=1e-6)


def test_boxes_are_known_to_less_than_a_pixel_where_a_net_computes_in_bf16():
    net = nw.Chain(nw.GridBoxes(8), input=(1, 128, 5))
    context = RunContext(precision=torch.bfloat16)
    (boxes,) = whole_program(net).bind({})({"input": torch.zeros(1, 1, 128, 5)}, context)
    middles = (torch.arange(128) + 0.5) * 8
    torch.testing.assert_close(boxes[0, 0, :, 0], middles - 8, atol=0, rtol=0)
