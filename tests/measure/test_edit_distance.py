"""Edit distances by hand and against jiwer's stored numbers, and what is no text."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import netwright as nw
from messages import message
from netwright.measure.edit_distance import character_error, edit_distance, word_error

STORED = np.load(Path(__file__).parents[1] / "oracles" / "stored" / "texts.npz")


def test_the_numbers_are_those_of_jiwer():
    answers, targets = STORED["answers"].tolist(), STORED["targets"].tolist()
    assert word_error(answers, targets).value == pytest.approx(float(STORED["wer"]), abs=1e-12)
    assert character_error(answers, targets).value == pytest.approx(float(STORED["cer"]), abs=1e-12)
    for answer, target, word, character in zip(answers, targets, STORED["wer_each"], STORED["cer_each"], strict=True):
        assert word_error([answer], [target]).value == pytest.approx(word, abs=1e-12)
        assert character_error([answer], [target]).value == pytest.approx(character, abs=1e-12)


def slow_distance(left, right):
    if not left or not right:
        return len(left) + len(right)
    changed = slow_distance(left[1:], right[1:]) + (left[0] != right[0])
    return min(changed, 1 + slow_distance(left[1:], right), 1 + slow_distance(left, right[1:]))


@given(st.text("ab", max_size=5), st.text("abc", max_size=5))
def test_the_distance_is_the_fewest_edits(left, right):
    assert edit_distance(left, right) == slow_distance(left, right)


def test_the_interval_and_the_baseline():
    found = word_error(["a b c d"] * 20, ["a b c e", "a b c d"] * 10)
    assert (found.value, found.n, found.baseline, found.baseline_name) == (1 / 8, 20, 1.0, "the empty text")
    assert found.low < 1 / 8 < found.high < 0.4 and found.less_is_better and found.percent
    assert word_error(["a b c d e"], ["f"]).value == 5.0  # much is inserted


def test_an_empty_target_counts_what_is_inserted():
    assert word_error(["a", "b c"], ["", "b c"]).value == 0.5


def test_they_measure_a_net_that_answers_with_texts():
    class Echo(nw.Codec):
        """Texts of three letters as three numbers."""

        encoded = decoded = "3"

        def encode(self, raw):
            import torch

            return torch.tensor([float(ord(letter)) for letter in raw])

        def read(self, output, reading):
            del reading
            return "".join(chr(int(number)) for number in output)

    net = nw.Chain(nw.Dropout(0.5), input=Echo(), output=Echo())
    report = nw.measure(net, (["abc", "abd"], ["abc", "abc"]), metrics=[nw.character_error])
    assert report.character_error.value == pytest.approx(1 / 6)
    assert (report.kind, report.n, report.worst) == ("answers", 2, ())


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (
            lambda: word_error(["a"], ["a", "b"]),
            "the word error compares as many answers as targets\n"
            "  where:    word_error\n"
            "  got:      1 answers, 2 targets",
        ),
        (
            lambda: character_error(["a", 3], ["a", "b"]),
            "the character error compares texts\n  where:    answers, row 1\n  expected: a text\n  got:      int 3",
        ),
        (
            lambda: word_error(["a"], [" "]),
            "the targets have no word, so there is no share of them\n  where:    targets",
        ),
    ],
)
def test_what_does_not_fit(call, text):
    assert message(call) == text
