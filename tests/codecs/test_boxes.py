"""Boxes: things there and back, in pixels of the picture that was given, and what is no thing."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image as pil

import netwright as nw
from messages import message
from netwright.codecs.boxes import Boxes, Thing, Things
from netwright.codecs.ragged import Ragged

SHAPES = Boxes(["circle", "square"], 32, 40)
CIRCLE, SQUARE = ((2, 4, 12, 14), "circle"), ((20, 6, 39.5, 30), "square")


def refused(net: nw.Net, pictures: np.ndarray, targets: list[Any]) -> str:
    return message(lambda: nw.train(net, (pictures, targets), epochs=1, progress=False))


def candidates(*things: tuple[Any, int, float, float]) -> torch.Tensor:
    """Boxes with a class, of two, and the probabilities of a thing and of this class."""
    rows = []
    for box, label, there, chance in things:
        classes = [-20.0, -20.0]
        classes[label] = float(torch.tensor(chance).logit())
        rows.append([*box, float(torch.tensor(there).logit()), *classes])
    return torch.tensor(rows)


def test_things_become_rows():
    assert SHAPES.encode([CIRCLE, SQUARE]).tolist() == [
        [2, 4, 12, 14, 0],
        [20, 6, 39.5, 30, 1],
        [0, 0, 0, 0, -1],
    ]
    assert SHAPES.encode([]).tolist() == [[0, 0, 0, 0, -1]]
    forms: list[Any] = [(CIRCLE,), [list(CIRCLE)], [(np.array(CIRCLE[0]), "circle")]]
    forms += [[Thing((2, 4, 12, 14), "circle", 0.4)]]
    for form in forms:
        assert SHAPES.encode(form).tolist() == SHAPES.encode([CIRCLE]).tolist()
    many = SHAPES.encode_all([[CIRCLE], [], [CIRCLE, SQUARE]])
    assert isinstance(many, Ragged)
    assert many.lengths[0].tolist() == [2, 1, 3]
    assert SHAPES.encode([((-0.4, 0, 40.3, 32), "circle")])[0].tolist() == [0, 0, 40, 32, 0]  # by rounding


def test_labels_are_learned():
    assert Boxes(height=32, width=40).fit([[SQUARE], [], [CIRCLE]]) == SHAPES
    assert message(Boxes(height=32, width=40).fit, [[], []]).startswith("there is not one thing in the training data")


def test_candidates_become_things():
    output = candidates(
        ((2, 4, 12, 14), 0, 0.9, 0.8),
        ((2, 4, 12, 13), 0, 0.9, 0.9),  # the same circle, and surer
        ((2, 4, 12, 14), 1, 0.9, 0.7),  # another class
        ((20, 6, 50, 40), 1, 0.9, 0.99),  # beyond the edges
        ((5, 5, 9, 9), 0, 0.4, 0.5),  # too weak
        ((9, 9, 5, 5), 0, 0.9, 0.9),  # no area
    )
    found = SHAPES.decode(output)
    assert [(thing.box, thing.label) for thing in found] == [
        ((20, 6, 40, 32), "square"),
        ((2, 4, 12, 13), "circle"),
        ((2, 4, 12, 14), "square"),
    ]
    assert [thing.score for thing in found] == pytest.approx([0.891, 0.81, 0.63], abs=1e-5)
    assert SHAPES.decode(output.reshape(2, 3, 7)) == found
    weak = Boxes(["circle", "square"], 32, 40, least_score=0.1, overlap=1, most=5)
    assert len(weak.decode(output)) == 5
    assert SHAPES.decode(output - torch.tensor([0, 0, 0, 0, 90.0, 0, 0])) == []
    assert "Boxes gives a value, not a distribution" in message(SHAPES.decode, output, nw.probabilities)


@pytest.mark.parametrize("resize", ["stretch", "crop", "letterbox"])
def test_boxes_are_in_pixels_of_the_picture(resize: Any, tmp_path: Path):
    """A net that always finds what its target says: the answer is where the thing was in the large picture."""
    large, box = np.zeros((300, 200, 3), np.uint8), (60.0, 130.0, 110.0, 190.0)
    pil.fromarray(large).save(tmp_path / "a.png")
    codec = Boxes(["circle", "square"], 64, 64, resize=resize)
    row = codec.encode(Things([(box, "square")], size=(300, 200)))[0]
    if resize == "stretch":
        assert row.tolist() == pytest.approx([19.2, 130 * 64 / 300, 35.2, 190 * 64 / 300, 1], abs=1e-4)
    candidate = torch.cat([row[:4], torch.tensor([9.0, -9.0, 9.0])])
    net = nw.Chain(nw.Conv(7, 64), input=nw.Image(64, 64, resize=resize), output=codec)
    net = net.with_arrays({"conv1/weight": torch.zeros(7, 3, 64, 64), "conv1/bias": candidate})
    for form in (large, tmp_path / "a.png", pil.fromarray(large)):
        (thing,) = net(form)
        assert thing.box == pytest.approx(box, abs=1e-3)
        assert thing.label == "square"
    first, second = net([large, large[:200]])
    assert first[0].box == pytest.approx(box, abs=1e-3)
    assert second[0].box != pytest.approx(box, abs=1)


def test_things_that_a_crop_cuts_off():
    codec = Boxes(["a"], 50, 50, resize="crop")
    things = Things([((0, 0, 30, 100), "a"), ((40, 0, 80, 100), "a"), ((90, 10, 110, 20), "a")], size=(100, 200))
    assert codec.encode(things).tolist() == [[0, 0, 15, 50, 0], [20, 5, 30, 10, 0], [0, 0, 0, 0, -1]]


def test_a_detector_learns():
    """White squares on black: their places are learned in a few steps."""
    generator = np.random.default_rng(0)
    pictures, targets = np.zeros((48, 32, 32), np.uint8), []
    for picture in pictures:
        left, top = (int(side) for side in generator.integers(0, 20, 2))
        picture[top : top + 12, left : left + 12] = 255
        targets.append([((left, top, left + 12, top + 12), "square")])
    targets[0], pictures[0] = [], 0
    sizes = (12, 16, 16)
    body = [part for size in sizes for part in (nw.Conv(size, 4, stride=2, padding=1), nw.relu)]
    parts = [*body, nw.Conv(6, 1), nw.GridBoxes(8)]
    net = nw.Chain(*parts, input=nw.Image(32, 32, "gray"), output=Boxes(["square"], 32, 32))
    run = nw.train(net, (pictures, targets), epochs=30, batch_size=8, learning_rate=3e-3, seed=0, progress=False)
    found = run.net(pictures[1:9])
    for answer, wanted in zip(found, targets[1:9], strict=True):
        assert answer[0].box == pytest.approx(wanted[0][0], abs=4)


def test_bad_things():
    assert (
        message(SHAPES.encode_all, [[CIRCLE], [CIRCLE, ((4, 4, 4, 9), "circle")]])
        == """\
