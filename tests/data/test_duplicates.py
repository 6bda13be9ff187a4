"""Examples of the validation part that train too are found, those that are equal by chance are not."""

from typing import Any

import numpy as np
import pytest
import torch

from netwright.data import duplicates as module
from netwright.data.duplicates import Duplicates, duplicates
from netwright.data.sources import Source

RANDOM = np.random.default_rng(0)
WORDS = [f"word{i}" for i in range(300)]


def sentences(n: int) -> list[str]:
    return [" ".join(RANDOM.choice(WORDS, 8)) for _ in range(n)]


def found(training: Any, held_out: Any) -> Duplicates | None:
    return duplicates(Source({"input": training}), Source({"input": held_out}), ["input"])


def pairs(training: Any, held_out: Any) -> list[tuple[int, int]]:
    both = found(training, held_out)
    assert both is not None
    return [*both.pairs]


def test_texts_that_differ_in_case_spacing_and_punctuation() -> None:
    training, held_out = sentences(200), sentences(40)
    held_out[3], held_out[7] = training[9].upper() + "!", "  " + training[150].replace(" ", ", ")
    held_out[11] = training[5][:-1] + "x"
    assert found(training, held_out) == Duplicates(((3, 9), (7, 150)), True, False, 200, 40)


def test_long_texts_are_compared_to_their_end() -> None:
    long = " ".join(sentences(100))
    assert pairs([long + " a", long + " b", "c" * 20], [long + " B"]) == [(0, 1)]


@pytest.mark.parametrize("form", [np.asarray, torch.as_tensor, list])
def test_pictures_that_are_moved_by_a_pixel(form: Any) -> None:
    training = RANDOM.integers(0, 256, (100, 14, 14), dtype=np.uint8)
    held_out = RANDOM.integers(0, 256, (20, 14, 14), dtype=np.uint8)
    held_out[2], held_out[4] = training[50], np.roll(training[51], 1, 0)
    held_out[5], held_out[6] = np.roll(training[52], (-1, 1), (0, 1)), np.roll(training[53], 2, 0)
    held_out[7] = training[54]
    held_out[7, 7, 7] ^= 1
    assert found(form(training), form(held_out)) == Duplicates(((2, 50), (4, 51), (5, 52)), False, True, 100, 20)


def test_large_pictures_are_compared_whole() -> None:
    training = RANDOM.random((6, 60, 60, 3))
    held_out = training[:2].copy()
    held_out[1, 30, 30, 0] = 2
    assert pairs(training, held_out) == [(0, 0)]


def test_rows_of_numbers() -> None:
    training, held_out = RANDOM.random((300, 6)), RANDOM.random((50, 6))
    held_out[8] = training[299]
    assert pairs(training, held_out) == [(8, 299)]
    assert pairs([[*row] for row in training], [[*row] for row in held_out]) == [(8, 299)]


def test_all_inputs_of_an_example_have_to_be_equal() -> None:
    texts, pictures = sentences(30), RANDOM.integers(0, 256, (30, 12, 12), dtype=np.uint8)
    training = Source({"text": texts, "picture": pictures, "target": [0] * 30})
    moved = np.roll(pictures, 1, 1)
    held_out = Source({"text": [texts[4].title(), texts[5]], "picture": moved[[4, 6]], "target": [1, 1]})
    both = duplicates(training, held_out, ["text", "picture"])
    assert both is not None
    assert both.pairs == ((0, 4),)


@pytest.mark.parametrize(
    ("training", "held_out"),
    [
        (RANDOM.integers(0, 2, (50, 10)).astype(bool), np.ones((20, 10), dtype=bool)),
        ([1.5, 2.5, 3.5], [2.5]),
        (np.array([[5.1, 3.5, 1.4, 0.2]] * 3), np.array([[5.1, 3.5, 1.4, 0.2]])),
        (["yes", "no", "thank you"], ["yes", "Thank you!"]),
        (np.zeros((9, 28, 28), dtype=np.uint8), np.zeros((3, 28, 28), dtype=np.uint8)),
    ],
)
def test_what_says_little_is_equal_by_chance(training: Any, held_out: Any) -> None:
    both = found(training, held_out)
    assert both is None or both.pairs == ()


def test_data_of_few_different_examples_repeats_them_by_nature() -> None:
    titles = sentences(20)
    assert found(titles * 11, titles[:3]) is None
    assert pairs(titles * 9, titles[:2]) == [(0, 0), (1, 1)]


def test_of_more_than_the_bound_some_are_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST", 100 * 40)
    training = RANDOM.random((1000, 40))
    both = found(training, training)
    assert both is not None
    assert (both.trained, both.validated) == (100, 100)
    assert len(both.pairs) == 100


def test_values_of_equal_keys_that_differ_are_not_compared_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    start = " ".join(sentences(60))  # longer than what a key depends on
    training, held_out = [f"{start} {i}" for i in range(40)], [f"{start} {i}" for i in range(100, 110)]
    held_out.append(training[39])
    monkeypatch.setattr(module, "REPEATED", 100)
    assert pairs(training, held_out) == [(10, 39)]
    monkeypatch.setattr(module, "COMPARED", 100)
    assert pairs(training, held_out) == []


def test_examples_that_are_drawn_anew_are_not_looked_at() -> None:
    texts = sentences(3)
    stream = Source({"input": texts}, again=lambda: Source({"input": texts}))
    assert duplicates(stream, Source({"input": texts}), ["input"]) is None
