"""Reads the arguments of the command line: commands that say examples in their help, and wrong uses as values."""

import argparse
import contextlib
import math
from collections.abc import Callable, Sequence
from typing import NoReturn, TypeVar

from netwright.errors import shortened

N = TypeVar("N", int, float)
Command = Callable[[argparse.Namespace], int | None]  # it gives an exit code where that is not 0


class WrongUseError(Exception):
    """Arguments that mean nothing: the command that they are for, how it is used, and what is wrong."""

    def __init__(self, command: str, usage: str, message: str) -> None:
        self.command, self.usage, self.message = command, usage, message
        super().__init__(f"{command}: {message}")


class Parser(argparse.ArgumentParser):
    """The parser of Python that raises a wrong use, and prints the examples of its help line by line."""

    def error(self, message: str) -> NoReturn:
        raise WrongUseError(self.prog, self.format_usage(), message)


class Commands:
    """The commands of a parser, to which others are added."""

    def __init__(self, parser: Parser, what: str, *, required: bool) -> None:
        self._add: Callable[..., Parser] = parser.add_subparsers(required=required, metavar=what, dest=what).add_parser

    def group(self, name: str, about: str) -> Parser:
        """A command that only has commands of its own."""
        return self._add(name, help=about, description=_sentence(about))

    def command(self, name: str, about: str, examples: Sequence[str], run: Command) -> Parser:
        """A command: its name, what it does, examples of its use, and the function that is given the options."""
        made = self._add(
            name,
            help=about,
            description=_sentence(about),
            epilog="\n".join(["examples:", *(f"  netwright {example}" for example in examples)]),
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        made.add_argument("--json", action="store_true", help="print the result, or the error, as JSON")
        made.set_defaults(run=run)
        return made


def whole_number(text: str) -> int:
    """A whole number of at least 1."""
    return _read(text, int, lambda value: value >= 1, "a whole number of at least 1")


def seed_number(text: str) -> int:
    """A whole number of at least 0."""
    return _read(text, int, lambda value: value >= 0, "a whole number of at least 0")


def positive_number(text: str) -> float:
    """A number above 0."""
    return _read(text, float, lambda value: 0 < value < math.inf, "a number above 0")


def share_or_count(text: str) -> float | int:
    """A share of the examples below 1, or a count of at least 1."""
    value = _read(
        text,
        float,
        lambda value: 0 < value < 1 or (1 <= value < math.inf and value == int(value)),
        "a share such as 0.1, or a count such as 500",
    )
    return value if value < 1 else int(value)


def _read(text: str, kind: Callable[[str], N], suits: Callable[[N], bool], expected: str) -> N:
    """A text as a number of a kind; one that is none, or does not suit, is a wrong use."""
    with contextlib.suppress(ValueError):
        value = kind(text)
        if suits(value):
            return value
    raise argparse.ArgumentTypeError(f"{expected}, not {shortened(text, 60)}")


def _sentence(about: str) -> str:
    return f"{about[0].upper()}{about[1:]}."
