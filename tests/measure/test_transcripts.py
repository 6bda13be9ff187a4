"""Tests for `netwright.measure.transcripts`: the errors of letters and of words, added up batch by batch."""

import numpy as np
import pytest
import torch

from netwright.codecs.text.transcript import Transcript
from netwright.measure.transcripts import TranscriptEdits

CODEC = Transcript("abc ")


def elements(text: str) -> np.ndarray:
    """Elements that are sure of a text, with a blank behind each letter."""
    return np.eye(5, dtype=np.float32)[[index for letter in text for index in (CODEC.letters.index(letter), 4)]]


def test_edits_are_counted() -> None:
    answers, targets = ["ab c", "aa", "b"], ["ab c", "ab", "bcc a"]
    edits = TranscriptEdits(CODEC)
    losses = edits.update([elements(text) for text in answers], [CODEC.encode(text) for text in targets])
    assert losses.tolist() == pytest.approx([0, 1 / 2, 4 / 5])
    letters, words = (metric(edits) for metric in edits.metrics)
    assert (letters.name, letters.value) == ("character error", pytest.approx(5 / 11))
    assert (words.name, words.value) == ("word error", pytest.approx(3 / 5))
    assert letters.baseline == 1
    assert letters.less_is_better


def test_batches_add_up() -> None:
    once, twice = TranscriptEdits(CODEC), TranscriptEdits(CODEC)
    given, right = [elements("ab"), elements("c")], [torch.tensor([0]), torch.tensor([2])]
    once.update(given, right)
    for row in range(2):
        twice.update(given[row : row + 1], right[row : row + 1])
    assert [str(metric(once)) for metric in once.metrics] == [str(metric(twice)) for metric in twice.metrics]
    assert twice.n == 2
