"""Characters: any Unicode text there and back, the fast way equal to the slow one."""

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from messages import message
from netwright.codecs.ragged import Ragged
from netwright.codecs.text.characters import Characters


@given(st.lists(st.text(st.characters(), min_size=1), min_size=1, max_size=5))
def test_learned_texts_come_back(texts: list[str]):
    codec = Characters().fit(texts)
    assert codec.vocabulary == "".join(sorted(set("".join(texts))))
    column = codec.encode_all(texts)
    for row, text in enumerate(texts):
        indices = column.row(row) if isinstance(column, Ragged) else column[row]
        assert codec.text_of(indices) == text
        assert torch.equal(codec.encode(text), indices)  # one by one, without the table of code points


@given(st.lists(st.text("abc\U0010ffff", min_size=2, max_size=2), min_size=1, max_size=5))
def test_unknown_characters_in_many_texts_as_in_one(texts: list[str]):
    codec = Characters("ab", unknown=True)
    assert codec.encode_all(texts).tolist() == [codec.encode(text).tolist() for text in texts]


def test_a_vocabulary_in_three_ways():
    assert Characters("ab") == Characters(["a", "b"]) == Characters(np.array(["a", "b"]))
    assert Characters("ab") != Characters("ba")
    for vocabulary in (["a", "bc"], [""], [1]):
        assert (
            message(Characters, vocabulary)
            == f"""\
this is not one character
  where:    vocabulary
  got:      {vocabulary[-1]!r}"""
        )


def test_fit():
    assert Characters("ab", mark_end=True).fit(["xyz"]) == Characters("ab", mark_end=True)
    assert Characters(mark_end=True).fit(("ba", "é")) == Characters("abé", mark_end=True)
    assert message(Characters().fit, ["a", None]).startswith("Characters takes a text\n  where:    row 1")


def test_offsets():
    assert Characters("aé\U0001f600").offsets("\U0001f600é") == [(0, 1), (1, 2)]
