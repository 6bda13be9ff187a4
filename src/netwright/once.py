"""Keeps results that were computed from a value with the value: they are computed once and freed with it."""

from collections.abc import Callable, Hashable
from typing import Any, TypeVar

T = TypeVar("T")
KEPT = 64  # answers to one question: without a bound, every new size of an example would stay


def once(owner: Any, question: str, find: Callable[[], T], key: Hashable = None) -> T:
    """A result that depends on a frozen value, computed at the first call.

    Fields:
        owner: what the answer follows from: it is kept as long as the owner is.
        question: its name; `key` is what it is asked about, where it is asked about several things. The oldest answer
            gives way when there are too many.

    Example:
        >>> from netwright.value import Value
        >>> class Line(Value):
        ...     text: str
        >>> line = Line("to be or not to be")
        >>> once(line, "words", lambda: line.text.split()) is once(line, "words", lambda: [])
        True
    """
    answers: dict[Hashable, Any] = owner.__dict__.setdefault("_found", {}).setdefault(question, {})
    if key in answers:
        return answers[key]
    answer = find()
    if len(answers) >= KEPT:
        del answers[next(iter(answers))]
    answers[key] = answer
    return answer


def forget(owner: Any) -> None:
    """Drop every answer: the owner is not finished yet, and was changed."""
    owner.__dict__.pop("_found", None)
