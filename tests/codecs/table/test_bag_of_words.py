"""A bag of words: a 1 for each known word."""

import torch

from messages import message
from netwright.codecs.table.bag_of_words import BagOfWords

NAMES = ["Braund, Mr. Owen", "Heikkinen, Miss. Laina", "Allen, Mr. William", "Moran, Mr. James", "Bonnell, Miss. Liz"]


def test_words():
    codec = BagOfWords().fit(NAMES)
    assert codec == BagOfWords(("mr", "miss"))
    assert codec.encoded == "2"
    assert codec.encode_all(["MISS Mr", "miss miss", "mrs"]).tolist() == [[1.0, 1.0], [0.0, 1.0], [0.0, 0.0]]
    assert BagOfWords(size=1).fit(NAMES).encoded == "1"
    assert BagOfWords().encoded == "?"


def test_errors():
    assert message(BagOfWords().fit, ["a", "b"]) == (
        "the texts have no word in common\n  mend:     leave the column out"
    )
    assert message(BagOfWords(["a"]).encode_all, ["a", 3]) == (
        "this is no text\n  where:    row 1\n  expected: a str\n  got:      3 of type int"
    )
    assert message(BagOfWords, size=0) == (
        "the number of words is a whole number of at least 1\n  where:    BagOfWords\n  got:      0"
    )
    assert message(BagOfWords, ["a", "a"]) == "a label stands twice\n  got:      'a'"
    assert message(BagOfWords(["a"]).decode, torch.zeros(1)) == (
        "a bag of words has no order: it is an input, and no answer of a net\n"
        "  got:      BagOfWords(('a',))\n"
        "  mend:     nw.Labels([…]), the words as labels"
    )
