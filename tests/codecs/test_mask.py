"""Mask: class numbers in every form, there and back at the picture's own size, and what does not count."""

import io
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image as pil

import netwright as nw
from messages import message
from netwright.codecs.mask import Mask
from netwright.codecs.ragged import Ragged
from netwright.sizes.free import FREE

CELLS = Mask(["background", "cell", "edge"])
CLASSES = np.random.default_rng(0).integers(0, 3, (6, 4))


def as_file(image: Any, kind: str = "PNG") -> bytes:
    content = io.BytesIO()
    image.save(content, kind)
    return content.getvalue()


def indexed() -> Any:
    image = pil.fromarray(CLASSES.astype(np.uint8), "L").convert("P")
    image.putdata(CLASSES.ravel().tolist())
    image.putpalette([200, 0, 0, 0, 200, 0, 0, 0, 200])
    return image


def test_every_form_gives_the_same_indices(tmp_path: Path):
    indexed().save(tmp_path / "mask.png")
    names = np.array(["background", "cell", "edge"])
    forms: list[Any] = [
        CLASSES,
        torch.from_numpy(CLASSES),
        CLASSES.astype(np.uint8),
        CLASSES[..., None],
        names[CLASSES],
    ]
    forms += [names[CLASSES].astype(object), indexed(), as_file(indexed()), tmp_path / "mask.png"]
    forms += [pil.fromarray(CLASSES.astype(np.uint8)), CLASSES.tolist()]
    forms += [{"cell": CLASSES == 1, "edge": CLASSES == 2}, {name: i == CLASSES for i, name in enumerate(names)}]
    for form in forms:
        assert CELLS.encode(form).tolist() == CLASSES.tolist()
    assert CELLS.prepare(CELLS.encode(CLASSES)).dtype == torch.int64


def test_class_numbers_are_the_labels_where_these_are_integers():
    codec = Mask([0, 7, 255])
    values = np.array([0, 7, 255])[CLASSES]
    assert codec.encode(values).tolist() == CLASSES.tolist()
    assert codec.encode(pil.fromarray(values.astype(np.uint8))).tolist() == CLASSES.tolist()
    assert codec.decode(torch.eye(3)[CLASSES]).tolist() == values.tolist()
    yes = Mask([False, True])
    assert yes.encode(CLASSES == 1).tolist() == (CLASSES == 1).tolist()
    assert yes.encode(pil.fromarray(CLASSES == 1)).tolist() == (CLASSES == 1).tolist()
    assert yes.decode(torch.eye(2)[(CLASSES == 1).astype(int)]).tolist() == (CLASSES == 1).tolist()


def test_labels_are_learned():
    assert Mask().fit([CLASSES, CLASSES * 4]) == Mask([0, 1, 2, 4, 8])
    assert Mask(ignored=8).fit([CLASSES, CLASSES * 4]) == Mask([0, 1, 2, 4], ignored=8)
    assert Mask().fit([np.array([["a", "b"]])]) == Mask(["a", "b"])
    assert Mask(labels=FREE).encoded == "h w <?>"
    assert message(Mask().fit, [np.zeros((2, 2), int)]).startswith("masks need at least two different classes")
    assert (
        message(Mask().fit, [{"a": CLASSES == 1}])
        == """\
the labels do not follow from masks of single classes
  where:    row 0
  got:      'a'
  mend:     give the labels: Mask([…])"""
    )


def test_decode_gives_classes_or_their_probabilities():
    output = torch.rand(6, 4, 3, generator=torch.Generator().manual_seed(0)).softmax(-1)
    assert CELLS.decode(output).tolist() == output.argmax(-1).tolist()
    chances = CELLS.decode(output, nw.probabilities)
    assert list(chances) == ["background", "cell", "edge"]
    assert np.array_equal(chances["edge"], output[..., 2].numpy())
    assert message(CELLS.decode, output * 2, nw.probabilities).startswith("the output is not a distribution over")
    assert (
        message(CELLS.decode, output, nw.Top(2))
        == """\
a mask is read as its classes or as their probabilities
  expected: no reading, nw.probabilities, or nw.raw for the array itself
  got:      Top(count=2)"""
    )


