"""Classes as probabilities: the target is one-hot, and all else is as the other codec has it."""

import pytest
import torch

from netwright.codecs.category import Category
from netwright.codecs.chances import ClassChances
from netwright.codecs.each import Each
from netwright.codecs.ragged import Ragged
from netwright.codecs.reading import probabilities
from netwright.sizes.free import FREE

PETS = Category(["cat", "dog", "rat"])


def test_a_target_is_the_probability_of_each_class() -> None:
    chances = ClassChances(PETS)
    stored = chances.encode_all(["rat", "cat", "rat"])
    assert stored.dtype == torch.uint8
    assert chances.prepare(stored).tolist() == [[0, 0, 1], [1, 0, 0], [0, 0, 1]]
    assert chances.prepare(stored).dtype == torch.float32
    assert chances.encode("dog").tolist() == [0, 1, 0]
    assert (chances.encoded, chances.decoded) == ("3", "3")


def test_positions_of_examples_that_differ_in_length() -> None:
    stored = ClassChances(Each(PETS)).encode_all([["rat", "cat"], ["dog"]])
    assert isinstance(stored, Ragged)
    assert stored.values.tolist() == [[0, 0, 1], [1, 0, 0], [0, 1, 0]]
    assert [lengths.tolist() for lengths in stored.lengths] == [[2, 1]]


def test_all_else_is_as_the_other_codec_has_it() -> None:
    chances, output = ClassChances(PETS), torch.tensor([0.2, 0.5, 0.3])
    assert (chances.answer, chances.names) == ("class", ("cat", "dog", "rat"))
    assert chances.decode(output) == "dog" and chances.takes("cat") and not chances.takes(["cat"])
    assert chances.decode(output, probabilities) == PETS.decode(output, probabilities)
    assert eval(repr(chances)) == chances != ClassChances(Category(["cat", "dog"]))


@pytest.mark.parametrize("labels", [FREE, ["cat", "dog"]])
def test_it_learns_its_labels(labels: object) -> None:
    open_ = ClassChances(Category(labels))  # pyright: ignore[reportArgumentType]
    assert open_.fitted == (labels is not FREE)
    assert open_.fit(["dog", "cat", "dog"]).names == ("cat", "dog") and open_.fit(["dog", "cat"]).fitted
