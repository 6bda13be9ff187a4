"""Bytes: every text there and back, offsets in characters."""

from hypothesis import given
from hypothesis import strategies as st

from netwright.codecs.text.bytes import Bytes


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1))
def test_every_text_comes_back(text: str):
    codec = Bytes(mark_start=True, mark_end=True)
    indices = codec.encode(text)
    assert indices.tolist() == [256, *text.encode(), 256]
    assert codec.text_of(indices) == text
    offsets = codec.offsets(text)
    assert len(offsets) == len(indices)
    assert "".join(text[a:b] for a, b in sorted(set(offsets))) == text


def test_offsets_of_a_character_of_several_bytes():
    assert Bytes().offsets("né") == [(0, 1), (1, 2), (1, 2)]


def test_nothing_is_learned():
    assert Bytes().fitted
    assert Bytes().fit(["a"]) == Bytes()
    assert (Bytes().size, Bytes(mark_end=True).size, Bytes(mark_end=True).edge) == (256, 257, 256)
    assert Bytes().text_of([110, 195]) == "n\ufffd"
