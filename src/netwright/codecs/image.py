"""Pictures of one size: from a file, a PIL image or an array to bytes in memory, and standardized for the net."""

import io
import os
import struct
import sys
from collections.abc import Iterable, Sequence
from dataclasses import KW_ONLY, replace
from pathlib import Path
from typing import IO, Any, Literal, Self, cast

import numpy as np
import torch
from torch import Tensor

from netwright.codecs.codec import Answer, Codec
from netwright.codecs.numeric import AnyArray, ColumnMoments, as_tensor, described, is_array, per_component, scale_of
from netwright.codecs.reading import Reading
from netwright.codecs.vary.apply import varied_pictures
from netwright.codecs.vary.variation import Draw, Size, Variation, check_variations
from netwright.errors import DataError, FileError, NetError, did_you_mean, missing_extra
from netwright.fields import at_least
from netwright.regular import opened
from netwright.sizes.free import FREE, Free

CHANNELS = {"rgb": 3, "gray": 1}
MODES = {"rgb": "RGB", "gray": "L"}  # PIL's names
FILTERS = ("nearest", "lanczos", "bilinear", "bicubic", "box", "hamming")  # in the order of PIL's numbers for them
BLOCK = 1 << 20  # numbers of pictures that are taken into the statistics at a time, as float64
SLACK = 1e-6  # how far rounding may put a float outside 0..1
DIGITS = 6  # of a fitted mean: a byte has three
POSTSCRIPT = "EPS"  # PIL's name
FORMATS = ("BMP", "GIF", "JPEG", "PNG", "PPM", "TIFF", "WEBP")  # PIL's names; some of its other formats start programs
MEMORY = 160e6  # bytes that a picture in a file may take while it is read, and as much again for
MEMORY_A_BYTE = 10  # … each byte of the file: a small file may say that it holds any number of pixels
ORIENTATION = 0x0112  # the number of the EXIF field that says how the camera was held


