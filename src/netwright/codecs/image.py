"""Pictures of one size or of any: from a file, a PIL image or an array to bytes in memory, standardized for the net."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import KW_ONLY, replace
from typing import Any, Literal, Self, cast

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from netwright.codecs.codec import Answer, Codec
from netwright.codecs.numeric import AnyArray, ColumnMoments, as_tensor, described, is_array, per_component, scale_of
from netwright.codecs.pictures.pillow import (
    check_memory,
    deep_colour,
    frames_of,
    is_deep,
    is_deep_colour,
    is_lying,
    is_picture,
    no_picture,
    pillow,
    read_picture,
    turn_of,
)
from netwright.codecs.pictures.pixels import DEEP, check_pixels, gray_of, light_of, pixels_of, with_channels
from netwright.codecs.pictures.placement import (
    FILTERS,
    RESIZES,
    Filter,
    PicturePlacement,
    Resize,
    bordered,
    placement,
    resized_image,
    resized_planes,
)
from netwright.codecs.pictures.sizes import check_sizes, fitting_size
from netwright.codecs.ragged import Ragged
from netwright.codecs.reading import Reading
from netwright.codecs.vary.apply import moves_of, varied_pictures
from netwright.codecs.vary.geometry import PictureMoves
from netwright.codecs.vary.variation import Draw, Size, Variation, check_variations
from netwright.errors import DataError, NetError
from netwright.fields import at_least
from netwright.sizes.free import FREE, Free

CHANNELS = {"rgb": 3, "gray": 1, "bgr": 3, "rgba": 4}
COLOURS = {3: "rgb", 1: "gray", 4: "rgba"}  # by their number of channels
MODES = {"rgb": "RGB", "gray": "L", "bgr": "RGB", "rgba": "RGBA"}  # PIL's names
BLOCK = 1 << 20  # numbers of pictures that are taken into the statistics at a time, as float64
DIGITS = 6  # of a fitted mean: a byte has three


class Image(Codec):
    """A picture: bytes in memory, (x / 255 − mean) / deviation for the net.

    It takes the path of a file (PNG, JPEG, WebP, TIFF, GIF, BMP, PPM), a PIL image, a numpy array or a torch tensor. A
    file that would take much more memory than its own size is refused: a small one has 40 million pixels at most.
    Arrays hold bytes (uint8), 16-bit numbers (uint16) or floats in 0..1, and are height, width, channels unless
    `layout` says otherwise, which is never guessed. A gray array may leave its channel axis out. Files and PIL images
    are converted to the colour (transparency is dropped, except in "rgba"), and turned as their camera says. Files of
    16 bits are read without loss. A picture of another size, array or not, is resized as `resize` says, each channel by
    itself, with a filter that averages when it shrinks.

    `nw.Image("h", "w")` takes pictures of any size as they are: for a net of convolutions and means. In a batch, each
    gives what it gives alone. In `nw.Each(nw.Image(…))` a file with several pictures, such as an animated GIF, is their
    sequence; so is an array of frames.

    Shapes:
        `encode` gives `height width channels`: bytes stay uint8, others become float32. `decode` takes the same and
        gives a uint8 array in `layout`, a gray one without channel axis.

    Fields:
        height, width: in pixels; or both a name, perhaps with a factor: `Image("16*h", "16*w")` takes multiples of 16.
        color: "rgb", "gray", "rgba" (with transparency), or "bgr": pictures are given and decoded as red, green, blue,
            and the net sees them in the order blue, green, red. A number: arrays with so many channels.
        resize: "stretch", the default, shows the whole picture and changes the ratio of its sides; "letterbox" shows
            the whole picture in its ratio, with a border; "crop" fills the size in the ratio and cuts off what is
            beyond it, the same on both sides. As no resizing, PIL.ImageOps.pad and PIL.ImageOps.fit do it.
        border: the lightness of the border of a letterbox, in 0..1; 0, black. Some detectors want 0.5.
        mean: what is subtracted, on the scale 0..1, one number or one for each channel as the net sees them. 0 by
            default, which leaves the pixels in 0..1: the form in which a picture is easiest to look at. `FREE` takes
            the mean of the training data's pixels.
        deviation: the divisor, above 0, in the same form. 1 by default; `FREE` takes the standard deviation of the
            training data's pixels, and 1 for a channel that is constant. Fitted values are rounded to six digits.
        layout: "hwc" or "chw", the order of the axes of arrays that are given and decoded.
        filter: how pictures are resized: "bilinear", or another of PIL's: "nearest", "box", "hamming", "bicubic",
            "lanczos".
        vary: how pictures vary in training, such as `(nw.Shift(2), nw.Rotate(10), nw.Zoom(0.1))`; none by default,
            since only you know what leaves the meaning of a picture as it is. Validation and use never vary. Each step
            draws anew, by the seed of the run; those that move pixels are joined to one resampling, which comes first.
            Masks and boxes that are targets move with their picture.

    Raises:
        NetError: an option out of range; a variation that pictures of this size and colour cannot have.
        DataError: a missing file; a value that is not a picture; an array with another number of channels, or with
            values that are neither bytes nor floats in 0..1; NaN.

    Example:
        >>> digit = Image(28, 28, "gray")
        >>> digit.encode(np.zeros((28, 28), np.uint8)).shape
        torch.Size([28, 28, 1])
        >>> digit
        Image(28, 28, 'gray')
        >>> imagenet = Image(224, 224, mean=(0.485, 0.456, 0.406), deviation=(0.229, 0.224, 0.225), resize="crop")
        >>> from_127 = Image(224, 224, mean=127 / 255, deviation=128 / 255)  # (x − 127) / 128
        >>> of_caffe = Image(227, 227, "bgr", mean=[x / 255 for x in (104, 117, 123)], deviation=1 / 255)  # x − mean
        >>> of_caffe.prepare(of_caffe.encode(np.full((300, 200, 3), (255, 0, 0), np.uint8)))[0, 0].round()
        tensor([-104., -117.,  132.])
    """

    height: int | str
    width: int | str
    color: Literal["rgb", "gray", "bgr", "rgba"] | int = "rgb"
    _: KW_ONLY
    resize: Resize = "stretch"
    border: float = 0.0
    mean: float | Iterable[float] | Free = 0.0
    deviation: float | Iterable[float] | Free = 1.0
    layout: Literal["hwc", "chw"] = "hwc"
    filter: Filter = "bilinear"
    vary: Sequence[Variation] = ()

    def __post_init__(self) -> None:
        check_sizes(self.height, self.width, "Image")
        if isinstance(self.color, int):
            at_least(1, self.color, "the number of channels", "Image")
        options = (("color", CHANNELS), ("resize", RESIZES), ("layout", ("hwc", "chw")), ("filter", FILTERS))
        for name, known in options:
            if getattr(self, name) not in known and not (name == "color" and isinstance(self.color, int)):
                expected = " or ".join(map(repr, known))
                raise NetError(what=f"unknown {name}", expected=expected, got=repr(getattr(self, name)))
        if not 0 <= self.border <= 1:
            raise NetError(what="the lightness of a border is in 0..1", where="Image", got=repr(self.border))
        for name in ("mean", "deviation"):
            object.__setattr__(self, name, per_component(name, getattr(self, name), self.channels))
        object.__setattr__(self, "vary", tuple(self.vary))
        self._check_variations()

    @property
    def channels(self) -> int:
        """How many numbers a pixel has."""
        return self.color if isinstance(self.color, int) else CHANNELS[self.color]

    @property
    def scale(self) -> tuple[Any, Any] | None:
        return scale_of(self.mean, self.deviation)

    @property
    def answer(self) -> Answer:
        return "numbers"

    @property
    def encoded(self) -> str:
        return f"{self.height} {self.width} {self.channels}"

    @property
    def decoded(self) -> str:
        return self.encoded

    def encode(self, raw: Any) -> Tensor:
        if is_picture(raw):
            return read_picture(raw, self._from_pil)
        if not is_array(raw):
            raise no_picture(raw)
        picture = self._channels_last(pixels_of(raw))
        check_pixels(picture)
        return self._resized(picture)

    def encode_all(self, raws: Sequence[Any]) -> Tensor | Ragged:
        return self._encode_from(raws, 0)

    def several(self, raw: Any) -> Iterable[Any] | None:
        return self._frames(raw) if is_picture(raw) else None

    def prepare(self, stored: Tensor) -> Tensor:
        mean, deviation = self._statistic("mean", stored), self._statistic("deviation", stored)
        scale = 255 if stored.dtype == torch.uint8 else 1
        light = stored.flip(-1) if self.color == "bgr" else stored
        light = light.float() if scale == 255 else light  # torch divides bytes into its default type
        return (light / (deviation * scale)).sub_(mean / deviation)

    @property
    def variation(self) -> str:
        return ", ".join(map(repr, self.vary))

    def varied(self, stored: Tensor, draw: Draw) -> Tensor:
        return varied_pictures(light_of(stored), self.vary, draw) if self.vary else stored

    def moves(self, count: int, draw: Draw) -> PictureMoves | None:
        if isinstance(self.height, str) or isinstance(self.width, str):
            return None
        return moves_of(count, Size(self.height, self.width, self.channels), self.vary, draw)

    def read(self, output: Tensor, reading: Reading) -> np.ndarray:
        self._check_decision(reading)
        output = output.float()
        light = output * self._statistic("deviation", output) + self._statistic("mean", output)
        light = light.flip(-1) if self.color == "bgr" else light
        return self._as_given((light.clamp(0, 1) * 255).round().byte())

    def takes(self, raw: Any) -> bool:
        if not is_array(raw):
            return not isinstance(raw, list | tuple)
        channel = -1 if self.layout == "hwc" else 0
        if raw.ndim == 3:
            return raw.shape[channel] == self.channels
        return raw.ndim == 2 and self.color == "gray"

    def fit(self, raws: Sequence[Any]) -> Self:
        if self.fitted:
            return self
        moments = ColumnMoments()
        step = max(BLOCK // max(self._values(raws[:1], 0).numel(), 1), 1) if len(raws) else 1
        for start in range(0, len(raws), step):
            light = light_of(self._values(raws[start : start + step], start))
            moments.add((light.flip(-1) if self.color == "bgr" else light).reshape(-1, self.channels))
        if not len(raws):
            raise DataError(what="there are no pictures to learn the mean and deviation from")
        mean = _rounded(moments.mean) if self.mean is FREE else self.mean
        deviation = _rounded(moments.deviation) if self.deviation is FREE else self.deviation
        return replace(self, mean=mean, deviation=deviation)

    @property
    def has_places(self) -> bool:
        return True

    def place_of(self, raw: Any) -> PicturePlacement:
        if is_picture(raw):
            height, width = read_picture(raw, _upright_size)
        else:
            height, width = self._channels_last(as_tensor(raw)).shape[:2]
        return self.placed(height, width)

    def placed(self, height: int, width: int) -> PicturePlacement:
        """Where a picture of this size, in pixels, lies in the encoded one: boxes are moved so."""
        return placement((height, width), fitting_size((height, width), self.height, self.width), self.resize)

    @property
    def _varying(self) -> int:
        return 2 if isinstance(self.height, str) else 0

    def _check_variations(self) -> None:
        if not isinstance(self.height, str) and not isinstance(self.width, str):
            check_variations(self.vary, Size(self.height, self.width, self.channels))
        elif self.vary:
            raise NetError(
                what="pictures of any size do not vary",
                where="Image",
                expected="sizes in pixels",
                got=f"{self.height!r}, {self.width!r}, vary={self.vary!r}",
                mend="leave vary=… out",
            )

    def _from_pil(self, picture: Any, size: int) -> Tensor:
        """A PIL image as (h, w, c), upright, in the colour and the size; `size` is the bytes of its file.

        The image is turned last, when it is small.
        """
        color = self.color
        if isinstance(color, int):
            raise DataError(
                what=f"a picture of {color} channels comes as an array",
                expected=f"an array (height, width, {color})",
                got=f"a picture in the colours {picture.mode!r} of PIL",
            )
        if size:
            check_memory(picture, MODES[color], size)
        deep = deep_colour(picture) if size and is_deep_colour(picture) else None  # first: PIL may read the file now
        turn = turn_of(picture)
        if deep is not None:
            return self._resized(self._deep(deep, turn))
        if is_deep(picture):
            return self._resized(with_channels(self._light(picture, turn), color))
        if picture.mode == "I":
            raise DataError(
                what="the range of this picture's pixels is not known",
                got="mode 'I', 32-bit integers",
                mend="give an array of floats in 0..1",
            )
        if picture.mode == "P" and "transparency" in picture.info:
            picture = picture.convert("RGBA")  # PIL warns about the direct conversion
        if picture.mode != MODES[color]:
            picture = picture.convert(MODES[color])
        if color == "rgba":  # PIL would resize colours as if they were mixed with the transparency
            return self._resized(torch.from_numpy(np.array(picture if turn is None else picture.transpose(turn))))
        lying = is_lying(turn)
        place = self.placed(*(picture.size if lying else picture.size[::-1]))
        piece = resized_image(picture, place, self.filter, lying)
        pixels = torch.from_numpy(np.array(piece if turn is None else piece.transpose(turn)))
        pixels = pixels[..., None] if color == "gray" else pixels  # (h, w) -> (h, w, 1)
        return bordered(pixels, place, round(self.border * 255))

    def _light(self, picture: Any, turn: Any) -> Tensor:
        """A gray PIL image of 16 bits or of floats, upright, as floats in 0..1 (h, w, 1): convert() would clip them."""
        light = np.array(picture if turn is None else picture.transpose(turn), np.float32)[..., None]
        light = torch.from_numpy(light if picture.mode == "F" else light / DEEP)  # (h, w, 1)
        check_pixels(light)
        return light

    def _deep(self, colours: np.ndarray, turn: Any) -> Tensor:
        """Colours of 16 bits (h, w, c), upright, as floats in 0..1."""
        light = torch.from_numpy(colours.astype(np.float32) / DEEP)  # (h, w, c)
        if turn is not None:
            light = torch.stack([_turned(plane, turn) for plane in light.unbind(-1)], -1)
        if self.color == "gray":
            return gray_of(light)
        if self.color == "rgba":
            return light if light.shape[-1] == 4 else F.pad(light, (0, 1), value=1.0)  # (h, w, 3) -> (h, w, 4)
        return light[..., :3]

    def _frames(self, raw: Any) -> Iterator[Any]:
        """All pictures of a file, in their size, as arrays that `encode` leaves as they are."""
        yield from read_picture(raw, lambda picture, size: frames_of(picture, size, self._frame))

    def _frame(self, picture: Any, size: int) -> Any:
        return self._as_given(self._from_pil(picture, size))

    def _as_given(self, pixels: Tensor) -> np.ndarray:
        """Pixels (h, w, c) as an array in the layout."""
        if self.channels == 1:
            return pixels[:, :, 0].numpy() if self.color == "gray" else pixels.numpy()
        return (pixels if self.layout == "hwc" else pixels.permute(2, 0, 1)).numpy()

    def _values(self, raws: Sequence[Any], first: int) -> Tensor:
        """The pixels of many pictures, one after the other."""
        found = self._encode_from(raws, first)
        return found.values if isinstance(found, Ragged) else found

    def _encode_from(self, raws: Sequence[Any], first: int) -> Tensor | Ragged:
        """Many pictures, at once where they are an array; `first` is the number of their first row."""
        if is_array(raws) and raws.ndim in (3, 4) and len(raws):
            try:
                return self._encode_block(raws)
            except DataError:
                pass  # try again row by row, to name the row or to resize
        rows = self._encode_rows(raws, first)
        mixed = len({row.dtype for row in rows}) > 1
        rows = [light_of(row) for row in rows] if mixed else rows
        same = all(row.shape == rows[0].shape for row in rows)
        return torch.stack(rows) if same else Ragged.of(rows, 2).compact()

    def _encode_block(self, raws: AnyArray) -> Tensor:
        """A whole array of pictures of the right size, its memory shared where possible."""
        pictures = pixels_of(raws)
        if pictures.ndim == 3:
            pictures = pictures[..., None]  # (n, h, w) -> (n, h, w, 1)
        elif self.layout == "chw":
            pictures = pictures.permute(0, 2, 3, 1)  # (n, c, h, w) -> (n, h, w, c)
        size = (int(pictures.shape[1]), int(pictures.shape[2]))
        if size != fitting_size(size, self.height, self.width) or pictures.shape[3] != self.channels:
            raise DataError(what="the pictures have another size", got=described(raws))
        check_pixels(pictures)
        return pictures.contiguous()

    def _channels_last(self, picture: Tensor) -> Tensor:
        """One picture as (h, w, c); an error says how to name its axes."""
        shape, channel = tuple(picture.shape), {"hwc": -1, "chw": 0}[self.layout]
        if len(shape) == 2 and self.color == "gray":
            return picture[..., None]  # (h, w) -> (h, w, 1)
        if len(shape) == 3 and shape[channel] == self.channels:
            return picture if self.layout == "hwc" else picture.permute(1, 2, 0)  # (c, h, w) -> (h, w, c)
        axes = {"hwc": f"(height, width, {self.channels})", "chw": f"({self.channels}, height, width)"}
        mends: list[str] = []
        if len(shape) == 3 and shape[-1 - channel] == self.channels:
            mends = [f'layout="{"chw" if self.layout == "hwc" else "hwc"}"']
        elif len(shape) in (2, 3):
            found = COLOURS.get(shape[channel] if len(shape) == 3 else 1)
            mends = [f'color="{found}"' if found else f"color={shape[channel]}", "give a PIL image, which is converted"]
        raise DataError(
            what="the array does not have the axes of a picture",
            expected=axes[self.layout] + (" or (height, width)" if self.color == "gray" else ""),
            got=f"{shape}",
            mend=mends if isinstance(self.color, str) else mends[:1],
        )

    def _resized(self, picture: Tensor) -> Tensor:
        if not picture.numel():
            raise DataError(what="the picture has no pixels", got=f"{tuple(picture.shape)}")
        place = self.placed(*picture.shape[:2])
        value = round(self.border * 255) if picture.dtype == torch.uint8 else self.border
        return bordered(resized_planes(picture, place, self.filter), place, value)

    def _statistic(self, name: str, like: Tensor) -> float | Tensor:
        """A Python number if it is the same for all channels, so that nothing is copied to the device."""
        value = self._known(name)
        if not isinstance(value, tuple):
            return cast(float, value)
        return torch.tensor(value, dtype=torch.float32, device=like.device)


def _upright_size(picture: Any, size: int) -> tuple[int, int]:
    """Height and width of a PIL image, as its camera says."""
    del size
    width, height = picture.size
    return (width, height) if is_lying(turn_of(picture)) else (height, width)


def _rounded(values: tuple[float, ...]) -> tuple[float, ...]:
    return tuple(float(f"{value:.{DIGITS}g}") for value in values)


def _turned(plane: Tensor, turn: Any) -> Tensor:
    """A plane (h, w) of floats after a transposition of PIL."""
    return torch.from_numpy(np.array(pillow("turning a picture").fromarray(plane.contiguous().numpy()).transpose(turn)))
