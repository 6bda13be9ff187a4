"""What a net was made from and what was done to it: a value that a net carries and that its file keeps."""

from collections.abc import Iterable, Iterator

from netwright.errors import plainly, shortened
from netwright.value import Value, few_lines

MOST = 1000  # entries of a history: an edit copies their tuple, which takes 5 µs
LONGEST = 1000  # characters of a text in an entry
EDIT = "edit"
WIDTH = len("initialized")  # of the longest kind


class Entry(Value):
    """One line of a history.

    Fields:
        kind: "made", "loaded", "initialized", "edit" or "trained".
        text: what was done, in one line.
        facts: settings, digests and versions as pairs of a name and a text; `entry["seed"]` gives one.
        part: the path of the part that this was done to before the part was put into the net; empty for the net itself.

    Example:
        >>> import netwright as nw
        >>> nw.initialize(nw.Chain(3, input=2), seed=5).history[-1]["seed"]
        '5'
    """

    kind: str
    text: str
    facts: tuple[tuple[str, str], ...] = ()
    part: str = ""

    def __post_init__(self) -> None:
        """Every text in one line that a terminal can show: entries also come from files of strangers."""
        facts = tuple((_line(name), _line(text)) for name, text in self.facts)
        for name, value in (("kind", _line(self.kind)), ("text", _line(self.text)), ("facts", facts)):
            object.__setattr__(self, name, value)
        object.__setattr__(self, "part", _line(self.part))

    def __getitem__(self, name: str) -> str:
        """The fact of this name. Raises: KeyError."""
        return dict(self.facts)[name]

    def __contains__(self, name: str) -> bool:
        return any(name == known for known, _ in self.facts)

    def __str__(self) -> str:
        where = f"{self.part}: " if self.part else ""
        return f"{self.kind:<{WIDTH}}  {where}{self.text}"

    def __repr__(self) -> str:
        return "\n".join([str(self), *(f"  {name}: {text}" for name, text in self.facts)])


class History(Value):
    """The entries of a net, the oldest first. Equality and digests of nets do not depend on it.

    Fields:
        entries: at most 1,000; then the oldest edits give way.
        left_out: how many gave way.

    Example:
        >>> import netwright as nw
        >>> nw.initialize(nw.Chain(3, nw.relu, input=2)).append(nw.Linear(1)).history
        made         Chain of 2 parts
        initialized  2 arrays, seed 0
        edit         append Linear(1)
    """

    entries: tuple[Entry, ...] = ()
    left_out: int = 0

    def __len__(self) -> int:
        return len(self.entries)

    def __iter__(self) -> Iterator[Entry]:
        return iter(self.entries)

    def __getitem__(self, at: int) -> Entry:
        return self.entries[at]

    def then(self, entries: Iterable[Entry]) -> "History":
        """This history with more entries at its end."""
        every = [*self.entries, *entries]
        gone = len(every) - MOST
        if gone <= 0:
            return History(tuple(every), self.left_out)
        for _ in range(gone):
            del every[next((i for i, entry in enumerate(every) if entry.kind == EDIT), 0)]
        return History(tuple(every), self.left_out + gone)

    def below(self, part: str) -> tuple[Entry, ...]:
        """The entries as those of a part of another net."""
        return tuple(
            Entry(entry.kind, entry.text, entry.facts, f"{part}/{entry.part}" if entry.part else part) for entry in self
        )

    def __repr__(self) -> str:
        return few_lines(str(self))

    def __str__(self) -> str:
        """A line for each entry."""
        older = [f"({self.left_out:,} older entries are left out)"] if self.left_out else []
        return "\n".join([*older, *map(str, self.entries)])


def _line(text: str) -> str:
    return text if text.isprintable() and len(text) <= LONGEST else shortened(" ".join(plainly(text).split()), LONGEST)