@pytest.mark.parametrize("resize", ["stretch", "crop", "letterbox"])
def test_a_mask_is_resized_as_its_picture(resize: Any):
    """The masks of a picture of two colours are where its pixels are nearer to the second one."""
    inside = np.zeros((30, 47), bool)
    inside[7:20, 9:36] = True
    picture = (inside * 255).astype(np.uint8)
    light = nw.Image(16, 12, "gray", resize=resize, filter="nearest").encode(picture)[..., 0]
    index = Mask([False, True], 16, 12, resize=resize).encode(inside)
    seen = index >= 0
    assert torch.equal(index[seen] == 1, light[seen] == 255)
    assert seen.all() == (resize != "letterbox")


@pytest.mark.parametrize("resize", ["stretch", "crop", "letterbox"])
def test_an_answer_has_the_size_of_the_picture(resize: Any, tmp_path: Path):
    encoder = nw.Image(24, 24, "gray", resize=resize, filter="nearest")
    decoder = Mask(["dark", "light"], 24, 24, resize=resize)
    # two probabilities, of a pixel's light and of the rest of it
    net = nw.Chain(nw.Conv(2, 1), nw.softmax, input=encoder, output=decoder)
    arrays = {"conv1/weight": torch.tensor([[[[-9.0]]], [[[9.0]]]]), "conv1/bias": torch.tensor([4.5, -4.5])}
    net = net.with_arrays(arrays)
    inside = np.zeros((60, 96), bool)
    inside[16:40, 32:72] = True
    pixels = (inside * 255).astype(np.uint8)
    pil.fromarray(pixels).save(tmp_path / "a.png")
    for form in (pixels, tmp_path / "a.png", pil.fromarray(pixels)):
        answer = net(form)
        assert answer.shape == (60, 96)
        assert (answer == inside)[:, 18:78].mean() > 0.95  # a crop shows these columns
    both = net([pixels, pixels[:30]])
    assert [one.shape for one in both] == [(60, 96), (30, 96)]
    assert net(pixels, nw.probabilities)["light"].shape == (60, 96)
    assert net(pixels, nw.raw).shape == (24, 24, 2)


def test_pixels_that_do_not_count():
    codec = Mask(["a", "b"], ignored=255)
    values = np.array([[0, 1], [255, 1]])
    assert codec.partial and not Mask(["a", "b"]).partial
    assert codec.encode(values).tolist() == [[0, 1], [-1, 1]]
    named = Mask(["a", "b"], ignored="void")
    assert named.encode(np.array([["a", "void"]])).tolist() == [[0, -1]]


def test_training_and_measuring_leave_out_what_does_not_count():
    """The pixels that are not known would be wrong every time, and the net is never shown them."""
    generator = np.random.default_rng(0)
    masks = generator.integers(0, 2, (12, 8, 8))
    pictures = np.where(masks == 1, 220, 30).astype(np.uint8)
    unknown = generator.random(masks.shape) < 0.5
    masks = np.where(unknown, 255, masks)
    net = nw.Chain(nw.Conv(2, 1), nw.softmax, input=nw.Image(8, 8, "gray", mean=0.5, deviation=0.1))
    net = net.with_output(Mask([0, 1], 8, 8, ignored=255))
    run = nw.train(net, (pictures, masks), validation=(pictures, masks), epochs=40, seed=0, progress=False)
    assert run.epochs[-1].validation["error"] == 0
    known = nw.measure(run.net, (pictures, masks))
    assert float(known.accuracy) == 1
    assert known.counted == int((~unknown).sum())


def test_masks_of_any_size():
    masks = [CLASSES, CLASSES[:3]]
    encoded = CELLS.encode_all(masks)
    assert isinstance(encoded, Ragged)
    assert encoded.row(1).tolist() == masks[1].tolist()
    pictures = [np.zeros((6, 4), np.uint8), np.zeros((3, 4), np.uint8)]
    net = nw.Chain(nw.Conv(3, 1), nw.softmax, input=nw.Image("h", "w", "gray"), output=CELLS)
    run = nw.train(net, (pictures * 4, masks * 4), epochs=1, seed=0, progress=False)
    assert [answer.shape for answer in run.net(pictures)] == [(6, 4), (3, 4)]
    wrong = message(lambda: nw.train(net, (pictures * 4, masks[::-1] * 4), epochs=1, seed=0, progress=False))
    assert wrong.startswith("the mask has another size than its picture")


def test_a_mask_of_another_size_than_its_picture():
    pictures, masks = [np.zeros((6, 4), np.uint8)] * 4, [CLASSES[:3]] * 4
    net = nw.Chain(nw.Conv(3, 1), nw.softmax, input=nw.Image(8, 8, "gray"), output=Mask([0, 1, 2], 8, 8))
    said = message(lambda: nw.train(net, (pictures, masks), epochs=1, seed=0, progress=False))
    assert (
        re.sub(r"row \d", "row …", said)
        == """\
the mask has another size than its picture
  where:    port 'target', row …
  expected: 6 x 4, height by width
  got:      3 x 4"""
    )


