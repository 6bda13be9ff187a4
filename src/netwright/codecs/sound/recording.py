"""Reads a sound as it is given: a file, its bytes, or an array with its rate."""

import io
import os
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any

import torch
from torch import Tensor

from netwright.codecs.numeric import all_finite, as_tensor, described, is_array, numbers
from netwright.errors import DataError, FileError, did_you_mean, missing_extra
from netwright.regular import opened

MEMORY = 400e6  # bytes that the samples of a file may take, and as much again for
MEMORY_A_BYTE = 100  # … each byte of the file: a small file may say that it holds hours of silence
ENDINGS = (".wav", ".flac", ".ogg", ".mp3", ".opus", ".aiff", ".aif", ".au")
WHOLE = {torch.uint8: (128.0, 128.0), torch.int16: (0.0, 32768.0), torch.int32: (0.0, 2147483648.0)}
"""What samples in integers are: the number that stands for silence, and the one for the loudest."""
MOST_CHANNELS = 8  # of an array, which is otherwise taken for several sounds
EXPECTED = "a path, the bytes of a file, an array of samples, or (samples, rate in hertz)"


def samples_of(raw: Any, rate: int) -> tuple[Tensor, int]:
    """The samples of a sound, (n,), its channels averaged, and its rate in hertz.

    An array by itself has the rate that is given; with a rate of its own it is a tuple `(samples, rate)`.

    Raises: DataError for what is no sound, an empty one, and one with NaN or infinity.
    """
    if isinstance(raw, str | Path):
        return _from_file(Path(raw))
    if isinstance(raw, bytes):
        return _from_content(io.BytesIO(raw), len(raw), "")
    if isinstance(raw, tuple):
        if len(raw) != 2 or not is_array(raw[0]) or not _is_rate(raw[1]):
            raise DataError(
                what="this is not a sound with its rate",
                expected="(samples, rate in hertz), an array and a whole number",
                got=f"({', '.join(described(part) for part in raw[:3])})",
            )
        return _of_array(raw[0]), int(raw[1])
    if not is_array(raw):
        raise DataError(what="this is not a sound", expected=EXPECTED, got=described(raw))
    return _of_array(raw), rate


def rate_of(raw: Any, rate: int) -> int:
    """The rate of a sound in hertz, of a file by its header alone; `rate` where it says none or cannot be read."""
    if isinstance(raw, tuple) and len(raw) == 2 and _is_rate(raw[1]):
        return int(raw[1])
    if isinstance(raw, str | Path | bytes):
        try:
            with io.BytesIO(raw) if isinstance(raw, bytes) else opened(raw) as file:
                return int(_soundfile().info(file).samplerate)
        except (OSError, RuntimeError, DataError, FileError):
            return rate  # reading it says why
    return rate


def takes_sound(raw: Any) -> bool:
    """Whether this is one sound, by its form."""
    if isinstance(raw, str | Path | bytes):
        return True
    if isinstance(raw, tuple):
        return len(raw) == 2 and is_array(raw[0]) and _is_rate(raw[1])
    if not is_array(raw):
        return False
    return raw.ndim == 1 or (raw.ndim == 2 and raw.shape[1] <= MOST_CHANNELS and raw.shape[0] > raw.shape[1])


def _is_rate(rate: Any) -> bool:
    return not isinstance(rate, bool) and isinstance(rate, int | float) and rate >= 1 and rate == int(rate)


def _of_array(array: Any) -> Tensor:
    """The samples of an array, (n,) or (n, channels), as floats."""
    samples = as_tensor(array)
    if samples.ndim not in (1, 2) or (samples.ndim == 2 and samples.shape[1] > MOST_CHANNELS):
        raise DataError(
            what="the array does not have the axes of a sound",
            expected=f"(samples,) or (samples, channels), with at most {MOST_CHANNELS} channels",
            got=f"{tuple(samples.shape)}",
            mend="array.T, if the channels come first" if samples.ndim == 2 else (),
        )
    if samples.dtype in WHOLE:
        silence, loudest = WHOLE[samples.dtype]
        samples = (samples.double() - silence).div_(loudest).float()
    elif not samples.is_floating_point():
        raise DataError(
            what="it is not known how loud these integers can be",
            expected="floats in -1..1, or int16, int32 or uint8",
            got=described(array),
            mend="divide by the largest value that they can have",
        )
    elif samples.dtype not in (torch.float32, torch.float64):
        samples = samples.float()
    return _checked(samples)


