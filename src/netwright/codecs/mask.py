"""Masks of pictures: a class for every pixel, from pictures or arrays of class numbers, and back at any size."""

from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, replace
from functools import cached_property
from typing import Any, ClassVar, Self, cast

import numpy as np
import torch
from torch import Tensor

from netwright.codecs import label_table
from netwright.codecs.codec import Answer, by_row
from netwright.codecs.label_table import Label, LabelCodec
from netwright.codecs.numeric import described, is_array
from netwright.codecs.pictures.pillow import check_memory, is_picture, pillow, read_picture, turn_of
from netwright.codecs.pictures.placement import (
    RESIZES,
    PicturePlacement,
    Resize,
    bordered,
    placement,
    resized_image,
    spread_out,
)
from netwright.codecs.pictures.sizes import check_sizes, fitting_size
from netwright.codecs.reading import Decision, Probabilities, Reading
from netwright.codecs.vary.geometry import PictureMoves
from netwright.errors import DataError, NetError

UNKNOWN = -1  # the index of a pixel whose class is not known, so that it does not count
SLACK = 0.01  # how much rounding to bfloat16 may change a sum of probabilities
Numbers = np.ndarray[Any, Any]


class Mask(LabelCodec):
    """A class for every pixel: an index on the way in, a probability of each class on the way out.

    It takes an array (height, width) of class numbers, of labels, or of True and False for two classes; a picture whose
    pixels are class numbers: one with a palette, such as an indexed PNG, or a gray one; or a mapping from labels to
    masks of True and False, where pixels in none of them have the one label that is not in the mapping. Class numbers
    are the labels themselves where these are integers; otherwise they count the labels from 0.

    A mask of another size than the net's is resized as its picture is, if both say the same `resize`, by the nearest
    pixel. In training it moves with its picture; what comes in from outside does not count, or has the first class
    where all pixels count. The decision is an array of class numbers in the size of the picture that the net was called
    with. Pixels that a crop has cut off have the first class. `nw.probabilities` gives an array for each label.

    Shapes:
        `encode` gives `height width <k>`, an index below the number of labels, and −1 where pixels do not count.
        `decode` takes `height width k` probabilities.

    Fields:
        labels: the classes in the order of the net's outputs, at least two. By default the sorted class numbers, or
            labels, of the training data.
        height, width: in pixels; or both a name, the default: masks of any size, as they are.
        resize: "stretch", "crop" or "letterbox", as that of the net's `nw.Image`. The border of a letterbox does not
            count in the loss, nor in measurements.
        ignored: the class number or label of pixels that do not count, such as 255; None, all count.

    Raises:
        NetError: labels that repeat or are fewer than two; an option out of range.
        DataError: a class that is not known, with its pixel; a mask that is none; masks of several classes that
            overlap.

    Example:
        >>> cells = Mask(["background", "cell"])
        >>> cells.encode(np.array([[0, 1], [1, 1]])).tolist()
        [[0, 1], [1, 1]]
        >>> cells.encode({"cell": np.array([[True, False]])}).tolist()
        [[1, 0]]
        >>> cells.decode(torch.tensor([[[0.9, 0.1], [0.2, 0.8]]]))
        array([[0, 1]], dtype=uint8)
    """

    least: ClassVar[int] = 2

    height: int | str = "h"
    width: int | str = "w"
    _: KW_ONLY
    resize: Resize = "stretch"
    ignored: Label | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        check_sizes(self.height, self.width, "Mask")
        if self.resize not in RESIZES:
            expected = " or ".join(map(repr, RESIZES))
            raise NetError(what="unknown resize", where="Mask", expected=expected, got=repr(self.resize))
        if self.fitted and self.ignored is not None and self.ignored in self._labels:
            raise NetError(
                what="a class that is ignored is no label",
                where="Mask",
                got=repr(self.ignored),
                mend=f"leave {self.ignored!r} out of the labels, or ignored=… out",
            )

    @property
    def answer(self) -> Answer:
        return "class"

    @property
    def partial(self) -> bool:
        return self.ignored is not None or (self.resize == "letterbox" and not isinstance(self.height, str))

    @property
    def about_places(self) -> bool:
        return True

    @property
    def encoded(self) -> str:
        count = super().decoded
        return f"{self.height} {self.width} <{count}>"

    @property
    def decoded(self) -> str:
        return f"{self.height} {self.width} {super().decoded}"

    def encode(self, raw: Any) -> Tensor:
        index = self._index(raw)  # (h, w)
        if not index.numel():
            raise DataError(what="the mask has no pixels", got=f"{tuple(index.shape)}")
        size = (int(index.shape[0]), int(index.shape[1]))
        place = placement(size, fitting_size(size, self.height, self.width), self.resize)
        if place.kept:
            return index
        image = pillow("resizing a mask").fromarray(index.to(torch.int32).numpy())
        piece = torch.from_numpy(np.array(resized_image(image, place, "nearest", lying=False), np.int16))
        return bordered(piece, place, UNKNOWN)

    def prepare(self, stored: Tensor) -> Tensor:
        return stored.long()

    def read(self, output: Tensor, reading: Reading) -> Any:
        if isinstance(reading, Decision):
            return self._numbers_of_labels[output.argmax(-1).numpy()]  # (h, w, k) -> (h, w)
        if isinstance(reading, Probabilities):
            _check_distributions(output)
            return {label: output[..., place].numpy() for place, label in enumerate(self._labels)}
        raise DataError(
            what="a mask is read as its classes or as their probabilities",
            expected="no reading, nw.probabilities, or nw.raw for the array itself",
            got=repr(reading),
        )

    def moved(self, prepared: Tensor, moves: PictureMoves) -> Tensor:
        return moves.classes(prepared, UNKNOWN if self.partial else 0)  # (b, h, w)

    def expect_place(self, raw: Any, place: Any) -> None:
        size = tuple(self._index(raw).shape)
        if isinstance(place, PicturePlacement) and size != place.given:
            raise DataError(
                what="the mask has another size than its picture",
                expected=f"{place.given[0]} x {place.given[1]}, height by width",
                got=f"{size[0]} x {size[1]}",
            )

    def on_input(self, answer: Any, place: Any) -> Any:
        if not isinstance(place, PicturePlacement) or place.kept:
            return answer
        if isinstance(answer, Mapping):
            each = cast(Mapping[Label, Numbers], answer)
            return {label: spread_out(map_, place, float(label == self._labels[0])) for label, map_ in each.items()}
        return spread_out(answer, place, self._numbers_of_labels[0])

    def takes(self, raw: Any) -> bool:
        if is_array(raw):
            return raw.ndim == 2
        return not isinstance(raw, list | tuple)

    def fit(self, raws: Sequence[Any]) -> Self:
        if self.fitted:
            return self
        found: set[tuple[type, Label]] = set()
        for labels in by_row(raws, _different):
            found.update((type(label), label) for label in labels if label != self.ignored)
        if len(found) < 2:
            raise DataError(
                what="masks need at least two different classes in the training data",
                got=f"only {next(iter(found))[1]!r}" if found else "no masks",
                mend="give the labels: Mask([…])",
            )
        return replace(self, labels=label_table.distinct(label for _, label in found))

    @property
    def _varying(self) -> int:
        return 2 if isinstance(self.height, str) else 0

    @cached_property
    def _by_number(self) -> dict[int, int]:
        """From a class number in a mask to the index; −1 for what is ignored."""
        own = all(type(label) is int for label in self._labels)
        known = {cast(int, label): index for index, label in enumerate(self._labels)} if own else None
        known = known or {index: index for index in range(len(self._labels))}
        return known | ({self.ignored: UNKNOWN} if type(self.ignored) is int else {})

    @cached_property
    def _numbers_of_labels(self) -> Numbers:
        """The class number of each label, as a decoded mask has them."""
        numbers = [number for number, index in self._by_number.items() if index != UNKNOWN]
        if self._labels == (False, True):
            return np.array([False, True])
        return np.array(numbers, np.result_type(*(np.min_scalar_type(number) for number in numbers)))

    def _index(self, raw: Any) -> Tensor:
        """The index of each pixel (h, w), int16."""
        if isinstance(raw, Mapping):
            return self._of_masks(cast(Mapping[Any, Any], raw))
        values = _values(raw)
        if values.dtype.kind not in "biu":
            return self._looked_up(values, self._of_label)
        return self._looked_up(values.astype(np.int64), self._of_number)

    def _looked_up(self, values: Numbers, index_of: Any) -> Tensor:
        different, inverse = np.unique(values, return_inverse=True)
        found = np.empty(len(different), np.int16)
        for place, value in enumerate(different.tolist()):
            try:
                found[place] = index_of(value)
            except DataError as error:
                y, x = (int(at[0]) for at in np.nonzero(values == different[place]))
                raise error.within(f"pixel ({y}, {x})") from None
        return torch.from_numpy(found[inverse].reshape(values.shape))

    def _of_label(self, label: Any) -> int:
        return UNKNOWN if label == self.ignored else label_table.index_of(label, self._table, "classes")

    def _of_number(self, number: int) -> int:
        if number not in self._by_number:
            count, known = len(self._labels), sorted(n for n, index in self._by_number.items() if index != UNKNOWN)
            shown = f"0 to {count - 1}" if known == [*range(count)] else label_table.listed(known)
            raise DataError(
                what=f"the class number {number} is not one of the {count} classes",
                expected=shown,
                got=f"{number}",
                mend=(f"ignored={number}, if these pixels do not count", f"a label for it: Mask([…, {number}])"),
            )
        return self._by_number[number]

    def _of_masks(self, masks: Mapping[Any, Any]) -> Tensor:
        """From a mask of True and False for each label."""
        parts = {self._of_label(label): _yes_or_no(label, mask) for label, mask in masks.items()}
        sizes = {part.shape: None for part in parts.values()}
        if len(sizes) != 1:
            raise DataError(
                what="the masks of the classes have different sizes" if sizes else "there is no mask",
                expected="one mask of True and False for each class, all of one size",
                got=" and ".join(map(str, sizes)) or "an empty mapping",
            )
        covered = np.sum(list(parts.values()), axis=0)
        rest = [index for index in range(len(self._labels)) if index not in parts]
        wrong = covered > 1 if len(rest) == 1 else covered != 1
        if wrong.any():
            y, x = (int(at[0]) for at in np.nonzero(wrong))
            raise DataError(
                what=f"a pixel is in {int(covered[y, x])} of the masks",
                where=f"pixel ({y}, {x})",
                expected="each pixel in one mask"
                + ("" if len(rest) != 1 else f", or in none: then it is {self._labels[rest[0]]!r}"),
                got=f"masks of {label_table.listed(list(masks))}",
            )
        found = np.full(covered.shape, rest[0] if len(rest) == 1 else UNKNOWN, np.int16)
        for index, part in parts.items():
            found[part] = index
        return torch.from_numpy(found)


