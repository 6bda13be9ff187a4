"""The history of a net as plain data and back: what a file says of it is checked before it is believed."""

from typing import Any, cast

from netwright.errors import FileError
from netwright.file.format import malformed
from netwright.net.history import LONGEST, MOST, Entry, History

MOST_FACTS = 200  # of an entry
MOST_LEFT_OUT = 10**12
WHERE = "history"


def described_history(history: History) -> dict[str, Any]:
    """A history as JSON holds it."""
    entries = [[entry.kind, entry.text, entry.part, [list(fact) for fact in entry.facts]] for entry in history]
    return {"entries": entries, "left out": history.left_out}


def read_history(plain: Any) -> History:
    """The history that plain data describes. Raises: FileError for what `described_history` never gives."""
    if not isinstance(plain, dict) or set(cast(dict[str, Any], plain)) != {"entries", "left out"}:
        malformed(WHERE, "entries, left out", plain)
    entries, left_out = plain["entries"], plain["left out"]
    if type(left_out) is not int or not 0 <= left_out <= MOST_LEFT_OUT:
        malformed(WHERE, "left out: a count", left_out)
    if not isinstance(entries, list):
        malformed(WHERE, "a list of entries", entries)
    found = cast(list[Any], entries)
    if len(found) > MOST:
        raise FileError(
            what="the history has too many entries", where=WHERE, expected=f"at most {MOST:,}", got=f"{len(found):,}"
        )
    return History(tuple(_entry(entry) for entry in found), left_out)


def _entry(plain: Any) -> Entry:
    if not isinstance(plain, list) or len(cast(list[Any], plain)) != 4:
        malformed(WHERE, "an entry: kind, text, part, facts", plain)
    *texts, facts = cast(list[Any], plain)
    if not isinstance(facts, list) or len(cast(list[Any], facts)) > MOST_FACTS:
        malformed(WHERE, f"at most {MOST_FACTS} facts", facts)
    pairs = cast(list[Any], facts)
    if not all(isinstance(pair, list) and len(cast(list[Any], pair)) == 2 for pair in pairs):
        malformed(WHERE, "facts: pairs of texts", pairs)
    for text in [*texts, *(text for pair in pairs for text in pair)]:
        if not isinstance(text, str) or len(text) > LONGEST:
            malformed(WHERE, f"a text of at most {LONGEST:,} characters", text)
    kind, text, part = texts
    return Entry(kind, text, tuple((name, fact) for name, fact in pairs), part)
