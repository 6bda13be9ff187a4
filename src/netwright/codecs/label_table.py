"""Tables of labels, and what codecs of labels share. Labels of different types differ: 1, 1.0, True, '1' are four."""

from abc import ABC
from collections.abc import Iterable, Sequence
from functools import cached_property
from itertools import islice
from typing import Any, ClassVar, TypeAlias

from netwright.codecs.codec import Codec
from netwright.codecs.numeric import PLAIN, described, is_array, plain_number
from netwright.errors import DataError, NetError, did_you_mean
from netwright.sizes.free import FREE, Free

Label: TypeAlias = str | int | bool | float
Table: TypeAlias = dict[tuple[type, Any], int]
MOST_LABELS = 1_000_000  # four times the largest vocabulary of a published net; a net has an output for each
MOST_SHOWN = 8  # labels in a message


class LabelCodec(Codec, ABC):
    """A codec of labels in an order, at least `least` of them, whose output has a probability for each."""

    least: ClassVar[int] = 1

    labels: Iterable[Label] | Free = FREE

    def __post_init__(self) -> None:
        if self.labels is not FREE:
            object.__setattr__(self, "labels", label_tuple(self.labels, self.least))

    @property
    def names(self) -> tuple[Any, ...]:
        return self._labels

    @property
    def decoded(self) -> str:
        return "?" if self.labels is FREE else str(len(self._labels))

    @property
    def _labels(self) -> tuple[Label, ...]:
        return self._known("labels")

    @cached_property
    def _table(self) -> Table:
        return index_table(self._labels)

    def _shown(self, value: Any) -> str:
        # a default is left out, so labels are never FREE
        return shown_labels(value) if isinstance(value, tuple) else super()._shown(value)


def label_tuple(labels: Iterable[Any], least: int) -> tuple[Label, ...]:
    """The given labels, checked: an ordered list of plain types, all different, at least `least` of them.

    No more than `MOST_LABELS` are read, since a range or a generator can have labels without number.
    """
    if isinstance(labels, str):
        raise NetError(
            what="labels are a list, not one text",
            got=repr(labels),
            mend=(f"[{labels!r}] for one label", f"list({labels!r}) for its characters"),
        )
    if isinstance(labels, set | frozenset):
        raise NetError(what="labels need an order: a set has none", got=repr(labels), mend="sorted(…)")
    known = tuple(plain_number(label) for label in islice(labels, MOST_LABELS + 1))
    if len(known) > MOST_LABELS:
        raise NetError(what="too many labels", expected=f"at most {MOST_LABELS:,}", got=f"{len(known):,} or more")
    for label in known:
        if type(label) not in PLAIN or label != label:
            raise NetError(what="this cannot be a label", expected="str, int, float or bool", got=described(label))
    if len(known) < least:
        raise NetError(what="too few labels", expected=f"at least {least}", got=f"{len(known)}: {known}")
    if len(index_table(known)) < len(known):
        twice = next(label for i, label in enumerate(known) if (type(label), label) in index_table(known[:i]))
        raise NetError(what="a label stands twice", got=repr(twice))
    return known


def index_table(labels: Sequence[Label]) -> Table:
    """From a label with its exact type to its index."""
    return {(type(label), label): index for index, label in enumerate(labels)}


def shown_labels(labels: tuple[Label, ...]) -> str:
    """Labels as `repr` prints them: as a list, or `range(10)` where that is what they are."""
    if len(labels) > 1 and all(type(label) is int and label == index for index, label in enumerate(labels)):
        return f"range({len(labels)})"
    return repr(list(labels))


def index_of(raw: Any, known: Table, noun: str) -> int:
    """The index of a label; a `DataError` with similar labels if it is not known."""
    label = plain_number(raw)
    try:
        return known[type(label), label]
    except (KeyError, TypeError):
        raise _unknown(label, [text for _, text in known], noun) from None


def distinct(raws: Iterable[Any]) -> tuple[Label, ...]:
    """The different labels in the data, sorted: by the name of the type, then by value."""
    found: set[tuple[type, Label]] = set()
    for row, raw in enumerate(raws.tolist() if is_array(raws) else raws):
        label = plain_number(raw)
        if type(label) not in PLAIN or label != label:
            error = DataError(what="this cannot be a label", expected="str, int, float or bool", got=described(label))
            raise error.within(f"row {row}")
        found.add((type(label), label))
    return tuple(label for _, label in sorted(found, key=lambda pair: (pair[0].__name__, pair[1])))


def _unknown(label: Any, labels: Sequence[Label], noun: str) -> DataError:
    text, kind = (repr(label), type(label).__name__)
    if type(label) not in PLAIN:
        return DataError(what="this is not a label", expected=listed(labels), got=described(label))
    near = [known for known in labels if type(known) is not type(label) and _alike(known, label)]
    mends = [f"the label {known!r} of type {type(known).__name__} is one; this is a {kind}" for known in near]
    if isinstance(label, str) and not near:
        texts = [known for known in labels if isinstance(known, str)]
        same = next((known for known in texts if _alike(known, label)), None)
        exact = f"did you mean {same!r}?" if same is not None else ""
        mends = [exact or did_you_mean(label, texts)]
    return DataError(
        what=f"label {text} is not one of the {len(labels)} {noun}",
        expected=listed(labels),
        got=described(label),
        mend=[mend for mend in mends if mend],
    )


def _alike(known: Label, label: Label) -> bool:
    return known == label or str(known).strip().casefold() == str(label).strip().casefold()


def listed(labels: Sequence[Any]) -> str:
    """Labels for a message; of many, the first and the last."""
    if len(labels) <= MOST_SHOWN:
        return ", ".join(map(repr, labels))
    first = ", ".join(map(repr, labels[: MOST_SHOWN - 2]))
    return f"{first}, …, {labels[-1]!r}"
