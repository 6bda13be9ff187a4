"""The codec of a pitch: probabilities of narrow steps of pitch become a frequency in hertz for every frame."""

from collections.abc import Sequence
from dataclasses import KW_ONLY
from typing import Any

import torch
from torch import Tensor

from netwright.codecs.codec import Answer, Codec
from netwright.codecs.numeric import exact
from netwright.codecs.reading import Decision, Reading
from netwright.errors import DataError, NetError

STEPS = 360
CENTS = 20.0  # of a step: a fifth of a semitone
LOWEST = 1997.3794084376191  # cents above 10 Hz of the first step: 31.7 Hz
BASE = 10.0
AROUND = 4  # steps on either side of the most probable one whose mean is taken
BLUR = 25.0  # cents: the deviation of a target around its pitch


class Pitch(Codec):
    """The pitch of every frame in hertz, of 360 steps of 20 cents from 31.7 to 2005.5 Hz.

    The pitch is the mean of the most probable step and the four on either side of it, weighted by their probabilities:
    c = Σ pᵢ cᵢ / Σ pᵢ in cents, 10 · 2^(c / 1200) hertz. The probability of the most probable step says how sure the
    net is that there is a pitch.

    Decoding gives an array of hertz. `nw.Top(1)` gives for every frame the frequency of the most probable step and its
    probability; `nw.probabilities` gives all of them.

    Shapes:
        `encode` gives `n 360`: for every frame a bell of deviation 25 cents around its pitch, all zeros for 0 Hz,
        which means that there is none. `decode` takes `n 360` probabilities, each between 0 and 1.

    Fields:
        least: the least probability of a pitch; frames below get 0 Hz. 0, the default, gives every frame a pitch.
        length: the name of the size that varies.

    Raises:
        NetError: a least probability that is none.
        DataError: a pitch outside of the steps, or one that is not a number.

    Example:
        >>> codec = Pitch()
        >>> [round(hertz, 1) for hertz in codec.decode(codec.encode([110.0, 440.0])).tolist()]
        [110.0, 440.0]

    Source: Kim et al. 2018, "CREPE: A convolutional representation for pitch estimation", arXiv 1802.06182
    """

    _: KW_ONLY
    least: float = 0.0
    length: str = "n"

    def __post_init__(self) -> None:
        if not 0 <= self.least <= 1:
            raise NetError(what="a probability is from 0 to 1", where="Pitch", got=f"least={self.least:g}")
        if not self.length.isidentifier():
            raise NetError(what="length is the name of a size", expected="a Python name", got=repr(self.length))

    @property
    def answer(self) -> Answer:
        return "numbers"

    @property
    def encoded(self) -> str:
        return f"{self.length} {STEPS}"

    @property
    def decoded(self) -> str:
        return self.encoded

    @property
    def _varying(self) -> int:
        return 1

    def takes(self, raw: Any) -> bool:
        return getattr(raw, "ndim", 0) == 1 or (isinstance(raw, list | tuple) and not _nested(raw))

    def encode(self, raw: Any) -> Tensor:
        hertz = exact(raw).double()
        if hertz.ndim != 1 or not len(hertz):
            raise DataError(
                what="a pitch is given for every frame", expected="hertz, (frames,)", got=f"{tuple(hertz.shape)}"
            )
        cents = _cents()
        given = 1200 * (hertz.clamp_min(1e-9) / BASE).log2()  # (n,)
        silent = hertz == 0
        wrong = ~silent & ~((given >= cents[0] - CENTS / 2) & (given <= cents[-1] + CENTS / 2))
        if bool(wrong.any()):
            place = int(wrong.nonzero()[0])
            raise DataError(
                what="the pitch is outside of the steps",
                where=f"frame {place}",
                expected=f"{_hertz(float(cents[0])):.1f} to {_hertz(float(cents[-1])):.1f} Hz, or 0 for none",
                got=f"{float(hertz[place]):g}",
            )
        bell = torch.exp(-((cents - given.unsqueeze(-1)) ** 2) / (2 * BLUR**2))  # (n, 360)
        return bell.masked_fill(silent.unsqueeze(-1), 0.0).float()

    def read(self, output: Tensor, reading: Reading) -> Any:
        if not isinstance(reading, Decision):
            names = [_hertz(float(cents)) for cents in _cents()]
            return [reading.at(frame).of_each(names, row) for frame, row in enumerate(output)]
        probabilities, cents = output.double(), _cents()
        sure, best = probabilities.max(-1)  # (n,)
        places = torch.arange(STEPS, device="cpu")
        near = (places - best.unsqueeze(-1)).abs() <= AROUND  # (n, 360)
        weights = probabilities.clamp_min(0) * near
        mean = (weights * cents).sum(-1) / weights.sum(-1).clamp_min(1e-12)  # (n,)
        hertz = torch.where(sure > 0, BASE * 2 ** (mean / 1200), 0.0)
        return hertz.masked_fill(sure < self.least, 0.0).numpy()


def _cents() -> Tensor:
    return LOWEST + CENTS * torch.arange(STEPS, dtype=torch.float64, device="cpu")


def _hertz(cents: float) -> float:
    return BASE * 2 ** (cents / 1200)


def _nested(raw: Sequence[Any]) -> bool:
    return bool(len(raw)) and (isinstance(raw[0], list | tuple) or getattr(raw[0], "ndim", 0) > 0)
