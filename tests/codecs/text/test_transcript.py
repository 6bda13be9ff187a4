"""Tests for `netwright.codecs.text.transcript`: letters in, merged classes out."""

from typing import Any

import numpy as np
import pytest
import torch

import netwright as nw
from netwright.codecs.ragged import Ragged
from netwright.codecs.text.transcript import Transcript
from netwright.errors import DataError, MissingArraysError, NetError

HELLO = Transcript("ehlo")


def path(text: str, codec: Transcript = HELLO) -> torch.Tensor:
    """Elements that are sure of a path, `-` for the blank."""
    return torch.eye(codec.blank + 1)[
        [codec.blank if letter == "-" else codec.letters.index(letter) for letter in text]
    ]


def test_a_text_is_its_letters() -> None:
    assert HELLO.encode("hello").tolist() == [1, 0, 2, 2, 3]
    assert (HELLO.encoded, HELLO.decoded, HELLO.answer) == ("t <4>", "? 5", "transcript")
    many = HELLO.encode_all(["he", "hello"])
    assert isinstance(many, Ragged)
    assert many.lengths[0].tolist() == [2, 5]


@pytest.mark.parametrize(
    ("classes", "text"), [("hhe-l-llo", "hello"), ("-h-e-", "he"), ("llll", "l"), ("l-l", "ll"), ("---", "")]
)
def test_equal_neighbours_are_merged_and_blanks_left_out(classes: str, text: str) -> None:
    assert HELLO.decode(path(classes)) == text


def test_other_readings_answer_for_each_element() -> None:
    assert HELLO.decode(path("h-"), nw.Top(1)) == [{"h": 1.0}, {"<blank>": 1.0}]


def test_an_alphabet_is_learned() -> None:
    assert not Transcript().fitted
    assert Transcript().encoded == "t <?>"
    assert Transcript().fit(["hello", "he"]) == HELLO
    with pytest.raises(MissingArraysError):
        Transcript().encode("a")
    with pytest.raises(DataError):
        Transcript().fit([""])


def test_code_gives_the_codec_back() -> None:
    assert repr(HELLO) == "Transcript('ehlo')"
    assert eval(repr(HELLO)) == HELLO


def test_alphabets_that_are_none() -> None:
    for alphabet in (["ab"], "aa", [1], ""):
        with pytest.raises(NetError):
            Transcript(alphabet)  # pyright: ignore[reportArgumentType]
    with pytest.raises(NetError):
        Transcript("ab", length="a b")


def fault(raws: Any) -> str:
    with pytest.raises(DataError) as caught:
        HELLO.encode_all(raws)
    return str(caught.value)


def test_what_is_no_transcript() -> None:
    assert fault(["hello", "help"]) == (
        "the letter 'p' is not in the alphabet\n"
        "  where:    row 1, letter 3, in 'help'\n"
        "  expected: letters of 'ehlo'\n"
        "  mend:     text.replace(…)\n"
        "  or:       Transcript with 'p' in its alphabet"
    )
    assert "  mend:     text.lower()\n" in fault(["Hello"])
    assert fault([""]) == "an empty text has no letters\n  where:    row 0\n  got:      ''\n  mend:     leave it out"
    assert fault([3]).startswith("Transcript takes a text\n  where:    row 0\n  expected: str\n")


def net() -> nw.Chain:
    return nw.Chain(nw.Linear(16), nw.relu, nw.Linear(), nw.softmax, input="n 3", output=Transcript("ab"))


def test_a_net_learns_a_transcript_with_the_ctc_loss() -> None:
    draws = np.random.default_rng(0)
    texts, sounds = [], []
    for _ in range(60):
        text = "".join(draws.choice(["a", "b"], draws.integers(1, 4)))
        frames = [[0, 0, 1]]
        for letter in text:
            frames += [[letter == "a", letter == "b", 0]] * int(draws.integers(1, 3)) + [[0, 0, 1]]
        texts.append(text)
        sounds.append(np.array(frames, np.float32))
    run = nw.train(net(), (sounds, texts), epochs=30, learning_rate=0.03, validation=None, progress=False, seed=0)
    assert "CTCLoss" in str(next(choice for choice in run.choices if choice.name == "loss"))
    assert run.net(sounds[:20]) == texts[:20]
    report = nw.measure(run.net, (sounds, texts))
    assert float(report.character_error) == 0
    assert float(report.word_error) == 0
    assert report.word_error.high > 0


def test_a_transcript_that_is_longer_than_its_sound() -> None:
    sounds, texts = [np.zeros((4, 3), np.float32)] * 4, ["ab", "ab", "aabbb", "ab"]
    with pytest.raises(nw.DataError) as caught:
        nw.train(net(), (sounds, texts), validation=None, progress=False)
    assert str(caught.value).splitlines()[:2] == [
        "a transcript is longer than its input can say",
        "  where:    row 2, CTCLoss",
    ]
    with pytest.raises(nw.DataError) as held:
        nw.train(net(), (sounds[:2], texts[:2]), validation=(sounds, texts), progress=False)
    assert held.value.where == "validation data, row 2, CTCLoss"
