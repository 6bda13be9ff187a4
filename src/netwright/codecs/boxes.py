"""Things in pictures, each with its box and its class: the codec of detectors."""

from collections.abc import Iterable, Sequence
from dataclasses import KW_ONLY, replace
from typing import Any, ClassVar, NamedTuple, Self, cast

import numpy as np
import torch
from torch import Tensor

from netwright.codecs import label_table
from netwright.codecs.codec import Answer, by_row
from netwright.codecs.label_table import Label, LabelCodec
from netwright.codecs.numeric import described, is_array, plain_number
from netwright.codecs.pictures.placement import RESIZES, PicturePlacement, Resize, placement
from netwright.codecs.pictures.sizes import check_sizes
from netwright.codecs.pictures.suppression import suppressed
from netwright.codecs.ragged import Ragged
from netwright.codecs.reading import Reading
from netwright.codecs.vary.geometry import PictureMoves
from netwright.errors import DataError, NetError
from netwright.fields import at_least

NUMBERS = 5  # of a candidate before those of its classes: left, top, right, bottom, and whether there is a thing
NOTHING = (0.0, 0.0, 0.0, 0.0, -1.0)  # the last row of encoded targets, so that a picture may have no thing
SLACK = 0.5  # pixels by which a box may reach out of its picture, by rounding
STRIDES = (8,)


class Thing(NamedTuple):
    """One thing in a picture.

    Fields:
        box: left, top, right and bottom, in pixels of the picture from its upper left corner.
        label: its class.
        score: how sure the net is, in 0..1; 1 for a target.

    Example:
        >>> box, label, score = Thing((4, 4, 20, 12), "cat", 0.9)
        >>> label
        'cat'
    """

    box: tuple[float, float, float, float]
    label: Label
    score: float = 1.0


class Things(tuple[Any, ...]):
    """The things in a picture of another size than the net's, as a target: their boxes are in pixels of this picture.

    Fields:
        things: each `(box, label)`, or a `Thing`.
        size: height and width of the picture.

    Raises: DataError for a size that is not two whole numbers above 0.

    Example:
        >>> Things([((40, 40, 200, 120), "cat")], size=(480, 640))
        Things([((40, 40, 200, 120), 'cat')], size=(480, 640))
    """

    size: tuple[int, int]

    def __new__(cls, things: Iterable[Any], size: tuple[int, int]) -> Self:
        found = super().__new__(cls, tuple(things))
        sides = tuple(map(plain_number, size))
        if len(sides) != 2 or not all(type(side) is int and side > 0 for side in sides):
            raise DataError(
                what="the size of a picture is its height and its width in pixels", where="Things", got=repr(size)
            )
        found.size = cast(tuple[int, int], sides)
        return found

    def __repr__(self) -> str:
        return f"Things({list(self)!r}, size={self.size})"

    def __getnewargs__(self) -> tuple[Any, ...]:
        return tuple(self), self.size


