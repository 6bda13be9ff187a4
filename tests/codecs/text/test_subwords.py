"""Subwords: learned and given tokenizers, exact texts, plain errors for what is no tokenizer."""

import json
import sys
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from messages import message
from netwright.codecs import reading
from netwright.codecs.ragged import Ragged
from netwright.codecs.text.subwords import Subwords
from netwright.file.structure import Reader, described_value

pytest.importorskip("tokenizers")

TEXTS = ["the lowest of the low", "a lower place for the lowest", "né: lower and lower"] * 3
LEARNED = Subwords(pieces=280).fit(TEXTS)


def wordpiece() -> str:
    """A given tokenizer with an unknown piece, a hole in its indices, and options that codecs say themselves."""
    import tokenizers

    made = tokenizers.Tokenizer(
        tokenizers.models.WordPiece({"[UNK]": 0, "low": 1, "##er": 2, "new": 4}, unk_token="[UNK]")
    )
    made.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    made.decoder = tokenizers.decoders.WordPiece()
    made.enable_truncation(1)
    made.enable_padding(length=9)
    return made.to_str()


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), min_size=1), min_size=1, max_size=4))
def test_every_text_comes_back(texts: list[str]):
    column = LEARNED.encode_all(texts)
    for row, text in enumerate(texts):
        indices = column.row(row) if isinstance(column, Ragged) else column[row]
        assert LEARNED.text_of(indices) == text
        assert torch.equal(LEARNED.encode(text), indices)
        spans = LEARNED.offsets(text)
        assert len(spans) == len(indices)
        covered = {place for a, b in spans for place in range(a, b)}
        assert covered == set(range(len(text)))


def test_learned_pieces():
    assert LEARNED.size == 280
    assert LEARNED.encoded == "n <280>"
    assert len(LEARNED.encode("lowest")) < 6
    assert Subwords(pieces=280).fit(TEXTS) == LEARNED  # the same texts teach the same pieces
    assert LEARNED.fit(["other"]) is LEARNED
    few = Subwords(pieces=5000, mark_end=True).fit(["ab ab"])
    assert few.size == 256 + len(["ab", " ab"]) + 1
    assert few.edge == few.size - 1
    assert few.unknown_index is None
    assert Subwords().encoded == "n <?>"


def test_edges_and_truncation():
    import dataclasses

    codec = dataclasses.replace(LEARNED, mark_start=True, mark_end=True, max_length=4)
    assert codec.encode("lowest of")[0] == codec.edge == 280
    assert len(codec.encode("lowest of the low")) == 4
    assert codec.truncated(["lowest of the low", "low"]) == 1
    assert codec.offsets("low")[0] == (0, 0)
    assert codec.offsets("low")[-1] == (3, 3)


def test_a_given_tokenizer(tmp_path: Path):
    file = tmp_path / "tokenizer.json"
    file.write_text(wordpiece(), encoding="utf-8")
    codec = Subwords(file, mark_end=True)
    assert codec == Subwords(wordpiece(), mark_end=True)  # the codec keeps the text, not the path
    assert (codec.size, codec.unknown_index, codec.edge) == (6, 0, 5)
    assert codec.encode("lower new old").tolist() == [1, 2, 4, 0, 5]
    assert codec.encode_all(["lower", "new"]).lengths[0].tolist() == [3, 2]  # type: ignore[union-attr]
    assert codec.offsets("lower new") == [(0, 3), (3, 5), (6, 9), (9, 9)]
    assert codec.text_of([1, 2, 4]) == "lower new"
    output = torch.eye(6)[torch.tensor([1, 2, 5, 4])]
    assert codec.decode(output) == "lower"
    assert [*codec.decode(output, reading.probabilities)[0]] == [
        "[UNK]",
        "low",
        "##er",
        "<no piece 3>",
        "new",
        "<edge>",
    ]


def test_a_codec_is_a_value():
    for codec in (LEARNED, Subwords(pieces=300, mark_end=True), Subwords(wordpiece(), max_length=3)):
        assert eval(codec.code()) == codec
        assert Reader().codec(json.loads(json.dumps(described_value(codec, "input"))), "input") == codec


def test_a_tokenizer_of_scored_pieces():
    text = json.dumps({"model": {"type": "Unigram", "unk_id": 0, "vocab": [["<unk>", 0.0], ["a", -1.0], ["b", -2.0]]}})
    codec = Subwords(text)
    assert (codec.size, codec.unknown_index) == (3, 0)
    assert codec.encode("abx").tolist() == [1, 2, 0]


def test_what_is_no_tokenizer(tmp_path: Path):
    assert (
        message(Subwords, "tokenizer.json")
        == """\
this text is no tokenizer.json
  expected: a JSON object with "model": {"vocab": …}
  got:      'tokenizer.json'
  mend:     Subwords(Path('tokenizer.json')), if this is its path"""
    )
    for text in ("{}", "[1]", '{"model": {"vocab": {}}}', '{"model": {"vocab": {"a": "b"}}}', "[" * 100_000):
        assert message(Subwords, text).startswith("this text is no tokenizer.json\n  expected: a JSON object")
    broken = Subwords('{"model": {"type": "Magic", "vocab": {"a": 0}}}')
    assert message(broken.encode, "a").startswith("the package tokenizers cannot read this tokenizer\n  got:      ")
    missing = tmp_path / "none.json"
    assert message(Subwords, missing).startswith(f"this tokenizer cannot be read\n  where:    {missing}\n  got:      ")
    assert (
        message(Subwords, pieces=100)
        == """\
every byte is a piece
  expected: pieces of 256 or more
  got:      100"""
    )
    assert message(Subwords().encode, "a").startswith("this Subwords has no tokenizer yet\n")
    assert message(lambda: Subwords().size).startswith("this Subwords has no tokenizer yet\n")


def test_what_is_no_text():
    assert message(LEARNED.encode_all, ["a", None]).startswith("Subwords takes a text\n  where:    row 1\n")
    assert message(LEARNED.encode, "\ud83d").startswith("half a character (a surrogate) has no bytes")
    assert message(Subwords().fit, ["a", 3]).startswith("Subwords takes a text\n  where:    row 1\n")


def test_the_extra_is_named(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "tokenizers", None)
    assert (
        message(Subwords().fit, ["a"])
        == """\
a text in subwords needs the package tokenizers, which is not installed
  mend:     pip install "netwright[text]\""""
    )


def test_a_padded_vocabulary_and_pieces_that_end_a_text():
    codec = Subwords(wordpiece(), padded=8, ending=(4, 7))
    assert (codec.size, codec.encoded, codec.ends) == (8, "n <8>", {4, 7})
    assert codec.elements[5:] == ["<no piece 5>", "<no piece 6>", "<no piece 7>"]
    assert codec.text_of([1, 2, 7]) == "lower"
    assert eval(codec.code()) == codec
    assert Reader().codec(json.loads(json.dumps(described_value(codec, "input"))), "input") == codec
    assert Subwords(wordpiece(), mark_end=True, ending=(4,)).ends == {4, 5}
    assert (
        message(Subwords, wordpiece(), padded=4)
        == """\
padded has a size that does not fit the tokenizer
  expected: padded of 5 to 500
  got:      4"""
    )
    assert message(Subwords, wordpiece(), padded=10**9).endswith("got:      1000000000")
    assert (
        message(Subwords, wordpiece(), ending=(5,))
        == """\
there is no piece of this index to end a text
  expected: 0 to 4
  got:      (5,)"""
    )
    assert message(Subwords, ending=(3,)) == "ending is for a tokenizer that is given\n  got:      ending=(3,)"
