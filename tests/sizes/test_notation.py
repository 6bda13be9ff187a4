"""The notation of ports is read as the design says, and what it is not is said whole."""

import pytest

from netwright.errors import NetError
from netwright.sizes.notation import Axis, AxisRun, Port, axes, port, ports


def test_one_port_on_each_side() -> None:
    found = ports("... in -> ... out")
    assert found.inputs == (Port("input", (AxisRun("..."), Axis(name="in"))),)
    assert found.outputs == (Port("output", (AxisRun("..."), Axis(name="out"))),)


def test_several_ports_are_named() -> None:
    found = ports("query: m d, key: n d, value: n e -> m e")
    assert [one.name for one in found.inputs] == ["query", "key", "value"]
    assert found.inputs[2].axes == (Axis(name="n"), Axis(name="e"))
    assert [one.name for one in found.outputs] == ["output"]


def test_a_name_on_both_sides_is_a_state_and_a_question_mark_an_optional_port() -> None:
    found = ports("x: n in, hidden?: out -> y: n out, hidden: out")
    assert found.states == ("hidden",)
    assert [one.optional for one in found.inputs] == [False, True]
    assert found.outputs[1].axes == (Axis(name="out"),)


def test_indices_are_below_a_size() -> None:
    assert port("<10>") == Port("input", (), Axis(times=10))
    assert port("n <v>") == Port("input", (Axis(name="n"),), Axis(name="v"))
    assert port("... <v>").axes == (AxisRun("..."),)


def test_runs_multiples_and_sizes_that_vary_within_another() -> None:
    assert port("*s 16*k").axes == (AxisRun("s"), Axis(16, "k"))
    assert port("n m[n] 3").axes == (Axis(name="n"), Axis(1, "m", "n"), Axis(times=3))
    assert axes("out group *window") == (Axis(name="out"), Axis(name="group"), AxisRun("window"))


def test_a_scalar() -> None:
    assert port("()") == Port("input", ())
    assert str(port("()")) == "()"


@pytest.mark.parametrize("text", ["28 28 1", "n <50>", "<10>", "()", "16*k", "n m[n]", "*s c", "... in", "?"])
def test_a_port_prints_as_it_is_written(text: str) -> None:
    assert str(port(text)) == text


def test_no_inputs() -> None:
    assert ports("-> *s").inputs == ()


ITEMS = "a name, a number, 16*k, *s, ..., m[n], <v> or ()"


@pytest.mark.parametrize(
    ("text", "expected", "got"),
    [
        ("... in", "one arrow between the input ports and the output ports", ""),
        ("a -> b -> c", "one arrow between the input ports and the output ports", ""),
        ("in! -> out", ITEMS, "in!"),
        ("2x -> n", ITEMS, "2x"),
        ("0*k -> n", ITEMS, "0*k"),
        ("2*? -> n", ITEMS, "2*?"),
        ("n <a b> -> n", ITEMS, "<a"),
        ("x y: n -> n", "a port's name is a Python name", "x y"),
        ("*s *t -> n", "one run of axes at most in a port", "*s *t"),
        ("n <*s> -> n", "one size between < and >", "*s"),
        ("x: -> n", "the axes of every port, or () for a single number", "x:"),
        ("x: n, x: m -> n", "a different name for every port of a side", ""),
    ],
)
def test_what_is_no_notation_is_said(text: str, expected: str, got: str) -> None:
    with pytest.raises(NetError) as caught:
        ports(text)
    lines = ["this is not the notation of ports", f"  where:    {text!r}", f"  expected: {expected}"]
    assert str(caught.value) == "\n".join(lines + ([f"  got:      {got}"] if got else []))


@pytest.mark.parametrize("text", ["9" * 19, "9" * 5000, "9" * 5000 + "*n", "n <" + "9" * 5000 + ">"])
def test_a_number_of_very_many_digits_is_no_size(text: str) -> None:
    with pytest.raises(NetError, match="this is not the notation of ports"):
        port(text)
