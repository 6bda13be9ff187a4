"""The scenes of the book: the sentence is true of the picture, and what is kept out does not appear."""

import re
import sys
from pathlib import Path

import numpy as np
import pytest

import netwright as nw

sys.path.insert(0, str(Path(__file__).parents[1] / "book"))

from scenes import COLOURS, SHADES, SHAPES, SIDE, scenes, sentence_of

DIGITS = nw.dataset("digits").test
SENTENCE = re.compile(r"(a (\w+ )?\w+|an 8) (left of|above) (a (\w+ )?\w+|an 8)")


def drawn(count, seed=0, **options):
    return scenes(count, DIGITS.inputs, DIGITS.targets, seed=seed, **options)


MADE = drawn(300)


def test_a_sentence_is_true_of_the_boxes():
    for scene in MADE:
        assert SENTENCE.fullmatch(scene.sentence), scene.sentence
        first, second = scene.boxes
        for top, left, bottom, right in scene.boxes:
            assert 0 <= top < bottom <= SIDE and 0 <= left < right <= SIDE
        down, along = first[2] < second[0], first[3] < second[1]  # a gap between the boxes, that way
        assert down if "above" in scene.sentence else along
        assert scene.sentence == sentence_of(
            scene.names[0], "above" if "above" in scene.sentence else "left of", scene.names[1]
        )


def test_things_stand_where_their_boxes_are():
    for scene in MADE:
        picture = scene.picture.astype(float)
        assert picture.shape == (SIDE, SIDE, 3)
        boxed = np.zeros((SIDE, SIDE), bool)
        for name, (top, left, bottom, right) in zip(scene.names, scene.boxes, strict=True):
            boxed[int(top) : int(np.ceil(bottom)), int(left) : int(np.ceil(right))] = True
            y, x = round((top + bottom) / 2), round((left + right) / 2)
            if name in SHADES:
                found = picture[y - 2 : y + 2, x - 2 : x + 2].mean((0, 1))
                nearest = min(COLOURS, key=lambda colour: np.linalg.norm(found - COLOURS[colour]))
                assert nearest == name.split()[0]
            else:
                inside = picture[int(top) : int(bottom) + 1, int(left) : int(right) + 1]
                assert inside.max() > 170
        outside = picture[~boxed]
        assert outside.std(0).max() < 17  # noise, and nothing else


@pytest.mark.parametrize(("shape", "share"), [("circle", np.pi * 0.81 / 4), ("square", 0.5776), ("triangle", 0.325)])
def test_a_shape_covers_its_share_of_the_box(shape, share):
    shares = []
    for scene in drawn(40, one_of=[f"blue {shape}"], without=SHADES[1:]):
        i = scene.names.index(f"blue {shape}")
        top, left, bottom, right = scene.boxes[i]
        picture = scene.picture.astype(float)
        blue = picture[:, :, 2] - picture[:, :, :2].mean(2) > 60
        y, x = np.mgrid[:SIDE, :SIDE] + 0.5
        inside = (y > top) & (y < bottom) & (x > left) & (x < right)
        shares.append(blue[inside].sum() / (bottom - top) ** 2)
    assert np.mean(shares) == pytest.approx(share, abs=0.05)


def test_what_is_kept_out_and_what_is_asked_for():
    kept = ["green triangle", "blue circle"]
    names = {name for scene in drawn(400, without=kept) for name in scene.names}
    assert names == {*SHADES, *map(str, range(10))} - {*kept}
    for scene in drawn(50, without=kept, one_of=kept):
        assert sum(name in kept for name in scene.names) == 1


def test_digits_are_those_that_were_given():
    one = DIGITS.targets.tolist().index(4)
    names = {n for s in scenes(30, DIGITS.inputs[one:][:1], [4], seed=0, without=SHADES[:-1]) for n in s.names}
    assert names == {"4", SHADES[-1]}
    assert len(SHADES) == len(COLOURS) * len(SHAPES)


def test_a_seed_makes_the_same_scenes():
    assert [s.sentence for s in drawn(20)] == [s.sentence for s in MADE[:20]]
    assert all((a.picture == b.picture).all() for a, b in zip(drawn(20), MADE, strict=False))
    assert [s.sentence for s in drawn(20, seed=1)] != [s.sentence for s in MADE[:20]]


def test_the_article_of_eight():
    assert sentence_of("8", "left of", "red circle") == "an 8 left of a red circle"
