"""Moves, turns, sizes and mirrors pictures: however many of these vary, each picture is resampled once."""

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from netwright.codecs.vary.variation import Random, Size, Variation, check_range
from netwright.errors import NetError
from netwright.fields import at_least
from netwright.value import Value

OUTSIDE = 1e6  # a coordinate far from any picture
AXES = ("horizontal", "vertical")


class Geometry(Variation, ABC):
    """A variation of where the pixels are.

    Coordinates have the origin in the middle of the picture, x to the right and y down, and run from −1 to 1 between
    the outer edges.
    """

    @abstractmethod
    def sources(self, count: int, size: Size, random: Random) -> Tensor:
        """Where each of `count` pictures takes its pixels from: (b, 3, 3), from a place (x, y, 1) to its source."""

    def window(self, size: Size) -> tuple[float, float] | None:
        """How many pixels the picture has after it, (across, down), if all others are cut off; else None."""
        return None


class Shift(Geometry):
    """In training each picture is moved by up to so many whole pixels across, and by up to as many up or down.

    Every distance from −pixels to pixels is equally likely. What comes in from outside is black.

    Fields:
        pixels: the greatest distance; 2 is usual for digits of 28 × 28.

    Raises: NetError for fewer than one pixel, or as many as the picture has.

    Example:
        >>> import netwright as nw
        >>> nw.Image(28, 28, "gray", vary=(nw.Shift(2),))
        Image(28, 28, 'gray', vary=(Shift(pixels=2),))

    Torch: torchvision.transforms.v2.functional.affine, with translate
    """

    pixels: int

    def __post_init__(self) -> None:
        at_least(1, self.pixels, "the greatest distance in pixels", "Shift")

    def check(self, size: Size) -> None:
        if self.pixels >= min(size.height, size.width):
            raise NetError(
                what="a shift can move all of the picture out of it",
                where=repr(self),
                expected=f"fewer than {min(size.height, size.width)} pixels, in {size.height} x {size.width}",
                got=f"{self.pixels}",
            )

    def sources(self, count: int, size: Size, random: Random) -> Tensor:
        moved = (random((count, 2)) * (2 * self.pixels + 1)).floor() - self.pixels  # (b, 2), right and down
        found = _same(moved)
        found[:, 0, 2] = moved[:, 0] * (-2 / size.width)
        found[:, 1, 2] = moved[:, 1] * (-2 / size.height)
        return found


class Rotate(Geometry):
    """In training each picture is turned about its middle by up to so many degrees, either way.

    Every angle is equally likely. What comes in from outside is black; values between pixels are bilinear.

    Fields:
        degrees: the greatest angle; 10 is usual for digits, which 6 and 9 must stay, and 15 for photos.

    Raises: NetError for an angle that is not above 0 and at most 180.

    Example:
        >>> import netwright as nw
        >>> nw.Rotate(10)
        Rotate(degrees=10)

    Torch: torchvision.transforms.v2.functional.rotate, with InterpolationMode.BILINEAR
    """

    degrees: float

    def __post_init__(self) -> None:
        check_range(self, self.degrees, 180, "the angle in degrees")

    def sources(self, count: int, size: Size, random: Random) -> Tensor:
        angle = (random((count, 1))[:, 0] * 2 - 1) * math.radians(self.degrees)  # (b,), against the clock
        sine, cosine = angle.sin(), angle.cos()
        found = _same(angle)
        found[:, 0, 0] = found[:, 1, 1] = cosine
        found[:, 0, 1] = sine * (-size.height / size.width)
        found[:, 1, 0] = sine * (size.width / size.height)
        return found


class Zoom(Geometry):
    """In training each picture is made larger or smaller about its middle, by a factor of 1 − share to 1 + share.

    Every factor is equally likely. What comes in from outside is black; values between pixels are bilinear.

    Fields:
        share: the greatest difference of the factor from 1; 0.1 is usual for digits.

    Raises: NetError for a share that is not above 0 and at most 0.9.

    Example:
        >>> import netwright as nw
        >>> nw.Zoom(0.1)
        Zoom(share=0.1)

    Torch: torchvision.transforms.v2.functional.affine, with scale
    """

    share: float

    def __post_init__(self) -> None:
        check_range(self, self.share, 0.9, "the share of the size")

    def sources(self, count: int, size: Size, random: Random) -> Tensor:
        factor = (random((count, 1)) * 2 - 1) * self.share + 1  # (b, 1)
        found = _same(factor)
        found[:, [0, 1], [0, 1]] = 1 / factor
        return found


