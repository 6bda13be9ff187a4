"""Configurations say what they lack, or say in another kind."""

import pytest

from netwright.errors import FileError
from netwright.models.pretrained.weights import Config, From, linear

SAID = Config({"width": 8, "eps": 1e-5, "bias": True, "act": "gelu", "none": None}, "config.json")


def refusal(ask) -> str:
    with pytest.raises(FileError) as caught:
        ask()
    return str(caught.value)


def test_what_it_says() -> None:
    assert (SAID.whole("width"), SAID.whole("none", 3), SAID.number("eps")) == (8, 3, 1e-5)
    assert (SAID.yes("bias", False), SAID.yes("other", False)) == (True, False)
    assert SAID.choice("act", {"gelu": 1}) == 1
    SAID.refuse("act", "gelu")
    SAID.refuse("other")


@pytest.mark.parametrize(
    ("ask", "name", "expected", "got"),
    [
        (lambda: SAID.whole("heads"), "heads", "to be said", "nothing"),
        (lambda: SAID.whole("eps"), "eps", "a whole number of at least 1", "1e-05"),
        (lambda: SAID.number("act"), "act", "a number above 0", "'gelu'"),
        (lambda: SAID.yes("act", True), "act", "true or false", "'gelu'"),
        (lambda: SAID.choice("act", {"relu": 1, "tanh": 2}), "act", "one of relu, tanh", "'gelu'"),
        (lambda: SAID.refuse("act", "relu"), "act", "'relu'", "'gelu'"),
        (lambda: SAID.refuse("act"), "act", "nothing", "'gelu'"),
    ],
)
def test_what_it_does_not_say(ask, name: str, expected: str, got: str) -> None:
    assert refusal(ask) == (
        f"no net follows from {name!r} in this configuration\n"
        "  where:    config.json\n"
        f"  expected: {expected}\n"
        f"  got:      {got}"
    )


def test_the_arrays_of_a_linear_layer() -> None:
    assert linear("a", "b") == {"a/weight": From("b.weight"), "a/bias": From("b.bias")}
    assert linear("a", "b", bias=False) == {"a/weight": From("b.weight")}
