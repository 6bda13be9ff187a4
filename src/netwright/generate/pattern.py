"""Reads a regular expression: from its text to a tree of characters, sequences, choices and repetitions."""

from typing import Never

from netwright.errors import NetError
from netwright.value import Value

DEPTH = 100  # groups in groups
TIMES = 2000  # the largest count in {m,n}
ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "f": "\f", "v": "\v"}
UNREAD = {
    "^": "the whole text is always matched: leave ^ out, or write \\^ for the character",
    "$": "the whole text is always matched: leave $ out, or write \\$ for the character",
}


class Chars(Value):
    """One character of a set.

    Fields:
        ranges: first and last character of each range.
        kinds: letters of escapes, as in `\\d`: the sets they stand for in Python's `re`.
        negated: the characters that are in none of these.
    """

    ranges: tuple[tuple[str, str], ...] = ()
    kinds: str = ""
    negated: bool = False

    def has(self, char: str) -> bool:
        """Whether the character is in the set."""
        inside = any(low <= char <= high for low, high in self.ranges) or any(_is(kind, char) for kind in self.kinds)
        return inside != self.negated


class Then(Value):
    """Several patterns one after the other; with none, the empty text."""

    parts: tuple["Pattern", ...]


class Either(Value):
    """Any one of several patterns."""

    parts: tuple["Pattern", ...]


class Repeated(Value):
    """The same from `least` to `most` times; without limit if `most` is None."""

    part: "Pattern"
    least: int
    most: int | None


Pattern = Chars | Then | Either | Repeated
EMPTY = Then(())


def parse_pattern(text: str) -> Pattern:
    """The tree of a regular expression.

    Read are characters, `.`, classes `[a-z_]` and `[^a-z]`, `\\d \\w \\s \\D \\W \\S`, `\\n \\t \\r \\f \\v`, escaped
    punctuation, groups `( )` and `(?: )`, `|`, and the quantifiers `* + ? {m} {m,} {,n} {m,n}`. Each means what it
    means in Python's `re`. What matches only the empty text, such as `()*`, becomes `Then(())`.

    Raises:
        NetError: anything else, with its place.

    Example:
        >>> parse_pattern("ab?").parts[1]
        Repeated(part=Chars(ranges=(('b', 'b'),), kinds='', negated=False), least=0, most=1)
    """
    reader = _Reader(text)
    pattern = reader.either(0)
    if reader.here:  # the only character that `either` does not read
        reader.refuse("a closing parenthesis without an opening one", mend="write \\) for the character")
    return pattern


def _is(kind: str, char: str) -> bool:
    """Whether a character is of the kind that a letter after a backslash names; a capital letter says the opposite."""
    match kind.lower():
        case "d":
            inside = char.isdecimal()
        case "w":
            inside = char.isalnum() or char == "_"
        case _:
            inside = char.isspace()
    return inside == kind.islower()


