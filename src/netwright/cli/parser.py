"""Reads the arguments of the command line: commands that say examples in their help, and wrong uses as values."""

import argparse
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

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
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"at least 1, not {value}")
    return value


def positive_number(text: str) -> float:
    """A number above 0."""
    value = float(text)
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"a number above 0, not {text}")
    return value


def share_or_count(text: str) -> Any:
    """A share of the examples below 1, or a count of at least 1."""
    value = float(text)
    if (value >= 1 and value != int(value)) or not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"a share such as 0.1, or a count such as 500, not {text}")
    return value if value < 1 else int(value)


def _sentence(about: str) -> str:
    return f"{about[0].upper()}{about[1:]}."