class Flip(Geometry):
    """In training every second picture, by chance, is mirrored.

    Fields:
        axis: "horizontal" exchanges left and right, as photos allow; "vertical" exchanges top and bottom.

    Raises: NetError for another axis.

    Example:
        >>> import netwright as nw
        >>> nw.Flip()
        Flip(axis='horizontal')

    Torch: torchvision.transforms.v2.functional.horizontal_flip and vertical_flip
    """

    axis: Literal["horizontal", "vertical"] = "horizontal"

    def __post_init__(self) -> None:
        if self.axis not in AXES:
            expected = " or ".join(map(repr, AXES))
            raise NetError(what="unknown axis", where="Flip", expected=expected, got=repr(self.axis))

    def sources(self, count: int, size: Size, random: Random) -> Tensor:
        turned = 1 - 2 * (random((count, 1))[:, 0] < 0.5).float()  # (b,), -1 where the picture is mirrored
        found = _same(turned)
        place = AXES.index(self.axis)
        found[:, place, place] = turned
        return found


class Crop(Geometry):
    """In training each picture is a piece of itself, from a random place, made as large as the picture.

    Every place is equally likely. Values between pixels are bilinear.

    Fields:
        height, width: of the piece, in pixels.

    Raises: NetError for a piece that is larger than the picture.

    Example:
        >>> import netwright as nw
        >>> nw.Image(32, 32, vary=(nw.Crop(28, 28), nw.Flip()))
        Image(32, 32, vary=(Crop(height=28, width=28), Flip(axis='horizontal')))

    Torch: torchvision.transforms.v2.functional.resized_crop
    """

    height: int
    width: int

    def __post_init__(self) -> None:
        for name in ("height", "width"):
            at_least(1, getattr(self, name), f"the {name} in pixels", "Crop")

    def check(self, size: Size) -> None:
        if self.height > size.height or self.width > size.width:
            raise NetError(
                what="the piece is larger than the picture",
                where=repr(self),
                expected=f"at most {size.height} x {size.width}",
                got=f"{self.height} x {self.width}",
            )

    def sources(self, count: int, size: Size, random: Random) -> Tensor:
        left, top = size.width - self.width, size.height - self.height
        room = torch.tensor([left + 1.0, top + 1.0], dtype=torch.float32, device="cpu")
        corner = random((count, 2))  # (b, 2)
        corner = (corner * room.to(corner.device)).floor()  # (b, 2), from the left and from the top
        found = _same(corner)
        found[:, 0, 0], found[:, 1, 1] = self.width / size.width, self.height / size.height
        found[:, 0, 2] = (2 * corner[:, 0] - left) / size.width
        found[:, 1, 2] = (2 * corner[:, 1] - top) / size.height
        return found

    def window(self, size: Size) -> tuple[float, float] | None:
        return self.width, self.height