def _values(raw: Any) -> Numbers:
    """The class numbers or labels of a mask, (h, w)."""
    if is_picture(raw):
        return read_picture(raw, _of_picture)
    if not (is_array(raw) or isinstance(raw, list | tuple)):
        raise DataError(
            what="this is not a mask",
            expected="an array of class numbers, a picture of them, or a mapping from labels to masks",
            got=described(raw),
        )
    values = np.asarray(raw)
    values = values[..., 0] if values.ndim == 3 and values.shape[2] == 1 else values
    if values.ndim != 2:
        raise DataError(what="a mask has a height and a width", expected="(height, width)", got=f"{values.shape}")
    if values.dtype.kind == "f":
        raise DataError(
            what="class numbers are integers",
            got=described(values),
            mend="mask.astype(int), if they are whole; mask > 0.5, for True and False",
        )
    return values


def _of_picture(picture: Any, size: int) -> Numbers:
    if picture.mode not in ("P", "L", "1", "I", "I;16", "I;16B", "I;16L"):
        raise DataError(
            what="the pixels of this picture are colours, not class numbers",
            expected="a picture with a palette, or a gray one whose values are class numbers",
            got=f"the colours {picture.mode!r} of PIL",
            mend="make an array of class numbers from the colours",
        )
    if size:
        check_memory(picture, "P", size)
    turn = turn_of(picture)
    return np.array(picture if turn is None else picture.transpose(turn))


