"""Bad sequences get a plain error with their place, wherever they come in: calls, training, measuring, generation."""

from collections.abc import Callable
from typing import Any

import pytest
import torch

import netwright as nw
from netwright.errors import NetwrightError

torch.set_num_threads(1)
D = 3
ARRAYS = nw.initialize(nw.Chain(nw.GRU(4), nw.Linear(2), input=("n", D)))
WINDOW = nw.initialize(nw.Chain(nw.Conv(4, 5), nw.Mean(0), input=("n", D)))
INDICES = nw.initialize(nw.Chain(nw.Embedding(4), nw.Mean(0), input=nw.Array("n <9>")))
KINDS = nw.Category(["x", "y"])
TEXTS = nw.initialize(
    nw.Chain(nw.Embedding(4), nw.GRU(4), nw.Last(), nw.Linear(), nw.softmax, input=nw.Characters("abc"), output=KINDS)
)
PLACES = nw.initialize(
    nw.Chain(
        nw.Embedding(4), nw.Positions(4), nw.Mean(0), nw.Linear(), nw.softmax, input=nw.Characters("abc"), output=KINDS
    )
)
TWO = nw.initialize(nw.Graph(sum=(nw.Add(), "x", "y"), mean=(nw.Mean(0), "sum"), input={"x": ("n", D), "y": ("n", D)}))
PREDICTS = nw.initialize(
    nw.Chain(
        nw.Embedding(8), nw.Positions(6), nw.GRU(8), nw.Linear(), nw.softmax,
        input=nw.Characters("abc", mark_start=True), output=nw.Characters("abc", mark_end=True),
    )
).with_arrays({"linear1/bias": [0.0, 0.0, 0.0, -100.0]})  # fmt: skip
LANGUAGE = nw.Chain(nw.Embedding(4), nw.GRU(4), nw.Linear(), nw.softmax)


def zeros(length: int) -> torch.Tensor:
    return torch.zeros(length, D)


def train(net: nw.Net, *data: Any, **options: Any) -> Any:
    return nw.train(net, data[0] if len(data) == 1 else data, epochs=1, progress=False, **options)


