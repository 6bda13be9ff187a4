"""What all codecs of sequences share: edges, truncation, columns, readings, files; each as one alone gives it."""

import json

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from messages import message
from netwright.codecs import reading
from netwright.codecs.ragged import Ragged
from netwright.codecs.text.bytes import Bytes
from netwright.codecs.text.characters import Characters
from netwright.codecs.text.elements import Elements, utf8
from netwright.codecs.text.tokens import Tokens
from netwright.codecs.text.words import Words
from netwright.file.structure import Reader, described_value

TEXT = st.text("abé", min_size=0, max_size=9)
EDGES = st.fixed_dictionaries(
    {"mark_start": st.booleans(), "mark_end": st.booleans(), "max_length": st.one_of(st.none(), st.integers(1, 8))}
)


def rows(column: torch.Tensor | Ragged) -> list[list[int]]:
    return [column.row(i).tolist() for i in range(len(column))] if isinstance(column, Ragged) else column.tolist()


@given(st.lists(TEXT, min_size=1, max_size=5), EDGES)
def test_a_column_is_its_texts(texts: list[str], options: dict[str, object]):
    for codec in (Characters("abé", **options), Bytes(**options)):  # type: ignore[arg-type]
        whole = [codec._indices(text) for text in texts]
        front, behind = [codec.edge] * codec.mark_start, [codec.edge] * codec.mark_end
        expected = [[*front, *indices, *behind][: codec.max_length] for indices in whole]
        if not all(expected):
            empty = expected.index([])
            assert message(codec.encode_all, texts).startswith(
                f"an empty text has no elements\n  where:    row {empty}\n  got:      '' of type str\n"
            )
            continue
        assert rows(codec.encode_all(texts)) == expected
        assert [codec.encode(text).tolist() for text in texts] == expected
        assert [len(codec.offsets(text)) for text in texts] == list(map(len, expected))
        lengths = [len(indices) + codec.mark_start + codec.mark_end for indices in whole]
        assert codec.truncated(texts) == sum(map(int.__lt__, map(len, expected), lengths))
        assert codec.encode_all(texts).__class__ is (Ragged if len({*map(len, expected)}) > 1 else torch.Tensor)


@given(TEXT, st.booleans())
def test_the_target_at_a_position_is_what_follows(text: str, unknown: bool):
    given = Characters("abé", mark_start=True, unknown=unknown).encode(text).tolist()
    wanted = Characters("abé", mark_end=True, unknown=unknown).encode(text).tolist()
    edge = Characters("abé", mark_end=True, unknown=unknown).edge
    assert given[0] == wanted[-1] == edge == 3 + unknown
    assert given[1:] == wanted[:-1]


@given(st.text("abé", max_size=9), st.booleans(), st.booleans())
def test_decoding_gives_the_text_back(text: str, start: bool, end: bool):
    codec = Characters("abé", mark_start=start, mark_end=end)
    if text or start or end:
        output = torch.eye(codec.size)[codec.encode(text)]
        assert codec.decode(output) == text
        assert codec.decode(output, reading.Sample()) == text
        assert codec.text_of(codec.encode(text)) == text


def test_offsets_of_edges_are_empty():
    codec = Characters("ab", mark_start=True, mark_end=True)
    assert codec.offsets("ba") == [(0, 0), (0, 1), (1, 2), (2, 2)]
    assert Characters("ab", mark_start=True, mark_end=True, max_length=2).offsets("ba") == [(0, 0), (0, 1)]


def test_what_lies_behind_an_edge_is_not_decoded():
    codec = Characters("ab", mark_end=True)
    assert codec.decode(torch.eye(3)[torch.tensor([0, 1, 2, 0, 2])]) == "ab"
    assert codec.decode(torch.eye(3)[torch.tensor([2, 0])]) == ""
    assert Characters("ab", mark_start=True).decode(torch.eye(3)[torch.tensor([2, 0, 2, 1])]) == "a"
    assert codec.text_of([0, 2, 1]) == "ab"  # text_of leaves edges out, wherever they stand


