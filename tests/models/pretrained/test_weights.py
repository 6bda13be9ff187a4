"""Configurations say what they lack, or say in another kind."""

import pytest

from netwright.errors import FileError
from netwright.models.pretrained.weights import Config, From, check_blocks, linear_entries

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
        (lambda: SAID.whole("eps"), "eps", "a whole number of 1 to 2147483647", "1e-05"),
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


@pytest.mark.parametrize("value", [float("inf"), float("nan"), 10**400, 0, -1.0, True, [1.0], {}])
def test_what_is_no_number(value: object) -> None:
    assert "expected: a number above 0" in refusal(lambda: Config({"eps": value}, "here").number("eps"))


def test_several_in_one() -> None:
    said = Config({"size": [2, 3], "one": 4, "mean": [0.5, 1], "ends": [2, 3], "end": 2}, "here")
    assert (said.pair("size"), said.pair("one"), said.pair("other", (1, 1))) == ((2, 3), (4, 4), (1, 1))
    assert (said.numbers("mean", 2, 0.0), said.numbers("other", 3, 0.5)) == ((0.5, 1.0), (0.5,) * 3)
    assert (said.indices("ends"), said.indices("end"), said.indices("other")) == ((2, 3), (2,), ())
    for ask in (
        lambda: said.pair("mean"), lambda: said.numbers("ends", 3, 0.0), lambda: said.indices("mean"),
        lambda: said.mapping("end"), lambda: said.texts("ends"), lambda: said.choice("ends", {"a": 1}),
    ):  # fmt: skip
        assert refusal(ask).startswith("no net follows from ")


def test_what_nobody_asked_for_is_refused_by_name() -> None:
    said = Config({"width": 8, "dropout": 0.5, "none": None, "window\x1b[2J": 4, "kind": {}, "long": "a" * 99}, "here")
    said.whole("width")
    assert refusal(lambda: said.finish({"dropout"})) == (
        "this says what no net of ours does, or what is not known to be harmless\n"
        "  where:    here\n"
        f"  got:      window\\x1b[2J: 4, kind: a dict, long: {'a' * 79}…"
    )
    said.finish({"dropout", "window\x1b[2J", "kind", "long"})


def test_blocks_are_those_that_the_names_bear_out() -> None:
    names = {f"h.{i}.weight" for i in range(3)} | {"h.x.weight", "g.9.weight"}
    check_blocks(3, "h.", names, "here")
    assert refusal(lambda: check_blocks(10**9, "h.", names, "here")) == (
        "the weights are not those of the net that the configuration describes\n"
        "  where:    here\n"
        "  expected: 1000000000 blocks, whose tensors are called h.0.… and so on\n"
        "  got:      tensors of 3"
    )


def test_the_arrays_of_a_linear_layer() -> None:
    assert linear_entries("a", "b") == {"a/weight": From("b.weight"), "a/bias": From("b.bias")}
    assert linear_entries("a", "b", bias=False) == {"a/weight": From("b.weight")}
