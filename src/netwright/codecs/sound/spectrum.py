"""Spectra of sounds, frame by frame: all frequencies, bands as the ear hears them, and their cepstrum."""

import math
from abc import ABC
from dataclasses import KW_ONLY
from functools import lru_cache
from typing import Literal, TypeAlias

import numpy as np
import torch
from torch import Tensor

from netwright.codecs.sound.frames import FramedCodec
from netwright.errors import NetError
from netwright.fields import at_least

Unit: TypeAlias = Literal["decibels", "power", "magnitude"]
UNITS: tuple[Unit, ...] = ("decibels", "power", "magnitude")
QUIETEST = 1e-10  # the power that counts as silence
LINEAR_HERTZ, LINEAR_MELS = 1000.0, 15.0  # the mel scale is linear up to here
LOG_STEP = math.log(6.4) / 27  # and a logarithm beyond


class Spectral(FramedCodec, ABC):
    """Features of the spectrum of each frame: |Σⱼ w_j x_j e^(−2πi jk / window)|, w a Hann window."""

    _: KW_ONLY
    top_db: float | None = 80.0

    def __post_init__(self) -> None:
        if self.top_db is not None and not self.top_db > 0:
            raise NetError(
                what="top_db is a number of decibels above 0, or None",
                where=type(self).__name__,
                got=repr(self.top_db),
            )
        super().__post_init__()

    @property
    def measured(self) -> Unit:
        """What the features measure."""
        return "decibels"

    def of_spectrum(self, spectrum: Tensor) -> Tensor:
        """The features of power or magnitude, (..., n, frequencies) → (..., n, features)."""
        return spectrum

    @property
    def frequencies(self) -> int:
        """The number of frequencies of a spectrum."""
        return self.samples_of_frame // 2 + 1

    def of_frames(self, frames: Tensor) -> Tensor:
        window = torch.hann_window(self.samples_of_frame, dtype=frames.dtype, device=frames.device)
        spectrum = torch.fft.rfft(frames * window)  # (..., n, window) -> (..., n, frequencies)
        power = spectrum.real.square() + spectrum.imag.square()
        return self.of_spectrum(power.sqrt() if self.measured == "magnitude" else power)

    def of_all(self, features: Tensor) -> Tensor:
        return decibels(features, self.top_db) if self.measured == "decibels" else features


class Spectrogram(Spectral):
    """A sound as its spectrogram: how strong every frequency is, frame by frame.

    A sound is given as to `nw.Audio`: a file, or samples with their rate. Feature k is the frequency
    k · rate / window. The frames are weighed by a Hann window before the Fourier transform.

    Shapes:
        `encode` gives `n f` with f = window // 2 + 1, n frames, float32; `decode` takes the same.

    Fields:
        rate: samples per second, in hertz, to which every sound is resampled.
        unit: `"decibels"`, the default, 10 log₁₀ of the power: what is twice as loud differs as much everywhere, as
            it does for the ear. `"power"`, or `"magnitude"`, its root.
        top_db: of decibels, how far below the loudest value of a sound they go; 80, as librosa has it. What is quieter
            is noise that a net need not see. None: all.
        seconds: how long a sound is: cut, or followed by silence. None, the default, leaves it as it is.
        window: samples in a frame; None, the default, are 25 milliseconds.
        hop: samples from one frame to the next; None, the default, are 10 milliseconds.
        edges: what frames see beyond the sound, as in `nw.Frames`: `"zeros"`, `"reflect"`, `"inside"` or `"fill"`.
        mean, deviation: what is subtracted, and the divisor; 0 and 1. `FREE` takes those of the training data.
        length: the name of the size that varies.

    Raises:
        NetError: an option out of range.
        DataError: what is no sound, is empty, holds NaN, or is too short for one frame.

    Example:
        >>> tone = np.sin(2 * np.pi * 440 * np.arange(16000) / 16000)
        >>> codec = Spectrogram(16000)
        >>> codec.encode(tone).shape
        torch.Size([101, 201])
        >>> int(codec.encode(tone)[50].argmax()) * 16000 / 400
        440.0

    Source: the numbers are those of librosa.stft and librosa.power_to_db with n_fft=window, center=True
    """

    _: KW_ONLY
    unit: Unit = "decibels"

    def __post_init__(self) -> None:
        _check_unit(self)
        super().__post_init__()

    @property
    def measured(self) -> Unit:
        return self.unit

    @property
    def count(self) -> int:
        return self.frequencies