class Boxes(LabelCodec):
    """Things in pictures: a box and a class for each on the way in; boxes, classes and scores on the way out.

    A raw value is a list of things, each `(box, label)` with `box = (left, top, right, bottom)`; it may be empty. Boxes
    are in pixels of the picture that the net sees, or with `nw.Things(things, size=(height, width))` of a picture of
    another size, and are moved as `resize` says. Of a crop, things whose middle is cut off are left out. In training
    they move with their picture; a box that is turned becomes the upright box around it.

    The net gives candidates, at each cell of one or more grids: a box in pixels of the picture that it sees, as
    `nw.GridBoxes` makes them, the logit of whether there is a thing, and the logit of each class. The score is the
    product of both probabilities, for the likeliest class. The answer is a list of `nw.Thing`, the surest first, with
    boxes in pixels of the picture that the net was called with: candidates below `least_score` are left out, and then
    those that overlap a surer one of their class (non-maximum suppression).

    Training takes `nw.DetectionLoss`, which says which cell is responsible for which thing.

    Shapes:
        `encode` gives `boxes 5`: left, top, right, bottom and the index of the class; the last row is no thing, with
        −1. `decode` takes `*cells 5+k` numbers for k classes.

    Fields:
        labels: the classes in the order of the net's outputs. By default the sorted classes of the training data.
        height, width: of the picture that the net sees, in pixels; both a name, the default, for any size.
        strides: the pixels between two cells, of each grid in the order in which the net gives them; 8.
        resize: "stretch", "crop" or "letterbox", as that of the net's `nw.Image`.
        least_score: 0.25, to be looked at; for mean average precision, which counts weak boxes too, 0.01.
        overlap: the intersection over union from which a box says the same as another; 0.5.
        most: things of a picture at most; 100.

    Raises:
        NetError: labels that repeat; an option out of range.
        DataError: a box that is none, has no area or is outside of its picture; a class that is not known.

    Example:
        >>> shapes = Boxes(["circle", "square"], 32, 32)
        >>> shapes.encode([((2, 4, 12, 14), "square")])
        tensor([[ 2.,  4., 12., 14.,  1.],
                [ 0.,  0.,  0.,  0., -1.]])
        >>> shapes.decode(torch.tensor([[2.0, 4, 12, 14, 9, -9, 9], [2, 4, 12, 13, 8, -9, 9], [0, 0, 9, 9, -9, 9, 9]]))
        [Thing(box=(2.0, 4.0, 12.0, 14.0), label='square', score=0.999753)]
    """

    least: ClassVar[int] = 1

    height: int | str = "h"
    width: int | str = "w"
    _: KW_ONLY
    strides: int | Sequence[int] = STRIDES
    resize: Resize = "stretch"
    least_score: float = 0.25
    overlap: float = 0.5
    most: int = 100

    def __post_init__(self) -> None:
        super().__post_init__()
        check_sizes(self.height, self.width, "Boxes")
        strides = (self.strides,) if isinstance(self.strides, int) else tuple(self.strides)
        for stride in strides:
            at_least(1, stride, "the stride of a grid in pixels", "Boxes")
        object.__setattr__(self, "strides", strides)
        if self.resize not in RESIZES:
            expected = " or ".join(map(repr, RESIZES))
            raise NetError(what="unknown resize", where="Boxes", expected=expected, got=repr(self.resize))
        for name in ("least_score", "overlap"):
            if not 0 <= getattr(self, name) <= 1:
                raise NetError(what=f"{name} is in 0..1", where="Boxes", got=repr(getattr(self, name)))
        at_least(1, self.most, "the most things in a picture", "Boxes")

    @property
    def answer(self) -> Answer:
        return "boxes"

    @property
    def about_places(self) -> bool:
        return True

    @property
    def encoded(self) -> str:
        return f"boxes {NUMBERS}"

    @property
    def decoded(self) -> str:
        return f"*cells {'?' if not self.fitted else NUMBERS + len(self._labels)}"

    def encode(self, raw: Any) -> Tensor:
        things = _things(raw)
        size = raw.size if isinstance(raw, Things) else self._size
        found = torch.tensor([*self._rows(things, size), NOTHING], dtype=torch.float32, device="cpu")
        if not isinstance(raw, Things) or self._size is None:
            return found
        place = placement(raw.size, self._size, self.resize)
        moved = torch.cat([place.encoded(found[:-1, :4]), found[:-1, 4:]], 1)  # (n, 5)
        return torch.cat([self._within(moved), found[-1:]])  # (m + 1, 5)

    def encode_all(self, raws: Sequence[Any]) -> Tensor | Ragged:
        return Ragged.of(self._encode_rows(raws), 1).compact()

    def read(self, output: Tensor, reading: Reading) -> list[Thing]:
        self._check_decision(reading)
        rows = output.reshape(-1, output.shape[-1]).float()  # (*cells, 5 + k) -> (n, 5 + k)
        chances, labels = rows[:, NUMBERS:].sigmoid().max(1)  # (n, k) -> (n,)
        scores = rows[:, NUMBERS - 1].sigmoid() * chances  # (n,)
        boxes = rows[:, :4]
        if self._size is not None:
            boxes = _cut(boxes, self._size)
        solid = (boxes[:, 2:] > boxes[:, :2]).all(1) & boxes.isfinite().all(1)
        kept = ((scores >= self.least_score) & solid).nonzero().squeeze(1)
        kept = kept[suppressed(boxes[kept], scores[kept], labels[kept], self.overlap, self.most)]
        found = zip(boxes[kept].tolist(), labels[kept].tolist(), scores[kept].tolist(), strict=True)
        return [Thing(tuple(box), self._labels[label], _rounded(score)) for box, label, score in found]

    def moved(self, prepared: Tensor, moves: PictureMoves) -> Tensor:
        boxes, label = moves.boxes(prepared[..., :4]), prepared[..., 4:]  # (b, n, 4), (b, n, 1)
        middle = (boxes[..., :2] + boxes[..., 2:]) / 2  # (b, n, 2)
        ends = boxes.new_tensor((moves.size.width, moves.size.height) * 2)
        seen = ((middle >= 0) & (middle <= ends[:2])).all(-1, keepdim=True)  # (b, n, 1)
        boxes = torch.minimum(boxes.clamp_min(0), ends)  # (b, n, 4)
        return torch.cat([boxes, torch.where(seen, label, NOTHING[-1])], -1)  # (b, n, 5)

    def expect_place(self, raw: Any, place: Any) -> None:
        if not isinstance(place, PicturePlacement):
            return
        said = raw.size if isinstance(raw, Things) else self._size or place.given
        if said != place.given:
            height, width = place.given
            own = f"boxes in one that is {said[1]} wide, {said[0]} high"
            raise DataError(
                what="the boxes are in pixels of a picture of another size than theirs",
                expected=f"boxes in a picture that is {width} wide and {height} high",
                got=f"size={said}" if isinstance(raw, Things) else own,
                mend=f"nw.Things(things, size=({height}, {width})), if they are in pixels of the picture that is given",
            )

    def on_input(self, answer: Any, place: Any) -> list[Thing]:
        things = cast(list[Thing], answer)
        if not things or not isinstance(place, PicturePlacement) or place.kept:
            return things
        boxes = place.original(torch.tensor([thing.box for thing in things], dtype=torch.float64, device="cpu"))
        solid = (boxes[:, 2:] > boxes[:, :2]).all(1).tolist()
        moved = zip(things, boxes.tolist(), solid, strict=True)
        return [Thing(tuple(box), thing.label, thing.score) for thing, box, real in moved if real]

    def takes(self, raw: Any) -> bool:
        return isinstance(raw, list | tuple) and all(_is_thing(thing) for thing in cast(Sequence[Any], raw))

    def fit(self, raws: Sequence[Any]) -> Self:
        if self.fitted:
            return self
        found: set[tuple[type, Label]] = set()
        for labels in by_row(raws, lambda raw: label_table.distinct(thing[1] for thing in _things(raw))):
            found.update((type(label), label) for label in labels)
        if not found:
            raise DataError(what="there is not one thing in the training data", mend="give the labels: Boxes([…])")
        return replace(self, labels=label_table.distinct(label for _, label in found))

    @property
    def _varying(self) -> int:
        return 1

    @property
    def _size(self) -> tuple[int, int] | None:
        """Height and width of the picture that the net sees; None for any."""
        if isinstance(self.height, str) or isinstance(self.width, str):
            return None
        return self.height, self.width

    def _rows(self, things: Sequence[Any], size: tuple[int, int] | None) -> list[tuple[float, ...]]:
        """Box and class of each thing, checked; `size` is that of the picture."""
        rows: list[tuple[float, ...]] = []
        for place, thing in enumerate(things):
            try:
                box = _box(thing[0], size)
                rows.append((*box, float(label_table.index_of(thing[1], self._table, "classes"))))
            except DataError as error:
                raise error.within(f"thing {place}") from None
        return rows

    def _within(self, rows: Tensor) -> Tensor:
        """Rows (n, 5) cut at the edges of the picture, those alone whose middle is in it."""
        assert self._size is not None
        middle = (rows[:, :2] + rows[:, 2:4]) / 2  # (n, 2)
        ends = rows.new_tensor(self._size[::-1])
        inside = ((middle >= 0) & (middle <= ends)).all(1)
        rows = rows[inside]
        return torch.cat([_cut(rows[:, :4], self._size), rows[:, 4:]], 1)


