"""The one tree of errors: each says what went wrong, where, what was expected, what was given, and how to mend it.

Every error of Netwright is a `NetwrightError`. Each also derives from the built-in error a Python programmer would
catch for such a fault, so `except ValueError` around a training script goes on working.
"""

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import islice
from typing import Any, Never, Self

from netwright.tracebacks import lines_in_notebook, shorten_at_prompt
from netwright.value import Value

LABEL_WIDTH = 10  # "expected: " is the longest label
MOST_TEXT = 2000  # characters of each text of a message; a file can put millions into a name
MOST_NAME = 200  # characters of a name that is compared with others
MOST_NAMES = 2000  # names that a misspelt one is compared with
FARTHEST = 0.4  # share of letters in which a misspelt name differs from the one that was meant
ROUNDING = 1e-9  # twice a distance is the same on paper and not always in floats


class Fault(Value, kw_only=True):
    """One thing that is wrong: a sentence, its place, both sides, and the mends in order of preference.

    A text may repeat what a file or a data set says, so it is shown `plainly`.
    """

    what: str
    where: str = ""
    expected: str = ""
    got: str = ""
    mend: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "mend", tuple(text for text in self.mend if text))  # a search may have found nothing

    def __str__(self) -> str:
        lines = [("where", self.where), ("expected", self.expected), ("got", self.got)]
        lines += [("mend" if i == 0 else "or", text) for i, text in enumerate(self.mend)]
        body = [f"  {label + ':':<{LABEL_WIDTH}}{_hanging(plainly(text))}" for label, text in lines if text]
        return "\n".join([plainly(self.what), *body])


class NetwrightError(Exception):
    """The root of the tree.

    A notebook and Python's prompt show it without the lines inside of Netwright and torch. `%xmode Verbose` and `%tb`
    show all of them in a notebook, `traceback.print_exception(sys.last_value)` at the prompt.

    Fields: `what` the sentence; `where` the place (a path, a row, a file); `expected` and `got` the two sides;
    `mend` one text or several, the best first.
    """

    def __init__(
        self,
        *,
        what: str,
        where: str = "",
        expected: str = "",
        got: str = "",
        mend: str | Sequence[str] = (),
    ) -> None:
        mends = (mend,) if isinstance(mend, str) else tuple(mend)
        self._hold((Fault(what=what, where=where, expected=expected, got=got, mend=mends),))

    @classmethod
    def of(cls, faults: Iterable[Fault]) -> Self:
        """An error that reports several faults at once."""
        error = cls.__new__(cls)
        error._hold(tuple(faults))
        return error

    def changed(self, **texts: Any) -> Self:
        """The same error with other texts."""
        return self._with(replace(fault, **texts) for fault in self.faults)

    def within(self, place: str) -> Self:
        """The same error with the place it lies in, such as a row or a file, before its own.

        Example:
            >>> print(DataError(what="this is no number", where="port 'x'").within("row 3"))
            this is no number
              where:    row 3, port 'x'
        """
        places = (f"{place}, {fault.where}" if fault.where not in ("", place) else place for fault in self.faults)
        return self._with(replace(fault, where=where) for fault, where in zip(self.faults, places, strict=True))

    def _with(self, faults: Iterable[Fault]) -> Self:
        """An error with other faults, and with all else that this one has: its notes, and the net that a mend gives."""
        error = self.of(faults)
        others = {name: value for name, value in vars(self).items() if name not in vars(error)}
        error.__dict__ |= {name: [*value] if isinstance(value, list) else value for name, value in others.items()}
        return error

    def _hold(self, faults: tuple[Fault, ...]) -> None:
        self.faults = faults
        first = faults[0]
        self.what, self.where, self.mend = first.what, first.where, first.mend
        self.expected, self.got = first.expected, first.got
        super().__init__(str(self))

    def __str__(self) -> str:
        if len(self.faults) == 1:
            return str(self.faults[0])
        blocks = [f"{i}. {_indented(str(fault))}" for i, fault in enumerate(self.faults, 1)]
        return "\n".join([f"{len(self.faults)} faults", *blocks])

    def __reduce__(self) -> tuple[object, ...]:
        notes = getattr(self, "__notes__", [])
        return (type(self).of, (self.faults,), {"__notes__": [*notes]} if notes else None)

    def _render_traceback_(self) -> list[str]:
        """The lines that IPython prints."""
        return lines_in_notebook(self)


shorten_at_prompt(NetwrightError)