class Image(Codec):
    """A picture of a fixed size: bytes in memory, (x / 255 − mean) / deviation for the net.

    It takes the path of a file (PNG, JPEG, WebP, TIFF, GIF, BMP, PPM), a PIL image, a numpy array or a torch tensor. A
    file that would take much more memory than its own size is refused: a small one has 40 million pixels at most.
    Arrays hold bytes (uint8) or floats in 0..1, and are height, width, channels unless `layout` says otherwise, which
    is never guessed. A gray array may leave its channel axis out. Files and PIL images are converted to the colour
    (transparency is dropped), and turned as their camera says. A picture of another size, array or not, is resized as
    a whole, with a filter that averages when it shrinks: the shape of what it shows changes with the ratio of its
    sides.

    Shapes:
        `encode` gives `height width channels`, with 3 channels for "rgb" and 1 for "gray": bytes stay uint8, floats
        become float32. `decode` takes the same and gives a uint8 array in `layout`, a gray one without channel axis.

    Fields:
        height, width: in pixels.
        color: "rgb" or "gray".
        mean: what is subtracted, on the scale 0..1, one number or one for each channel. 0 by default, which leaves the
            pixels in 0..1: the form in which a picture is easiest to look at. `FREE` takes the mean of the training
            data's pixels.
        deviation: the divisor, above 0, in the same form. 1 by default; `FREE` takes the standard deviation of the
            training data's pixels, and 1 for a channel that is constant. Fitted values are rounded to six digits.
        layout: "hwc" or "chw", the order of the axes of arrays that are given and decoded.
        filter: how pictures are resized: "bilinear", or another of PIL's: "nearest", "box", "hamming", "bicubic",
            "lanczos".
        vary: how pictures vary in training, such as `(nw.Shift(2), nw.Rotate(10), nw.Zoom(0.1))`; none by default,
            since only you know what leaves the meaning of a picture as it is. Validation and use never vary. Each step
            draws anew, by the seed of the run; those that move pixels are joined to one resampling, which comes first.

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
    """

    height: int
    width: int
    color: Literal["rgb", "gray"] = "rgb"
    _: KW_ONLY
    mean: float | Iterable[float] | Free = 0.0
    deviation: float | Iterable[float] | Free = 1.0
    layout: Literal["hwc", "chw"] = "hwc"
    filter: Literal["nearest", "lanczos", "bilinear", "bicubic", "box", "hamming"] = "bilinear"
    vary: Sequence[Variation] = ()

    def __post_init__(self) -> None:
        for name in ("height", "width"):
            at_least(1, getattr(self, name), f"the {name} in pixels", "Image")
        for name, known in (("color", tuple(CHANNELS)), ("layout", ("hwc", "chw")), ("filter", FILTERS)):
            if getattr(self, name) not in known:
                expected = " or ".join(map(repr, known))
                raise NetError(what=f"unknown {name}", expected=expected, got=repr(getattr(self, name)))
        for name in ("mean", "deviation"):
            object.__setattr__(self, name, per_component(name, getattr(self, name), self.channels))
        object.__setattr__(self, "vary", tuple(self.vary))
        check_variations(self.vary, Size(self.height, self.width, self.channels))

    @property
    def channels(self) -> int:
        """How many numbers a pixel has."""
        return CHANNELS[self.color]

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
        if isinstance(raw, str | Path):
            return self._from_file(Path(raw))
        if isinstance(raw, bytes):
            return self._from_content(io.BytesIO(raw), len(raw), "")
        if _is_pil(raw):
            return self._from_image(raw)
        if not is_array(raw):
            raise DataError(
                what="this is not a picture",
                expected="a path, the bytes of a file, a PIL image, a numpy array or a torch tensor",
                got=described(raw),
            )
        picture = self._channels_last(_pixels(raw))
        _check_pixels(picture)
        return self._resized(picture)

    def encode_all(self, raws: Sequence[Any]) -> Tensor:
        return self._encode_from(raws, 0)

    def prepare(self, stored: Tensor) -> Tensor:
        mean, deviation = self._statistic("mean", stored), self._statistic("deviation", stored)
        scale = 255 if stored.dtype == torch.uint8 else 1
        light = stored.float() if scale == 255 else stored  # torch divides bytes into its default type
        return (light / (deviation * scale)).sub_(mean / deviation)

    @property
    def variation(self) -> str:
        return ", ".join(map(repr, self.vary))

    def varied(self, stored: Tensor, draw: Draw) -> Tensor:
        return varied_pictures(light_of(stored), self.vary, draw) if self.vary else stored

    def read(self, output: Tensor, reading: Reading) -> np.ndarray:
        self._check_decision(reading)
        output = output.float()
        light = output * self._statistic("deviation", output) + self._statistic("mean", output)
        pixels = (light.clamp(0, 1) * 255).round().byte().numpy()
        if self.color == "gray":
            return pixels[:, :, 0]
        return pixels if self.layout == "hwc" else pixels.transpose(2, 0, 1)

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
        step = max(BLOCK // self._encode_from(raws[:1], 0).numel(), 1) if len(raws) else 1
        for start in range(0, len(raws), step):
            block = self._encode_from(raws[start : start + step], start)
            moments.add(light_of(block).reshape(-1, self.channels))  # (pictures, h, w, c) -> (pixels, c)
        if not len(raws):
            raise DataError(what="there are no pictures to learn the mean and deviation from")
        mean = _rounded(moments.mean) if self.mean is FREE else self.mean
        deviation = _rounded(moments.deviation) if self.deviation is FREE else self.deviation
        return replace(self, mean=mean, deviation=deviation)

    def _from_file(self, path: Path) -> Tensor:
        pil = _pil("reading a picture from a file")
        try:
            with opened(path) as file:
                return self._from_content(file, os.fstat(file.fileno()).st_size, str(path))
        except (FileNotFoundError, NotADirectoryError):
            siblings = os.listdir(path.parent) if os.path.isdir(path.parent) else ()
            endings = {ending for ending, form in pil.registered_extensions().items() if form in FORMATS}
            mend = did_you_mean(path.name, [name for name in siblings if Path(name).suffix.lower() in endings])
            raise DataError(what="there is no such file", where=str(path), mend=mend or ()) from None
        except FileError as error:
            refused = error.changed(where=str(path), expected=error.expected or "a picture's file")
            raise DataError.of(refused.faults) from None
        except OSError as error:
            raise _unreadable(str(path), str(error)) from None

    def _from_content(self, file: IO[bytes], size: int, where: str) -> Tensor:
        """A picture from the content of its file."""
        pil = _pil("reading a picture from a file")
        try:
            with pil.open(file, formats=FORMATS) as picture:
                _check_memory(picture, self.color, size)
                return self._from_pil(picture)
        except (OSError, ValueError, SyntaxError, EOFError, struct.error, pil.DecompressionBombError) as error:
            if isinstance(error, DataError):
                raise (error.within(where) if where else error) from None
            unknown = isinstance(error, pil.UnidentifiedImageError)
            raise _unreadable(where, "no known picture format" if unknown else str(error)) from None

    def _from_image(self, picture: Any) -> Tensor:
        """A PIL image of the caller, whose pixels are read from its file only now."""
        if picture.format == POSTSCRIPT:
            raise DataError(
                what="this PIL image is PostScript, which PIL hands to another program to read",
                expected="an image whose pixels are read",
                got=f"format {picture.format!r}",
                mend="image.copy(), if you trust the file",
            )
        try:
            return self._from_pil(picture)
        except (OSError, SyntaxError, EOFError, struct.error) as error:
            if isinstance(error, DataError):
                raise
            raise DataError(what="the pixels of this PIL image cannot be read", got=str(error)) from None

    def _from_pil(self, picture: Any) -> Tensor:
        """A PIL image as (h, w, c), upright, in the colour and the size.

        The image is turned last, when it is small. PIL resizes along the rows first: where turning swaps the axes the
        columns go first, which gives the same bytes.
        """
        turn = _turn(picture)
        if _is_deep(picture):
            # convert() would clip these to a byte
            light = np.array(picture if turn is None else picture.transpose(turn), np.float32)  # (h, w)
            if picture.mode != "F":
                light /= 65535
            plane = torch.from_numpy(light)[..., None]  # (h, w) -> (h, w, 1)
            _check_pixels(plane)
            return self._resized(plane).repeat(1, 1, self.channels)  # (h, w, 1) -> (h, w, c)
        if picture.mode == "I":
            raise DataError(
                what="the range of this picture's pixels is not known",
                got="mode 'I', 32-bit integers",
                mend="give an array of floats in 0..1",
            )
        if picture.mode == "P" and "transparency" in picture.info:
            picture = picture.convert("RGBA")  # PIL warns about the direct conversion
        if picture.mode != MODES[self.color]:
            picture = picture.convert(MODES[self.color])
        lying = turn is not None and turn in _lying()
        size = (self.height, self.width) if lying else (self.width, self.height)
        if picture.size != size:
            if lying:
                picture = picture.resize((picture.width, size[1]), self._smooth)
            picture = picture.resize(size, self._smooth)
        pixels = torch.from_numpy(np.array(picture if turn is None else picture.transpose(turn)))
        return pixels[..., None] if self.color == "gray" else pixels  # (h, w) -> (h, w, 1)

    def _encode_from(self, raws: Sequence[Any], first: int) -> Tensor:
        """Many pictures, at once where they are an array; `first` is the number of their first row."""
        if is_array(raws) and raws.ndim in (3, 4) and len(raws):
            try:
                return self._encode_block(raws)
            except DataError:
                pass  # try again row by row, to name the row or to resize
        rows = self._encode_rows(raws, first)
        mixed = len({row.dtype for row in rows}) > 1
        return torch.stack([light_of(row) for row in rows] if mixed else rows)

    def _encode_block(self, raws: AnyArray) -> Tensor:
        """A whole array of pictures of the right size, its memory shared where possible."""
        pictures = _pixels(raws)
        if pictures.ndim == 3:
            pictures = pictures[..., None]  # (n, h, w) -> (n, h, w, 1)
        elif self.layout == "chw":
            pictures = pictures.permute(0, 2, 3, 1)  # (n, c, h, w) -> (n, h, w, c)
        if pictures.shape[1:] != (self.height, self.width, self.channels):
            raise DataError(what="the pictures have another size", got=described(raws))
        _check_pixels(pictures)
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
        elif len(shape) == 2 or (len(shape) == 3 and shape[channel] in CHANNELS.values()):
            mends = [f'color="{"gray" if self.color == "rgb" else "rgb"}"', "give a PIL image, which is converted"]
        raise DataError(
            what="the array does not have the axes of a picture",
            expected=axes[self.layout] + (" or (height, width)" if self.color == "gray" else ""),
            got=f"{shape}",
            mend=mends,
        )

    @property
    def _smooth(self) -> Any:
        """PIL's constant for the filter."""
        return _pil("resizing a picture").Resampling(FILTERS.index(self.filter))

    def _resized(self, picture: Tensor) -> Tensor:
        size = (self.height, self.width)
        if tuple(picture.shape[:2]) == size:
            return picture.contiguous()
        if not picture.numel():
            raise DataError(what="the picture has no pixels", got=f"{tuple(picture.shape)}")
        if picture.requires_grad:
            raise DataError(
                what="PIL resizes pictures, and it knows no gradients",
                expected=f"{size}",
                got=f"{tuple(picture.shape[:2])}, of a tensor that wants a gradient",
                mend="torch.nn.functional.interpolate, before the net is called",
            )
        pil = _pil("resizing a picture")
        planes = [pil.fromarray(plane.contiguous().numpy()) for plane in picture.unbind(-1)]  # c of (h, w)
        small = [torch.from_numpy(np.array(plane.resize(size[::-1], self._smooth))) for plane in planes]
        resized = torch.stack(small, -1)  # c of (h, w) -> (h, w, c)
        return resized.clamp_(0, 1) if resized.is_floating_point() else resized  # cubic ones overshoot, as of bytes

    def _statistic(self, name: str, like: Tensor) -> float | Tensor:
        """A Python number if it is the same for all channels, so that nothing is copied to the device."""
        value = self._known(name)
        if not isinstance(value, tuple):
            return cast(float, value)
        return torch.tensor(value, dtype=torch.float32, device=like.device)


def _pixels(raw: AnyArray) -> Tensor:
    """An array of bytes unchanged, one of floats as float32."""
    values = as_tensor(raw)
    if values.dtype == torch.uint8:
        return values
    if not values.is_floating_point():
        raise DataError(
            what="the pixels are neither bytes nor floats",
            expected="uint8 in 0..255, or floats in 0..1",
            got=described(raw),
            mend="convert them to uint8 if they are in 0..255",
        )
    return values.float()


def _check_pixels(pictures: Tensor) -> None:
    if pictures.dtype == torch.uint8 or not pictures.numel():
        return
    low, high = (float(end) for end in pictures.detach().aminmax())
    if low != low:
        at = tuple(int(i) for i in pictures.isnan().nonzero()[0])
        raise DataError(what="the picture holds NaN", where=f"pixel {at}", mend="leave it out, or fill in a value")
    if low < -SLACK or high > 1 + SLACK:
        bytelike = low >= 0 and 1 < high <= 255
        raise DataError(
            what="the pixels are outside 0..1",
            expected="floats in 0..1, or bytes (uint8) in 0..255",
            got=f"floats in {low:g}..{high:g}",
            mend=("divide by 255", "give them as uint8")
            if bytelike
            else "give the pixels as they were: Image(…, mean=FREE, deviation=FREE) standardizes them",
        )


def light_of(stored: Tensor) -> Tensor:
    """Pictures in their stored form as floats in 0..1."""
    return stored.float() / 255 if stored.dtype == torch.uint8 else stored


def _rounded(values: tuple[float, ...]) -> tuple[float, ...]:
    return tuple(float(f"{value:.{DIGITS}g}") for value in values)


def _unreadable(where: str, got: str) -> DataError:
    return DataError(
        what="this file cannot be read as a picture",
        where=where,
        expected=f"a file of {', '.join(FORMATS[:-1])} or {FORMATS[-1]}, whole",
        got=got,
    )


def _pil(why: str) -> Any:
    try:
        from PIL import Image as pil
    except ImportError:
        missing_extra("pillow", "image", why)
    return pil


def _is_pil(raw: Any) -> bool:
    module = sys.modules.get("PIL.Image")  # a program that has such an image has imported the module
    return module is not None and isinstance(raw, module.Image)


def _is_deep(picture: Any) -> bool:
    """Whether a PIL image has more than a byte for a pixel, in a range that is known."""
    return picture.mode.startswith("I;16") or (picture.mode == "I" and picture.format == "PNG") or picture.mode == "F"


def _turn(picture: Any) -> Any:
    """The transposition that turns a PIL image upright; None if it is upright."""
    how = _pil("turning a picture").Transpose
    turns = [None, how.FLIP_LEFT_RIGHT, how.ROTATE_180, how.FLIP_TOP_BOTTOM]
    turns += [how.TRANSPOSE, how.ROTATE_270, how.TRANSVERSE, how.ROTATE_90]
    said = picture.getexif().get(ORIENTATION, 1)
    return turns[said - 1] if said in range(1, 9) else None


def _lying() -> set[Any]:
    """The turns that exchange height and width."""
    how = _pil("turning a picture").Transpose
    return {how.TRANSPOSE, how.ROTATE_270, how.TRANSVERSE, how.ROTATE_90}


def _check_memory(picture: Any, color: str, size: int) -> None:
    """Raise an error for a picture that would take much more memory than its file; only its header has been read."""
    own = 1 if picture.mode in ("1", "L", "P") else 4  # bytes of a pixel, as PIL holds it
    wanted = 1 if color == "gray" else 4
    made = 0 if picture.mode == MODES[color] else wanted + 4 if picture.mode == "P" else wanted
    reader = {"WEBP": 12, "TIFF": 4, "GIF": 4}.get(picture.format, 8 if "progressive" in picture.info else 0)
    bytes_ = 24 if _is_deep(picture) else own + max(made, reader)
    most = int((MEMORY + MEMORY_A_BYTE * size) / bytes_)
    if picture.width * picture.height > most:
        raise DataError(
            what="the picture has too many pixels for the size of its file",
            expected=f"at most {most:,} in a {picture.format} file of {size:,} bytes",
            got=f"{picture.width} x {picture.height}, {picture.width * picture.height:,} pixels",
            mend="make it smaller before, or give it as an array",
        )