def test_readings_of_every_position():
    codec = Characters("a", mark_end=True, unknown=True)
    output = torch.tensor([[0.5, 0.25, 0.25], [0.0, 0.25, 0.75]])
    assert codec.decode(output) == "a"
    assert codec.decode(output, reading.probabilities) == [
        {"a": 0.5, "<unknown>": 0.25, "<edge>": 0.25},
        {"a": 0.0, "<unknown>": 0.25, "<edge>": 0.75},
    ]
    assert codec.decode(output, reading.Top(1)) == [{"a": 0.5}, {"<edge>": 0.75}]
    assert codec.decode(output, reading.raw) is output
    assert [round(h, 4) for h in codec.decode(output, reading.entropy)] == [1.0397, 0.5623]
    even = Characters("ab").decode(torch.full((200, 2), 0.5), reading.Sample(seed=1))
    assert 60 < even.count("a") < 140  # every position draws anew
    assert message(codec.decode, torch.ones(2, 3), reading.Top(1)).startswith("the output is not a distribution")


def test_sizes():
    assert (Characters().encoded, Characters().decoded) == ("n <?>", "n ?")
    codec = Characters("abc", mark_start=True, mark_end=True, unknown=True, length="letters")
    assert (codec.encoded, codec.decoded) == ("letters <5>", "letters 5")
    assert (codec.size, codec.unknown_index, codec.edge) == (5, 3, 4)
    plain = Characters("abc")
    assert (plain.size, plain.unknown_index, plain.edge) == (3, None, None)
    assert (
        message(lambda: Characters(mark_end=True).edge)
        == """\
this Characters has no vocabulary yet
  expected: vocabulary given, or learned from data
  got:      Characters(mark_end=True)
  mend:     train the net: nw.train learns it from the training data
  or:       give vocabulary="""
    )


@pytest.mark.parametrize(
    "codec",
    [
        Characters(),
        Characters("'\"\\é", mark_end=True),
        Bytes(mark_start=True, max_length=5),
        Words(lower=True),
        Words(["it's", ".", "a"], unknown=True, length="words"),
        Tokens(range(4), max_length=3),
        Tokens([1, 1.0, True, "1"]),
    ],
    ids=repr,
)
def test_a_codec_is_a_value(codec: Elements):
    again = eval(repr(codec))
    assert again == codec
    assert hash(again) == hash(codec)
    assert Reader().codec(json.loads(json.dumps(described_value(codec, "input"))), "input") == codec


def test_one_text_is_one_raw_thing():
    assert Characters().takes("ab")
    assert Characters().takes(np.str_("ab"))
    assert Characters("ab", mark_end=True).offsets(np.array("ab")) == [(0, 1), (1, 2), (2, 2)]
    assert message(Characters("ab").encode, np.array("ax")).splitlines()[1] == "  where:    character 1, in 'ax'"
    assert not Characters().takes(["ab"])
    assert not Characters().takes(3)
    column = Characters("ab").encode_all(np.array(["a", "bb"]))
    assert rows(column) == [[0], [1, 1]]


def test_what_is_no_text():
    assert (
        message(Bytes().encode_all, ["a", 3])
        == """\
Bytes takes a text
  where:    row 1
  expected: str
  got:      3 of type int"""
    )
    assert (
        message(Bytes().encode_all, "ab")
        == """\
this is one text, not many
  got:      'ab' of type str
  mend:     [text], a list of one"""
    )
    assert message(Bytes().encode_all, []) == "there are no examples"
    assert (
        message(Bytes().encode, "")
        == """\
an empty text has no elements
  got:      '' of type str
  mend:     leave it out
  or:       mark_start=True or mark_end=True, which gives it an edge"""
    )


def test_bad_options():
    assert (
        message(Bytes, max_length=0)
        == """\
max_length is a whole number of at least 1
  where:    Bytes
  got:      0"""
    )
    assert (
        message(Bytes, length="m[n]")
        == """\
length is the name of a size
  expected: a Python name
  got:      'm[n]'"""
    )
    assert message(Bytes, mark_start=1).startswith("mark_start of Bytes cannot be this")
    assert (
        message(Bytes().text_of, [3, 256])
        == """\
there is no such element
  where:    position 1
  expected: 0 to 255
  got:      256"""
    )