def _things(raw: Any) -> Sequence[Any]:
    """The things of one picture, checked."""
    if not isinstance(raw, list | tuple):
        raise DataError(
            what="the things in a picture come as a list",
            expected="[(box, label), …]",
            got=described(raw),
        )
    things = cast(Sequence[Any], raw)
    for place, thing in enumerate(things):
        if not _is_thing(thing):
            raise DataError(
                what="this is not a thing with its box",
                where=f"thing {place}",
                expected="(box, label), with box = (left, top, right, bottom)",
                got=described(thing),
            )
    return things


def _is_thing(raw: Any) -> bool:
    """Whether it is a box with a label, and perhaps a score."""
    if not isinstance(raw, list | tuple):
        return False
    parts = cast(Sequence[Any], raw)
    return len(parts) in (2, 3) and (is_array(parts[0]) or _is_row(parts[0]))


def _is_row(raw: Any) -> bool:
    """Whether it is a row of single values, as a box is; a thing is none."""
    return isinstance(raw, list | tuple) and not any(isinstance(one, list | tuple) for one in cast(Sequence[Any], raw))


def _box(raw: Any, size: tuple[int, int] | None) -> tuple[float, ...]:
    """Left, top, right and bottom, checked; `size` is that of the picture."""
    corners = np.asarray(raw)
    if corners.shape != (4,) or corners.dtype.kind not in "iuf" or not np.isfinite(corners).all():
        raise DataError(
            what="a box is four numbers", expected="(left, top, right, bottom) in pixels", got=described(raw)
        )
    left, top, right, bottom = found = tuple(map(float, corners))
    shown = f"({', '.join(f'{side:g}' for side in found)})"
    if not (left < right and top < bottom):
        raise DataError(
            what="the box has no area",
            expected="(left, top, right, bottom), with left < right and top < bottom",
            got=shown,
            mend="leave it out" if (left, top) <= (right, bottom) else "",
        )
    if size is None:
        return found
    height, width = size
    if left < -SLACK or top < -SLACK or right > width + SLACK or bottom > height + SLACK:
        raise DataError(
            what="the box is outside of its picture",
            expected=f"a box in a picture that is {width} wide and {height} high",
            got=shown,
            mend=(
                "cut it at the edges of the picture, or leave it out",
                "nw.Things(things, size=(height, width)), if the picture has another size than the net's",
            ),
        )
    return max(left, 0.0), max(top, 0.0), min(right, float(width)), min(bottom, float(height))


def _cut(boxes: Tensor, size: tuple[int, int]) -> Tensor:
    """Boxes (n, 4), cut at the edges of a picture."""
    height, width = size
    return torch.stack([side.clamp(0, end) for side, end in zip(boxes.unbind(1), (width, height) * 2, strict=True)], 1)


def _rounded(score: float) -> float:
    """A score to six digits, so that it reads well."""
    return float(f"{score:.6g}")