def _different(raw: Any) -> list[Label]:
    """The different class numbers or labels of a mask."""
    if isinstance(raw, Mapping):
        raise DataError(
            what="the labels do not follow from masks of single classes",
            got=label_table.listed([*cast(Mapping[Any, Any], raw)]),
            mend="give the labels: Mask([…])",
        )
    return list(np.unique(_values(raw)).tolist())


def _yes_or_no(label: Any, mask: Any) -> Numbers:
    """The mask of one class as True and False."""
    values = np.asarray(mask)
    if values.ndim != 2 or values.dtype.kind not in "biu" or (values.dtype.kind != "b" and values.max(initial=0) > 1):
        raise DataError(
            what=f"the mask of {label!r} is not one of True and False",
            expected="an array (height, width) of True and False",
            got=described(mask),
        )
    return values.astype(bool)


def _check_distributions(output: Tensor) -> None:
    total = output.double().sum(-1)
    if bool((output < 0).any()) or bool(((total - 1).abs() > SLACK).any()):
        raise DataError(
            what="the output is not a distribution over the classes at each pixel",
            expected="values of 0 or more that sum to 1",
            got=f"values in {float(output.min()):g}..{float(output.max()):g} that sum to {float(total.max()):g}",
            mend="end the net with nw.softmax",
        )
