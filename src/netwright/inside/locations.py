"""Finds what a path or a pattern names inside a net: the values of its parts, its ports and its arrays."""

from collections.abc import Collection, Iterable, Sequence
from fnmatch import fnmatchcase
from typing import Any, TypeAlias

from netwright.codecs.numeric import described
from netwright.errors import PathError, did_you_mean
from netwright.net.plan.plan import Plan
from netwright.net.plan.wiring import Slot
from netwright.value import Value

Names: TypeAlias = str | list[str] | tuple[str, ...]
WILD = "*?["  # what makes a pattern of a path
MOST_SHOWN = 6  # names in a message


class Location(Value):
    """A value or an array inside a net.

    Fields:
        name: by which it is given: a path, or `"path.port"` of a part with several outputs.
        path: of the part or the array; the name of a port.
        slot: of a value; None for an array.
    """

    name: str
    path: str
    slot: Slot | None


class Locations(Value):
    """What was asked for.

    Fields:
        found: in the order of the texts, those of a pattern in the order of the net.
        required: the names that stand there by themselves, and not in a pattern or as one of several outputs.
        alone: whether one text names one place, so that the answer is a value and no mapping.
    """

    found: tuple[Location, ...]
    required: frozenset[str]
    alone: bool


def part_locations(plan: Plan) -> list[Location]:
    """The values of all parts, at any depth, in the order they run."""
    return [
        Location(path if len(outputs) == 1 else f"{path}.{port}", path, slot)
        for path, outputs in plan.wiring.values.items()
        for port, slot in outputs
    ]


def leaf_locations(plan: Plan) -> list[Location]:
    """The values of all leaves; that of a net which is one leaf has the name of its kind, as in `nw.summary`."""
    return [
        Location(op.path if len(outputs) == 1 else f"{op.path}.{port.name}", op.path, (op.path, port.name))
        for op in plan.wiring.leaves
        for outputs in [plan.solution.scopes[op.path].ports.outputs]
        for port in outputs
    ]


def input_locations(plan: Plan) -> list[Location]:
    """The input ports."""
    return [Location(name, name, ("", name)) for name in plan.wiring.inputs]


def output_locations(plan: Plan) -> list[Location]:
    """The output ports."""
    return [Location(name, name, slot) for name, slot in plan.wiring.outputs]


def array_locations(plan: Plan, kinds: Collection[str] = ("learned", "fixed", "running")) -> list[Location]:
    """The arrays, by default of all kinds."""
    return [Location(path, path, None) for path, spec in plan.arrays.items() if spec.weight.kind in kinds]


def find_locations(names: Names, known: Sequence[Location], where: str) -> Locations:
    """The places that paths and patterns name.

    A pattern is one of the shell: `*` stands for any text, `?` for a letter. Of parts that lie in each other it names
    the outermost, so that `"block*"` names blocks and not what is inside them.

    Raises: PathError for a text that names nothing.
    """
    texts = _texts(names, where)
    found: dict[str, Location] = {}
    required: set[str] = set()
    for text in texts:
        wild = any(letter in text for letter in WILD)
        several = _like(text, known) if wild else _called(text, known)
        if not several:
            raise _nothing(text, wild, known, where)
        found |= {location.name: location for location in several}
        required |= {text} & {location.name for location in several}
    alone = isinstance(names, str) and not any(letter in names for letter in WILD) and len(found) == 1
    return Locations(tuple(found.values()), frozenset(required), alone)


def few_of(names: Iterable[str]) -> str:
    """Some names, as a message lists them."""
    found = [*names]
    more = len(found) - MOST_SHOWN
    return ", ".join(found[:MOST_SHOWN]) + (f" and {more} more" if more > 0 else "")


def _texts(names: Any, where: str) -> Sequence[str]:
    texts = [names] if isinstance(names, str) else names
    if not isinstance(texts, list | tuple) or not texts or not all(isinstance(text, str) for text in texts):
        raise PathError(
            what="places inside a net are given by their paths",
            where=where,
            expected="a path, a pattern such as 'conv*', or a list of these",
            got="an empty list" if texts in ([], ()) else described(names),
        )
    return texts


def _called(text: str, known: Sequence[Location]) -> list[Location]:
    """The place of this name; of a part with several outputs all of them."""
    exact = [location for location in known if location.name == text][:1]
    return exact or [location for location in known if location.path == text]


def _like(text: str, known: Sequence[Location]) -> list[Location]:
    found = [location for location in known if fnmatchcase(location.path, text) or fnmatchcase(location.name, text)]
    paths = {location.path for location in found}
    return [location for location in found if not any(around in paths for around in _around(location.path))]


def _around(path: str) -> list[str]:
    """The paths of the parts around a part, or of those that have an array."""
    pieces = path.split("/")
    return ["/".join(pieces[:count]) for count in range(1, len(pieces))]


def _nothing(text: str, wild: bool, known: Sequence[Location], where: str) -> PathError:
    names = [location.name for location in known]
    return PathError(
        what=f"nothing in this net has a path like {text!r}" if wild else f"nothing in this net is called {text!r}",
        where=where,
        expected=f"one of {len(names)}: {few_of(names)}" if names else "a net with parts",
        mend=did_you_mean(text, list(dict.fromkeys([*names, *(location.path for location in known)]))),
    )
