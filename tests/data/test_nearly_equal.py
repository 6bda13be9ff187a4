"""Texts in another case and pictures moved by a pixel have equal keys; others have not."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from netwright.data.lazy import Lazy
from netwright.data.mapped import MappedRows
from netwright.data.nearly_equal import Arrays, Plain, Texts, comparison, entropy_bits, plain_text

RANDOM = np.random.default_rng(0)


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("Hello, World!", "hello world"),
        ("  hello\t\n WORLD ", "hello world"),
        ("an under_score", "an under score"),
        ("Straße", "strasse"),
        ("Cafe\N{COMBINING ACUTE ACCENT}", "café"),
        ("ＡＢＣ…", "abc"),
        ("! ?", ""),
        ("Well-known - and/or (both)", "well known and or both"),
    ],
)
def test_a_text_without_what_does_not_change_its_words(text: str, plain: str) -> None:
    assert plain_text(text) == plain
    assert plain_text(text + " é").removesuffix("é").strip() == plain  # ASCII has a faster way to the same


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("scans/2024/image-12.png", "scans/2024/image_12.png"),  # paths of two files
        ("scans/a/12.png", "scans/A/12.png"),
        ("CC(=O)Oc1ccccc1", "CC(=O)OC1CCCCC1"),  # molecules: c is aromatic, C is not
        ("compute 12 - 5", "compute 12 + 5"),
        ("x = 12-5", "x = 12+5"),
        ("-5 degrees", "5 degrees"),
        ("a value x + y", "a value x - y"),
    ],
)
def test_texts_whose_signs_count(one: str, other: str) -> None:
    assert plain_text(one) != plain_text(other)


@pytest.mark.parametrize(
    ("training", "held_out", "kind"),
    [
        (["a"], ("b",), Texts),
        (["a", 1], ["b"], Plain),
        (range(3), [1], Plain),
        (np.zeros(3), np.zeros(2), Plain),
        (np.zeros((3, 2)), torch.zeros(2, 2), Arrays),
        ([np.zeros(2), np.zeros(2)], np.zeros((2, 2)), Arrays),
        ([np.zeros(2), np.zeros(3)], np.zeros((2, 2)), Plain),
        (np.zeros((2, 0)), np.zeros((2, 0)), Plain),
        (np.array(["a", "b"]), ["a"], Texts),
        ([Path("a")], [Path("b")], Plain),
        (Lazy(MappedRows(np.zeros(3)), ""), np.zeros(3), type(None)),
    ],
)
def test_how_columns_are_compared(training: Any, held_out: Any, kind: type) -> None:
    assert type(comparison(training, held_out)) is kind


@pytest.mark.parametrize("shape", [(12, 12), (12, 11, 3), (3, 12, 11)])
@pytest.mark.parametrize("dtype", [np.uint8, np.float32, np.float64])
def test_a_picture_that_moved_has_the_key_of_the_picture(shape: tuple[int, ...], dtype: type) -> None:
    pictures = (RANDOM.random((5, *shape)) * 255).astype(dtype)
    found = comparison(pictures, pictures)
    assert isinstance(found, Arrays)
    assert found.moves
    keys = found.keys(pictures, np.arange(5), (0, 0))
    assert len(set(keys.tolist())) == 5
    for move in [(0, 0), (1, 0), (-1, 1), (0, -1)]:
        moved = np.roll(pictures, move, [axis + 1 for axis in found.sides])
        pair = comparison(pictures, torch.from_numpy(moved))
        assert pair is not None
        assert pair.keys(pair.held_out, np.arange(5), move).tolist() == keys.tolist()
        assert pair.same(3, 3, move)
        assert not pair.same(3, 2, move)
        assert pair.keys(pair.held_out, np.arange(5), (1, 1)).tolist() != keys.tolist()


def test_small_pictures_and_rows_do_not_move() -> None:
    for shape in [(3, 3), (200,), (9, 30)]:
        found = comparison(np.zeros((2, *shape)), np.zeros((2, *shape)))
        assert found is not None
        assert not found.moves


def test_keys_do_not_depend_on_how_an_array_is_stored() -> None:
    values = RANDOM.random((6, 40))
    keys = [
        found.keys(stored, np.array([1, 4]), (0, 0)).tolist()
        for stored in (values, np.asfortranarray(values), torch.from_numpy(values), [*values])
        if (found := comparison(stored, values)) is not None
    ]
    assert keys == [keys[0]] * 4


def test_equal_values_of_any_kind_have_equal_keys() -> None:
    values = [1, 1.0, (1, [2]), [1, (2,)], {"a": [1]}, {"a": (1,)}, np.ones(2), np.ones(2), b"x", {1}, {1}]
    found = Plain(values, values)
    keys = found.keys(values, np.arange(len(values)), (0, 0)).tolist()
    assert keys[::2][:5] == [keys[0], keys[2], keys[4], keys[6], keys[8]]
    assert [keys[i] == keys[i + 1] for i in (0, 2, 4, 6, 9)] == [True, True, True, True, False]
    assert found.same(2, 3, (0, 0))
    assert not found.same(0, 2, (0, 0))


def test_how_much_a_value_says() -> None:
    assert entropy_bits("abcd") == 8
    assert entropy_bits("") == 0
    assert entropy_bits(np.array([1, 1, 2, 2])) == 4
    rows = np.array([[5.1, 3.5, 1.4, 0.2]], dtype=np.float32)
    table, booleans = comparison(rows, rows), comparison(np.eye(20) > 0, np.eye(20) > 0)
    assert table is not None
    assert booleans is not None
    assert table.bits(0) == entropy_bits("5.13.51.40.2") < 64
    assert booleans.bits(0) == entropy_bits("1" + "0" * 19) < 64