class SizeError(NetwrightError, ValueError):
    """Two sizes, ranks or kinds that meet at an edge do not agree.

    Fields: `mended` the net that the first mend of every fault gives, where such a net was found and checked.
    """

    mended: Any = None


class NetError(NetwrightError, ValueError):
    """A net is not well formed: a cycle, a name twice, an unconnected port, an option out of range."""


class UnknownNameError(NetwrightError, AttributeError):
    """The package, a net or a report has nothing of this name."""


class PathError(NetwrightError, KeyError):
    """No part, array or port has this path."""


class MissingArraysError(NetwrightError, RuntimeError):
    """A net was run while some of its arrays do not exist yet."""


class DataError(NetwrightError, ValueError):
    """An example, a label or a data set cannot be used as it is.

    Fields: `row` of the batch in which a part found it; the error ends its place with "example 2 of the batch". None
        elsewhere.
    """

    row: int | None = None

    def at_row(self, row: int) -> Self:
        """The same error that names a row of the data in place of an example of the batch."""
        return self.changed(where=self.where.removesuffix(f", example {self.row} of the batch")).within(f"row {row}")


class FileError(NetwrightError, OSError):
    """A file is missing, damaged, hostile or cannot be written."""


class MissingExtraError(NetwrightError, ImportError):
    """An optional package is not installed."""


class TrainingError(NetwrightError, RuntimeError):
    """A training run cannot start or go on."""


def missing_extra(package: str, extra: str, why: str) -> Never:
    """Raise the error that gives the pip line of an optional package."""
    raise MissingExtraError(
        what=f"{why} needs the package {package}, which is not installed",
        mend=f'pip install "netwright[{extra}]"',
    )


def close_names(name: str, names: Iterable[str], most: int = 3, farthest: float = FARTHEST) -> tuple[str, ...]:
    """The names that a misspelt one may have meant, nearest first. A text too long for a name is near to none.

    How far two names are apart is 1 minus the share of letters that they have in common, in order. A name that differs
    only in capitals, and a path that ends with the name, are at distance 0. Names beyond `farthest` are never meant,
    and those more than twice as far as the nearest one are not either.

    Example:
        >>> close_names("conv", ["conv1", "linear1"])
        ('conv1',)
        >>> close_names("liner1", ["linear2", "linear1"])
        ('linear1',)
    """
    if len(name) > MOST_NAME:
        return ()
    known = [candidate for candidate in islice(names, MOST_NAMES) if len(candidate) <= MOST_NAME]
    same = [known_name for known_name in known if known_name.casefold() == name.casefold()]
    last = [known_name for known_name in known if known_name.split("/")[-1] == name]
    if same or last:
        return tuple(dict.fromkeys([*same, *last]))[:most]
    near = difflib.get_close_matches(name, known, n=most, cutoff=1 - farthest)
    far = [1 - difflib.SequenceMatcher(None, one, name).ratio() for one in near]
    return tuple(one for one, distance in zip(near, far, strict=True) if distance <= 2 * far[0] + ROUNDING)


def did_you_mean(name: object, names: Iterable[str]) -> str:
    """The mend for a misspelt name; the empty text when nothing is near, as to what is no text."""
    near = [repr(candidate) for candidate in close_names(name, names)] if isinstance(name, str) else []
    return f"did you mean {' or '.join(near)}?" if near else ""


def shortened(text: str, most: int) -> str:
    """A text of at most so many characters; what is cut off at its end is marked by "…".

    Example:
        >>> shortened("a long name", 7)
        'a long…'
    """
    return text if len(text) <= most else text[: most - 1] + "…"


def with_article(word: str) -> str:
    """A word behind "a", or "an" where it begins with a vowel.

    Example:
        >>> with_article("Conv"), with_article("int")
        ('a Conv', 'an int')
    """
    return f"an {word}" if word[:1].lower() in {*"aeiou"} else f"a {word}"


def plainly(text: str) -> str:
    """A text as a terminal can show it: cut after 2,000 characters, and what does not print written as Python does.

    Example:
        >>> plainly("red\\x1b[2J")
        'red\\\\x1b[2J'
    """
    shown = shortened(text, MOST_TEXT)
    if shown.isprintable():
        return shown
    return "".join(sign if sign.isprintable() or sign == "\n" else repr(sign)[1:-1] for sign in shown)


def _hanging(text: str) -> str:
    return text.replace("\n", "\n" + " " * (LABEL_WIDTH + 2))


def _indented(text: str) -> str:
    return text.replace("\n", "\n   ")
