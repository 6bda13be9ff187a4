"""Tests what is kept with a value: found once, one answer for each key, a bounded number of them."""

from collections.abc import Callable

import pytest

from netwright.once import KEPT, forget, once
from netwright.value import Value


class Line(Value):
    text: str


def test_an_answer_is_found_once_and_one_for_each_key() -> None:
    asked: list[str] = []

    def answer(text: str) -> Callable[[], str]:
        return lambda: asked.append(text) or text

    line, other = Line("to be"), Line("to be")
    assert [once(line, "first", answer("a")), once(line, "first", answer("b"))] == ["a", "a"]
    assert once(line, "first", answer("c"), key=1) == "c"
    assert once(line, "second", answer("d")) == "d"
    assert once(other, "first", answer("e")) == "e"  # equal, but not the same value
    assert asked == ["a", "c", "d", "e"]
    assert line == other  # what was found is no part of the value


def test_the_oldest_answer_gives_way() -> None:
    line = Line("to be")
    for number in range(KEPT):
        once(line, "first", lambda number=number: number, key=number)
    assert once(line, "first", lambda: -1, key=0) == 0
    once(line, "first", lambda: KEPT, key=KEPT)
    assert once(line, "first", lambda: -1, key=1) == 1
    assert once(line, "first", lambda: -1, key=0) == -1


def test_an_answer_that_is_not_found_is_asked_again() -> None:
    line = Line("to be")
    with pytest.raises(ZeroDivisionError):
        once(line, "first", lambda: 1 // 0)
    assert once(line, "first", lambda: 2) == 2


def test_everything_can_be_forgotten() -> None:
    line = Line("to be")
    once(line, "first", lambda: 1)
    forget(line)
    assert once(line, "first", lambda: 2) == 2