class _Reader:
    """Reads a pattern from left to right; each method reads what its name says and stops after it."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0

    @property
    def here(self) -> str:
        """The character that comes next; the empty text at the end."""
        return self.text[self.at : self.at + 1]

    def take(self) -> str:
        char = self.here
        self.at += 1
        return char

    def refuse(self, what: str, *, at: int | None = None, mend: str = "") -> Never:
        place = self.at if at is None else at
        raise NetError(
            what=f"this pattern cannot be read: {what}",
            where=f"Regex({self.text!r}), character {place + 1}",
            got=repr(self.text[place : place + 12]) if place < len(self.text) else "the end of the pattern",
            mend=mend,
        )

    def either(self, depth: int) -> Pattern:
        parts = [self.then(depth)]
        while self.here == "|":
            self.take()
            parts.append(self.then(depth))
        if all(part == EMPTY for part in parts):
            return EMPTY
        return parts[0] if len(parts) == 1 else Either(tuple(parts))

    def then(self, depth: int) -> Pattern:
        parts: list[Pattern] = []
        while self.here not in ("", "|", ")"):
            parts.append(self.repeat(depth))
        parts = [part for part in parts if part != EMPTY]
        return parts[0] if len(parts) == 1 else Then(tuple(parts))

    def repeat(self, depth: int) -> Pattern:
        part = self.one(depth)
        if self.here not in ("*", "+", "?", "{"):
            return part
        sign = self.take()
        least, most = self.counts() if sign == "{" else {"*": (0, None), "+": (1, None), "?": (0, 1)}[sign]
        if self.here and self.here in "*+?{":
            mend = "leave it out: lazy or not, the same texts match" if self.here == "?" else "put the first in a group"
            self.refuse("a quantifier after a quantifier", mend=mend)
        return EMPTY if part == EMPTY or most == 0 else Repeated(part, least, most)

    def counts(self) -> tuple[int, int | None]:
        """Read the count up to and with the closing }."""
        at = self.at - 1
        inside, closed, _ = self.text[self.at :].partition("}")
        low, comma, high = inside.partition(",")
        if not closed or not (low or high) or not all(n.isascii() and n.isdigit() for n in (low, high) if n):
            self.refuse("{ does not open a count", at=at, mend="{2}, {2,}, {,5} or {2,5}, or \\{ for the character")
        if any(len(n) > 9 or int(n) > TIMES for n in (low, high) if n):
            self.refuse(f"a count above {TIMES}", at=at)
        least = int(low or 0)
        most = (int(high) if high else None) if comma else least
        if most is not None and most < least:
            self.refuse("a count whose end is below its start", at=at, mend=f"{{{most},{least}}}")
        self.at += len(inside) + 1
        return least, most

    def one(self, depth: int) -> Pattern:
        at, char = self.at, self.take()
        if char == "(":
            return self.group(at, depth + 1)
        if char == "[":
            return self.chars(at)
        if char == ".":
            return Chars((("\n", "\n"),), negated=True)
        if char == "\\":
            return self.escape(at)
        if char in "*+?{":
            self.refuse("a quantifier with nothing before it", at=at, mend=f"write \\{char} for the character")
        if char in UNREAD:
            self.refuse(f"{char} is not supported", at=at, mend=UNREAD[char])
        return Chars(((char, char),))

    def group(self, at: int, depth: int) -> Pattern:
        if depth > DEPTH:
            self.refuse(f"groups more than {DEPTH} deep", at=at)
        if self.here == "?":
            if self.text[self.at : self.at + 2] != "?:":
                self.refuse("a group of this kind is not supported", at=at, mend="( ) or (?: )")
            self.at += 2
        inside = self.either(depth)
        if self.take() != ")":
            self.refuse("a group is not closed", at=at, mend="close it with ), or write \\( for the character")
        return inside

    def escape(self, at: int) -> Chars:
        """A set for what follows a backslash."""
        char = self.take()
        if char and char in "dwsDWS":
            return Chars(kinds=char)
        char = ESCAPES.get(char, char)
        if not char or (char.isascii() and char.isalnum()):
            self.refuse("this escape is not supported", at=at, mend="write \\\\ for a backslash")
        return Chars(((char, char),))

    def chars(self, at: int) -> Chars:
        """Read a class, from after its [ to its ]."""
        negated = self.here == "^"
        self.at += negated
        ranges: list[tuple[str, str]] = []
        kinds, first = "", self.at
        while self.here != "]" or self.at == first:
            low_at = self.at
            low = self.member(at)
            if self.here == "-" and self.text[self.at + 1 : self.at + 2] not in ("]", ""):
                self.take()
                high = self.member(at)
                if low.kinds or high.kinds or low.ranges[0][0] > high.ranges[0][0]:
                    self.refuse("a range that does not go upwards", at=low_at, mend="write \\- for the character")
                ranges.append((low.ranges[0][0], high.ranges[0][0]))
            else:
                ranges += low.ranges
                kinds += low.kinds
        self.take()
        return Chars(tuple(ranges), kinds, negated)

    def member(self, opened: int) -> Chars:
        """One character or escape of the class that was opened there."""
        at, char = self.at, self.take()
        if not char:
            self.refuse("a class is not closed", at=opened, mend="close it with ], or write \\[ for the character")
        return self.escape(at) if char == "\\" else Chars(((char, char),))