the box has no area
  where:    row 1, thing 1
  expected: (left, top, right, bottom), with left < right and top < bottom
  got:      (4, 4, 4, 9)
  mend:     leave it out"""
    )
    assert (
        message(SHAPES.encode, [((4, 4, 60, 9), "circle")])
        == """\
the box is outside of its picture
  where:    thing 0
  expected: a box in a picture that is 40 wide and 32 high
  got:      (4, 4, 60, 9)
  mend:     cut it at the edges of the picture, or leave it out
  or:       nw.Things(things, size=(height, width)), if the picture has another size than the net's"""
    )
    assert (
        message(SHAPES.encode, [((4, 4, 9, 9), "cirle")])
        == """\
label 'cirle' is not one of the 2 classes
  where:    thing 0
  expected: 'circle', 'square'
  got:      'cirle' of type str
  mend:     did you mean 'circle'?"""
    )
    assert (
        message(SHAPES.encode, [CIRCLE, "circle"])
        == """\
this is not a thing with its box
  where:    thing 1
  expected: (box, label), with box = (left, top, right, bottom)
  got:      'circle' of type str"""
    )
    for box in ((1, 2, 3), (1, 2, 3, float("nan")), ("1", 2, 3, 4)):
        assert message(SHAPES.encode, [(box, "circle")]).startswith("a box is four numbers\n  where:    thing 0")
    assert (
        message(SHAPES.encode, 3)
        == """\
the things in a picture come as a list
  expected: [(box, label), …]
  got:      3 of type int"""
    )
    assert (
        message(Things, [CIRCLE], (32, 0))
        == """\
the size of a picture is its height and its width in pixels
  where:    Things
  got:      (32, 0)"""
    )


def test_options_out_of_range():
    assert message(lambda: Boxes(["a"], 32, 32, overlap=2)) == "overlap is in 0..1\n  where:    Boxes\n  got:      2"
    assert message(lambda: Boxes(["a"], 32, 32, strides=0)).startswith("the stride of a grid in pixels is a whole")
    assert message(lambda: Boxes(["a"], 32, 32, most=0)).startswith("the most things in a picture is a whole number")
    assert message(lambda: Boxes(["a"], 32, 32, resize="pad")).startswith("unknown resize")  # type: ignore[arg-type]


def test_a_detector_of_any_size_does_not_learn():
    net = nw.Chain(nw.Conv(6, 1), nw.GridBoxes(1), input=nw.Image("h", "w"), output=Boxes(["a"]))
    pictures = np.zeros((4, 8, 8, 3), np.uint8)
    assert (
        message(lambda: nw.train(net, (pictures, [[]] * 4), epochs=1, progress=False))
        == """\
a detector learns from pictures of one size, since its grids follow from it
  expected: a height and a width in pixels
  got:      Boxes(['a'])
  mend:     nw.Boxes(labels, height, width), as those of the net's nw.Image"""
    )


def test_boxes_of_another_picture_than_theirs():
    """Without its size, a thing in a large picture would be learned at a wrong place, without an error."""
    net = nw.Chain(nw.Conv(7, 8, stride=8), nw.GridBoxes(8), input=nw.Image(32, 40), output=SHAPES)
    pictures = np.zeros((4, 64, 80, 3), np.uint8)
    for things, got in (
        ([CIRCLE], "boxes in one that is 40 wide, 32 high"),
        (Things([CIRCLE], size=(80, 64)), "size=(80, 64)"),
    ):
        assert (
            re.sub(r"row \d", "row …", refused(net, pictures, [things] * 4))
            == f"""\
the boxes are in pixels of a picture of another size than theirs
  where:    port 'target', row …
  expected: boxes in a picture that is 80 wide and 64 high
  got:      {got}
  mend:     nw.Things(things, size=(64, 80)), if they are in pixels of the picture that is given"""
        )


def test_it_is_printed_and_saved(tmp_path: Path):
    codec = Boxes(["a", "b"], 64, 32, strides=(8, 16), resize="letterbox", least_score=0.1, overlap=0.4, most=9)
    assert eval(repr(codec), {"Boxes": Boxes}) == codec
    assert repr(SHAPES) == "Boxes(['circle', 'square'], 32, 40)"
    net = nw.Chain(nw.Conv(7, 1), nw.GridBoxes(8), input=(8, 4, 3), output=codec)
    nw.save(net, tmp_path / "a.net")
    assert nw.load(tmp_path / "a.net") == net
    things = Things([CIRCLE], size=(32, 40))
    assert eval(repr(things), {"Things": Things}) == things
