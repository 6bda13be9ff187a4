"""Sounds as waves, and what all codecs of sounds share: files and arrays of any rate become samples of one rate."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import KW_ONLY
from typing import Any

import numpy as np
import torch.nn.functional as F
from torch import Tensor

from netwright.codecs.codec import Answer, Codec
from netwright.codecs.ragged import Ragged
from netwright.codecs.reading import Reading
from netwright.codecs.sound.recording import rates_in_words, samples_of, takes_sound
from netwright.codecs.sound.resample import at_rate
from netwright.errors import DataError, NetError
from netwright.fields import at_least


class SoundCodec(Codec, ABC):
    """A sound as a sequence: samples of one rate, and the features that a subclass takes of them.

    A sound is the path of a file, the bytes of one, an array of samples at the rate of the codec, or a tuple
    `(samples, rate)`. Channels are averaged. A sound of another rate is resampled, and training says how many were.

    Fields:
        rate: samples per second, in hertz. It has no default: published nets need the rate that they learned, and
            for a net of your own it says how high the highest sound is that it hears, half of it.
        seconds: how long a sound is. A longer one is cut, a shorter one is followed by silence. None, the default,
            leaves every sound its own length.
        length: the name of the size that varies.
    """

    rate: int
    _: KW_ONLY
    seconds: float | None = None
    length: str = "n"

    def __post_init__(self) -> None:
        at_least(1, self.rate, "the rate in hertz", type(self).__name__)
        if self.seconds is not None and not 1 <= self.seconds * self.rate < 2**31:
            raise NetError(
                what="a sound has at least one sample", where=type(self).__name__, got=f"seconds={self.seconds:g}"
            )
        if not self.length.isidentifier():
            raise NetError(what="length is the name of a size", expected="a Python name", got=repr(self.length))

    @abstractmethod
    def features(self, wave: Tensor) -> Tensor:
        """The features of samples at the rate of the codec, (..., samples) → (..., n, features).

        They are computed on the device of the samples, in their type, and have gradients.
        """

    @property
    def answer(self) -> Answer:
        return "numbers"

    @property
    def decoded(self) -> str:
        return self.encoded

    def takes(self, raw: Any) -> bool:
        return takes_sound(raw)

    def encode(self, raw: Any) -> Tensor:
        return self.features(self.samples(raw)).float()

    def encode_all(self, raws: Sequence[Any]) -> Tensor | Ragged:
        if isinstance(raws, str):
            raise DataError(what="this is one sound, not many", got=repr(raws), mend="[path], a list of one")
        return super().encode_all(raws)

    def samples(self, raw: Any) -> Tensor:
        """The samples of one sound at the rate of the codec, (samples,)."""
        wave, rate = samples_of(raw, self.rate)
        fixed = self._fixed
        if fixed is not None:  # what is cut off need not be resampled
            wave = wave[: -(-fixed * rate // self.rate) + rate // self.rate + rate]
        wave = at_rate(wave, rate, self.rate)
        return wave if fixed is None else F.pad(wave[:fixed], (0, max(fixed - len(wave), 0)))

    def converted(self, raws: Sequence[Any]) -> str:
        return rates_in_words(raws, self.rate)

    @property
    def _fixed(self) -> int | None:
        """How many samples every sound has; None where that varies."""
        return None if self.seconds is None else round(self.seconds * self.rate)

    @property
    def _varying(self) -> int:
        return int(self.seconds is None)


class Audio(SoundCodec):
    """A sound as its wave: one number for each sample, from −1 to 1.

    A sound is the path of a file (WAV, FLAC, OGG, MP3, AIFF, AU), the bytes of one, an array of samples at the rate of
    the codec, or a tuple `(samples, rate)`. Samples are floats from −1 to 1, or integers of 8, 16 or 32 bits, which
    are divided by their largest value. Channels, the second axis of an array, are averaged. A sound of another rate is
    resampled by a windowed sinc, and training says how many were.

    Shapes:
        `encode` gives `n 1`, n samples of one channel, float32; `decode` takes the same and gives a float32 array (n,).

    Fields:
        rate: samples per second, in hertz. It has no default: published nets need the rate that they learned, and
            for a net of your own it says how high the highest sound is that it hears, half of it.
        seconds: how long a sound is. A longer one is cut, a shorter one is followed by silence. None, the default,
            leaves every sound its own length.
        length: the name of the size that varies.

    Raises:
        NetError: a rate below 1, or seconds in which there is no sample.
        DataError: a missing file, or one that is no sound; an empty sound; NaN or infinity.
        MissingExtraError: a file, without the package soundfile.

    Example:
        >>> Audio(8000).encode(np.zeros(400, np.int16)).shape
        torch.Size([400, 1])
        >>> Audio(16000).encode((np.zeros(400, np.float32), 8000)).shape
        torch.Size([800, 1])

    Source: Smith, "Digital audio resampling", https://ccrma.stanford.edu/~jos/resample/
    """

    @property
    def encoded(self) -> str:
        return f"{self.length if self._fixed is None else self._fixed} 1"

    def features(self, wave: Tensor) -> Tensor:
        return wave.unsqueeze(-1)  # (..., n) -> (..., n, 1)

    def read(self, output: Tensor, reading: Reading) -> np.ndarray:
        self._check_decision(reading)
        return output[..., 0].float().numpy()  # (n, 1) -> (n,)
