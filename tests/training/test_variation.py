"""A batch varies in a step as its encoders say: keyed by seed, step, port and example; the rest of it stays."""

import torch

import netwright as nw
from netwright.net.run.noise import Noise
from netwright.training.batch import Batch
from netwright.training.variation import BatchVariation, noise_of_port

ENCODER = nw.Image(5, 4, "gray", mean=0.5, deviation=0.25, vary=(nw.Shift(1), nw.Brightness(0.5)))
PIXELS = torch.randint(0, 256, (6, 5, 4, 1), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))


def batch(ids: torch.Tensor, pixels: torch.Tensor = PIXELS) -> Batch:
    return Batch({"left": pixels, "right": pixels, "target": ids * 2}, ids, ids / 3, {"n": 3})


def test_each_port_varies_and_is_prepared_and_the_rest_stays() -> None:
    ids = torch.tensor([4, 8, 15, 16, 23, 42])
    given = batch(ids)
    found = BatchVariation({"left": ENCODER, "right": ENCODER}, seed=7)(given, 3)
    for port in ("left", "right"):
        expected = ENCODER.prepare(ENCODER.varied(PIXELS, noise_of_port(Noise(7, 3, ids), port)))
        assert torch.equal(found.inputs[port], expected)
    assert not torch.equal(found.inputs["left"], found.inputs["right"])
    assert found.inputs["target"] is given.inputs["target"] and found.weights is given.weights
    assert found.examples is ids and found.lengths == {"n": 3}
    assert given.inputs["left"] is PIXELS
    assert BatchVariation({}, 7)(given, 3) is given


def test_the_order_of_a_batch_changes_nothing_and_seed_and_step_change_all() -> None:
    ids = torch.arange(6)
    varied = BatchVariation({"left": ENCODER}, seed=7)
    found = varied(batch(ids), 3).inputs["left"]
    torch.testing.assert_close(varied(batch(ids.flip(0), PIXELS.flip(0)), 3).inputs["left"].flip(0), found)
    assert torch.equal(varied(batch(ids), 3).inputs["left"], found)
    for other in (varied(batch(ids), 4), BatchVariation({"left": ENCODER}, 8)(batch(ids), 3)):
        assert not torch.equal(other.inputs["left"], found)


def test_masks_and_boxes_move_with_their_picture() -> None:
    """A bright rectangle: after every kind of move, the mask is where it is bright, and the box is around it."""
    vary = (nw.Shift(3), nw.Rotate(30), nw.Zoom(0.2), nw.Crop(28, 24), nw.Flip(), nw.Brightness(0.1))
    encoder = nw.Image(32, 28, "gray", vary=vary)
    mask, boxes = nw.Mask([False, True], 32, 28), nw.Boxes(["bright"], 32, 28)
    inside = torch.zeros(32, 32, 28, dtype=torch.bool)
    inside[:, 10:22, 7:19] = True
    pixels, ids = (inside * 255).to(torch.uint8).unsqueeze(-1), torch.arange(32)
    rows = boxes.encode([((7, 10, 19, 22), "bright")]).expand(32, -1, -1)
    classes = mask.prepare(inside.to(torch.int16))
    both = {"two": torch.stack([classes, 1 - classes], 1), "films": torch.stack([rows, rows], 1)}
    given = Batch({"picture": pixels, "classes": classes, "things": rows, **both}, ids, None)
    places = {"classes": mask, "things": boxes, "two": nw.Each(mask), "films": nw.Each(boxes)}
    found = BatchVariation({"picture": encoder}, seed=7, places=places)(given, 3).inputs
    bright = found["picture"][..., 0] > 0.45
    assert (bright == (found["classes"] == 1)).float().mean() > 0.99
    for one, (left, top, right, bottom, label) in zip(bright, found["things"][:, 0].tolist(), strict=True):
        down, across = (at.float() for at in one.nonzero().unbind(1))
        assert label == 0
        around = (float(across.min()), float(down.min()), float(across.max()) + 1, float(down.max()) + 1)
        assert all(abs(a - b) < 2 for a, b in zip(around, (left, top, right, bottom), strict=True))
    assert (found["things"][:, 1, 4] == -1).all()
    assert torch.equal(found["two"][:, 0], found["classes"]) and not torch.equal(found["two"][:, 1], found["classes"])
    assert torch.equal(found["films"], torch.stack([found["things"]] * 2, 1))


def test_what_is_moved_out_of_the_picture_does_not_count() -> None:
    encoder = nw.Image(8, 8, "gray", vary=(nw.Shift(7),))
    partial, whole = nw.Mask([0, 1], 8, 8, ignored=255), nw.Mask([0, 1], 8, 8)
    boxes = nw.Boxes(["a"], 8, 8)
    ids = torch.arange(40)
    ones, rows = torch.ones(40, 8, 8, dtype=torch.int64), boxes.encode([((0, 0, 2, 2), "a")]).expand(40, -1, -1)
    pixels = torch.full((40, 8, 8, 1), 255, dtype=torch.uint8)
    given = Batch({"picture": pixels, "partial": ones, "whole": ones, "things": rows}, ids, None)
    places = {"partial": partial, "whole": whole, "things": boxes}
    found = BatchVariation({"picture": encoder}, seed=7, places=places)(given, 0).inputs
    seen = found["picture"][..., 0] > 0
    assert torch.equal(found["partial"] == -1, ~seen) and torch.equal(found["whole"] == 0, ~seen)
    gone = found["things"][:, 0, 4] == -1
    assert 0 < int(gone.sum()) < 40
