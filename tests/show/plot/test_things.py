"""Boxes and masks are drawn where they are, and what does not lie on the picture is refused."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image as pil

import netwright as nw
from messages import message

PICTURE = np.random.default_rng(0).integers(0, 256, (40, 60, 3), dtype=np.uint8)
CAT, DOG = ((5, 9, 30, 25), "cat"), ((35, 8, 50, 30), "dog")


def test_boxes_with_classes_and_scores(tmp_path: Path):
    pil.fromarray(PICTURE).save(tmp_path / "a.png")
    for picture in (PICTURE, tmp_path / "a.png", PICTURE[..., 0]):
        figure = nw.plot.boxes(picture, [CAT, nw.Thing(DOG[0], "dog", 0.876), ((1, 1, 3, 3), "cat", 0.5)])
        (axes,) = figure.axes
        assert [text.get_text() for text in axes.texts] == ["cat", "dog 88%", "cat 50%"]
        assert len({patch.get_edgecolor() for patch in axes.patches}) == 2
        low = [(patch.get_x(), patch.get_y(), patch.get_width(), patch.get_height()) for patch in axes.patches]
        assert low[-1] == (5, 9, 25, 16)
        assert axes.get_xlim() == (0, 60) and axes.get_ylim() == (40, 0)
    assert not nw.plot.boxes(PICTURE, []).axes[0].texts


def test_a_mask_colours_all_but_the_first_class():
    classes = np.zeros((40, 60), np.uint8)
    classes[10:20], classes[30:] = 2, 1
    figure = nw.plot.mask(PICTURE, classes, ["nothing", "cell", "edge"])
    shown = np.asarray(figure.axes[0].images[0].get_array())
    assert np.allclose(shown[:10], PICTURE[:10] / 255)
    assert not np.allclose(shown[10:20], PICTURE[10:20] / 255)
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["cell", "edge"]
    assert [text.get_text() for text in nw.plot.mask(PICTURE, classes).legends[0].get_texts()] == ["1", "2"]
    assert len(nw.plot.mask(PICTURE, classes == 2).legends[0].get_texts()) == 1
    assert not nw.plot.mask(PICTURE, classes * 0).legends


def test_what_does_not_lie_on_the_picture():
    assert (
        message(nw.plot.mask, PICTURE, np.zeros((40, 50), int))
        == """\
the classes do not lie on the picture
  where:    plot.mask
  expected: an array (40, 60) of class numbers, or of True and False
  got:      an array of shape (40, 50) and type int64"""
    )
    assert (
        message(nw.plot.boxes, PICTURE, [CAT, (1, "cat")])
        == """\
this is not a thing with its box
  where:    plot.boxes, thing 1
  expected: (box, label) or (box, label, score), with box = (left, top, right, bottom)
  got:      (1, 'cat') of type tuple"""
    )
    with pytest.raises(nw.NetwrightError, match="there is no such file"):
        nw.plot.boxes("none.png", [])
