"""Brings a wave from one sample rate to another, with a filter that keeps what both rates can hold and nothing else."""

import math
from functools import lru_cache

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

ZEROS = 64  # zero crossings of the sinc on either side: how steep the filter is
ROLLOFF = 0.95  # where the filter lets half through, as a share of the lower rate's highest frequency
BETA = 10.06  # of the Kaiser window: what must not pass is 100 dB weaker
ROWS = 1 << 16  # outputs of one phase that are computed at a time, which bounds the memory


def at_rate(wave: Tensor, rate: int, wanted: int) -> Tensor:
    """A wave at another rate: yᵢ = Σⱼ xⱼ h(i · rate / wanted − j), h a sinc under a Kaiser window.

    Frequencies up to 0.9 of the lower rate's half are kept, those above its half are 100 dB weaker. The sound is taken
    to be silent before its beginning and after its end.

    Shapes: (n,) → (⌈n · wanted / rate⌉,)

    Example:
        >>> at_rate(torch.zeros(8000), 8000, 16000).shape
        torch.Size([16000])

    Source: Smith, "Digital audio resampling", https://ccrma.stanford.edu/~jos/resample/
    """
    if rate == wanted:
        return wave
    common = math.gcd(rate, wanted)
    old, new = rate // common, wanted // common
    kernels = torch.from_numpy(_kernels(old, new)).to(wave.dtype).to(wave.device)  # (new, taps)
    taps = kernels.shape[1]
    count = -(-len(wave) * new // old)
    periods = -(-count // new)
    before = taps // 2 - 1
    padded = F.pad(wave, (before, max((periods + 1) * old + taps - before - len(wave), 0)))
    y = wave.new_zeros(periods, new)
    for phase in range(new):
        windows = padded[phase * old // new :].unfold(0, taps, old)  # (periods or more, taps)
        for first in range(0, periods, ROWS):
            last = min(first + ROWS, periods)
            y[first:last, phase] = windows[first:last] @ kernels[phase]
    return y.reshape(-1)[:count]


@lru_cache(maxsize=8)
def _kernels(old: int, new: int) -> "np.ndarray[tuple[int, int], np.dtype[np.float64]]":
    """The filter at the distances that an output of each phase has from its inputs, (new, taps)."""
    cutoff = ROLLOFF * min(1.0, new / old)  # of the frequencies that the old rate can hold
    half = math.ceil(ZEROS / cutoff)
    fraction = (np.arange(new) * old % new) / new  # of a step of the old rate, from the input at or before the output
    distance = fraction[:, None] - np.arange(1 - half, half + 1)[None, :]  # (new, taps)
    inside = np.clip(1 - (distance / half) ** 2, 0, None)
    return cutoff * np.sinc(cutoff * distance) * np.i0(BETA * np.sqrt(inside)) / np.i0(BETA)
