"""Tests for `netwright.generate.transcribe`: the search finds what the sum over all paths finds."""

import itertools
import math

import pytest
import torch
from torch import Tensor

import netwright as nw
from netwright.codecs.text.transcript import Transcript
from netwright.errors import DataError, NetError
from netwright.generate.transcribe import transcribe

CODEC = Transcript("abc")


def net() -> nw.Chain:
    return nw.Chain(nw.softmax, input="n 4", output=CODEC)


def chances(seed: int, elements: int = 5) -> Tensor:
    return 2 * torch.randn(elements, 4, generator=torch.Generator().manual_seed(seed))


def sums(x: Tensor) -> dict[str, float]:
    """The probability of every text: all paths that read as it."""
    probabilities = x.softmax(-1).double()
    found: dict[str, float] = {}
    for path in itertools.product(range(4), repeat=len(x)):
        text = CODEC.text_of(index for index, _ in itertools.groupby(path) if index != CODEC.blank)
        found[text] = found.get(text, 0) + math.prod(float(row[i]) for row, i in zip(probabilities, path, strict=True))
    return found


@pytest.mark.parametrize("seed", range(6))
def test_a_wide_beam_finds_the_best_text(seed: int) -> None:
    x = chances(seed)
    exact = sums(x)
    assert transcribe(net(), x, strategy=nw.Beam(1000)) == max(exact, key=lambda text: exact[text])


@pytest.mark.parametrize("seed", range(4))
def test_with_a_model_of_the_language(seed: int) -> None:
    x, model = chances(seed), nw.NGrams(["abcab", "bca", "abc"], order=3)

    def score(text: str) -> float:
        letters = [*text, ""]
        language = sum(model.log_probability(text[:place], letter) for place, letter in enumerate(letters))
        return math.log(exact[text]) + 0.7 * language

    exact = sums(x)
    assert transcribe(net(), x, strategy=nw.Beam(1000), model=model, weight=0.7) == max(exact, key=score)


@pytest.mark.parametrize("seed", range(4))
def test_with_a_grammar(seed: int) -> None:
    x, grammar = chances(seed), nw.Regex("(ab|ca)c?")
    allowed = {text: p for text, p in sums(x).items() if text in ("ab", "ca", "abc", "cac")}
    assert transcribe(net(), x, strategy=nw.Beam(1000), grammar=grammar) == max(allowed, key=lambda t: allowed[t])


@pytest.mark.parametrize("seed", range(10))
def test_a_narrow_beam_ends_with_a_text_that_the_grammar_allows(seed: int) -> None:
    """A beginning that can no longer end in the elements that are left takes no place in the beam."""
    grammar = nw.Regex("abc|bcabc|cabcab")
    for elements in range(6, 9):
        found = transcribe(net(), chances(seed, elements), strategy=nw.Beam(1), grammar=grammar)
        assert found in ("abc", "bcabc", "cabcab")


def test_several_and_one() -> None:
    xs = [chances(1), chances(2, 3)]
    assert transcribe(net(), xs) == [transcribe(net(), x) for x in xs]


def test_refusals() -> None:
    with pytest.raises(NetError) as caught:
        transcribe(nw.Chain(nw.softmax, input=4, output=nw.Category(list("abcd"))), chances(0)[0])
    assert str(caught.value) == (
        "only a net that ends in a transcript can be searched for one\n"
        "  where:    transcribe\n"
        "  expected: output=nw.Transcript(…)\n"
        "  got:      Category"
    )
    with pytest.raises(NetError):
        transcribe(net(), chances(0), strategy=nw.Greedy())  # pyright: ignore[reportArgumentType]
    with pytest.raises(DataError) as stuck:
        transcribe(net(), chances(0, 2), grammar=nw.Regex("abcabc"))
    assert str(stuck.value) == (
        "the search found no text that the grammar allows\n"
        "  where:    transcribe\n"
        "  expected: an element for each letter, and one more between two equal letters\n"
        "  got:      2 elements, a beam of 16, grammar Regex(pattern='abcabc')\n"
        "  mend:     a longer sound, a grammar that allows shorter texts, or strategy=nw.Beam(64)"
    )