def test_bad_masks():
    assert (
        message(CELLS.encode_all, [CLASSES, CLASSES + 1])
        == f"""\
the class number 3 is not one of the 3 classes
  where:    row 1, pixel {tuple(int(i) for i in np.argwhere(CLASSES == 2)[0])}
  expected: 0 to 2
  got:      3
  mend:     ignored=3, if these pixels do not count
  or:       a label for it: Mask([…, 3])"""
    )
    assert (
        message(CELLS.encode, np.array([["cell", "cel"]]))
        == """\
label 'cel' is not one of the 3 classes
  where:    pixel (0, 1)
  expected: 'background', 'cell', 'edge'
  got:      'cel' of type str
  mend:     did you mean 'cell'?"""
    )
    assert (
        message(CELLS.encode, CLASSES / 2)
        == """\
class numbers are integers
  got:      an array of shape (6, 4) and type float64
  mend:     mask.astype(int), if they are whole; mask > 0.5, for True and False"""
    )
    assert (
        message(CELLS.encode, pil.new("RGB", (4, 6)))
        == """\
the pixels of this picture are colours, not class numbers
  expected: a picture with a palette, or a gray one whose values are class numbers
  got:      the colours 'RGB' of PIL
  mend:     make an array of class numbers from the colours"""
    )
    assert (
        message(CELLS.encode, 3)
        == """\
this is not a mask
  expected: an array of class numbers, a picture of them, or a mapping from labels to masks
  got:      3 of type int"""
    )
    assert message(CELLS.encode, np.zeros((0, 3), int)) == "the mask has no pixels\n  got:      (0, 3)"
    assert message(CELLS.encode, np.zeros((2, 2, 3), int)).startswith("a mask has a height and a width")
    assert message(CELLS.encode, "mask.png").startswith("there is no such file")


def test_bad_masks_of_single_classes():
    assert (
        message(CELLS.encode, {"cell": CLASSES == 1, "edge": CLASSES >= 1})
        == f"""\
a pixel is in 2 of the masks
  where:    pixel {tuple(int(i) for i in np.argwhere(CLASSES == 1)[0])}
  expected: each pixel in one mask, or in none: then it is 'background'
  got:      masks of 'cell', 'edge'"""
    )
    assert message(CELLS.encode, {"cell": CLASSES == 1}).startswith("a pixel is in 0 of the masks")
    assert (
        message(CELLS.encode, {"cell": CLASSES == 1, "edge": CLASSES[:2] == 2})
        == """\
the masks of the classes have different sizes
  expected: one mask of True and False for each class, all of one size
  got:      (6, 4) and (2, 4)"""
    )
    assert message(CELLS.encode, {}).startswith("there is no mask")
    assert message(CELLS.encode, {"cel": CLASSES == 1}).startswith("label 'cel' is not one of the 3 classes")
    assert message(CELLS.encode, {"cell": CLASSES, "edge": CLASSES == 2}).startswith("the mask of 'cell' is not one of")


def test_options_out_of_range():
    assert message(Mask, ["a"]).startswith("too few labels")
    assert (
        message(lambda: Mask(["a", "b"], resize="pad"))  # type: ignore[arg-type]
        == """\
unknown resize
  where:    Mask
  expected: 'stretch' or 'crop' or 'letterbox'
  got:      'pad'"""
    )
    assert (
        message(lambda: Mask(["a", "b"], ignored="b"))
        == """\
a class that is ignored is no label
  where:    Mask
  got:      'b'
  mend:     leave 'b' out of the labels, or ignored=… out"""
    )


def test_it_is_printed_and_saved(tmp_path: Path):
    codec = Mask(["a", "b"], 8, 8, resize="letterbox", ignored=255)
    assert repr(codec) == "Mask(['a', 'b'], 8, 8, resize='letterbox', ignored=255)"
    assert eval(repr(codec), {"Mask": Mask}) == codec
    net = nw.initialize(nw.Chain(nw.Conv(2, 1), nw.softmax, input=nw.Image(8, 8), output=codec))
    nw.save(net, tmp_path / "a.net")
    assert nw.load(tmp_path / "a.net").outputs["output"] == codec
