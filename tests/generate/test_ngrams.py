"""Tests for `netwright.generate.ngrams`: the probabilities add up, and are those of a pencil."""

import math

import pytest

from netwright.errors import DataError, NetError
from netwright.generate.ngrams import NGrams

LETTERS = "abnd"


@pytest.mark.parametrize("order", [1, 2, 4])
def test_probabilities_add_up_to_one_with_one_more_for_what_was_never_seen(order: int) -> None:
    model = NGrams(["banana", "bandana"], order)
    for before in ("", "b", "ban", "xyz", "bananananana"):
        total = sum(math.exp(model.log_probability(before, letter)) for letter in [*LETTERS, "", "?"])
        assert total == pytest.approx(1)


def test_the_numbers_of_a_pencil() -> None:
    model = NGrams(["ab"], order=2)  # letters: a, b, the end, and one for all others
    alone = dict.fromkeys(("a", "b", ""), (1 + 3 / 4) / 6)
    assert math.exp(model.log_probability("a", "b")) == pytest.approx((1 + alone["b"]) / 2)
    assert math.exp(model.log_probability("b", "a")) == pytest.approx(alone["a"] / 2)
    assert math.exp(model.log_probability("x", "a")) == pytest.approx(alone["a"])


def test_what_is_no_text() -> None:
    with pytest.raises(DataError):
        NGrams([])
    with pytest.raises(DataError) as caught:
        NGrams(["a", 3])  # pyright: ignore[reportArgumentType]
    assert "row 1" in str(caught.value)
    with pytest.raises(NetError):
        NGrams(["a"], 0)
    assert repr(NGrams(["ab"])) == "NGrams of order 4, 2 letters"
