"""What a codec is: the contract between raw values and the tensors of a net's port."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence, Sized
from dataclasses import MISSING, fields
from typing import Any, Literal, Self, TypeAlias, TypeVar, cast

import torch
from torch import Tensor

from netwright.codecs.numeric import arrayed, is_array, rows_of_numbers, size_of
from netwright.codecs.pieces import pieces
from netwright.codecs.ragged import Ragged
from netwright.codecs.reading import Decision, Raw, Reading
from netwright.codecs.vary.variation import Draw
from netwright.errors import DataError, MissingArraysError, SizeError, shortened
from netwright.fields import checked
from netwright.sizes.free import FREE
from netwright.sizes.notation import UNKNOWN, Axis, AxisRun, Port, port
from netwright.value import Value, literal

DECISION = Decision()
T = TypeVar("T")
Answer: TypeAlias = Literal["class", "yes or no", "labels", "numbers", "elements", "boxes", "transcript"]
CODECS: dict[str, type["Codec"]] = {}  # the table of codecs: name to class, for files
LONGEST = 80  # characters of a codec that a message shows: a vocabulary may have thousands of words
TOGETHER = 8192  # numbers in lists that become one array: other threads wait meanwhile
MOST = 1000  # characters of a field that are printed in full; of a longer one the beginning is printed


class Codec(Value, ABC):
    """Turns raw values into tensors on the way in, and a net's output into raw values on the way out.

    A codec is a frozen value: its fields are plain (numbers, texts, tuples, other codecs), so it compares, prints
    itself so that `eval` gives it back, and is written into a net's file as its name and fields. What it learns
    from data (labels, a mean, a vocabulary) is such a field too, `FREE` until `fit` returns a codec that has it.

    A subclass declares its fields like a dataclass (one that names `ABC` among its bases is an interface itself: it
    stands in no file) and says

    - `encoded`, the sizes that `encode` gives, in the notation of ports: `"28 28 1"`, `"<10>"` for an index below
      ten, `"?"` for a size that is not known yet;
    - `decoded`, the sizes that `decode` takes: `"10"` for ten probabilities;
    - `encode`, one raw value to one tensor, in the form stored in memory (bytes stay bytes); `encode_all`, many of
      them to one tensor, or to a `Ragged` if their lengths differ and `encoded` names that size;
    - `prepare`, a batch of stored tensors to what the net sees (bytes become floats); `varied`, how it varies in
      training before that, and `variation`, the same in words;
    - `read`, one tensor to one raw value, in the form that a `Reading` asks for; `decode` calls it;
    - `answer`, one word for what the output is, so that a net which it decodes can be trained without a loss of one's
      own, and measured; `names`, what its classes are called, where they are not numbers;
    - of inputs with places in them, such as pictures: `has_places`, `place_of`, where a raw value lies in its encoded
      form, and `moves`, where `varied` has moved it. A decoder that is `about_places` says in `on_input` and `moved`
      what follows for them.
    """

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        cls.__init__ = checked(cls.__init__)
        if ABC not in cls.__bases__:
            CODECS[cls.__name__] = cls

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Codec):
            return NotImplemented
        return self is other or (type(self) is type(other) and self._exact() == other._exact())

    def __hash__(self) -> int:
        return hash((type(self), self._exact()))

    def __repr__(self) -> str:
        return self.code(MOST)

    def code(self, most: int | None = None) -> str:
        """The expression that makes the codec; a field longer than `most` characters is cut."""
        shown: list[str] = []
        positional = True  # until a default is left out, or the fields are keyword-only
        for field in sorted(fields(cast(Any, self)), key=lambda field: field.kw_only is True):
            value = getattr(self, field.name)
            if field.default is not MISSING and _exact(value) == _exact(field.default):
                positional = False
                continue
            positional = positional and not field.kw_only
            text = value.code(most) if isinstance(value, Codec) else self._shown(value)
            if most is not None and len(text) > most and isinstance(value, Sized):
                text = f"{text[:LONGEST].rpartition(',')[0] or text[:LONGEST]}, … {len(value):,} in all{text[-1]}"
            shown.append(text if positional else f"{field.name}={text}")
        return f"{type(self).__name__}({', '.join(shown)})"

    @property
    def scale(self) -> tuple[Any, Any] | None:
        """The mean and the deviation by which arrays are standardized; None if they are not."""
        return None

    @property
    def answer(self) -> Answer | None:
        """What the decoded output is, in one word: loss, validation and metrics follow from it.

        - `"class"`: k probabilities that add up to 1, where `encode` gives an index `<k>`, one or one at each position.
        - `"yes or no"`: one probability, where `encode` gives 0 or 1.
        - `"labels"`: k probabilities that stand alone, where `encode` gives k zeros and ones.
        - `"numbers"`: any numbers, where `encode` gives as many; `read` gives them in their own unit.
        - `"boxes"`: candidates of a detector, where `encode` gives a box and an index for each thing.
        - `"elements"`: as a class at each position, of sequences that are measured by their elements.
        - `"transcript"`: k probabilities at each of n positions, the last for nothing, where `encode` gives t indices
          below k − 1; which position each belongs to is not known.

        None, the default: neither a loss nor metrics follow from it.
        """
        return None

    @property
    def partial(self) -> bool:
        """Whether an encoded class may be −1, not known: such a position counts neither in the loss nor in figures."""
        return False

    @property
    def names(self) -> tuple[Any, ...]:
        """The names of the k classes, labels or elements of the answer, in the order of the output."""
        last = port(self.decoded).axes[-1]
        return tuple(range(last.times if isinstance(last, Axis) and not last.name else 0))

    @property
    @abstractmethod
    def encoded(self) -> str:
        """The sizes of an encoded example, in the notation of ports."""

    @property
    @abstractmethod
    def decoded(self) -> str:
        """The sizes of the output that can be decoded, in the notation of ports."""

    @abstractmethod
    def encode(self, raw: Any) -> Tensor:
        """One raw value in its stored form; raises `DataError` for a value that does not fit."""

    @abstractmethod
    def read(self, output: Tensor, reading: Reading) -> Any:
        """The result of `decode` for an output without NaN and any reading but `Raw`."""

    def decode(self, output: Tensor, reading: Reading = DECISION) -> Any:
        """One output of the net, without a batch axis, decoded as the reading asks."""
        if isinstance(reading, Raw):
            return output
        if not fits(tuple(output.shape), port(self.decoded)):
            raise SizeError(
                what="the output does not have the sizes that the decoder takes",
                expected=f"({self.decoded})  {shortened(repr(self), LONGEST)}",
                got=f"{tuple(output.shape)}",
            )
        output = output.detach().cpu()
        if output.isnan().any():
            raise DataError(
                what="the output holds NaN: there is nothing to decode",
                got=f"{int(output.isnan().sum())} of {output.numel()} values are NaN",
                mend="look at the array itself: give nw.raw as the reading",
            )
        return self.read(output, reading)

    @property
    def has_places(self) -> bool:
        """Whether raw values have places in them, such as the pixels of a picture: then `place_of` is asked."""
        return False

    @property
    def about_places(self) -> bool:
        """Whether raw values are about places in an input, such as boxes: then `on_input` is asked, in training too."""
        return False

    def place_of(self, raw: Any) -> Any:
        """Where a raw value lies in its encoded form, such as a picture that is resized; None for other values."""
        del raw
        return None

    def expect_place(self, raw: Any, place: Any) -> None:
        """Raise `DataError` for a target of places that does not belong to an input that lies so; training asks it.

        A place of another kind than the decoder knows, such as those of several pictures, is none for it.
        """

    def on_input(self, answer: Any, place: Any) -> Any:
        """An answer about places in the encoded input, such as boxes, as one about the raw input, by its place."""
        del place
        return answer

    def takes(self, raw: Any) -> bool:
        """Whether this is one raw value and not a nesting of several; `Each` uses it to find its depth."""
        return not isinstance(raw, list | tuple) and getattr(raw, "ndim", 0) == 0

    def several(self, raw: Any) -> Iterable[Any] | None:
        """The raw values in one that holds several, such as the file of a film, read only when they are asked for.

        `Each` uses it. None, the default, for a raw value that is one.
        """
        del raw
        return None

    def collected(self, raw: Any) -> Any:
        """What a net or a column was given, as this codec reads it: what numpy can convert, as an array."""
        return arrayed(raw)

    def encode_all(self, raws: Sequence[Any]) -> Tensor | Ragged:
        """Many raw values as one tensor with a batch axis, a `Ragged` if lengths differ; an error names the row."""
        rows = self._encode_rows(raws)
        if all(row.shape == rows[0].shape for row in rows):
            return torch.stack(rows)
        return Ragged.of(rows, self._varying).compact()

    def prepare(self, stored: Tensor) -> Tensor:
        """A batch of stored tensors as the net sees it."""
        return stored

    @property
    def variation(self) -> str:
        """How `varied` changes examples, in words; empty where it does not."""
        return ""

    def varied(self, stored: Tensor, draw: Draw) -> Tensor:
        """A batch of stored tensors as one step of training sees it, before it is prepared.

        All random numbers come from `draw`, by a name each, so that an example varies alike in every batch.
        """
        return stored

    def moves(self, count: int, draw: Draw) -> Any:
        """Where `varied` has moved what each of `count` examples shows, for targets of places; None where nowhere."""
        del count, draw
        return None

    def moved(self, prepared: Tensor, moves: Any) -> Tensor:
        """A batch of targets of places in an input, such as boxes, after the moves of the input in training."""
        del moves
        return prepared

    def truncated(self, raws: Sequence[Any]) -> int:
        """How many of the raw values are cut off when they are encoded."""
        return 0

    def converted(self, raws: Sequence[Any]) -> str:
        """Which of the raw values come in another form than the codec's and are converted, in words; empty for none."""
        return ""

    def for_classes(self, count: int) -> "Codec | None":
        """This codec for so many classes, which have numbers for names; None where it has no classes."""
        return None

    @property
    def fitted(self) -> bool:
        """Whether no field is `FREE` any more."""
        return all(getattr(self, field.name) is not FREE for field in fields(cast(Any, self)))

    def fit(self, raws: Sequence[Any]) -> Self:
        """This codec with its `FREE` fields learned from the raw values."""
        return self

    def _encoded_pieces(self, raws: Sequence[Any]) -> Iterator[Any]:
        """The raw values encoded a piece at a time, so that a column of any length is never encoded whole."""
        for first, piece in pieces(raws):
            try:
                yield self.encode_all(piece)
            except DataError:
                self._encode_rows(piece, first)  # raises it again, with the row's number in the column
                raise

    @property
    def _varying(self) -> int:
        """How many leading axes may differ between examples."""
        return 0

    def _encode_rows(self, raws: Sequence[Any], first: int = 0) -> list[Tensor]:
        """Each raw value encoded by itself; `first` is the number of the first row, for errors."""
        rows = [*by_row(raws, self.encode, first)]
        if not rows:
            raise DataError(what="there are no examples")
        _check_shapes(rows, self._varying, first)
        return rows

    def _known(self, name: str) -> Any:
        """The value of a field; an error if it is not learned yet."""
        value = getattr(self, name)
        if value is FREE:
            raise MissingArraysError(
                what=f"this {type(self).__name__} has no {name} yet",
                expected=f"{name} given, or learned from data",
                got=repr(self),
                mend=("train the net: nw.train learns it from the training data", f"give {name}="),
            )
        return value

    def _check_decision(self, reading: Reading) -> None:
        """Raise an error for readings of a distribution, in a codec whose output is a value."""
        if not isinstance(reading, Decision):
            raise DataError(
                what=f"{type(self).__name__} gives a value, not a distribution over labels",
                expected="no reading, or nw.raw for the array itself",
                got=repr(reading),
                mend="leave the reading out",
            )

    def _shown(self, value: Any) -> str:
        """A field's value as Python writes it."""
        return literal(value)

    def _exact(self) -> tuple[Any, ...]:
        return tuple(_exact(getattr(self, field.name)) for field in fields(cast(Any, self)))