class PictureMoves(Value, eq=False):
    """Where some geometric variations have moved each picture of a batch, the first variation first.

    A picture is resampled once, so it is not blurred once for each variation, and what one moves out of the picture
    the next may move in again.

    Fields: `size` of the pictures; for each variation its matrices (b, 3, 3) and its window.
    """

    size: Size
    steps: Sequence[tuple[Tensor, tuple[float, float] | None]]

    @classmethod
    def of(cls, count: int, size: Size, variations: Sequence[tuple[Geometry, Random]]) -> "PictureMoves":
        """Those of variations with their random numbers."""
        return cls(size, [(one.sources(count, size, random), one.window(size)) for one, random in variations])

    def pictures(self, planes: Tensor) -> Tensor:
        """Planes (b, c, h, w) as they are moved; outside of a picture it is black."""
        return F.grid_sample(planes, self._grid(self.size), align_corners=False)

    def classes(self, index: Tensor, outside: int) -> Tensor:
        """Class numbers of pixels, (b, h, w), as they are moved: of the nearest pixel, and outside of the picture."""
        grid = self._grid(Size(*index.shape[1:], channels=1))
        planes = (index - outside).unsqueeze(1).float()  # (b, h, w) -> (b, 1, h, w), 0 where there is nothing
        found = F.grid_sample(planes, grid, mode="nearest", align_corners=False)
        return found.squeeze(1).to(index.dtype) + outside  # (b, 1, h, w) -> (b, h, w)

    def boxes(self, boxes: Tensor) -> Tensor:
        """Boxes (b, n, 4), left, top, right and bottom in pixels, as they are moved: upright boxes around the moved."""
        matrix = self.steps[0][0]
        for own, _ in self.steps[1:]:
            matrix = matrix @ own  # (b, 3, 3)
        half = boxes.new_tensor((self.size.width, self.size.height)) / 2
        corners = boxes[..., [0, 1, 2, 1, 0, 3, 2, 3]].unflatten(-1, (4, 2)) / half - 1  # (b, n, 4) -> (b, n, 4, 2)
        places = F.pad(corners, (0, 1), value=1.0).flatten(1, 2)  # (b, n, 4, 2) -> (b, 4 n, 3)
        moved = torch.linalg.solve(matrix.to(boxes.dtype), places.transpose(1, 2)).transpose(1, 2)  # (b, 4 n, 3)
        found = (moved[..., :2].unflatten(1, (-1, 4)) + 1) * half  # (b, n, 4, 2)
        return torch.cat([found.amin(2), found.amax(2)], -1)  # (b, n, 4)

    def _grid(self, size: Size) -> Tensor:
        return _places(size, self.steps).permute(0, 2, 3, 1)  # (b, 2, h, w) -> (b, h, w, 2)


def _places(size: Size, steps: Sequence[tuple[Tensor, tuple[float, float] | None]]) -> Tensor:
    """Where each pixel comes from, x and y, (b, 2, h, w): the last variation is asked first."""
    places: Tensor | None = None  # (b, 2, h, w), from the first cut on
    matrix: Tensor | None = None  # (b, 3, 3), of the variations since then
    for own, window in reversed(steps):
        if window is not None:
            matrix = _same(own) if matrix is None else matrix
            places = _within(_moved(places, matrix, size), window)
            matrix = own
        else:
            matrix = own if matrix is None else own @ matrix
    assert matrix is not None  # there is a variation
    return _moved(places, matrix, size)


def _moved(places: Tensor | None, matrix: Tensor, size: Size) -> Tensor:
    """Places after a matrix, (b, 2, h, w); None stands for those of the pixels themselves, which is faster."""
    by_x, by_y, still = matrix[:, :2].unsqueeze(-1).unbind(2)  # (b, 2, 1), three times
    if places is None:
        across = by_x * _middles(size.width, matrix.device)  # (b, 2, 1), (w,) -> (b, 2, w)
        down = by_y * _middles(size.height, matrix.device) + still  # (b, 2, 1), (h,) -> (b, 2, h)
        return down.unsqueeze(3) + across.unsqueeze(2)  # (b, 2, h, 1), (b, 2, 1, w) -> (b, 2, h, w)
    x, y = places.split(1, 1)  # (b, 1, h, w), twice
    return x * by_x.unsqueeze(3) + y * by_y.unsqueeze(3) + still.unsqueeze(3)  # (b, 2, h, w)


def _middles(pixels: int, device: torch.device) -> Tensor:
    """The coordinates of the middles of pixels in a row."""
    return (torch.arange(pixels, device=device) * 2 + 1) / pixels - 1  # (pixels,)


def _within(places: Tensor, window: tuple[float, float]) -> Tensor:
    """Places in a cut piece: at its edge its outermost pixels go on, and beyond there is nothing."""
    found: list[Tensor] = []
    for place, pixels in zip(places.unbind(1), window, strict=True):  # (b, h, w), across and down
        half = 1 - 1 / pixels
        found.append(torch.where(place.abs() <= 1, place.clamp(-half, half), OUTSIDE))  # (b, h, w)
    return torch.stack(found, 1)  # (b, 2, h, w)


def _same(like: Tensor) -> Tensor:
    """For each of b pictures the matrix that moves nothing: (b, 3, 3)."""
    return torch.eye(3, dtype=torch.float32, device=like.device).repeat(len(like), 1, 1)  # (b, 3, 3)
