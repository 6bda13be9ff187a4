"""Tests that a block's surroundings are done and undone, and that an error passes through them as it is."""

import traceback
from collections.abc import Generator
from contextlib import suppress
from dataclasses import dataclass

import pytest

from netwright.around import around


@dataclass(frozen=True)
class Stop(Exception):
    why: str


@around
def noted(notes: list[str]) -> Generator[str]:
    notes.append("before")
    try:
        yield "given"
    finally:
        notes.append("after")


@around
def renaming() -> Generator[None]:
    try:
        yield
    except KeyError as error:
        raise ValueError("renamed") from error


@around
def swallowing() -> Generator[None]:
    with suppress(KeyError):
        yield


def test_a_block_is_surrounded_and_is_given_what_the_generator_yields() -> None:
    notes: list[str] = []
    with noted(notes) as given:
        notes.append(given)
    assert notes == ["before", "given", "after"]


def test_a_decorated_function_is_surrounded_at_each_call_inside_itself_too() -> None:
    notes: list[str] = []

    @noted(notes)
    def factorial(n: int) -> int:
        """n!"""
        notes.append(str(n))
        return n * factorial(n - 1) if n else 1

    assert (factorial(1), factorial.__name__, factorial.__doc__) == (1, "factorial", "n!")
    assert notes == ["before", "1", "before", "0", "after", "after"]


@pytest.mark.parametrize("error", [Stop("mine"), ValueError("mine"), StopIteration(3), GeneratorExit(), SystemExit(3)])
def test_an_error_comes_out_as_it_is(error) -> None:
    notes: list[str] = []
    with pytest.raises(type(error)) as caught, noted(notes), renaming():
        raise error
    assert caught.value is error
    assert notes == ["before", "after"]
    files = {frame.filename.rpartition("/")[2] for frame in traceback.extract_tb(error.__traceback__)}
    assert files == {"test_around.py"}, "the traceback does not show how the block was surrounded"


def test_a_generator_may_raise_another_error_and_swallows_none() -> None:
    with pytest.raises(ValueError, match="renamed") as caught, renaming():
        raise KeyError("mine")
    assert isinstance(caught.value.__cause__, KeyError)
    with pytest.raises(KeyError, match="mine"), swallowing():
        raise KeyError("mine")