class Mel(Spectral):
    """A sound as its mel spectrogram: the power in bands that are as wide as the ear hears them, frame by frame.

    A sound is given as to `nw.Audio`: a file, or samples with their rate. The bands are triangles of equal area; their
    centres are equally far apart on the mel scale, linear up to 1000 Hz and logarithmic beyond.

    Shapes:
        `encode` gives `n bands`, n frames, float32; `decode` takes the same.

    Fields:
        rate: samples per second, in hertz, to which every sound is resampled.
        bands: how many; 80, as most nets for speech take.
        low, high: the lowest and the highest frequency of the bands, in hertz; 0 and None, half the rate.
        unit: `"decibels"`, the default, 10 log₁₀ of the power; `"power"`; or `"magnitude"`, the bands of its root.
        top_db: of decibels, how far below the loudest value of a sound they go; 80, as librosa has it. None: all.
        seconds: how long a sound is: cut, or followed by silence. None, the default, leaves it as it is.
        window: samples in a frame; None, the default, are 25 milliseconds.
        hop: samples from one frame to the next; None, the default, are 10 milliseconds.
        edges: what frames see beyond the sound, as in `nw.Frames`: `"zeros"`, `"reflect"`, `"inside"` or `"fill"`.
        mean, deviation: what is subtracted, and the divisor; 0 and 1. `FREE` takes those of the training data.
        length: the name of the size that varies.

    Raises:
        NetError: an option out of range; bands so narrow that one of them holds no frequency of the spectrum.
        DataError: what is no sound, is empty, holds NaN, or is too short for one frame.

    Example:
        >>> Mel(16000).encode(np.zeros(16000, np.float32)).shape
        torch.Size([101, 80])
        >>> Mel(16000, 40, seconds=1).encoded
        '101 40'

    Source: Stevens, Volkmann and Newman 1937; the numbers are those of librosa.feature.melspectrogram
    """

    bands: int = 80
    _: KW_ONLY
    low: float = 0.0
    high: float | None = None
    unit: Unit = "decibels"

    def __post_init__(self) -> None:
        _check_unit(self)
        _check_bands(self, self.bands, self.low, self.high)
        super().__post_init__()

    @property
    def measured(self) -> Unit:
        return self.unit

    @property
    def count(self) -> int:
        return self.bands

    def of_spectrum(self, spectrum: Tensor) -> Tensor:
        return spectrum @ _like(mel_bands(self.rate, self.samples_of_frame, self.bands, self.low, self.high), spectrum)


class MFCC(Spectral):
    """A sound as its mel-frequency cepstral coefficients: the shape of each frame's spectrum in a few numbers.

    They are the first coefficients of the discrete cosine transform (type II, orthogonal) of the mel spectrogram in
    decibels. A sound is given as to `nw.Audio`: a file, or samples with their rate.

    Shapes:
        `encode` gives `n coefficients`, n frames, float32; `decode` takes the same.

    Fields:
        rate: samples per second, in hertz, to which every sound is resampled.
        coefficients: how many; 20, as librosa has it.
        bands: of the mel spectrogram; 80.
        low, high: the lowest and the highest frequency of the bands, in hertz; 0 and None, half the rate.
        top_db: how far below the loudest value of a sound the decibels go; 80, as librosa has it. None: all.
        seconds: how long a sound is: cut, or followed by silence. None, the default, leaves it as it is.
        window: samples in a frame; None, the default, are 25 milliseconds.
        hop: samples from one frame to the next; None, the default, are 10 milliseconds.
        edges: what frames see beyond the sound, as in `nw.Frames`: `"zeros"`, `"reflect"`, `"inside"` or `"fill"`.
        mean, deviation: what is subtracted, and the divisor; 0 and 1. `FREE` takes those of the training data.
        length: the name of the size that varies.

    Raises:
        NetError: an option out of range; more coefficients than bands.
        DataError: what is no sound, is empty, holds NaN, or is too short for one frame.

    Example:
        >>> MFCC(16000).encode(np.zeros(16000, np.float32)).shape
        torch.Size([101, 20])

    Source: Davis and Mermelstein 1980; the numbers are those of librosa.feature.mfcc
    """

    coefficients: int = 20
    _: KW_ONLY
    bands: int = 80
    low: float = 0.0
    high: float | None = None

    def __post_init__(self) -> None:
        _check_bands(self, self.bands, self.low, self.high)
        at_least(1, self.coefficients, "the number of coefficients", "MFCC")
        if self.coefficients > self.bands:
            raise NetError(
                what="there are no more coefficients than bands",
                where="MFCC",
                expected=f"at most {self.bands}",
                got=f"{self.coefficients}",
            )
        super().__post_init__()

    @property
    def count(self) -> int:
        return self.coefficients

    def of_spectrum(self, spectrum: Tensor) -> Tensor:
        return spectrum @ _like(mel_bands(self.rate, self.samples_of_frame, self.bands, self.low, self.high), spectrum)

    def of_all(self, features: Tensor) -> Tensor:
        return super().of_all(features) @ _like(_cosines(self.bands, self.coefficients), features)