NO_TEXT = (
    "an empty text has no elements\n{where}  got:      '' of type str\n  mend:     leave it out\n"
    "  or:       mark_start=True or mark_end=True, which gives it an edge"
)
UNKNOWN = (
    "character 'z' is not in the vocabulary\n  where:    {where}\n  expected: one of its 3 characters: 'a', 'b', 'c'\n"
    "  mend:     unknown=True, which gives all such characters one index"
)
TOO_SHORT = (
    "an example is too short for this net\n  where:    {where}\n  expected: at least 1 position in {sizes}\n"
    "  got:      n = {n}"
)
UNEVEN = (
    "an example is not as long at port 'y' as the net needs\n  where:    row {row}\n"
    "  expected: {x}, which is n, with n = {x} at port 'x'\n  got:      {y} at port 'y'"
)
EMPTY: dict[str, tuple[Callable[[], Any], str]] = {
    "an empty array": (lambda: ARRAYS(zeros(0)), TOO_SHORT.format(where="row 0, port 'input'", sizes="(n, 3)", n=0)),
    "an empty array among others": (
        lambda: ARRAYS([zeros(2), zeros(0)]), "an empty list has no elements\n  where:    row 1",
    ),
    "no examples": (lambda: ARRAYS([]), "there are no examples"),
    "an empty text": (lambda: TEXTS(""), NO_TEXT.format(where="")),
    "an empty text among others": (lambda: TEXTS(["a", ""]), NO_TEXT.format(where="  where:    row 1\n")),
    "an empty text in training": (
        lambda: train(TEXTS, ["a", ""], ["x", "y"]), NO_TEXT.format(where="  where:    port 'input', row 1\n"),
    ),
    "an empty text in measuring": (
        lambda: nw.measure(TEXTS, (["a", "b", ""], ["x", "y", "x"])), NO_TEXT.format(where="  where:    row 2\n"),
    ),
    "nothing but empty texts": (
        lambda: train(LANGUAGE, [""] * 8, objective=nw.NextElement()),
        "there is not one character to learn in the training data\n  where:    port 'input'\n"
        "  mend:     give the vocabulary: Characters(…)",
    ),
}  # fmt: skip
LENGTH: dict[str, tuple[Callable[[], Any], str]] = {
    "shorter than a window": (
        lambda: WINDOW(zeros(1)), TOO_SHORT.format(where="row 0, conv1", sizes="(n - 4, 4)", n=1),
    ),
    "shorter than a window among others": (
        lambda: WINDOW([zeros(6), zeros(4)]), TOO_SHORT.format(where="row 1, conv1", sizes="(n - 4, 4)", n=4),
    ),
    "two inputs, two lengths": (
        lambda: TWO({"x": zeros(3), "y": zeros(2)}), UNEVEN.format(row=0, x=3, y=2),
    ),
    "two inputs, two lengths, in one of many": (
        lambda: TWO({"x": [zeros(3), zeros(2)], "y": [zeros(3), zeros(1)]}), UNEVEN.format(row=1, x=2, y=1),
    ),
    "two inputs, two lengths, in training": (
        lambda: train(TWO, {"x": [zeros(2)] * 8, "y": [zeros(3)] * 8, "target": [[0.0] * 3] * 8}),
        UNEVEN.format(row=0, x=2, y=3),
    ),
    "an element of another size": (
        lambda: ARRAYS([zeros(4), torch.zeros(4, 2)]),
        "the array has another shape\n  where:    row 1\n  expected: (n, 3)\n  got:      (4, 2)",
    ),
    "a Flatten over a length": (
        lambda: nw.Chain(nw.Flatten(), nw.Linear(2), input=("n", 3)),
        "linear1/weight would have another size for every length\n"
        "  where:    input -> flatten1\n"
        "  expected: a number   Linear(in) of linear1\n"
        "  got:      3*n   from flatten1: Flatten()\n"
        "  mend:     nw.GlobalAvgPool() in place of flatten1 (checked: 8 parameters)\n"
        "  or:       leave flatten1 out                   (checked: 8 parameters)\n"
        "  or:       input=(16, 3), for examples of one length",
    ),
}  # fmt: skip
TOKENS: dict[str, tuple[Callable[[], Any], str]] = {
    "an unknown character": (lambda: TEXTS("abz"), UNKNOWN.format(where="character 2, in 'abz'")),
    "an unknown character among others": (
        lambda: TEXTS(["ab", "abz"]), UNKNOWN.format(where="row 1, character 2, in 'abz'"),
    ),
    "an unknown character in training": (
        lambda: train(TEXTS, ["a", "z"] * 8, ["x", "y"] * 8),
        UNKNOWN.format(where="port 'input', row 1, character 0, in 'z'"),
    ),
    "an unknown character in measuring": (
        lambda: nw.measure(PREDICTS, ["ab", "a", "cz"]), UNKNOWN.format(where="row 2, character 1, in 'cz'"),
    ),
    "an unknown character to start from": (
        lambda: nw.generate(PREDICTS, "az"), UNKNOWN.format(where="character 1, in 'az'"),
    ),
    "an unknown character in a piece": (
        lambda: nw.Stateful(PREDICTS)("az"), UNKNOWN.format(where="character 1, in 'az'"),
    ),
    "an index that is too large": (
        lambda: INDICES([[1], [3, 9]]),
        "an index is out of range\n  where:    row 1\n  expected: 0 to 8\n  got:      9",
    ),
    "an index below zero": (
        lambda: INDICES([[1], [3, -1]]),
        "an index is out of range\n  where:    row 1\n  expected: 0 to 8\n  got:      -1",
    ),
    "no text": (
        lambda: TEXTS(["a", None]),
        "Characters takes a text\n  where:    row 1\n  expected: str\n  got:      None of type NoneType",
    ),
    "no text to start from": (
        lambda: nw.generate(PREDICTS, None),
        "Characters takes a text\n  expected: str\n  got:      None of type NoneType",
    ),
    "NaN": (
        lambda: ARRAYS([zeros(2), torch.tensor([[0.0, 1.0, float("nan")]])]),
        "the array holds NaN\n  where:    row 1, index (0, 2)\n  mend:     fill in a value",
    ),
}  # fmt: skip
GRAMMARS: dict[str, tuple[Callable[[], Any], str]] = {
    "no element may come first": (
        lambda: nw.generate(PREDICTS, "a", grammar=nw.Regex("xyz")),
        "the grammar allows no sequence of these elements\n"
        "  where:    grammar Regex(pattern='xyz')\n"
        "  expected: elements that the grammar can start, go on and end with\n"
        "  got:      3 elements: 'a', 'b', 'c'; none may come first\n"
        "  mend:     change the grammar, or use a net whose vocabulary has the elements it needs",
    ),
    "a start that is not allowed": (
        lambda: nw.generate(PREDICTS, "aa", grammar=nw.Regex("ab|c")),
        "the grammar does not allow this prompt\n  where:    prompt 0, element 1\n"
        "  expected: an element that Regex(pattern='ab|c') allows here\n  got:      'aa'",
    ),
    "a start that leads nowhere": (
        lambda: nw.generate(PREDICTS, ["c", "ab"], grammar=nw.Regex("abz|cc")),
        "the grammar cannot end after this prompt with the elements that the net has\n"
        "  where:    prompt 1\n  got:      'ab'",
    ),
    "too few elements": (
        lambda: nw.generate(PREDICTS, "abc", grammar=nw.Regex("abcabc"), max_elements=2),
        "the grammar cannot end after this prompt within so few elements\n  where:    prompt 0\n"
        "  expected: room for at least 3 elements more\n  got:      max_elements=2\n  mend:     max_elements=3",
    ),
}  # fmt: skip