def _checked(samples: Tensor) -> Tensor:
    """One channel, the mean of all, (n,); an error for an empty sound and for numbers that are none."""
    if not samples.numel():
        raise DataError(what="the sound is empty", got="0 samples", mend="leave it out")
    wave = samples if samples.ndim == 1 else samples.mean(1)  # (n, c) -> (n,)
    if not all_finite(wave):
        place = int((~wave.isfinite()).nonzero()[0])
        raise DataError(
            what=f"the sound holds {'NaN' if bool(wave[place].isnan()) else 'infinity'}",
            where=f"sample {place}",
            mend="leave it out, or fill in a value",
        )
    return wave


def _from_file(path: Path) -> tuple[Tensor, int]:
    _soundfile()
    try:
        with opened(path) as file:
            return _from_content(file, os.fstat(file.fileno()).st_size, str(path))
    except (FileNotFoundError, NotADirectoryError):
        siblings = os.listdir(path.parent) if os.path.isdir(path.parent) else ()
        mend = did_you_mean(path.name, [name for name in siblings if Path(name).suffix.lower() in ENDINGS])
        raise DataError(what="there is no such file", where=str(path), mend=mend or ()) from None
    except FileError as error:
        refused = error.changed(where=str(path), expected=error.expected or "a sound file")
        raise DataError.of(refused.faults) from None
    except OSError as error:
        raise _unreadable(str(path), str(error)) from None


def _from_content(file: IO[bytes], size: int, where: str) -> tuple[Tensor, int]:
    """The samples of a file's content, and their rate."""
    soundfile = _soundfile()
    if not size:
        raise DataError(what="the file is empty", where=where, expected="a sound file", got="0 bytes")
    try:
        with soundfile.SoundFile(file) as sound:
            most = int((MEMORY + MEMORY_A_BYTE * size) / 4)
            if sound.frames * sound.channels > most:
                raise DataError(
                    what="the sound has too many samples for the size of its file",
                    where=where,
                    expected=f"at most {most:,} in a file of {size:,} bytes",
                    got=f"{sound.frames:,} in each of {sound.channels} channels",
                    mend="cut it before, or give it as an array",
                )
            samples = sound.read(dtype="float32", always_2d=True)  # (n, c)
            rate = int(sound.samplerate)
    except (RuntimeError, ValueError, TypeError) as error:
        if isinstance(error, DataError):
            raise
        raise _unreadable(where, getattr(error, "error_string", "") or str(error)) from None
    try:
        return _checked(numbers(samples)), rate
    except DataError as error:
        raise (error.within(where) if where else error) from None


def _unreadable(where: str, got: str) -> DataError:
    return DataError(
        what="this file cannot be read as a sound",
        where=where,
        expected="a file of WAV, FLAC, OGG, MP3, AIFF or AU, whole",
        got=got,
    )


def _soundfile() -> Any:
    try:
        import soundfile
    except ImportError:
        missing_extra("soundfile", "sound", "reading a sound from a file")
    return soundfile


def rates_in_words(raws: Sequence[Any], rate: int) -> str:
    """Which of the sounds have another rate: `"3 of 10 from 8000 Hz"`; empty where none has."""
    found: dict[int, int] = {}
    for raw in raws:
        own = rate_of(raw, rate)
        if own != rate:
            found[own] = found.get(own, 0) + 1
    return ", ".join(f"{count} of {len(raws)} from {own} Hz" for own, count in sorted(found.items()))