def decibels(power: Tensor, below: float | None) -> Tensor:
    """10 log₁₀ of power (..., n, features); no less than so far below the loudest value of a sound."""
    found = power.clamp_min(QUIETEST).log10() * 10
    return found if below is None else torch.maximum(found, found.amax((-2, -1), keepdim=True) - below)


@lru_cache(maxsize=16)
def mel_bands(
    rate: int, window: int, bands: int, low: float, high: float | None
) -> "np.ndarray[tuple[int, int], np.dtype[np.float64]]":
    """The weight of every frequency of a spectrum in every band, (frequencies, bands)."""
    ends = _mels(low), _mels(rate / 2 if high is None else high)
    edges = np.array([_hertz(mels) for mels in np.linspace(*ends, bands + 2)])  # (bands + 2,)
    frequencies = np.fft.rfftfreq(window, 1 / rate)[:, None]  # (frequencies, 1)
    rising = (frequencies - edges[:-2]) / (edges[1:-1] - edges[:-2])  # (frequencies, bands)
    falling = (edges[2:] - frequencies) / (edges[2:] - edges[1:-1])  # (frequencies, bands)
    return np.maximum(0, np.minimum(rising, falling)) * (2 / (edges[2:] - edges[:-2]))


def _mels(hertz: float) -> float:
    if hertz < LINEAR_HERTZ:
        return hertz * LINEAR_MELS / LINEAR_HERTZ
    return LINEAR_MELS + math.log(hertz / LINEAR_HERTZ) / LOG_STEP


def _hertz(mels: float) -> float:
    if mels < LINEAR_MELS:
        return mels * LINEAR_HERTZ / LINEAR_MELS
    return LINEAR_HERTZ * math.exp(LOG_STEP * (mels - LINEAR_MELS))


@lru_cache(maxsize=16)
def _cosines(bands: int, count: int) -> "np.ndarray[tuple[int, int], np.dtype[np.float64]]":
    """The first columns of the discrete cosine transform, type II, orthogonal, (bands, count)."""
    k, i = np.arange(count), np.arange(bands)[:, None]
    table = np.cos(np.pi * k * (2 * i + 1) / (2 * bands)) * math.sqrt(2 / bands)
    table[:, 0] /= math.sqrt(2)
    return table


def _like(table: "np.ndarray[tuple[int, int], np.dtype[np.float64]]", values: Tensor) -> Tensor:
    """A table in the type of values, on their device."""
    return torch.from_numpy(table).to(device=values.device, dtype=values.dtype)


def _check_unit(codec: "Spectrogram | Mel") -> None:
    if codec.unit not in UNITS:
        raise NetError(what="unknown unit", expected=" or ".join(map(repr, UNITS)), got=repr(codec.unit))


def _check_bands(codec: "Mel | MFCC", bands: int, low: float, high: float | None) -> None:
    """Refuse bands outside of the frequencies of the rate, and bands without any frequency."""
    name, rate = type(codec).__name__, codec.rate
    at_least(1, bands, "the number of bands", name)
    at_least(1, rate, "the rate in hertz", name)
    top = rate / 2 if high is None else high
    if not 0 <= low < top <= rate / 2:
        raise NetError(
            what="the bands lie between two frequencies of the sound",
            where=name,
            expected=f"0 ≤ low < high ≤ {rate / 2:g} Hz, half the rate",
            got=f"low={low:g}, high={top:g}",
        )
    if codec.window is not None and (type(codec.window) is not int or codec.window < 1):
        return  # said elsewhere
    empty = int((mel_bands(rate, codec.samples_of_frame, bands, low, high).max(0) == 0).sum())
    if empty:
        raise NetError(
            what=f"the bands are narrower than the steps of the spectrum: {empty} of {bands} hold no frequency",
            where=name,
            expected=f"fewer bands, or a longer window than {codec.samples_of_frame} samples",
            mend=(f"bands={bands // 2}", f"window={2 * codec.samples_of_frame}"),
        )