def all_of(cases: dict[str, tuple[Callable[[], Any], str]]) -> Any:
    return pytest.mark.parametrize(("ask", "text"), cases.values(), ids=cases)


@all_of({**EMPTY, **LENGTH, **TOKENS, **GRAMMARS})
def test_the_error_says_what_where_and_how_to_mend_it(ask: Callable[[], Any], text: str) -> None:
    with pytest.raises(NetwrightError) as caught:
        ask()
    assert str(caught.value) == text


@pytest.mark.parametrize(
    ("ask", "most", "got"),
    [
        (lambda: PLACES(["a", "abcab"]), 4, 5),
        (lambda: train(PLACES, ["a", "abcab"] * 8, ["x", "y"] * 8), 4, 5),
        (lambda: nw.generate(PREDICTS, "abcabcabc"), 6, 10),
        (lambda: nw.Stateful(PREDICTS)("abc")[1]("abc"), 6, 7),
    ],
    ids=["a call", "training", "a start", "a piece"],
)
def test_longer_than_learned_positions(ask: Callable[[], Any], most: int, got: int) -> None:
    with pytest.raises(NetwrightError) as caught:
        ask()
    assert str(caught.value) == (
        "a sequence has more elements than there are positions\n"
        "  where:    Positions\n"
        f"  expected: at most {most} elements\n"
        f"  got:      {got} elements\n"
        f"  mend:     nw.Positions({got}), trained anew\n"
        "  or:       nw.SinePositions(), which has no end"
    )


def test_no_start_element_and_no_start() -> None:
    tagger = nw.Chain(
        nw.Embedding(4), nw.GRU(4), nw.Linear(), nw.softmax, input=nw.Characters("abc"), output=nw.Characters("abc")
    )
    with pytest.raises(NetwrightError) as caught:
        nw.generate(nw.initialize(tagger))
    assert str(caught.value) == (
        "the prompt is empty, and the net has no start element\n"
        "  where:    generate\n"
        "  got:      ''\n"
        "  mend:     prompt='…'\n"
        "  or:       nw.train(net, texts, objective=nw.NextElement()), whose nets have a start element"
    )


def test_a_sequence_of_one_is_a_sequence() -> None:
    assert ARRAYS(zeros(1)).shape == (1, 2)
    assert [tuple(y.shape) for y in ARRAYS([zeros(1), zeros(3)])] == [(1, 2), (3, 2)]
    assert TEXTS("a") in ("x", "y") and len(TEXTS(["a", "abc", "b"])) == 3
    assert WINDOW(zeros(5)).shape == (4,)
    assert len(nw.generate(PREDICTS, "a", max_elements=1).value) == 2
    assert nw.measure(PREDICTS, ["a", ""]).counted == 3
    assert train(LANGUAGE, ["a", "", "b"] * 8, objective=nw.NextElement()).net("a") is not None
