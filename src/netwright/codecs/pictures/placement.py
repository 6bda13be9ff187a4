"""Where a picture lies in the encoded picture: stretched, with its edges cut off, or with a border around it."""

from typing import Any, Literal, TypeAlias

import numpy as np
import torch
from torch import Tensor

from netwright.codecs.pictures.pillow import pillow
from netwright.errors import DataError
from netwright.value import Value

Resize: TypeAlias = Literal["stretch", "crop", "letterbox"]
Filter: TypeAlias = Literal["nearest", "lanczos", "bilinear", "bicubic", "box", "hamming"]
RESIZES = ("stretch", "crop", "letterbox")
FILTERS = ("nearest", "lanczos", "bilinear", "bicubic", "box", "hamming")  # in the order of PIL's numbers for them


class PicturePlacement(Value):
    """How a picture becomes one of another size: a piece of it is resized, and stands in the new picture.

    Fields:
        region: left, top, right and bottom of the piece, in pixels of the picture.
        size: height and width of the resized piece.
        corner: its upper left corner in the new picture: how far down, and how far to the right.
        whole: height and width of the new picture.

    Example:
        >>> placement((100, 200), (50, 50), "letterbox")
        PicturePlacement(region=(0.0, 0.0, 200.0, 100.0), size=(25, 50), corner=(12, 0), whole=(50, 50))
    """

    region: tuple[float, float, float, float]
    size: tuple[int, int]
    corner: tuple[int, int]
    whole: tuple[int, int]

    @property
    def kept(self) -> bool:
        """Whether the picture stays as it is."""
        left, top, right, bottom = self.region
        return (left, top) == (0, 0) and self.size == self.whole == (bottom, right)

    @property
    def given(self) -> tuple[int, int]:
        """Height and width of the picture."""
        left, top, right, bottom = self.region  # in the middle
        return round(top + bottom), round(left + right)

    @property
    def scale(self) -> tuple[float, float]:
        """How many pixels of the new picture one of the old makes, across and down."""
        left, top, right, bottom = self.region
        return self.size[1] / (right - left), self.size[0] / (bottom - top)

    def encoded(self, boxes: Tensor) -> Tensor:
        """Boxes (n, 4) of the picture, left, top, right and bottom in pixels, as they lie in the new picture."""
        scale, shift = self._numbers(boxes)
        return boxes * scale + shift  # (n, 4)

    def original(self, boxes: Tensor) -> Tensor:
        """Boxes (n, 4) of the new picture as they lie in the old one; those beyond its edges end there."""
        scale, shift = self._numbers(boxes)
        found = (boxes - shift) / scale  # (n, 4)
        height, width = self.given
        return torch.stack(
            [side.clamp(0, end) for side, end in zip(found.unbind(-1), (width, height) * 2, strict=True)], -1
        )  # (n, 4)

    def _numbers(self, like: Tensor) -> tuple[Tensor, Tensor]:
        across, down = self.scale
        left, top = self.region[:2]
        shift = (self.corner[1] - left * across, self.corner[0] - top * down)
        return like.new_tensor((across, down) * 2), like.new_tensor(shift * 2)


def spread_out(values: np.ndarray[Any, Any], place: PicturePlacement, outside: Any) -> np.ndarray[Any, Any]:
    """Values (h, w) of the new picture at the pixels of the old one: each has that of the nearest place.

    Pixels of the old picture that are not in the new one have the value `outside`.
    """
    (left, top, _, _), (height, width) = place.region, place.given
    across, down = place.scale
    rows = np.floor((np.arange(height) + 0.5 - top) * down).astype(np.int64)
    columns = np.floor((np.arange(width) + 0.5 - left) * across).astype(np.int64)
    found = np.full((height, width), outside, values.dtype)
    seen = [(each >= 0) & (each < size) for each, size in zip((rows, columns), place.size, strict=True)]
    picked = values[np.ix_(rows[seen[0]] + place.corner[0], columns[seen[1]] + place.corner[1])]
    found[np.ix_(*seen)] = picked
    return found


def placement(size: tuple[int, int], whole: tuple[int, int], resize: Resize) -> PicturePlacement:
    """Where a picture of a size, height and width, lies in one of another size.

    The rules of the sizes are those of PIL.ImageOps: `fit` for "crop", `pad` for "letterbox".
    """
    (height, width), (tall, wide) = size, whole
    region = (0.0, 0.0, float(width), float(height))
    if resize == "crop":
        across, down = min(width, height * wide / tall), min(height, width * tall / wide)
        left, top = (width - across) / 2, (height - down) / 2
        return PicturePlacement((left, top, width - left, height - top), whole, (0, 0), whole)
    if resize == "letterbox":
        if width * tall > height * wide:
            inner = (max(1, round(height / width * wide)), wide)
        else:
            inner = (tall, max(1, round(width / height * tall)))
        corner = (round((tall - inner[0]) / 2), round((wide - inner[1]) / 2))
        return PicturePlacement(region, inner, corner, whole)
    return PicturePlacement(region, whole, (0, 0), whole)


def resized_image(picture: Any, place: PicturePlacement, filter: Filter, lying: bool) -> Any:
    """The piece of a PIL image in its size; a lying one is turned afterwards, so that its height and width change.

    PIL resizes along the rows first: where turning swaps the axes the columns go first, which gives the same bytes.
    """
    smooth = pillow("resizing a picture").Resampling(FILTERS.index(filter))
    (tall, wide), (left, top, right, bottom) = place.size, place.region
    if not lying:
        if picture.size == (wide, tall) == (right - left, bottom - top):
            return picture
        return picture.resize((wide, tall), smooth, box=place.region)
    if picture.size == (tall, wide) == (bottom - top, right - left):
        return picture
    columns = picture.resize((picture.width, wide), smooth, box=(0, left, picture.width, right))
    return columns.resize((tall, wide), smooth, box=(top, 0, bottom, wide))


def resized_planes(picture: Tensor, place: PicturePlacement, filter: Filter) -> Tensor:
    """The piece of a picture (h, w, c) in its size, each channel by itself."""
    if place.size == tuple(picture.shape[:2]) and place.region[:2] == (0, 0):
        return picture
    if picture.requires_grad:
        raise DataError(
            what="PIL resizes pictures, and it knows no gradients",
            expected=f"{place.whole}",
            got=f"{tuple(picture.shape[:2])}, of a tensor that wants a gradient",
            mend="torch.nn.functional.interpolate, before the net is called",
        )
    image = pillow("resizing a picture")
    planes = [image.fromarray(plane.contiguous().numpy()) for plane in picture.unbind(-1)]  # c of (h, w)
    small = [torch.from_numpy(np.array(resized_image(plane, place, filter, lying=False))) for plane in planes]
    resized = torch.stack(small, -1)  # c of (h, w) -> (h, w, c)
    return resized.clamp_(0, 1) if resized.is_floating_point() else resized  # cubic ones overshoot, as of bytes


def bordered(piece: Tensor, place: PicturePlacement, value: float) -> Tensor:
    """The new picture (h, w, …): the resized piece, and one value around it."""
    if tuple(piece.shape[:2]) == place.whole:
        return piece.contiguous()
    found = piece.new_full((*place.whole, *piece.shape[2:]), value)
    (down, across), (tall, wide) = place.corner, piece.shape[:2]
    found[down : down + tall, across : across + wide] = piece
    return found
