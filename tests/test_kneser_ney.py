"""The book's n-gram measure: its probabilities add up to one, and a tiny text gives what a pencil gives."""

import doctest
import math
import random
import sys
from collections import Counter
from pathlib import Path

import pytest

TEXTS = ["the cat sat on the mat", "a cat and a hat", "the end", "", "mat"]


@pytest.fixture
def kneser_ney(monkeypatch):
    monkeypatch.syspath_prepend(Path(__file__).parents[1] / "book")
    import kneser_ney

    yield kneser_ney
    del sys.modules["kneser_ney"]


@pytest.mark.parametrize("order", [1, 2, 3, 5, 7])
def test_probabilities_add_up_to_one(kneser_ney, order):
    model = kneser_ney.KneserNey(TEXTS * 3 + ["that cat", "that hat had"], order)
    random.seed(0)
    contexts = ["", "t", "the ", "zzz", "the cat sat on the mat", *TEXTS]
    contexts += ["".join(random.choices(model.alphabet + "é!", k=random.randrange(9))) for _ in range(100)]
    for context in contexts:
        following = model.following(context)
        assert sum(following.values()) == pytest.approx(1)
        assert min(following.values()) > 0


def test_a_tiny_text_by_hand(kneser_ney):
    model = kneser_ney.KneserNey(["abab", "ab"], order=2)
    # left neighbours: a has start and b, b has a, the end has b; every discount is 0.5; four symbols share the floor
    a, b, end, other = (
        1.5 / 4 + 1.5 / 4 * 0.25,
        0.5 / 4 + 1.5 / 4 * 0.25,
        0.5 / 4 + 1.5 / 4 * 0.25,
        1.5 / 4 * 0.25,
    )
    assert model.following("") == pytest.approx(
        {"a": 1.5 / 2 + 0.25 * a, "b": 0.25 * b, "": 0.25 * end, None: 0.25 * other}
    )
    assert model.following("ab") == pytest.approx(
        {"a": 0.5 / 3 + a / 3, "b": b / 3, "": 1.5 / 3 + end / 3, None: other / 3}
    )
    assert model.following("é") == pytest.approx({"a": a, "b": b, "": end, None: other})
    three = (1.5 / 2 + 0.25 * a) * (2.5 / 3 + 0.5 / 3 * b) * (1.5 / 3 + end / 3)
    assert model.bits(["ab"]) == pytest.approx(-math.log2(three) / 3)


def test_the_start_keeps_its_count(kneser_ney):
    model = kneser_ney.KneserNey(["xa", "xa", "xa", "xb"], order=3)
    # after the start and x, of three a and one b, none of which has any other left neighbour
    shorter = model.following("?x")
    assert model.following("x")["a"] == pytest.approx(2.5 / 4 + 1 / 4 * shorter["a"])
    assert shorter["a"] == pytest.approx(shorter["b"])


def test_the_discounts_are_those_of_chen_and_goodman(kneser_ney):
    text = "a" * 8 + "b" * 4 + "c" * 3 + "d" * 2 + "e" * 1 + "f" * 1 + "g" * 1
    model = kneser_ney.KneserNey([text], order=1)
    # counts with the end: four of 1, one each of 2, 3, 4, and 8
    share = 4 / 6
    discount = {1: 1 - 2 * share * 1 / 4, 2: 0.0, 3: 3 - 4 * share * 1}  # D(2) = 2 - 3 * share * 1 is 0
    spare = 4 * discount[1] + discount[2] + 3 * discount[3]
    following = model.following("")
    assert following["e"] == pytest.approx((1 - discount[1]) / 21 + spare / 21 / 9)
    assert following["d"] == pytest.approx((2 - discount[2]) / 21 + spare / 21 / 9)
    assert following["a"] == pytest.approx((8 - discount[3]) / 21 + spare / 21 / 9)


def test_bits_are_those_of_one_symbol_after_the_other(kneser_ney):
    model = kneser_ney.KneserNey(TEXTS * 4, order=4)
    texts = ["the mat", "zat", ""]
    each = []
    for text in texts:
        for i in range(len(text) + 1):
            following = model.following(text[:i])
            each.append(following[text[i] if text[i] in model.alphabet else None] if i < len(text) else following[""])
    assert len(each) == 13
    assert model.bits(texts) == pytest.approx(-sum(map(math.log2, each)) / 13)


def test_a_longer_history_knows_more(kneser_ney):
    random.seed(1)
    words = ["sense", "sold", "said", "never", "nothing"]
    texts = [" ".join(random.choices(words, k=6)) for _ in range(300)]
    bits = [kneser_ney.KneserNey(texts[:250], order).bits(texts[250:]) for order in (1, 2, 3, 4)]
    assert bits == sorted(bits, reverse=True)
    symbols = Counter(symbol for text in texts[250:] for symbol in [*text, ""])
    total = sum(symbols.values())
    entropy = -sum(n / total * math.log2(n / total) for n in symbols.values())
    assert bits[0] == pytest.approx(entropy, abs=0.01)


def test_what_it_refuses(kneser_ney):
    with pytest.raises(ValueError) as caught:
        kneser_ney.KneserNey(["", ""])
    assert str(caught.value) == "the texts have no character"
    with pytest.raises(ValueError) as caught:
        kneser_ney.KneserNey([bytes(range(32, 127)).decode()], order=10)
    assert str(caught.value) == "order 10 with 95 characters does not fit into 63 bits"
    with pytest.raises(ValueError) as caught:
        kneser_ney.KneserNey(["a"], order=0)
    assert str(caught.value) == "an n-gram has at least one symbol, not 0"


def test_examples_in_docstrings(kneser_ney):
    assert doctest.testmod(kneser_ney).failed == 0