def by_row(raws: Iterable[Any], made: Callable[[Any], T], first: int = 0) -> Iterator[T]:
    """What a function makes of each raw value; a `DataError` names the row; rows count from `first`."""
    for row, raw in enumerate(raws, first):
        try:
            value = made(raw)
        except DataError as error:
            raise error.within(f"row {row}") from None
        yield value


def encoded_together(raws: Sequence[Any], encode: Callable[[Any], Tensor]) -> Tensor | None:
    """What a function makes of arrays of many examples, as one tensor.

    Returns: None where examples are encoded one by one: where they do not make an array of numbers, and where one of
    them does not fit, so that the error names it.
    """
    whole = is_array(raws)
    if (whole and not raws.ndim) or not len(raws):
        return None
    parts: list[Tensor] = []
    try:
        step = len(raws) if whole else max(TOGETHER // max(size_of(raws[0]), 1), 1)
        for start in range(0, len(raws), step):
            rows = rows_of_numbers(raws if step >= len(raws) else raws[start : start + step])
            if rows is None:
                return None
            parts.append(encode(rows))
    except DataError:
        return None
    if len({part.shape[1:] for part in parts}) > 1:
        return None
    return parts[0] if len(parts) == 1 else torch.cat(parts)


def prepared_on(device: torch.device, codec: Codec, stored: Tensor) -> Tensor:
    """A stored batch as the net sees it, on a device; doubles are prepared first, since not every device has them."""
    if stored.dtype == torch.float64:
        return codec.prepare(stored).to(device, non_blocking=True)
    return codec.prepare(stored.to(device, non_blocking=True))


def fits(shape: tuple[int, ...], sizes: Port) -> bool:
    """Whether an array of this shape can stand at a port; a name is any number, the same wherever it stands."""
    axes = [axis for axis in sizes.axes if isinstance(axis, Axis)]
    over = len(shape) - len(axes)  # how many axes a run takes
    if len(axes) < len(sizes.axes) and over >= 0:
        run = next(place for place, axis in enumerate(sizes.axes) if isinstance(axis, AxisRun))
        shape = shape[:run] + shape[run + over :]
    if len(shape) != len(axes):
        return False
    names: dict[str, int] = {}
    for size, axis in zip(shape, axes, strict=True):
        if axis.name == UNKNOWN:
            continue
        unit = names.setdefault(axis.name, size // axis.times) if axis.name else 1
        if size != axis.times * unit:
            return False
    return True


def _exact(value: Any) -> Any:
    """A key that differs for 1, 1.0 and True, as labels do, and as the code of a codec does, which names it."""
    if isinstance(value, tuple):
        return tuple(_exact(item) for item in cast(tuple[Any, ...], value))
    if isinstance(value, Value) and not isinstance(value, Codec):
        return (type(value), *(_exact(getattr(value, field.name)) for field in fields(cast(Any, value))))
    return (type(value), value)


def _check_shapes(rows: Sequence[Tensor], varying: int, first: int) -> None:
    """Raise an error if examples differ in more than their first `varying` axes."""
    for row, tensor in enumerate(rows, first):
        if tensor.ndim != rows[0].ndim or tensor.shape[varying:] != rows[0].shape[varying:]:
            raise DataError(
                what="this example has another size than the first one",
                where=f"row {row}",
                expected=f"{tuple(rows[0].shape)}",
                got=f"{tuple(tensor.shape)}",
            )
