"""Words: what a word is, what is learned and in which order, spaces on the way back."""

import pytest

from messages import message
from netwright.codecs.text.words import Words

TEXTS = ["The cat sat on the mat.", "“The dog isn't here,” (it message)."]


def test_what_a_word_is():
    codec = Words()
    text = "It's 3.5, o’clock: naïve_x 'quoted' — don't!"
    found = [text[a:b] for a, b in codec.offsets(text)]
    assert found == [
        *("It's", "3", ".", "5", ",", "o’clock", ":", "naïve_x", "'", "quoted", "'", "—", "don't", "!"),
    ]
    assert codec._pieces(text) == found
    assert Words(lower=True)._pieces("It's") == ["it's"]
    assert Words(lower=True).fit(["İnönü was here"]).vocabulary == ("here", "inönü", "was")


@pytest.mark.parametrize(
    "text",
    [
        "हिन्दी भाषा",
        "தமிழ் மொழி",
        "বাংলা ভাষা",
        "كِتَاب جَدِيد",
        "שָׁלוֹם עוֹלָם",
        "می‌خواهم رفت",  # a joiner keeps two letters apart
        "cafe\u0301 l’e\u0301te\u0301",
        "ok \U0001f469\u200d\U0001f680 go \U0001f44d\U0001f3fd \u2764\ufe0f \U0001f1e9\U0001f1ea",
    ],
)
def test_marks_stay_with_what_they_stand_on(text: str):
    codec = Words().fit([text])
    assert [text[a:b] for a, b in codec.offsets(text)] == text.split()
    assert codec.text_of(codec.encode(text)) == text


def test_how_an_accent_is_stored_makes_no_difference():
    together, apart = "caf\u00e9", "cafe\u0301"
    codec = Words().fit([f"{together} {apart} {apart}"])
    assert codec.vocabulary == (apart,)  # as it is written more often
    assert codec.encode(f"{together} {apart}").tolist() == [0, 0]
    assert Words([together]).encode(apart).tolist() == [0]
    assert Words(lower=True).fit(["I\u0307no\u0308nu\u0308 \u0130n\u00f6n\u00fc"])._count == 1
    assert (
        message(Words, [together, "a", apart])
        == f"""\
a word stands twice: its accents are stored apart and together
  where:    vocabulary
  got:      {together!r}"""
    )


def test_frequent_words_first_then_the_alphabet():
    learned = Words().fit(["b a c", "c d", "c b"])
    assert learned.vocabulary == ("c", "b", "a", "d")
    assert Words(lower=True).fit(["B b A"]).vocabulary == ("b", "a")
    frequent = Words(least=2, unknown=True).fit(["b a c", "c d", "c b"])
    assert frequent.vocabulary == ("c", "b")
    assert frequent.encode("a b c").tolist() == [2, 1, 0]
    assert Words(["x"]).fit(["a"]) == Words(["x"])


def test_spaces_on_the_way_back():
    codec = Words(mark_end=True).fit(TEXTS)
    for text in TEXTS:
        assert codec.text_of(codec.encode(text)) == text
    assert codec.text_of(codec.encode("The\n  cat , sat")) == "The cat, sat"
    assert codec.text_of([]) == ""
    assert Words(["a"], unknown=True).text_of([1, 0]) == "\ufffd a"


def test_a_text_without_words():
    assert (
        message(Words(["a"]).encode_all, ["a", " \n"])
        == """\
an empty text has no elements
  where:    row 1
  got:      ' \\n' of type str
  mend:     leave it out
  or:       mark_start=True or mark_end=True, which gives it an edge"""
    )


def test_words_that_no_text_has():
    for word in ("New York", "", " a"):
        assert (
            message(Words, ["a", word])
            == f"""\
this is not one word: no text has it
  where:    vocabulary
  expected: letters and digits, or one mark
  got:      {word!r}"""
        )
    assert (
        message(Words, ["The"], lower=True)
        == """\
this is not one word: no text has it
  where:    vocabulary
  expected: letters and digits, or one mark, in lower case
  got:      'The'"""
    )


def test_least():
    assert (
        message(Words, least=2)
        == """\
the words that occur less often are in the training data, but not in the vocabulary
  got:      Words(least=2)
  mend:     unknown=True
  or:       least=1"""
    )
    assert (
        message(Words, least=0)
        == """\
least is a whole number of at least 1
  where:    Words
  got:      0"""
    )
    assert message(Words(least=3, unknown=True).fit, ["a b"]).startswith("there is not one word to learn")
