"""Sounds as overlapping frames, one every few milliseconds, and how they are standardized."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import KW_ONLY, replace
from typing import Any, Literal, Self, TypeAlias, cast

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from netwright.codecs.numeric import ColumnMoments, per_component, scale_of
from netwright.codecs.ragged import Ragged
from netwright.codecs.reading import Reading
from netwright.codecs.sound.audio import SoundCodec
from netwright.errors import DataError, NetError
from netwright.fields import at_least
from netwright.sizes.free import FREE, Free

Edges: TypeAlias = Literal["zeros", "reflect", "inside", "fill"]
EDGES: tuple[Edges, ...] = ("zeros", "reflect", "inside", "fill")
WINDOW_SECONDS, HOP_SECONDS = 0.025, 0.010  # what nets for speech take
CHUNK = 1 << 12  # frames that are computed at a time, so that what they need stays in the cache
DIGITS = 6  # of a fitted mean


class FramedCodec(SoundCodec, ABC):
    """A sound cut into overlapping frames, and the features of each.

    Fields:
        window: samples in a frame; None, the default, are 25 milliseconds: short enough that speech hardly changes
            in it. In samples and not in seconds, since the number of features follows from it.
        hop: samples from one frame to the next; None, the default, are 10 milliseconds.
        edges: what frames see beyond the sound. `"zeros"`, the default: frame i is centred at sample i · hop, and
            there is silence around. `"reflect"`: as well, with the sound mirrored. `"inside"`: only frames that lie in
            the sound. `"fill"`: frame i begins at sample i · hop, and silence fills up the last one.
        mean: what is subtracted, one number or one for each feature; 0. `FREE` takes those of the training data.
        deviation: the divisor, above 0, in the same form; 1. `FREE` takes those of the training data.
    """

    _: KW_ONLY
    window: int | None = None
    hop: int | None = None
    edges: Edges = "zeros"
    mean: float | Iterable[float] | Free = 0.0
    deviation: float | Iterable[float] | Free = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("window", "hop"):
            if getattr(self, name) is not None:
                at_least(1, getattr(self, name), f"the {name} in samples", type(self).__name__)
        if self.edges not in EDGES:
            raise NetError(what="unknown edges", expected=" or ".join(map(repr, EDGES)), got=repr(self.edges))
        for name in ("mean", "deviation"):
            object.__setattr__(self, name, per_component(name, getattr(self, name), self.count))

    @property
    @abstractmethod
    def count(self) -> int:
        """The number of features of a frame."""

    @abstractmethod
    def of_frames(self, frames: Tensor) -> Tensor:
        """The features of frames, (..., n, samples) → (..., n, features)."""

    def of_all(self, features: Tensor) -> Tensor:
        """What is done last, with the features of all frames of a sound, (..., n, features)."""
        return features

    @property
    def samples_of_frame(self) -> int:
        """The samples in a frame."""
        return max(round(WINDOW_SECONDS * self.rate), 1) if self.window is None else self.window

    @property
    def step(self) -> int:
        """The samples from one frame to the next."""
        return max(round(HOP_SECONDS * self.rate), 1) if self.hop is None else self.hop

    @property
    def scale(self) -> tuple[Any, Any] | None:
        return scale_of(self.mean, self.deviation)

    @property
    def encoded(self) -> str:
        frames = self.length if self._fixed is None else self.frames_in(self._fixed)
        return f"{frames} {self.count}"

    def frames_in(self, samples: int) -> int:
        """How many frames a sound of so many samples has; 0 where it is too short for one."""
        window, step, half = self.samples_of_frame, self.step, self.samples_of_frame // 2
        if self.edges == "fill":
            return max(-(-(samples - window) // step), 0) + 1
        if self.edges == "reflect" and samples <= half:
            return 0
        around = 0 if self.edges == "inside" else 2 * half
        return max((samples + around - window) // step + 1, 0)

    def features(self, wave: Tensor) -> Tensor:
        samples, window = wave.shape[-1], self.samples_of_frame
        count = self.frames_in(samples)
        if not count:
            least = window if self.edges == "inside" else window // 2 + 1
            raise DataError(
                what="the sound is shorter than a frame needs",
                expected=f"at least {least:,} samples at {self.rate:,} Hz, {least / self.rate:.3g} s",
                got=f"{samples:,}",
                mend='edges="zeros", which puts silence around it',
            )
        frames = self._padded(wave, count).unfold(-1, window, self.step)  # (..., n, window)
        parts = [self.of_frames(part) for part in frames.split(CHUNK, -2)]
        return self.of_all(parts[0] if len(parts) == 1 else torch.cat(parts, -2))

    def _padded(self, wave: Tensor, count: int) -> Tensor:
        """The wave with what frames see beyond it."""
        half = self.samples_of_frame // 2
        if self.edges == "inside":
            return wave
        if self.edges == "fill":
            missing = (count - 1) * self.step + self.samples_of_frame - wave.shape[-1]
            return F.pad(wave, (0, max(missing, 0)))
        if self.edges == "zeros":
            return F.pad(wave, (half, half))
        before, behind = wave[..., 1 : half + 1].flip(-1), wave[..., -half - 1 : -1].flip(-1)
        return torch.cat([before, wave, behind], -1) if half else wave

    def prepare(self, stored: Tensor) -> Tensor:
        mean, deviation = self._statistic("mean", stored), self._statistic("deviation", stored)
        return stored if self.scale is None else (stored - mean) / deviation

    def read(self, output: Tensor, reading: Reading) -> np.ndarray:
        self._check_decision(reading)
        values = output.float()
        return (values * self._statistic("deviation", values) + self._statistic("mean", values)).numpy()

    def fit(self, raws: Sequence[Any]) -> Self:
        if self.fitted:
            return self
        moments = ColumnMoments()
        for piece in self._encoded_pieces(raws):
            values = piece.values if isinstance(piece, Ragged) else piece
            moments.add(values.reshape(-1, self.count))  # (frames, features)
        if not len(raws):
            raise DataError(what="there are no sounds to learn the mean and deviation from")
        mean = _rounded(moments.mean) if self.mean is FREE else self.mean
        deviation = _rounded(moments.deviation) if self.deviation is FREE else self.deviation
        return replace(self, mean=mean, deviation=deviation)

    def _statistic(self, name: str, like: Tensor) -> float | Tensor:
        """A Python number if it is the same for all features, so that nothing is copied to the device."""
        value = self._known(name)
        if not isinstance(value, tuple):
            return cast(float, value)
        return torch.tensor(value, dtype=torch.float32, device=like.device)


class Frames(FramedCodec):
    """A sound as overlapping frames of its samples: for nets that take the wave apart themselves.

    A sound is given as to `nw.Audio`: a file, or samples with their rate.

    Shapes:
        `encode` gives `n window`, n frames, float32; `decode` takes the same.

    Fields:
        rate: samples per second, in hertz, to which every sound is resampled.
        seconds: how long a sound is: cut, or followed by silence. None, the default, leaves it as it is.
        window: samples in a frame; None, the default, are 25 milliseconds.
        hop: samples from one frame to the next; None, the default, are 10 milliseconds.
        edges: what frames see beyond the sound. `"zeros"`, the default: frame i is centred at sample i · hop, and
            there is silence around. `"reflect"`: as well, with the sound mirrored. `"inside"`: only frames that lie in
            the sound. `"fill"`: frame i begins at sample i · hop, and silence fills up the last one.
        mean, deviation: what is subtracted, and the divisor; 0 and 1. `FREE` takes those of the training data.
        length: the name of the size that varies.

    Raises:
        NetError: an option out of range.
        DataError: what is no sound, is empty, holds NaN, or is too short for one frame.

    Example:
        >>> Frames(16000, window=512, hop=512, edges="fill").encode(np.zeros(1200, np.float32)).shape
        torch.Size([3, 512])
    """

    @property
    def count(self) -> int:
        return self.samples_of_frame

    def of_frames(self, frames: Tensor) -> Tensor:
        return frames


def _rounded(values: tuple[float, ...]) -> tuple[float, ...]:
    return tuple(float(f"{value:.{DIGITS}g}") for value in values)