def test_half_a_character_has_no_bytes():
    assert utf8("aé") == b"a\xc3\xa9"
    assert (
        message(utf8, "a\ud83d")
        == """\
half a character (a surrogate) has no bytes
  where:    character 1
  got:      '\\ud83d'
  mend:     text.encode("utf-16", "surrogatepass").decode("utf-16"), if its other half is there"""
    )


MARKED = Characters("^$ab", mark_start="^", mark_end="$")


def test_marks_with_names_are_elements_of_the_vocabulary():
    assert (MARKED.size, MARKED.edge, MARKED.start, MARKED.ends, MARKED.marks) == (4, None, 0, {1}, {0, 1})
    assert MARKED.elements == ["^", "$", "a", "b"]
    assert rows(MARKED.encode_all(["ab", "", "b"])) == [[0, 2, 3, 1], [0, 1], [0, 3, 1]]
    assert MARKED.encode("ab").tolist() == [0, 2, 3, 1]
    assert MARKED.offsets("ab") == [(0, 0), (0, 1), (1, 2), (2, 2)]
    assert MARKED.text_of([0, 2, 3, 1]) == "ab"
    assert Characters("^$ab", mark_end="$", max_length=2).truncated(["ab", "a"]) == 1
    output = torch.eye(4)[[0, 2, 3, 1, 2]]
    assert MARKED.decode(output) == "ab"
    assert MARKED.decode(output, reading.Sample(seed=3)) == "ab"
    assert MARKED.decode(output, reading.Top(1))[3] == {"$": 1.0}


def test_an_input_and_an_output_with_marks_of_their_own_share_their_indices():
    before, behind = Words(["<s>", "</s>", "a"], mark_start="<s>"), Words(["<s>", "</s>", "a"], mark_end="</s>")
    assert before.size == behind.size == 3
    assert before.encode("a a").tolist()[1:] == behind.encode("a a").tolist()[:-1] == [2, 2]


def test_one_end_may_have_the_edge_and_the_other_a_name():
    mixed = Characters("^a", mark_start="^", mark_end=True)
    assert (mixed.size, mixed.start, mixed.edge, mixed.ends, mixed.marks) == (3, 0, 2, {2}, {0, 2})
    assert mixed.encode("a").tolist() == [0, 1, 2]


@pytest.mark.parametrize(
    ("codec", "data", "vocabulary"),
    [
        (Characters(mark_start="^", mark_end="$"), ["ba", "b"], "^$ab"),
        (Words(mark_start="<s>", mark_end="<s>"), ["b a", "b"], ("<s>", "b", "a")),
        (Tokens(mark_end="stop"), [[2, 1], [1]], ("stop", 1, 2)),
    ],
    ids=repr,
)
def test_marks_with_names_are_the_first_of_a_learned_vocabulary(codec, data, vocabulary):
    learned = codec.fit(data)
    assert learned.vocabulary == vocabulary
    again = eval(repr(learned))
    assert again == learned
    assert Reader().codec(json.loads(json.dumps(described_value(learned, "input"))), "input") == learned
    assert rows(learned.encode_all(data)) == [learned.encode(raw).tolist() for raw in data]


def test_bad_marks():
    assert (
        message(Words, ["<s>", "a"], mark_start="<S>")
        == """\
the mark is not an element of the vocabulary
  where:    Words
  expected: True, for one extra element, or the name of an element
  got:      '<S>'
  mend:     did you mean '<s>'?"""
    )
    assert message(Bytes, mark_end="$").startswith("the mark is not an element of the vocabulary\n  where:    Bytes\n")
    assert (
        message(MARKED.encode, "a$")
        == """\
the sequence holds one of its own marks
  where:    element 1
  got:      '$'
  mend:     leave it out: the encoder puts the marks where they belong"""
    )
    assert (
        message(MARKED.encode_all, ["ab", "^"])
        == """\
the sequence holds one of its own marks
  where:    row 1, element 0
  got:      '^'
  mend:     leave it out: the encoder puts the marks where they belong"""
    )
    assert message(Characters, "ab", mark_end=3).startswith("mark_end of Characters cannot be this")
